/* SPDX-License-Identifier: Apache-2.0 */
/* Of a C library what the ISA does best; the rest: common/string.c. */
#include "base/base.h"

/* As much at once as both addresses allow. */
void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	typedef uint64_t __attribute__((may_alias)) word;
	uint8_t *t = to;
	const uint8_t *f = from;
	if (((uintptr_t)t | (uintptr_t)f) % sizeof(word) == 0)
		for (; n >= sizeof(word); n -= sizeof(word)) {
			*(word *)(void *)t = *(const word *)(const void *)f;
			t += sizeof(word);
			f += sizeof(word);
		}
	while (n--)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int value, size_t n)
{
	typedef uint64_t __attribute__((may_alias)) word;
	uint8_t *t = to;
	word w = (uint8_t)value * 0x0101010101010101ull;
	if ((uintptr_t)t % sizeof w == 0)
		for (; n >= sizeof w; n -= sizeof w, t += sizeof w)
			*(word *)(void *)t = w;
	while (n--)
		*t++ = (uint8_t)value;
	return to;
}

/* Which of its bits is the lowest that is set: what a processor without the
 * extension for it has no instruction for. */
int __ctzdi2(uint64_t v);
int __ctzdi2(uint64_t v)
{
	int n = 0;
	for (int step = 32; step; step /= 2)
		if (!(v & ((1ull << step) - 1))) {
			v >>= step;
			n += step;
		}
	return n;
}
