/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run-time sockets as WasmEdge has them (its first version, which the crates
 * and libraries for it use), in wasi_snapshot_preview1:
 *
 *	address  u32 pointer to bytes, u32 their number: 4, 16, or 128 (u16
 *		 family first)
 *	addrinfo 28 bytes: u16 flags, u8 family, u8 type, u8 protocol, then
 *		 from 8 on u32 each: length, sockaddr, name, its length, next
 *	sockaddr 12 bytes: u8 family, u32 length, u32 pointer to the bytes of
 *		 a POSIX sockaddr behind its family
 */
#include "wasi/wasi_priv.h"

enum {
	FAMILY_ANY = 0,
	FAMILY_4 = 1,
	FAMILY_6 = 2,
	TYPE_STREAM = 2,
	PROTOCOL_TCP = 1,
	ADDRESS_LONG = 128,
	INFO_BYTES = 28,
	SOCKADDR_BYTES = 12,
	DATA_4 = 14,
	DATA_6 = 26,
	LEVEL_SOCKET = 0,
	TIMEVAL_BYTES = 16,
	BUFFER_BYTES = 64 << 10,
};

enum option {
	OPT_REUSEADDR = 0,
	OPT_TYPE = 1,
	OPT_ERROR = 2,
	OPT_SNDBUF = 5,
	OPT_RCVBUF = 6,
	OPT_KEEPALIVE = 7,
	OPT_RCVTIMEO = 11,
	OPT_SNDTIMEO = 12,
	OPT_ACCEPTCONN = 13,
};

/* --- addresses -------------------------------------------------------------
 */

/* The bytes that an address stands in. */
static int place(struct wasi_call *k, uint32_t at, uint8_t **ptr, uint32_t *len)
{
	const uint8_t *pair = wasi_view(k, at, 8);
	if (!pair)
		return WASI_FAULT;
	*len = (uint32_t)get_le(pair + 4, 4);
	if (*len != 4 && *len != 16 && *len != ADDRESS_LONG)
		return WASI_INVAL;
	*ptr = wasi_view(k, get_le(pair, 4), *len);
	return *ptr ? WASI_OK : WASI_FAULT;
}

static int read_address(struct wasi_call *k, uint32_t at, uint32_t port,
	struct wasi_address *out)
{
	uint8_t *p;
	uint32_t len;
	int r = place(k, at, &p, &len);
	if (r)
		return r;
	if (port > UINT16_MAX)
		return WASI_INVAL;
	if (len == ADDRESS_LONG) {
		uint64_t family = get_le(p, 2);
		if (family != FAMILY_4 && family != FAMILY_6)
			return WASI_AFNOSUPPORT;
		len = family == FAMILY_4 ? 4 : 16;
		p += 2;
	}
	wasi_address_set(out, bytes_of(p, len), port);
	return WASI_OK;
}

static void write_address(uint8_t *p, uint32_t len,
	const struct wasi_address *a, bool six)
{
	if (len == ADDRESS_LONG) {
		put_le(p, six ? FAMILY_6 : FAMILY_4, 2);
		p += 2;
	}
	struct bytes ip = wasi_address_ip(a, six);
	memcpy(p, ip.ptr, ip.len);
}

static bool is_six(const struct wasi_fd *f, const struct wasi_address *a)
{
	static const uint8_t none[16];
	return !wasi_address_is_v4(a) &&
		(f->six || memcmp(a->ip, none, sizeof none));
}

/* --- calls ------------------------------------------------------------------
 */

static int edge_open(struct wasi_call *k)
{
	uint32_t family = arg32(k, 0), type = arg32(k, 1);
	if (family > FAMILY_6)
		return WASI_AFNOSUPPORT;
	if (type != TYPE_STREAM)
		return WASI_PROTONOSUPPORT;
	return wasi_socket_open(k, family == FAMILY_6, arg32(k, 2));
}

static int edge_bind(struct wasi_call *k)
{
	struct wasi_fd *f;
	struct wasi_address a;
	int r = wasi_socket_get(k, arg32(k, 0), 0, &f);
	if (!r)
		r = read_address(k, arg32(k, 1), arg32(k, 2), &a);
	return r ? r : wasi_socket_bind(f, &a);
}

static int edge_connect(struct wasi_call *k)
{
	struct wasi_fd *f;
	struct wasi_address a;
	int r = wasi_socket_get(k, arg32(k, 0), 0, &f);
	if (!r)
		r = read_address(k, arg32(k, 1), arg32(k, 2), &a);
	return r ? r : wasi_socket_connect(k, f, &a);
}

static int recv_from(struct wasi_call *k, bool ports)
{
	struct wasi_fd *f;
	struct wasi_iovs v;
	uint8_t *addr;
	uint32_t len;
	size_t done;
	int r = wasi_socket_get(k, arg32(k, 0), RIGHT_FD_READ, &f);
	if (!r)
		r = place(k, arg32(k, 3), &addr, &len);
	if (r)
		return r;
	size_t at = ports ? 6 : 5;
	uint8_t *port = ports ? wasi_view(k, arg32(k, 5), 4) : NULL;
	uint8_t *len_out = wasi_view(k, arg32(k, at), 4);
	uint8_t *flags_out = wasi_view(k, arg32(k, at + 1), 4);
	r = wasi_iovs_get(k, arg32(k, 1), arg32(k, 2), &v);
	if (r || !len_out || !flags_out || (ports && !port))
		return WASI_FAULT;
	bool six = is_six(f, &f->peer);
	if (len < (six ? 16u : 4u))
		return WASI_INVAL;
	r = wasi_socket_recv(k, f, &v, arg32(k, 4), &done);
	if (r)
		return r;
	write_address(addr, len, &f->peer, six);
	if (port)
		put_le(port, f->peer.port, 4);
	put_le(len_out, done, 4);
	put_le(flags_out, 0, 4);
	return WASI_OK;
}

static int edge_recv_from(struct wasi_call *k)
{
	return recv_from(k, true);
}

/* As it was before ports. */
static int edge_recv_from_old(struct wasi_call *k)
{
	return recv_from(k, false);
}

/* A stream has one peer; the address is only looked at. */
static int edge_send_to(struct wasi_call *k)
{
	struct wasi_fd *f;
	struct wasi_address a;
	int r = wasi_socket_get(k, arg32(k, 0), RIGHT_FD_WRITE, &f);
	if (!r)
		r = read_address(k, arg32(k, 3), arg32(k, 4), &a);
	return r ? r : wasi_socket_send_args(k, f, arg32(k, 5), arg32(k, 6));
}

static int name_of(struct wasi_call *k, bool local)
{
	struct wasi_fd *f;
	uint8_t *addr;
	uint32_t len;
	int r = wasi_socket_get(k, arg32(k, 0), 0, &f);
	if (!r)
		r = place(k, arg32(k, 1), &addr, &len);
	if (r)
		return r;
	uint8_t *type = wasi_view(k, arg32(k, 2), 4);
	uint8_t *port = wasi_view(k, arg32(k, 3), 4);
	if (!type || !port)
		return WASI_FAULT;
	const struct wasi_address *a = local ? &f->local : &f->peer;
	bool six = is_six(f, a);
	if (!local && !f->stream.ops->shutdown)
		return WASI_NOTCONN;
	if (len < (six ? 16u : 4u))
		return WASI_INVAL;
	write_address(addr, len, a, six);
	put_le(type, six ? 6 : 4, 4);
	put_le(port, a->port, 4);
	return WASI_OK;
}

static int edge_getlocaladdr(struct wasi_call *k)
{
	return name_of(k, true);
}

static int edge_getpeeraddr(struct wasi_call *k)
{
	return name_of(k, false);
}

/* --- options ----------------------------------------------------------------
 */

static uint64_t timeval_ns(const uint8_t *p)
{
	uint64_t s = get_le(p, 8), us = get_le(p + 8, 8);
	if (s > UINT64_MAX / 4000000000u || us >= 1000000)
		return UINT64_MAX;
	return s * 1000000000u + us * 1000;
}

static int edge_setsockopt(struct wasi_call *k)
{
	struct wasi_fd *f;
	uint32_t len = arg32(k, 4);
	int r = wasi_socket_get(k, arg32(k, 0), 0, &f);
	if (r)
		return r;
	const uint8_t *p = wasi_view(k, arg32(k, 3), len);
	if (!p)
		return WASI_FAULT;
	if (arg32(k, 1) != LEVEL_SOCKET)
		return WASI_NOPROTOOPT;
	uint64_t *to = &f->send_ns;
	switch (arg32(k, 2)) {
	case OPT_REUSEADDR:
	case OPT_SNDBUF:
	case OPT_RCVBUF:
	case OPT_KEEPALIVE:
		/* The host's sockets are not the program's. */
		return len == 4 ? WASI_OK : WASI_INVAL;
	case OPT_RCVTIMEO:
		to = &f->recv_ns;
		FALLTHROUGH;
	case OPT_SNDTIMEO:
		if (len != TIMEVAL_BYTES || timeval_ns(p) == UINT64_MAX)
			return WASI_INVAL;
		*to = timeval_ns(p);
		return WASI_OK;
	default:
		return WASI_NOPROTOOPT;
	}
}

static int number_of(const struct wasi_fd *f, uint32_t option, uint32_t *out)
{
	switch (option) {
	case OPT_REUSEADDR:
		*out = 1;
		return WASI_OK;
	case OPT_TYPE:
		*out = TYPE_STREAM;
		return WASI_OK;
	case OPT_ERROR:
		*out = (uint32_t)wasi_socket_error(f);
		return WASI_OK;
	case OPT_SNDBUF:
	case OPT_RCVBUF:
		*out = BUFFER_BYTES;
		return WASI_OK;
	case OPT_KEEPALIVE:
		*out = 0;
		return WASI_OK;
	case OPT_ACCEPTCONN:
		*out = f->stream.ops->accept != NULL;
		return WASI_OK;
	default:
		return WASI_NOPROTOOPT;
	}
}

static int edge_getsockopt(struct wasi_call *k)
{
	struct wasi_fd *f;
	uint32_t option = arg32(k, 2), number = 0;
	int r = wasi_socket_get(k, arg32(k, 0), 0, &f);
	if (r)
		return r;
	uint8_t *len = wasi_view(k, arg32(k, 4), 4);
	bool time = option == OPT_RCVTIMEO || option == OPT_SNDTIMEO;
	uint32_t need = time ? TIMEVAL_BYTES : 4;
	uint8_t *p = wasi_view(k, arg32(k, 3), need);
	if (!len || !p)
		return WASI_FAULT;
	if (arg32(k, 1) != LEVEL_SOCKET)
		return WASI_NOPROTOOPT;
	r = time ? WASI_OK : number_of(f, option, &number);
	if (r || get_le(len, 4) < need)
		return r ? r : WASI_INVAL;
	if (time) {
		uint64_t ns = option == OPT_RCVTIMEO ? f->recv_ns : f->send_ns;
		put_le(p, ns / 1000000000u, 8);
		put_le(p + 8, ns % 1000000000u / 1000, 8);
	} else {
		put_le(p, number, 4);
	}
	put_le(len, need, 4);
	return WASI_OK;
}

/* --- names ------------------------------------------------------------------
 */

static struct bytes without_nul(struct bytes in)
{
	const uint8_t *end = in.len ? memchr(in.ptr, 0, in.len) : NULL;
	return end ? bytes_of(in.ptr, (size_t)(end - in.ptr)) : in;
}

static int text_at(struct wasi_call *k, uint32_t at, uint32_t len,
	struct bytes *out)
{
	const uint8_t *p = wasi_view(k, at, len);
	*out = without_nul(bytes_of(p, p ? len : 0));
	return p ? WASI_OK : WASI_FAULT;
}

/* What a POSIX sockaddr has behind its family. */
static size_t sockaddr_data(const struct wasi_address *a, bool six,
	uint8_t out[DATA_6])
{
	memset(out, 0, DATA_6);
	out[0] = (uint8_t)(a->port >> 8);
	out[1] = (uint8_t)a->port;
	struct bytes ip = wasi_address_ip(a, six);
	memcpy(out + (six ? 6 : 2), ip.ptr, ip.len);
	return six ? DATA_6 : DATA_4;
}

/* One entry of the list that the program laid out. */
static int fill_info(struct wasi_call *k, uint8_t *info,
	const struct wasi_address *a)
{
	bool six = !wasi_address_is_v4(a);
	uint8_t data[DATA_6];
	size_t n = sockaddr_data(a, six, data);
	uint8_t *sock = wasi_view(k, get_le(info + 12, 4), SOCKADDR_BYTES);
	uint8_t *to = sock ? wasi_view(k, get_le(sock + 8, 4), n) : NULL;
	if (!to)
		return WASI_FAULT;
	put_le(info, 0, 2);
	info[2] = six ? FAMILY_6 : FAMILY_4;
	info[3] = TYPE_STREAM;
	info[4] = PROTOCOL_TCP;
	put_le(info + 8, six ? 28 : 16, 4);
	put_le(info + 20, 0, 4);
	sock[0] = info[2];
	put_le(sock + 4, n, 4);
	memcpy(to, data, n);
	return WASI_OK;
}

static int edge_getaddrinfo(struct wasi_call *k)
{
	struct wasi_address found[WASI_ADDRESSES];
	struct bytes name, service;
	size_t n, given = 0;
	int r = text_at(k, arg32(k, 0), arg32(k, 1), &name);
	if (!r)
		r = text_at(k, arg32(k, 2), arg32(k, 3), &service);
	if (r)
		return r;
	const uint8_t *hints = wasi_view(k, arg32(k, 4), INFO_BYTES);
	const uint8_t *list = wasi_view(k, arg32(k, 5), 4);
	uint8_t *count = wasi_view(k, arg32(k, 7), 4);
	if (!hints || !list || !count)
		return WASI_FAULT;
	uint8_t family = hints[2];
	r = wasi_socket_resolve(k, name, service, found, &n);
	uint64_t at = get_le(list, 4);
	for (size_t i = 0; !r && i < n && given < arg32(k, 6) && at; i++) {
		bool six = !wasi_address_is_v4(&found[i]);
		uint8_t *info = wasi_view(k, at, INFO_BYTES);
		if (family != FAMILY_ANY && six != (family == FAMILY_6))
			continue;
		r = info ? fill_info(k, info, &found[i]) : WASI_FAULT;
		at = info ? get_le(info + 24, 4) : 0;
		given++;
	}
	if (!r)
		put_le(count, given, 4);
	return r;
}

const struct wasi_func wasi_edge_funcs[] = {
	{ "sock_open", "iii:i", edge_open },
	{ "sock_bind", "iii:i", edge_bind },
	{ "sock_connect", "iii:i", edge_connect },
	{ "sock_recv_from", "iiiiiiii:i", edge_recv_from },
	{ "sock_recv_from", "iiiiiii:i", edge_recv_from_old },
	{ "sock_send_to", "iiiiiii:i", edge_send_to },
	{ "sock_getlocaladdr", "iiii:i", edge_getlocaladdr },
	{ "sock_getpeeraddr", "iiii:i", edge_getpeeraddr },
	{ "sock_getsockopt", "iiiii:i", edge_getsockopt },
	{ "sock_setsockopt", "iiiii:i", edge_setsockopt },
	{ "sock_getaddrinfo", "iiiiiiii:i", edge_getaddrinfo },
	{ NULL, NULL, NULL },
};
