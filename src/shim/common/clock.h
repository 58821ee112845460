/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time from the processor's time-stamp counter.  Its frequency and the hour
 * come from the host: a host that lies makes a Keep's clock run wrong, which
 * the tenant's TIME frame bounds; it can't make it run backwards.
 */
#ifndef SHIM_COMMON_CLOCK_H
#define SHIM_COMMON_CLOCK_H

#include "base/base.h"

struct clock {
	uint64_t base;	     /* of the counter */
	uint64_t multiplier; /* ns = ticks * multiplier >> 28 */
	uint64_t last;	     /* ns that were told */
	uint64_t real;	     /* ns since 1970 at `base` */
};

/* Frequencies that a counter may have: 100 MHz to 10 GHz. */
#define CLOCK_MIN_KHZ 100000u
#define CLOCK_MAX_KHZ 10000000u

/* As CPUID leaf 0x15 tells it in EAX, EBX and ECX, where a processor does;
 * else what the host said. */
uint32_t clock_khz(uint32_t eax, uint32_t ebx, uint32_t ecx, uint32_t said);
/* False: no such frequency. */
MUST_USE bool clock_init(struct clock *c, uint64_t counter, uint32_t khz,
	uint64_t real);
/* ns since clock_init; never less than before. */
uint64_t clock_mono(struct clock *c, uint64_t counter);
uint64_t clock_real(struct clock *c, uint64_t counter);

#endif
