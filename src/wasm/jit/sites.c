/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of the places that calls return to: which words of the frame
 * hold references while the callee runs, and where an exception that comes
 * out of it goes.
 */
#include <stdlib.h>

#include "wasm/jit/emit_priv.h"

/* While one function is made. */
struct jit_sites {
	struct jit_return *all;
	uint32_t count, cap;
	uint32_t *words; /* of frames that hold references */
	uint32_t word_count, word_cap;
	/* Intervals of references on the stack, by where they begin; those
	 * that have begun and not ended are in `active`. */
	uint32_t *refs, ref_count, ref_next;
	uint32_t *active, active_count;
	bool throws;
};

/* --- references -------------------------------------------------------------
 */

struct begins {
	uint32_t from, n;
};

static int compare(const void *a, const void *b)
{
	const struct begins *x = a, *y = b;
	return x->from < y->from ? -1 : x->from > y->from;
}

static bool is_ref(const struct jit_fn *f, const struct jit_ival *x)
{
	return x->loc == LOC_STACK && (f->ins[x->v].flags & JF_REF);
}

static bool find_refs(struct jit_fn *f, struct jit_sites *s)
{
	uint32_t n = 0;
	for (uint32_t k = 1; k < f->ival_count; k++)
		n += is_ref(f, &f->ivals[k]);
	struct begins *b = jit_alloc(f, n + 1ul, sizeof *b);
	s->refs = jit_alloc(f, n + 1ul, sizeof *s->refs);
	s->active = jit_alloc(f, n + 1ul, sizeof *s->active);
	if (f->failed)
		return false;
	for (uint32_t k = 1; k < f->ival_count; k++)
		if (is_ref(f, &f->ivals[k]))
			b[s->ref_count++] =
				(struct begins){ f->ivals[k].from, k };
	qsort(b, n, sizeof *b, compare);
	for (uint32_t k = 0; k < n; k++)
		s->refs[k] = b[k].n;
	return jit_work(f, n);
}

static bool covers(const struct jit_fn *f, const struct jit_ival *x,
	uint32_t pos)
{
	uint32_t r = jit_range_at(f, x, pos);
	return r < x->r1 && f->alloc->ranges[r].from <= pos;
}

static void add_word(struct jit_fn *f, struct jit_sites *s, uint32_t word)
{
	if (!jit_fit(f, s->words, s->word_cap, s->word_count + 1ull))
		return;
	s->words[s->word_count++] = word;
}

/* What lives on the stack while the instruction calls. */
static void add_live(struct jit_emit *e, struct jit_sites *s, uint32_t pos)
{
	struct jit_fn *f = e->f;
	while (s->ref_next < s->ref_count &&
		f->ivals[s->refs[s->ref_next]].from <= pos)
		s->active[s->active_count++] = s->refs[s->ref_next++];
	uint32_t kept = 0;
	for (uint32_t k = 0; k < s->active_count && !f->failed; k++) {
		const struct jit_ival *x = &f->ivals[s->active[k]];
		if (x->to <= pos)
			continue;
		s->active[kept++] = s->active[k];
		if (covers(f, x, pos))
			add_word(f, s, (uint32_t)jit_slot(e, x->v).disp / 8);
	}
	jit_work(f, s->active_count);
	s->active_count = kept;
}

/* The operands of a step are in use until it is done. */
static void add_operands(struct jit_fn *f, struct jit_sites *s,
	const struct jit_ins *i)
{
	const uint32_t *args = f->args + i->b;
	for (uint32_t k = 0; k < i->c && !f->failed; k++)
		if (f->ins[args[k]].flags & JF_REF && f->ins[args[k]].op != J_K)
			add_word(f, s, args[i->c + k]);
}

/* --- while code is made -----------------------------------------------------
 */

bool jit_sites_begin(struct jit_emit *e)
{
	struct jit_fn *f = e->f;
	bool throws = f->first_handler < f->end_handler;
	if (!f->holds && !throws)
		return true;
	struct jit_sites *s = jit_alloc(f, 1, sizeof *s);
	if (!s)
		return false;
	s->throws = throws;
	e->sites = s;
	return !f->holds || find_refs(f, s);
}

static uint32_t add_site(struct jit_emit *e, struct jit_return r)
{
	struct jit_sites *s = e->sites;
	if (!jit_fit(e->f, s->all, s->cap, s->count + 1ull))
		return 0;
	r.at = e->a.len;
	s->all[s->count] = r;
	return s->count++;
}

uint32_t jit_site(struct jit_emit *e)
{
	struct jit_sites *s = e->sites;
	if (!s)
		return 0;
	const struct jit_ins *i = jit_ins_of(e, e->n);
	struct jit_return r = { .n = e->n,
		.pos = e->pos,
		.map = s->word_count };
	if (e->f->holds) {
		add_live(e, s, e->pos + 1);
		if (i->op == J_STEP || i->op == J_THROW)
			add_operands(e->f, s, i);
	}
	r.map_count = s->word_count - r.map;
	return add_site(e, r);
}

void jit_site_again(struct jit_emit *e, uint32_t site)
{
	if (e->sites && site < e->sites->count)
		add_site(e, e->sites->all[site]);
}

/* --- for good ---------------------------------------------------------------
 */

/* The edges to handlers of the block; returns how many. */
static uint32_t add_landings(struct jit_emit *e, uint32_t block)
{
	struct jit_fn *f = e->f;
	const struct jit_block *b = &f->blocks[block];
	uint32_t n = 0;
	for (uint32_t k = b->succ; k < b->succ + b->succ_count; k++) {
		const struct jit_edge *x = &f->edges[k];
		if (!x->throws)
			continue;
		const struct wasm_handler *h =
			&f->m->handlers[f->blocks[x->to].handler - 1];
		e->j->landings[e->j->landing_count++] =
			(struct jit_landing){ e->base + x->code,
				h->kind == HANDLE_ALL ? UINT32_MAX : h->tag };
		n++;
	}
	return n;
}

/* Only the last call of a block can lead to the block's handlers: a block ends
 * behind a call that does.  *last: its position, for each block. */
static bool find_last(struct jit_emit *e, uint32_t **last)
{
	const struct jit_sites *s = e->sites;
	*last = jit_alloc(e->f, e->f->block_count, sizeof **last);
	for (uint32_t k = 0; *last && k < s->count; k++) {
		uint32_t *l = &(*last)[jit_ins_of(e, s->all[k].n)->block];
		if (s->all[k].pos > *l)
			*l = s->all[k].pos;
	}
	return *last != NULL;
}

static uint64_t count_landings(const struct jit_emit *e)
{
	uint64_t n = 0;
	const struct jit_sites *s = e->sites;
	for (uint32_t k = 0; s->throws && k < s->count; k++)
		n += e->f->blocks[jit_ins_of(e, s->all[k].n)->block].succ_count;
	return n;
}

bool jit_sites_publish(struct jit_emit *e)
{
	struct wasm_jit *j = e->j;
	struct jit_sites *s = e->sites;
	struct wasm_heap *h = &j->store->heap;
	uint32_t *last = NULL;
	if (!s)
		return true;
	if (s->throws && !find_last(e, &last))
		return false;
	if (!wasm_fit(h, j->sites, j->site_cap,
		    (uint64_t)j->site_count + s->count) ||
		!wasm_fit(h, j->words_of, j->word_cap,
			(uint64_t)j->word_count + s->word_count) ||
		!wasm_fit(h, j->landings, j->landing_cap,
			j->landing_count + count_landings(e)))
		return jit_fail(e->f, JIT_NO_MEMORY);
	for (uint32_t k = 0; k < s->count; k++) {
		const struct jit_return *r = &s->all[k];
		struct jit_site x = { .at = e->base + r->at,
			.word = j->word_count + r->map,
			.word_count = r->map_count,
			.landing = j->landing_count };
		uint32_t block = jit_ins_of(e, r->n)->block;
		if (s->throws && r->pos == last[block])
			x.landing_count = add_landings(e, block);
		if (x.word_count || x.landing_count)
			j->sites[j->site_count++] = x;
	}
	if (s->word_count)
		memcpy(j->words_of + j->word_count, s->words,
			s->word_count * sizeof *s->words);
	j->word_count += s->word_count;
	return true;
}
