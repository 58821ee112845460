/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/streams.h"

#include <stdlib.h>

#include "../test.h"
#include "base/buf.h"
#include "wasi/errno.h"

/* A sink that takes `room` bytes and notes what came: "1:abc2:d". */
struct tray {
	struct buf got;
	unsigned last;
	size_t room, calls;
};

static size_t tray_take(void *ctx, unsigned stream, struct bytes in)
{
	struct tray *t = ctx;
	size_t n = size_min(in.len, t->room);
	t->calls++;
	if (n && stream != t->last)
		buf_fmt(&t->got, "%u:", stream);
	if (n)
		t->last = stream;
	buf_put(&t->got, bytes_of(in.ptr, n));
	t->room -= n;
	return n;
}

struct set {
	struct tray tray;
	struct keep_streams s;
	struct wasi_stream fd[3];
};

static struct set *set_new(size_t room)
{
	struct set *t = calloc(1, sizeof *t);
	struct err e;
	CHECK(t != NULL);
	t->tray.room = room;
	CHECK(keep_streams_init(&t->s,
		(struct keep_sink){ tray_take, &t->tray }, &e));
	for (unsigned i = 0; i < 3; i++)
		t->fd[i] = keep_streams_wasi(&t->s, i, false);
	return t;
}

static void set_free(struct set *t)
{
	keep_streams_fini(&t->s);
	buf_fini(&t->tray.got);
	free(t);
}

static int64_t put(struct set *t, unsigned fd, const void *p, size_t n)
{
	return t->fd[fd].ops->write(t->fd[fd].ctx, p, n);
}

static int64_t get(struct set *t, void *p, size_t n)
{
	return t->fd[0].ops->read(t->fd[0].ctx, p, n);
}

static unsigned ready(struct set *t, unsigned fd)
{
	return t->fd[fd].ops->ready(t->fd[fd].ctx);
}

TEST(small_writes_are_gathered_until_the_flush)
{
	struct set *t = set_new(1000);
	CHECK_INT(put(t, 1, "ab", 2), 2);
	CHECK_INT(put(t, 1, "cd", 2), 2);
	CHECK_INT(t->tray.calls, 0);
	CHECK(keep_streams_flush(&t->s));
	CHECK_INT(t->tray.calls, 1);
	CHECK_STR(buf_cstr(&t->tray.got), "1:abcd");
	set_free(t);
}

TEST(a_change_of_stream_keeps_the_order_of_writing)
{
	struct set *t = set_new(1000);
	put(t, 1, "out ", 4);
	put(t, 2, "err ", 4);
	put(t, 1, "out", 3);
	keep_streams_flush(&t->s);
	CHECK_STR(buf_cstr(&t->tray.got), "1:out 2:err 1:out");
	CHECK_INT(t->s.each[1].bytes, 7);
	CHECK_INT(t->s.each[2].bytes, 4);
	set_free(t);
}

TEST(a_full_sink_says_not_now_and_loses_nothing)
{
	static uint8_t big[KEEP_STDOUT_GATHER * 2];
	struct set *t = set_new(0);
	memset(big, 'x', sizeof big);
	uint64_t taken = 0;
	int64_t n;
	while ((n = put(t, 1, big, 1000)) > 0)
		taken += (uint64_t)n;
	CHECK_INT(n, -WASI_AGAIN);
	CHECK_INT(taken, KEEP_STDOUT_GATHER);
	CHECK_INT(ready(t, 1), 0);
	CHECK_INT(ready(t, 2), 0);
	CHECK_INT(put(t, 2, "no", 2), -WASI_AGAIN);
	CHECK_INT(put(t, 1, big, sizeof big), -WASI_AGAIN);
	t->tray.room = 10;
	CHECK(!keep_streams_flush(&t->s));
	CHECK_INT(ready(t, 1), WASI_READY_WRITE);
	CHECK_INT(ready(t, 2), 0);
	t->tray.room = 1u << 20;
	CHECK_INT(ready(t, 2), WASI_READY_WRITE);
	CHECK(keep_streams_flush(&t->s));
	CHECK_INT(t->tray.got.len, taken + 2);
	set_free(t);
}

TEST(a_big_write_goes_straight_to_the_sink)
{
	static uint8_t big[KEEP_STDOUT_GATHER * 3];
	struct set *t = set_new(sizeof big + 100);
	memset(big, 'y', sizeof big);
	put(t, 1, "ab", 2);
	CHECK_INT(put(t, 1, big, sizeof big), sizeof big);
	CHECK_INT(t->tray.calls, 2);
	CHECK_INT(t->s.out_len, 0);
	CHECK_INT(t->tray.got.len, sizeof big + 4);
	/* Nothing of it fits: the program is told so. */
	t->tray.room = 0;
	CHECK_INT(put(t, 1, big, sizeof big), -WASI_AGAIN);
	set_free(t);
}

TEST(input_is_read_in_the_order_it_came)
{
	struct set *t = set_new(0);
	uint8_t b[8];
	CHECK_INT(get(t, b, 8), -WASI_AGAIN);
	CHECK_INT(ready(t, 0), 0);
	CHECK(keep_streams_feed(&t->s, BYTES_LIT("hello")));
	CHECK_INT(ready(t, 0), WASI_READY_READ);
	CHECK_INT(t->fd[0].ops->pending(t->fd[0].ctx), 5);
	CHECK_INT(get(t, b, 3), 3);
	CHECK_MEM(b, "hel", 3);
	CHECK_INT(get(t, b, 8), 2);
	CHECK_MEM(b, "lo", 2);
	CHECK_INT(get(t, b, 8), -WASI_AGAIN);
	keep_streams_feed_end(&t->s);
	CHECK_INT(ready(t, 0), WASI_READY_READ);
	CHECK_INT(get(t, b, 8), 0);
	CHECK_INT(t->s.each[0].bytes, 5);
	set_free(t);
}

TEST(input_beyond_the_window_is_refused)
{
	static uint8_t big[KEEP_STDIN_WINDOW];
	struct set *t = set_new(0);
	CHECK_INT(keep_streams_room(&t->s), KEEP_STDIN_WINDOW);
	CHECK(keep_streams_feed(&t->s, bytes_of(big, sizeof big)));
	CHECK_INT(keep_streams_room(&t->s), 0);
	CHECK(!keep_streams_feed(&t->s, BYTES_LIT("x")));
	keep_streams_feed_end(&t->s);
	CHECK(!keep_streams_feed(&t->s, BYTES_LIT("x")));
	set_free(t);
}

TEST(a_window_of_input_wraps_around_for_ever)
{
	static uint8_t in[50000], out[70000];
	struct set *t = set_new(0);
	uint64_t fed = 0, read = 0;
	for (int i = 0; i < 200; i++) {
		for (size_t k = 0; k < sizeof in; k++)
			in[k] = (uint8_t)((fed + k) * 31 >> 3);
		if (keep_streams_feed(&t->s, bytes_of(in, sizeof in)))
			fed += sizeof in;
		int64_t n = get(t, out, sizeof out);
		for (int64_t k = 0; k < n; k++)
			CHECK_INT(out[k],
				(uint8_t)((read + (uint64_t)k) * 31 >> 3));
		read += n > 0 ? (uint64_t)n : 0;
	}
	CHECK(fed > 20 * KEEP_STDIN_WINDOW);
	CHECK_INT(fed - read, t->s.in_len);
	set_free(t);
}
