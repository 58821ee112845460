/* SPDX-License-Identifier: Apache-2.0 */
/* Traps and how a Keep ends (RISC-V privileged architecture, §4.1). */
#ifndef SHIM_RISCV64_TRAPS_H
#define SHIM_RISCV64_TRAPS_H

#define TRAP_PC	   256
#define TRAP_BYTES 272

#ifndef __ASSEMBLER__

#include "shim/common/end.h"

/* scause. */
enum cause {
	CAUSE_FETCH_ACCESS = 1,
	CAUSE_LOAD_ACCESS = 5,
	CAUSE_STORE_ACCESS = 7,
	CAUSE_CALL = 8,
	CAUSE_FETCH_PAGE = 12,
	CAUSE_LOAD_PAGE = 13,
	CAUSE_STORE_PAGE = 15,
};

/* exec's registers, as entry.S stores them. */
struct trap {
	uint64_t x[32];
	uint64_t pc;
	uint64_t reserved_108;
};
LAYOUT(struct trap, pc, TRAP_PC);
LAYOUT_SIZE(struct trap, TRAP_BYTES);

enum { TRAP_A0 = 10, TRAP_A7 = 17 };

#endif /* __ASSEMBLER__ */
#endif
