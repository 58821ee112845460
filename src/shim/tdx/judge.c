/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/tdx/judge.h"

enum { LEAF_CACHES = 2 };

unsigned judge_domain(const struct cpu_tdcall *info, bool debug)
{
	uint64_t attributes = info->rdx;
	if ((info->rcx & TDX_GPAW_MASK) != TDX_SHARED_BIT + 1)
		return TDX_END_GPAW;
	/* A debug Keep's may be debugged; any other bit gives somebody more
	 * than this shim knows of. */
	if (debug)
		attributes &= ~TDX_ATTR_DEBUG;
	if (attributes != TDX_ATTR_SEPT_VE_OFF)
		return TDX_END_ATTRIBUTES;
	return (uint32_t)info->r8 == 1 ? 0 : TDX_END_PROCESSORS;
}

bool judge_native(uint32_t leaf)
{
	return leaf <= 1 || leaf == 7 || leaf == 0xd || leaf == 0x15;
}

/* Caches are told by leaf 4, which is native; there is nothing else that a
 * program has to know. */
struct cpu_id judge_cpuid(uint32_t leaf)
{
	struct cpu_id caches = { 0x00feff01, 0xf0, 0, 0 };
	return leaf == LEAF_CACHES ? caches : (struct cpu_id){ 0 };
}

bool judge_progress(uint64_t at, uint64_t end, uint64_t told)
{
	return told % PAGE_BYTES == 0 && told >= at && told < end;
}
