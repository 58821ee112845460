/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/ppc64le/pages.h"

#define MASK (RADIX_PAGE_BYTES - 1)

static const struct monitor_slot *slot_of(const struct pages *p, uint64_t gra)
{
	for (unsigned i = 0; i < MONITOR_SLOTS; i++) {
		const struct monitor_slot *s = &p->slots[i];
		if (s->bytes && gra >= s->gpa && gra - s->gpa < s->bytes)
			return s;
	}
	return NULL;
}

static uint64_t normal_at(const struct pages *p, const struct monitor_slot *s,
	uint64_t gra)
{
	return p->shared_hpa + s->shared_at + (gra - s->gpa);
}

static uint64_t secure_at(const struct monitor_slot *s, uint64_t gra)
{
	return s->private_hpa + (gra - s->gpa);
}

static uint8_t *state_of(const struct pages *p, const struct monitor_slot *s,
	uint64_t gra)
{
	return &p->states[(secure_at(s, gra) - p->secure_hpa) /
		RADIX_PAGE_BYTES];
}

bool pages_init(struct pages *p, const struct monitor_box *box,
	uint64_t shared_hpa, uint8_t *states)
{
	*p = (struct pages){ .shared_hpa = shared_hpa,
		.secure_hpa = box->private_hpa,
		.states = states };
	memcpy(p->slots, box->slots, sizeof p->slots);
	return radix_init(&p->radix, MONITOR_TABLES_HPA, box->tables_end);
}

/* Where the guest sees that page, and what it may do there. */
static bool map(struct pages *p, uint64_t gra, uint64_t hpa, unsigned rights)
{
	if (gra || !(rights & RADIX_EXECUTE))
		return radix_map(&p->radix, gra, hpa, rights);
	return radix_map(&p->radix, 0, hpa, rights & ~RADIX_EXECUTE) &&
		radix_map(&p->radix, PAGES_ALIAS, hpa,
			RADIX_READ | RADIX_EXECUTE);
}

static void unmap(struct pages *p, uint64_t gra)
{
	radix_unmap(&p->radix, gra);
	if (!gra)
		radix_unmap(&p->radix, PAGES_ALIAS);
}

enum page_turn pages_fault(struct pages *p, uint64_t gra, bool execute)
{
	const unsigned all = RADIX_READ | RADIX_WRITE | RADIX_EXECUTE;
	const struct monitor_slot *s = slot_of(p, gra & ~MASK);
	uint64_t page = gra & ~MASK, hpa;
	if (!s)
		return PAGE_NOWHERE;
	if (radix_find(&p->radix, page, &hpa))
		return PAGE_REFUSED;
	uint64_t normal = normal_at(p, s, page);
	if (!p->secure)
		return map(p, page, normal, all) ? PAGE_MAPPED : PAGE_FULL;
	uint8_t *state = state_of(p, s, page);
	if (*state == PAGE_SHARED) {
		if (execute)
			return PAGE_REFUSED;
		return map(p, page, normal, RADIX_READ | RADIX_WRITE) ?
			PAGE_MAPPED :
			PAGE_FULL;
	}
	if (*state == PAGE_NORMAL) {
		memcpy(monitor_memory(secure_at(s, page)),
			monitor_memory(normal), RADIX_PAGE_BYTES);
		*state = PAGE_SECURE;
	}
	return map(p, page, secure_at(s, page), all) ? PAGE_MAPPED : PAGE_FULL;
}

/* Are they all memory that can be secure? */
static bool all_there(const struct pages *p, uint64_t gra, uint64_t count)
{
	if (!count || (gra & MASK) || gra >> 52 || count >> 36)
		return false;
	for (uint64_t i = 0; i < count; i++) {
		const struct monitor_slot *s =
			slot_of(p, gra + i * RADIX_PAGE_BYTES);
		if (!s || !s->private_hpa)
			return false;
	}
	return true;
}

enum monitor_result pages_in(struct pages *p, uint64_t gra, uint64_t count,
	const uint8_t *from)
{
	if (p->secure || !all_there(p, gra, count))
		return MONITOR_WRONG;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t page = gra + i * RADIX_PAGE_BYTES;
		const struct monitor_slot *s = slot_of(p, page);
		if (!s || *state_of(p, s, page) != PAGE_NORMAL)
			return MONITOR_STATE_WRONG;
		memcpy(monitor_memory(secure_at(s, page)),
			from + i * RADIX_PAGE_BYTES, RADIX_PAGE_BYTES);
		*state_of(p, s, page) = PAGE_SECURE;
	}
	return MONITOR_OK;
}

typedef void each(struct pages *p, const struct monitor_slot *s, uint64_t gra);

static void for_each(struct pages *p, each *f)
{
	for (unsigned i = 0; i < MONITOR_SLOTS; i++) {
		const struct monitor_slot *s = &p->slots[i];
		for (uint64_t at = 0; at < s->bytes; at += RADIX_PAGE_BYTES)
			f(p, s, s->gpa + at);
	}
}

static void unmap_one(struct pages *p, const struct monitor_slot *s,
	uint64_t gra)
{
	(void)s;
	unmap(p, gra);
}

void pages_secure(struct pages *p)
{
	for_each(p, unmap_one);
	p->secure = true;
}

static void wipe_one(struct pages *p, const struct monitor_slot *s,
	uint64_t gra)
{
	if (*state_of(p, s, gra) == PAGE_SECURE)
		memset(monitor_memory(secure_at(s, gra)), 0, RADIX_PAGE_BYTES);
	*state_of(p, s, gra) = PAGE_NORMAL;
	unmap(p, gra);
}

void pages_abort(struct pages *p)
{
	for_each(p, wipe_one);
	p->secure = false;
}

/* What its other half held is nobody's any more. */
static void share_one(struct pages *p, const struct monitor_slot *s,
	uint64_t gra, bool shared)
{
	unmap(p, gra);
	memset(monitor_memory(secure_at(s, gra)), 0, RADIX_PAGE_BYTES);
	if (shared)
		memset(monitor_memory(normal_at(p, s, gra)), 0,
			RADIX_PAGE_BYTES);
	*state_of(p, s, gra) = shared ? PAGE_SHARED : PAGE_SECURE;
}

bool pages_share(struct pages *p, uint64_t first, uint64_t count, bool shared)
{
	if (first >> 36 || !all_there(p, first * RADIX_PAGE_BYTES, count))
		return false;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t gra = (first + i) * RADIX_PAGE_BYTES;
		const struct monitor_slot *s = slot_of(p, gra);
		if (s && (shared || *state_of(p, s, gra) == PAGE_SHARED))
			share_one(p, s, gra, shared);
	}
	return true;
}

static void unshare_one(struct pages *p, const struct monitor_slot *s,
	uint64_t gra)
{
	if (*state_of(p, s, gra) == PAGE_SHARED)
		share_one(p, s, gra, false);
}

void pages_unshare_all(struct pages *p)
{
	for_each(p, unshare_one);
}

enum monitor_result pages_take_slot(struct pages *p, uint32_t n,
	const struct monitor_slot *slot)
{
	struct monitor_slot *s = &p->slots[n];
	if (p->secure && (slot->gpa != s->gpa || slot->bytes != s->bytes))
		return MONITOR_STATE_WRONG;
	for (uint64_t at = 0; at < s->bytes; at += RADIX_PAGE_BYTES)
		unmap(p, s->gpa + at);
	/* Its secure half stays where it is: no host moves that. */
	uint64_t secure = s->private_hpa;
	*s = *slot;
	s->private_hpa = secure;
	return MONITOR_OK;
}
