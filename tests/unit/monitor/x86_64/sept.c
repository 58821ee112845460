/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/x86_64/sept.h"

#include "../../test.h"

/* Two large pages, at physical addresses that begin at such a boundary. */
#define BEGIN 0x40000000ull
#define LARGE 0x200000ull
#define GPA   0x600000ull
enum { PAGES = 2 * SEPT_LARGE_PAGES };

static struct sept_entry entries[PAGES];

static struct sept fresh(void)
{
	memset(entries, 0, sizeof entries);
	return (struct sept){ entries, BEGIN, BEGIN + 2 * LARGE };
}

TEST(sept_an_added_page_is_the_domain_s_without_acceptance)
{
	struct sept s = fresh();
	CHECK_INT(sept_check(&s, BEGIN, GPA), SEPT_NOT_THERE);
	CHECK(sept_add(&s, BEGIN, GPA));
	CHECK(!sept_add(&s, BEGIN, GPA));
	CHECK(!sept_add(&s, BEGIN, GPA + PAGE_BYTES));
	CHECK_INT(sept_check(&s, BEGIN, GPA), SEPT_FINE);
	CHECK_INT(sept_accept(&s, BEGIN, GPA, false), SEPT_ALREADY);
}

TEST(sept_a_page_is_at_one_address)
{
	struct sept s = fresh();
	CHECK(sept_augment(&s, BEGIN, GPA, false));
	CHECK(!sept_augment(&s, BEGIN, GPA + PAGE_BYTES, false));
	CHECK_INT(sept_check(&s, BEGIN, GPA + PAGE_BYTES), SEPT_OTHER_GPA);
	CHECK_INT(sept_accept(&s, BEGIN, GPA + PAGE_BYTES, false),
		SEPT_OTHER_GPA);
	CHECK_INT(sept_check(&s, BEGIN, GPA), SEPT_NOT_ACCEPTED);
}

TEST(sept_a_pending_page_is_accepted_once)
{
	struct sept s = fresh();
	CHECK_INT(sept_accept(&s, BEGIN, GPA, false), SEPT_NOT_THERE);
	CHECK(sept_augment(&s, BEGIN, GPA, false));
	CHECK_INT(sept_accept(&s, BEGIN, GPA, false), SEPT_FINE);
	CHECK_INT(sept_check(&s, BEGIN, GPA), SEPT_FINE);
	CHECK_INT(sept_accept(&s, BEGIN, GPA, false), SEPT_ALREADY);
	sept_remove(&s, BEGIN);
	CHECK_INT(sept_check(&s, BEGIN, GPA), SEPT_NOT_THERE);
}

TEST(sept_a_large_page_is_one)
{
	struct sept s = fresh();
	CHECK(sept_augment(&s, BEGIN, GPA, true));
	CHECK(!sept_add(&s, BEGIN + 7 * PAGE_BYTES, 0));
	CHECK_INT(sept_accept(&s, BEGIN, GPA, true), SEPT_FINE);
	CHECK_INT(sept_check(&s, BEGIN + 5 * PAGE_BYTES, GPA + 5 * PAGE_BYTES),
		SEPT_FINE);
	CHECK_INT(sept_check(&s, BEGIN + 5 * PAGE_BYTES, GPA + 6 * PAGE_BYTES),
		SEPT_OTHER_GPA);
	CHECK_INT(sept_accept(&s, BEGIN + 5 * PAGE_BYTES, GPA + 5 * PAGE_BYTES,
			  false),
		SEPT_ALREADY);
}

TEST(sept_sizes_have_to_agree)
{
	struct sept s = fresh();
	/* Not at a boundary; over the end; over somebody's. */
	CHECK(!sept_augment(&s, BEGIN + PAGE_BYTES, GPA + PAGE_BYTES, true));
	CHECK(!sept_augment(&s, BEGIN, GPA + PAGE_BYTES, true));
	CHECK(!sept_augment(&s, BEGIN + 2 * LARGE, GPA, true));
	CHECK(sept_augment(&s, BEGIN + 9 * PAGE_BYTES, GPA + 9 * PAGE_BYTES,
		false));
	CHECK(!sept_augment(&s, BEGIN, GPA, true));
	CHECK_INT(sept_accept(&s, BEGIN, GPA, true), SEPT_OTHER_SIZE);
	/* A small one of a large one that waits. */
	CHECK(sept_augment(&s, BEGIN + LARGE, GPA + LARGE, true));
	CHECK_INT(sept_accept(&s, BEGIN + LARGE, GPA + LARGE, false),
		SEPT_NOT_ACCEPTED);
}

TEST(sept_what_is_removed_of_a_large_page_is_that_page)
{
	struct sept s = fresh();
	CHECK(sept_augment(&s, BEGIN, GPA, true));
	CHECK_INT(sept_accept(&s, BEGIN, GPA, true), SEPT_FINE);
	sept_remove(&s, BEGIN + 3 * PAGE_BYTES);
	for (uint64_t i = 0; i < SEPT_LARGE_PAGES; i++)
		CHECK_INT(sept_check(&s, BEGIN + i * PAGE_BYTES,
				  GPA + i * PAGE_BYTES),
			i == 3 ? SEPT_NOT_THERE : SEPT_FINE);
	CHECK_INT(sept_accept(&s, BEGIN, GPA, true), SEPT_OTHER_SIZE);
}
