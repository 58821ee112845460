/* SPDX-License-Identifier: Apache-2.0 */
/* Of a C library what the ISA does best; the rest: common/string.c. */
#include "arch/x86_64/cpu.h"

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	cpu_move_bytes(to, from, n);
	return to;
}

void *memset(void *to, int value, size_t n)
{
	cpu_store_bytes(to, (uint8_t)value, n);
	return to;
}
