/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/x86_64/npt.h"

#include "../../test.h"
#include "helpers/memory.h"

#define BEGIN	0x100000ull
#define ADDRESS 0xffffffffff000ull

static struct npt t;
static bool large;

static void start(size_t pages)
{
	memory_reset();
	CHECK(npt_init(&t, BEGIN, BEGIN + pages * PAGE_BYTES));
}

static uint64_t at(uint64_t gpa)
{
	return npt_find(&t, gpa, &large);
}

TEST(npt_maps_nothing_by_itself)
{
	start(8);
	CHECK_INT(at(0), 0);
	CHECK_INT(at(0x7fffffff000), 0);
	CHECK_INT(at(NPT_C), 0);
	memory_free();
}

TEST(npt_maps_one_page)
{
	start(8);
	CHECK(npt_map(&t, 0x5000, 0x9000, NPT_ALL));
	CHECK_INT(at(0x5000), 0x9000 | NPT_ALL);
	CHECK(!large);
	CHECK_INT(at(0x4000), 0);
	CHECK_INT(at(0x6000), 0);
	CHECK(npt_map(&t, 0x5000, 0xa000, NPT_PRESENT | NPT_USER));
	CHECK_INT(at(0x5000), 0xa000 | NPT_PRESENT | NPT_USER);
	memory_free();
}

TEST(npt_keeps_the_halves_apart)
{
	start(16);
	CHECK(npt_map(&t, 0x5000, 0x9000, NPT_ALL));
	CHECK(npt_map(&t, 0x5000 | NPT_C, 0xa000, NPT_ALL));
	CHECK_INT(at(0x5000) & ADDRESS, 0x9000);
	CHECK_INT(at(0x5000 | NPT_C) & ADDRESS, 0xa000);
	CHECK(npt_unmap(&t, 0x5000, PAGE_BYTES));
	CHECK_INT(at(0x5000), 0);
	CHECK_INT(at(0x5000 | NPT_C) & ADDRESS, 0xa000);
	memory_free();
}

TEST(npt_breaks_a_large_page_up_for_a_small_one)
{
	start(8);
	CHECK(npt_map_large(&t, 0x400000, 0x800000, NPT_ALL));
	at(0x5ff000);
	CHECK(large);
	CHECK(npt_map(&t, 0x403000, 0x1000, NPT_PRESENT));
	CHECK_INT(at(0x403000), 0x1000 | NPT_PRESENT);
	CHECK(!large);
	for (uint64_t i = 0; i < 512; i++)
		if (i != 3)
			CHECK_INT(at(0x400000 + i * PAGE_BYTES),
				(0x800000 + i * PAGE_BYTES) | NPT_ALL);
	memory_free();
}

TEST(npt_a_broken_page_keeps_its_rights)
{
	start(8);
	CHECK(npt_map_large(&t, 0, 0x200000,
		NPT_PRESENT | NPT_USER | NPT_NO_EXECUTE));
	CHECK(npt_unmap(&t, 0x1000, PAGE_BYTES));
	CHECK(at(0x2000) ==
		(0x202000 | NPT_PRESENT | NPT_USER | NPT_NO_EXECUTE));
	CHECK_INT(at(0x1000), 0);
	memory_free();
}

TEST(npt_unmaps_ranges_and_nothing_beside)
{
	static const struct {
		uint64_t from, bytes;
	} cases[] = { { 0, 0x1000 }, { 0x1ff000, 0x2000 },
		{ 0x200000, 0x200000 }, { 0x1fe000, 0x203000 }, { 0, 0x800000 },
		{ 0x7ff000, 0x1000 }, { 0x800000, 0x40000000 },
		{ 0, 0x8000000000 } };
	for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
		start(64);
		for (uint64_t i = 0; i < 4; i++)
			CHECK(npt_map_large(&t, i * NPT_LARGE,
				0x100000000 + i * NPT_LARGE, NPT_ALL));
		CHECK(npt_unmap(&t, cases[c].from, cases[c].bytes));
		for (uint64_t gpa = 0; gpa < 0x800000; gpa += PAGE_BYTES) {
			bool gone = gpa - cases[c].from < cases[c].bytes;
			CHECK((at(gpa) == 0) == gone);
		}
		memory_free();
	}
}

TEST(npt_says_when_there_is_no_page_for_a_table)
{
	memory_reset();
	CHECK(!npt_init(&t, BEGIN, BEGIN));
	for (size_t pages = 1; pages < 4; pages++) {
		start(pages);
		CHECK(!npt_map(&t, 0x5000, 0x9000, NPT_ALL));
		CHECK_INT(at(0x5000), 0);
	}
	start(4);
	CHECK(npt_map(&t, 0x5000, 0x9000, NPT_ALL));
	start(3);
	CHECK(npt_map_large(&t, 0, 0, NPT_ALL));
	CHECK(!npt_unmap(&t, 0x1000, PAGE_BYTES));
	memory_free();
}
