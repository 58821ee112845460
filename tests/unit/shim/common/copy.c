/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/copy.h"

#include "../../test.h"

enum { PAGES = 3, BASE = 0x7000 };

/* exec's memory: pages that do not lie beside each other. */
static uint8_t pages[PAGES][2][PAGE_BYTES];
static bool writable[PAGES];
static unsigned asked;

static void *reach(UNUSED void *ctx, uint64_t at, bool write)
{
	uint64_t page = (at - BASE) / PAGE_BYTES;
	asked++;
	if (at < BASE || page >= PAGES || (write && !writable[page]))
		return NULL;
	return &pages[page][0][at % PAGE_BYTES];
}

static void start(void)
{
	memset(pages, 0, sizeof pages);
	memset(writable, true, sizeof writable);
	asked = 0;
}

TEST(copies_ask_for_each_page_once_and_stay_within_it)
{
	static uint8_t from[PAGE_BYTES + 20], to[sizeof from];
	start();
	for (size_t i = 0; i < sizeof from; i++)
		from[i] = (uint8_t)(i * 7 + 1);
	CHECK(copy_out(reach, NULL, BASE + PAGE_BYTES - 10, from, sizeof from));
	CHECK_INT(asked, 3);
	CHECK_MEM(&pages[0][0][PAGE_BYTES - 10], from, 10);
	CHECK_MEM(pages[1][0], from + 10, PAGE_BYTES);
	CHECK_MEM(pages[2][0], from + 10 + PAGE_BYTES, 10);
	for (size_t i = 0; i < PAGES; i++)
		CHECK_INT(pages[i][1][0], 0);
	CHECK(copy_in(reach, NULL, to, BASE + PAGE_BYTES - 10, sizeof to));
	CHECK_MEM(to, from, sizeof from);
}

TEST(a_copy_ends_at_the_page_that_may_not_be_used)
{
	uint8_t from[32], to[32] = { 0 };
	start();
	memset(from, 0x5a, sizeof from);
	writable[1] = false;
	CHECK(!copy_out(reach, NULL, BASE + PAGE_BYTES - 16, from, 32));
	CHECK_MEM(&pages[0][0][PAGE_BYTES - 16], from, 16);
	CHECK_INT(pages[1][0][0], 0);
	CHECK(copy_in(reach, NULL, to, BASE + PAGE_BYTES - 16, 32));
	CHECK(!copy_in(reach, NULL, to, BASE + 3 * PAGE_BYTES - 16, 32));
	CHECK(!copy_in(reach, NULL, to, BASE - 1, 1));
}

TEST(a_copy_of_nothing_asks_for_nothing)
{
	start();
	CHECK(copy_out(reach, NULL, 0, NULL, 0));
	CHECK(copy_in(reach, NULL, NULL, 0, 0));
	CHECK_INT(asked, 0);
}
