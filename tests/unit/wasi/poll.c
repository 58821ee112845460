/* SPDX-License-Identifier: Apache-2.0 */
#include "../test.h"
#include "helpers/guest.h"

enum { SUBS = 0x1000, EVENTS = 0x3000, COUNT = 0x100 };

static void sub_clock(struct guest *g, unsigned i, unsigned id, uint64_t ns,
	unsigned flags)
{
	uint32_t at = SUBS + i * SUBSCRIPTION_BYTES;
	memset(g->caller.memory + at, 0, SUBSCRIPTION_BYTES);
	guest_set(g, at, 0xc10c0000 + i, 8);
	guest_set(g, at + 16, id, 4);
	guest_set(g, at + 24, ns, 8);
	guest_set(g, at + 40, flags, 2);
}

static void sub_fd(struct guest *g, unsigned i, unsigned type, uint32_t fd)
{
	uint32_t at = SUBS + i * SUBSCRIPTION_BYTES;
	memset(g->caller.memory + at, 0, SUBSCRIPTION_BYTES);
	guest_set(g, at, 0xfd000000 + i, 8);
	guest_set(g, at + 8, type, 1);
	guest_set(g, at + 16, fd, 4);
}

static int poll(struct guest *g, unsigned n)
{
	int r = CALL(g, poll_oneoff, SUBS, EVENTS, n, COUNT);
	return r ? -r : (int)guest_get(g, COUNT, 4);
}

#define EV(i, off, n) guest_get(g, EVENTS + (i)*EVENT_BYTES + (off), (n))

TEST(a_clock_is_waited_for_once)
{
	struct guest *g = guest_new();
	sub_clock(g, 0, WASI_CLOCK_MONOTONIC, 5000, 0);
	CHECK_INT(poll(g, 1), 1);
	CHECK_INT(g->waits, 1);
	CHECK_INT(g->last_deadline, 6000);
	CHECK_INT(EV(0, 0, 8), 0xc10c0000);
	CHECK_INT(EV(0, 8, 2), 0);
	CHECK_INT(EV(0, 10, 1), EVENT_CLOCK);
	guest_free(g);
}

TEST(absolute_times_are_by_their_own_clock)
{
	struct guest *g = guest_new();
	sub_clock(g, 0, WASI_CLOCK_MONOTONIC, 7000, CLOCK_ABSTIME);
	CHECK_INT(poll(g, 1), 1);
	CHECK_INT(g->last_deadline, 7000);
	sub_clock(g, 0, WASI_CLOCK_REALTIME, g->real + 500, CLOCK_ABSTIME);
	CHECK_INT(poll(g, 1), 1);
	CHECK_INT(g->last_deadline, 7500);
	unsigned waits = g->waits;
	sub_clock(g, 0, WASI_CLOCK_REALTIME, 1, CLOCK_ABSTIME);
	CHECK_INT(poll(g, 1), 1);
	CHECK_INT(g->waits, waits);
	guest_free(g);
}

TEST(the_earliest_of_many_clocks_rings_alone)
{
	struct guest *g = guest_new();
	sub_clock(g, 0, WASI_CLOCK_MONOTONIC, 9000, 0);
	sub_clock(g, 1, WASI_CLOCK_MONOTONIC, 300, 0);
	sub_clock(g, 2, WASI_CLOCK_MONOTONIC, UINT64_MAX, 0);
	CHECK_INT(poll(g, 3), 1);
	CHECK_INT(EV(0, 0, 8), 0xc10c0001);
	guest_free(g);
}

TEST(clocks_that_nobody_can_wait_for_are_errors_of_their_own)
{
	struct guest *g = guest_new();
	sub_clock(g, 0, WASI_CLOCK_PROCESS_CPUTIME, 1, 0);
	sub_clock(g, 1, 99, 1, 0);
	sub_clock(g, 2, WASI_CLOCK_MONOTONIC, 1000, 2);
	sub_clock(g, 3, WASI_CLOCK_THREAD_CPUTIME, 1, 0);
	CHECK_INT(poll(g, 4), 4);
	CHECK_INT(EV(3, 8, 2), WASI_NOTSUP);
	CHECK_INT(EV(0, 8, 2), WASI_NOTSUP);
	CHECK_INT(EV(1, 8, 2), WASI_INVAL);
	CHECK_INT(EV(2, 8, 2), WASI_INVAL);
	CHECK_INT(g->waits, 0);
	guest_free(g);
}

static bool feed(struct guest *g)
{
	if (g->waits == 4)
		buf_str(&g->in.in, "hello");
	return g->waits < 9;
}

TEST(streams_wake_a_poll_and_say_how_much_there_is)
{
	struct guest *g = guest_new();
	g->on_wait = feed;
	sub_fd(g, 0, EVENT_FD_READ, GUEST_STDIN);
	sub_clock(g, 1, WASI_CLOCK_MONOTONIC, 1 << 30, 0);
	CHECK_INT(poll(g, 2), 1);
	CHECK_INT(g->waits, 4);
	CHECK_INT(EV(0, 0, 8), 0xfd000000);
	CHECK_INT(EV(0, 10, 1), EVENT_FD_READ);
	CHECK_INT(EV(0, 16, 8), 5);
	CHECK_INT(EV(0, 24, 2), 0);
	guest_free(g);
}

static bool feed_at_once(struct guest *g)
{
	CHECK_INT(g->last_deadline, 0);
	return buf_str(&g->in.in, "now");
}

TEST(a_look_without_waiting_sees_what_there_is)
{
	struct guest *g = guest_new();
	g->on_wait = feed_at_once;
	sub_clock(g, 0, WASI_CLOCK_MONOTONIC, 0, 0);
	sub_fd(g, 1, EVENT_FD_READ, GUEST_STDIN);
	CHECK_INT(poll(g, 2), 2);
	CHECK_INT(g->waits, 1);
	CHECK_INT(EV(1, 16, 8), 3);
	/* What is known to be there needs no look. */
	CHECK_INT(poll(g, 2), 2);
	CHECK_INT(g->waits, 1);
	/* Nor do clocks alone. */
	CHECK_INT(poll(g, 1), 1);
	CHECK_INT(g->waits, 1);
	guest_free(g);
}

TEST(the_end_of_a_stream_is_a_hangup)
{
	struct guest *g = guest_new();
	g->in.eof = true;
	sub_fd(g, 0, EVENT_FD_READ, GUEST_STDIN);
	sub_fd(g, 1, EVENT_FD_WRITE, GUEST_STDOUT);
	CHECK_INT(poll(g, 2), 2);
	CHECK_INT(EV(0, 24, 2), EVENT_HANGUP);
	CHECK_INT(EV(1, 24, 2), 0);
	CHECK_INT(EV(1, 10, 1), EVENT_FD_WRITE);
	guest_free(g);
}

TEST(files_are_always_ready)
{
	struct guest *g = guest_new();
	uint32_t fd;
	CHECK_INT(guest_file(g, "f", "12345678"), 0);
	CHECK_INT(guest_open(g, GUEST_DIR, "f", 0, &fd), 0);
	CHECK_INT(guest_read(g, fd, 3), 3);
	sub_fd(g, 0, EVENT_FD_READ, fd);
	sub_fd(g, 1, EVENT_FD_WRITE, fd);
	sub_fd(g, 2, EVENT_FD_READ, GUEST_NULL);
	CHECK_INT(poll(g, 3), 3);
	CHECK_INT(EV(0, 16, 8), 5);
	CHECK_INT(g->waits, 0);
	guest_free(g);
}

TEST(descriptors_that_cannot_be_polled_are_errors_of_their_own)
{
	struct guest *g = guest_new();
	sub_fd(g, 0, EVENT_FD_READ, 50);
	sub_fd(g, 1, EVENT_FD_WRITE, GUEST_STDIN);
	sub_fd(g, 2, EVENT_FD_READ, GUEST_DIR);
	CHECK_INT(poll(g, 3), 3);
	CHECK_INT(EV(0, 8, 2), WASI_BADF);
	CHECK_INT(EV(1, 8, 2), WASI_BADF);
	CHECK(EV(2, 8, 2) != 0);
	guest_free(g);
}

TEST(a_poll_without_subscriptions_or_with_strange_ones_is_refused)
{
	struct guest *g = guest_new();
	CHECK_INT(poll(g, 0), -WASI_INVAL);
	sub_fd(g, 0, 3, GUEST_STDIN);
	CHECK_INT(poll(g, 1), -WASI_INVAL);
	CHECK_INT(CALL(g, poll_oneoff, SUBS, EVENTS, 0xffffffff, COUNT),
		WASI_INVAL);
	CHECK_INT(CALL(g, poll_oneoff, SUBS, EVENTS, 0x10000, COUNT),
		WASI_FAULT);
	CHECK_INT(CALL(g, poll_oneoff, GUEST_MEMORY - 47, EVENTS, 1, COUNT),
		WASI_FAULT);
	CHECK_INT(CALL(g, poll_oneoff, SUBS, GUEST_MEMORY - 31, 1, COUNT),
		WASI_FAULT);
	CHECK_INT(CALL(g, poll_oneoff, SUBS, EVENTS, 1, GUEST_MEMORY - 3),
		WASI_FAULT);
	guest_free(g);
}

TEST(events_may_lie_over_their_subscriptions)
{
	struct guest *g = guest_new();
	for (unsigned i = 0; i < 20; i++)
		sub_fd(g, i, EVENT_FD_WRITE, GUEST_STDOUT);
	CHECK_INT(CALL(g, poll_oneoff, SUBS, SUBS + 8, 20, COUNT), 0);
	CHECK_INT(guest_get(g, COUNT, 4), 20);
	for (unsigned i = 0; i < 20; i++)
		CHECK_INT(guest_get(g, SUBS + 8 + i * EVENT_BYTES, 8),
			0xfd000000 + i);
	guest_free(g);
}

TEST(the_old_subscription_has_an_identifier_first)
{
	struct guest *g = guest_new();
	memset(g->caller.memory + SUBS, 0, 2 * SUBSCRIPTION_OLD_BYTES);
	guest_set(g, SUBS, 77, 8);
	guest_set(g, SUBS + 16, 0xeeeeeeee, 8);
	guest_set(g, SUBS + 24, WASI_CLOCK_MONOTONIC, 4);
	guest_set(g, SUBS + 32, 4000, 8);
	guest_set(g, SUBS + 48, CLOCK_ABSTIME, 2);
	guest_set(g, SUBS + 56, 78, 8);
	guest_set(g, SUBS + 56 + 8, EVENT_FD_READ, 1);
	guest_set(g, SUBS + 56 + 16, GUEST_STDIN, 4);
	CHECK_INT(CALL_OLD(g, poll_oneoff, SUBS, EVENTS, 2, COUNT), 0);
	CHECK_INT(guest_get(g, COUNT, 4), 1);
	CHECK_INT(g->last_deadline, 4000);
	CHECK_INT(EV(0, 0, 8), 77);
	guest_free(g);
}

TEST(a_poll_that_is_told_to_stop_ends_the_program)
{
	struct guest *g = guest_new();
	sub_fd(g, 0, EVENT_FD_READ, GUEST_STDIN);
	CHECK_INT(poll(g, 1), 1);
	CHECK_INT(g->caller.end, WASM_STOPPED);
	guest_free(g);
}
