/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/service.h"

#include <errno.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/cleanup.h"

bool service_dial(const struct service *s, const struct sockaddr *to,
	socklen_t len, const char *where, int *out, struct err *e)
{
	const struct timeval t = { .tv_sec = s->wait_s };
	auto_fd fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t) ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t) ||
		connect(fd, to, len) != 0)
		return err_fail(e, ERR_HOST, "%s at %s: %s", s->name, where,
			strerror(errno));
	*out = fd_move(&fd);
	return true;
}

bool service_open(const struct service *s, const char *path, int *fd,
	struct err *e)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof at.sun_path)
		return err_fail(e, ERR_INPUT, "%s: too long", path);
	memcpy(at.sun_path, path, strlen(path));
	return service_dial(s, (const struct sockaddr *)&at, sizeof at, path,
		fd, e);
}

/* Who hangs up with bytes unread resets the connection: the same to us. */
static bool hung_up(void)
{
	return errno == EPIPE || errno == ECONNRESET;
}

static bool failed(const struct service *s, struct err *e)
{
	if (errno == EAGAIN)
		return err_fail(e, ERR_HOST, "%s: nothing moved for %d s",
			s->name, s->wait_s);
	return err_fail(e, ERR_HOST, "%s: %s", s->name, strerror(errno));
}

/* Who has hung up may have said before why: it is there to be received. */
bool service_send(const struct service *s, int fd, struct bytes out,
	struct err *e)
{
	while (out.len) {
		ssize_t n = send(fd, out.ptr, out.len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return hung_up() || failed(s, e);
		out = bytes_from(out, (size_t)n);
	}
	return true;
}

bool service_recv(const struct service *s, int fd, uint8_t *to, size_t n,
	struct err *e)
{
	while (n) {
		ssize_t k = recv(fd, to, n, 0);
		if (k < 0 && errno == EINTR)
			continue;
		if (k == 0 || (k < 0 && hung_up()))
			return err_fail(e, ERR_HOST, "%s: it hung up", s->name);
		if (k < 0)
			return failed(s, e);
		to += k;
		n -= (size_t)k;
	}
	return true;
}
