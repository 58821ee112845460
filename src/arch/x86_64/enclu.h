/* SPDX-License-Identifier: Apache-2.0 */
/* ENCLU, as an enclave uses it (SDM, volume 3D, chapter 38.4). */
#ifndef ARCH_X86_64_ENCLU_H
#define ARCH_X86_64_ENCLU_H

#include "base/base.h"

/* What the leaf leaves in RAX. */
static inline uint64_t cpu_enclu(uint32_t leaf, const void *rbx,
	const volatile void *rcx, void *rdx)
{
	uint64_t rax = leaf;
	__asm__ volatile("enclu"
			 : "+a"(rax)
			 : "b"(rbx), "c"(rcx), "d"(rdx)
			 : "memory", "cc");
	return rax;
}

static inline void cpu_fence_loads(void)
{
	__asm__ volatile("lfence" : : : "memory");
}

#endif
