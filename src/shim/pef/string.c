/* SPDX-License-Identifier: Apache-2.0 */
/* Of a C library what the ISA does best; the rest: common/string.c.  Eight
 * bytes at once, wherever they lie: POWER9 takes them so. */
#include "base/base.h"

struct word {
	uint64_t v;
} __attribute__((packed, may_alias));

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	uint8_t *t = to;
	const uint8_t *f = from;
	for (; n >= 8; n -= 8, t += 8, f += 8)
		((struct word *)(void *)t)->v =
			((const struct word *)(const void *)f)->v;
	while (n--)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int value, size_t n)
{
	uint8_t *t = to;
	uint64_t all = (uint8_t)value * 0x0101010101010101ull;
	for (; n >= 8; n -= 8, t += 8)
		((struct word *)(void *)t)->v = all;
	while (n--)
		*t++ = (uint8_t)value;
	return to;
}
