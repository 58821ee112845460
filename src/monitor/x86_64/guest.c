/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/x86_64/guest.h"

#define ADDRESS 0x000ffffffffff000ull
#define PRESENT 1ull
#define LARGE	0x80ull
#define OFFSET	(uint64_t)(PAGE_BYTES - 1)
#define LA57	(1ull << 12)

/* --- slots -------------------------------------------------------------- */

const struct monitor_slot *monitor_slot_at(const struct monitor *m,
	uint64_t gpa)
{
	for (size_t i = 0; i < MONITOR_SLOTS; i++) {
		const struct monitor_slot *s = &m->slots[i];
		if (gpa >= s->gpa && gpa - s->gpa < s->bytes)
			return s;
	}
	return NULL;
}

/* --- which half --------------------------------------------------------- */

static uint8_t *attribute_of(const struct monitor *m, uint64_t gpa,
	uint8_t *bit)
{
	uint64_t page = gpa / PAGE_BYTES;
	*bit = (uint8_t)(1u << page % 8);
	return (uint8_t *)monitor_memory(m->box->attributes_hpa) + page / 8;
}

bool guest_is_private(const struct monitor *m, uint64_t gpa)
{
	uint8_t bit;
	if ((m->kind != MONITOR_SNP && m->kind != MONITOR_TDX) ||
		gpa >= m->box->gpa_end)
		return false;
	return *attribute_of(m, gpa, &bit) & bit;
}

void guest_set_private(struct monitor *m, uint64_t gpa, bool is_private)
{
	uint8_t bit;
	if (gpa >= m->box->gpa_end)
		return;
	uint8_t *p = attribute_of(m, gpa, &bit);
	*p = (uint8_t)(is_private ? *p | bit : *p & ~bit);
}

/* --- private pages ------------------------------------------------------ */

/* All 512 pages are the slot's, and private: one entry can stand for them. */
static bool whole_large(const struct monitor *m, const struct monitor_slot *s,
	uint64_t gpa, uint64_t hpa)
{
	uint64_t first = gpa & ~(NPT_LARGE - 1);
	if ((gpa ^ hpa) % NPT_LARGE || first < s->gpa ||
		first + NPT_LARGE > s->gpa + s->bytes)
		return false;
	for (uint64_t i = 0; i < NPT_LARGE; i += PAGE_BYTES)
		if (!guest_is_private(m, first + i))
			return false;
	return true;
}

/* The kernel's half of a first access. */
static void give(struct monitor *m, const struct monitor_slot *s, uint64_t gpa,
	uint64_t hpa)
{
	const uint64_t mask = NPT_LARGE - 1;
	if (whole_large(m, s, gpa, hpa) &&
		rmp_assign_large(&m->rmp, hpa & ~mask, gpa & ~mask))
		return;
	/* False: it is assigned, to this address or to another. */
	bool fresh = rmp_assign(&m->rmp, hpa, gpa);
	(void)fresh;
}

static enum guest_turn resolve_private(struct monitor *m,
	const struct monitor_slot *s, uint64_t gpa, uint8_t rights,
	uint64_t *hpa)
{
	if (!s || !s->private_hpa || !guest_is_private(m, gpa))
		return GUEST_HOST_FAULT;
	*hpa = s->private_hpa + (gpa - s->gpa);
	uint64_t page = *hpa & ~OFFSET;
	if (page < m->rmp.begin || page >= m->rmp.end)
		return GUEST_HOST_FAULT;
	if (rmp_check(&m->rmp, page, gpa & ~OFFSET, rights) == RMP_NOT_ASSIGNED)
		give(m, s, gpa & ~OFFSET, page);
	switch (rmp_check(&m->rmp, page, gpa & ~OFFSET, rights)) {
	case RMP_FINE:
		return GUEST_FINE;
	case RMP_NOT_VALIDATED:
		return GUEST_NOT_VALIDATED;
	default:
		return GUEST_HOST_FAULT;
	}
}

static enum guest_turn resolve_accepted(struct monitor *m,
	const struct monitor_slot *s, uint64_t gpa, uint64_t *hpa)
{
	if (!s || !s->private_hpa || !guest_is_private(m, gpa))
		return GUEST_HOST_FAULT;
	*hpa = s->private_hpa + (gpa - s->gpa);
	uint64_t page = *hpa & ~OFFSET;
	if (page < m->sept.begin || page >= m->sept.end)
		return GUEST_HOST_FAULT;
	switch (sept_check(&m->sept, page, gpa & ~OFFSET)) {
	case SEPT_FINE:
		return GUEST_FINE;
	case SEPT_NOT_ACCEPTED:
		return GUEST_NOT_VALIDATED;
	default:
		return GUEST_HOST_FAULT;
	}
}

enum guest_turn guest_resolve(struct monitor *m, uint64_t gpa, uint8_t rights,
	uint64_t *hpa)
{
	/* One half is private: with the C-bit; without the shared bit. */
	bool halves = m->kind == MONITOR_SNP || m->kind == MONITOR_TDX;
	bool high = halves && (gpa & NPT_C);
	uint64_t plain = high ? gpa & ~NPT_C : gpa;
	const struct monitor_slot *s = monitor_slot_at(m, plain);
	if (m->kind == MONITOR_SNP && high)
		return resolve_private(m, s, plain, rights, hpa);
	if (m->kind == MONITOR_TDX && !high)
		return resolve_accepted(m, s, plain, hpa);
	if (!s)
		return GUEST_NOWHERE;
	if (guest_is_private(m, plain))
		return GUEST_HOST_FAULT;
	*hpa = MONITOR_SHARED_HPA + s->shared_at + (plain - s->gpa);
	return GUEST_FINE;
}

/* --- the guest's tables ------------------------------------------------- */

enum guest_turn guest_walk(struct monitor *m, uint64_t va, uint64_t *gpa)
{
	const struct svm_save *s = &m->cpu.vmcb->save;
	uint64_t entry = s->cr3 | PRESENT;
	if (s->cr4 & LA57)
		return GUEST_PAGE_FAULT;
	for (unsigned level = 4; level >= 1; level--) {
		unsigned shift = 12 + 9 * (level - 1);
		uint64_t hpa, span = (1ull << shift) - 1;
		uint64_t at = (entry & ADDRESS) + (va >> shift & 511) * 8;
		enum guest_turn t = guest_resolve(m, at, RMP_READ, &hpa);
		if (t != GUEST_FINE)
			return t;
		entry = *(uint64_t *)monitor_memory(hpa);
		if (!(entry & PRESENT))
			return GUEST_PAGE_FAULT;
		if (level == 1 || (level <= 3 && (entry & LARGE))) {
			*gpa = (entry & ADDRESS & ~span) | (va & span);
			return GUEST_FINE;
		}
	}
	return GUEST_PAGE_FAULT;
}

static enum guest_turn at_va(struct monitor *m, uint64_t va, uint8_t rights,
	void **out)
{
	uint64_t gpa, hpa;
	enum guest_turn t = guest_walk(m, va, &gpa);
	if (t == GUEST_FINE)
		t = guest_resolve(m, gpa, rights, &hpa);
	if (t == GUEST_FINE)
		*out = monitor_memory(hpa);
	return t;
}

enum guest_turn guest_read(struct monitor *m, uint64_t va, void *to, size_t n)
{
	uint8_t *p = to;
	while (n) {
		size_t part = size_min(n, PAGE_BYTES - (va & OFFSET));
		void *from;
		enum guest_turn t = at_va(m, va, RMP_READ, &from);
		if (t != GUEST_FINE)
			return t;
		memcpy(p, from, part);
		va += part;
		p += part;
		n -= part;
	}
	return GUEST_FINE;
}

enum guest_turn guest_write(struct monitor *m, uint64_t va, const void *from,
	size_t n)
{
	const uint8_t *p = from;
	while (n) {
		size_t part = size_min(n, PAGE_BYTES - (va & OFFSET));
		void *to;
		enum guest_turn t = at_va(m, va, RMP_WRITE, &to);
		if (t != GUEST_FINE)
			return t;
		memcpy(to, p, part);
		va += part;
		p += part;
		n -= part;
	}
	return GUEST_FINE;
}
