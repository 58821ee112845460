/* SPDX-License-Identifier: Apache-2.0 */
#include "client/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fmt.h"

/*
 * The same pipe or terminal through an open file description of our own, so
 * that O_NONBLOCK is ours alone.  -1 where that is not possible: then poll
 * goes before every write, which is at most PIPE_BUF bytes.
 */
static int reopen(int fd)
{
	char path[32];
	fmt(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void client_output_open(struct client_output *o, int fd)
{
	struct stat st;
	*o = (struct client_output){ .fd = fd, .own_fd = -1 };
	if (fstat(fd, &st)) {
		o->gone = true;
	} else if (S_ISSOCK(st.st_mode)) {
		o->kind = CLIENT_OUT_SOCKET;
	} else if (S_ISFIFO(st.st_mode) || isatty(fd)) {
		o->own_fd = reopen(fd);
		if (o->own_fd >= 0)
			o->fd = o->own_fd;
	} else {
		o->kind = CLIENT_OUT_FILE;
	}
}

void client_output_close(struct client_output *o)
{
	if (o->own_fd >= 0)
		close(o->own_fd);
	buf_wipe(&o->waiting);
	*o = (struct client_output){ .own_fd = -1 };
}

/* One write; 0: not now. */
static bool write_some(struct client_output *o, struct bytes in, bool polled,
	size_t *n, struct err *e)
{
	ssize_t r;
	*n = 0;
	if (o->kind == CLIENT_OUT_SOCKET)
		r = send(o->fd, in.ptr, in.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	else if (o->kind == CLIENT_OUT_FILE || o->own_fd >= 0)
		r = write(o->fd, in.ptr, in.len);
	else if (polled)
		r = write(o->fd, in.ptr, size_min(in.len, PIPE_BUF));
	else
		return true;
	if (r >= 0) {
		*n = (size_t)r;
		return true;
	}
	if (errno == EAGAIN || errno == EINTR)
		return true;
	/* EIO: the terminal went away. */
	if (errno == EPIPE || errno == ECONNRESET || errno == EIO) {
		o->gone = true;
		return true;
	}
	return err_fail(e, ERR_HOST, "write: %s", strerror(errno));
}

bool client_output_put(struct client_output *o, struct bytes in, struct err *e)
{
	while (in.len && !o->gone && !o->waiting.len) {
		size_t n;
		if (!write_some(o, in, false, &n, e))
			return false;
		in = bytes_from(in, n);
		if (!n)
			break;
	}
	if (o->gone || !in.len)
		return true;
	return buf_put(&o->waiting, in) || err_fail(e, ERR_LIMIT, "no memory");
}

bool client_output_ready(struct client_output *o, struct err *e)
{
	size_t n = 0;
	if (o->waiting.len &&
		!write_some(o, buf_bytes(&o->waiting), true, &n, e))
		return false;
	buf_consume(&o->waiting, o->gone ? o->waiting.len : n);
	return true;
}

bool client_input_read(int fd, uint8_t *to, size_t room, size_t *n, bool *end,
	struct err *e)
{
	*n = 0;
	*end = false;
	ssize_t r = read(fd, to, room);
	if (r > 0)
		*n = (size_t)r;
	else if (!r)
		*end = true;
	else if (errno == EIO || errno == EBADF)
		*end = true; /* a terminal that went away, or never there */
	else if (errno != EAGAIN && errno != EINTR)
		return err_fail(e, ERR_INPUT, "standard input: %s",
			strerror(errno));
	return true;
}
