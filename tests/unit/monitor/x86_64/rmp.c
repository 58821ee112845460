/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/x86_64/rmp.h"

#include <string.h>

#include "../../test.h"

#define BASE  0x40000000ull
#define GPA   0x200000ull
#define LARGE 0x200000ull

static struct rmp_entry entries[4 * RMP_LARGE_PAGES];
static struct rmp r = { entries, BASE, BASE + 4 * LARGE, 0 };
static bool same;

static void start(void)
{
	memset(entries, 0, sizeof entries);
}

static enum rmp_verdict check(uint64_t hpa, uint64_t gpa)
{
	return rmp_check(&r, hpa, gpa, RMP_READ | RMP_WRITE);
}

TEST(rmp_a_page_is_nobody_s_at_first)
{
	start();
	CHECK_INT(check(BASE, GPA), RMP_NOT_ASSIGNED);
}

TEST(rmp_a_page_is_usable_once_it_was_validated)
{
	start();
	CHECK(rmp_assign(&r, BASE, GPA));
	CHECK_INT(check(BASE, GPA), RMP_NOT_VALIDATED);
	CHECK_INT(rmp_validate(&r, BASE, false, true, &same), SNP_DONE);
	CHECK(!same);
	CHECK_INT(check(BASE, GPA), RMP_FINE);
	CHECK_INT(rmp_validate(&r, BASE, false, true, &same), SNP_DONE);
	CHECK(same);
	CHECK_INT(rmp_validate(&r, BASE, false, false, &same), SNP_DONE);
	CHECK(!same);
	CHECK_INT(check(BASE, GPA), RMP_NOT_VALIDATED);
}

TEST(rmp_a_page_is_at_one_address_only)
{
	start();
	CHECK(rmp_assign(&r, BASE, GPA));
	CHECK_INT(rmp_validate(&r, BASE, false, true, &same), SNP_DONE);
	CHECK_INT(check(BASE, GPA + PAGE_BYTES), RMP_OTHER_GPA);
	CHECK(!rmp_assign(&r, BASE, GPA + PAGE_BYTES));
	CHECK_INT(check(BASE, GPA), RMP_FINE);
}

TEST(rmp_what_was_released_must_be_validated_anew)
{
	start();
	CHECK(rmp_assign(&r, BASE, GPA));
	CHECK_INT(rmp_validate(&r, BASE, false, true, &same), SNP_DONE);
	rmp_release(&r, BASE);
	CHECK_INT(check(BASE, GPA), RMP_NOT_ASSIGNED);
	CHECK(rmp_assign(&r, BASE, GPA));
	CHECK_INT(check(BASE, GPA), RMP_NOT_VALIDATED);
}

TEST(rmp_a_large_page_stands_for_all_of_its_parts)
{
	start();
	CHECK(rmp_assign_large(&r, BASE + LARGE, GPA));
	CHECK_INT(rmp_validate(&r, BASE + LARGE, true, true, &same), SNP_DONE);
	for (uint64_t i = 0; i < LARGE; i += PAGE_BYTES) {
		CHECK_INT(check(BASE + LARGE + i, GPA + i), RMP_FINE);
		CHECK_INT(check(BASE + LARGE + i, GPA + (i ^ PAGE_BYTES)),
			RMP_OTHER_GPA);
	}
	CHECK_INT(check(BASE, GPA), RMP_NOT_ASSIGNED);
	CHECK(!rmp_assign(&r, BASE + LARGE + 0x5000, GPA + 0x5000));
}

TEST(rmp_a_large_page_needs_all_of_its_parts)
{
	start();
	CHECK(rmp_assign(&r, BASE + LARGE + 0x7000, GPA));
	CHECK(!rmp_assign_large(&r, BASE + LARGE, GPA));
	CHECK(!rmp_assign_large(&r, BASE + 4 * LARGE, GPA));
	CHECK(rmp_assign_large(&r, BASE, GPA));
	CHECK(!rmp_assign_large(&r, BASE, GPA));
}

TEST(rmp_a_small_instruction_breaks_a_large_page_up)
{
	start();
	CHECK(rmp_assign_large(&r, BASE, GPA));
	CHECK_INT(rmp_validate(&r, BASE, true, true, &same), SNP_DONE);
	CHECK_INT(rmp_validate(&r, BASE + 0x3000, false, false, &same),
		SNP_DONE);
	for (uint64_t i = 0; i < LARGE; i += PAGE_BYTES)
		CHECK_INT(check(BASE + i, GPA + i),
			i == 0x3000 ? RMP_NOT_VALIDATED : RMP_FINE);
	CHECK_INT(rmp_validate(&r, BASE, true, true, &same), SNP_FAIL_SIZE);
	CHECK_INT(rmp_adjust(&r, BASE, true, 1 | 15 << 8), SNP_FAIL_SIZE);
}

TEST(rmp_release_of_a_part_leaves_the_others)
{
	start();
	CHECK(rmp_assign_large(&r, BASE, GPA));
	CHECK_INT(rmp_validate(&r, BASE, true, true, &same), SNP_DONE);
	rmp_release(&r, BASE);
	CHECK_INT(check(BASE, GPA), RMP_NOT_ASSIGNED);
	CHECK_INT(check(BASE + 0x1000, GPA + 0x1000), RMP_FINE);
}

TEST(rmp_adjust_is_for_those_below)
{
	static const struct {
		uint64_t rdx;
		enum snp_instruction want;
	} cases[] = { { 0, SNP_FAIL_PERMISSION }, { 1, SNP_DONE },
		{ 3 | 15 << 8, SNP_DONE }, { 4, SNP_FAIL_INPUT },
		{ 255, SNP_FAIL_INPUT }, { 1 | 1 << 16, SNP_DONE } };
	start();
	CHECK(rmp_assign(&r, BASE, GPA));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK_INT(rmp_adjust(&r, BASE, false, cases[i].rdx),
			cases[i].want);
	CHECK_INT(entries[0].rights[3], RMP_ALL);
	CHECK_INT(entries[0].rights[0], RMP_ALL);
}

TEST(rmp_adjust_from_another_level_gives_no_more_than_that_has)
{
	start();
	CHECK(rmp_assign(&r, BASE, GPA));
	CHECK_INT(rmp_validate(&r, BASE, false, true, &same), SNP_DONE);
	CHECK_INT(rmp_adjust(&r, BASE, false, 1 | RMP_READ << 8), SNP_DONE);
	r.level = 1;
	CHECK_INT(rmp_check(&r, BASE, GPA, RMP_READ), RMP_FINE);
	CHECK_INT(rmp_check(&r, BASE, GPA, RMP_WRITE), RMP_NO_RIGHT);
	CHECK_INT(rmp_adjust(&r, BASE, false, 0), SNP_FAIL_PERMISSION);
	CHECK_INT(rmp_adjust(&r, BASE, false, 1), SNP_FAIL_PERMISSION);
	CHECK_INT(rmp_adjust(&r, BASE, false, 2 | 15 << 8),
		SNP_FAIL_PERMISSION);
	CHECK_INT(rmp_adjust(&r, BASE, false, 2 | 1 << 16),
		SNP_FAIL_PERMISSION);
	CHECK_INT(rmp_adjust(&r, BASE, false, 2 | RMP_READ << 8), SNP_DONE);
	r.level = 0;
}

TEST(rmp_a_vmsa_is_read_and_not_written)
{
	start();
	CHECK(rmp_assign(&r, BASE, GPA));
	CHECK_INT(rmp_validate(&r, BASE, false, true, &same), SNP_DONE);
	CHECK_INT(rmp_adjust(&r, BASE, false, 1 | 1 << 16), SNP_DONE);
	CHECK_INT(rmp_check(&r, BASE, GPA, RMP_READ), RMP_FINE);
	CHECK_INT(rmp_check(&r, BASE, GPA, RMP_READ | RMP_WRITE), RMP_IS_VMSA);
	CHECK(rmp_assign_large(&r, BASE + LARGE, GPA + LARGE));
	CHECK_INT(rmp_validate(&r, BASE + LARGE, true, true, &same), SNP_DONE);
	CHECK_INT(rmp_adjust(&r, BASE + LARGE, true, 1 | 1 << 16),
		SNP_FAIL_INPUT);
}
