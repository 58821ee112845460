/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/snp/cpuid.h"

#include "../../test.h"

static struct snp_cpuid_page page;

static struct snp_cpuid_entry *add(uint32_t leaf, uint32_t sub, uint32_t a,
	uint32_t b, uint32_t c, uint32_t d)
{
	struct snp_cpuid_entry *x = &page.entries[page.count++];
	*x = (struct snp_cpuid_entry){ .eax_in = leaf,
		.ecx_in = sub,
		.eax = a,
		.ebx = b,
		.ecx = c,
		.edx = d };
	return x;
}

/* What a processor with AVX and a protection key register might say. */
static void fill(void)
{
	memset(&page, 0, sizeof page);
	add(0, 0, 0x10, 0x68747541, 0x444d4163, 0x69746e65);
	add(1, 0, 0xa20f11, 0x05100800, 0xfeda3203, 0x178bfbff);
	add(7, 0, 1, 0x219c97a9, 0x0040069c, 0x10);
	add(0xd, 0, 0x207, 0x240, 0x988, 0);
	add(0xd, 1, 0xf, 0x240, 0x1800, 0);
	add(0xd, 2, 0x100, 0x240, 0, 0);
	add(0xd, 9, 8, 0x980, 0, 0);
	add(0x8000001f, 0, 0x1a, 51 | 1 << 6, 0, 0);
}

static bool good(uint32_t c_bit, struct err *e)
{
	return snp_cpuid_check(&page, c_bit, e);
}

TEST(cpuid_answers_what_the_page_says)
{
	struct err e = { 0 };
	fill();
	CHECK(good(51, &e));
	CHECK_INT(snp_cpuid(&page, 0, 99, 7).ebx, 0x68747541);
	CHECK_INT(snp_cpuid(&page, 7, 0, 7).ebx, 0x219c97a9);
	/* What is not there is zero: other leaves, other sub-leaves. */
	CHECK_INT(snp_cpuid(&page, 7, 1, 7).ebx, 0);
	CHECK_INT(snp_cpuid(&page, 0x40000000, 0, 7).eax, 0);
}

TEST(cpuid_tells_of_this_processor_what_the_shim_made_of_it)
{
	fill();
	struct cpu_id one = snp_cpuid(&page, 1, 0, 7);
	CHECK_INT(one.ebx >> 24, 0);
	CHECK(one.ecx & 1 << 27);
	CHECK(!(snp_cpuid(&page, 7, 0, 7).ecx & 1 << 4));
}

TEST(cpuid_adds_up_the_extended_state_that_is_on)
{
	fill();
	CHECK_INT(snp_cpuid(&page, 0xd, 0, 1).ebx, 0x240);
	CHECK_INT(snp_cpuid(&page, 0xd, 0, 7).ebx, 0x340);
	CHECK_INT(snp_cpuid(&page, 0xd, 0, 0x207).ebx, 0x988);
	CHECK_INT(snp_cpuid(&page, 0xd, 2, 7).eax, 0x100);
	/* Sizes that would wrap count for nothing. */
	page.entries[5].eax = UINT32_MAX;
	CHECK_INT(snp_cpuid(&page, 0xd, 0, 7).ebx, 0x240);
}

#define REFUSES(change, text_)                              \
	do {                                                \
		struct err e = { 0 };                       \
		fill();                                     \
		change;                                     \
		if (good(51, &e))                           \
			fail_msg("took one with " #change); \
		CHECK_HAS(e.text, text_);                   \
	} while (0)

TEST(cpuid_page_that_a_host_tampered_with_is_refused)
{
	REFUSES(page.count = 0, "0 entries");
	REFUSES(page.count = 65, "65 entries");
	REFUSES(page.count = UINT32_MAX, "entries");
	REFUSES(page.reserved_04 = 1, "entries");
	REFUSES(page.reserved_08 = 1, "entries");
	REFUSES(add(1, 0, 0, 0, 0, 0), "two answers for one");
	REFUSES(add(1, 7, 0, 0, 0, 0), "two answers for one");
	REFUSES(add(0xd, 2, 0, 0, 0, 0), "two answers for one");
	REFUSES(page.count--, "no SNP");
	REFUSES(page.entries[7].eax = 0xa, "no SNP");
	REFUSES(page.entries[7].ebx = 47, "encryption bit 47, measured 51");
	fill();
	add(0xd, 11, 0x10, 0, 1, 0);
	CHECK(good(51, NULL));
	CHECK(!good(47, NULL));
}
