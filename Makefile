# SPDX-License-Identifier: Apache-2.0
# One make, many toolchains.  `make help` lists what it can do; O= chooses the
# output folder, SAN=address,undefined the sanitizer variant, V=1 is verbose.
.DEFAULT_GOAL := all
include build/rules.mk
include $(sort $(wildcard src/*/module.mk src/*/*/module.mk tests/*/module.mk \
	tools/*/module.mk fuzz/module.mk bench/module.mk examples/*/module.mk))

JOBS := -j$(shell nproc) --no-print-directory
comma_list = $(subst $(eval ) ,$(comma),$(strip $1))

## make               build everything into out/
all: $(ALL)

## make demo          install what is missing, build, deploy an example;
##                    TEE=snp, tdx, sgx, kvm, sanctum, pef: there, on the software
##                    platform if need be
demo:
	@tools/packages build demo $(if $(filter snp tdx sgx kvm,$(TEE)),soft) \
		$(if $(filter sanctum,$(TEE)),exec-riscv64 sanctum) \
		$(if $(filter pef,$(TEE)),exec-ppc64le pef)
	@$(MAKE) $(JOBS) all $(O)/examples/hello.wasm \
		$(if $(filter sanctum,$(TEE)),$(KEEP_riscv64)) \
		$(if $(filter pef,$(TEE)),$(KEEP_ppc64le))
	@tools/demo $(O) $(TEE)

## make keep-riscv64  Keeps for RISC-V, technology sanctum; keep-ppc64le: for POWER,
##                    technology pef (docs/exec.md)
keep-riscv64 keep-ppc64le: keep-%:
	@tools/packages build exec-$*
	@$(MAKE) $(JOBS) $(O)/keep/$*/exec $(KEEP_$*)

## make check         install what is missing, build, run every test
check:
	@tools/packages build demo check exec-riscv64 exec-ppc64le sanctum pef
	@-$(MAKE) $(JOBS) -k $(call sysroots,$(EXEC_ISAS)) all $(FUZZERS)
	@$(MAKE) $(JOBS) checked WITHOUT="$$(for i in $(EXEC_ISAS); do \
		[ -e $(call sysroots,$$i) ] || echo $$i; done)"
	@$(MAKE) $(JOBS) O=$(O)-asan SAN=address,undefined all tests
	@tools/check.py $(O) $(STATIC) \
		tap=$(call comma_list,$(TAPS) $(UNITS)) \
		replay=$(call comma_list,$(REPLAYS)) \
		fuzz=$(FUZZ_SECONDS):$(call comma_list,$(FUZZERS)) \
		tap=$(call comma_list,$(patsubst $(O)/%,$(O)-asan/%,$(TAPS) $(UNITS))) \
		replay=$(call comma_list,$(REPLAYS:$(O)/%=$(O)-asan/%)) \
		asan-pytest=$(O)-asan:tests/wasi \
		asan-pytest=$(O)-asan:tests/e2e \
		pytest=tests/wasi \
		pytest=tests/e2e

STATIC = cmd=layers:tools/check-layers cmd=headers:tools/check-headers \
	cmd=protocol:tools/check-protocol cmd=format:tools/check-format
FUZZ_SECONDS ?= 1

tests: $(UNITS) $(TAPS) $(REPLAYS)

# Where Debian's archive doesn't answer, what needs its libraries is skipped.
sysroots = $(1:%=$(O)/sysroot/%/versions)
checked: all tests $(FUZZERS) $(O)/examples/hello.wasm $(foreach i,\
	$(filter-out $(WITHOUT),$(EXEC_ISAS)),$(KEEP_$i) $(KEEP_$i_tests))


## make check-layers  the include graph is the trust graph
check-layers:
	@tools/check-layers

## make check-format  clang-format has nothing to say
check-format:
	@tools/check-format

## make format        let clang-format settle it
format:
	tools/sources '*.c' '*.h' '*.cc' | xargs clang-format -i

## make tidy          clang-tidy over everything
tidy: compile_commands.json
	tools/sources 'src/*.c' | xargs clang-tidy -quiet -p .

## make fuzz          run each fuzz target for FUZZ_SECONDS (60)
fuzz:
	@tools/packages build check
	@$(MAKE) $(JOBS) $(FUZZERS)
	@tools/check.py $(O) \
		fuzz=$(or $(filter-out 1,$(FUZZ_SECONDS)),60):$(call comma_list,$(FUZZERS))

## make bench         measure: start-up per step, throughput, memory, sizes
bench:
	@tools/packages build demo bench
	@$(MAKE) $(JOBS) all $(BENCHES) $(O)/examples/hello.wasm
	@bench/run.py $(O)
	@bench/repository.py $(O)

## make bench-keep    what a Keep costs, per technology: start-up, exits, memory
bench-keep:
	@tools/packages build demo soft
	@$(MAKE) $(JOBS) all $(BENCH_KEEP) $(O)/examples/hello.wasm \
		$(O)/tests/wasm/cat.wasm
	@bench/keep.py $(O)

## make bench-kvm     what KVM adds to a Keep's start: instructions, exits
bench-kvm:
	@tools/packages build demo check
	@$(MAKE) $(JOBS) all $(BENCH_KEEP) $(O)/examples/hello.wasm \
		$(O)/tests/wasm/cat.wasm
	@bench/kvm.py $(O)

## make bench-package pulls against curl and skopeo, cold and warm deploys
bench-package:
	@tools/packages build demo bench
	@$(MAKE) $(JOBS) all $(O)/examples/hello.wasm
	@bench/repository.py $(O)

## make bench-attest  what one verification costs, per family, and peers
bench-attest:
	@$(MAKE) $(JOBS) $(O)/bench/attest $(O)/lib/libdonjon-attest.a
	@$(O)/bench/attest $${DONJON_SHARED:-../shared}/vectors
	@size -t $(O)/lib/libdonjon-attest.a | tail -1 | \
		awk '{print "code of the library: " int($$1 / 1024) " KiB"}'
	@$${PYTHON:-python3} bench/attest_peers.py

## make bench-wasm  the engine against others (WASM3=, IWASM= paths of peers)
bench-wasm:
	@tools/packages build demo bench-wasm
	@$(MAKE) $(JOBS) $(O)/bin/donjon-wasm $(O)/bench/wasm_load \
		$(O)/examples/hello.wasm
	@bench/wasm.py $(O)

## make bench-wasi   files and network of a program in a Keep, and peers
bench-wasi:
	@tools/packages build demo bench
	@$(MAKE) $(JOBS) all $(WASI_BENCHES) $(O)/tests/wasm/echo.wasm
	@bench/wasi.py $(O)

## make repro         build twice in two folders, compare what is measured
repro:
	@tools/check-repro

## make coverage      line coverage of the unit tests, by gcov
coverage:
	@tools/coverage

## make install       DESTDIR= prefix=/usr/local
prefix ?= /usr/local
install: all
	install -d $(DESTDIR)$(prefix)/bin $(DESTDIR)$(prefix)/lib/donjon \
		$(DESTDIR)$(prefix)/lib/donjon/keep/process \
		$(DESTDIR)$(prefix)/lib/donjon/keep/kvm \
		$(DESTDIR)$(prefix)/lib/donjon/keep/snp \
		$(DESTDIR)$(prefix)/lib/donjon/keep/tdx \
		$(DESTDIR)$(prefix)/lib/donjon/keep/sgx \
		$(DESTDIR)$(prefix)/lib/donjon/keep/software \
		$(DESTDIR)$(prefix)/share/man/man1 \
		$(DESTDIR)$(prefix)/share/man/man8 \
		$(DESTDIR)$(prefix)/share/bash-completion/completions \
		$(DESTDIR)$(prefix)/share/zsh/site-functions \
		$(DESTDIR)$(prefix)/share/fish/vendor_completions.d
	install -s $(O)/bin/donjon $(O)/bin/donjond $(O)/bin/donjon-keep \
		$(DESTDIR)$(prefix)/bin
	install -m 755 $(O)/keep/process/exec \
		$(DESTDIR)$(prefix)/lib/donjon/keep/process/exec
	install -m 755 $(O)/keep/kvm/shim $(O)/keep/kvm/exec \
		$(DESTDIR)$(prefix)/lib/donjon/keep/kvm
	install -d $(DESTDIR)$(prefix)/include/donjon \
		$(DESTDIR)$(prefix)/lib/pkgconfig
	install -m 644 include/donjon/attest.h \
		$(DESTDIR)$(prefix)/include/donjon/attest.h
	install -m 644 $(O)/lib/libdonjon-attest.a \
		$(DESTDIR)$(prefix)/lib/libdonjon-attest.a
	sed 's|@prefix@|$(prefix)|; s|@version@|$(VERSION)|' \
		packaging/pkgconfig/donjon-attest.pc.in \
		> $(DESTDIR)$(prefix)/lib/pkgconfig/donjon-attest.pc
	install -m 755 $(O)/keep/snp/shim $(O)/keep/snp/exec \
		$(DESTDIR)$(prefix)/lib/donjon/keep/snp
	install -m 755 $(O)/keep/tdx/shim $(O)/keep/tdx/exec \
		$(DESTDIR)$(prefix)/lib/donjon/keep/tdx
	install -m 755 $(O)/keep/sgx/shim $(O)/keep/sgx/exec \
		$(DESTDIR)$(prefix)/lib/donjon/keep/sgx
	install -m 644 $(O)/keep/software/monitor \
		$(DESTDIR)$(prefix)/lib/donjon/keep/software
	test ! -e $(O)/keep/sanctum/monitor || { \
		install -d $(DESTDIR)$(prefix)/lib/donjon/keep/sanctum && \
		install -m 755 $(O)/keep/sanctum/shim $(O)/keep/sanctum/exec \
			$(O)/keep/sanctum/monitor \
			$(DESTDIR)$(prefix)/lib/donjon/keep/sanctum; }
	[ ! -e $(O)/keep/pef/exec ] || { \
		install -d $(DESTDIR)$(prefix)/lib/donjon/keep/pef && \
		install -m 755 $(O)/keep/pef/shim $(O)/keep/pef/exec \
			$(DESTDIR)$(prefix)/lib/donjon/keep/pef && \
		install -m 644 $(O)/keep/software/monitor-ppc64le \
			$(DESTDIR)$(prefix)/lib/donjon/keep/software; }
	install -m 644 docs/man/*.1 $(DESTDIR)$(prefix)/share/man/man1
	install -m 644 docs/man/*.8 $(DESTDIR)$(prefix)/share/man/man8
	install -m 644 packaging/completions/donjon.bash \
		$(DESTDIR)$(prefix)/share/bash-completion/completions/donjon
	install -m 644 packaging/completions/_donjon \
		$(DESTDIR)$(prefix)/share/zsh/site-functions/_donjon
	install -m 644 packaging/completions/donjon.fish \
		$(DESTDIR)$(prefix)/share/fish/vendor_completions.d/donjon.fish

## make help          this list
help:
	@sed -n 's/^## //p' Makefile

## make clean         remove the output folders
clean:
	rm -rf $(O) $(O)-asan compile_commands.json

compile_commands.json: all
	@{ echo '['; find $(O)/obj/host $(O)/obj/exec -name '*.cmd' | sort | \
	   xargs cat | sed '$$!s/$$/,/'; echo ']'; } > $@

.PHONY: all demo check checked tests check-layers check-format format tidy fuzz bench
.PHONY: bench-wasi bench-package bench-attest bench-keep bench-kvm bench-wasm
.PHONY: repro keep-riscv64 keep-ppc64le
.PHONY: coverage install help clean
.DELETE_ON_ERROR:
