/* SPDX-License-Identifier: Apache-2.0 */
#include "wasi/wasi_priv.h"

enum { PEEK_MIN = 64, PEEK_MAX = 1 << 16 };

int wasi_socket_get(struct wasi_call *k, uint32_t fd, uint64_t right,
	struct wasi_fd **out)
{
	int r = wasi_fd_get(k, fd, 0, out);
	if (r)
		return r;
	if ((*out)->kind != WASI_STREAM || !(*out)->stream.socket)
		return WASI_NOTSOCK;
	return wasi_fd_rights(*out, right);
}

static int accept_wait(struct wasi_call *k, struct wasi_fd *f,
	struct wasi_stream *got)
{
	for (;;) {
		int r = f->stream.ops->accept(f->stream.ctx, got);
		if (r != WASI_AGAIN || f->flags & FDFLAG_NONBLOCK)
			return r;
		r = wasi_wait_within(k, f->recv_ns);
		if (r)
			return r;
	}
}

int wasi_socket_accept(struct wasi_call *k, uint32_t listener, uint32_t flags,
	uint32_t at)
{
	struct wasi_fd *f, *fresh;
	uint32_t fd;
	int r = wasi_socket_get(k, listener, RIGHT_SOCK_ACCEPT, &f);
	if (r)
		return r;
	if (!f->stream.ops->accept || flags & ~(uint32_t)FDFLAG_NONBLOCK)
		return WASI_INVAL;
	uint8_t *out = wasi_view(k, at, 4);
	if (!out)
		return WASI_FAULT;
	r = wasi_fd_new(k->w, &fd, &fresh);
	if (r)
		return r;
	struct wasi_stream got = { 0 };
	r = accept_wait(k, f, &got);
	if (r) {
		wasi_fd_free(k->w, fresh);
		return r;
	}
	fresh->kind = WASI_STREAM;
	fresh->flags = (uint16_t)flags;
	fresh->stream = got;
	fresh->stream.socket = true;
	fresh->six = f->six;
	fresh->local = f->local;
	fresh->base = (RIGHTS_SOCKET | RIGHT_FD_READ | RIGHT_FD_WRITE) &
		~RIGHT_SOCK_ACCEPT;
	wasi_fd_set(k->w, fd, fresh);
	put_le(out, fd, 4);
	return WASI_OK;
}

int wasi_sock_accept(struct wasi_call *k)
{
	return wasi_socket_accept(k, arg32(k, 0), arg32(k, 1), arg32(k, 2));
}

/* Room for so many bytes in f->peeked, which the stream accounts for.  Twice as
 * much each time, as buffers grow. */
static bool peek_room(struct wasi_fd *f, size_t want)
{
	size_t cap = PEEK_MIN;
	while (cap < want)
		cap *= 2;
	return cap <= f->peeked.cap || !f->stream.ops->hold ||
		f->stream.ops->hold(f->stream.ctx, cap - f->peeked.cap);
}

/* Reads on until `want` bytes wait in f->peeked, or one if not all. */
static int peek_fill(struct wasi_call *k, struct wasi_fd *f, size_t want,
	bool all)
{
	if (want > PEEK_MAX)
		want = PEEK_MAX;
	if (!peek_room(f, want))
		return WASI_NOBUFS;
	while (f->peeked.len < want) {
		if (f->peeked.len && !all &&
			!(f->stream.ops->ready(f->stream.ctx) &
				WASI_READY_READ))
			return WASI_OK;
		/* Not through wasi_stream_read: that empties f->peeked. */
		size_t had = f->peeked.len;
		uint8_t *to = buf_reserve(&f->peeked, want - had);
		if (!to)
			return WASI_NOMEM;
		int64_t n = f->stream.ops->read(f->stream.ctx, to, want - had);
		if (n > 0) {
			buf_commit(&f->peeked, (size_t)n);
			continue;
		}
		if (n == 0 ||
			(had &&
				(n != -WASI_AGAIN ||
					f->flags & FDFLAG_NONBLOCK)))
			return WASI_OK;
		if (n != -WASI_AGAIN || f->flags & FDFLAG_NONBLOCK)
			return (int)-n;
		int r = wasi_wait_within(k, f->recv_ns);
		if (r)
			return had && !k->ended ? WASI_OK : r;
	}
	return WASI_OK;
}

static int recv_peek(struct wasi_call *k, struct wasi_fd *f,
	struct wasi_iovs *v, bool all, size_t *done)
{
	size_t want = 0, len;
	uint8_t *to;
	struct wasi_iovs again = *v;
	while (wasi_iovs_next(v, &to, &len))
		want += len;
	int r = peek_fill(k, f, want, all);
	*done = 0;
	while (!r && *done < f->peeked.len &&
		wasi_iovs_next(&again, &to, &len)) {
		size_t n = size_min(len, f->peeked.len - *done);
		memcpy(to, f->peeked.ptr + *done, n);
		*done += n;
	}
	return r;
}

int wasi_socket_recv(struct wasi_call *k, struct wasi_fd *f,
	struct wasi_iovs *v, uint32_t flags, size_t *done)
{
	bool all = flags & RECV_WAITALL;
	if (f->stream.ops->accept)
		return WASI_NOTCONN;
	if (flags & ~(uint32_t)(RECV_PEEK | RECV_WAITALL))
		return WASI_INVAL;
	return flags & RECV_PEEK ? recv_peek(k, f, v, all, done) :
				   wasi_stream_readv(k, f, v, all, done);
}

int wasi_sock_recv(struct wasi_call *k)
{
	struct wasi_fd *f;
	struct wasi_iovs v;
	size_t done;
	int r = wasi_socket_get(k, arg32(k, 0), RIGHT_FD_READ, &f);
	if (r)
		return r;
	uint8_t *len_out = wasi_view(k, arg32(k, 4), 4);
	uint8_t *flags_out = wasi_view(k, arg32(k, 5), 2);
	r = wasi_iovs_get(k, arg32(k, 1), arg32(k, 2), &v);
	if (r || !len_out || !flags_out)
		return WASI_FAULT;
	r = wasi_socket_recv(k, f, &v, arg32(k, 3), &done);
	if (r)
		return r;
	put_le(len_out, done, 4);
	put_le(flags_out, 0, 2); /* a stream never cuts data */
	return WASI_OK;
}

static int send_some(struct wasi_call *k, struct wasi_fd *f,
	struct wasi_iovs *v, uint32_t flags, size_t *done)
{
	if (f->stream.ops->accept)
		return WASI_NOTCONN;
	return flags ? WASI_INVAL : wasi_stream_writev(k, f, v, done);
}

int wasi_socket_send_args(struct wasi_call *k, struct wasi_fd *f,
	uint32_t flags, uint32_t count)
{
	struct wasi_iovs v;
	size_t done;
	uint8_t *out = wasi_view(k, count, 4);
	int r = wasi_iovs_get(k, arg32(k, 1), arg32(k, 2), &v);
	if (r || !out)
		return WASI_FAULT;
	r = send_some(k, f, &v, flags, &done);
	if (!r)
		put_le(out, done, 4);
	return r;
}

int wasi_sock_send(struct wasi_call *k)
{
	struct wasi_fd *f;
	int r = wasi_socket_get(k, arg32(k, 0), RIGHT_FD_WRITE, &f);
	return r ? r : wasi_socket_send_args(k, f, arg32(k, 3), arg32(k, 4));
}

int wasi_sock_shutdown(struct wasi_call *k)
{
	struct wasi_fd *f;
	uint32_t how = arg32(k, 1);
	int r = wasi_socket_get(k, arg32(k, 0), RIGHT_SOCK_SHUTDOWN, &f);
	if (r)
		return r;
	if (how == 0 || how & ~(uint32_t)(SHUT_READ | SHUT_WRITE))
		return WASI_INVAL;
	if (!f->stream.ops->shutdown)
		return WASI_NOTCONN;
	return f->stream.ops->shutdown(f->stream.ctx,
		(how & SHUT_READ ? WASI_READY_READ : 0u) |
			(how & SHUT_WRITE ? WASI_READY_WRITE : 0u));
}
