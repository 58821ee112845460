/* SPDX-License-Identifier: Apache-2.0 */
/* Offsets in struct trap (traps.h) that entry.S uses. */
#ifndef SHIM_PEF_TRAP_ASM_H
#define SHIM_PEF_TRAP_ASM_H

#define TRAP_GPR    0x000
#define TRAP_NIP    0x100
#define TRAP_MSR    0x108
#define TRAP_CR	    0x110
#define TRAP_LR	    0x118
#define TRAP_CTR    0x120
#define TRAP_XER    0x128
#define TRAP_VECTOR 0x130
#define TRAP_DAR    0x138
#define TRAP_DSISR  0x140

#endif
