/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/clock.h"

/* At CLOCK_MIN_KHZ the multiplier still has less than 32 bits. */
#define SHIFT 28

uint32_t clock_khz(uint32_t eax, uint32_t ebx, uint32_t ecx, uint32_t said)
{
	uint64_t khz = eax ? (uint64_t)ecx * ebx / eax / 1000 : 0;
	return khz >= CLOCK_MIN_KHZ && khz <= CLOCK_MAX_KHZ ? (uint32_t)khz :
							      said;
}

bool clock_init(struct clock *c, uint64_t counter, uint32_t khz, uint64_t real)
{
	if (khz < CLOCK_MIN_KHZ || khz > CLOCK_MAX_KHZ)
		return false;
	*c = (struct clock){
		.base = counter,
		.multiplier = (1000000ull << SHIFT) / khz,
		.real = real,
	};
	return true;
}

uint64_t clock_mono(struct clock *c, uint64_t counter)
{
	uint64_t ticks = counter > c->base ? counter - c->base : 0;
	uint64_t high = (ticks >> 32) * c->multiplier << (32 - SHIFT);
	uint64_t low = (ticks & 0xffffffffu) * c->multiplier >> SHIFT;
	if (high + low > c->last)
		c->last = high + low;
	return c->last;
}

uint64_t clock_real(struct clock *c, uint64_t counter)
{
	return c->real + clock_mono(c, counter);
}
