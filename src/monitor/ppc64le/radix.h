/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partition-scoped tables: what guest real addresses are (Power ISA 3.0B, book
 * III, §5.7.10), by pages of 64 KiB.  Words of the tables are big-endian.
 */
#ifndef MONITOR_PPC64LE_RADIX_H
#define MONITOR_PPC64LE_RADIX_H

#include "base/base.h"

#define RADIX_PAGE_BYTES 0x10000ull

/* What may be done to a page. */
#define RADIX_READ    4u
#define RADIX_WRITE   2u
#define RADIX_EXECUTE 1u

struct radix {
	uint64_t next, end; /* memory for tables */
	uint64_t root;
};

/* Memory from `at` on, a multiple of 64 KiB, is for tables. */
MUST_USE bool radix_init(struct radix *r, uint64_t at, uint64_t end);
/* The first word of the partition's entry. */
uint64_t radix_pate(const struct radix *r);
/* False: no memory for tables. */
MUST_USE bool radix_map(struct radix *r, uint64_t gra, uint64_t hpa,
	unsigned rights);
void radix_unmap(struct radix *r, uint64_t gra);
/* Rights of the page at gra, 0: there is none; where it is. */
unsigned radix_find(const struct radix *r, uint64_t gra, uint64_t *hpa);

/* Of tests, too: memory at a real address. */
void *monitor_memory(uint64_t hpa);

#endif
