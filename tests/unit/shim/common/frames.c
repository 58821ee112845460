/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/frames.h"

#include <stdlib.h>

#include "../../test.h"

enum { FIRST = 1000, COUNT = 5000 };

static uint64_t bitmap[FRAMES_BITMAP_BYTES(COUNT) / 8];
static uint64_t accepted_to;
static bool refuses;

/* In order, without a hole, to boundaries of 512. */
static bool accept(void *ctx, uint64_t from, uint64_t to)
{
	CHECK(ctx == bitmap);
	CHECK_INT(from, accepted_to);
	CHECK(to > from && (to % 512 == 0 || to == FIRST + COUNT));
	if (refuses)
		return false;
	accepted_to = to;
	return true;
}

static struct frames open_frames(void)
{
	struct frames f;
	memset(bitmap, 0, sizeof bitmap);
	frames_init(&f, FIRST, COUNT, bitmap);
	f.accept = accept;
	f.ctx = bitmap;
	accepted_to = FIRST;
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
		CHECK(page >= FIRST && page < accepted_to);
		CHECK_INT(seen[page - FIRST]++, 0);
	}
	CHECK(!frames_take(&f, &page));
	CHECK_INT(f.used, COUNT);
	CHECK_INT(accepted_to, FIRST + COUNT);
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
	CHECK_INT(accepted_to, 1024);
	CHECK(!frames_take(&f, &page));
	CHECK_INT(f.used, 24);
	refuses = false;
	CHECK(frames_take(&f, &page));
}

TEST(frames_random_traffic_keeps_count)
{
	struct frames f = open_frames();
	static uint64_t held[COUNT];
	static uint8_t out[COUNT];
	size_t n = 0;
	srand(6);
	for (unsigned i = 0; i < 100000; i++) {
		if (n && rand() % 5 < 2) {
			size_t k = (size_t)rand() % n;
			out[held[k] - FIRST] = 0;
			frames_give(&f, held[k]);
			held[k] = held[--n];
		} else if (frames_take(&f, &held[n])) {
			CHECK_INT(out[held[n] - FIRST]++, 0);
			n++;
		} else {
			CHECK_INT(n, COUNT);
		}
		CHECK_INT(f.used, n);
	}
}
