/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/ring.h"

#include "../test.h"
#include "base/buf.h"

static struct keep_ring ring_of(size_t cap, size_t runs)
{
	struct keep_ring r;
	struct err e;
	CHECK(keep_ring_init(&r, cap, runs, &e));
	return r;
}

static void put(struct keep_ring *r, unsigned stream, const char *text)
{
	keep_ring_put(r, stream, bytes_str(text));
}

/* Everything from `at` on: "1:abc2:de", a number for each change of stream. */
static const char *all(const struct keep_ring *r, uint64_t at, struct buf *out)
{
	unsigned stream, last = 0;
	buf_clear(out);
	for (;;) {
		struct bytes b = keep_ring_get(r, &at, &stream);
		if (!b.len)
			return buf_cstr(out);
		if (stream != last)
			buf_fmt(out, "%u:", stream);
		last = stream;
		buf_put(out, b);
		at += b.len;
	}
}

TEST(ring_keeps_streams_apart_in_the_order_of_writing)
{
	struct keep_ring r = ring_of(64, 8);
	auto_buf out = { .len = 0 };
	put(&r, 1, "one ");
	put(&r, 1, "more ");
	put(&r, 2, "oops ");
	put(&r, 1, "end");
	CHECK_STR(all(&r, 0, &out), "1:one more 2:oops 1:end");
	CHECK_INT(r.end, 17);
	CHECK_INT(r.run_count, 3);
	keep_ring_fini(&r);
}

TEST(ring_reads_from_any_offset)
{
	struct keep_ring r = ring_of(64, 8);
	auto_buf out = { .len = 0 };
	put(&r, 1, "abcd");
	put(&r, 2, "efgh");
	CHECK_STR(all(&r, 2, &out), "1:cd2:efgh");
	CHECK_STR(all(&r, 4, &out), "2:efgh");
	CHECK_STR(all(&r, 7, &out), "2:h");
	keep_ring_fini(&r);
}

TEST(ring_drops_the_oldest_bytes)
{
	struct keep_ring r = ring_of(8, 8);
	auto_buf out = { .len = 0 };
	put(&r, 1, "abcdef");
	put(&r, 2, "ghi");
	CHECK_INT(r.first, 1);
	CHECK_STR(all(&r, 0, &out), "1:bcdef2:ghi");
	put(&r, 1, "jklmno");
	CHECK_STR(all(&r, 0, &out), "2:hi1:jklmno");
	CHECK_INT(r.first, 7);
	CHECK_INT(r.end, 15);
	keep_ring_fini(&r);
}

TEST(ring_keeps_the_end_of_a_write_larger_than_itself)
{
	struct keep_ring r = ring_of(8, 8);
	auto_buf out = { .len = 0 };
	put(&r, 2, "xy");
	put(&r, 1, "0123456789abcdefghij");
	CHECK_STR(all(&r, 0, &out), "1:cdefghij");
	CHECK_INT(r.end, 22);
	CHECK_INT(r.first, 14);
	CHECK_INT(r.run_count, 1);
	keep_ring_fini(&r);
}

TEST(ring_drops_the_oldest_run_when_there_are_too_many)
{
	struct keep_ring r = ring_of(64, 3);
	auto_buf out = { .len = 0 };
	put(&r, 1, "a");
	put(&r, 2, "b");
	put(&r, 1, "c");
	put(&r, 2, "d");
	CHECK_STR(all(&r, 0, &out), "2:b1:c2:d");
	CHECK_INT(r.first, 1);
	keep_ring_fini(&r);
}

TEST(ring_turns_offsets_that_are_not_there_into_those_that_are)
{
	struct keep_ring r = ring_of(4, 8);
	uint64_t at = 0;
	unsigned stream;
	put(&r, 1, "abcdef");
	struct bytes b = keep_ring_get(&r, &at, &stream);
	CHECK_INT(at, 2);
	CHECK(b.len > 0);
	at = UINT64_MAX;
	CHECK_INT(keep_ring_get(&r, &at, &stream).len, 0);
	CHECK_INT(at, 6);
	keep_ring_fini(&r);
}

TEST(an_empty_ring_has_nothing)
{
	struct keep_ring r = ring_of(4, 2);
	uint64_t at = 0;
	unsigned stream;
	CHECK_INT(keep_ring_get(&r, &at, &stream).len, 0);
	put(&r, 1, "");
	CHECK_INT(keep_ring_get(&r, &at, &stream).len, 0);
	keep_ring_fini(&r);
	/* Closing twice, and a ring that never was, are fine. */
	keep_ring_fini(&r);
	put(&r, 1, "x");
}

/* Against the simplest model there is: all bytes ever written. */
TEST(ring_agrees_with_a_plain_list_over_many_writes)
{
	enum { TOTAL = 20000 };
	static uint8_t bytes[TOTAL + 64], streams[TOTAL + 64];
	struct keep_ring r = ring_of(97, 13);
	uint32_t seed = 7;
	size_t n = 0;
	while (n < TOTAL) {
		uint8_t chunk[64];
		seed = seed * 1664525u + 1013904223u;
		size_t len = (seed >> 16) % sizeof chunk;
		unsigned stream = 1 + (seed >> 30 & 1);
		for (size_t i = 0; i < len; i++) {
			chunk[i] = bytes[n + i] = (uint8_t)(n + i);
			streams[n + i] = (uint8_t)stream;
		}
		keep_ring_put(&r, stream, bytes_of(chunk, len));
		n += len;
		CHECK_INT(r.end, n);
		CHECK(r.end - r.first <= 97);
		for (uint64_t at = r.first; at < r.end;) {
			unsigned s;
			struct bytes b = keep_ring_get(&r, &at, &s);
			CHECK(b.len > 0 && at + b.len <= n);
			CHECK_MEM(b.ptr, bytes + at, b.len);
			CHECK_INT(s, streams[at]);
			CHECK_INT(s, streams[at + b.len - 1]);
			at += b.len;
		}
	}
	keep_ring_fini(&r);
}
