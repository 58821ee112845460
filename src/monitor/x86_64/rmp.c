/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/x86_64/rmp.h"

#define LARGE_BYTES ((uint64_t)RMP_LARGE_PAGES * PAGE_BYTES)

struct rmp_entry *rmp_entry_at(const struct rmp *r, uint64_t hpa)
{
	return r->entries + (hpa - r->begin) / PAGE_BYTES;
}

/* Of a large page it is the first entry that counts. */
static struct rmp_entry *head_of(const struct rmp *r, uint64_t hpa)
{
	struct rmp_entry *e = rmp_entry_at(r, hpa);
	uint64_t first = hpa & ~(LARGE_BYTES - 1);
	if (first < r->begin || !rmp_entry_at(r, first)->large)
		return e;
	return rmp_entry_at(r, first);
}

static struct rmp_entry fresh(uint64_t gpa, bool large)
{
	/* VMPL 0 has all rights from the start (§15.36.5). */
	return (struct rmp_entry){ .gpa = gpa,
		.assigned = 1,
		.large = large,
		.rights = { RMP_ALL } };
}

bool rmp_assign(struct rmp *r, uint64_t hpa, uint64_t gpa)
{
	if (head_of(r, hpa)->assigned)
		return false;
	*rmp_entry_at(r, hpa) = fresh(gpa, false);
	return true;
}

bool rmp_assign_large(struct rmp *r, uint64_t hpa, uint64_t gpa)
{
	if (hpa < r->begin || hpa + LARGE_BYTES > r->end)
		return false;
	struct rmp_entry *e = rmp_entry_at(r, hpa);
	for (unsigned i = 0; i < RMP_LARGE_PAGES; i++)
		if (e[i].assigned)
			return false;
	*e = fresh(gpa, true);
	return true;
}

void rmp_smash(struct rmp *r, uint64_t hpa)
{
	struct rmp_entry *e = head_of(r, hpa);
	if (!e->large)
		return;
	e->large = 0;
	for (unsigned i = 1; i < RMP_LARGE_PAGES; i++) {
		e[i] = e[0];
		e[i].gpa += (uint64_t)i * PAGE_BYTES;
	}
}

void rmp_release(struct rmp *r, uint64_t hpa)
{
	rmp_smash(r, hpa);
	*rmp_entry_at(r, hpa) = (struct rmp_entry){ 0 };
}

enum rmp_verdict rmp_check(const struct rmp *r, uint64_t hpa, uint64_t gpa,
	uint8_t rights)
{
	const struct rmp_entry *e = head_of(r, hpa);
	uint64_t mask = e->large ? LARGE_BYTES - 1 : 0;
	if (!e->assigned)
		return RMP_NOT_ASSIGNED;
	if (e->gpa != (gpa & ~mask) || ((gpa ^ hpa) & mask))
		return RMP_OTHER_GPA;
	if (!e->validated)
		return RMP_NOT_VALIDATED;
	if (e->vmsa && (rights & RMP_WRITE))
		return RMP_IS_VMSA;
	return (rights & ~e->rights[r->level]) ? RMP_NO_RIGHT : RMP_FINE;
}

/* A small instruction on a large entry has the hypervisor smash it first. */
static struct rmp_entry *sized(struct rmp *r, uint64_t hpa, bool large)
{
	struct rmp_entry *e = head_of(r, hpa);
	if (large)
		return e->large ? e : NULL;
	if (e->large)
		rmp_smash(r, hpa);
	return rmp_entry_at(r, hpa);
}

enum snp_instruction rmp_validate(struct rmp *r, uint64_t hpa, bool large,
	bool validate, bool *same)
{
	struct rmp_entry *e = sized(r, hpa, large);
	*same = false;
	if (!e)
		return SNP_FAIL_SIZE;
	*same = e->validated == validate;
	e->validated = validate;
	return SNP_DONE;
}

enum snp_instruction rmp_adjust(struct rmp *r, uint64_t hpa, bool large,
	uint64_t rdx)
{
	uint64_t target = rdx & 0xff;
	struct rmp_entry *e = sized(r, hpa, large);
	if (!e)
		return SNP_FAIL_SIZE;
	if (target >= RMP_VMPLS)
		return SNP_FAIL_INPUT;
	/* Nobody changes his own rights, or those above him; nobody gives
	 * what he has not; VMSAs are level 0's. */
	uint8_t rights = rdx >> 8 & RMP_ALL;
	if (target <= r->level || (rights & ~e->rights[r->level]) ||
		((rdx >> 16 & 1) && r->level))
		return SNP_FAIL_PERMISSION;
	if ((rdx >> 16 & 1) && e->large)
		return SNP_FAIL_INPUT;
	e->rights[target] = rights;
	e->vmsa = rdx >> 16 & 1;
	return SNP_DONE;
}
