/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/riscv64/pmp.h"

#include "base/must.h"

/* An entry's address matches up to its own from the one before it. */
enum { TOR = 1 << 3, SHIFT = 2 };

void pmp_add(struct pmp *p, uint64_t from, uint64_t bytes, unsigned rights)
{
	unsigned first = 2 * p->used;
	must(p->used < PMP_RANGES && !((from | bytes) % PAGE_BYTES) && bytes);
	p->address[first] = from >> SHIFT;
	p->address[first + 1] = (from + bytes) >> SHIFT;
	p->config |= (uint64_t)(TOR | rights) << (8 * (first + 1));
	p->used++;
}
