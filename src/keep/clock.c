/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/clock.h"

#include <time.h>

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts = { .tv_sec = 0 };
	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t cpu_monotonic(void *ctx)
{
	(void)ctx;
	return read_clock(CLOCK_MONOTONIC);
}

void keep_clock_init(struct keep_clock *c, uint64_t (*source)(void *ctx),
	void *ctx)
{
	*c = (struct keep_clock){
		.source = source ? source : cpu_monotonic,
		.ctx = ctx,
	};
	c->base = c->source(ctx);
}

uint64_t keep_clock_mono(struct keep_clock *c)
{
	uint64_t now = c->source(c->ctx);
	now = now > c->base ? now - c->base : 0;
	if (now > c->last)
		c->last = now;
	return c->last;
}

uint64_t keep_clock_real(struct keep_clock *c)
{
	return keep_clock_add(c->real, keep_clock_mono(c) - c->real_mono);
}

uint64_t keep_clock_cpu(void)
{
	return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

void keep_clock_set(struct keep_clock *c, uint64_t ns_since_1970)
{
	c->real_mono = keep_clock_mono(c);
	c->real = ns_since_1970;
}

uint64_t keep_clock_add(uint64_t a, uint64_t b)
{
	uint64_t sum;
	return __builtin_add_overflow(a, b, &sum) ? KEEP_CLOCK_NEVER : sum;
}
