/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that wait while there are other threads: they pause, and are made
 * again. */
#include "../test.h"
#include "helpers/guest.h"

static struct guest *with_others(void)
{
	struct guest *g = guest_new();
	g->caller.shares = true;
	return g;
}

TEST(spawning_gives_the_number_or_an_error_below_zero)
{
	struct guest *g = guest_new();
	uint64_t arg = 77;
	CHECK_INT(guest_call(g, "wasi", "thread-spawn", &arg, 1), 77);
	CHECK_STR(g->caller.spawned, "wasi_thread_start");
	g->caller.spawn = WASM_SPAWN_LIMIT;
	CHECK_INT(guest_call(g, "wasi", "thread-spawn", &arg, 1), -WASI_AGAIN);
	g->caller.spawn = WASM_SPAWN_NO_ENTRY;
	CHECK_INT(guest_call(g, "wasi", "thread-spawn", &arg, 1), -WASI_NOTSUP);
	guest_free(g);
}

TEST(the_clock_of_threads_is_the_hosts)
{
	struct guest *g = guest_new();
	struct wasm_clock c = wasi_clock(g->w);
	g->mono = 12345;
	CHECK_INT(c.now(c.ctx), 12345);
	CHECK(c.wait(c.ctx, 20000));
	CHECK_INT(g->last_deadline, 20000);
	CHECK(!c.wait(c.ctx, UINT64_MAX)); /* nothing comes */
	guest_free(g);
}

TEST(a_read_pauses_until_there_is_something)
{
	struct guest *g = with_others();
	CHECK_INT(guest_read(g, GUEST_STDIN, 100), 1); /* -(-1): no answer */
	CHECK_INT(guest_read(g, GUEST_STDIN, 100), 1);
	CHECK_INT(g->caller.pauses, 2);
	CHECK(g->caller.until == UINT64_MAX);
	buf_str(&g->in.in, "abc");
	CHECK_INT(guest_read(g, GUEST_STDIN, 100), 3);
	CHECK_INT(g->waits, 0);
	guest_free(g);
}

TEST(what_was_written_before_a_pause_is_not_written_again)
{
	struct guest *g = with_others();
	uint32_t at = guest_text(g, "abcdefgh");
	g->out.room = 3;
	CHECK_INT(CALL(g, fd_write, GUEST_STDOUT, guest_iov(g, at, 8), 1,
			  GUEST_OUT),
		-1);
	g->out.room = 2;
	CHECK_INT(CALL(g, fd_write, GUEST_STDOUT, guest_iov(g, at, 8), 1,
			  GUEST_OUT),
		-1);
	g->out.room = 9;
	CHECK_INT(CALL(g, fd_write, GUEST_STDOUT, guest_iov(g, at, 8), 1,
			  GUEST_OUT),
		0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), 8);
	CHECK_STR(buf_cstr(&g->out.out), "abcdefgh");
	guest_free(g);
}

TEST(what_was_received_before_a_pause_stays)
{
	struct guest *g = with_others();
	for (int i = 0; i < 3; i++) {
		buf_str(&g->sock.in, i == 0 ? "ab" : i == 1 ? "c" : "def");
		CHECK_INT(CALL(g, sock_recv, GUEST_SOCKET,
				  guest_iov(g, GUEST_READ_AT, 6), 1,
				  RECV_WAITALL, GUEST_OUT, GUEST_OUT + 8),
			i < 2 ? -1 : 0);
	}
	CHECK_MEM(g->caller.memory + GUEST_READ_AT, "abcdef", 6);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), 6);
	guest_free(g);
}

enum { SUBS = 0x1000, EVENTS = 0x3000 };

/* A clock of 100 ns from now on, or at 1100, and standard input. */
static int poll(struct guest *g, bool absolute)
{
	memset(g->caller.memory + SUBS, 0, 2 * SUBSCRIPTION_BYTES);
	guest_set(g, SUBS + 16, WASI_CLOCK_MONOTONIC, 4);
	guest_set(g, SUBS + 24, absolute ? 1100 : 100, 8);
	guest_set(g, SUBS + 40, absolute, 2);
	guest_set(g, SUBS + SUBSCRIPTION_BYTES + 8, EVENT_FD_READ, 1);
	return CALL(g, poll_oneoff, SUBS, EVENTS, 2, GUEST_OUT);
}

TEST(a_poll_that_pauses_lasts_no_longer)
{
	for (int absolute = 0; absolute < 2; absolute++) {
		struct guest *g = with_others();
		g->mono = 1000;
		CHECK_INT(poll(g, absolute), -1);
		CHECK_INT(g->caller.until, 1100);
		g->mono = 1060;
		CHECK_INT(poll(g, absolute), -1);
		CHECK_INT(g->caller.until, 1100);
		g->mono = 1100;
		CHECK_INT(poll(g, absolute), 0);
		CHECK_INT(guest_get(g, GUEST_OUT, 4), 1);
		guest_free(g);
	}
}

TEST(a_poll_that_is_due_pauses_once_for_the_streams)
{
	struct guest *g = with_others();
	g->mono = 2000;
	CHECK_INT(poll(g, true), -1);
	CHECK_INT(g->caller.until, 0);
	buf_str(&g->in.in, "abc");
	CHECK_INT(poll(g, true), 0);
	CHECK_INT(guest_get(g, GUEST_OUT, 4), 2);
	guest_free(g);
}

TEST(yielding_pauses_once)
{
	struct guest *g = with_others();
	CHECK_INT(guest_call(g, "wasi_snapshot_preview1", "sched_yield", NULL,
			  0),
		-1);
	CHECK_INT(g->caller.until, 0);
	CHECK_INT(guest_call(g, "wasi_snapshot_preview1", "sched_yield", NULL,
			  0),
		0);
	guest_free(g);
}

TEST(a_connection_that_pauses_is_not_begun_again)
{
	struct guest *g = with_others();
	uint32_t at = GUEST_OUT + 0x80;
	CHECK_INT(CALL(g, sock_open, 1, 2, GUEST_OUT), 0);
	uint32_t fd = (uint32_t)guest_get(g, GUEST_OUT, 4);
	/* A list of one: 4 bytes of address. */
	guest_set(g, at, at + 0x10, 4);
	guest_set(g, at + 4, 4, 4);
	guest_set(g, at + 0x10, 0x0100007f, 4);
	g->connected_result = -1;
	for (int i = 0; i < 3; i++) {
		g->dialled.error = i < 2 ? -1 : 0;
		CHECK_INT(CALL(g, sock_connect, fd, at, 80), i < 2 ? -1 : 0);
	}
	CHECK_INT(CALL(g, sock_connect, fd, at, 80), WASI_ISCONN);
	guest_free(g);
}
