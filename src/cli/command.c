/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/command.h"

#define TEES "auto process kvm snp tdx sgx sanctum"

/* clang-format off */
const struct cli_option cli_options[CLI_OPTION_COUNT] = {
	[CLI_HELP] = { 'h', "help", NULL, "show this help", CLI_ANY, NULL },
	[CLI_QUIET] = { 'q', "quiet", NULL, "say nothing but errors", CLI_ANY, NULL },
	[CLI_VERBOSE] = { 'v', "verbose", NULL, "say more: how long each step took, what each page adds", CLI_ANY, NULL },
	[CLI_JSON] = { 0, "json", NULL, "report as one line of JSON", CLI_ANY, NULL },
	[CLI_HOST] = { 0, "host", "URL", "the host agent: https://HOST:PORT, http://HOST:PORT or unix:///PATH (default: $DONJON_HOST)", CLI_ANY, NULL },
	[CLI_HOST_CA] = { 0, "host-ca", "FILE", "certificates (PEM) that the host agent's TLS must end in", CLI_FILE, NULL },
	[CLI_TOKEN_FILE] = { 0, "token-file", "FILE", "the access token of the host agent (default: $DONJON_TOKEN)", CLI_FILE, NULL },
	[CLI_TEE] = { 0, "tee", "T", "the technology: process, kvm, snp, tdx, sgx, sanctum, or auto", CLI_WORDS, TEES },
	[CLI_PLATFORM] = { 0, "platform", "P", "hardware, software or auto", CLI_WORDS, "auto hardware software" },
	[CLI_CONFIG] = { 0, "config", "FILE", "a Donjon.toml; options count more than what it says", CLI_FILE, NULL },
	[CLI_POLICY] = { 0, "policy", "FILE", "what is accepted (default: this release's Keep on genuine hardware)", CLI_FILE, NULL },
	[CLI_ENV] = { 0, "env", "K=V", "a variable of the program's environment; K alone passes yours on", CLI_ANY, NULL },
	[CLI_DIR] = { 0, "dir", "HOST::GUEST[:ro|:rw]", "a directory, or an archive of one, for the program; with :rw it comes back when the program ends", CLI_DIRECTORY, NULL },
	[CLI_OUT] = { 0, "out", "HOST::GUEST", "an empty directory; what the program leaves in it comes back", CLI_DIRECTORY, NULL },
	[CLI_TIMEOUT] = { 0, "timeout", "S", "end the program after S seconds", CLI_ANY, NULL },
	[CLI_MEMORY] = { 0, "memory", "SIZE", "the most that Keep and program may take, as in 256MiB", CLI_ANY, NULL },
	[CLI_FUEL] = { 0, "fuel", "N", "end the program after N units of work", CLI_ANY, NULL },
	[CLI_ENGINE] = { 0, "engine", "E", "auto: functions are compiled where that can be; interp: all are interpreted", CLI_WORDS, "auto interp" },
	[CLI_DETACH] = { 0, "detach", NULL, "leave when the program runs; prints the Keep's id", CLI_ANY, NULL },
	[CLI_FORCE] = { 0, "force", NULL, "stop: have the host agent end it, without asking the Keep; init: replace a file that is there", CLI_ANY, NULL },
	[CLI_NO_FOLLOW] = { 0, "no-follow", NULL, "print what there is and leave", CLI_ANY, NULL },
	[CLI_KEY] = { 0, "key", "FILE", "a key (PEM): public, that must have signed the package; or private, to sign with", CLI_FILE, NULL },
	[CLI_IDENTITY] = { 0, "identity", "PATTERN", "names that the signature may be for (default: the package's own)", CLI_ANY, NULL },
	[CLI_OUTPUT] = { 'o', "output", "PATH", "an archive (.tar, an OCI layout), or a new folder", CLI_FILE, NULL },
	[CLI_ANNOTATION] = { 0, "annotation", "K=V", "an annotation of the package, or of the signature; may be repeated", CLI_ANY, NULL },
	[CLI_SBOM] = { 0, "sbom", "FILE", "a bill of materials (SPDX, CycloneDX) that goes along; may be repeated", CLI_FILE, NULL },
	[CLI_USERNAME] = { 'u', "username", "NAME", "the user's name at the registry", CLI_ANY, NULL },
	[CLI_PASSWORD_STDIN] = { 0, "password-stdin", NULL, "read the password from standard input", CLI_ANY, NULL },
	[CLI_CA] = { 0, "ca", "FILE", "certificates (PEM) that the TLS of registries and web servers must end in", CLI_FILE, NULL },
	[CLI_PLAIN_HTTP] = { 0, "plain-http", NULL, "allow http without TLS beyond this machine", CLI_ANY, NULL },
	[CLI_NET_TIMEOUT] = { 0, "net-timeout", "S", "give up when nothing comes for S seconds (60)", CLI_ANY, NULL },
	[CLI_RECEIPT] = { 0, "receipt", "FILE", "write there what the Keep signed about the run", CLI_FILE, NULL },
	[CLI_MAX] = { 0, "max", "SIZE", "bytes that may stay, as in 500MiB", CLI_ANY, NULL },
	[CLI_REASON] = { 0, "reason", "WORD", "mistake (the default), broken, security or superseded", CLI_WORDS, "mistake broken security superseded" },
	[CLI_UNDO] = { 0, "undo", NULL, "take the yank back", CLI_ANY, NULL },
	[CLI_LISTEN] = { 0, "listen", "[NAME=][tls://|tcp://][ADDR:]PORT", "one more descriptor: a socket that listens; TLS unless it says tcp", CLI_ANY, NULL },
	[CLI_CONNECT] = { 0, "connect", "[NAME=][tls://|tcp://]HOST:PORT", "one more descriptor: a socket that is connected", CLI_ANY, NULL },
	[CLI_SET] = { 0, "set", "KEY=VALUE", "a key of Donjon.toml, as in limits.files='\"1 GiB\"'", CLI_ANY, NULL },
	[CLI_IMAGES] = { 0, "images", "DIR", "the Keep images (default: those installed with this program)", CLI_DIRECTORY, NULL },
	[CLI_ENDORSEMENTS] = { 0, "endorsements", "PATH", "certificates, revocation lists, signed documents: a file or a folder; may be repeated", CLI_FILE, NULL },
	[CLI_TIME] = { 0, "time", "RFC3339", "judge as at that time, as in 2025-06-25T12:00:00Z (default: now)", CLI_ANY, NULL },
	[CLI_REPORT_DATA] = { 0, "report-data", "HEX", "what evidence alone must hold; zeros follow what is shorter", CLI_ANY, NULL },
	[CLI_PADDED] = { 0, "padded", NULL, "bytes behind a quote are not looked at", CLI_ANY, NULL },
	[CLI_CACHE] = { 0, "cache", "DIR", "where collateral is kept (default: $XDG_CACHE_HOME/donjon/collateral)", CLI_DIRECTORY, NULL },
	[CLI_LAUNCH] = { 0, "launch", "FILE", "measure what this description says", CLI_FILE, NULL },
	[CLI_EVIDENCE] = { 0, "evidence", "FILE", "evidence to take values from", CLI_FILE, NULL },
	[CLI_KDS] = { 0, "kds", "URL", "AMD's key service (default: https://kdsintf.amd.com)", CLI_ANY, NULL },
	[CLI_PCS] = { 0, "pcs", "URL", "Intel's provisioning service, or one like it (default: https://api.trustedservices.intel.com)", CLI_ANY, NULL },
};
/* clang-format on */

#define HELP CLI_BIT(CLI_HELP)
#define REMOTE \
	(CLI_BIT(CLI_HOST) | CLI_BIT(CLI_HOST_CA) | CLI_BIT(CLI_TOKEN_FILE))
#define WEB \
	(CLI_BIT(CLI_CA) | CLI_BIT(CLI_PLAIN_HTTP) | CLI_BIT(CLI_NET_TIMEOUT))
#define TRUST (CLI_BIT(CLI_POLICY) | CLI_BIT(CLI_KEY) | CLI_BIT(CLI_IDENTITY))
#define QUIET (CLI_BIT(CLI_QUIET) | HELP)
#define PROGRAM                                                                \
	(CLI_BIT(CLI_TEE) | CLI_BIT(CLI_PLATFORM) | CLI_BIT(CLI_CONFIG) |      \
		CLI_BIT(CLI_POLICY) | CLI_BIT(CLI_ENV) | CLI_BIT(CLI_DIR) |    \
		CLI_BIT(CLI_OUT) | CLI_BIT(CLI_TIMEOUT) |                      \
		CLI_BIT(CLI_MEMORY) | CLI_BIT(CLI_FUEL) |                      \
		CLI_BIT(CLI_ENGINE) | CLI_BIT(CLI_IMAGES) |                    \
		CLI_BIT(CLI_JSON) | CLI_BIT(CLI_LISTEN) |                      \
		CLI_BIT(CLI_CONNECT) | CLI_BIT(CLI_SET) | CLI_BIT(CLI_QUIET) | \
		CLI_BIT(CLI_VERBOSE) | HELP | WEB | TRUST |                    \
		CLI_BIT(CLI_RECEIPT))

#define PROGRAM_TEXT                                                           \
	"REF is a .wasm file, a folder or archive with a Donjon.toml, "        \
	"https://...,\nor oci://HOST/NAME:TAG; @sha256:HEX behind the latter " \
	"two pins the contents.\nWhat follows REF is the program's.\n"

#define PACKAGE_REF "REF is as for run; see donjon run --help.\n"

static const struct cli_command commands[] = {
	{ "run", "REF [ARG]...", "run a program in a Keep on this machine",
		"Starts a host agent of its own, whose software root it "
		"trusts for this run.\n" PROGRAM_TEXT,
		PROGRAM, 1, SIZE_MAX, true, CLI_FILE, NULL, cli_run },
	{ "deploy", "REF [ARG]...", "run a program in a Keep on a host",
		"Nothing of the program is sent before the Keep's evidence "
		"was accepted.\n" PROGRAM_TEXT,
		PROGRAM | REMOTE | CLI_BIT(CLI_DETACH), 1, SIZE_MAX, true,
		CLI_FILE, NULL, cli_deploy },
	{ "attach", "KEEP", "take over the streams of a running program",
		"KEEP is an id, or its first digits.  Ctrl-C stops the "
		"program, Ctrl-\\ leaves it\nrunning.\n",
		HELP | REMOTE | CLI_BIT(CLI_QUIET) | CLI_BIT(CLI_RECEIPT), 1, 1,
		false, CLI_ANY, NULL, cli_attach },
	{ "logs", "KEEP", "print what a detached program wrote", "",
		HELP | REMOTE | CLI_BIT(CLI_NO_FOLLOW), 1, 1, false, CLI_ANY,
		NULL, cli_logs },
	{ "ps", "", "list Keeps",
		"Those of a host, or, without one, yours wherever they are.\n",
		HELP | REMOTE | CLI_BIT(CLI_JSON), 0, 0, false, CLI_ANY, NULL,
		cli_ps },
	{ "stop", "KEEP", "end a Keep", "",
		HELP | REMOTE | CLI_BIT(CLI_FORCE) | CLI_BIT(CLI_QUIET) |
			CLI_BIT(CLI_RECEIPT),
		1, 1, false, CLI_ANY, NULL, cli_stop },
	{ "verify", "FILE|HOST:PORT|receipt FILE", "judge evidence",
		"FILE is a report or quote, a certificate or a request for "
		"one that carries it\n(PEM or DER), or a Keep as the host "
		"agent describes it (JSON); - is standard\ninput.  HOST:PORT "
		"is a TLS server whose certificate carries it.  Nonce and\n"
		"owner are not checked.  receipt FILE checks a receipt that "
		"--receipt wrote,\nwithout a host or a network.\n",
		HELP | CLI_BIT(CLI_POLICY) | CLI_BIT(CLI_JSON) |
			CLI_BIT(CLI_IMAGES) | CLI_BIT(CLI_ENDORSEMENTS) |
			CLI_BIT(CLI_TIME) | CLI_BIT(CLI_REPORT_DATA) |
			CLI_BIT(CLI_PADDED) | CLI_BIT(CLI_CACHE),
		1, 2, false, CLI_FILE, NULL, cli_verify },
	{ "measure", "", "print what this release's Keep measures",
		"Or, with --launch, what a launch measures that a file "
		"describes; with -v each\npage of it.\n",
		HELP | CLI_BIT(CLI_TEE) | CLI_BIT(CLI_JSON) |
			CLI_BIT(CLI_IMAGES) | CLI_BIT(CLI_LAUNCH) |
			CLI_BIT(CLI_VERBOSE),
		0, 0, false, CLI_ANY, NULL, cli_measure },
	{ "platform info", "", "tell which technologies a machine has",
		"That of a host, or, without one, this machine.\n",
		HELP | REMOTE | CLI_BIT(CLI_JSON) | CLI_BIT(CLI_IMAGES), 0, 0,
		false, CLI_ANY, NULL, cli_platform_info },
	{ "key sgx", "create KEY | sign KEY FOLDER",
		"make a key for enclaves, or sign this release's",
		"sign writes sigstruct and sigstruct-heap-... into FOLDER; "
		"loaders take\nthem from keep/sgx in place of a signature of "
		"their own.  Both print the\nsigner's digest.\n",
		HELP | CLI_BIT(CLI_IMAGES), 2, 3, false, CLI_FILE, NULL,
		cli_key_sgx },
	{ "policy check", "FILE", "check a policy file", "",
		HELP | CLI_BIT(CLI_QUIET) | CLI_BIT(CLI_IMAGES), 1, 1, false,
		CLI_FILE, NULL, cli_policy_check },
	{ "policy explain", "[FILE]", "say in sentences what a policy accepts",
		"Without FILE, the default one.\n", HELP | CLI_BIT(CLI_IMAGES),
		0, 1, false, CLI_FILE, NULL, cli_policy_explain },
	{ "policy init", "[FILE]", "write a policy to begin with",
		"To policy.toml by default; - is standard output.\n",
		QUIET | CLI_BIT(CLI_FORCE) | CLI_BIT(CLI_EVIDENCE), 0, 1, false,
		CLI_FILE, NULL, cli_policy_init },
	{ "collateral update", "[EVIDENCE]...",
		"fetch what vendors say of platforms",
		"Anew what the cache has, and what these files of evidence "
		"want.  Only what a\nvendor signed gets in.\n",
		QUIET | CLI_BIT(CLI_CACHE) | CLI_BIT(CLI_KDS) |
			CLI_BIT(CLI_PCS) | WEB,
		0, SIZE_MAX, false, CLI_FILE, NULL, cli_collateral_update },
	{ "collateral show", "", "list the cache of collateral", "",
		HELP | CLI_BIT(CLI_CACHE) | CLI_BIT(CLI_JSON), 0, 0, false,
		CLI_ANY, NULL, cli_collateral_show },
	{ "collateral export", "DIR", "copy the cache into a folder",
		"For machines without a network: verify --endorsements "
		"DIR, or\ncollateral import.\n",
		QUIET | CLI_BIT(CLI_CACHE), 1, 1, false, CLI_FILE, NULL,
		cli_collateral_export },
	{ "collateral import", "PATH...", "take files into the cache",
		"Certificates, lists and signed documents, in files and "
		"folders.\n",
		QUIET | CLI_BIT(CLI_CACHE), 1, SIZE_MAX, false, CLI_FILE, NULL,
		cli_collateral_import },
	{ "config init", "[FILE]", "write a Donjon.toml to begin with",
		"To Donjon.toml by default; - is standard output.\n",
		HELP | CLI_BIT(CLI_QUIET) | CLI_BIT(CLI_FORCE), 0, 1, false,
		CLI_FILE, NULL, cli_config_init },
	{ "config check", "FILE", "check a Donjon.toml", "",
		HELP | CLI_BIT(CLI_QUIET), 1, 1, false, CLI_FILE, NULL,
		cli_config_check },
	{ "package build", "REF", "make a package, and print its digest",
		"The same contents give the same digest.\n" PACKAGE_REF,
		QUIET | CLI_BIT(CLI_OUTPUT) | CLI_BIT(CLI_CONFIG) |
			CLI_BIT(CLI_ANNOTATION) | CLI_BIT(CLI_SBOM) |
			CLI_BIT(CLI_JSON) | WEB,
		1, 1, false, CLI_FILE, NULL, cli_package_build },
	{ "package push", "REF oci://HOST/NAME:TAG",
		"put a package into a registry", PACKAGE_REF,
		QUIET | CLI_BIT(CLI_CONFIG) | CLI_BIT(CLI_ANNOTATION) |
			CLI_BIT(CLI_SBOM) | WEB,
		2, 2, false, CLI_FILE, NULL, cli_package_push },
	{ "package pull", "REF", "fetch a package into the cache",
		"Or, with --output, into an archive or folder.\n",
		QUIET | CLI_BIT(CLI_OUTPUT) | WEB | TRUST, 1, 1, false,
		CLI_FILE, NULL, cli_package_pull },
	{ "package inspect", "REF", "show what a package consists of",
		PACKAGE_REF, HELP | CLI_BIT(CLI_JSON) | WEB, 1, 1, false,
		CLI_FILE, NULL, cli_package_inspect },
	{ "package list", "oci://HOST/NAME", "list the tags of a repository",
		"", HELP | CLI_BIT(CLI_JSON) | WEB, 1, 1, false, CLI_ANY, NULL,
		cli_package_list },
	{ "package copy", "REF REF", "copy a package, signatures and all",
		"From registry to registry as it stands; also to and from "
		"archives (.tar) and\nfolders.\n",
		QUIET | WEB | TRUST, 2, 2, false, CLI_FILE, NULL,
		cli_package_copy },
	{ "package sign", "oci://HOST/NAME:TAG", "sign a package",
		"With a P-256 key, as cosign does: cosign verify --key takes "
		"it.\n",
		QUIET | CLI_BIT(CLI_KEY) | CLI_BIT(CLI_ANNOTATION) | WEB, 1, 1,
		false, CLI_ANY, NULL, cli_package_sign },
	{ "package verify", "oci://HOST/NAME:TAG",
		"check the signature of a package",
		"By --key, or by the [[signatures]] of --policy.\n",
		QUIET | WEB | TRUST, 1, 1, false, CLI_ANY, NULL,
		cli_package_verify },
	{ "package yank", "oci://HOST/NAME:TAG",
		"take a package back without removing it",
		"Who asks for the tag is refused; who pins the digest still "
		"gets it.\n",
		QUIET | CLI_BIT(CLI_REASON) | CLI_BIT(CLI_UNDO) | WEB, 1, 1,
		false, CLI_ANY, NULL, cli_package_yank },
	{ "package keygen", "FILE", "make a key to sign with",
		"FILE gets the private key, FILE.pub the public one.\n", QUIET,
		1, 1, false, CLI_FILE, NULL, cli_package_keygen },
	{ "package login", "HOST", "remember a login, where Docker does",
		"The password comes from the terminal or from standard "
		"input.\n",
		QUIET | CLI_BIT(CLI_USERNAME) | CLI_BIT(CLI_PASSWORD_STDIN) |
			WEB,
		1, 1, false, CLI_ANY, NULL, cli_package_login },
	{ "package logout", "HOST", "forget a login", "", QUIET, 1, 1, false,
		CLI_ANY, NULL, cli_package_logout },
	{ "package cache", "info|check|prune|clear",
		"look after the cache of packages",
		"check reads all of it and removes what is damaged; prune "
		"makes room, least\nrecently used first.\n",
		QUIET | CLI_BIT(CLI_MAX) | CLI_BIT(CLI_JSON), 1, 1, false,
		CLI_WORDS, "info check prune clear", cli_package_cache },
	{ "version", "", "print the version", "", HELP | CLI_BIT(CLI_JSON), 0,
		0, false, CLI_ANY, NULL, cli_version },
	{ "completion", "bash|zsh|fish", "print a shell's completions", "",
		HELP, 1, 1, false, CLI_WORDS, "bash zsh fish", cli_completion },
};

const struct cli_command *cli_commands(size_t *count)
{
	*count = ARRAY_LEN(commands);
	return commands;
}
