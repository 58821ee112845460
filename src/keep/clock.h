/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Keep's clocks.  Monotonic time counts from the Keep's start by the CPU
 * (on `process` the kernel's monotonic clock, below a shim the TSC) and never
 * goes back, whatever its source does.  Real time is what the tenant said it
 * is, counted on from there; before she said so it counts from 1970.  The
 * host's idea of the date is never asked for.
 */
#ifndef KEEP_CLOCK_H
#define KEEP_CLOCK_H

#include "base/base.h"

#define KEEP_CLOCK_NEVER UINT64_MAX

struct keep_clock {
	uint64_t (*source)(void *ctx); /* ns, from anywhere */
	void *ctx;
	uint64_t base;	    /* source at the start */
	uint64_t last;	    /* newest monotonic time handed out */
	uint64_t real;	    /* the tenant's time ... */
	uint64_t real_mono; /* ... and when she said it */
};

/* source NULL: the CPU's. */
void keep_clock_init(struct keep_clock *c, uint64_t (*source)(void *ctx),
	void *ctx);
/* ns since keep_clock_init. */
uint64_t keep_clock_mono(struct keep_clock *c);
/* ns since 1970. */
uint64_t keep_clock_real(struct keep_clock *c);
/* ns of processor time used by this process. */
uint64_t keep_clock_cpu(void);
void keep_clock_set(struct keep_clock *c, uint64_t ns_since_1970);
/* a + b, at most KEEP_CLOCK_NEVER. */
uint64_t keep_clock_add(uint64_t a, uint64_t b);

#endif
