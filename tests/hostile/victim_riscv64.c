/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"
#include "victim.h"

#define need victim_need

/* Registers keep what is in them over a way out and back. */
void victim_registers(void)
{
	const uint64_t mark = 0x6d61726b5ec4e75e;
	uint64_t kept, n;
	__asm__ volatile("mv s4, %2\n\t"
			 "fmv.d.x fs4, %2\n\t"
			 "li a7, 172\n\t" /* getpid */
			 "ecall\n\t"
			 "mv %0, a0\n\t"
			 "fmv.x.d %1, fs4\n\t"
			 "xor %1, %1, s4"
			 : "=&r"(n), "=&r"(kept)
			 : "r"(mark)
			 : "a0", "a7", "s4", "fs4", "memory");
	need(n == 1, 40);
	need(kept == 0, 41);
}

/* Time never goes back, whoever interrupts in between. */
void victim_processor(void)
{
	uint64_t last = 0;
	for (int i = 0; i < 1000; i++) {
		uint64_t now;
		__asm__ volatile("rdtime %0" : "=r"(now));
		need(now >= last, 50);
		last = now;
	}
}
