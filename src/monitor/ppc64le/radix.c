/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/ppc64le/radix.h"

/* Addresses of 52 bits: 13 + 9 + 9 + 5 bits, and 16 in the page. */
enum { LEVELS = 4 };
static const struct {
	unsigned shift, bits;
} levels[LEVELS] = { { 39, 13 }, { 30, 9 }, { 21, 9 }, { 16, 5 } };

#define VALID	     (1ull << 63)
#define LEAF	     (1ull << 62)
#define PLACE	     0x01fffffffffff000ull
#define TABLE	     0x0fffffffffffff00ull
#define REFERENCED   0x100ull
#define CHANGED	     0x080ull
#define RIGHTS	     0x007ull
#define ADDRESS_BITS 52

/* The partition table's entry: radix, the addresses' size (less 31, in two
 * parts), the root's place and size. */
#define PATE_RADIX (1ull << 63)
#define PATE_SIZE  (2ull << 61 | 5ull << 5)

static uint64_t table_new(struct radix *r, unsigned bits)
{
	uint64_t bytes = 8ull << bits;
	uint64_t at = (r->next + bytes - 1) & ~(bytes - 1);
	if (at > r->end || r->end - at < bytes)
		return 0;
	r->next = at + bytes;
	memset(monitor_memory(at), 0, bytes);
	return at;
}

bool radix_init(struct radix *r, uint64_t at, uint64_t end)
{
	*r = (struct radix){ .next = at, .end = end };
	r->root = table_new(r, levels[0].bits);
	return r->root != 0;
}

uint64_t radix_pate(const struct radix *r)
{
	return PATE_RADIX | PATE_SIZE | (r->root & TABLE) | levels[0].bits;
}

static uint64_t *entry_in(uint64_t table, unsigned level, uint64_t gra)
{
	uint64_t *t = monitor_memory(table);
	uint64_t mask = (1ull << levels[level].bits) - 1;
	return &t[gra >> levels[level].shift & mask];
}

/* The last level's entry; NULL: no table leads there. */
static uint64_t *walk(const struct radix *r, uint64_t gra)
{
	uint64_t table = r->root;
	for (unsigned i = 0; i < LEVELS - 1; i++) {
		uint64_t e = __builtin_bswap64(*entry_in(table, i, gra));
		if (!(e & VALID))
			return NULL;
		table = e & TABLE;
	}
	return entry_in(table, LEVELS - 1, gra);
}

bool radix_map(struct radix *r, uint64_t gra, uint64_t hpa, unsigned rights)
{
	uint64_t table = r->root;
	if (gra >> ADDRESS_BITS)
		return false;
	for (unsigned i = 0; i < LEVELS - 1; i++) {
		uint64_t *at = entry_in(table, i, gra);
		uint64_t e = __builtin_bswap64(*at);
		if (!(e & VALID)) {
			uint64_t new = table_new(r, levels[i + 1].bits);
			if (!new)
				return false;
			e = VALID | new | levels[i + 1].bits;
			*at = __builtin_bswap64(e);
		}
		table = e & TABLE;
	}
	*entry_in(table, LEVELS - 1, gra) = __builtin_bswap64(VALID | LEAF |
		REFERENCED | CHANGED | (hpa & PLACE) | (rights & RIGHTS));
	return true;
}

void radix_unmap(struct radix *r, uint64_t gra)
{
	uint64_t *at = gra >> ADDRESS_BITS ? NULL : walk(r, gra);
	if (at)
		*at = 0;
}

unsigned radix_find(const struct radix *r, uint64_t gra, uint64_t *hpa)
{
	const uint64_t *at = gra >> ADDRESS_BITS ? NULL : walk(r, gra);
	uint64_t e = at ? __builtin_bswap64(*at) : 0;
	*hpa = e & PLACE;
	return e & VALID ? (unsigned)(e & RIGHTS) : 0;
}
