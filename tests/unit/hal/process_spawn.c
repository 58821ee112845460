/* SPDX-License-Identifier: Apache-2.0 */
/* A child that is faster than its loader, or dead before it heard of it. */
#include "hal/process_priv.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../test.h"
#include "base/cleanup.h"

static struct process_child child;
static enum { IN_TIME, TOO_LATE, UNHEARD } how;

/* The loader's one word to its child: libc's place is taken. */
ssize_t send(int fd, const void *word, size_t n, int flags)
{
	siginfo_t info;
	if (how == TOO_LATE)
		waitid(P_PID, (id_t)child.pid, &info, WEXITED | WNOWAIT);
	if (how == UNHEARD) {
		kill(child.pid, SIGSTOP);
		waitid(P_PID, (id_t)child.pid, &info, WSTOPPED | WNOWAIT);
	}
	ssize_t sent = syscall(SYS_sendto, fd, word, n, flags, NULL, 0);
	if (how == UNHEARD)
		kill(child.pid, SIGKILL);
	return sent;
}

static bool spawn(int area, struct err *e)
{
	int pair[2];
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	auto_fd ours = pair[0], theirs = pair[1];
	const struct process_spawn s = { .image = theirs,
		.bell = theirs,
		.area = area,
		.memory_bytes = 1 << 20 };
	child = (struct process_child){ .report = -1 };
	return process_spawn(&s, &child, e);
}

TEST(process_spawn_hears_why_of_a_child_that_failed_at_once)
{
	for (how = IN_TIME; how <= TOO_LATE; how++) {
		struct err e = { 0 };
		CHECK(spawn(-1, &e));
		CHECK(!process_spawned(&child, &e));
		CHECK_STR(e.text, "child: dup: Bad file descriptor");
		process_reap(&child, NULL);
	}
}

TEST(process_spawn_leaves_it_to_the_bell_how_a_child_died)
{
	struct err e = { 0 };
	int status = 0;
	how = UNHEARD;
	CHECK(spawn(0, &e));
	CHECK(process_spawned(&child, &e));
	process_reap(&child, &status);
	CHECK(WIFSIGNALED(status));
}
