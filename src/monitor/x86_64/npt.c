/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/x86_64/npt.h"

#include "monitor/x86_64/monitor.h"

#define ADDRESS	  0xffffffffff000ull
#define PAGE_SIZE 0x80ull /* an entry of level 2: 2 MiB */
#define RIGHTS	  (NPT_ALL | NPT_NO_EXECUTE)

static uint64_t *entry_in(uint64_t table, uint64_t gpa, unsigned level)
{
	uint64_t *t = monitor_memory(table & ADDRESS);
	return t + (gpa >> (12 + 9 * (level - 1)) & 511);
}

static bool is_large(uint64_t entry)
{
	return entry & PAGE_SIZE;
}

static bool take_page(struct npt *t, uint64_t *hpa)
{
	if (t->next == t->end)
		return false;
	*hpa = t->next;
	t->next += PAGE_BYTES;
	return true;
}

bool npt_init(struct npt *t, uint64_t begin, uint64_t end)
{
	*t = (struct npt){ .next = begin, .end = end };
	return take_page(t, &t->root);
}

/* A table of 4 KiB pages that says what the large page said. */
static bool break_up(struct npt *t, uint64_t *entry)
{
	uint64_t table, old = *entry;
	if (!take_page(t, &table))
		return false;
	uint64_t *small = monitor_memory(table);
	for (uint64_t i = 0; i < 512; i++)
		small[i] = (old & (ADDRESS | RIGHTS) & ~(NPT_LARGE - 1)) |
			(old & RIGHTS) | i * PAGE_BYTES;
	*entry = table | NPT_ALL;
	return true;
}

/* The entry of that level for gpa, tables above it made where missing. */
static bool reach(struct npt *t, uint64_t gpa, unsigned level, uint64_t **out)
{
	uint64_t table = t->root;
	for (unsigned l = 4; l > level; l--) {
		uint64_t *e = entry_in(table, gpa, l);
		uint64_t made;
		if (l == 2 && is_large(*e) && !break_up(t, e))
			return false;
		if (!*e) {
			if (!take_page(t, &made))
				return false;
			*e = made | NPT_ALL;
		}
		table = *e;
	}
	*out = entry_in(table, gpa, level);
	return true;
}

bool npt_map(struct npt *t, uint64_t gpa, uint64_t hpa, uint64_t rights)
{
	uint64_t *e;
	if (!reach(t, gpa, 1, &e))
		return false;
	*e = hpa | rights;
	return true;
}

/* A table that stood there is lost: its page is not used again. */
bool npt_map_large(struct npt *t, uint64_t gpa, uint64_t hpa, uint64_t rights)
{
	uint64_t *e;
	if (!reach(t, gpa, 2, &e))
		return false;
	*e = hpa | rights | PAGE_SIZE;
	return true;
}

/* What covers gpa at the lowest level that is there. */
static uint64_t *lowest(const struct npt *t, uint64_t gpa, unsigned *level)
{
	uint64_t table = t->root;
	for (unsigned l = 4;; l--) {
		uint64_t *e = entry_in(table, gpa, l);
		*level = l;
		if (!*e || l == 1 || (l == 2 && is_large(*e)))
			return e;
		table = *e;
	}
}

uint64_t npt_find(const struct npt *t, uint64_t gpa, bool *large)
{
	unsigned level;
	uint64_t e = *lowest(t, gpa, &level);
	*large = level == 2;
	return level <= 2 ? e : 0;
}

bool npt_unmap(struct npt *t, uint64_t gpa, uint64_t bytes)
{
	uint64_t end = gpa + bytes;
	while (gpa < end) {
		unsigned level;
		uint64_t *e = lowest(t, gpa, &level);
		uint64_t span = 1ull << (12 + 9 * (level - 1));
		uint64_t next = (gpa & ~(span - 1)) + span;
		bool whole = !(gpa & (span - 1)) && next <= end;
		if (*e && !whole) {
			if (!break_up(t, e))
				return false;
			continue;
		}
		*e = 0;
		gpa = next;
	}
	return true;
}
