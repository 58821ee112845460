/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's credential helpers: programs that keep secrets.  What they are
 * told and what they answer goes through pipes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "repository/auth.h"

extern char **environ;

enum { MAX_ANSWER = 64 << 10, PATIENCE_MS = 60000 };

static bool name_ok(const char *name)
{
	size_t n = strspn(name,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-_.");
	return n && n < 64 && !name[n] && name[0] != '.';
}

static int spawn(const char *program, const char *action, int fd, pid_t *pid)
{
	posix_spawn_file_actions_t a;
	char *const argv[] = { (char *)(uintptr_t)program,
		(char *)(uintptr_t)action, NULL };
	int why = posix_spawn_file_actions_init(&a);
	if (why)
		return why;
	if (!why)
		why = posix_spawn_file_actions_adddup2(&a, fd, 0);
	if (!why)
		why = posix_spawn_file_actions_adddup2(&a, fd, 1);
	if (!why)
		why = posix_spawnp(pid, program, &a, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&a);
	return why;
}

static bool send_all(int fd, struct bytes in)
{
	while (in.len) {
		ssize_t n = send(fd, in.ptr, in.len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		in = bytes_from(in, (size_t)n);
	}
	return true;
}

/* Up to its end; false when it says too much or nothing for too long. */
static bool receive(int fd, struct buf *out)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int ready = poll(&p, 1, PATIENCE_MS);
		if (ready < 0 && errno == EINTR)
			continue;
		uint8_t *to = ready > 0 ? buf_reserve(out, 4096) : NULL;
		ssize_t n = to ? read(fd, to, 4096) : -1;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ECONNRESET)
			return true;
		if (n < 0 || out->len > MAX_ANSWER)
			return false;
		if (!n)
			return true;
		buf_commit(out, (size_t)n);
	}
}

bool repository_helper(const char *name, const char *action, struct bytes in,
	struct buf *out, bool *yes, struct err *e)
{
	char program[96];
	int pair[2], status = 0;
	pid_t pid;
	*yes = false;
	if (!name_ok(name))
		return err_fail(e, ERR_INPUT,
			"Docker's configuration: not a credential helper's "
			"name");
	fmt(program, sizeof program, "docker-credential-%s", name);
	/* A socket, for MSG_NOSIGNAL: it may leave without listening. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return err_fail(e, ERR_HOST, "socketpair: %s", strerror(errno));
	auto_fd ours = pair[0], theirs = pair[1];
	int why = spawn(program, action, theirs, &pid);
	if (why)
		return err_fail(e, ERR_HOST, "%s: %s", program, strerror(why));
	close(fd_move(&theirs));
	bool told = send_all(ours, in) && !shutdown(ours, SHUT_WR);
	bool heard = receive(ours, out);
	if (!heard)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!heard)
		return err_fail(e, ERR_HOST, "%s: no answer, or too long a one",
			program);
	*yes = told && WIFEXITED(status) && !WEXITSTATUS(status);
	return true;
}
