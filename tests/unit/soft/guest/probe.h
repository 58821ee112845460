/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests' guests share: tables, handlers, and instructions that may
 * fault. */
#ifndef TESTS_SOFT_PROBE_H
#define TESTS_SOFT_PROBE_H

#include "arch/x86_64/cpu.h"
#include "guest.h"

/* 1 GiB up: the same pages with the other half's bit. */
#define OTHER 0x40000000ull

extern uint64_t fixup, caught_vector, caught_error, caught_rip;
extern uint64_t probe_level_1[10][512];

/* Tables: memory as it is, up to GUEST_END_GPA, the window shared; then again
 * with the other bit.  Bits of private and of shared addresses. */
void probe_map(uint64_t private_bit, uint64_t shared_bit);
void probe_set_up(void);
/* Guest-physical, of what is in the image. */
uint64_t probe_pa(const void *p);
struct guest_result *probe_result(void);
void probe_tell(uint64_t value);

/* Runs one instruction, says what became of it. */
#define PROBE(insn, ...)                                            \
	({                                                          \
		*(volatile uint64_t *)&caught_vector = 0;           \
		__asm__ volatile("lea 1f(%%rip), %%r15\n\t"         \
				 "mov %%r15, fixup(%%rip)\n\t" insn \
				 "\n1:" __VA_ARGS__);               \
		probe_outcome();                                    \
	})

uint64_t probe_outcome(void);
uint64_t probe_read(uint64_t va);
uint64_t probe_write(uint64_t va);
uint64_t probe_run(uint64_t va);

#endif
