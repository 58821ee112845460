/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "cli/command.h"

struct parser {
	const struct cli_command *command;
	const char *const *argv;
	int argc, at;
	struct cli_args *out;
};

/* Whether it is one of the words between the blanks of `words`. */
static bool is_word(const char *value, const char *words)
{
	size_t n, len = strlen(value);
	for (; *words; words += n + (words[n] == ' ')) {
		n = strcspn(words, " ");
		if (n == len && !memcmp(words, value, n))
			return true;
	}
	return false;
}

static bool set(struct parser *p, enum cli_option_id id, const char *value,
	struct err *e)
{
	struct cli_args *a = p->out;
	const struct cli_option *o = &cli_options[id];
	if (o->kind == CLI_WORDS && !is_word(value, o->words))
		return err_fail(e, ERR_INPUT, "--%s: %s: want one of %s",
			o->name, value, o->words);
	if (id == CLI_ANNOTATION)
		a->annotations[a->annotation_count++] = value;
	else if (id == CLI_SBOM)
		a->sboms[a->sbom_count++] = value;
	else if (id == CLI_ENDORSEMENTS)
		a->endorsements[a->endorsement_count++] = value;
	else if (id == CLI_ENV)
		a->envs[a->env_count++] = value;
	else if (id == CLI_DIR)
		a->dirs[a->dir_count++] = value;
	else if (id == CLI_OUT)
		a->outs[a->out_count++] = value;
	else if (id == CLI_LISTEN)
		a->listens[a->listen_count++] = value;
	else if (id == CLI_CONNECT)
		a->connects[a->connect_count++] = value;
	else if (id == CLI_SET)
		a->sets[a->set_count++] = value;
	else if (a->value[id] && cli_options[id].value)
		return err_fail(e, ERR_INPUT, "--%s given twice",
			cli_options[id].name);
	a->value[id] = value;
	return true;
}

/* The value behind the option: the next argument. */
static bool set_next(struct parser *p, enum cli_option_id id, struct err *e)
{
	if (!cli_options[id].value)
		return set(p, id, "", e);
	if (p->at == p->argc)
		return err_fail(e, ERR_INPUT, "--%s wants %s",
			cli_options[id].name, cli_options[id].value);
	return set(p, id, p->argv[p->at++], e);
}

static bool takes(const struct parser *p, unsigned id)
{
	return p->command->options & CLI_BIT(id);
}

static bool parse_long(struct parser *p, const char *text, struct err *e)
{
	size_t n = strcspn(text, "=");
	for (unsigned id = 0; id < CLI_OPTION_COUNT; id++) {
		const struct cli_option *o = &cli_options[id];
		if (!takes(p, id) || strlen(o->name) != n ||
			strncmp(o->name, text, n) != 0)
			continue;
		if (!text[n])
			return set_next(p, (enum cli_option_id)id, e);
		if (!o->value)
			return err_fail(e, ERR_INPUT, "--%s takes no value",
				o->name);
		return set(p, (enum cli_option_id)id, text + n + 1, e);
	}
	return err_fail(e, ERR_INPUT, "unknown option --%.*s", (int)n, text);
}

/* Letters together, as in -qv. */
static bool parse_letters(struct parser *p, const char *text, struct err *e)
{
	for (; *text; text++) {
		unsigned id = 0;
		while (id < CLI_OPTION_COUNT &&
			(!takes(p, id) || cli_options[id].letter != *text))
			id++;
		if (id == CLI_OPTION_COUNT)
			return err_fail(e, ERR_INPUT, "unknown option -%c",
				*text);
		if (!set_next(p, (enum cli_option_id)id, e))
			return false;
	}
	return true;
}

static bool check_count(const struct parser *p, struct err *e)
{
	const struct cli_command *c = p->command;
	size_t n = p->out->operand_count;
	if (p->out->value[CLI_HELP])
		return true;
	if (n < c->min)
		return err_fail(e, ERR_INPUT, "wants %s", c->operands);
	if (n > c->max)
		return err_fail(e, ERR_INPUT, "unexpected argument %s",
			p->out->operands[c->max]);
	return true;
}

static bool parse(struct parser *p, const char **operands, struct err *e)
{
	bool only_operands = false;
	while (p->at < p->argc) {
		const char *text = p->argv[p->at++];
		if (only_operands || text[0] != '-' || !text[1]) {
			operands[p->out->operand_count++] = text;
			only_operands = only_operands || p->command->rest;
		} else if (!strcmp(text, "--")) {
			only_operands = true;
		} else if (!(text[1] == '-' ? parse_long(p, text + 2, e) :
					      parse_letters(p, text + 1, e))) {
			return false;
		}
	}
	return check_count(p, e);
}

bool cli_parse(const struct cli_command *c, int argc, const char *const *argv,
	struct cli_args *out, struct err *e)
{
	size_t n = (size_t)argc + 1;
	struct parser p = { .command = c,
		.argv = argv,
		.argc = argc,
		.out = out };
	*out = (struct cli_args){ 0 };
	const char **operands = calloc(n, sizeof *operands);
	out->operands = operands;
	out->envs = calloc(n, sizeof *out->envs);
	out->dirs = calloc(n, sizeof *out->dirs);
	out->annotations = calloc(n, sizeof *out->annotations);
	out->sboms = calloc(n, sizeof *out->sboms);
	out->listens = calloc(n, sizeof *out->listens);
	out->connects = calloc(n, sizeof *out->connects);
	out->sets = calloc(n, sizeof *out->sets);
	out->outs = calloc(n, sizeof *out->outs);
	out->endorsements = calloc(n, sizeof *out->endorsements);
	if (!operands || !out->envs || !out->dirs || !out->annotations ||
		!out->sboms || !out->listens || !out->connects || !out->sets ||
		!out->outs || !out->endorsements)
		return err_fail(e, ERR_LIMIT, "no memory");
	return parse(&p, operands, e);
}

void cli_args_fini(struct cli_args *a)
{
	void *p;
	memcpy(&p, &a->operands, sizeof p);
	free(p);
	free(a->envs);
	free(a->dirs);
	free(a->annotations);
	free(a->sboms);
	free(a->listens);
	free(a->connects);
	free(a->sets);
	free(a->outs);
	free(a->endorsements);
	*a = (struct cli_args){ 0 };
}
