/* SPDX-License-Identifier: Apache-2.0 */
/* What the compiler calls for, and base/ uses, of a C library.  Eight bytes at
 * once, wherever they lie: POWER9 takes them so. */
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
	uint8_t *t = to;
	uint64_t all = (uint8_t)value * 0x0101010101010101ull;
	for (; n >= 8; n -= 8, t += 8)
		((struct word *)(void *)t)->v = all;
	while (n--)
		*t++ = (uint8_t)value;
	return to;
}

void explicit_bzero(void *at, size_t n)
{
	memset(at, 0, n);
	__asm__ volatile("" ::"r"(at) : "memory");
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
