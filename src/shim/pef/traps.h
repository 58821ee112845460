/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts of a POWER guest, and how a Keep ends. */
#ifndef SHIM_PEF_TRAPS_H
#define SHIM_PEF_TRAPS_H

#include "shim/common/end.h"
#include "shim/pef/trap_asm.h"

enum vector {
	VECTOR_DATA = 0x300,
	VECTOR_CALL = 0xc00,
};

/* As entry.S leaves it. */
struct trap {
	uint64_t gpr[32];
	uint64_t nip, msr, cr, lr, ctr, xer;
	uint64_t vector, dar, dsisr;
	uint64_t reserved_148;
};
LAYOUT(struct trap, nip, TRAP_NIP);
LAYOUT(struct trap, xer, TRAP_XER);
LAYOUT(struct trap, vector, TRAP_VECTOR);
LAYOUT(struct trap, dsisr, TRAP_DSISR);
LAYOUT_SIZE(struct trap, 0x150);

/* What was wanted, and did not go (DSISR). */
#define FAULT_MISSING 0x40000000u
#define FAULT_WRITE   0x02000000u

NORETURN void shim_leave(const struct trap *t);

#endif
