/* SPDX-License-Identifier: Apache-2.0 */
#include "host/gate_priv.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/fmt.h"

/* Host names are at most 253 characters (RFC 1035 §2.3.4). */
enum { NAME_MAX_BYTES = 254, BACKLOG = 64 };

enum gate_error gate_net_error(int error)
{
	switch (error) {
	case 0:
		return GATE_OK;
	case EAGAIN:
	case EINPROGRESS:
		return GATE_AGAIN;
	case ENOTCONN:
	case EPIPE:
	case ECONNRESET:
	case ECONNABORTED:
		return GATE_CLOSED;
	case ECONNREFUSED:
		return GATE_REFUSED;
	case ETIMEDOUT:
		return GATE_TIMEOUT;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
		return GATE_LIMIT;
	default:
		return GATE_FAILED;
	}
}

bool gate_net_is_stream(int fd)
{
	int type = 0;
	socklen_t len = sizeof type;
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
		type == SOCK_STREAM;
}

/* --- grants --------------------------------------------------------------- */

bool gate_grants_port(const struct gate_grants *g, uint64_t port)
{
	for (size_t i = 0; i < g->listen_count; i++)
		if (g->listen[i] == port)
			return true;
	return false;
}

bool gate_grants_target(const struct gate_grants *g, const char *target)
{
	for (size_t i = 0; i < g->connect_count; i++)
		if (!strcmp(g->connect[i], target))
			return true;
	return false;
}

bool gate_grants_host(const struct gate_grants *g, const char *host)
{
	size_t n = strlen(host);
	for (size_t i = 0; i < g->connect_count; i++)
		if (!strncmp(g->connect[i], host, n) &&
			g->connect[i][n] == ':' &&
			!strchr(g->connect[i] + n + 1, ':'))
			return true;
	return false;
}

/* --- sockets -------------------------------------------------------------- */

enum gate_error gate_net_listen(uint16_t port, int *fd)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };
	int on = 1, off = 0;
	auto_fd s =
		socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s < 0)
		return gate_net_error(errno);
	if (setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
		setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) !=
			0 ||
		bind(s, (const struct sockaddr *)&any, sizeof any) != 0 ||
		listen(s, BACKLOG) != 0)
		return GATE_FAILED;
	*fd = fd_move(&s);
	return GATE_OK;
}

/* Splits at the last colon; brackets around an IPv6 address go. */
static bool split(const char *target, char host[NAME_MAX_BYTES],
	const char **port)
{
	const char *colon = strrchr(target, ':');
	if (!colon || colon == target || !colon[1])
		return false;
	size_t n = (size_t)(colon - target);
	if (target[0] == '[' && target[n - 1] == ']') {
		target++;
		n -= 2;
	}
	if (n == 0 || n >= NAME_MAX_BYTES)
		return false;
	memcpy(host, target, n);
	host[n] = '\0';
	*port = colon + 1;
	return true;
}

static bool look_up(const char *host, const char *port, struct addrinfo **list)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = port ? AI_NUMERICSERV : 0 };
	return getaddrinfo(host, port, &hints, list) == 0 && *list;
}

enum gate_error gate_net_connect(const char *target, int *fd)
{
	char host[NAME_MAX_BYTES];
	const char *port = NULL;
	struct addrinfo *list = NULL;
	if (!split(target, host, &port) || !look_up(host, port, &list))
		return GATE_NAME;
	int error = 0;
	auto_fd s = socket(list->ai_family,
		SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s < 0 || connect(s, list->ai_addr, list->ai_addrlen) != 0)
		error = errno;
	freeaddrinfo(list);
	if (error && error != EINPROGRESS)
		return gate_net_error(error);
	*fd = fd_move(&s);
	return GATE_OK;
}

static void put_address(const struct sockaddr *from, uint8_t out[16])
{
	if (from->sa_family == AF_INET6) {
		struct sockaddr_in6 a;
		memcpy(&a, from, sizeof a);
		memcpy(out, &a.sin6_addr, 16);
		return;
	}
	/* IPv4-mapped (RFC 4291 §2.5.5.2). */
	struct sockaddr_in a;
	memcpy(&a, from, sizeof a);
	memset(out, 0, 10);
	memset(out + 10, 0xff, 2);
	memcpy(out + 12, &a.sin_addr, 4);
}

enum gate_error gate_net_resolve(const char *host, uint8_t (*out)[16],
	size_t max, size_t *count)
{
	struct addrinfo *list = NULL;
	*count = 0;
	if (!look_up(host, NULL, &list))
		return GATE_NAME;
	for (struct addrinfo *a = list; a && *count < max; a = a->ai_next)
		if (a->ai_family == AF_INET || a->ai_family == AF_INET6)
			put_address(a->ai_addr, out[(*count)++]);
	freeaddrinfo(list);
	return *count ? GATE_OK : GATE_NAME;
}
