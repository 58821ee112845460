/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/command.h"

#include "../test.h"

static const struct cli_command *find(const char *name)
{
	size_t count;
	const struct cli_command *c = cli_commands(&count);
	for (size_t i = 0; i < count; i++)
		if (!strcmp(c[i].name, name))
			return &c[i];
	fail_msg("no command %s", name);
	return NULL;
}

/* Parses a command's words, ended by NULL. */
static bool parse(const char *command, const char *const *words,
	struct cli_args *a, struct err *e)
{
	int n = 0;
	while (words[n])
		n++;
	return cli_parse(find(command), n, words, a, e);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

TEST(parse_reads_values_in_both_spellings)
{
	struct cli_args a;
	struct err e = { 0 };
	CHECK(parse("deploy",
		WORDS("--host", "h", "--tee=process", "--env", "A=1",
			"--env=B=2", "-qv", "x.wasm"),
		&a, &e));
	CHECK_STR(a.value[CLI_HOST], "h");
	CHECK_STR(a.value[CLI_TEE], "process");
	CHECK_INT(a.env_count, 2);
	CHECK_STR(a.envs[1], "B=2");
	CHECK(a.value[CLI_QUIET] && a.value[CLI_VERBOSE]);
	CHECK_INT(a.operand_count, 1);
	cli_args_fini(&a);
}

TEST(parse_leaves_what_follows_the_program_alone)
{
	struct cli_args a;
	struct err e = { 0 };
	CHECK(parse("run", WORDS("-q", "x.wasm", "--help", "-v", "--", "--env"),
		&a, &e));
	CHECK(!a.value[CLI_HELP] && !a.value[CLI_VERBOSE]);
	CHECK_INT(a.operand_count, 5);
	CHECK_STR(a.operands[3], "--");
	cli_args_fini(&a);
}

TEST(parse_takes_what_follows_two_dashes_as_operands)
{
	struct cli_args a;
	struct err e = { 0 };
	CHECK(parse("verify", WORDS("--", "--json"), &a, &e));
	CHECK_STR(a.operands[0], "--json");
	CHECK(!a.value[CLI_JSON]);
	cli_args_fini(&a);
}

TEST(parse_refuses_wrong_usage_by_name)
{
	static const struct {
		const char *command;
		const char *words[4];
		const char *says;
	} cases[] = {
		{ "run", { NULL }, "REF" },
		{ "run", { "--hots", "x", "y" }, "--hots" },
		{ "run", { "--host", "x", "y" }, "--host" },
		{ "run", { "-x", "y" }, "-x" },
		{ "run", { "--env" }, "--env" },
		{ "run", { "--tee", "kvm", "--tee=snp" }, "twice" },
		{ "run", { "--tee", "k", "y" }, "k: want one of auto" },
		{ "run", { "--tee", "vm", "y" }, "vm: want one of" },
		{ "run", { "--tee=", "y" }, "want one of" },
		{ "run", { "--tee=kvm snp", "y" }, "kvm snp: want one of" },
		{ "run", { "--quiet=1", "y" }, "no value" },
		{ "attach", { "a", "b" }, "unexpected argument b" },
		{ "ps", { "x" }, "unexpected argument x" },
		{ "verify", { "--policy", "p" }, "FILE" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct cli_args a;
		struct err e = { 0 };
		print_message("%s\n", cases[i].says);
		CHECK(!parse(cases[i].command, cases[i].words, &a, &e));
		CHECK_INT(e.kind, ERR_INPUT);
		CHECK_HAS(e.text, cases[i].says);
		cli_args_fini(&a);
	}
}

TEST(parse_asks_for_nothing_when_help_is_wanted)
{
	size_t count;
	const struct cli_command *c = cli_commands(&count);
	for (size_t i = 0; i < count; i++) {
		struct cli_args a;
		struct err e = { 0 };
		CHECK(cli_parse(&c[i], 1, WORDS("--help"), &a, &e));
		CHECK(a.value[CLI_HELP]);
		cli_args_fini(&a);
	}
}

TEST(every_option_belongs_to_a_command_and_has_its_own_name)
{
	size_t count;
	const struct cli_command *c = cli_commands(&count);
	for (unsigned id = 0; id < CLI_OPTION_COUNT; id++) {
		bool used = false;
		for (size_t i = 0; i < count; i++)
			used = used || (c[i].options & CLI_BIT(id));
		CHECK(used);
		for (unsigned k = 0; k < id; k++)
			CHECK(strcmp(cli_options[k].name,
				cli_options[id].name));
	}
}
