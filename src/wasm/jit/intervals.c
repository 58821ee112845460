/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When each value is live.  One pass notes what is read where; from each block
 * that reads a value made elsewhere the way back to where it is made is
 * followed; then ranges and uses are written down in order of position.
 */
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

/* A value that is live in a block until `end`. */
struct stay {
	uint32_t v, end, next;
};

struct live {
	struct ref *refs;
	uint32_t ref_count, ref_cap;
	struct reader *readers;
	uint32_t reader_count, reader_cap;
	struct stay *stays;
	uint32_t stay_count, stay_cap;
	/* Per value: how often it is read; until when in its own block; who
	 * reads it elsewhere; in how many blocks it stays. */
	uint32_t *uses, *own_end, *first, *blocks;
	/* Per block: what stays in it; the last value that was found to be live
	 * into it, out of it. */
	uint32_t *in_block, *in_mark, *out_mark;
	uint32_t *todo, todo_count;
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

/* --- in which blocks values stay
 * -------------------------------------------------
 */

static void stay(struct jit_fn *f, struct live *l, uint32_t v, uint32_t b,
	uint32_t end)
{
	if (!jit_fit(f, l->stays, l->stay_cap, l->stay_count + 1ull))
		return;
	l->stays[l->stay_count] = (struct stay){ v, end, l->in_block[b] };
	l->in_block[b] = l->stay_count++;
	l->blocks[v]++;
}

static void live_out(struct jit_fn *f, struct live *l, uint32_t v, uint32_t b)
{
	l->out_mark[b] = v;
	stay(f, l, v, b, f->blocks[b].to);
	if (f->ins[v].block != b && l->in_mark[b] != v) {
		l->in_mark[b] = v;
		l->todo[l->todo_count++] = b;
	}
}

/* Backwards from the readers of one value to where it is made. */
static bool explore(struct jit_fn *f, struct live *l, uint32_t v)
{
	uint32_t before = l->stay_count, steps = 0;
	for (uint32_t r = l->first[v]; r; r = l->readers[r].next) {
		uint32_t b = l->readers[r].block;
		if (b & OUT_OF) {
			if (l->out_mark[b & ~OUT_OF] != v)
				live_out(f, l, v, b & ~OUT_OF);
		} else if (l->in_mark[b] != v) {
			l->in_mark[b] = v;
			l->todo[l->todo_count++] = b;
		}
		while (l->todo_count && !f->failed) {
			const struct jit_block *x =
				&f->blocks[l->todo[--l->todo_count]];
			steps += x->pred_count;
			for (uint32_t k = 0; k < x->pred_count; k++) {
				b = f->edges[f->preds[x->pred + k]].from;
				if (l->out_mark[b] != v)
					live_out(f, l, v, b);
			}
		}
	}
	for (uint32_t r = l->first[v]; r && !f->failed; r = l->readers[r].next)
		if (!(l->readers[r].block & OUT_OF) &&
			l->out_mark[l->readers[r].block] != v)
			stay(f, l, v, l->readers[r].block, l->readers[r].end);
	return jit_work(f, l->stay_count - before + steps);
}

static bool find_live(struct jit_fn *f, struct live *l)
{
	l->uses = jit_alloc(f, f->ins_count, sizeof *l->uses);
	l->own_end = jit_alloc(f, f->ins_count, sizeof *l->own_end);
	l->first = jit_alloc(f, f->ins_count, sizeof *l->first);
	l->blocks = jit_alloc(f, f->ins_count, sizeof *l->blocks);
	l->in_block = jit_alloc(f, f->block_count, sizeof *l->in_block);
	l->in_mark = jit_alloc(f, f->block_count, sizeof *l->in_mark);
	l->out_mark = jit_alloc(f, f->block_count, sizeof *l->out_mark);
	l->todo = jit_alloc(f, f->block_count + 1ul, sizeof *l->todo);
	/* Number 0 ends a list. */
	l->reader_count = l->stay_count = 1;
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
	for (uint32_t v = 1; v < f->ins_count && !f->failed; v++)
		if (l->first[v] && !explore(f, l, v))
			return false;
	return !f->failed;
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

/* An interval for each value, with room for its ranges and uses. */
static bool make_intervals(struct jit_fn *f, const struct live *l)
{
	struct jit_alloc *a = f->alloc;
	struct jit_ival x = { .loc = LOC_NONE, .hint = LOC_NONE };
	uint32_t n = 1;
	for (uint32_t v = 1; v < f->ins_count; v++)
		n += wants_ival(l, &f->ins[v], v);
	if (!jit_fit(f, f->ivals, f->ival_cap, n * 2ull))
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
		x.r1 = x.r0;
		x.u1 = x.u0;
		i->ival = f->ival_count;
		f->ivals[f->ival_count++] = x;
		x.r0 += l->blocks[v] + 1;
		x.u0 += l->uses[v] + 1;
	}
	a->ranges = jit_alloc(f, x.r0 + 1ul, sizeof *a->ranges);
	a->uses = jit_alloc(f, x.u0 + 1ul, sizeof *a->uses);
	return !f->failed && jit_work(f, x.r0 + x.u0);
}

static void add_range(struct jit_fn *f, struct jit_ival *x, uint32_t from,
	uint32_t to)
{
	struct jit_range *r = f->alloc->ranges + x->r1;
	x->to = to;
	if (x->r1 > x->r0 && r[-1].to >= from)
		r[-1].to = to;
	else
		f->alloc->ranges[x->r1++] = (struct jit_range){ from, to };
}

static void add_use(struct jit_fn *f, struct jit_ival *x, uint32_t pos,
	uint8_t kind)
{
	f->alloc->uses[x->u1++] = (struct jit_use){ pos, kind };
}

static void block_ranges(struct jit_fn *f, const struct live *l, uint32_t b)
{
	const struct jit_block *block = &f->blocks[b];
	for (uint32_t s = l->in_block[b]; s; s = l->stays[s].next) {
		uint32_t v = l->stays[s].v;
		struct jit_ival *x = &f->ivals[f->ins[v].ival];
		add_range(f, x, f->ins[v].block == b ? x->from : block->from,
			l->stays[s].end);
	}
	for (uint32_t n = block->first; n; n = f->ins[n].next) {
		struct jit_ival *x = &f->ivals[f->ins[n].ival];
		if (!f->ins[n].ival)
			continue;
		if (x->r1 == x->r0)
			add_range(f, x, x->from,
				l->own_end[n] > x->from ? l->own_end[n] :
							  x->from + 1);
		if (!at_start(&f->ins[n]))
			add_use(f, x, x->from, USE_REG);
	}
}

bool jit_intervals(struct jit_fn *f)
{
	struct live l = { 0 };
	if (!find_live(f, &l) || !make_intervals(f, &l))
		return false;
	for (uint32_t k = 0; k < f->alloc->order_count; k++)
		block_ranges(f, &l, f->alloc->order[k]);
	for (uint32_t k = 0; k < l.ref_count; k++) {
		const struct ref *r = &l.refs[k];
		add_use(f, &f->ivals[f->ins[r->v].ival], r->pos, r->kind);
	}
	return !f->failed;
}
