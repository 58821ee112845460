/* SPDX-License-Identifier: Apache-2.0 */
#include "host/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"

enum { BACKLOG = 1024, MOST_HOST = 256 };
enum { LOCK_TRIES = 100, LOCK_PAUSE_NS = 10000000 };

/* "HOST:PORT", "[V6]:PORT"; host without its brackets. */
static bool split(const char *address, char host[MOST_HOST], char port[6],
	struct err *e)
{
	const char *colon = strrchr(address, ':');
	size_t len = colon ? (size_t)(colon - address) : 0;
	if (!len || len >= MOST_HOST)
		return err_fail(e, ERR_INPUT, "--listen %s: want HOST:PORT",
			address);
	size_t digits = strspn(colon + 1, "0123456789");
	if (!digits || digits > 5 || colon[1 + digits] ||
		strtoul(colon + 1, NULL, 10) > 65535)
		return err_fail(e, ERR_INPUT,
			"--listen %s: want a port, 0 to 65535", address);
	fmt(port, 6, "%s", colon + 1);
	bool brackets = address[0] == '[' && colon[-1] == ']' && len > 2;
	if (!brackets && memchr(address, ':', len))
		return err_fail(e, ERR_INPUT,
			"--listen %s: an IPv6 address stands in brackets",
			address);
	fmt(host, MOST_HOST, "%.*s", (int)(brackets ? len - 2 : len),
		brackets ? address + 1 : address);
	return true;
}

static bool is_loopback(const struct sockaddr *sa)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	if (sa->sa_family == AF_INET) {
		memcpy(&v4, sa, sizeof v4);
		return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
	}
	if (sa->sa_family != AF_INET6)
		return false;
	memcpy(&v6, sa, sizeof v6);
	return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

static bool describe(int fd, bool *loopback, char *bound, size_t size,
	struct err *e)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof ss;
	char host[64], port[8];
	if (getsockname(fd, (struct sockaddr *)&ss, &len) ||
		getnameinfo((struct sockaddr *)&ss, len, host, sizeof host,
			port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV))
		return err_fail(e, ERR_HOST, "getsockname failed");
	*loopback = is_loopback((struct sockaddr *)&ss);
	fmt(bound, size, ss.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host,
		port);
	return true;
}

bool listen_tcp(const char *address, int *fd, bool *loopback, char *bound,
	size_t size, struct err *e)
{
	char host[MOST_HOST], port[6];
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *ai = NULL;
	int on = 1;
	if (!split(address, host, port, e))
		return false;
	int problem = getaddrinfo(host, port, &hints, &ai);
	if (problem)
		return err_fail(e, ERR_INPUT, "%s: %s", address,
			gai_strerror(problem));
	auto_fd s = socket(ai->ai_family,
		SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s >= 0)
		setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	bool ok = s >= 0 && bind(s, ai->ai_addr, ai->ai_addrlen) == 0 &&
		listen(s, BACKLOG) == 0;
	freeaddrinfo(ai);
	if (!ok)
		return err_fail(e, ERR_HOST, "listen %s: %s", address,
			strerror(errno));
	if (!describe(s, loopback, bound, size, e))
		return false;
	*fd = fd_move(&s);
	return true;
}

/* From the look at a path to the socket that listens there nobody else may do
 * the same: of two agents that find a dead one's, the later would remove the
 * earlier one's.  Ends with the descriptor; -1: a folder that can't be read.
 * Whoever can read the folder can hold the lock: that costs us a wait, not the
 * start. */
static int lock_folder(const char *path)
{
	char folder[sizeof(struct sockaddr_un)];
	const char *slash = strrchr(path, '/');
	fmt(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
		slash ? path : ".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; fd >= 0 && i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = LOCK_PAUSE_NS }, NULL);
	}
	return fd;
}

/* Removes the socket of an agent that died. */
static bool clear_path(const struct sockaddr_un *sa, struct err *e)
{
	struct stat st;
	if (lstat(sa->sun_path, &st)) {
		if (errno == ENOENT)
			return true;
		return err_fail(e, ERR_HOST, "%s: %s", sa->sun_path,
			strerror(errno));
	}
	if (!S_ISSOCK(st.st_mode))
		return err_fail(e, ERR_INPUT, "%s: not a socket", sa->sun_path);
	/* One that is too busy to be connected to is alive. */
	auto_fd probe =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int n = probe < 0 ?
		-1 :
		connect(probe, (const struct sockaddr *)sa, sizeof *sa);
	if (n == 0 || (errno != ECONNREFUSED && errno != ENOENT))
		return err_fail(e, ERR_HOST, "%s: in use", sa->sun_path);
	/* An agent that has just ended may have done so itself. */
	if (unlink(sa->sun_path) && errno != ENOENT)
		return err_fail(e, ERR_HOST, "%s: %s", sa->sun_path,
			strerror(errno));
	return true;
}

bool listen_unix(const char *path, int *fd, struct err *e)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof sa.sun_path)
		return err_fail(e, ERR_INPUT,
			"%s: longer than a socket's path may be", path);
	fmt(sa.sun_path, sizeof sa.sun_path, "%s", path);
	auto_fd lock = lock_folder(path);
	if (!clear_path(&sa, e))
		return false;
	auto_fd s =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t old = umask(0177);
	bool ok = s >= 0 && bind(s, (struct sockaddr *)&sa, sizeof sa) == 0 &&
		listen(s, BACKLOG) == 0;
	int problem = errno;
	umask(old);
	if (!ok)
		return err_fail(e, ERR_HOST, "listen %s: %s", path,
			strerror(problem));
	*fd = fd_move(&s);
	return true;
}

/* The name goes first: whoever comes later finds none, or one that answers. */
void listen_unix_end(const char *path, int fd)
{
	unlink(path);
	close(fd);
}
