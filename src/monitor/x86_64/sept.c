/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/x86_64/sept.h"

#define LARGE_BYTES ((uint64_t)SEPT_LARGE_PAGES * PAGE_BYTES)

static struct sept_entry *own(const struct sept *s, uint64_t hpa)
{
	return s->entries + (hpa - s->begin) / PAGE_BYTES;
}

struct sept_entry *sept_entry_at(const struct sept *s, uint64_t hpa)
{
	uint64_t first = hpa & ~(LARGE_BYTES - 1);
	if (first >= s->begin && own(s, first)->large)
		return own(s, first);
	return own(s, hpa);
}

bool sept_add(struct sept *s, uint64_t hpa, uint64_t gpa)
{
	struct sept_entry *e = sept_entry_at(s, hpa);
	if (e->state != SEPT_FREE)
		return false;
	*e = (struct sept_entry){ .gpa = gpa, .state = SEPT_MAPPED };
	return true;
}

bool sept_augment(struct sept *s, uint64_t hpa, uint64_t gpa, bool large)
{
	uint64_t pages = large ? SEPT_LARGE_PAGES : 1;
	if (large &&
		((hpa | gpa) % LARGE_BYTES || hpa < s->begin ||
			hpa + LARGE_BYTES > s->end))
		return false;
	for (uint64_t i = 0; i < pages; i++)
		if (sept_entry_at(s, hpa + i * PAGE_BYTES)->state != SEPT_FREE)
			return false;
	*own(s, hpa) = (struct sept_entry){ .gpa = gpa,
		.state = SEPT_PENDING,
		.large = large };
	return true;
}

/* 2 MiB become 512 pages that say the same (TDH.MEM.PAGE.DEMOTE). */
static void demote(struct sept *s, uint64_t hpa)
{
	struct sept_entry *e = sept_entry_at(s, hpa);
	if (!e->large)
		return;
	e->large = 0;
	for (unsigned i = 1; i < SEPT_LARGE_PAGES; i++) {
		e[i] = e[0];
		e[i].gpa += (uint64_t)i * PAGE_BYTES;
	}
}

void sept_remove(struct sept *s, uint64_t hpa)
{
	demote(s, hpa);
	*own(s, hpa) = (struct sept_entry){ 0 };
}

static bool is_there(const struct sept_entry *e, uint64_t hpa, uint64_t gpa)
{
	uint64_t mask = e->large ? LARGE_BYTES - 1 : 0;
	return e->gpa == (gpa & ~mask) && !((gpa ^ hpa) & mask);
}

enum sept_verdict sept_check(const struct sept *s, uint64_t hpa, uint64_t gpa)
{
	const struct sept_entry *e = sept_entry_at(s, hpa);
	if (e->state == SEPT_FREE)
		return SEPT_NOT_THERE;
	if (!is_there(e, hpa, gpa))
		return SEPT_OTHER_GPA;
	return e->state == SEPT_MAPPED ? SEPT_FINE : SEPT_NOT_ACCEPTED;
}

/* Some of the 512 pages is the domain's on its own. */
static bool any_small(const struct sept *s, uint64_t hpa)
{
	for (uint64_t i = 0; i < LARGE_BYTES; i += PAGE_BYTES)
		if (own(s, hpa + i)->state != SEPT_FREE)
			return true;
	return false;
}

enum sept_verdict sept_accept(struct sept *s, uint64_t hpa, uint64_t gpa,
	bool large)
{
	struct sept_entry *e = sept_entry_at(s, hpa);
	if (large && !e->large)
		return any_small(s, hpa) ? SEPT_OTHER_SIZE : SEPT_NOT_THERE;
	switch (sept_check(s, hpa, gpa)) {
	case SEPT_FINE:
		return SEPT_ALREADY;
	case SEPT_NOT_ACCEPTED:
		break;
	default:
		return sept_check(s, hpa, gpa);
	}
	/* A small part of a large one: the host has to break it up first. */
	if (e->large && !large)
		return SEPT_NOT_ACCEPTED;
	e->state = SEPT_MAPPED;
	return SEPT_FINE;
}
