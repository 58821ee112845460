/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/frames.h"

#include <stdlib.h>

#include "../../test.h"

/* Neither begins nor ends where a block does. */
enum { FIRST = 1000, COUNT = 15000, PAGES = FIRST + COUNT };

static uint64_t bitmaps[FRAMES_BITMAP_BYTES(COUNT) / 8];
static bool usable[PAGES], was[PAGES];
static unsigned accepts, releases;
static bool refuses;

/* Blocks, each once, until it is released; those are told. */
static bool accept(void *ctx, uint64_t from, uint64_t to, bool again)
{
	CHECK(ctx == bitmaps);
	CHECK(from == FIRST || from % FRAMES_BLOCK == 0);
	CHECK(to == PAGES || to % FRAMES_BLOCK == 0);
	CHECK(to > from && to - from <= FRAMES_BLOCK);
	if (refuses)
		return false;
	accepts++;
	for (; from < to; from++) {
		CHECK(!usable[from]);
		CHECK_INT(was[from], again);
		usable[from] = true;
	}
	return true;
}

/* Whole ones, in which nothing is. */
static void release(void *ctx, uint64_t from, uint64_t to)
{
	CHECK(ctx == bitmaps);
	CHECK(from % FRAMES_BLOCK == 0 && to % FRAMES_BLOCK == 0 && from < to);
	releases++;
	for (; from < to; from++) {
		uint64_t i = from - FIRST;
		CHECK(usable[from]);
		CHECK(!(bitmaps[i / 64] >> i % 64 & 1));
		usable[from] = false;
		was[from] = true;
	}
}

static const struct frames_ops ops = { accept, release };

static struct frames open_frames(void)
{
	struct frames f;
	memset(bitmaps, 0, sizeof bitmaps);
	memset(usable, 0, sizeof usable);
	memset(was, 0, sizeof was);
	/* The first block's part is there from the start. */
	for (unsigned i = FIRST; i < 1024; i++)
		usable[i] = true;
	frames_init(&f, FIRST, COUNT, 1024 - FIRST, bitmaps);
	f.ops = &ops;
	f.ctx = bitmaps;
	accepts = releases = 0;
	refuses = false;
	return f;
}

TEST(frames_are_given_once_each_and_only_when_accepted)
{
	struct frames f = open_frames();
	static uint8_t seen[COUNT];
	uint64_t page;
	for (unsigned i = 0; i < COUNT; i++) {
		CHECK(frames_take(&f, &page));
		CHECK(page >= FIRST && page < PAGES && usable[page]);
		CHECK_INT(seen[page - FIRST]++, 0);
		/* Not before it is needed. */
		CHECK(page + FRAMES_BLOCK >= PAGES ||
			!usable[page + FRAMES_BLOCK]);
	}
	CHECK(!frames_take(&f, &page));
	CHECK_INT(f.used, COUNT);
	CHECK_INT(f.ready, COUNT);
	/* The part that was there, and the last, which is no whole block. */
	CHECK_INT(accepts, (PAGES - 1024 + FRAMES_BLOCK - 1) / FRAMES_BLOCK);
}

TEST(frames_that_came_back_are_given_again)
{
	struct frames f = open_frames();
	uint64_t pages[600], again;
	for (unsigned i = 0; i < 600; i++)
		CHECK(frames_take(&f, &pages[i]));
	frames_give(&f, pages[17]);
	frames_give(&f, pages[333]);
	CHECK(frames_take(&f, &again));
	CHECK_INT(again, pages[17]);
	CHECK(frames_take(&f, &again));
	CHECK_INT(again, pages[333]);
	CHECK_INT(f.used, 600);
}

TEST(frames_are_not_given_when_the_host_does_not_back_them)
{
	struct frames f = open_frames();
	uint64_t page;
	for (unsigned i = 0; i < 24; i++)
		CHECK(frames_take(&f, &page));
	refuses = true;
	CHECK(!usable[1024]);
	CHECK(!frames_take(&f, &page));
	CHECK_INT(f.used, 24);
	refuses = false;
	CHECK(frames_take(&f, &page));
	CHECK_INT(page, 1024);
}

static void take_all(struct frames *f, uint64_t *pages, size_t n)
{
	for (size_t i = 0; i < n; i++)
		CHECK(frames_take(f, &pages[i]));
}

static void give_all(struct frames *f, const uint64_t *pages, size_t n)
{
	for (size_t i = 0; i < n; i++)
		frames_give(f, pages[i]);
}

TEST(frames_that_nobody_needs_go_back_to_the_host_but_for_some)
{
	static uint64_t pages[COUNT];
	struct frames f = open_frames();
	take_all(&f, pages, COUNT);
	frames_trim(&f);
	CHECK_INT(releases, 0);
	/* A hole in the middle: all of its whole blocks at once, but 8 MiB or a
	 * quarter of what is left. */
	give_all(&f, pages + 3000, 9000);
	CHECK_INT(releases, 0);
	frames_trim(&f);
	CHECK_INT(releases, 1);
	CHECK_INT(f.used, 6000);
	CHECK(f.ready >= f.used + 2048 &&
		f.ready < f.used + 2048 + FRAMES_BLOCK);
	/* Nothing came back since. */
	frames_trim(&f);
	CHECK_INT(releases, 1);
	/* And they can be had again. */
	take_all(&f, pages + 3000, 9000);
	CHECK_INT(f.ready, COUNT);
	/* Everything: the two parts of blocks stay. */
	give_all(&f, pages, COUNT);
	frames_trim(&f);
	CHECK(usable[FIRST] && usable[PAGES - 1]);
	CHECK(f.ready >= 2048 && f.ready < 2048 + FRAMES_BLOCK);
}

TEST(frames_of_a_machine_that_takes_nothing_back_stay)
{
	static uint64_t pages[COUNT];
	const struct frames_ops keeps = { accept, NULL };
	struct frames f = open_frames();
	f.ops = &keeps;
	take_all(&f, pages, COUNT);
	give_all(&f, pages, COUNT);
	frames_trim(&f);
	CHECK_INT(f.ready, COUNT);
}

TEST(frames_random_traffic_keeps_count)
{
	struct frames f = open_frames();
	static uint64_t held[COUNT];
	static uint8_t out[COUNT];
	size_t n = 0;
	srand(6);
	for (unsigned i = 0; i < 200000; i++) {
		/* Ebb and flow, so that there is something to release. */
		bool ebb = i / 20000 % 2;
		if (n && rand() % 5 < (ebb ? 4 : 1)) {
			size_t k = (size_t)rand() % n;
			out[held[k] - FIRST] = 0;
			frames_give(&f, held[k]);
			held[k] = held[--n];
		} else if (frames_take(&f, &held[n])) {
			CHECK(usable[held[n]]);
			CHECK_INT(out[held[n] - FIRST]++, 0);
			n++;
		} else {
			CHECK_INT(n, COUNT);
		}
		if (rand() % 100 == 0)
			frames_trim(&f);
		CHECK_INT(f.used, n);
	}
	size_t ready = 0;
	for (unsigned i = FIRST; i < PAGES; i++)
		ready += usable[i];
	CHECK_INT(f.ready, ready);
	CHECK(releases > 0);
}

TEST(frames_what_is_reserved_is_never_given)
{
	enum { IN = 3000, BLOCK = IN / FRAMES_BLOCK * FRAMES_BLOCK };
	struct frames f = open_frames();
	uint64_t page, idle = f.ready - f.used;
	/* Outside: nothing happens. */
	frames_reserve(&f, 0);
	frames_reserve(&f, PAGES);
	CHECK_INT(f.used, 0);
	frames_reserve(&f, IN);
	CHECK_INT(f.used, FRAMES_BLOCK);
	CHECK_INT(f.ready - f.used, idle);
	for (unsigned n = 0; n < COUNT - FRAMES_BLOCK; n++) {
		CHECK(frames_take(&f, &page));
		CHECK(page < BLOCK || page >= BLOCK + FRAMES_BLOCK);
	}
	CHECK(!frames_take(&f, &page));
	/* Nobody accepted it, and nobody gives it back. */
	CHECK(!usable[IN]);
}
