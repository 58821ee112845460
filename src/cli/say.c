/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/say.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

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

/* What is there stays there; `made`: it was not. */
static bool write_here(const char *path, int flags, struct bytes text,
	bool made)
{
	auto_fd fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0666);
	if (fd < 0)
		return false;
	if (file_write(fd, text))
		return true;
	int why = errno;
	if (made)
		unlink(path);
	errno = why;
	return false;
}

int cli_write_new(const struct cli_args *a, const char *path, struct bytes text)
{
	struct err e = { 0 };
	struct stat st;
	bool ok;
	if (!strcmp(path, "-"))
		return cli_print(text);
	if (!a->value[CLI_FORCE] || stat(path, &st))
		ok = write_here(path, O_CREAT | O_EXCL, text, true);
	else if (S_ISREG(st.st_mode))
		ok = file_replace(path, st.st_mode & 0777, text);
	else
		ok = write_here(path, 0, text, false);
	if (!ok) {
		bool full = errno == ENOSPC || errno == EFBIG ||
			errno == EDQUOT || errno == EIO;
		err_put(&e, full ? ERR_HOST : ERR_INPUT, "%s: %s", path,
			errno == EEXIST ?
				"is there already; --force replaces it" :
				strerror(errno));
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
