/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/ppc64le/pages.h"

#include "../../test.h"
#include "helpers/memory.h"

#define UNIT   RADIX_PAGE_BYTES
#define TABLES 0x220000ull
#define SECURE 0x300000ull
#define WINDOW 0x1000000000ull
#define ALL    (RADIX_READ | RADIX_WRITE | RADIX_EXECUTE)
#define SHARED MONITOR_PPC_SHARED_HPA

enum { RAM_PAGES = 8 };

static struct monitor_box box;
static struct pages p;
static uint8_t states[16];
static uint64_t hpa;

static void start(void)
{
	memory_reset();
	memset(states, 0, sizeof states);
	box = (struct monitor_box){ .tables_end = SECURE,
		.private_hpa = SECURE };
	box.slots[0] = (struct monitor_slot){ WINDOW, UNIT, 0x280000, SECURE };
	box.slots[1] = (struct monitor_slot){ 0, RAM_PAGES * UNIT, 0x200000,
		SECURE + UNIT };
	CHECK(pages_init(&p, &box, SHARED, states));
}

static unsigned rights(uint64_t gra)
{
	return radix_find(&p.radix, gra, &hpa);
}

static uint64_t *word(uint64_t at)
{
	return monitor_memory(at);
}

TEST(pages_of_a_plain_guest_are_the_host_s)
{
	start();
	CHECK_INT(pages_fault(&p, 3 * UNIT + 5, false), PAGE_MAPPED);
	CHECK_INT(rights(3 * UNIT), ALL);
	CHECK(hpa == SHARED + 0x200000 + 3 * UNIT);
	CHECK_INT(pages_fault(&p, 3 * UNIT, false), PAGE_REFUSED);
	CHECK_INT(pages_fault(&p, RAM_PAGES * UNIT, false), PAGE_NOWHERE);
	CHECK(!pages_share(&p, 1ull << 40, 1, true));
	memory_free();
}

TEST(pages_of_vectors_are_executed_at_their_alias_alone)
{
	start();
	CHECK_INT(pages_fault(&p, 0xc00, true), PAGE_MAPPED);
	CHECK_INT(rights(0), RADIX_READ | RADIX_WRITE);
	CHECK_INT(rights(PAGES_ALIAS), RADIX_READ | RADIX_EXECUTE);
	memory_free();
}

TEST(pages_that_were_taken_in_are_secure_with_what_was_given)
{
	static uint8_t given[2 * RADIX_PAGE_BYTES];
	start();
	memset(given, 7, sizeof given);
	CHECK_INT(pages_fault(&p, UNIT, false), PAGE_MAPPED);
	CHECK_INT(pages_in(&p, UNIT, 2, given), MONITOR_OK);
	CHECK_INT(pages_in(&p, 2 * UNIT, 1, given), MONITOR_STATE_WRONG);
	CHECK_INT(pages_in(&p, UNIT + 1, 1, given), MONITOR_WRONG);
	CHECK_INT(pages_in(&p, 7 * UNIT, 2, given), MONITOR_WRONG);
	CHECK_INT(pages_in(&p, 3 * UNIT, 0, given), MONITOR_WRONG);
	pages_secure(&p);
	CHECK_INT(rights(UNIT), 0);
	CHECK_INT(pages_fault(&p, UNIT, false), PAGE_MAPPED);
	rights(UNIT);
	CHECK(hpa == SECURE + 2 * UNIT);
	CHECK(*word(hpa) == 0x0707070707070707);
	CHECK_INT(pages_in(&p, 4 * UNIT, 1, given), MONITOR_WRONG);
	memory_free();
}

TEST(pages_of_a_secure_guest_leave_the_host_at_their_first_use)
{
	start();
	*word(SHARED + 0x200000 + 4 * UNIT) = 11;
	pages_secure(&p);
	CHECK_INT(pages_fault(&p, 4 * UNIT, false), PAGE_MAPPED);
	CHECK_INT(rights(4 * UNIT), ALL);
	CHECK(hpa == SECURE + 5 * UNIT && *word(hpa) == 11);
	*word(SHARED + 0x200000 + 4 * UNIT) = 12;
	CHECK(*word(hpa) == 11);
	memory_free();
}

TEST(pages_are_empty_on_both_sides_when_they_change_hands)
{
	start();
	pages_secure(&p);
	CHECK_INT(pages_fault(&p, 4 * UNIT, false), PAGE_MAPPED);
	*word(SECURE + 5 * UNIT) = 1;
	*word(SHARED + 0x200000 + 4 * UNIT) = 2;
	CHECK(pages_share(&p, 4, 1, true));
	CHECK(*word(SECURE + 5 * UNIT) == 0);
	CHECK(*word(SHARED + 0x200000 + 4 * UNIT) == 0);
	CHECK_INT(rights(4 * UNIT), 0);
	CHECK_INT(pages_fault(&p, 4 * UNIT, true), PAGE_REFUSED);
	CHECK_INT(pages_fault(&p, 4 * UNIT, false), PAGE_MAPPED);
	CHECK_INT(rights(4 * UNIT), RADIX_READ | RADIX_WRITE);
	*word(SHARED + 0x200000 + 4 * UNIT) = 3;
	pages_unshare_all(&p);
	CHECK_INT(pages_fault(&p, 4 * UNIT, false), PAGE_MAPPED);
	rights(4 * UNIT);
	CHECK(hpa == SECURE + 5 * UNIT && *word(hpa) == 0);
	memory_free();
}

TEST(pages_that_are_secure_are_not_taken_back_by_unsharing)
{
	start();
	pages_secure(&p);
	CHECK_INT(pages_fault(&p, 4 * UNIT, false), PAGE_MAPPED);
	*word(SECURE + 5 * UNIT) = 1;
	CHECK(pages_share(&p, 4, 1, false));
	pages_unshare_all(&p);
	CHECK(*word(SECURE + 5 * UNIT) == 1);
	memory_free();
}

TEST(pages_of_a_guest_that_is_refused_are_wiped)
{
	static uint8_t given[RADIX_PAGE_BYTES];
	start();
	memset(given, 7, sizeof given);
	CHECK_INT(pages_in(&p, UNIT, 1, given), MONITOR_OK);
	pages_abort(&p);
	CHECK(*word(SECURE + 2 * UNIT) == 0);
	CHECK_INT(pages_fault(&p, UNIT, false), PAGE_MAPPED);
	rights(UNIT);
	CHECK(hpa == SHARED + 0x200000 + UNIT);
	memory_free();
}

TEST(pages_of_a_secure_guest_stay_where_they_are)
{
	start();
	struct monitor_slot s = box.slots[1];
	s.shared_at = 0x210000;
	s.private_hpa = 0x1000;
	CHECK_INT(pages_take_slot(&p, 1, &s), MONITOR_OK);
	CHECK(p.slots[1].private_hpa == SECURE + UNIT);
	pages_secure(&p);
	CHECK_INT(pages_take_slot(&p, 1, &s), MONITOR_OK);
	s.gpa = UNIT;
	CHECK_INT(pages_take_slot(&p, 1, &s), MONITOR_STATE_WRONG);
	s.gpa = 0;
	s.bytes -= UNIT;
	CHECK_INT(pages_take_slot(&p, 1, &s), MONITOR_STATE_WRONG);
	memory_free();
}
