/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reverse map table of SEV-SNP (AMD64 manual, volume 2, §15.36): for each
 * page of RAM that can be private, whose it is, at which guest-physical
 * address, and whether the guest has validated it.  No access goes to such a
 * page that rmp_check does not allow.
 */
#ifndef MONITOR_X86_64_RMP_H
#define MONITOR_X86_64_RMP_H

#include "base/base.h"
#include "spec/snp_guest.h"

enum { RMP_VMPLS = 4, RMP_LARGE_PAGES = 512 };

/* Rights of a VMPL (table 15-38). */
enum {
	RMP_READ = 1,
	RMP_WRITE = 2,
	RMP_EXECUTE_USER = 4,
	RMP_EXECUTE_SUPERVISOR = 8,
	RMP_ALL = 15
};

struct rmp_entry {
	uint64_t gpa;
	uint8_t assigned, validated, vmsa, large;
	uint8_t rights[RMP_VMPLS];
};
LAYOUT_SIZE(struct rmp_entry, 16);

struct rmp {
	struct rmp_entry *entries;
	uint64_t begin, end; /* physical addresses */
	uint8_t level;	     /* the guest's VMPL */
};

enum rmp_verdict {
	RMP_FINE,
	RMP_NOT_ASSIGNED,
	RMP_OTHER_GPA,
	RMP_NOT_VALIDATED,
	RMP_IS_VMSA, /* written to */
	RMP_NO_RIGHT,
};

/* For hpa in [begin, end), page-aligned. */
struct rmp_entry *rmp_entry_at(const struct rmp *r, uint64_t hpa);

/* --- the hypervisor's: RMPUPDATE, PSMASH -------------------------------- */

/* 4 KiB, not validated; false: it is somebody's. */
MUST_USE bool rmp_assign(struct rmp *r, uint64_t hpa, uint64_t gpa);
/* 2 MiB, both addresses so aligned; false: some of it is somebody's. */
MUST_USE bool rmp_assign_large(struct rmp *r, uint64_t hpa, uint64_t gpa);
/* 2 MiB become 512 pages that say the same. */
void rmp_smash(struct rmp *r, uint64_t hpa);
/* One page is nobody's, whatever it was. */
void rmp_release(struct rmp *r, uint64_t hpa);

/* --- the processor's ---------------------------------------------------- */

/* An access at the guest's level that needs `rights`. */
enum rmp_verdict rmp_check(const struct rmp *r, uint64_t hpa, uint64_t gpa,
	uint8_t rights);
/* PVALIDATE of an assigned page; *same: it was so already. */
enum snp_instruction rmp_validate(struct rmp *r, uint64_t hpa, bool large,
	bool validate, bool *same);
/* RMPADJUST of a validated page, at the guest's level: rdx as the manual has
 * it. */
enum snp_instruction rmp_adjust(struct rmp *r, uint64_t hpa, bool large,
	uint64_t rdx);

#endif
