/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical memory protection (RISC-V privileged architecture, §3.7): what S-
 * and U-mode may use.  What no entry names, nobody but the monitor may touch.
 */
#ifndef MONITOR_RISCV64_PMP_H
#define MONITOR_RISCV64_PMP_H

#include "base/base.h"

enum pmp_right { PMP_R = 1, PMP_W = 2, PMP_X = 4 };
enum { PMP_RANGES = 2 };

struct pmp {
	uint64_t address[2 * PMP_RANGES]; /* as pmpaddr0 and on */
	uint64_t config;		  /* as pmpcfg0 */
	unsigned used;
};

/* Adds [from, from + bytes), whole pages.  Not more than PMP_RANGES. */
void pmp_add(struct pmp *p, uint64_t from, uint64_t bytes, unsigned rights);

#endif
