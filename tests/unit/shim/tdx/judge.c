/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/tdx/judge.h"

#include "../../test.h"

static const struct cpu_tdcall good = { .rcx = 48,
	.rdx = TDX_ATTR_SEPT_VE_OFF,
	.r8 = 8ull << 32 | 1 };

static unsigned judged(uint64_t gpaw, uint64_t attributes, uint64_t processors,
	bool debug)
{
	struct cpu_tdcall c = good;
	c.rcx = gpaw;
	c.rdx = attributes;
	c.r8 = processors;
	return judge_domain(&c, debug);
}

TEST(judge_a_domain_as_the_loader_makes_it_is_fine)
{
	CHECK_INT(judge_domain(&good, false), 0);
	CHECK_INT(judge_domain(&good, true), 0);
	CHECK_INT(judged(48, TDX_ATTR_SEPT_VE_OFF | TDX_ATTR_DEBUG, 1, true),
		0);
}

TEST(judge_another_domain_is_none_for_a_keep)
{
	static const uint64_t attributes[] = { 0, TDX_ATTR_DEBUG,
		TDX_ATTR_SEPT_VE_OFF | TDX_ATTR_DEBUG,
		TDX_ATTR_SEPT_VE_OFF | TDX_ATTR_MIGRATABLE,
		TDX_ATTR_SEPT_VE_OFF | TDX_ATTR_PERFMON,
		TDX_ATTR_SEPT_VE_OFF | 1ull << 40 };
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
		CHECK_INT(judged(48, attributes[i], 1, false),
			TDX_END_ATTRIBUTES);
	CHECK_INT(judged(48, TDX_ATTR_DEBUG, 1, true), TDX_END_ATTRIBUTES);
	CHECK_INT(judged(52, TDX_ATTR_SEPT_VE_OFF, 1, false), TDX_END_GPAW);
	CHECK_INT(judged(48, TDX_ATTR_SEPT_VE_OFF, 2, false),
		TDX_END_PROCESSORS);
	CHECK_INT(judged(48, TDX_ATTR_SEPT_VE_OFF, 1ull << 32, false),
		TDX_END_PROCESSORS);
}

TEST(judge_what_the_module_leaves_to_a_domain_is_fixed)
{
	CHECK(judge_native(0) && judge_native(1) && judge_native(7) &&
		judge_native(0xd) && judge_native(0x15));
	CHECK(!judge_native(2) && !judge_native(0x40000000));
	/* "See leaf 4", as Intel's processors say it. */
	CHECK_INT(judge_cpuid(2).eax, 0x00feff01);
	CHECK_INT(judge_cpuid(2).ebx, 0xf0);
	static const uint32_t leaves[] = { 3, 0xb, 0x1f, 0x40000000, 0x40000001,
		0x80000007 };
	for (size_t i = 0; i < ARRAY_LEN(leaves); i++) {
		struct cpu_id c = judge_cpuid(leaves[i]);
		CHECK_INT(c.eax | c.ebx | c.ecx | c.edx, 0);
	}
}

TEST(judge_a_host_comes_neither_back_nor_too_far)
{
	CHECK(judge_progress(0x1000, 0x5000, 0x1000));
	CHECK(judge_progress(0x1000, 0x5000, 0x4000));
	CHECK(!judge_progress(0x1000, 0x5000, 0));
	CHECK(!judge_progress(0x1000, 0x5000, 0x5000));
	CHECK(!judge_progress(0x1000, 0x5000, 0x2001));
	CHECK(!judge_progress(0x1000, 0x5000, ~0ull));
}
