/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/ppc64le/radix.h"

#include "../../test.h"
#include "helpers/memory.h"

#define BEGIN 0x100000ull

static struct radix t;
static uint64_t hpa;

static void start(uint64_t bytes)
{
	memory_reset();
	CHECK(radix_init(&t, BEGIN, BEGIN + bytes));
}

TEST(radix_maps_nothing_by_itself)
{
	start(0x20000);
	CHECK_INT(radix_find(&t, 0, &hpa), 0);
	CHECK_INT(radix_find(&t, 0xf000000000000, &hpa), 0);
	memory_free();
}

TEST(radix_maps_a_page_with_its_rights)
{
	start(0x20000);
	CHECK(radix_map(&t, 0x50000, 0x6000000250000, RADIX_READ));
	CHECK_INT(radix_find(&t, 0x5ffff, &hpa), RADIX_READ);
	CHECK(hpa == 0x6000000250000);
	CHECK_INT(radix_find(&t, 0x40000, &hpa), 0);
	CHECK_INT(radix_find(&t, 0x60000, &hpa), 0);
	CHECK(radix_map(&t, 0x50000, 0x70000, RADIX_READ | RADIX_EXECUTE));
	CHECK_INT(radix_find(&t, 0x50000, &hpa), RADIX_READ | RADIX_EXECUTE);
	CHECK(hpa == 0x70000);
	radix_unmap(&t, 0x50000);
	CHECK_INT(radix_find(&t, 0x50000, &hpa), 0);
	radix_unmap(&t, 0xffff0000000);
	memory_free();
}

/* Power ISA 3.0B, book III, figures 22 and 23: the first level, as a processor
 * reads it. */
TEST(radix_tables_are_what_a_processor_walks)
{
	start(0x20000);
	CHECK(radix_map(&t, 1ull << 45, 0x80000, RADIX_READ | RADIX_WRITE));
	const uint8_t *root = monitor_memory(BEGIN);
	/* Entry 64 of 8192: valid, a table of 512 behind the root. */
	static const uint8_t down[] = { 0x80, 0, 0, 0, 0, 0x11, 0x00, 9 };
	CHECK_MEM(root + 64 * 8, down, sizeof down);
	CHECK(radix_pate(&t) == (1ull << 63 | 2ull << 61 | BEGIN | 0xa0 | 13));
	/* The last one: 32 entries; valid, leaf, used, to be read and written.
	 */
	const uint8_t *last = monitor_memory(BEGIN + 0x12000);
	static const uint8_t leaf[] = { 0xc0, 0, 0, 0, 0, 0x08, 0x01, 0x86 };
	CHECK_MEM(last, leaf, sizeof leaf);
	memory_free();
}

TEST(radix_says_when_tables_or_addresses_end)
{
	start(0x10000);
	CHECK(!radix_map(&t, 0, 0, RADIX_READ));
	start(0x20000);
	CHECK(!radix_map(&t, 1ull << 52, 0, RADIX_READ));
	CHECK_INT(radix_find(&t, 1ull << 52, &hpa), 0);
	memory_reset();
	CHECK(!radix_init(&t, BEGIN, BEGIN + 0x8000));
	memory_free();
}
