/* SPDX-License-Identifier: Apache-2.0 */
/* donjon: finds the command, parses its options, runs it. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fmt.h"
#include "cli/say.h"
#include "client/run.h"

/* A file opened where standard output should be would be written to. */
static bool streams_are_open(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
			open("/dev/null", fd ? O_WRONLY : O_RDONLY) != fd)
			return false;
	return true;
}

/* The command whose name one or two arguments are; *used says how many. */
static const struct cli_command *find(int argc, const char *const *argv,
	int *used)
{
	size_t count;
	const struct cli_command *c = cli_commands(&count);
	for (size_t i = 0; i < count; i++) {
		size_t n = strcspn(c[i].name, " ");
		if (strncmp(c[i].name, argv[0], n) != 0 || argv[0][n])
			continue;
		*used = c[i].name[n] ? 2 : 1;
		if (*used == 1 ||
			(argc > 1 && !strcmp(c[i].name + n + 1, argv[1])))
			return &c[i];
	}
	return NULL;
}

/* "platform", "config": the first word of a command's name only. */
static bool help_group(const char *word)
{
	size_t count, n = strlen(word);
	const struct cli_command *c = cli_commands(&count);
	bool any = false;
	for (size_t i = 0; i < count; i++)
		if (!strncmp(c[i].name, word, n) && c[i].name[n] == ' ') {
			cli_help_command(&c[i]);
			any = true;
		}
	return any;
}

static bool wants_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h") ||
		!strcmp(word, "help");
}

/* Behind `text`: the commands whose first word it is. */
static void put_group(const char *word, char *text, size_t size)
{
	size_t count, n = strlen(word);
	const struct cli_command *c = cli_commands(&count);
	const char *between = "; there are";
	for (size_t i = 0; i < count; i++) {
		size_t at = strlen(text);
		if (strncmp(c[i].name, word, n) != 0 || c[i].name[n] != ' ')
			continue;
		fmt(text + at, size - at, "%s %s", between, c[i].name);
		between = ",";
	}
}

static int unknown(int argc, const char *const *argv)
{
	char text[256];
	if (argc > 1 && wants_help(argv[1]) && help_group(argv[0]))
		return cli_print(BYTES_NONE);
	if (argv[0][0] == '-') {
		fmt(text, sizeof text, "unknown option %s", argv[0]);
		return cli_misuse("", text);
	}
	fmt(text, sizeof text, "no command %s%s%s", argv[0],
		argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
	put_group(argv[0], text, sizeof text);
	return cli_misuse("", text);
}

static int help(int argc, const char *const *argv)
{
	int used;
	const struct cli_command *c = argc ? find(argc, argv, &used) : NULL;
	if (c)
		cli_help_command(c);
	else if (!argc)
		cli_help();
	else if (!help_group(argv[0]))
		return unknown(argc, argv);
	return cli_print(BYTES_NONE);
}

static int command(int argc, const char *const *argv, uint64_t begin)
{
	struct cli_args a;
	struct err e = { 0 };
	int used, status;
	const struct cli_command *c = find(argc, argv, &used);
	if (!c)
		return unknown(argc, argv);
	if (!cli_parse(c, argc - used, argv + used, &a, &e)) {
		status = cli_misuse(c->name, e.text);
	} else if (a.value[CLI_HELP]) {
		cli_help_command(c);
		status = cli_print(BYTES_NONE);
	} else {
		a.begin = begin;
		status = c->run(&a);
	}
	cli_args_fini(&a);
	return status;
}

int main(int argc, char **argv)
{
	uint64_t begin = client_run_clock();
	if (!streams_are_open())
		return ERR_STATUS(ERR_HOST);
	if (argc < 2)
		return cli_misuse("", "no command");
	const char *const *rest = (const char *const *)argv + 1;
	if (wants_help(rest[0]))
		return help(argc - 2, rest + 1);
	if (!strcmp(rest[0], "--version"))
		return cli_version(&(struct cli_args){ 0 });
	return command(argc - 1, rest, begin);
}
