/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When each value is live.  One pass notes what is read where.  Then, value by
 * value, the ways from the blocks that read it back to where it is made are
 * followed, and ranges and uses are written down in order of position.
 */
#include <stdlib.h>

#include "wasm/jit/alloc_priv.h"

/* A value is read. */
struct ref {
	uint32_t v, pos;
	uint8_t kind;
};

/* A block that reads a value of another one, until `end`; or, with the upper
 * bit of the block set, a block behind which it is needed. */
struct reader {
	uint32_t block, end, next;
};

/* The last value that was found to be live in a block, and until when. */
struct life {
	uint32_t v, end;
};

struct live {
	struct ref *refs;
	uint32_t ref_count, ref_cap;
	struct reader *readers;
	uint32_t reader_count, reader_cap;
	/* Per value: how often it is read; until when in its own block; who
	 * reads it elsewhere. */
	uint32_t *uses, *own_end, *first;
	struct life *in;	      /* per block */
	uint32_t *found, found_count; /* the blocks of one value */
	uint32_t range_count, range_cap;
};

#define OUT_OF (1u << 31)

/* --- what is read where
 * ---------------------------------------------------------
 */

static void reads(struct jit_fn *f, struct live *l, uint32_t v, uint32_t block,
	uint32_t end)
{
	struct reader *r = &l->readers[l->first[v]];
	if (l->first[v] && r->block == block) {
		r->end = end > r->end ? end : r->end;
		return;
	}
	if (!jit_fit(f, l->readers, l->reader_cap, l->reader_count + 1ull))
		return;
	l->readers[l->reader_count] =
		(struct reader){ block, end, l->first[v] };
	l->first[v] = l->reader_count++;
}

static void read_at(struct jit_fn *f, struct live *l, uint32_t b,
	struct ref ref, uint32_t end)
{
	uint32_t v = ref.v;
	if (!jit_fit(f, l->refs, l->ref_cap, l->ref_count + 1ull))
		return;
	l->refs[l->ref_count++] = ref;
	l->uses[v]++;
	if (f->ins[v].block != b)
		reads(f, l, v, b, end);
	else if (end > l->own_end[v])
		l->own_end[v] = end;
}

static void phi_reads(struct jit_fn *f, struct live *l, uint32_t b, uint32_t n)
{
	const struct jit_ins *i = &f->ins[n];
	const uint32_t *preds = f->preds + f->blocks[b].pred;
	for (uint32_t k = 0; k < i->c && !f->failed; k++) {
		uint32_t v = f->args[i->b + k];
		if (jit_has_ival(&f->ins[v]))
			reads(f, l, v, f->edges[preds[k]].from | OUT_OF, 0);
	}
}

static void note_reads(struct jit_fn *f, struct live *l, uint32_t b, uint32_t n)
{
	struct jit_opnd op[MAX_OPNDS];
	const struct jit_ins *i = &f->ins[n];
	if (i->op == J_PHI) {
		phi_reads(f, l, b, n);
		return;
	}
	uint32_t count = jit_operands(f, n, op);
	for (uint32_t k = 0; k < count && !f->failed; k++)
		read_at(f, l, b,
			(struct ref){ op[k].v, i->pos + op[k].late,
				op[k].kind },
			i->pos + 1 + op[k].late);
	for (uint32_t k = 0; jit_has_args(i->op) && k < i->c && !f->failed;
		k++) {
		uint32_t v = f->args[i->b + k];
		if (v && jit_has_ival(&f->ins[v]))
			read_at(f, l, b, (struct ref){ v, i->pos, USE_MEM },
				i->pos + 1);
	}
}

static bool find_reads(struct jit_fn *f, struct live *l)
{
	l->uses = jit_alloc(f, f->ins_count, sizeof *l->uses);
	l->own_end = jit_alloc(f, f->ins_count, sizeof *l->own_end);
	l->first = jit_alloc(f, f->ins_count, sizeof *l->first);
	l->reader_count = 1; /* number 0 ends a list */
	if (f->failed || !jit_fit(f, l->refs, l->ref_cap, f->ins_count) ||
		!jit_fit(f, l->readers, l->reader_cap, f->ins_count))
		return false;
	for (uint32_t k = 0; k < f->alloc->order_count; k++) {
		uint32_t b = f->alloc->order[k];
		for (uint32_t n = f->blocks[b].first; n && !f->failed;
			n = f->ins[n].next)
			if (!(f->ins[n].flags & JF_FOLDED))
				note_reads(f, l, b, n);
	}
	return !f->failed;
}

/* --- in which blocks values live
 * -------------------------------------------------
 */

static void lives_in(struct live *l, uint32_t v, uint32_t b, uint32_t end)
{
	struct life *x = &l->in[b];
	if (x->v != v) {
		*x = (struct life){ v, end };
		l->found[l->found_count++] = b;
	} else if (end > x->end) {
		x->end = end;
	}
}

/* Backwards from the readers of a value to where it is made. */
static bool find_blocks(struct jit_fn *f, struct live *l, uint32_t v)
{
	uint32_t steps = 0, home = f->ins[v].block;
	l->found_count = 0;
	for (uint32_t r = l->first[v]; r; r = l->readers[r].next) {
		uint32_t b = l->readers[r].block & ~OUT_OF;
		lives_in(l, v, b,
			l->readers[r].block & OUT_OF ? f->blocks[b].to :
						       l->readers[r].end);
	}
	for (uint32_t k = 0; k < l->found_count; k++) {
		const struct jit_block *x = &f->blocks[l->found[k]];
		const uint32_t *from = f->pred_from + x->pred;
		uint32_t n = l->found[k] == home ? 0 : x->pred_count;
		for (uint32_t p = 0; p < n; p++)
			lives_in(l, v, from[p], f->blocks[from[p]].to);
		steps += n;
	}
	return jit_work(f, l->found_count + steps);
}

static int compare(const void *a, const void *b)
{
	uint32_t x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y ? -1 : x > y;
}

/* The blocks that were found, in their order, which is that of positions. */
static void sort_blocks(struct live *l, uint32_t v)
{
	uint32_t low = UINT32_MAX, high = 0, n = 0;
	for (uint32_t k = 0; k < l->found_count; k++) {
		low = l->found[k] < low ? l->found[k] : low;
		high = l->found[k] > high ? l->found[k] : high;
	}
	if (high - low > l->found_count * 4) {
		qsort(l->found, l->found_count, sizeof *l->found, compare);
		return;
	}
	for (uint32_t b = low; b <= high; b++)
		if (l->in[b].v == v)
			l->found[n++] = b;
}

/* --- intervals
 * -------------------------------------------------------------------
 */

static bool at_start(const struct jit_ins *i)
{
	return i->op == J_PHI || i->op == J_PARAM;
}

static bool wants_ival(const struct live *l, const struct jit_ins *i,
	uint32_t v)
{
	return (i->flags & (JF_LIVE | JF_FOLDED)) == JF_LIVE &&
		jit_has_ival(i) && (l->uses[v] || l->first[v] || !at_start(i));
}

static void add_range(struct jit_fn *f, struct live *l, struct jit_ival *x,
	uint32_t from, uint32_t to)
{
	struct jit_alloc *a = f->alloc;
	x->to = to;
	if (x->r1 > x->r0 && a->ranges[x->r1 - 1].to >= from) {
		a->ranges[x->r1 - 1].to = to;
		return;
	}
	if (!jit_fit(f, a->ranges, l->range_cap, l->range_count + 1ull))
		return;
	a->ranges[l->range_count++] = (struct jit_range){ from, to };
	x->r1 = l->range_count;
}

static bool find_ranges(struct jit_fn *f, struct live *l, struct jit_ival *x)
{
	uint32_t v = x->v, home = f->ins[v].block;
	x->r0 = x->r1 = l->range_count;
	if (!l->first[v]) {
		uint32_t end = l->own_end[v];
		add_range(f, l, x, x->from, end > x->from ? end : x->from + 1);
		return !f->failed;
	}
	if (!find_blocks(f, l, v))
		return false;
	sort_blocks(l, v);
	for (uint32_t k = 0; k < l->found_count && !f->failed; k++) {
		uint32_t b = l->found[k];
		add_range(f, l, x, b == home ? x->from : f->blocks[b].from,
			l->in[b].end);
	}
	return !f->failed;
}

/* An interval for each value: its ranges, room for its uses. */
static bool make_intervals(struct jit_fn *f, struct live *l)
{
	struct jit_ival x = { .loc = LOC_NONE, .hint = LOC_NONE };
	l->in = jit_alloc(f, f->block_count, sizeof *l->in);
	l->found = jit_alloc(f, f->block_count, sizeof *l->found);
	if (f->failed || !jit_fit(f, f->ivals, f->ival_cap, f->ins_count) ||
		!jit_fit(f, f->alloc->ranges, l->range_cap, f->ins_count))
		return false;
	f->ivals[0] = x;
	f->ival_count = 1;
	for (uint32_t v = 1; v < f->ins_count; v++) {
		struct jit_ins *i = &f->ins[v];
		if (!wants_ival(l, i, v))
			continue;
		x.v = v;
		x.vector = jit_in_xmm(i);
		x.from = i->pos + !at_start(i);
		x.u1 = x.u0;
		if (!find_ranges(f, l, &x))
			return false;
		i->ival = f->ival_count;
		f->ivals[f->ival_count++] = x;
		x.u0 += l->uses[v] + !at_start(i);
	}
	f->alloc->uses = jit_alloc(f, x.u0 + 1ul, sizeof *f->alloc->uses);
	return !f->failed && jit_work(f, l->range_count + x.u0);
}

static void add_use(struct jit_fn *f, struct jit_ival *x, uint32_t pos,
	uint8_t kind)
{
	f->alloc->uses[x->u1++] = (struct jit_use){ pos, kind };
}

bool jit_intervals(struct jit_fn *f)
{
	struct live l = { 0 };
	if (!find_reads(f, &l) || !make_intervals(f, &l))
		return false;
	for (uint32_t n = 1; n < f->ival_count; n++)
		if (!at_start(&f->ins[f->ivals[n].v]))
			add_use(f, &f->ivals[n], f->ivals[n].from, USE_REG);
	for (uint32_t k = 0; k < l.ref_count; k++) {
		const struct ref *r = &l.refs[k];
		add_use(f, &f->ivals[f->ins[r->v].ival], r->pos, r->kind);
	}
	return !f->failed;
}
