/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/x86_64_vm/pages.h"

#include "../../test.h"
#include "base/fmt.h"

/* What was asked for: L and S with the page; and how it is answered. */
static struct {
	char asked[256];
	size_t len, calls, small;
	uint64_t broken_up, refused; /* the block that is in pieces; a page */
} seen;

static bool one(uint64_t page, bool large, bool *fits)
{
	seen.calls++;
	seen.small += !large;
	if (seen.len < sizeof seen.asked - 16)
		seen.len += fmt(seen.asked + seen.len,
			sizeof seen.asked - seen.len, "%c%llu ",
			large ? 'L' : 'S', (unsigned long long)page);
	*fits = !large || page != seen.broken_up;
	return *fits && page != seen.refused;
}

static bool each(uint64_t from, uint64_t to, uint64_t broken_up,
	uint64_t refused)
{
	memset(&seen, 0, sizeof seen);
	seen.broken_up = broken_up;
	seen.refused = refused;
	return pages_each(from, to, one);
}

TEST(blocks_are_done_at_once_and_what_is_around_them_page_by_page)
{
	CHECK(each(510, 1538, 1, 1));
	CHECK_STR(seen.asked, "S510 S511 L512 L1024 S1536 S1537 ");
	CHECK(each(512, 1023, 1, 1));
	CHECK_INT(seen.calls, 511);
	CHECK_INT(seen.small, 511);
	CHECK(each(512, 512, 1, 1));
	CHECK_INT(seen.calls, 0);
}

TEST(a_block_that_is_in_pieces_is_done_page_by_page)
{
	CHECK(each(0, 1536, 512, 1));
	CHECK_INT(seen.calls, 3 + 512);
	CHECK_INT(seen.small, 512);
}

TEST(the_first_that_is_refused_ends_it)
{
	CHECK(!each(0, 1536, 1, 512));
	CHECK_STR(seen.asked, "L0 L512 ");
	CHECK(!each(0, 1536, 512, 514));
	CHECK_STR(seen.asked, "L0 L512 S512 S513 S514 ");
	CHECK(!each(3, 9, 1, 4));
	CHECK_STR(seen.asked, "S3 S4 ");
}
