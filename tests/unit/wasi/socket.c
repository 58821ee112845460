/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets that programs open, through WasmEdge's functions. */
#include "../test.h"
#include "helpers/guest.h"

enum { ADDR = 0x200, BYTES = 0x210 };

static uint32_t address(struct guest *g, const char *ip, uint32_t n)
{
	guest_put(g, BYTES, ip, n);
	guest_set(g, ADDR, BYTES, 4);
	guest_set(g, ADDR + 4, n, 4);
	return ADDR;
}

static uint32_t home(struct guest *g)
{
	return address(g, "\x7f\0\0\1", 4);
}

static uint32_t open_one(struct guest *g)
{
	CHECK_INT(CALL(g, sock_open, 1, 2, GUEST_OUT), 0);
	return (uint32_t)guest_get(g, GUEST_OUT, 4);
}

static int connect(struct guest *g, uint32_t fd)
{
	return CALL(g, sock_connect, fd, home(g), 8080);
}

TEST(a_program_connects_talks_and_closes)
{
	struct guest *g = guest_new();
	uint32_t fd = open_one(g);
	CHECK_INT(connect(g, fd), 0);
	CHECK_INT(g->asked.port, 8080);
	CHECK_MEM(g->asked.ip + 10, "\xff\xff\x7f\0\0\1", 6);
	CHECK_INT(guest_write(g, fd, "hello"), 0);
	CHECK_STR(buf_cstr(&g->dialled.out), "hello");
	buf_str(&g->dialled.in, "answer");
	CHECK_INT(guest_read(g, fd, 100), 6);
	CHECK_INT(CALL(g, sock_shutdown, fd, SHUT_WRITE), 0);
	CHECK_INT(connect(g, fd), WASI_ISCONN);
	CHECK_INT(CALL(g, fd_close, fd), 0);
	CHECK_INT(g->dialled.closed, 1);
	guest_free(g);
}

TEST(before_it_is_connected_a_socket_does_nothing)
{
	struct guest *g = guest_new();
	uint32_t fd = open_one(g);
	CHECK_INT(guest_read(g, fd, 1), -WASI_NOTCONN);
	CHECK_INT(guest_write(g, fd, "x"), WASI_NOTCONN);
	CHECK_INT(CALL(g, sock_shutdown, fd, SHUT_WRITE), WASI_NOTCONN);
	CHECK_INT(CALL(g, sock_accept, fd, 0, GUEST_OUT), WASI_INVAL);
	CHECK_INT(CALL(g, sock_listen, fd, 5), WASI_DESTADDRREQ);
	CHECK_INT(CALL(g, sock_connect, fd, home(g), 0), WASI_ADDRNOTAVAIL);
	CHECK_INT(CALL(g, sock_connect, fd, home(g), 65536), WASI_INVAL);
	CHECK_INT(CALL(g, fd_close, fd), 0);
	guest_free(g);
}

static bool comes_through(struct guest *g)
{
	if (g->waits == 3)
		g->dialled.error = 0;
	return g->waits < 9;
}

TEST(connecting_waits_for_the_connection)
{
	struct guest *g = guest_new();
	uint32_t fd = open_one(g);
	g->connected_result = -1;
	g->on_wait = comes_through;
	CHECK_INT(connect(g, fd), 0);
	CHECK_INT(g->waits, 3);
	guest_free(g);
}

TEST(a_socket_that_does_not_wait_says_what_goes_on)
{
	struct guest *g = guest_new();
	uint32_t fd = open_one(g);
	CHECK_INT(CALL(g, fd_fdstat_set_flags, fd, FDFLAG_NONBLOCK), 0);
	g->connected_result = -1;
	CHECK_INT(connect(g, fd), WASI_INPROGRESS);
	CHECK_INT(connect(g, fd), WASI_ALREADY);
	g->dialled.error = WASI_CONNREFUSED;
	guest_set(g, 0x300, 4, 4);
	CHECK_INT(CALL(g, sock_getsockopt, fd, 0, 2, GUEST_OUT, 0x300), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), WASI_CONNREFUSED);
	CHECK_INT(connect(g, fd), WASI_CONNREFUSED);
	g->dialled.error = 0;
	CHECK_INT(connect(g, fd), WASI_ISCONN);
	CHECK_INT(g->waits, 0);
	guest_free(g);
}

TEST(a_connection_that_fails_leaves_a_socket_that_can_try_again)
{
	struct guest *g = guest_new();
	uint32_t fd = open_one(g);
	g->connect_result = WASI_ACCES;
	CHECK_INT(connect(g, fd), WASI_ACCES);
	g->connect_result = 0;
	g->connected_result = WASI_CONNREFUSED;
	CHECK_INT(connect(g, fd), WASI_CONNREFUSED);
	CHECK_INT(g->dialled.closed, 1);
	g->connected_result = 0;
	CHECK_INT(connect(g, fd), 0);
	guest_free(g);
}

TEST(time_that_a_call_may_take_is_the_programs_choice)
{
	struct guest *g = guest_new();
	uint32_t fd = open_one(g);
	CHECK_INT(connect(g, fd), 0);
	/* struct timeval: 2.5 s, for receiving. */
	guest_set(g, 0x300, 2, 8);
	guest_set(g, 0x308, 500000, 8);
	CHECK_INT(CALL(g, sock_setsockopt, fd, 0, 11, 0x300, 16), 0);
	uint64_t before = g->mono;
	CHECK_INT(guest_read(g, fd, 1), -WASI_AGAIN);
	CHECK_INT(g->mono - before, 2500000000);
	guest_set(g, 0x320, 16, 4);
	CHECK_INT(CALL(g, sock_getsockopt, fd, 0, 11, GUEST_OUT, 0x320), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 8), 2);
	CHECK_INT(guest_get(g, GUEST_OUT + 8, 8), 500000);
	/* For sending, and connecting. */
	CHECK_INT(CALL(g, sock_setsockopt, fd, 0, 12, 0x300, 16), 0);
	g->dialled.room = 0;
	before = g->mono;
	CHECK_INT(guest_write(g, fd, "x"), WASI_AGAIN);
	CHECK_INT(g->mono - before, 2500000000);
	guest_free(g);
}

TEST(a_program_listens_where_it_may)
{
	struct guest *g = guest_new();
	uint32_t fd = open_one(g);
	CHECK_INT(CALL(g, sock_bind, fd, home(g), 9000), 0);
	g->listen_result = WASI_ACCES;
	CHECK_INT(CALL(g, sock_listen, fd, 5), WASI_ACCES);
	g->listen_result = 0;
	CHECK_INT(CALL(g, sock_listen, fd, 5), 0);
	CHECK_INT(g->asked.port, 9000);
	CHECK_INT(CALL(g, sock_listen, fd, 5), 0);
	CHECK_INT(CALL(g, sock_bind, fd, home(g), 9001), WASI_INVAL);
	CHECK_INT(connect(g, fd), WASI_INVAL);
	/* Both kinds of accept. */
	CHECK_INT(CALL(g, sock_accept, fd, 0, GUEST_OUT), 0);
	uint32_t c = (uint32_t)guest_get(g, GUEST_OUT, 4);
	CHECK_INT(guest_write(g, c, "hi"), 0);
	CHECK_INT(CALL(g, sock_accept, fd, GUEST_OUT), 0);
	CHECK_INT(CALL(g, sock_listen, c, 5), WASI_NOTCAPABLE);
	guest_free(g);
}

TEST(descriptors_of_sockets_are_bounded)
{
	struct guest *g = guest_new();
	unsigned n = 0;
	while (CALL(g, sock_open, 1, 2, GUEST_OUT) == 0)
		n++;
	CHECK_INT(n, 64 - GUEST_FREE);
	CHECK_INT(CALL(g, sock_open, 1, 2, GUEST_OUT), WASI_MFILE);
	guest_free(g);
}
