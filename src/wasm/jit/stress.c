/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: what the compiler may choose freely is drawn by lot, so that a
 * run sees places and paths that programs take rarely.  The same seed draws the
 * same for the same functions compiled in the same order.
 */
#include "wasm/jit/alloc_priv.h"
#include "wasm/jit/jit_priv.h"

/* splitmix64 */
static uint64_t next(uint64_t *s)
{
	uint64_t v = *s += 0x9e3779b97f4a7c15u;
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9u;
	v = (v ^ v >> 27) * 0x94d049bb133111ebu;
	return v ^ v >> 31;
}

uint32_t jit_lot(struct jit_fn *f, uint32_t n)
{
	return f->lots && n ? (uint32_t)(next(&f->lots) >> 32) % n : 0;
}

bool jit_chance(struct jit_fn *f, uint32_t n)
{
	return f->lots && !jit_lot(f, n);
}

enum { LEAST_REGISTERS = 4, MORE_REGISTERS = 8, GAPS = 128, GAP = 32 };

bool jit_stress_begin(struct jit_fn *f)
{
	struct wasm_jit *j = f->jit;
	uint64_t seed = j->store->limits.jit_stress;
	if (!seed)
		return true;
	f->lots = seed * 0x2545f4914f6cdd1du ^ j->stats.words << 20 ^
		f->func->index;
	(void)next(&f->lots);
	f->lots |= 1;
	j->stress = LEAST_REGISTERS + jit_lot(f, MORE_REGISTERS);
	j->mask = j->store->limits.jit_mask || jit_chance(f, 3);
	return !jit_chance(f, 12) || jit_fail(f, JIT_DRAWN);
}

/* Code lies anywhere within pages, and crosses them. */
void jit_stress_place(struct jit_fn *f)
{
	struct wasm_jit *j = f->jit;
	size_t unit = j->store->limits.put_code ? PAGE_BYTES : GAP;
	size_t gap = jit_lot(f, GAPS) * unit;
	if (f->lots && j->size - j->used > gap)
		j->used += gap;
}

void jit_stress_features(struct wasm_jit *j)
{
	uint64_t s = j->store->limits.jit_stress;
	bool *const all[] = { &j->sse41, &j->popcnt, &j->lzcnt, &j->bmi1,
		&j->bmi2 };
	for (size_t k = 0; s && k < ARRAY_LEN(all); k++)
		*all[k] &= next(&s) >> 33 & 1;
	if (s)
		j->level = (uint32_t)(next(&s) >> 33) % (j->level + 1);
}

/*
 * An interval is cut somewhere, or goes to the stack although there may be a
 * register; true: the latter.  Both are what the allocator does, too.
 */
bool jit_stress_interval(struct jit_fn *f, uint32_t n)
{
	const struct jit_ival *x = &f->ivals[n];
	if (jit_chance(f, 3) && x->to - x->from > 4)
		jit_split_at(f, n,
			(x->from + 2 + jit_lot(f, x->to - x->from - 3)) & ~1u);
	return !f->failed && jit_chance(f, 8) && jit_spill_whole(f, n);
}
