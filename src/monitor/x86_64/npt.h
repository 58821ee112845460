/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nested page tables (AMD64 manual, volume 2, §15.25): four levels, pages of
 * 4 KiB and 2 MiB.  Guest-physical addresses with the C-bit set are a half of
 * their own.  Who takes a right away has the processor forget what it
 * remembers (svm_control.tlb_control) before the guest runs on.
 */
#ifndef MONITOR_X86_64_NPT_H
#define MONITOR_X86_64_NPT_H

#include "base/base.h"

/* Number of the C-bit: the highest that four levels tell apart. */
#define NPT_C_BIT      47
#define NPT_C	       (1ull << NPT_C_BIT)
#define NPT_LARGE      0x200000ull
#define NPT_PRESENT    1ull
#define NPT_WRITE      2ull
#define NPT_USER       4ull /* every guest access is one (§15.25.5) */
#define NPT_NO_EXECUTE (1ull << 63)
#define NPT_ALL	       (NPT_PRESENT | NPT_WRITE | NPT_USER)

struct npt {
	uint64_t root;	    /* physical address of the level-4 table */
	uint64_t next, end; /* pages that no table has yet */
};

/* Tables are made from [begin, end), which reads as zeros. */
MUST_USE bool npt_init(struct npt *t, uint64_t begin, uint64_t end);
/* One page; what was there is replaced, a large page broken up.  False: no
 * memory for a table. */
MUST_USE bool npt_map(struct npt *t, uint64_t gpa, uint64_t hpa,
	uint64_t rights);
/* 2 MiB, both addresses at such a boundary; replaces what was there. */
MUST_USE bool npt_map_large(struct npt *t, uint64_t gpa, uint64_t hpa,
	uint64_t rights);
/* [gpa, gpa + bytes), whole pages.  False: no memory to break a page up. */
MUST_USE bool npt_unmap(struct npt *t, uint64_t gpa, uint64_t bytes);
/* The entry that maps gpa, 0: none; *large: it maps 2 MiB. */
uint64_t npt_find(const struct npt *t, uint64_t gpa, bool *large);

#endif
