/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/x86_64/guest.h"

#include <stdlib.h>

#include "../../test.h"
#include "helpers/memory.h"

/* Guest-physical memory at 2 MiB: shared half in the file, private in RAM. */
#define GPA	   0x200000ull
#define BYTES	   0x400000ull
#define SHARED_AT  0x10000ull
#define PRIVATE	   0x800000ull
#define RMP_HPA	   0x400000ull
#define ATTRIBUTES 0x300000ull

static struct monitor m;
static struct svm_vmcb vmcb;
static uint64_t hpa;

static void start(enum monitor_guest kind)
{
	memory_reset();
	memset(&vmcb, 0, sizeof vmcb);
	m = (struct monitor){ .kind = kind, .cpu.vmcb = &vmcb };
	m.box = monitor_memory(0x200000);
	m.box->gpa_end = GPA + BYTES;
	m.box->attributes_hpa = ATTRIBUTES;
	m.rmp = (struct rmp){ monitor_memory(RMP_HPA), PRIVATE, PRIVATE + BYTES,
		0 };
	m.slots[0] = (struct monitor_slot){ GPA, BYTES, SHARED_AT, PRIVATE };
}

static enum guest_turn resolve(uint64_t gpa)
{
	return guest_resolve(&m, gpa, RMP_READ | RMP_WRITE, &hpa);
}

static void validate(uint64_t at)
{
	bool same;
	CHECK_INT(rmp_validate(&m.rmp, at, false, true, &same), SNP_DONE);
}

TEST(guest_plain_memory_is_the_slot_s)
{
	start(MONITOR_PLAIN);
	CHECK_INT(resolve(GPA + 0x1234), GUEST_FINE);
	CHECK(hpa == MONITOR_SHARED_HPA + SHARED_AT + 0x1234);
	CHECK_INT(resolve(GPA - 1), GUEST_NOWHERE);
	CHECK_INT(resolve(GPA + BYTES), GUEST_NOWHERE);
	memory_free();
}

TEST(guest_each_half_needs_its_attribute)
{
	start(MONITOR_SNP);
	CHECK_INT(resolve(GPA), GUEST_FINE);
	CHECK_INT(resolve(GPA | NPT_C), GUEST_HOST_FAULT);
	guest_set_private(&m, GPA, true);
	CHECK_INT(resolve(GPA), GUEST_HOST_FAULT);
	CHECK_INT(resolve(GPA | NPT_C), GUEST_NOT_VALIDATED);
	CHECK_INT(resolve(GPA + PAGE_BYTES), GUEST_FINE);
	CHECK_INT(resolve((GPA + PAGE_BYTES) | NPT_C), GUEST_HOST_FAULT);
	validate(PRIVATE);
	CHECK_INT(resolve(GPA | NPT_C), GUEST_FINE);
	CHECK(hpa == PRIVATE);
	memory_free();
}

TEST(guest_a_whole_private_range_is_one_large_page)
{
	start(MONITOR_SNP);
	for (uint64_t i = 0; i < 2 * NPT_LARGE - PAGE_BYTES; i += PAGE_BYTES)
		guest_set_private(&m, GPA + i, true);
	CHECK_INT(resolve((GPA + 0x3000) | NPT_C), GUEST_NOT_VALIDATED);
	CHECK(rmp_entry_at(&m.rmp, PRIVATE)->large);
	/* Of the second one a page is missing. */
	CHECK_INT(resolve((GPA + NPT_LARGE) | NPT_C), GUEST_NOT_VALIDATED);
	CHECK(!rmp_entry_at(&m.rmp, PRIVATE + NPT_LARGE)->large);
	memory_free();
}

TEST(guest_a_page_remapped_by_another_slot_is_not_seen)
{
	start(MONITOR_SNP);
	guest_set_private(&m, GPA, true);
	guest_set_private(&m, GPA + PAGE_BYTES, true);
	CHECK_INT(resolve(GPA | NPT_C), GUEST_NOT_VALIDATED);
	validate(PRIVATE);
	/* The same RAM, one page further. */
	m.slots[0].gpa += PAGE_BYTES;
	CHECK_INT(resolve((GPA + PAGE_BYTES) | NPT_C), GUEST_HOST_FAULT);
	memory_free();
}

TEST(guest_private_memory_is_where_the_rmp_is)
{
	start(MONITOR_SNP);
	m.slots[0].private_hpa = PRIVATE + BYTES - PAGE_BYTES;
	guest_set_private(&m, GPA, true);
	guest_set_private(&m, GPA + PAGE_BYTES, true);
	CHECK_INT(resolve(GPA | NPT_C), GUEST_NOT_VALIDATED);
	CHECK_INT(resolve((GPA + PAGE_BYTES) | NPT_C), GUEST_HOST_FAULT);
	memory_free();
}

TEST(guest_attributes_beyond_its_end_are_nobody_s)
{
	start(MONITOR_SNP);
	guest_set_private(&m, GPA + BYTES, true);
	CHECK(!guest_is_private(&m, GPA + BYTES));
	CHECK(!guest_is_private(&m, UINT64_MAX));
	memory_free();
}

/* Four tables in plain memory that map 0x7000000000 on: two small pages, a
 * large one. */
static void tables(void)
{
	uint64_t *t[4];
	for (uint64_t i = 0; i < 4; i++) {
		CHECK_INT(resolve(GPA + i * PAGE_BYTES), GUEST_FINE);
		t[i] = monitor_memory(hpa);
	}
	vmcb.save.cr3 = GPA;
	t[0][0] = (GPA + 0x1000) | 7;
	t[1][448] = (GPA + 0x2000) | 7;
	t[2][0] = (GPA + 0x3000) | 7;
	t[2][1] = (GPA + 0x200000) | 0x87;
	t[3][0] = (GPA + 0x8000) | 7;
	t[3][1] = (GPA + 0x6000) | 7;
	t[3][2] = 0x70000000 | 7;
}

#define VA 0x7000000000ull

TEST(guest_walks_its_tables)
{
	uint64_t gpa;
	start(MONITOR_PLAIN);
	tables();
	CHECK_INT(guest_walk(&m, VA + 0x123, &gpa), GUEST_FINE);
	CHECK(gpa == GPA + 0x8123);
	CHECK_INT(guest_walk(&m, VA + 0x1fff, &gpa), GUEST_FINE);
	CHECK(gpa == GPA + 0x6fff);
	CHECK_INT(guest_walk(&m, VA + 0x212345, &gpa), GUEST_FINE);
	CHECK(gpa == GPA + 0x212345);
	CHECK_INT(guest_walk(&m, VA + 0x3000, &gpa), GUEST_PAGE_FAULT);
	CHECK_INT(guest_walk(&m, 0, &gpa), GUEST_PAGE_FAULT);
	vmcb.save.cr3 = 0x70000000;
	CHECK_INT(guest_walk(&m, VA, &gpa), GUEST_NOWHERE);
	memory_free();
}

TEST(guest_reads_and_writes_across_pages)
{
	uint8_t out[64], in[64];
	start(MONITOR_PLAIN);
	tables();
	for (unsigned i = 0; i < sizeof in; i++)
		in[i] = (uint8_t)(i + 1);
	CHECK_INT(guest_write(&m, VA + 0xfe0, in, sizeof in), GUEST_FINE);
	CHECK_INT(guest_read(&m, VA + 0xfe0, out, sizeof out), GUEST_FINE);
	CHECK_MEM(out, in, sizeof in);
	CHECK_INT(resolve(GPA + 0x6000), GUEST_FINE);
	CHECK_MEM(monitor_memory(hpa), in + 32, 32);
	CHECK_INT(guest_read(&m, VA + 0x1ff0, out, 32), GUEST_NOWHERE);
	CHECK_INT(guest_read(&m, VA + 0x1ff0, out, 16), GUEST_FINE);
	memory_free();
}

TEST(guest_a_domain_s_private_half_has_no_bit)
{
	start(MONITOR_TDX);
	m.sept = (struct sept){ monitor_memory(RMP_HPA), PRIVATE,
		PRIVATE + BYTES };
	/* Shared, as long as nobody said otherwise. */
	CHECK_INT(resolve(GPA | NPT_C), GUEST_FINE);
	CHECK(hpa == MONITOR_SHARED_HPA + SHARED_AT);
	CHECK_INT(resolve(GPA), GUEST_HOST_FAULT);
	guest_set_private(&m, GPA, true);
	CHECK_INT(resolve(GPA | NPT_C), GUEST_HOST_FAULT);
	CHECK_INT(resolve(GPA), GUEST_HOST_FAULT);
	CHECK(sept_augment(&m.sept, PRIVATE, GPA, false));
	CHECK_INT(resolve(GPA), GUEST_NOT_VALIDATED);
	CHECK_INT(sept_accept(&m.sept, PRIVATE, GPA, false), SEPT_FINE);
	CHECK_INT(resolve(GPA + 0x123), GUEST_FINE);
	CHECK(hpa == PRIVATE + 0x123);
	CHECK_INT(resolve((GPA + BYTES) | NPT_C), GUEST_NOWHERE);
	memory_free();
}
