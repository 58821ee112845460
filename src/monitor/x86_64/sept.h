/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the TDX module knows of each page of RAM that can be private (Intel TDX
 * Module 1.5 base, 348549, chapters 9 and 10): whose it is and at which
 * guest-physical address, of the PAMT; whether the domain has accepted it, of
 * the secure EPT.
 */
#ifndef MONITOR_X86_64_SEPT_H
#define MONITOR_X86_64_SEPT_H

#include "base/base.h"

enum { SEPT_LARGE_PAGES = 512 };

enum sept_state {
	SEPT_FREE,    /* nobody's */
	SEPT_PENDING, /* the domain's, not accepted */
	SEPT_MAPPED,
};

struct sept_entry {
	uint64_t gpa;
	uint8_t state; /* enum sept_state */
	uint8_t large; /* the first of 512 that are one */
	uint8_t reserved_0a[6];
};
LAYOUT_SIZE(struct sept_entry, 16);

struct sept {
	struct sept_entry *entries;
	uint64_t begin, end; /* physical addresses */
};

enum sept_verdict {
	SEPT_FINE,
	SEPT_NOT_THERE, /* free */
	SEPT_OTHER_GPA,
	SEPT_NOT_ACCEPTED,
	/* Of an acceptance: */
	SEPT_ALREADY,
	SEPT_OTHER_SIZE,
};

/* Of hpa in [begin, end): of a large page, its first. */
struct sept_entry *sept_entry_at(const struct sept *s, uint64_t hpa);

/* --- the host's: TDH.MEM.PAGE.ADD, .AUG, .REMOVE ------------------------- */

/* Measured, and there without being accepted; false: it is somebody's. */
MUST_USE bool sept_add(struct sept *s, uint64_t hpa, uint64_t gpa);
/* Pending; large: 2 MiB, both addresses so aligned. */
MUST_USE bool sept_augment(struct sept *s, uint64_t hpa, uint64_t gpa,
	bool large);
/* One page is nobody's, whatever it was; a large one is broken up. */
void sept_remove(struct sept *s, uint64_t hpa);

/* --- the domain's --------------------------------------------------------- */

/* An access. */
enum sept_verdict sept_check(const struct sept *s, uint64_t hpa, uint64_t gpa);
/* TDG.MEM.PAGE.ACCEPT; its contents are the caller's to clear. */
enum sept_verdict sept_accept(struct sept *s, uint64_t hpa, uint64_t gpa,
	bool large);

#endif
