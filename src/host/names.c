/* SPDX-License-Identifier: Apache-2.0 */
#include "host/names.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "hal/hal.h"

/* Look-ups at once; their descriptor. */
enum { WORKERS = 4, STACK = 256 << 10, NAMES_FD = 3 };

struct question {
	uint32_t id;
	char name[NET_HOST_MAX + 1];
};

/* --- in the process ------------------------------------------------------ */

static bool put_address(const struct sockaddr *from, struct net_address *out)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	if (from->sa_family == AF_INET6) {
		memcpy(&v6, from, sizeof v6);
		memcpy(out->ip, &v6.sin6_addr, sizeof out->ip);
		return true;
	}
	if (from->sa_family != AF_INET)
		return false;
	memcpy(&v4, from, sizeof v4);
	memset(out->ip, 0, 10);
	memset(out->ip + 10, 0xff, 2);
	memcpy(out->ip + 12, &v4.sin_addr, 4);
	return true;
}

static void look_up(const struct question *q, struct gate_answer *a)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_ADDRCONFIG };
	struct addrinfo *list = NULL;
	*a = (struct gate_answer){ .id = q->id };
	if (getaddrinfo(q->name, NULL, &hints, &list) != 0)
		return;
	for (struct addrinfo *i = list; i && a->count < GATE_MAX_ANSWER;
		i = i->ai_next)
		if (put_address(i->ai_addr, &a->address[a->count]))
			a->count++;
	freeaddrinfo(list);
}

static void *work(void *arg)
{
	struct question q;
	struct gate_answer a;
	(void)arg;
	for (;;) {
		ssize_t n = recv(NAMES_FD, &q, sizeof q, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof q)
			_exit(0);
		q.name[NET_HOST_MAX] = '\0';
		look_up(&q, &a);
		if (send(NAMES_FD, &a, sizeof a, MSG_NOSIGNAL) < 0)
			_exit(0);
	}
}

static bool start_workers(void)
{
	pthread_attr_t attr;
	pthread_t t;
	if (pthread_attr_init(&attr) || pthread_attr_setstacksize(&attr, STACK))
		return false;
	for (int i = 1; i < WORKERS; i++)
		if (pthread_create(&t, &attr, work, NULL))
			return false;
	pthread_attr_destroy(&attr);
	return true;
}

NORETURN static void become(int fd, pid_t parent)
{
	struct err e;
	/* The change of user would forget whose death is ours. */
	if (dup2(fd, NAMES_FD) == NAMES_FD &&
		close_range(NAMES_FD + 1, ~0u, 0) == 0 &&
		hal_names_become(&e) && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
		getppid() == parent && start_workers() && hal_names_confine(&e))
		work(NULL);
	_exit(1);
}

/* --- its parent ---------------------------------------------------------- */

bool names_start(struct names *n, struct err *e)
{
	int pair[2];
	pid_t parent = getpid();
	*n = (struct names){ .fd = -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return err_fail(e, ERR_HOST, "names: %s", strerror(errno));
	auto_fd theirs = pair[1];
	auto_fd ours = pair[0];
	n->pid = fork();
	if (n->pid < 0)
		return err_fail(e, ERR_HOST, "names: fork: %s",
			strerror(errno));
	if (n->pid == 0)
		become(theirs, parent);
	n->fd = fd_move(&ours);
	return true;
}

void names_stop(struct names *n)
{
	if (n->pid <= 0)
		return;
	/* It may be another user by now; its end of the pair tells it. */
	close(n->fd);
	kill(n->pid, SIGKILL);
	waitpid(n->pid, NULL, WNOHANG);
	*n = (struct names){ .fd = -1 };
}

bool names_ask(const struct names *n, uint32_t id, const char *name)
{
	struct question q = { .id = id };
	size_t len = strlen(name);
	if (n->fd < 0 || len > NET_HOST_MAX)
		return false;
	memcpy(q.name, name, len);
	return send(n->fd, &q, sizeof q, MSG_NOSIGNAL | MSG_DONTWAIT) ==
		(ssize_t)sizeof q;
}

bool names_take(const struct names *n, struct gate_answer *out, bool *gone)
{
	struct gate_answer a;
	ssize_t got;
	/* It may have died with questions unread: its answers come behind
	 * that. */
	do
		got = recv(n->fd, &a, sizeof a, MSG_DONTWAIT);
	while (got < 0 && (errno == EINTR || errno == ECONNRESET));
	*gone = got == 0 || (got < 0 && errno != EAGAIN);
	/* It has read strangers' packets: it is a stranger, too. */
	if (got != (ssize_t)sizeof a || a.count > GATE_MAX_ANSWER)
		return false;
	*out = a;
	return true;
}
