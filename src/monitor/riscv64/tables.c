/* SPDX-License-Identifier: Apache-2.0 */
/* Sv39 (RISC-V privileged architecture, §4.4): only pages of 4 KiB. */
#include "monitor/riscv64/monitor.h"

enum { ENTRY_BYTES = 8, ROOT = 3 };

#define PTE_A	 0x40ull
#define PTE_D	 0x80ull
#define PTE_PAGE 10 /* where the page's number is */

static uint64_t index_of(uint64_t va, unsigned level)
{
	return va >> (12 + 9 * (level - 1)) & 511;
}

uint64_t tables_entry(const struct enclave *v, uint64_t va, unsigned level)
{
	uint64_t at = v->root;
	for (unsigned l = ROOT; at; l--) {
		uint64_t entry = at + index_of(va, l) * ENTRY_BYTES;
		if (l == level)
			return entry;
		at = *(const uint64_t *)monitor_memory(entry) >> PTE_PAGE << 12;
	}
	return 0;
}

bool tables_set(const struct enclave *v, uint64_t va, unsigned level,
	uint64_t at, uint64_t rights)
{
	uint64_t entry = tables_entry(v, va, level + 1);
	if (!entry)
		return false;
	uint64_t *to = monitor_memory(entry);
	if (*to)
		return false;
	/* Leaves are used already: no entry is ever written behind our back. */
	uint64_t used = rights & SANCTUM_R ? PTE_A : 0;
	if (rights & SANCTUM_W)
		used |= PTE_D;
	*to = at / PAGE_BYTES << PTE_PAGE | rights | used;
	return true;
}
