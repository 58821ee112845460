/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run-time sockets as WAMR has them (its library of socket functions for
 * wasi-libc), in wasi_snapshot_preview1:
 *
 *	addr  24 bytes: u32 kind (0: IPv4, 1: IPv6), then the address (IPv4: 4
 *	      bytes; IPv6: 8 numbers of 16 bits) and u16 port
 *	info  28 bytes: addr, u32 type
 *	hints 12 bytes: u32 type, u32 family, u8 whether they count
 */
#include "wasi/wasi_priv.h"

enum {
	KIND_4 = 0,
	KIND_6 = 1,
	TYPE_STREAM = 1,
	ADDR_BYTES = 24,
	INFO_BYTES = 28,
	HINT_BYTES = 12,
	NAME_MAX = 253,
	BUFFER_BYTES = 64 << 10,
};

/* --- addresses -------------------------------------------------------------
 */

/* Numbers in the program's order, bytes in the network's. */
static void swap_pairs(uint8_t to[16], const uint8_t from[16])
{
	for (size_t i = 0; i < 16; i++)
		to[i] = from[i ^ 1];
}

static int read_address(struct wasi_call *k, uint32_t at,
	struct wasi_address *out)
{
	const uint8_t *p = wasi_view(k, at, ADDR_BYTES);
	uint8_t ip[16];
	if (!p)
		return WASI_FAULT;
	switch (get_le(p, 4)) {
	case KIND_4:
		wasi_address_set(out, bytes_of(p + 4, 4),
			(uint32_t)get_le(p + 8, 2));
		return WASI_OK;
	case KIND_6:
		swap_pairs(ip, p + 4);
		wasi_address_set(out, BYTES_ARRAY(ip),
			(uint32_t)get_le(p + 20, 2));
		return WASI_OK;
	default:
		return WASI_AFNOSUPPORT;
	}
}

static void write_address(uint8_t *p, const struct wasi_address *a, bool six)
{
	struct bytes ip = wasi_address_ip(a, six);
	memset(p, 0, ADDR_BYTES);
	put_le(p, six ? KIND_6 : KIND_4, 4);
	if (six)
		swap_pairs(p + 4, ip.ptr);
	else
		memcpy(p + 4, ip.ptr, ip.len);
	put_le(p + (six ? 20 : 8), a->port, 2);
}

static bool is_six(const struct wasi_fd *f, const struct wasi_address *a)
{
	static const uint8_t none[16];
	return !wasi_address_is_v4(a) &&
		(f->six || memcmp(a->ip, none, sizeof none));
}

/* --- calls ------------------------------------------------------------------
 */

/* The first argument names a pool of addresses: ours are the rules. */
static int wamr_open(struct wasi_call *k)
{
	if (arg32(k, 1) > KIND_6)
		return WASI_AFNOSUPPORT;
	if (arg32(k, 2) != TYPE_STREAM)
		return WASI_PROTONOSUPPORT;
	return wasi_socket_open(k, arg32(k, 1) == KIND_6, arg32(k, 3));
}

static int wamr_bind(struct wasi_call *k)
{
	struct wasi_fd *f;
	struct wasi_address a;
	int r = wasi_socket_get(k, arg32(k, 0), 0, &f);
	if (!r)
		r = read_address(k, arg32(k, 1), &a);
	return r ? r : wasi_socket_bind(f, &a);
}

static int wamr_connect(struct wasi_call *k)
{
	struct wasi_fd *f;
	struct wasi_address a;
	int r = wasi_socket_get(k, arg32(k, 0), 0, &f);
	if (!r)
		r = read_address(k, arg32(k, 1), &a);
	return r ? r : wasi_socket_connect(k, f, &a);
}

static int name_of(struct wasi_call *k, bool local)
{
	struct wasi_fd *f;
	int r = wasi_socket_get(k, arg32(k, 0), 0, &f);
	if (r)
		return r;
	uint8_t *p = wasi_view(k, arg32(k, 1), ADDR_BYTES);
	if (!p)
		return WASI_FAULT;
	if (!local && !f->stream.ops->shutdown)
		return WASI_NOTCONN;
	const struct wasi_address *a = local ? &f->local : &f->peer;
	write_address(p, a, is_six(f, a));
	return WASI_OK;
}

static int wamr_addr_local(struct wasi_call *k)
{
	return name_of(k, true);
}

static int wamr_addr_remote(struct wasi_call *k)
{
	return name_of(k, false);
}

static int wamr_recv_from(struct wasi_call *k)
{
	struct wasi_fd *f;
	struct wasi_iovs v;
	size_t done;
	int r = wasi_socket_get(k, arg32(k, 0), RIGHT_FD_READ, &f);
	if (r)
		return r;
	uint8_t *from = wasi_view(k, arg32(k, 4), ADDR_BYTES);
	uint8_t *out = wasi_view(k, arg32(k, 5), 4);
	r = wasi_iovs_get(k, arg32(k, 1), arg32(k, 2), &v);
	if (r || !from || !out)
		return WASI_FAULT;
	r = wasi_socket_recv(k, f, &v, arg32(k, 3), &done);
	if (r)
		return r;
	write_address(from, &f->peer, is_six(f, &f->peer));
	put_le(out, done, 4);
	return WASI_OK;
}

/* A stream has one peer; the address is only looked at. */
static int wamr_send_to(struct wasi_call *k)
{
	struct wasi_fd *f;
	struct wasi_address a;
	int r = wasi_socket_get(k, arg32(k, 0), RIGHT_FD_WRITE, &f);
	if (!r)
		r = read_address(k, arg32(k, 4), &a);
	return r ? r : wasi_socket_send_args(k, f, arg32(k, 3), arg32(k, 5));
}

static int wamr_addr_resolve(struct wasi_call *k)
{
	struct wasi_address found[WASI_ADDRESSES];
	struct bytes name, service;
	size_t n = 0, given = 0;
	uint32_t room = arg32(k, 4);
	int r = wasi_text(k, arg32(k, 0), NAME_MAX, &name);
	if (!r)
		r = wasi_text(k, arg32(k, 1), NAME_MAX, &service);
	if (r)
		return r;
	const uint8_t *hints = wasi_view(k, arg32(k, 2), HINT_BYTES);
	uint8_t *out = wasi_view(k, arg32(k, 3), (uint64_t)room * INFO_BYTES);
	uint8_t *count = wasi_view(k, arg32(k, 5), 4);
	if (!hints || !out || !count)
		return WASI_FAULT;
	bool any = !hints[8], want_six = get_le(hints + 4, 4) == KIND_6;
	r = wasi_socket_resolve(k, name, service, found, &n);
	for (size_t i = 0; !r && i < n; i++) {
		bool six = !wasi_address_is_v4(&found[i]);
		if (!any && six != want_six)
			continue;
		if (given < room) {
			write_address(out + given * INFO_BYTES, &found[i], six);
			put_le(out + given * INFO_BYTES + ADDR_BYTES,
				TYPE_STREAM, 4);
		}
		given++;
	}
	if (!r)
		put_le(count, given, 4);
	return r;
}

/* --- options ----------------------------------------------------------------
 */

/* fd, value: of sockets that are the host's.  Nothing to do. */
static int wamr_set_nothing(struct wasi_call *k)
{
	struct wasi_fd *f;
	return wasi_socket_get(k, arg32(k, 0), 0, &f);
}

static int get_number(struct wasi_call *k, uint64_t v, size_t size)
{
	struct wasi_fd *f;
	int r = wasi_socket_get(k, arg32(k, 0), 0, &f);
	if (r)
		return r;
	uint8_t *out = wasi_view(k, arg32(k, 1), size);
	if (!out)
		return WASI_FAULT;
	put_le(out, v, size);
	return WASI_OK;
}

static int wamr_get_yes(struct wasi_call *k)
{
	return get_number(k, 1, 1);
}

static int wamr_get_no(struct wasi_call *k)
{
	return get_number(k, 0, 1);
}

static int wamr_get_buffer(struct wasi_call *k)
{
	return get_number(k, BUFFER_BYTES, 4);
}

static int set_time(struct wasi_call *k, bool receive)
{
	struct wasi_fd *f;
	uint64_t us = k->arg[1];
	int r = wasi_socket_get(k, arg32(k, 0), 0, &f);
	if (r)
		return r;
	if (us > UINT64_MAX / 1000)
		return WASI_INVAL;
	*(receive ? &f->recv_ns : &f->send_ns) = us * 1000;
	return WASI_OK;
}

static int get_time(struct wasi_call *k, bool receive)
{
	struct wasi_fd *f;
	int r = wasi_socket_get(k, arg32(k, 0), 0, &f);
	if (r)
		return r;
	return get_number(k, (receive ? f->recv_ns : f->send_ns) / 1000, 8);
}

static int wamr_set_recv_timeout(struct wasi_call *k)
{
	return set_time(k, true);
}

static int wamr_set_send_timeout(struct wasi_call *k)
{
	return set_time(k, false);
}

static int wamr_get_recv_timeout(struct wasi_call *k)
{
	return get_time(k, true);
}

static int wamr_get_send_timeout(struct wasi_call *k)
{
	return get_time(k, false);
}

/* There so that libraries link which could ask for it. */
static int wamr_none(struct wasi_call *k)
{
	struct wasi_fd *f;
	int r = wasi_socket_get(k, arg32(k, 0), 0, &f);
	return r ? r : WASI_NOPROTOOPT;
}

const struct wasi_func wasi_wamr_funcs[] = {
	{ "sock_open", "iiii:i", wamr_open },
	{ "sock_bind", "ii:i", wamr_bind },
	{ "sock_connect", "ii:i", wamr_connect },
	{ "sock_addr_local", "ii:i", wamr_addr_local },
	{ "sock_addr_remote", "ii:i", wamr_addr_remote },
	{ "sock_addr_resolve", "iiiiii:i", wamr_addr_resolve },
	{ "sock_recv_from", "iiiiii:i", wamr_recv_from },
	{ "sock_send_to", "iiiiii:i", wamr_send_to },
	{ "sock_close", "i:i", wasi_fd_close },
	{ "sock_set_reuse_addr", "ii:i", wamr_set_nothing },
	{ "sock_get_reuse_addr", "ii:i", wamr_get_yes },
	{ "sock_set_reuse_port", "ii:i", wamr_set_nothing },
	{ "sock_get_reuse_port", "ii:i", wamr_get_no },
	{ "sock_set_keep_alive", "ii:i", wamr_set_nothing },
	{ "sock_get_keep_alive", "ii:i", wamr_get_no },
	{ "sock_set_tcp_no_delay", "ii:i", wamr_set_nothing },
	{ "sock_get_tcp_no_delay", "ii:i", wamr_get_yes },
	{ "sock_set_recv_buf_size", "ii:i", wamr_set_nothing },
	{ "sock_get_recv_buf_size", "ii:i", wamr_get_buffer },
	{ "sock_set_send_buf_size", "ii:i", wamr_set_nothing },
	{ "sock_get_send_buf_size", "ii:i", wamr_get_buffer },
	{ "sock_set_recv_timeout", "iI:i", wamr_set_recv_timeout },
	{ "sock_get_recv_timeout", "ii:i", wamr_get_recv_timeout },
	{ "sock_set_send_timeout", "iI:i", wamr_set_send_timeout },
	{ "sock_get_send_timeout", "ii:i", wamr_get_send_timeout },
#define NONE2(name)                             \
	{                                       \
		"sock_" name, "ii:i", wamr_none \
	}
#define NONE3(name)                              \
	{                                        \
		"sock_" name, "iii:i", wamr_none \
	}
	NONE2("set_linger"),
	NONE2("get_linger"),
	NONE3("set_linger"),
	NONE3("get_linger"),
	NONE2("set_broadcast"),
	NONE2("get_broadcast"),
	NONE2("set_tcp_keep_idle"),
	NONE2("get_tcp_keep_idle"),
	NONE2("set_tcp_keep_intvl"),
	NONE2("get_tcp_keep_intvl"),
	NONE2("set_tcp_quick_ack"),
	NONE2("get_tcp_quick_ack"),
	NONE2("set_tcp_fastopen_connect"),
	NONE2("get_tcp_fastopen_connect"),
	NONE2("set_ip_ttl"),
	NONE2("get_ip_ttl"),
	NONE2("set_ip_multicast_ttl"),
	NONE2("get_ip_multicast_ttl"),
	NONE2("set_ip_multicast_loop"),
	NONE2("get_ip_multicast_loop"),
	NONE3("set_ip_multicast_loop"),
	NONE3("get_ip_multicast_loop"),
	NONE2("set_ip_add_membership"),
	NONE2("set_ip_drop_membership"),
	NONE3("set_ip_add_membership"),
	NONE3("set_ip_drop_membership"),
	NONE2("set_ipv6_only"),
	NONE2("get_ipv6_only"),
	{ NULL, NULL, NULL },
};
