/* SPDX-License-Identifier: Apache-2.0 */
/* Completions of shells, printed from the tables of commands and options. */
#include <stdio.h>

#include "cli/say.h"

#define HEAD "# Made by `donjon completion %s`.\n"

/* The first word of a command's name, and the second or NULL. */
static size_t first_len(const struct cli_command *c)
{
	return strcspn(c->name, " ");
}

static const char *second(const struct cli_command *c)
{
	size_t n = first_len(c);
	return c->name[n] ? c->name + n + 1 : NULL;
}

/* Is it the first command with that first word? */
static bool is_new(const struct cli_command *all, size_t i)
{
	size_t n = first_len(&all[i]);
	for (size_t k = 0; k < i; k++)
		if (first_len(&all[k]) == n &&
			!strncmp(all[k].name, all[i].name, n))
			return false;
	return true;
}

static void put_first_words(struct buf *b, const char *between)
{
	size_t count;
	const struct cli_command *c = cli_commands(&count);
	for (size_t i = 0; i < count; i++)
		if (is_new(c, i))
			buf_fmt(b, "%s%.*s", b->len ? between : "",
				(int)first_len(&c[i]), c[i].name);
}

/* The second words that go with command i's first one. */
static void put_second_words(struct buf *b, size_t i)
{
	size_t count, n;
	const struct cli_command *c = cli_commands(&count);
	const char *before = "";
	n = first_len(&c[i]);
	for (size_t k = 0; k < count; k++)
		if (second(&c[k]) && first_len(&c[k]) == n &&
			!strncmp(c[k].name, c[i].name, n)) {
			buf_fmt(b, "%s%s", before, second(&c[k]));
			before = " ";
		}
}

/* Text inside single quotes. */
static void put_quoted(struct buf *b, const char *text)
{
	for (; *text; text++)
		if (*text == '\'')
			buf_str(b, "'\\''");
		else
			buf_put(b, bytes_of(text, 1));
}

/* --- bash --------------------------------------------------------------- */

static void bash_values(struct buf *b)
{
	buf_str(b, "\tcase $prev in\n");
	for (unsigned id = 0; id < CLI_OPTION_COUNT; id++) {
		const struct cli_option *o = &cli_options[id];
		if (!o->value)
			continue;
		buf_fmt(b, "\t--%s) ", o->name);
		if (o->kind == CLI_WORDS)
			buf_fmt(b, "_donjon_words '%s'; ", o->words);
		else if (o->kind == CLI_FILE)
			buf_str(b, "_donjon_files -f; ");
		else if (o->kind == CLI_DIRECTORY)
			buf_str(b, "_donjon_files -d; ");
		buf_str(b, "return ;;\n");
	}
	buf_str(b, "\tesac\n");
}

static void bash_command(struct buf *b, const struct cli_command *c)
{
	buf_fmt(b, "\t'%s') options='", c->name);
	for (unsigned id = 0; id < CLI_OPTION_COUNT; id++)
		if (c->options & CLI_BIT(id))
			buf_fmt(b, "%s--%s", id ? " " : "",
				cli_options[id].name);
	buf_str(b, "'");
	if (c->operand_kind == CLI_FILE)
		buf_str(b, " files=1");
	if (c->operand_words)
		buf_fmt(b, " words='%s'", c->operand_words);
	buf_str(b, " ;;\n");
}

static void bash(struct buf *b)
{
	size_t count;
	const struct cli_command *c = cli_commands(&count);
	auto_buf words = { 0 };
	put_first_words(&words, " ");
	buf_fmt(b, HEAD, "bash");
	buf_fmt(b,
		"_donjon_words() {\n"
		"\tmapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\")\n"
		"}\n"
		"_donjon_files() {\n"
		"\tcompopt -o filenames 2>/dev/null\n"
		"\tmapfile -t COMPREPLY < <(compgen \"$1\" -- \"$cur\")\n"
		"}\n"
		"_donjon() {\n"
		"\tlocal cur=${COMP_WORDS[COMP_CWORD]} "
		"prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
		"\tlocal command=${COMP_WORDS[1]} options= words= files=\n"
		"\tCOMPREPLY=()\n"
		"\tif [ \"$COMP_CWORD\" = 1 ]; then\n"
		"\t\t_donjon_words '%s help --help --version'\n"
		"\t\treturn\n"
		"\tfi\n"
		"\tcase $command in\n",
		buf_cstr(&words));
	for (size_t i = 0; i < count; i++)
		if (second(&c[i]) && is_new(c, i)) {
			buf_fmt(b, "\t%.*s) words='", (int)first_len(&c[i]),
				c[i].name);
			put_second_words(b, i);
			buf_str(b, "' ;;\n");
		}
	buf_str(b,
		"\tesac\n"
		"\tif [ -n \"$words\" ]; then\n"
		"\t\tif [ \"$COMP_CWORD\" = 2 ]; then\n"
		"\t\t\t_donjon_words \"$words\"\n"
		"\t\t\treturn\n"
		"\t\tfi\n"
		"\t\tcommand=\"$command ${COMP_WORDS[2]}\" words=\n"
		"\tfi\n");
	bash_values(b);
	buf_str(b, "\tcase $command in\n");
	for (size_t i = 0; i < count; i++)
		bash_command(b, &c[i]);
	buf_str(b,
		"\tesac\n"
		"\tcase $cur in\n"
		"\t-*) _donjon_words \"$options\" ;;\n"
		"\t*)\n"
		"\t\t[ -z \"$words\" ] || _donjon_words \"$words\"\n"
		"\t\t[ -z \"$files\" ] || _donjon_files -f\n"
		"\t\t;;\n"
		"\tesac\n"
		"}\n"
		"complete -F _donjon donjon\n");
}

/* --- zsh ---------------------------------------------------------------- */

static bool is_list(unsigned id)
{
	return id == CLI_ENV || id == CLI_DIR || id == CLI_OUT ||
		id == CLI_ANNOTATION || id == CLI_SBOM || id == CLI_LISTEN ||
		id == CLI_CONNECT || id == CLI_SET;
}

static void zsh_option(struct buf *b, unsigned id)
{
	const struct cli_option *o = &cli_options[id];
	buf_str(b, " \\\n\t\t\t");
	if (o->letter)
		buf_fmt(b, "'(-%c --%s)'{-%c,--%s}'[", o->letter, o->name,
			o->letter, o->name);
	else
		buf_fmt(b, "'%s--%s%s[", is_list(id) ? "*" : "", o->name,
			o->value ? "=" : "");
	put_quoted(b, o->help);
	buf_str(b, "]");
	if (o->value)
		buf_fmt(b, ":%s:", o->name);
	if (o->value && o->kind == CLI_WORDS)
		buf_fmt(b, "(%s)", o->words);
	else if (o->value && o->kind == CLI_FILE)
		buf_str(b, "_files");
	else if (o->value && o->kind == CLI_DIRECTORY)
		buf_str(b, "_files -/");
	buf_str(b, "'");
}

static void zsh_command(struct buf *b, const struct cli_command *c)
{
	buf_fmt(b, "\t('%s')\n\t\t_arguments -s", c->name);
	for (unsigned id = 0; id < CLI_OPTION_COUNT; id++)
		if (c->options & CLI_BIT(id))
			zsh_option(b, id);
	if (c->operand_words)
		buf_fmt(b, " \\\n\t\t\t'1:argument:(%s)'", c->operand_words);
	else if (c->operand_kind == CLI_FILE)
		buf_str(b, " \\\n\t\t\t'1:file:_files'");
	else if (c->max)
		buf_str(b, " \\\n\t\t\t'1:argument: '");
	if (c->rest)
		buf_str(b, " \\\n\t\t\t'*::argument:_files'");
	buf_str(b, "\n\t\t;;\n");
}

static void zsh_first(struct buf *b)
{
	size_t count;
	const struct cli_command *c = cli_commands(&count);
	for (size_t i = 0; i < count; i++) {
		if (!is_new(c, i))
			continue;
		buf_fmt(b, "\t\t\t'%.*s:", (int)first_len(&c[i]), c[i].name);
		if (second(&c[i]))
			put_second_words(b, i);
		else
			put_quoted(b, c[i].summary);
		buf_str(b, "'\n");
	}
}

static void zsh(struct buf *b)
{
	size_t count;
	const struct cli_command *c = cli_commands(&count);
	buf_fmt(b, "#compdef donjon\n" HEAD, "zsh");
	buf_str(b,
		"_donjon() {\n"
		"\tlocal curcontext=$curcontext name=$words[2] line\n"
		"\tlocal -a commands\n"
		"\tif (( CURRENT == 2 )); then\n"
		"\t\tcommands=(\n");
	zsh_first(b);
	buf_str(b,
		"\t\t)\n"
		"\t\t_describe command commands\n"
		"\t\treturn\n"
		"\tfi\n"
		"\tshift words\n"
		"\t(( CURRENT-- ))\n"
		"\tcommands=()\n"
		"\tcase $name in\n");
	for (size_t i = 0; i < count; i++)
		if (second(&c[i]) && is_new(c, i)) {
			buf_fmt(b, "\t(%.*s) commands=(", (int)first_len(&c[i]),
				c[i].name);
			put_second_words(b, i);
			buf_str(b, ") ;;\n");
		}
	buf_str(b,
		"\tesac\n"
		"\tif (( $#commands )); then\n"
		"\t\tif (( CURRENT == 2 )); then\n"
		"\t\t\tcompadd -a commands\n"
		"\t\t\treturn\n"
		"\t\tfi\n"
		"\t\tname=\"$name $words[2]\"\n"
		"\t\tshift words\n"
		"\t\t(( CURRENT-- ))\n"
		"\tfi\n"
		"\tcase $name in\n");
	for (size_t i = 0; i < count; i++)
		zsh_command(b, &c[i]);
	buf_str(b,
		"\tesac\n"
		"}\n"
		"_donjon \"$@\"\n");
}

/* --- fish --------------------------------------------------------------- */

static void fish_condition(struct buf *b, const struct cli_command *c)
{
	buf_fmt(b, "complete -c donjon -n '__fish_seen_subcommand_from %.*s",
		(int)first_len(c), c->name);
	if (second(c))
		buf_fmt(b, "; and __fish_seen_subcommand_from %s", second(c));
	buf_str(b, "'");
}

static void fish_option(struct buf *b, const struct cli_command *c,
	const struct cli_option *o)
{
	fish_condition(b, c);
	buf_fmt(b, " -l %s", o->name);
	if (o->letter)
		buf_fmt(b, " -s %c", o->letter);
	if (o->value && o->kind == CLI_WORDS)
		buf_fmt(b, " -x -a '%s'", o->words);
	else if (o->value && o->kind == CLI_FILE)
		buf_str(b, " -r -F");
	else if (o->value && o->kind == CLI_DIRECTORY)
		buf_str(b, " -x -a '(__fish_complete_directories)'");
	else if (o->value)
		buf_str(b, " -x");
	buf_str(b, " -d \"");
	for (const char *p = o->help; *p; p++)
		buf_fmt(b, "%s%c", strchr("\\\"$", *p) ? "\\" : "", *p);
	buf_str(b, "\"\n");
}

static void fish_command(struct buf *b, const struct cli_command *c)
{
	if (second(c)) {
		buf_fmt(b,
			"complete -c donjon -n '__fish_seen_subcommand_from "
			"%.*s; and not __fish_seen_subcommand_from %s' -a %s "
			"-d \"%s\"\n",
			(int)first_len(c), c->name, second(c), second(c),
			c->summary);
	}
	for (unsigned id = 0; id < CLI_OPTION_COUNT; id++)
		if (c->options & CLI_BIT(id))
			fish_option(b, c, &cli_options[id]);
	if (c->operand_kind != CLI_FILE && !c->operand_words)
		return;
	fish_condition(b, c);
	if (c->operand_words)
		buf_fmt(b, " -a '%s'\n", c->operand_words);
	else
		buf_str(b, " -F\n");
}

static void fish(struct buf *b)
{
	size_t count;
	const struct cli_command *c = cli_commands(&count);
	buf_fmt(b, HEAD, "fish");
	buf_str(b, "complete -c donjon -f\n");
	for (size_t i = 0; i < count; i++)
		if (is_new(c, i))
			buf_fmt(b,
				"complete -c donjon -n __fish_use_subcommand "
				"-a %.*s -d \"%s\"\n",
				(int)first_len(&c[i]), c[i].name,
				second(&c[i]) ? "" : c[i].summary);
	for (size_t i = 0; i < count; i++)
		fish_command(b, &c[i]);
}

int cli_completion(const struct cli_args *a)
{
	static const struct {
		const char *name;
		void (*put)(struct buf *b);
	} shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };
	auto_buf out = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(shells); i++)
		if (!strcmp(a->operands[0], shells[i].name)) {
			shells[i].put(&out);
			return cli_print(buf_bytes(&out));
		}
	return cli_misuse("completion", "knows bash, zsh and fish");
}
