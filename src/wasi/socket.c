/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets that programs open themselves, below the two dialects of
 * socket_edge.c and socket_wamr.c: streams only, each `idle` until it listens
 * or connects.
 */
#include "wasi/wasi_priv.h"

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

bool wasi_address_is_v4(const struct wasi_address *a)
{
	return !memcmp(a->ip, mapped, sizeof mapped);
}

void wasi_address_set(struct wasi_address *a, struct bytes ip, uint32_t port)
{
	*a = (struct wasi_address){ .port = (uint16_t)port };
	if (ip.len == 4)
		memcpy(a->ip, mapped, sizeof mapped);
	memcpy(a->ip + sizeof a->ip - ip.len, ip.ptr, ip.len);
}

struct bytes wasi_address_ip(const struct wasi_address *a, bool six)
{
	size_t n = six ? sizeof a->ip : 4;
	return bytes_of(a->ip + sizeof a->ip - n, n);
}

/* --- neither listening nor connected ------------------------------------- */

static int64_t idle_read(void *ctx, uint8_t *to, size_t n)
{
	(void)ctx, (void)to, (void)n;
	return -WASI_NOTCONN;
}

static int64_t idle_write(void *ctx, const uint8_t *from, size_t n)
{
	(void)ctx, (void)from, (void)n;
	return -WASI_NOTCONN;
}

static unsigned idle_ready(void *ctx)
{
	(void)ctx;
	return WASI_READY_READ | WASI_READY_WRITE | WASI_READY_HANGUP;
}

static const struct wasi_stream_ops idle_ops = { .read = idle_read,
	.write = idle_write,
	.ready = idle_ready };

static void make_idle(struct wasi_fd *f)
{
	if (f->stream.ops && f->stream.ops->close)
		f->stream.ops->close(f->stream.ctx);
	f->stream = (struct wasi_stream){ .ops = &idle_ops, .socket = true };
}

/* --- what a program does with one ----------------------------------------- */

int wasi_socket_open(struct wasi_call *k, bool six, uint32_t at)
{
	struct wasi_fd *f;
	uint32_t fd;
	uint8_t *out = wasi_view(k, at, 4);
	if (!out)
		return WASI_FAULT;
	int r = wasi_fd_new(k->w, &fd, &f);
	if (r)
		return r;
	make_idle(f);
	f->kind = WASI_STREAM;
	f->six = six;
	f->base = RIGHTS_SOCKET | RIGHT_FD_READ | RIGHT_FD_WRITE;
	wasi_fd_set(k->w, fd, f);
	put_le(out, fd, 4);
	return WASI_OK;
}

int wasi_socket_bind(struct wasi_fd *f, const struct wasi_address *a)
{
	if (f->stream.ops != &idle_ops)
		return WASI_INVAL;
	f->local = *a;
	return WASI_OK;
}

int wasi_socket_listen(struct wasi_call *k, struct wasi_fd *f)
{
	const struct wasi_net *net = k->w->net;
	if (f->stream.ops->accept)
		return WASI_OK;
	if (f->stream.ops != &idle_ops)
		return WASI_INVAL;
	if (!f->local.port)
		return WASI_DESTADDRREQ; /* which port is part of the rules */
	if (!net)
		return WASI_ACCES;
	struct wasi_stream got;
	int r = net->listen(net->ctx, &f->local, &got);
	if (r)
		return r;
	f->stream = got;
	f->stream.socket = true;
	return WASI_OK;
}

static int connect_again(const struct wasi_fd *f)
{
	if (f->stream.ops->accept)
		return WASI_INVAL;
	if (!f->stream.ops->connected)
		return WASI_ISCONN;
	int r = f->stream.ops->connected(f->stream.ctx);
	if (r == WASI_OK)
		return WASI_ISCONN;
	return r == WASI_AGAIN ? WASI_ALREADY : r;
}

static int connect_wait(struct wasi_call *k, struct wasi_fd *f)
{
	for (;;) {
		int r = f->stream.ops->connected(f->stream.ctx);
		if (r != WASI_AGAIN)
			return r;
		if (f->flags & FDFLAG_NONBLOCK)
			return WASI_INPROGRESS;
		r = wasi_wait_within(k, f->send_ns);
		if (r)
			return r == WASI_AGAIN ? WASI_TIMEDOUT : r;
	}
}

static int connect_finish(struct wasi_call *k, struct wasi_fd *f)
{
	int r = connect_wait(k, f);
	if (r && r != WASI_INPROGRESS && !k->ended)
		make_idle(f);
	return r;
}

int wasi_socket_connect(struct wasi_call *k, struct wasi_fd *f,
	const struct wasi_address *a)
{
	const struct wasi_net *net = k->w->net;
	struct wasm_kept *kept = wasm_caller_kept(k->caller);
	if (kept->done && f->stream.ops->connected)
		return connect_finish(k, f);
	if (f->stream.ops != &idle_ops)
		return connect_again(f);
	if (!a->port)
		return WASI_ADDRNOTAVAIL;
	if (!net)
		return WASI_ACCES;
	struct wasi_stream got;
	int r = net->connect(net->ctx, a, &got);
	if (r)
		return r;
	f->stream = got;
	f->stream.socket = true;
	f->peer = *a;
	kept->done = 1;
	return connect_finish(k, f);
}

int wasi_socket_error(const struct wasi_fd *f)
{
	int r = f->stream.ops->connected ?
		f->stream.ops->connected(f->stream.ctx) :
		WASI_OK;
	return r == WASI_AGAIN ? WASI_OK : r;
}

/* --- names -----------------------------------------------------------------
 */

/* A number, or a name that everybody knows; false: neither. */
static bool port_of(struct bytes service, uint16_t *port)
{
	static const struct {
		const char *name;
		uint16_t port;
	} known[] = { { "", 0 }, { "http", 80 }, { "https", 443 } };
	uint32_t n = 0;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (bytes_equal(service, bytes_str(known[i].name))) {
			*port = known[i].port;
			return true;
		}
	for (size_t i = 0; i < service.len; i++) {
		uint8_t c = service.ptr[i];
		if (c < '0' || c > '9' || n > UINT16_MAX)
			return false;
		n = n * 10 + (c - '0');
	}
	*port = (uint16_t)n;
	return n <= UINT16_MAX;
}

int wasi_socket_resolve(struct wasi_call *k, struct bytes name,
	struct bytes service, struct wasi_address out[WASI_ADDRESSES],
	size_t *n)
{
	const struct wasi_net *net = k->w->net;
	uint16_t port;
	if (!port_of(service, &port))
		return WASI_INVAL;
	if (!net)
		return WASI_ACCES;
	for (;;) {
		*n = WASI_ADDRESSES;
		int r = net->resolve(net->ctx, name, out, n);
		for (size_t i = 0; !r && i < *n; i++)
			out[i].port = port;
		if (r != WASI_AGAIN)
			return r;
		r = wasi_wait(k, UINT64_MAX);
		if (r)
			return r;
	}
}

/* --- what both dialects have ---------------------------------------------- */

static int socket_listen(struct wasi_call *k)
{
	struct wasi_fd *f;
	int r = wasi_socket_get(k, arg32(k, 0), RIGHT_SOCK_ACCEPT, &f);
	return r ? r : wasi_socket_listen(k, f);
}

/* The one of preview 1 has flags; this one is older. */
static int socket_accept(struct wasi_call *k)
{
	return wasi_socket_accept(k, arg32(k, 0), 0, arg32(k, 1));
}

const struct wasi_func wasi_socket_funcs[] = {
	{ "sock_listen", "ii:i", socket_listen },
	{ "sock_accept", "ii:i", socket_accept },
	{ NULL, NULL, NULL },
};
