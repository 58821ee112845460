/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/process_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "abi/gate.h"
#include "base/cleanup.h"
#include "base/fmt.h"
#include "hal/sandbox_priv.h"

/* Descriptors of the child, up to the moment when it runs exec. */
enum { IMAGE_FD = 5, REPORT_FD = 6, FIRST_FREE_FD = 7, HIGH_FD = 16 };

/* Its own user in its own user namespace: nobody elsewhere. */
#define INNER_ID 65534u

/* What exec may use beyond the tenant's memory: its image, the gate's area,
 * stack, the heap of its TLS. */
#define MEMORY_SLACK (64ull << 20)

#define NS_ALL                                                       \
	(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID | \
		CLONE_NEWNS)

/* --- the child's side: every step ends in exec or in a report ----------- */

/*
 * What a static program needs to start, and exec to serve its gate.  exec
 * itself gives up what only its start needs.  No call here opens, makes or
 * names anything.
 */
static const int exec_calls[] = { SCMP_SYS(read), SCMP_SYS(write),
	SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(recvfrom), SCMP_SYS(sendto),
	SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(fcntl),
	SCMP_SYS(lseek), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(brk),
	SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect),
	SCMP_SYS(madvise), SCMP_SYS(mlock), SCMP_SYS(munlock), SCMP_SYS(futex),
	SCMP_SYS(set_tid_address), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
	SCMP_SYS(arch_prctl), SCMP_SYS(prlimit64), SCMP_SYS(getrandom),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday),
	SCMP_SYS(time), SCMP_SYS(getrusage), SCMP_SYS(sched_yield),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
	SCMP_SYS(tgkill), SCMP_SYS(seccomp), SCMP_SYS(exit),
	SCMP_SYS(exit_group), SCMP_SYS(restart_syscall) };

static const struct sandbox_rule exec_rules[] = {
	{ SCMP_SYS(execveat), 0, IMAGE_FD },
	{ SCMP_SYS(prctl), 0, PR_SET_NO_NEW_PRIVS },
	{ SCMP_SYS(prctl), 0, PR_GET_NO_NEW_PRIVS },
	{ SCMP_SYS(prctl), 0, PR_SET_SECCOMP },
	{ SCMP_SYS(prctl), 0, PR_GET_SECCOMP },
	{ SCMP_SYS(prctl), 0, PR_SET_DUMPABLE },
	{ SCMP_SYS(prctl), 0, PR_GET_DUMPABLE },
	{ SCMP_SYS(prctl), 0, PR_SET_NAME },
};

static bool step(bool ok, const char *what, struct err *e)
{
	if (!ok)
		return err_fail(e, ERR_HOST, "%s: %s", what, strerror(errno));
	return true;
}

/* Puts each descriptor where exec expects it and closes all others.  First
 * all of them go up, so that none is overwritten before it was moved.
 * *report: where it is at any time. */
static bool place_fds(const struct process_spawn *s, int *report, int null,
	struct err *e)
{
	int err_fd = HAL_SANITIZED || s->debug ? 2 : null;
	const struct {
		int from, to;
		bool at_exec;
	} moves[] = { { null, 0, false }, { null, 1, false },
		{ err_fd, 2, false }, { s->bell, GATE_BELL_FD, false },
		{ s->area, GATE_AREA_FD, false }, { s->image, IMAGE_FD, true },
		{ *report, REPORT_FD, true } };
	int high[ARRAY_LEN(moves)];
	for (size_t i = 0; i < ARRAY_LEN(moves); i++) {
		high[i] = fcntl(moves[i].from, F_DUPFD_CLOEXEC, HIGH_FD);
		if (!step(high[i] >= 0, "dup", e))
			return false;
	}
	*report = high[ARRAY_LEN(moves) - 1];
	for (size_t i = 0; i < ARRAY_LEN(moves); i++)
		if (!step(dup3(high[i], moves[i].to,
				  moves[i].at_exec ? O_CLOEXEC : 0) >= 0,
			    "dup", e))
			return false;
	*report = REPORT_FD;
	return step(close_range(FIRST_FREE_FD, ~0u, 0) == 0, "close_range", e);
}

/* An empty file system as root, where the kernel lets us.  exec opens no
 * file, so this is a second wall only: a failure is none. */
static void empty_root(void)
{
	auto_fd fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
		return;
	auto_fd root = fsmount(fs, FSMOUNT_CLOEXEC,
		MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			MOUNT_ATTR_NOEXEC);
	if (root < 0 || fchdir(root) != 0 || chroot(".") != 0)
		return;
}

/* After the change of user: the kernel counts processes at that moment. */
static bool set_limits(const struct process_spawn *s, struct err *e)
{
	const struct {
		__rlimit_resource_t what;
		rlim_t most;
	} limits[] = {
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_NOFILE, HIGH_FD },
		{ RLIMIT_NPROC, 0 },
		{ RLIMIT_MSGQUEUE, 0 },
		{ RLIMIT_AS, s->memory_bytes + MEMORY_SLACK },
	};
	size_t n = ARRAY_LEN(limits) - (HAL_SANITIZED ? 1 : 0);
	for (size_t i = 0; i < n; i++) {
		struct rlimit r = { limits[i].most, limits[i].most };
		if (!step(setrlimit(limits[i].what, &r) == 0, "setrlimit", e))
			return false;
	}
	return true;
}

/* Dies with its loader, is nobody's to look at, starts with no signal
 * blocked. */
static bool settle(struct err *e)
{
	sigset_t none;
	char byte;
	sigemptyset(&none);
	if (!step(sigprocmask(SIG_SETMASK, &none, NULL) == 0 &&
			    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
			    prctl(PR_SET_PDEATHSIG, SIGKILL) == 0,
		    "prctl", e))
		return false;
	/* Had the loader died before that, nobody would end us. */
	if (recv(GATE_BELL_FD, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
		_exit(1);
	return true;
}

static bool confine_exec(struct err *e)
{
	return HAL_SANITIZED ||
		sandbox_load(exec_calls, ARRAY_LEN(exec_calls), exec_rules,
			ARRAY_LEN(exec_rules), e);
}

/* Sanitizers are configured by the environment; a Keep has none. */
static bool run(struct err *e)
{
	static char name[] = "exec";
	char *argv[] = { name, NULL };
	char *none[] = { NULL };
	char **env = HAL_SANITIZED ? environ : none;
	syscall(SYS_execveat, IMAGE_FD, "", argv, env, AT_EMPTY_PATH);
	return step(false, "execveat", e);
}

static bool child_steps(const struct process_spawn *s,
	const struct process_child *c, unsigned long ns, int *report, int null,
	struct err *e)
{
	uid_t id = ns & CLONE_NEWUSER ? INNER_ID : c->uid;
	char go;
	if (!place_fds(s, report, null, e))
		return false;
	/* The loader has written the maps of the user namespace. */
	if (read(REPORT_FD, &go, 1) != 1)
		_exit(1);
	if (ns & CLONE_NEWNS && !HAL_SANITIZED)
		empty_root();
	return (!c->change_id || process_become(id, e)) && set_limits(s, e) &&
		process_drop_caps(e) && settle(e) && confine_exec(e) && run(e);
}

NORETURN static void child(const struct process_spawn *s,
	const struct process_child *c, unsigned long ns, int report, int null)
{
	struct err e = { 0 };
	if (!child_steps(s, c, ns, &report, null, &e) &&
		write(report, &e, sizeof e) != (ssize_t)sizeof e)
		_exit(2);
	_exit(1);
}

/* --- the loader's side --------------------------------------------------- */

static bool write_proc(pid_t pid, const char *name, const char *text)
{
	char path[64];
	fmt(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	auto_fd fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = (ssize_t)strlen(text);
	return fd >= 0 && write(fd, text, (size_t)n) == n;
}

/* One user and one group.  Who has no right over groups must first forbid
 * the child to drop them. */
static bool map_ids(pid_t pid, const struct process_child *c)
{
	char uids[48], gids[48];
	unsigned gid = c->change_id ? c->uid : getegid();
	fmt(uids, sizeof uids, "%u %u 1", INNER_ID, c->uid);
	fmt(gids, sizeof gids, "%u %u 1", INNER_ID, gid);
	if (!c->change_id && !write_proc(pid, "setgroups", "deny"))
		return false;
	return write_proc(pid, "uid_map", uids) &&
		write_proc(pid, "gid_map", gids);
}

/* Tries the strongest set of namespaces first; containers and chroots deny
 * some or all of them. */
static bool clone_child(const struct process_spawn *s, struct process_child *c,
	const int report[2], int null, struct err *e)
{
	static const unsigned long sets[] = { CLONE_NEWUSER | NS_ALL, NS_ALL,
		0 };
	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		long pid = syscall(SYS_clone, sets[i] | SIGCHLD, 0, 0, 0, 0);
		if (pid == 0)
			child(s, c, sets[i], report[1], null);
		if (pid < 0)
			continue;
		c->pid = (pid_t)pid;
		if (!(sets[i] & CLONE_NEWUSER) || map_ids(c->pid, c))
			return true;
		process_reap(c, NULL);
	}
	return err_fail(e, ERR_HOST, "clone: %s", strerror(errno));
}

bool process_spawn(const struct process_spawn *s, struct process_child *c,
	struct err *e)
{
	int pair[2];
	auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return err_fail(e, ERR_HOST, "open /dev/null: %s",
			strerror(errno));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return err_fail(e, ERR_HOST, "socketpair: %s", strerror(errno));
	auto_fd ours = pair[0];
	auto_fd theirs = pair[1];
	process_pick_user(&c->uid, &c->change_id);
	if (!clone_child(s, c, (int[2]){ ours, theirs }, null, e))
		return false;
	/* A child that is gone already has said why: process_spawned reads. */
	(void)!send(ours, "", 1, MSG_NOSIGNAL);
	c->report = fd_move(&ours);
	return true;
}

bool process_spawned(struct process_child *c, struct err *e)
{
	struct err said = { 0 };
	auto_fd report = c->report;
	c->report = -1;
	ssize_t n;
	do
		n = read(report, &said, sizeof said);
	while (n < 0 && errno == EINTR);
	/* It runs exec.  Or it died, whether it had heard us or not: that is
	 * found at its bell. */
	if (n == 0 || (n < 0 && errno == ECONNRESET))
		return true;
	if (n != (ssize_t)sizeof said)
		return err_fail(e, ERR_HOST, "child: unclear report");
	said.text[sizeof said.text - 1] = '\0';
	return err_fail(e, ERR_HOST, "child: %s", said.text);
}

void process_reap(struct process_child *c, int *status)
{
	int got = 0;
	if (c->pid <= 0)
		return;
	kill(c->pid, SIGKILL);
	while (waitpid(c->pid, &got, 0) < 0 && errno == EINTR)
		;
	c->pid = 0;
	if (status)
		*status = got;
}
