/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec's pages, in an ISA's page tables: the folder of each shim whose exec is
 * below it fills this in, for user.c.
 */
#ifndef SHIM_COMMON_PAGING_H
#define SHIM_COMMON_PAGING_H

#include "base/bytes.h"

struct paging;

/* exec's file, where it was measured. */
struct bytes paging_file(const struct paging *p);
/* Maps a page of it, `offset` (whole pages) from its begin.  False: there is no
 * memory for tables. */
MUST_USE bool paging_map_file(struct paging *p, uint64_t va, uint64_t offset,
	uint8_t prot);
/* A zeroed page for va, where the shim sees it; NULL: there is no memory. */
void *paging_map_new(struct paging *p, uint64_t va, uint8_t prot);
/* The byte at va, where the shim sees it, with the rest of its page behind it;
 * NULL: exec may not read, or write, it, or it is the host's, too. */
void *paging_find(struct paging *p, uint64_t va, bool write);
/* Is anything there? */
bool paging_has(struct paging *p, uint64_t va);

#endif
