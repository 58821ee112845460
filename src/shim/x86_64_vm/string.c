/* SPDX-License-Identifier: Apache-2.0 */
/* What the compiler calls for, and base/ uses, of a C library. */
#include "arch/x86_64/cpu.h"

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	cpu_move_bytes(to, from, n);
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
	cpu_store_bytes(to, (uint8_t)value, n);
	return to;
}

void explicit_bzero(void *at, size_t n)
{
	cpu_store_bytes(at, 0, n);
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
