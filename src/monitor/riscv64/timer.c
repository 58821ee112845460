/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's timer (RISC-V privileged architecture, §3.2.1), where `virt`
 * has its registers. */
#include "monitor/riscv64/monitor.h"

#define COMPARE_AT 0x02004000ull
#define TIME_AT	   0x0200bff8ull

void timer_set(uint64_t ticks)
{
	volatile uint64_t *compare = monitor_memory(COMPARE_AT);
	uint64_t now = *(volatile uint64_t *)monitor_memory(TIME_AT), at;
	bool far = !ticks || __builtin_add_overflow(now, ticks, &at);
	*compare = far ? UINT64_MAX : at;
}
