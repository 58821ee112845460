/* SPDX-License-Identifier: Apache-2.0 */
#include <cpuid.h>
#include <sys/syscall.h>

#include "base/base.h"
#include "victim.h"

#define need victim_need

/* Vector registers keep what is in them over a way out and back. */
void victim_registers(void)
{
	typedef uint32_t v4 __attribute__((vector_size(16)));
	v4 x = { 1, 2, 3, 4 };
	long n = SYS_getpid;
	__asm__ volatile("movdqa %1, %%xmm7\n\t"
			 "syscall\n\t"
			 "movdqa %%xmm7, %1"
			 : "+a"(n), "+m"(x)
			 :
			 : "rcx", "r11", "memory", "xmm7");
	need(n == 1, 40);
	for (uint32_t i = 0; i < 4; i++)
		need(x[i] == i + 1, 41);
}

/* Twice the same, whoever traps in between. */
void victim_processor(void)
{
	static const unsigned leaves[] = { 0, 1, 7, 0xd, 0x80000001 };
	for (size_t i = 0; i < ARRAY_LEN(leaves); i++) {
		unsigned a[4], b[4];
		__cpuid_count(leaves[i], 0, a[0], a[1], a[2], a[3]);
		__cpuid_count(leaves[i], 0, b[0], b[1], b[2], b[3]);
		need(!memcmp(a, b, sizeof a), 50);
	}
}
