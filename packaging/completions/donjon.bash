# Made by `donjon completion bash`.
_donjon_words() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$cur")
}
_donjon_files() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
}
_donjon() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} options= words= files=
	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		_donjon_words 'run deploy attach logs ps stop verify measure platform key policy collateral config package version completion help --help --version'
		return
	fi
	case $command in
	platform) words='info' ;;
	key) words='sgx' ;;
	policy) words='check explain init' ;;
	collateral) words='update show export import' ;;
	config) words='init check' ;;
	package) words='build push pull inspect list copy sign verify yank keygen login logout cache' ;;
	esac
	if [ -n "$words" ]; then
		if [ "$COMP_CWORD" = 2 ]; then
			_donjon_words "$words"
			return
		fi
		command="$command ${COMP_WORDS[2]}" words=
	fi
	case $prev in
	--host) return ;;
	--host-ca) _donjon_files -f; return ;;
	--token-file) _donjon_files -f; return ;;
	--tee) _donjon_words 'auto process kvm snp tdx sgx sanctum'; return ;;
	--platform) _donjon_words 'auto hardware software'; return ;;
	--config) _donjon_files -f; return ;;
	--policy) _donjon_files -f; return ;;
	--env) return ;;
	--dir) _donjon_files -d; return ;;
	--out) _donjon_files -d; return ;;
	--timeout) return ;;
	--memory) return ;;
	--fuel) return ;;
	--engine) _donjon_words 'auto interp'; return ;;
	--images) _donjon_files -d; return ;;
	--listen) return ;;
	--connect) return ;;
	--set) return ;;
	--key) _donjon_files -f; return ;;
	--identity) return ;;
	--output) _donjon_files -f; return ;;
	--annotation) return ;;
	--sbom) _donjon_files -f; return ;;
	--username) return ;;
	--ca) _donjon_files -f; return ;;
	--net-timeout) return ;;
	--receipt) _donjon_files -f; return ;;
	--max) return ;;
	--reason) _donjon_words 'mistake broken security superseded'; return ;;
	--endorsements) _donjon_files -f; return ;;
	--time) return ;;
	--report-data) return ;;
	--cache) _donjon_files -d; return ;;
	--launch) _donjon_files -f; return ;;
	--evidence) _donjon_files -f; return ;;
	--kds) return ;;
	--pcs) return ;;
	esac
	case $command in
	'run') options='--help --quiet --verbose --json --tee --platform --config --policy --env --dir --out --timeout --memory --fuel --engine --images --listen --connect --set --key --identity --ca --plain-http --net-timeout --receipt' files=1 ;;
	'deploy') options='--help --quiet --verbose --json --host --host-ca --token-file --tee --platform --config --policy --env --dir --out --timeout --memory --fuel --engine --detach --images --listen --connect --set --key --identity --ca --plain-http --net-timeout --receipt' files=1 ;;
	'attach') options='--help --quiet --host --host-ca --token-file --receipt' ;;
	'logs') options='--help --host --host-ca --token-file --no-follow' ;;
	'ps') options='--help --json --host --host-ca --token-file' ;;
	'stop') options='--help --quiet --host --host-ca --token-file --force --receipt' ;;
	'verify') options='--help --json --policy --images --endorsements --time --report-data --padded --cache' files=1 ;;
	'measure') options='--help --verbose --json --tee --images --launch' ;;
	'platform info') options='--help --json --host --host-ca --token-file --images' ;;
	'key sgx') options='--help --images' files=1 ;;
	'policy check') options='--help --quiet --images' files=1 ;;
	'policy explain') options='--help --images' files=1 ;;
	'policy init') options='--help --quiet --force --evidence' files=1 ;;
	'collateral update') options='--help --quiet --ca --plain-http --net-timeout --cache --kds --pcs' files=1 ;;
	'collateral show') options='--help --json --cache' ;;
	'collateral export') options='--help --quiet --cache' files=1 ;;
	'collateral import') options='--help --quiet --cache' files=1 ;;
	'config init') options='--help --quiet --force' files=1 ;;
	'config check') options='--help --quiet' files=1 ;;
	'package build') options='--help --quiet --json --config --output --annotation --sbom --ca --plain-http --net-timeout' files=1 ;;
	'package push') options='--help --quiet --config --annotation --sbom --ca --plain-http --net-timeout' files=1 ;;
	'package pull') options='--help --quiet --policy --key --identity --output --ca --plain-http --net-timeout' files=1 ;;
	'package inspect') options='--help --json --ca --plain-http --net-timeout' files=1 ;;
	'package list') options='--help --json --ca --plain-http --net-timeout' ;;
	'package copy') options='--help --quiet --policy --key --identity --ca --plain-http --net-timeout' files=1 ;;
	'package sign') options='--help --quiet --key --annotation --ca --plain-http --net-timeout' ;;
	'package verify') options='--help --quiet --policy --key --identity --ca --plain-http --net-timeout' ;;
	'package yank') options='--help --quiet --ca --plain-http --net-timeout --reason --undo' ;;
	'package keygen') options='--help --quiet' files=1 ;;
	'package login') options='--help --quiet --username --password-stdin --ca --plain-http --net-timeout' ;;
	'package logout') options='--help --quiet' ;;
	'package cache') options='--help --quiet --json --max' words='info check prune clear' ;;
	'version') options='--help --json' ;;
	'completion') options='--help' words='bash zsh fish' ;;
	esac
	case $cur in
	-*) _donjon_words "$options" ;;
	*)
		[ -z "$words" ] || _donjon_words "$words"
		[ -z "$files" ] || _donjon_files -f
		;;
	esac
}
complete -F _donjon donjon
