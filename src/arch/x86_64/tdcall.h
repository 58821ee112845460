/* SPDX-License-Identifier: Apache-2.0 */
/* TDCALL (Intel TDX Module 1.5 ABI, "Guest-Side Interface Functions"). */
#ifndef ARCH_X86_64_TDCALL_H
#define ARCH_X86_64_TDCALL_H

#include "base/base.h"

/* Registers that it takes and gives. */
struct cpu_tdcall {
	uint64_t rcx, rdx, r8, r9, r10, r11, r12, r13, r14, r15;
};

/* What it leaves in RAX. */
static inline uint64_t cpu_tdcall(uint64_t leaf, struct cpu_tdcall *c)
{
	uint64_t rax = leaf;
	register uint64_t r8 __asm__("r8") = c->r8;
	register uint64_t r9 __asm__("r9") = c->r9;
	register uint64_t r10 __asm__("r10") = c->r10;
	register uint64_t r11 __asm__("r11") = c->r11;
	register uint64_t r12 __asm__("r12") = c->r12;
	register uint64_t r13 __asm__("r13") = c->r13;
	register uint64_t r14 __asm__("r14") = c->r14;
	register uint64_t r15 __asm__("r15") = c->r15;
	__asm__ volatile(".byte 0x66, 0x0f, 0x01, 0xcc"
			 : "+a"(rax), "+c"(c->rcx), "+d"(c->rdx), "+r"(r8),
			 "+r"(r9), "+r"(r10), "+r"(r11), "+r"(r12), "+r"(r13),
			 "+r"(r14), "+r"(r15)
			 :
			 : "memory", "cc");
	*c = (struct cpu_tdcall){ c->rcx, c->rdx, r8, r9, r10, r11, r12, r13,
		r14, r15 };
	return rax;
}

#endif
