/* SPDX-License-Identifier: Apache-2.0 */
#include "host/loop.h"

#include <unistd.h>

#include "../test.h"

static struct loop loop;
static char order[32];
static size_t happened;

struct named {
	char name;
	struct timer timer;
	struct watch watch;
};

static void on_due(struct timer *t)
{
	order[happened++] = container_of(t, struct named, timer)->name;
}

static struct named a = { .name = 'a', .timer = { .due = on_due } };
static struct named b = { .name = 'b', .timer = { .due = on_due } };
static struct named c = { .name = 'c', .timer = { .due = on_due } };

static void begin(void)
{
	struct err e = { 0 };
	CHECK(loop_init(&loop, &e));
	memset(order, 0, sizeof order);
	happened = 0;
}

TEST(loop_runs_timers_in_their_order)
{
	struct err e = { 0 };
	begin();
	uint64_t now = loop_now();
	loop_set(&loop, &b.timer, now - 2);
	loop_set(&loop, &a.timer, now - 3);
	loop_set(&loop, &c.timer, now - 1);
	CHECK(loop_turn(&loop, false, &e));
	CHECK_STR(order, "abc");
	CHECK(!loop.first && !loop.last);
	loop_fini(&loop);
}

TEST(loop_forgets_a_timer_that_was_cancelled_and_moves_one_set_anew)
{
	struct err e = { 0 };
	begin();
	uint64_t now = loop_now();
	loop_set(&loop, &a.timer, now - 3);
	loop_set(&loop, &b.timer, now - 2);
	loop_set(&loop, &c.timer, now - 1);
	loop_cancel(&loop, &b.timer);
	loop_cancel(&loop, &b.timer);
	loop_set(&loop, &a.timer, now);
	CHECK(loop_turn(&loop, false, &e));
	CHECK_STR(order, "ca");
	loop_fini(&loop);
}

TEST(loop_does_not_run_a_timer_of_the_future)
{
	struct err e = { 0 };
	begin();
	loop_set(&loop, &a.timer, loop_now() + 3600 * SECOND_NS);
	CHECK(loop_turn(&loop, true, &e));
	CHECK_INT(happened, 0);
	loop_cancel(&loop, &a.timer);
	loop_fini(&loop);
}

/* The first to be told takes the other away. */
static struct named *other;

static void on_ready(struct watch *w, uint32_t events)
{
	struct named *n = container_of(w, struct named, watch);
	CHECK(events & EPOLLIN);
	order[happened++] = n->name;
	loop_unwatch(&loop, n == &a ? &b.watch : &a.watch);
	other = n == &a ? &b : &a;
}

TEST(loop_tells_nobody_who_is_no_longer_watched)
{
	struct err e = { 0 };
	int p[2];
	begin();
	CHECK_INT(pipe(p), 0);
	int second = dup(p[0]);
	a.watch = b.watch = (struct watch){ .fd = -1, .ready = on_ready };
	CHECK(loop_watch(&loop, &a.watch, p[0], EPOLLIN, &e));
	CHECK(loop_watch(&loop, &b.watch, second, EPOLLIN, &e));
	CHECK_INT(write(p[1], "x", 1), 1);
	for (int i = 0; i < 3; i++)
		CHECK(loop_turn(&loop, true, &e));
	CHECK_INT(happened, 3);
	CHECK(order[0] == order[1] && order[1] == order[2]);
	CHECK_INT(other->watch.fd, -1);
	loop_unwatch(&loop, &a.watch);
	loop_unwatch(&loop, &b.watch);
	CHECK(loop_turn(&loop, true, &e));
	CHECK_INT(happened, 3);
	close(second);
	close(p[0]);
	close(p[1]);
	loop_fini(&loop);
}
