/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "host/gate_priv.h"

enum { BACKLOG = 1024 };

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

bool gate_net_room(const struct gate_serve *g)
{
	return !g->grants.max_streams || g->streams < g->grants.max_streams;
}

/* The Keep gathers by itself; a Unix socket has no such option. */
void gate_net_tune(int fd)
{
	int on = 1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* --- addresses ---------------------------------------------------------- */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t put_address(const struct net_address *a, uint16_t port,
	union address *out)
{
	*out = (union address){ .v6 = { .sin6_family = AF_INET6 } };
	if (net_address_is_v4(a)) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(port);
		memcpy(&out->v4.sin_addr, a->ip + 12, 4);
		return sizeof out->v4;
	}
	out->v6.sin6_port = htons(port);
	memcpy(&out->v6.sin6_addr, a->ip, 16);
	return sizeof out->v6;
}

static int stream_socket(const union address *a)
{
	return socket(a->any.sa_family,
		SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* --- listening ---------------------------------------------------------- */

bool gate_net_bind(const struct gate_port *p, int *fd, struct err *e)
{
	union address a;
	socklen_t len = put_address(&p->address, p->port, &a);
	int on = 1, off = 0;
	auto_fd s = stream_socket(&a);
	/* Without IPv6, "any" is any of IPv4. */
	if (s < 0 && errno == EAFNOSUPPORT &&
		bytes_all_zero(BYTES_ARRAY(p->address.ip))) {
		a.v4 = (struct sockaddr_in){ .sin_family = AF_INET,
			.sin_port = htons(p->port) };
		len = sizeof a.v4;
		s = stream_socket(&a);
	}
	if (s < 0 ||
		setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
		(a.any.sa_family == AF_INET6 &&
			setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &off,
				sizeof off) != 0) ||
		bind(s, &a.any, len) != 0)
		return err_fail(e, ERR_HOST, "port %u: %s", p->port,
			strerror(errno));
	*fd = fd_move(&s);
	return true;
}

enum gate_error gate_net_listen(int fd)
{
	return listen(fd, BACKLOG) == 0 ? GATE_OK : gate_net_error(errno);
}

/* Linux takes a listening socket back to bound, and resets who waits. */
void gate_net_unlisten(int fd)
{
	shutdown(fd, SHUT_RDWR);
}

/* --- connecting --------------------------------------------------------- */

enum gate_error gate_net_connect(const struct net_address *to, uint16_t port,
	int *fd)
{
	union address a;
	socklen_t len = put_address(to, port, &a);
	auto_fd s = stream_socket(&a);
	if (s < 0)
		return gate_net_error(errno);
	gate_net_tune(s);
	if (connect(s, &a.any, len) != 0 && errno != EINPROGRESS)
		return gate_net_error(errno);
	*fd = fd_move(&s);
	return GATE_OK;
}

enum gate_error gate_net_connected(int fd)
{
	int error = 0;
	socklen_t len = sizeof error;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	return gate_net_error(error);
}
