/* SPDX-License-Identifier: Apache-2.0 */
#include "host/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "abi/gate.h"
#include "base/cleanup.h"
#include "host/control.h"

/* Handles of the gate (abi/gate.h) and a few of the loader's own. */
enum { KEEP_FILES = GATE_MAX_HANDLES + 256, SEND_ROOM = 512 << 10 };

static bool limit(__rlimit_resource_t what, rlim_t most)
{
	struct rlimit r;
	if (getrlimit(what, &r))
		return false;
	r.rlim_max = r.rlim_max < most ? r.rlim_max : most;
	r.rlim_cur = r.rlim_max;
	return setrlimit(what, &r) == 0;
}

/* 0 and 1 are /dev/null, 2 stays, CONTROL_FD is the socket. */
static bool arrange_files(int sock)
{
	int null = open("/dev/null", O_RDWR);
	/* Both far from where they go, so that no dup2 closes another. */
	int far = fcntl(sock, F_DUPFD, CONTROL_FD + 1);
	int far_null = null < 0 ? -1 : fcntl(null, F_DUPFD, CONTROL_FD + 1);
	return far >= 0 && far_null >= 0 && dup2(far_null, 0) == 0 &&
		dup2(far_null, 1) == 1 && dup2(far, CONTROL_FD) == CONTROL_FD &&
		close_range(CONTROL_FD + 1, ~0u, 0) == 0;
}

static void default_signals(void)
{
	sigset_t none;
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child: only what is safe after fork. */
NORETURN static void become_keep(const char *program, int sock, pid_t parent)
{
	char name[] = "donjon-keep", path[] = "PATH=/usr/bin:/bin";
	char *const argv[] = { name, NULL };
	char *const env[] = { path, NULL };
	bool ready = setsid() > 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
		getppid() == parent &&
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		limit(RLIMIT_CORE, 0) && limit(RLIMIT_NOFILE, KEEP_FILES) &&
		chdir("/") == 0;
	umask(077);
	default_signals();
	if (ready && arrange_files(sock))
		execve(program, argv, env);
	_exit(127);
}

bool spawn_keep(const char *program, pid_t *pid, int *sock, struct err *e)
{
	int pair[2], room = SEND_ROOM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return err_fail(e, ERR_HOST, "socketpair: %s", strerror(errno));
	auto_fd ours = pair[0], theirs = pair[1];
	setsockopt(ours, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	setsockopt(theirs, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	if (fcntl(ours, F_SETFL, O_NONBLOCK))
		return err_fail(e, ERR_HOST, "fcntl: %s", strerror(errno));
	pid_t parent = getpid(), child = fork();
	if (child < 0)
		return err_fail(e, ERR_HOST, "fork: %s", strerror(errno));
	if (child == 0)
		become_keep(program, theirs, parent);
	*pid = child;
	*sock = fd_move(&ours);
	return true;
}

void spawn_kill(pid_t pid)
{
	/* The group exists from setsid on; before that there is only the
	 * process. */
	if (kill(-pid, SIGKILL))
		kill(pid, SIGKILL);
}

bool spawn_reap(pid_t *pid, int *status)
{
	siginfo_t info = { 0 };
	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) ||
		info.si_pid == 0)
		return false;
	kill(-info.si_pid, SIGKILL);
	*pid = info.si_pid;
	return waitpid(info.si_pid, status, 0) == info.si_pid;
}

void spawn_adopt(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}
