/* SPDX-License-Identifier: Apache-2.0 */
/* What the compiler calls for, and base/ uses, of a C library. */
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

void *memmove(void *to, const void *from, size_t n)
{
	uint8_t *t = to;
	const uint8_t *f = from;
	if (t - f >= (ptrdiff_t)n || t <= f)
		return memcpy(to, from, n);
	while (n--)
		t[n] = f[n];
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

void explicit_bzero(void *at, size_t n)
{
	memset(at, 0, n);
	__asm__ volatile("" : : "r"(at) : "memory");
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;
	for (size_t i = 0; i < n; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;
	while (s[n])
		n++;
	return n;
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
