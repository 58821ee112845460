/* SPDX-License-Identifier: Apache-2.0 */
#include "../test.h"
#include "helpers/guest.h"

enum { ADDR = 0x200, LIST = 0x400, HINTS = 0x300 };

static const uint8_t ten[24] = { 0, 0, 0, 0, 10, 0, 0, 7, 0xbb, 1 };
static const uint8_t doc[24] = { 1, 0, 0, 0, 0x01, 0x20, 0xb8,
	0x0d, [18] = 1, [20] = 0xbb, 1 };

static uint32_t open_one(struct guest *g)
{
	CHECK_INT(CALL(g, sock_open, UINT32_MAX, 0, 1, GUEST_OUT), 0);
	return (uint32_t)guest_get(g, GUEST_OUT, 4);
}

TEST(sockets_of_a_pool_are_streams)
{
	struct guest *g = guest_new();
	CHECK_INT(CALL(g, sock_open, 0, 2, 1, GUEST_OUT), WASI_AFNOSUPPORT);
	CHECK_INT(CALL(g, sock_open, 0, 0, 0, GUEST_OUT), WASI_PROTONOSUPPORT);
	CHECK_INT(CALL(g, sock_close, open_one(g)), 0);
	CHECK_INT(open_one(g), GUEST_FREE);
	guest_free(g);
}

TEST(addresses_are_numbers_in_the_programs_order)
{
	struct guest *g = guest_new();
	uint32_t fd = open_one(g);
	guest_put(g, ADDR, doc, sizeof doc);
	CHECK_INT(CALL(g, sock_connect, fd, ADDR), 0);
	CHECK_MEM(g->asked.ip, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	CHECK_INT(g->asked.port, 443);
	CHECK_INT(CALL(g, sock_addr_remote, fd, LIST), 0);
	CHECK_MEM(g->caller.memory + LIST, doc, sizeof doc);
	fd = open_one(g);
	CHECK_INT(CALL(g, sock_addr_remote, fd, LIST), WASI_NOTCONN);
	guest_put(g, ADDR, ten, sizeof ten);
	CHECK_INT(CALL(g, sock_bind, fd, ADDR), 0);
	CHECK_INT(CALL(g, sock_addr_local, fd, LIST), 0);
	CHECK_MEM(g->caller.memory + LIST, ten, sizeof ten);
	CHECK_INT(CALL(g, sock_listen, fd, 1), 0);
	CHECK_INT(g->asked.port, 443);
	guest_set(g, ADDR, 2, 4);
	CHECK_INT(CALL(g, sock_connect, open_one(g), ADDR), WASI_AFNOSUPPORT);
	CHECK_INT(CALL(g, sock_connect, open_one(g), GUEST_MEMORY - 23),
		WASI_FAULT);
	guest_free(g);
}

TEST(bytes_go_to_the_peer_whatever_address_they_name)
{
	struct guest *g = guest_new();
	uint32_t fd = open_one(g);
	guest_put(g, ADDR, ten, sizeof ten);
	CHECK_INT(CALL(g, sock_connect, fd, ADDR), 0);
	uint32_t at = guest_text(g, "question");
	CHECK_INT(CALL(g, sock_send_to, fd, guest_iov(g, at, 8), 1, 0, ADDR,
			  GUEST_OUT),
		0);
	CHECK_STR(buf_cstr(&g->dialled.out), "question");
	buf_str(&g->dialled.in, "answer");
	CHECK_INT(CALL(g, sock_recv_from, fd, guest_iov(g, GUEST_READ_AT, 9), 1,
			  0, LIST, GUEST_OUT),
		0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), 6);
	CHECK_MEM(g->caller.memory + LIST, ten, sizeof ten);
	guest_free(g);
}

static int look_up(struct guest *g, const char *name, int family, uint32_t max)
{
	uint32_t at = guest_text(g, name);
	guest_text(g, "\1"); /* something behind it */
	guest_set(g, at + (uint32_t)strlen(name), 0, 1);
	uint32_t service = 0x7000;
	guest_put(g, service, "https", 6);
	guest_set(g, HINTS + 4, family > 0 ? 1 : 0, 4);
	guest_set(g, HINTS + 8, family >= 0, 1);
	int r = CALL(g, sock_addr_resolve, at, service, HINTS, LIST, max,
		GUEST_OUT);
	return r ? -r : (int)guest_get(g, GUEST_OUT, 4);
}

TEST(names_become_arrays_of_addresses)
{
	static const uint8_t first[28] = { 0, 0, 0, 0, 10, 0, 0, 1, 0xbb,
		1, [24] = 1 };
	struct guest *g = guest_new();
	CHECK_INT(look_up(g, "both", -1, 4), 2);
	CHECK_MEM(g->caller.memory + LIST, first, sizeof first);
	CHECK_MEM(g->caller.memory + LIST + 28, doc, sizeof doc);
	CHECK_INT(look_up(g, "both", 0, 4), 1);
	CHECK_INT(look_up(g, "both", 1, 4), 1);
	CHECK_MEM(g->caller.memory + LIST, doc, sizeof doc);
	/* How many there would be. */
	guest_set(g, LIST, 0x55, 1);
	CHECK_INT(look_up(g, "both", -1, 0), 2);
	CHECK_INT(guest_get(g, LIST, 1), 0x55);
	CHECK_INT(look_up(g, "nobody", -1, 4), -WASI_HOSTUNREACH);
	CHECK_INT(look_up(g, "both", -1, 1 << 20), -WASI_FAULT);
	guest_free(g);
}

TEST(a_name_without_an_end_is_refused)
{
	struct guest *g = guest_new();
	memset(g->caller.memory + 0x9000, 'a', 0x200);
	CHECK_INT(CALL(g, sock_addr_resolve, 0x9000, 0x7000, HINTS, LIST, 1,
			  GUEST_OUT),
		WASI_NAMETOOLONG);
	memset(g->caller.memory + GUEST_MEMORY - 16, 'a', 16);
	CHECK_INT(CALL(g, sock_addr_resolve, GUEST_MEMORY - 16, 0x7000, HINTS,
			  LIST, 1, GUEST_OUT),
		WASI_FAULT);
	guest_free(g);
}

TEST(options_are_set_where_they_mean_something)
{
	struct guest *g = guest_new();
	uint32_t fd = open_one(g);
	guest_put(g, ADDR, ten, sizeof ten);
	CHECK_INT(CALL(g, sock_connect, fd, ADDR), 0);
	CHECK_INT(CALL(g, sock_set_recv_timeout, fd, 3000), 0);
	CHECK_INT(CALL(g, sock_get_recv_timeout, fd, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 8), 3000);
	CHECK_INT(CALL(g, sock_set_send_timeout, fd, UINT64_MAX), WASI_INVAL);
	CHECK_INT(CALL(g, sock_get_send_timeout, fd, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 8), 0);
	uint64_t before = g->mono;
	CHECK_INT(guest_read(g, fd, 1), -WASI_AGAIN);
	CHECK_INT(g->mono - before, 3000000);
	CHECK_INT(CALL(g, sock_set_reuse_addr, fd, 1), 0);
	CHECK_INT(CALL(g, sock_get_reuse_addr, fd, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 1), 1);
	CHECK_INT(CALL(g, sock_get_send_buf_size, fd, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), 65536);
	CHECK_INT(CALL(g, sock_set_ip_ttl, fd, 3), WASI_NOPROTOOPT);
	CHECK_INT(CALL(g, sock_set_ip_ttl, GUEST_DIR, 3), WASI_NOTSOCK);
	guest_free(g);
}
