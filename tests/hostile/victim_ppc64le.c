/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"
#include "victim.h"

#define need victim_need

/* Registers keep what is in them over a way out and back. */
void victim_registers(void)
{
	const uint64_t mark = 0x6d61726b5ec4e75e;
	uint64_t kept, n;
	__asm__ volatile("mr 20, %2\n\t"
			 "mtvsrd 20, %2\n\t"
			 "li 0, 20\n\t" /* getpid */
			 "sc\n\t"
			 "mfvsrd %1, 20\n\t"
			 "xor %1, %1, 20\n\t"
			 "mr %0, 3"
			 : "=&r"(n), "=&r"(kept)
			 : "r"(mark)
			 : "r0", "r3", "r4", "r20", "fr20", "cr0", "ctr", "xer",
			 "memory");
	need(n == 1, 40);
	need(kept == 0, 41);
}

/* Time never goes back, whoever interrupts in between. */
void victim_processor(void)
{
	uint64_t last = 0;
	for (int i = 0; i < 1000; i++) {
		uint64_t now;
		__asm__ volatile("mftb %0" : "=r"(now));
		need(now >= last, 50);
		last = now;
	}
}
