/* SPDX-License-Identifier: Apache-2.0 */
#include "client/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "client/paths.h"

enum { READY_FD = 3, START_MS = 20000, STOP_MS = 10000, LOG_BYTES = 4096 };

static bool make_dir(struct client_agent *a, struct err *e)
{
	const char *base = getenv("XDG_RUNTIME_DIR");
	/* A socket's path has room for 107 characters only. */
	if (!base || base[0] != '/' || strlen(base) > 80 || access(base, W_OK))
		base = "/tmp";
	fmt(a->dir, sizeof a->dir, "%s/donjon-XXXXXX", base);
	if (!mkdtemp(a->dir)) {
		a->dir[0] = '\0';
		return err_fail(e, ERR_HOST, "make a directory in %s: %s", base,
			strerror(errno));
	}
	fmt(a->socket, sizeof a->socket, "%s/agent", a->dir);
	fmt(a->url, sizeof a->url, "unix://%s", a->socket);
	return true;
}

/* In the child.  Only what is safe after fork. */
static NORETURN void become(char *const argv[], pid_t parent, int ready,
	int log)
{
	sigset_t none;
	sigemptyset(&none);
	/* The terminal's signals are for us, and we tell it. */
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (getppid() == parent && null >= 0 && dup2(null, 0) == 0 &&
		dup2(log, 1) == 1 && dup2(log, 2) == 2) {
		/* dup2 onto itself would leave close-on-exec set. */
		if (ready == READY_FD)
			fcntl(ready, F_SETFD, 0);
		else
			dup2(ready, READY_FD);
		execv(argv[0], argv);
	}
	_exit(127);
}

bool client_agent_start(struct client_agent *a, const char *images,
	struct err *e)
{
	char program[CLIENT_PATH_MAX], fd[8];
	int pipe_fds[2];
	*a = (struct client_agent){ .ready_fd = -1, .log_fd = -1 };
	if (!client_path_program("donjond", program, e) || !make_dir(a, e))
		return false;
	if (pipe2(pipe_fds, O_CLOEXEC))
		return err_fail(e, ERR_HOST, "pipe: %s", strerror(errno));
	a->ready_fd = pipe_fds[0];
	auto_fd ready = pipe_fds[1];
	a->log_fd = memfd_create("donjond log", MFD_CLOEXEC);
	if (a->log_fd < 0)
		return err_fail(e, ERR_HOST, "memfd: %s", strerror(errno));
	fmt(fd, sizeof fd, "%d", READY_FD);
	const char *argv[] = { program, "--unix", a->socket, "--ready-fd", fd,
		"--log-level", "warn", "--allow-listen", "1-65535",
		"--allow-connect", "any", "--max-connections", "4000",
		images ? "--images" : NULL, images, NULL };
	pid_t parent = getpid(), pid = fork();
	if (pid < 0)
		return err_fail(e, ERR_HOST, "fork: %s", strerror(errno));
	if (!pid) {
		char *args[ARRAY_LEN(argv)];
		memcpy(args, argv, sizeof args);
		become(args, parent, ready, a->log_fd);
	}
	a->pid = pid;
	return true;
}

/* Its last line, or its exit status. */
static bool did_not_start(const struct client_agent *a, struct err *e)
{
	auto_buf log = { 0 };
	if (!client_agent_log(a, &log) || !log.len)
		return err_fail(e, ERR_HOST, "donjond did not start");
	while (log.len && log.ptr[log.len - 1] == '\n')
		log.len--;
	size_t begin = log.len;
	while (begin && log.ptr[begin - 1] != '\n')
		begin--;
	buf_consume(&log, begin);
	return err_fail(e, ERR_HOST, "donjond did not start: %s",
		buf_cstr(&log));
}

bool client_agent_wait(struct client_agent *a, int cancel_fd, struct err *e)
{
	char line[256];
	size_t len = 0;
	while (len < sizeof line && !(len && line[len - 1] == '\n')) {
		struct pollfd p[2] = { { .fd = a->ready_fd, .events = POLLIN },
			{ .fd = cancel_fd, .events = POLLIN } };
		int n = poll(p, 2, START_MS);
		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0 && p[1].revents)
			return err_fail(e, ERR_HOST, "interrupted");
		if (n <= 0)
			return err_fail(e, ERR_HOST,
				"donjond is not ready after %d s",
				START_MS / 1000);
		ssize_t got = read(a->ready_fd, line + len, sizeof line - len);
		if (got <= 0)
			return did_not_start(a, e);
		len += (size_t)got;
	}
	close(a->ready_fd);
	a->ready_fd = -1;
	return true;
}

/* Waits for the process's end for some time. */
static bool reap(pid_t pid, int ms)
{
	for (int waited = 0;; waited++) {
		pid_t got = waitpid(pid, NULL, WNOHANG);
		if (got == pid || (got < 0 && errno != EINTR))
			return true;
		if (waited >= ms)
			return false;
		poll(NULL, 0, 1);
	}
}

void client_agent_hide(struct client_agent *a)
{
	if (!a->dir[0])
		return;
	unlink(a->socket);
	rmdir(a->dir);
	a->dir[0] = '\0';
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void client_agent_stop(struct client_agent *a)
{
	if (a->pid > 0) {
		kill(a->pid, SIGTERM);
		if (!reap(a->pid, STOP_MS)) {
			kill(a->pid, SIGKILL);
			waitpid(a->pid, NULL, 0);
		}
	}
	client_agent_hide(a);
	if (a->url[0]) {
		close_fd(a->ready_fd);
		close_fd(a->log_fd);
	}
	*a = (struct client_agent){ 0 };
}

bool client_agent_log(const struct client_agent *a, struct buf *out)
{
	off_t end = a->url[0] ? lseek(a->log_fd, 0, SEEK_END) : 0;
	off_t from = end > LOG_BYTES ? end - LOG_BYTES : 0;
	uint8_t *to = buf_reserve(out, LOG_BYTES);
	if (!to || end <= 0)
		return to != NULL;
	ssize_t n = pread(a->log_fd, to, LOG_BYTES, from);
	if (n > 0)
		buf_commit(out, (size_t)n);
	return true;
}
