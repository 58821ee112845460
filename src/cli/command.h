/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of donjon and their options, as tables.  Parsing, --help, the
 * completions of shells and the check of the manual all read them.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/err.h"

enum cli_option_id {
	CLI_HELP,
	CLI_QUIET,
	CLI_VERBOSE,
	CLI_JSON,
	CLI_HOST,
	CLI_HOST_CA,
	CLI_TOKEN_FILE,
	CLI_TEE,
	CLI_PLATFORM,
	CLI_CONFIG,
	CLI_POLICY,
	CLI_ENV,
	CLI_DIR,
	CLI_OUT,
	CLI_TIMEOUT,
	CLI_MEMORY,
	CLI_FUEL,
	CLI_ENGINE,
	CLI_DETACH,
	CLI_FORCE,
	CLI_NO_FOLLOW,
	CLI_IMAGES,
	CLI_LISTEN,
	CLI_CONNECT,
	CLI_SET,
	CLI_KEY,
	CLI_IDENTITY,
	CLI_OUTPUT,
	CLI_ANNOTATION,
	CLI_SBOM,
	CLI_USERNAME,
	CLI_PASSWORD_STDIN,
	CLI_CA,
	CLI_PLAIN_HTTP,
	CLI_NET_TIMEOUT,
	CLI_RECEIPT,
	CLI_MAX,
	CLI_REASON,
	CLI_UNDO,
	CLI_ENDORSEMENTS,
	CLI_TIME,
	CLI_REPORT_DATA,
	CLI_PADDED,
	CLI_CACHE,
	CLI_LAUNCH,
	CLI_EVIDENCE,
	CLI_KDS,
	CLI_PCS,
	CLI_OPTION_COUNT,
};

/* What a shell offers for a value. */
enum cli_value { CLI_ANY, CLI_FILE, CLI_DIRECTORY, CLI_WORDS };

struct cli_option {
	char letter; /* 0: none */
	const char *name;
	const char *value; /* NULL: takes none */
	const char *help;
	enum cli_value kind;
	const char *words; /* of CLI_WORDS, blanks between */
};

extern const struct cli_option cli_options[CLI_OPTION_COUNT];

/* What the command line says. */
struct cli_args {
	const char *value[CLI_OPTION_COUNT]; /* "" for one without a value */
	const char **envs, **dirs, **annotations, **sboms, **endorsements;
	size_t env_count, dir_count, annotation_count, sbom_count;
	const char **listens, **connects, **sets, **outs;
	size_t listen_count, connect_count, set_count, out_count;
	size_t endorsement_count;
	const char *const *operands;
	size_t operand_count;
	uint64_t begin; /* client_run_clock() when the command began */
};

struct cli_command {
	const char *name;     /* "run", "platform info" */
	const char *operands; /* "REF [ARG]..."; "" for none */
	const char *summary;  /* one line */
	const char *text;     /* more, for --help; "" for nothing */
	uint64_t options;     /* bits of cli_option_id */
	size_t min, max;      /* operands */
	bool rest; /* what follows the first operand is not ours to read */
	enum cli_value operand_kind;
	const char *operand_words;
	int (*run)(const struct cli_args *args);
};

#define CLI_BIT(id) (UINT64_C(1) << (id))
_Static_assert(CLI_OPTION_COUNT <= 64, "a bit for each option");

const struct cli_command *cli_commands(size_t *count);

/* Parses what follows a command's name.  ERR_INPUT: the text says what is
 * wrong.  Frees nothing on failure; cli_args_fini does. */
MUST_USE bool cli_parse(const struct cli_command *c, int argc,
	const char *const *argv, struct cli_args *out, struct err *e);
void cli_args_fini(struct cli_args *a);

/* "donjon COMMAND --help", "donjon --help". */
void cli_help_command(const struct cli_command *c);
void cli_help(void);

/* The commands, one file each. */
int cli_run(const struct cli_args *a);
int cli_deploy(const struct cli_args *a);
int cli_attach(const struct cli_args *a);
int cli_logs(const struct cli_args *a);
int cli_ps(const struct cli_args *a);
int cli_stop(const struct cli_args *a);
int cli_verify(const struct cli_args *a);
int cli_measure(const struct cli_args *a);
int cli_platform_info(const struct cli_args *a);
int cli_key_sgx(const struct cli_args *a);
int cli_key_pef(const struct cli_args *a);
int cli_policy_check(const struct cli_args *a);
int cli_policy_explain(const struct cli_args *a);
int cli_policy_init(const struct cli_args *a);
int cli_collateral_update(const struct cli_args *a);
int cli_collateral_show(const struct cli_args *a);
int cli_collateral_export(const struct cli_args *a);
int cli_collateral_import(const struct cli_args *a);
int cli_config_init(const struct cli_args *a);
int cli_config_check(const struct cli_args *a);
int cli_version(const struct cli_args *a);
int cli_completion(const struct cli_args *a);
int cli_package_build(const struct cli_args *a);
int cli_package_push(const struct cli_args *a);
int cli_package_pull(const struct cli_args *a);
int cli_package_inspect(const struct cli_args *a);
int cli_package_list(const struct cli_args *a);
int cli_package_copy(const struct cli_args *a);
int cli_package_sign(const struct cli_args *a);
int cli_package_verify(const struct cli_args *a);
int cli_package_yank(const struct cli_args *a);
int cli_package_keygen(const struct cli_args *a);
int cli_package_login(const struct cli_args *a);
int cli_package_logout(const struct cli_args *a);
int cli_package_cache(const struct cli_args *a);

#endif
