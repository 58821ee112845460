/* SPDX-License-Identifier: Apache-2.0 */
#include "../test.h"
#include "helpers/guest.h"

enum { FLAGS = 0x180 };

static int recv(struct guest *g, uint32_t fd, uint32_t n, unsigned flags)
{
	int r = CALL(g, sock_recv, fd, guest_iov(g, GUEST_READ_AT, n), 1, flags,
		GUEST_OUT, FLAGS);
	return r ? -r : (int)guest_get(g, GUEST_OUT, 4);
}

static int send(struct guest *g, uint32_t fd, const char *text, unsigned flags)
{
	uint32_t at = guest_text(g, text);
	int r = CALL(g, sock_send, fd, guest_iov(g, at, (uint32_t)strlen(text)),
		1, flags, GUEST_OUT);
	return r ? -r : (int)guest_get(g, GUEST_OUT, 4);
}

TEST(a_connection_is_accepted_used_and_closed)
{
	struct guest *g = guest_new();
	CHECK_INT(CALL(g, sock_accept, GUEST_LISTENER, 0, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), GUEST_FREE);
	CHECK_INT(CALL(g, fd_fdstat_get, GUEST_FREE, GUEST_OUT), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 1), FILETYPE_SOCKET_STREAM);
	CHECK_INT(send(g, GUEST_FREE, "hello", 0), 5);
	CHECK_STR(buf_cstr(&g->accepted.out), "hello");
	buf_str(&g->accepted.in, "answer");
	CHECK_INT(recv(g, GUEST_FREE, 100, 0), 6);
	CHECK_INT(guest_write(g, GUEST_FREE, "more"), 0);
	CHECK_INT(CALL(g, sock_shutdown, GUEST_FREE, SHUT_WRITE), 0);
	CHECK_INT(g->accepted.ended, WASI_READY_WRITE);
	CHECK_INT(CALL(g, sock_shutdown, GUEST_FREE, 3), 0);
	CHECK_INT(g->accepted.ended, WASI_READY_WRITE | WASI_READY_READ);
	CHECK_INT(CALL(g, fd_close, GUEST_FREE), 0);
	CHECK_INT(g->accepted.closed, 1);
	guest_free(g);
}

static bool somebody_comes(struct guest *g)
{
	if (g->waits == 2)
		g->accept_result = WASI_OK;
	return g->waits < 5;
}

TEST(accepting_waits_or_says_again)
{
	struct guest *g = guest_new();
	g->accept_result = WASI_AGAIN;
	g->on_wait = somebody_comes;
	CHECK_INT(CALL(g, sock_accept, GUEST_LISTENER, FDFLAG_NONBLOCK,
			  GUEST_OUT),
		0);
	CHECK_INT(g->waits, 2);
	/* The flag is the new descriptor's. */
	CHECK_INT(recv(g, GUEST_FREE, 5, 0), -WASI_AGAIN);
	g->accept_result = WASI_AGAIN;
	CHECK_INT(CALL(g, fd_fdstat_set_flags, GUEST_LISTENER, FDFLAG_NONBLOCK),
		0);
	CHECK_INT(CALL(g, sock_accept, GUEST_LISTENER, 0, GUEST_OUT),
		WASI_AGAIN);
	g->accept_result = WASI_CONNABORTED;
	CHECK_INT(CALL(g, sock_accept, GUEST_LISTENER, 0, GUEST_OUT),
		WASI_CONNABORTED);
	guest_free(g);
}

TEST(peeking_leaves_the_bytes_where_they_are)
{
	struct guest *g = guest_new();
	buf_str(&g->sock.in, "abcdef");
	CHECK_INT(recv(g, GUEST_SOCKET, 3, RECV_PEEK), 3);
	CHECK_INT(recv(g, GUEST_SOCKET, 100, RECV_PEEK), 6);
	CHECK_MEM(g->caller.memory + GUEST_READ_AT, "abcdef", 6);
	CHECK_INT(recv(g, GUEST_SOCKET, 2, 0), 2);
	CHECK_MEM(g->caller.memory + GUEST_READ_AT, "ab", 2);
	CHECK_INT(guest_read(g, GUEST_SOCKET, 100), 4);
	CHECK_MEM(g->caller.memory + GUEST_READ_AT, "cdef", 4);
	g->sock.eof = true;
	CHECK_INT(recv(g, GUEST_SOCKET, 3, RECV_PEEK), 0);
	guest_free(g);
}

TEST(what_was_peeked_at_is_held_and_refused_where_there_is_no_room)
{
	struct guest *g = guest_new();
	for (int i = 0; i < 100000; i++)
		buf_u8(&g->sock.in, (uint8_t)('a' + i % 26));
	CHECK_INT(recv(g, GUEST_SOCKET, 3, RECV_PEEK), 3);
	CHECK(g->sock.held >= 3 && g->sock.held <= 64);
	/* No more for what is there already. */
	size_t held = g->sock.held;
	CHECK_INT(recv(g, GUEST_SOCKET, 3, RECV_PEEK), 3);
	CHECK_INT(g->sock.held, held);
	CHECK_INT(recv(g, GUEST_SOCKET, 3000, RECV_PEEK), 3000);
	CHECK(g->sock.held >= 3000 && g->sock.held < 6000);
	g->sock.can_hold = g->sock.held + 1;
	CHECK_INT(recv(g, GUEST_SOCKET, 9000, RECV_PEEK), -WASI_NOBUFS);
	CHECK_INT(recv(g, GUEST_SOCKET, 3000, RECV_PEEK), 3000);
	/* Nothing was lost, and reading takes no room. */
	CHECK_INT(recv(g, GUEST_SOCKET, 4000, RECV_WAITALL), 4000);
	CHECK_MEM(g->caller.memory + GUEST_READ_AT, "abcdefgh", 8);
	g->sock.can_hold = SIZE_MAX;
	CHECK_INT(recv(g, GUEST_SOCKET, 40000, RECV_PEEK), 40000);
	CHECK(g->sock.held >= 40000 && g->sock.held <= 65536);
	guest_free(g);
}

static bool drip(struct guest *g)
{
	if (g->waits > 3)
		g->sock.eof = true;
	else
		buf_str(&g->sock.in, "xy");
	return g->waits < 9;
}

TEST(waitall_waits_for_all_of_it_or_the_end)
{
	struct guest *g = guest_new();
	g->on_wait = drip;
	CHECK_INT(recv(g, GUEST_SOCKET, 5, RECV_WAITALL), 5);
	CHECK_INT(g->waits, 3);
	CHECK_INT(recv(g, GUEST_SOCKET, 5, RECV_WAITALL | RECV_PEEK), 1);
	CHECK_INT(recv(g, GUEST_SOCKET, 5, RECV_WAITALL), 1);
	CHECK_INT(recv(g, GUEST_SOCKET, 5, RECV_WAITALL), 0);
	guest_free(g);
}

TEST(peeking_for_all_waits_for_no_more_than_was_asked)
{
	struct guest *g = guest_new();
	g->on_wait = drip;
	CHECK_INT(recv(g, GUEST_SOCKET, 4, RECV_WAITALL | RECV_PEEK), 4);
	CHECK_INT(g->waits, 2);
	CHECK_INT(recv(g, GUEST_SOCKET, 4, 0), 4);
	guest_free(g);
}

TEST(a_stop_while_waiting_for_a_connection_ends_the_program)
{
	struct guest *g = guest_new();
	g->accept_result = WASI_AGAIN;
	CHECK_INT(CALL(g, sock_accept, GUEST_LISTENER, 0, GUEST_OUT), -1);
	CHECK_INT(g->caller.end, WASM_STOPPED);
	CHECK_INT(CALL(g, sock_recv, GUEST_SOCKET, guest_iov(g, 0x1000, 4), 1,
			  RECV_PEEK, GUEST_OUT, FLAGS),
		-1);
	CHECK_INT(g->waits, 2);
	guest_free(g);
}

TEST(what_is_no_socket_says_so)
{
	struct guest *g = guest_new();
	uint32_t fds[] = { GUEST_STDIN, GUEST_NULL, GUEST_DIR };
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		CHECK_INT(recv(g, fds[i], 4, 0), -WASI_NOTSOCK);
		CHECK_INT(send(g, fds[i], "x", 0), -WASI_NOTSOCK);
		CHECK_INT(CALL(g, sock_shutdown, fds[i], 1), WASI_NOTSOCK);
		CHECK_INT(CALL(g, sock_accept, fds[i], 0, GUEST_OUT),
			WASI_NOTSOCK);
	}
	CHECK_INT(CALL(g, sock_shutdown, 40, 1), WASI_BADF);
	CHECK_INT(CALL(g, sock_accept, GUEST_SOCKET, 0, GUEST_OUT),
		WASI_NOTCAPABLE);
	CHECK_INT(CALL(g, sock_shutdown, GUEST_LISTENER, 1), WASI_NOTCONN);
	CHECK_INT(recv(g, GUEST_LISTENER, 4, 0), -WASI_NOTCONN);
	CHECK_INT(guest_read(g, GUEST_LISTENER, 4), -WASI_NOTCONN);
	CHECK_INT(guest_write(g, GUEST_LISTENER, "x"), WASI_NOTCONN);
	guest_free(g);
}

TEST(unknown_flags_and_pointers_of_sockets_are_refused)
{
	struct guest *g = guest_new();
	CHECK_INT(recv(g, GUEST_SOCKET, 4, 4), -WASI_INVAL);
	CHECK_INT(send(g, GUEST_SOCKET, "x", 1), -WASI_INVAL);
	CHECK_INT(CALL(g, sock_shutdown, GUEST_SOCKET, 0), WASI_INVAL);
	CHECK_INT(CALL(g, sock_shutdown, GUEST_SOCKET, 4), WASI_INVAL);
	CHECK_INT(CALL(g, sock_accept, GUEST_LISTENER, FDFLAG_APPEND,
			  GUEST_OUT),
		WASI_INVAL);
	CHECK_INT(CALL(g, sock_accept, GUEST_LISTENER, 0, GUEST_MEMORY - 3),
		WASI_FAULT);
	CHECK_INT(CALL(g, sock_recv, GUEST_SOCKET, 0xfffffff0, 1, 0, GUEST_OUT,
			  FLAGS),
		WASI_FAULT);
	CHECK_INT(CALL(g, sock_recv, GUEST_SOCKET, 0x100, 1, 0, GUEST_OUT,
			  GUEST_MEMORY - 1),
		WASI_FAULT);
	CHECK_INT(CALL(g, sock_send, GUEST_SOCKET, 0x100, 1, 0,
			  GUEST_MEMORY - 3),
		WASI_FAULT);
	CHECK_INT(CALL(g, sock_send, GUEST_SOCKET, 0xfffffff0, 1, 0, GUEST_OUT),
		WASI_FAULT);
	CHECK_INT(g->sock.reads + g->sock.out.len, 0);
	guest_free(g);
}
