/* SPDX-License-Identifier: Apache-2.0 */
/* `donjon package`: login, logout, cache. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "cli/package.h"
#include "cli/say.h"
#include "client/workload.h"
#include "repository/cache.h"
#include "repository/copy.h"

enum { MAX_SECRET = 8 << 10 };

/* One line, without its end. */
static bool read_line(int fd, struct buf *out, struct err *e)
{
	for (;;) {
		char c;
		ssize_t n = read(fd, &c, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_fail(e, ERR_INPUT, "read: %s",
				strerror(errno));
		if (!n || c == '\n')
			return true;
		if (c && c != '\r' &&
			(out->len == MAX_SECRET || !buf_u8(out, (uint8_t)c)))
			return err_fail(e, ERR_INPUT, "line too long");
	}
}

static bool ask(const char *what, bool hidden, struct buf *out, struct err *e)
{
	struct termios old, quiet;
	auto_fd tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	if (tty < 0 || tcgetattr(tty, &old))
		return err_fail(e, ERR_INPUT,
			"no terminal to ask on: give --username and "
			"--password-stdin");
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	dprintf(tty, "%s: ", what);
	if (hidden)
		tcsetattr(tty, TCSAFLUSH, &quiet);
	bool ok = read_line(tty, out, e);
	if (hidden) {
		tcsetattr(tty, TCSAFLUSH, &old);
		dprintf(tty, "\n");
	}
	return ok;
}

int cli_package_login(const struct cli_args *a)
{
	struct cli_repository c;
	struct err e = { 0 };
	auto_wipe_buf user = { 0 }, secret = { 0 };
	const char *name = a->value[CLI_USERNAME];
	bool piped = a->value[CLI_PASSWORD_STDIN];
	if (piped && !name)
		return cli_misuse("package login",
			"--password-stdin wants --username");
	bool ok =
		name ? buf_str(&user, name) : ask("Username", false, &user, &e);
	ok = ok &&
		(piped ? read_line(STDIN_FILENO, &secret, &e) :
			 ask("Password", true, &secret, &e));
	if (!ok)
		return cli_fail(&e);
	ok = cli_repository_open(a, &c, &e) &&
		repository_login(c.r, a->operands[0], buf_cstr(&user),
			buf_cstr(&secret), &e);
	int status = cli_repository_close(&c, ok, &e);
	if (!status && !a->value[CLI_QUIET])
		fprintf(stderr, "%s: logged in\n", a->operands[0]);
	return status;
}

int cli_package_logout(const struct cli_args *a)
{
	struct err e = { 0 };
	bool found;
	if (!repository_logout(a->operands[0], &found, &e))
		return cli_fail(&e);
	if (!a->value[CLI_QUIET])
		fprintf(stderr, "%s: %s\n", a->operands[0],
			found ? "logged out" : "was not logged in");
	return 0;
}

/* --- cache ------------------------------------------------------------------
 */

static void show(const struct cli_args *a,
	const struct repository_cache_info *i)
{
	if (a->value[CLI_JSON])
		printf("{\"path\": \"%s\", \"blobs\": %llu, \"bytes\": %llu, "
		       "\"partials\": %llu, \"partial_bytes\": %llu, "
		       "\"max_bytes\": %llu, \"removed\": %llu, "
		       "\"removed_bytes\": %llu, \"damaged\": %llu}\n",
			i->path, (unsigned long long)i->blobs,
			(unsigned long long)i->bytes,
			(unsigned long long)i->partials,
			(unsigned long long)i->partial_bytes,
			(unsigned long long)i->max_bytes,
			(unsigned long long)i->removed,
			(unsigned long long)i->removed_bytes,
			(unsigned long long)i->damaged);
	else if (!a->value[CLI_QUIET])
		printf("%s: %llu blobs, %llu bytes of at most %llu; %llu "
		       "interrupted, %llu bytes\n",
			i->path, (unsigned long long)i->blobs,
			(unsigned long long)i->bytes,
			(unsigned long long)i->max_bytes,
			(unsigned long long)i->partials,
			(unsigned long long)i->partial_bytes);
	if (!a->value[CLI_JSON] && !a->value[CLI_QUIET] &&
		strcmp(a->operands[0], "info") != 0)
		printf("removed %llu, %llu bytes; %llu damaged\n",
			(unsigned long long)i->removed,
			(unsigned long long)i->removed_bytes,
			(unsigned long long)i->damaged);
}

static bool keep(const struct cli_args *a, const struct repository_cache *c,
	struct repository_cache_info *out, struct err *e)
{
	const char *what = a->operands[0], *max = a->value[CLI_MAX];
	struct client_workload w = { 0 };
	if (!strcmp(what, "info"))
		return repository_cache_stat(c, out, e);
	if (!strcmp(what, "check"))
		return repository_cache_check(c, out, e);
	if (!strcmp(what, "clear"))
		return repository_cache_evict(c, 0, true, out, e);
	if (max && !client_workload_memory(&w, max, e))
		return err_wrap(e, "--max");
	return repository_cache_evict(c, max ? w.memory_bytes : c->max_bytes,
		true, out, e);
}

int cli_package_cache(const struct cli_args *a)
{
	static const char *const verbs[] = { "info", "check", "prune",
		"clear" };
	struct repository_cache c;
	struct repository_cache_info info = { 0 };
	struct err e = { 0 };
	bool known = false;
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		known = known || !strcmp(a->operands[0], verbs[i]);
	if (!known)
		return cli_misuse("package cache",
			"wants info, check, prune or clear");
	if (!repository_cache_open_default(&c, &e))
		return cli_fail(&e);
	bool ok = keep(a, &c, &info, &e);
	repository_cache_close(&c);
	if (!ok)
		return cli_fail(&e);
	show(a, &info);
	return cli_print(BYTES_NONE);
}
