/* SPDX-License-Identifier: Apache-2.0 */
#include "../test.h"
#include "helpers/guest.h"

enum { ADDR = 0x200, BYTES = 0x210, TYPE = 0x2a0, PORT = 0x2a4 };

static uint32_t address(struct guest *g, const char *ip, uint32_t n)
{
	guest_put(g, BYTES, ip, n);
	guest_set(g, ADDR, BYTES, 4);
	guest_set(g, ADDR + 4, n, 4);
	return ADDR;
}

static uint32_t open_one(struct guest *g, unsigned family)
{
	CHECK_INT(CALL(g, sock_open, family, 2, GUEST_OUT), 0);
	return (uint32_t)guest_get(g, GUEST_OUT, 4);
}

TEST(families_and_types_that_are_not_there)
{
	struct guest *g = guest_new();
	CHECK_INT(CALL(g, sock_open, 3, 2, GUEST_OUT), WASI_AFNOSUPPORT);
	CHECK_INT(CALL(g, sock_open, 1, 1, GUEST_OUT), WASI_PROTONOSUPPORT);
	CHECK_INT(CALL(g, sock_open, 1, 2, GUEST_MEMORY - 3), WASI_FAULT);
	CHECK_INT(CALL(g, sock_open, 1, 2, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), GUEST_FREE);
	guest_free(g);
}

TEST(addresses_come_in_three_lengths)
{
	static const char long4[128] = "\1\0\x0a\1\2\3";
	static const char long6[128] =
		"\2\0\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1";
	static const char odd[128] = "\7\0";
	struct guest *g = guest_new();
	uint32_t fd = open_one(g, 1);
	static const struct {
		const char *ip;
		uint32_t n;
		const char *want;
	} cases[] = {
		{ "\x0a\1\2\3", 4, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\1\2\3" },
		{ long4 + 2, 16, "\x0a\1\2\3\0\0\0\0\0\0\0\0\0\0\0\0" },
		{ long4, 128, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\1\2\3" },
		{ long6, 128, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		g->connect_result = WASI_ACCES;
		CHECK_INT(CALL(g, sock_connect, fd,
				  address(g, cases[i].ip, cases[i].n), 80),
			WASI_ACCES);
		CHECK_MEM(g->asked.ip, cases[i].want, 16);
	}
	CHECK_INT(CALL(g, sock_connect, fd, address(g, odd, 5), 80),
		WASI_INVAL);
	CHECK_INT(CALL(g, sock_connect, fd, address(g, odd, 128), 80),
		WASI_AFNOSUPPORT);
	guest_set(g, ADDR, GUEST_MEMORY - 100, 4);
	CHECK_INT(CALL(g, sock_connect, fd, ADDR, 80), WASI_FAULT);
	guest_free(g);
}

TEST(a_socket_knows_its_addresses)
{
	struct guest *g = guest_new();
	uint32_t fd = open_one(g, 1);
	address(g, "\x0a\0\0\7", 4);
	CHECK_INT(CALL(g, sock_getpeeraddr, fd, ADDR, TYPE, PORT),
		WASI_NOTCONN);
	CHECK_INT(CALL(g, sock_connect, fd, ADDR, 443), 0);
	address(g, "\0\0\0\0", 4);
	CHECK_INT(CALL(g, sock_getpeeraddr, fd, ADDR, TYPE, PORT), 0);
	CHECK_MEM(g->caller.memory + BYTES, "\x0a\0\0\7", 4);
	CHECK_INT(guest_get(g, TYPE, 4), 4);
	CHECK_INT(guest_get(g, PORT, 4), 443);
	CHECK_INT(CALL(g, sock_getlocaladdr, fd, ADDR, TYPE, PORT), 0);
	CHECK_MEM(g->caller.memory + BYTES, "\0\0\0\0", 4);
	fd = open_one(g, 2);
	address(g, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	CHECK_INT(CALL(g, sock_bind, fd, ADDR, 9000), 0);
	CHECK_INT(CALL(g, sock_getlocaladdr, fd, ADDR, TYPE, PORT), 0);
	CHECK_INT(guest_get(g, TYPE, 4), 6);
	CHECK_INT(guest_get(g, PORT, 4), 9000);
	guest_set(g, ADDR + 4, 4, 4);
	CHECK_INT(CALL(g, sock_getlocaladdr, fd, ADDR, TYPE, PORT), WASI_INVAL);
	guest_free(g);
}

TEST(bytes_go_with_and_without_addresses)
{
	struct guest *g = guest_new();
	uint32_t fd = open_one(g, 1);
	address(g, "\x0a\0\0\7", 4);
	CHECK_INT(CALL(g, sock_connect, fd, ADDR, 443), 0);
	uint32_t at = guest_text(g, "question");
	CHECK_INT(CALL(g, sock_send_to, fd, guest_iov(g, at, 8), 1, ADDR, 443,
			  0, GUEST_OUT),
		0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), 8);
	CHECK_STR(buf_cstr(&g->dialled.out), "question");
	buf_str(&g->dialled.in, "answers");
	CHECK_INT(CALL(g, sock_recv_from, fd, guest_iov(g, GUEST_READ_AT, 6), 1,
			  ADDR, 0, PORT, GUEST_OUT, GUEST_OUT + 4),
		0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), 6);
	CHECK_INT(guest_get(g, PORT, 4), 443);
	/* As it was before it told ports. */
	CHECK_INT(CALL(g, sock_recv_from, fd, guest_iov(g, GUEST_READ_AT, 6), 1,
			  ADDR, 0, GUEST_OUT, GUEST_OUT + 4),
		0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), 1);
	guest_free(g);
}

TEST(options_that_are_there_and_not)
{
	static const struct {
		unsigned option;
		int set, get;
		uint32_t value;
	} cases[] = {
		{ 0, 0, 0, 1 },
		{ 1, WASI_NOPROTOOPT, 0, 2 },
		{ 2, WASI_NOPROTOOPT, 0, 0 },
		{ 3, WASI_NOPROTOOPT, WASI_NOPROTOOPT, 0 },
		{ 5, 0, 0, 65536 },
		{ 6, 0, 0, 65536 },
		{ 7, 0, 0, 0 },
		{ 9, WASI_NOPROTOOPT, WASI_NOPROTOOPT, 0 },
		{ 13, WASI_NOPROTOOPT, 0, 0 },
		{ 14, WASI_NOPROTOOPT, WASI_NOPROTOOPT, 0 },
	};
	struct guest *g = guest_new();
	uint32_t fd = open_one(g, 1);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		guest_set(g, 0x300, 1, 4);
		guest_set(g, 0x320, 4, 4);
		CHECK_INT(CALL(g, sock_setsockopt, fd, 0, cases[i].option,
				  0x300, 4),
			cases[i].set);
		CHECK_INT(CALL(g, sock_getsockopt, fd, 0, cases[i].option,
				  GUEST_OUT, 0x320),
			cases[i].get);
		if (!cases[i].get)
			CHECK_INT(guest_get(g, GUEST_OUT, 4), cases[i].value);
	}
	CHECK_INT(CALL(g, sock_setsockopt, fd, 1, 0, 0x300, 4),
		WASI_NOPROTOOPT);
	CHECK_INT(CALL(g, sock_getsockopt, fd, 1, 0, 0x300, 0x320),
		WASI_NOPROTOOPT);
	guest_set(g, 0x320, 3, 4);
	CHECK_INT(CALL(g, sock_getsockopt, fd, 0, 0, 0x300, 0x320), WASI_INVAL);
	guest_free(g);
}

/* A list of two as the program lays it out; its address stands at 0x400. */
static void lay_out(struct guest *g)
{
	guest_set(g, 0x400, 0x410, 4);
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t info = 0x410 + i * 28, sock = 0x450 + i * 12;
		guest_set(g, info + 12, sock, 4);
		guest_set(g, info + 24, i ? 0 : info + 28, 4);
		guest_set(g, sock + 8, 0x480 + i * 26, 4);
	}
}

static int look_up(struct guest *g, const char *name, unsigned family,
	uint32_t max)
{
	uint32_t at = guest_text(g, name);
	uint32_t service = guest_text(g, "8443");
	guest_set(g, 0x380, 0, 8);
	guest_set(g, 0x382, family, 1);
	lay_out(g);
	int r = CALL(g, sock_getaddrinfo, at, strlen(name), service, 4, 0x380,
		0x400, max, GUEST_OUT);
	return r ? -r : (int)guest_get(g, GUEST_OUT, 4);
}

TEST(names_become_lists_of_addresses)
{
	struct guest *g = guest_new();
	CHECK_INT(look_up(g, "both", 0, 2), 2);
	CHECK_INT(guest_get(g, 0x412, 1), 1); /* family, type, protocol */
	CHECK_INT(guest_get(g, 0x413, 1), 2);
	CHECK_INT(guest_get(g, 0x414, 1), 1);
	CHECK_INT(guest_get(g, 0x454, 4), 14);
	CHECK_MEM(g->caller.memory + 0x480, "\x20\xfb\x0a\0\0\1", 6);
	CHECK_INT(guest_get(g, 0x42e, 1), 2);
	CHECK_INT(guest_get(g, 0x460, 4), 26);
	CHECK_MEM(g->caller.memory + 0x49a, "\x20\xfb\0\0\0\0\x20\1\x0d\xb8",
		10);
	CHECK_INT(look_up(g, "both", 1, 2), 1);
	CHECK_INT(look_up(g, "both", 2, 2), 1);
	CHECK_INT(guest_get(g, 0x412, 1), 2);
	CHECK_INT(look_up(g, "both", 0, 1), 1);
	CHECK_INT(look_up(g, "four", 0, 2), 1);
	CHECK_INT(look_up(g, "nobody", 0, 2), -WASI_HOSTUNREACH);
	/* With the NUL that some callers count. */
	uint32_t at = guest_text(g, "four");
	guest_put(g, at + 4, "\0junk", 5);
	CHECK_INT(CALL(g, sock_getaddrinfo, at, 9, at, 0, 0x380, 0x400, 2,
			  GUEST_OUT),
		0);
	guest_free(g);
}

static bool any(struct guest *g)
{
	return g->waits < 5;
}

TEST(a_look_up_is_waited_for)
{
	struct guest *g = guest_new();
	g->on_wait = any;
	CHECK_INT(look_up(g, "late", 0, 2), 1);
	CHECK_INT(g->waits, 1);
	guest_free(g);
}

TEST(a_list_that_is_not_laid_out_is_refused)
{
	struct guest *g = guest_new();
	uint32_t at = guest_text(g, "both");
	static const struct {
		uint32_t at, value;
	} cases[] = {
		{ 0x400, GUEST_MEMORY - 4 },
		{ 0x410 + 12, GUEST_MEMORY - 4 },
		{ 0x410 + 24, GUEST_MEMORY - 4 },
		{ 0x450 + 8, GUEST_MEMORY - 4 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		lay_out(g);
		guest_set(g, cases[i].at, cases[i].value, 4);
		CHECK_INT(CALL(g, sock_getaddrinfo, at, 4, at, 0, 0x380, 0x400,
				  2, GUEST_OUT),
			WASI_FAULT);
	}
	lay_out(g);
	CHECK_INT(CALL(g, sock_getaddrinfo, at, 4, at, 1, 0x380, 0x400, 2,
			  GUEST_OUT),
		WASI_INVAL);
	guest_free(g);
}
