/* SPDX-License-Identifier: Apache-2.0 */
/* What a program finds on its stack when it starts (System V ABI, "Process
 * Initialization"): no argument but its name, no environment. */
#ifndef SHIM_COMMON_STACK_H
#define SHIM_COMMON_STACK_H

#include "abi/gate.h"

#define STACK_START_BYTES 512u

struct stack_facts {
	uint64_t base; /* of the program */
	uint64_t entry, headers, header_count;
	uint64_t hwcap, hwcap2;
	uint8_t random[16]; /* glibc's stack guard and pointer mangling */
	struct gate_shim shim;
};

/*
 * Fills the last STACK_START_BYTES below `top` (a multiple of 16); returns the
 * stack pointer to start with.
 */
uint64_t stack_start(const struct stack_facts *f, uint64_t top,
	uint8_t out[STACK_START_BYTES]);

#endif
