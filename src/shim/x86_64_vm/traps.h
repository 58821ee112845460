/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptor tables, exceptions and how a Keep ends (AMD64 manual, volume 2,
 * chapters 4 and 8). */
#ifndef SHIM_X86_64_VM_TRAPS_H
#define SHIM_X86_64_VM_TRAPS_H

#include "shim/common/end.h"

enum vector {
	VECTOR_NMI = 2,
	VECTOR_DF = 8,
	VECTOR_PF = 14,
	VECTOR_MC = 18,
	VECTOR_VC = 29,
	VECTOR_FIRST_INTERRUPT = 32,
};

/* As entry.S pushes it. */
struct trap {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};
LAYOUT(struct trap, rax, 0x70);
LAYOUT(struct trap, vector, 0x78);
LAYOUT(struct trap, rip, 0x88);
LAYOUT_SIZE(struct trap, 0xb0);

/* Error code of a page fault. */
#define PF_PRESENT 0x01u
#define PF_WRITE   0x02u
#define PF_USER	   0x04u
#define PF_FETCH   0x10u

static inline bool trap_from_user(const struct trap *t)
{
	return (t->cs & 3) == 3;
}

/* Tables of the shim's own. */
void traps_init(void);
/* SYSCALL leads to the shim. */
void traps_init_syscall(void);

#endif
