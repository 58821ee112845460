/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/say.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

bool cli_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	return isatty(STDERR_FILENO) && !(no && no[0]) && term && term[0] &&
		strcmp(term, "dumb") != 0;
}

int cli_fail(const struct err *e)
{
	fprintf(stderr, "donjon: %s\n", e->text);
	return ERR_STATUS(e->kind);
}

int cli_misuse(const char *command, const char *text)
{
	fprintf(stderr, "donjon%s%s: %s\nTry 'donjon%s%s --help'.\n",
		command[0] ? " " : "", command, text, command[0] ? " " : "",
		command);
	return 2;
}

int cli_print(struct bytes text)
{
	if ((text.len && fwrite(text.ptr, text.len, 1, stdout) != 1) ||
		fflush(stdout)) {
		fprintf(stderr, "donjon: standard output: %s\n",
			strerror(errno));
		return ERR_STATUS(ERR_HOST);
	}
	return 0;
}

int cli_write_new(const struct cli_args *a, const char *path, struct bytes text)
{
	struct err e = { 0 };
	if (!strcmp(path, "-"))
		return cli_print(text);
	/* x: what is there stays there. */
	FILE *f = fopen(path, a->value[CLI_FORCE] ? "w" : "wx");
	if (!f) {
		err_put(&e, ERR_INPUT, "%s: %s", path,
			errno == EEXIST ?
				"is there already; --force replaces it" :
				strerror(errno));
		return cli_fail(&e);
	}
	bool ok = fwrite(text.ptr, text.len, 1, f) == 1;
	ok = !fclose(f) && ok;
	if (!ok) {
		err_put(&e, ERR_HOST, "%s: %s", path, strerror(errno));
		unlink(path);
		return cli_fail(&e);
	}
	if (!a->value[CLI_QUIET])
		fprintf(stderr, "wrote %s\n", path);
	return 0;
}

int cli_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}
