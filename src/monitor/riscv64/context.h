/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What runs below the monitor: the operating system, or an enclave.  All
 * registers of S-mode are part of it, so nothing of one is ever seen by the
 * other.
 */
#ifndef MONITOR_RISCV64_CONTEXT_H
#define MONITOR_RISCV64_CONTEXT_H

#define CONTEXT_PC	256
#define CONTEXT_MONITOR 264

#ifndef __ASSEMBLER__

#include "base/base.h"

/* Registers of S-mode that are a context's own. */
struct context_csrs {
	uint64_t sstatus, stvec, sscratch, sepc, scause, stval, satp;
	uint64_t scounteren, senvcfg;
};

struct context {
	uint64_t x[32]; /* x[0] is nobody's */
	uint64_t pc;
	uint64_t monitor; /* context_run's stack */
	struct context_csrs csrs;
	uint64_t f[33]; /* and FCSR */
	uint64_t mode;	/* 0: U, 1: S: where it goes on */
};
LAYOUT(struct context, pc, CONTEXT_PC);
LAYOUT(struct context, monitor, CONTEXT_MONITOR);

enum { REG_SP = 2, REG_A0 = 10, REG_A1 = 11, REG_A7 = 17 };

/* Until it traps.  The rest of the state is in the processor. */
void context_run(struct context *c);
void context_save_float(uint64_t f[33]);
void context_load_float(const uint64_t f[33]);

/* Everything but general registers into the processor, and out of it. */
void context_load(const struct context *c);
void context_save(struct context *c);

#endif /* __ASSEMBLER__ */
#endif
