/* SPDX-License-Identifier: Apache-2.0 */
/* After the scan: places on the stack, and the moves between the parts of a
 * value, within blocks and along edges. */
#include "wasm/jit/alloc_priv.h"

uint32_t jit_loc_of_part(const struct jit_fn *f, uint32_t v, uint32_t pos)
{
	/* Who asks does so in the neighbourhood, mostly. */
	uint32_t n = f->ins[v].ival, *last = f->alloc->last;
	if (last && last[v])
		n = last[v];
	while (f->ivals[n].prev && f->ivals[n].from > pos)
		n = f->ivals[n].prev;
	while (f->ivals[n].next && f->ivals[f->ivals[n].next].from <= pos)
		n = f->ivals[n].next;
	if (last)
		last[v] = n;
	return f->ivals[n].loc;
}

static bool add_move(struct jit_fn *f, struct jit_move m)
{
	if (!jit_fit(f, f->moves, f->move_cap, f->move_count + 1ull))
		return false;
	f->moves[f->move_count++] = m;
	return true;
}

/* --- places on the stack
 * --------------------------------------------------------
 */

static uint64_t weight(const struct jit_fn *f, uint32_t pos)
{
	uint32_t d = f->blocks[f->alloc->order[jit_block_at(f, pos)]].depth;
	return 1ull << (d > 12 ? 36 : d * 3);
}

/* At a block's beginning the move is made on the ways into it. */
static uint64_t move_weight(const struct jit_fn *f, uint32_t pos)
{
	uint64_t w = weight(f, pos), before;
	if (!pos ||
		f->blocks[f->alloc->order[jit_block_at(f, pos)]].from != pos)
		return w;
	before = weight(f, pos - 1);
	return before < w ? before : w;
}

/* Is it cheaper to store the value once, where it is made, than wherever it
 * goes from a register to the stack? */
static bool store_early(const struct jit_fn *f, uint32_t n)
{
	uint64_t cost = 0, early = weight(f, f->ivals[n].from);
	for (uint32_t k = n; f->ivals[k].next; k = f->ivals[k].next) {
		const struct jit_ival *x = &f->ivals[k];
		const struct jit_ival *y = &f->ivals[x->next];
		if (x->loc < LOC_STACK && y->loc == LOC_STACK)
			cost += move_weight(f, y->from);
	}
	return cost >= early;
}

struct place {
	uint32_t to, slot;
	bool wide;
};

/* Slots of those whose values are dead by `from` are used again. */
static uint32_t find_slot(struct jit_fn *f, struct place **places,
	uint32_t *count, uint32_t *cap, const struct place *want, uint32_t from)
{
	for (uint32_t k = 0; k < *count && k < 64; k++) {
		struct place *p = &(*places)[k];
		if (p->to <= from && p->wide == want->wide) {
			p->to = want->to;
			return p->slot;
		}
	}
	if (!jit_fit(f, *places, *cap, *count + 1ull))
		return 0;
	uint32_t size = want->wide ? 16 : 8;
	(*places)[*count] =
		(struct place){ want->to, f->spill_bytes, want->wide };
	f->spill_bytes += size;
	return (*places)[(*count)++].slot;
}

static uint32_t end_of(const struct jit_fn *f, uint32_t n)
{
	while (f->ivals[n].next)
		n = f->ivals[n].next;
	return f->ivals[n].to;
}

static bool on_stack(const struct jit_fn *f, uint32_t n)
{
	for (; n; n = f->ivals[n].next)
		if (f->ivals[n].loc == LOC_STACK)
			return true;
	return false;
}

static bool assign_slots(struct jit_fn *f)
{
	struct jit_alloc *a = f->alloc;
	struct place *places = NULL;
	uint32_t count = 0, cap = 0;
	a->slots = jit_alloc(f, f->ins_count, sizeof *a->slots);
	a->eager = jit_alloc(f, f->ins_count, 1);
	for (uint32_t k = 0; k < a->queue_count && !f->failed; k++) {
		uint32_t x = a->queue[k], v = f->ivals[x].v;
		if (!on_stack(f, x))
			continue;
		struct place want = { .to = end_of(f, x),
			.wide = f->ins[v].type == JT_V128 };
		a->slots[v] = 1 +
			find_slot(f, &places, &count, &cap, &want,
				f->ivals[x].from);
		a->eager[v] = f->ivals[x].loc < LOC_STACK && store_early(f, x);
	}
	return !f->failed;
}

/* --- moves within blocks
 * ----------------------------------------------------------
 */

static bool at_block_start(const struct jit_fn *f, uint32_t pos)
{
	return f->blocks[f->alloc->order[jit_block_at(f, pos)]].from == pos;
}

static bool stored_already(const struct jit_fn *f, uint32_t v, uint32_t to)
{
	return to == LOC_STACK && f->alloc->eager[v];
}

/* A part between two on the stack, within one block: the value is there.  (At
 * a block's beginning it may have come another way.) */
static bool is_there(const struct jit_fn *f, uint32_t before,
	const struct jit_ival *x, const struct jit_ival *y)
{
	return before && y->loc == LOC_STACK &&
		f->ivals[before].loc == LOC_STACK &&
		f->ivals[before].to == x->from && !at_block_start(f, x->from) &&
		jit_block_at(f, x->from) == jit_block_at(f, y->from);
}

static bool inner_moves(struct jit_fn *f, uint32_t n)
{
	uint32_t before = 0;
	for (; f->ivals[n].next; before = n, n = f->ivals[n].next) {
		const struct jit_ival *x = &f->ivals[n];
		const struct jit_ival *y = &f->ivals[x->next];
		if (x->to != y->from || x->loc == y->loc ||
			at_block_start(f, y->from) ||
			is_there(f, before, x, y) ||
			stored_already(f, x->v, y->loc))
			continue;
		if (!add_move(f,
			    (struct jit_move){ .pos = y->from,
				    .v = x->v,
				    .to_v = x->v,
				    .from = x->loc,
				    .to = y->loc,
				    .type = f->ins[x->v].type }))
			return false;
	}
	return true;
}

/* --- moves along edges
 * ---------------------------------------------------------
 */

/* Along the p-th edge of f->preds.  While moves are collected `pos` is the
 * edge's number. */
static bool edge_move(struct jit_fn *f, uint32_t p, uint32_t v, uint32_t to_v,
	uint32_t to)
{
	uint32_t from = jit_loc(f, v, f->alloc->pred_pos[p]);
	if (to == LOC_NONE || from == LOC_NONE)
		return true;
	if (v == to_v && (from == to || stored_already(f, v, to)))
		return true;
	if (v != to_v && from == to && from < LOC_STACK)
		return true;
	return add_move(f,
		(struct jit_move){ .pos = f->preds[p],
			.v = v,
			.to_v = to_v,
			.from = (uint8_t)from,
			.to = (uint8_t)to,
			.type = f->ins[to_v].type });
}

static bool phi_moves(struct jit_fn *f, uint32_t b)
{
	const struct jit_block *x = &f->blocks[b];
	for (uint32_t n = x->first; n && f->ins[n].op == J_PHI;
		n = f->ins[n].next) {
		const struct jit_ins *i = &f->ins[n];
		uint32_t to = jit_loc(f, n, x->from);
		for (uint32_t k = 0; i->ival && k < i->c; k++)
			if (!edge_move(f, x->pred + k, f->args[i->b + k], n,
				    to))
				return false;
	}
	return true;
}

/* The blocks that a range begins or goes on into.  Where all ways into one
 * begin within the part nothing moves. */
static bool range_moves(struct jit_fn *f, uint32_t v, const struct jit_ival *x,
	uint32_t r, uint32_t first)
{
	const struct jit_alloc *a = f->alloc;
	uint32_t from = a->ranges[r].from, to = a->ranges[r].to, steps = 0;
	from = from < x->from ? x->from : from;
	to = to > x->to ? x->to : to;
	for (uint32_t k = jit_block_at(f, from); k < a->order_count; k++) {
		const struct jit_ways *w = &a->ways[k];
		if (w->to >= to)
			break;
		steps++;
		if ((w->low >= x->from && w->high < x->to) || w->to < from ||
			w->to == first)
			continue;
		const struct jit_block *b = &f->blocks[a->order[k]];
		for (uint32_t p = b->pred; p < b->pred + b->pred_count; p++)
			if ((a->pred_pos[p] < x->from ||
				    a->pred_pos[p] >= x->to) &&
				!edge_move(f, p, v, v, x->loc))
				return false;
		steps += b->pred_count;
	}
	return jit_work(f, steps);
}

/* A value in parts: wherever it is live into a block. */
static bool split_moves(struct jit_fn *f, uint32_t n)
{
	uint32_t first = f->ivals[n].from, v = f->ivals[n].v;
	for (; n; n = f->ivals[n].next)
		for (uint32_t r = f->ivals[n].r0; r < f->ivals[n].r1; r++)
			if (!range_moves(f, v, &f->ivals[n], r, first))
				return false;
	return jit_work(f, 4);
}

static bool find_ways(struct jit_fn *f)
{
	struct jit_alloc *a = f->alloc;
	a->pred_pos = jit_alloc(f, f->edge_count + 1ul, sizeof *a->pred_pos);
	a->ways = jit_alloc(f, a->order_count, sizeof *a->ways);
	if (f->failed)
		return false;
	for (uint32_t k = 0; k < a->order_count; k++) {
		const struct jit_block *b = &f->blocks[a->order[k]];
		struct jit_ways w = { .to = b->from, .low = NO_POS };
		for (uint32_t p = b->pred; p < b->pred + b->pred_count; p++) {
			uint32_t pos = jit_edge_pos(f, &f->edges[f->preds[p]]);
			a->pred_pos[p] = pos;
			w.low = pos < w.low ? pos : w.low;
			w.high = pos > w.high ? pos : w.high;
		}
		a->ways[k] = w;
	}
	return true;
}

static bool edge_moves(struct jit_fn *f)
{
	struct jit_alloc *a = f->alloc;
	if (!find_ways(f))
		return false;
	for (uint32_t k = 0; k < a->order_count; k++)
		if (!phi_moves(f, a->order[k]))
			return false;
	for (uint32_t n = 1; n <= a->queue_count; n++)
		if (f->ivals[n].next && !split_moves(f, n))
			return false;
	return true;
}

/* Those from `from` on in the order of pos, which is below `limit`; what has
 * the same stays in its order. */
static bool sort(struct jit_fn *f, uint32_t from, uint32_t limit)
{
	uint32_t n = f->move_count - from, sum = 0;
	if (n < 2)
		return true;
	uint32_t *start = jit_alloc(f, limit + 1ul, sizeof *start);
	struct jit_move *copy = jit_alloc(f, n, sizeof *copy);
	if (f->failed)
		return false;
	memcpy(copy, f->moves + from, n * sizeof *copy);
	for (uint32_t k = 0; k < n; k++)
		start[copy[k].pos + 1]++;
	for (uint32_t p = 0; p <= limit; p++)
		sum = start[p] += sum;
	for (uint32_t k = 0; k < n; k++)
		f->moves[from + start[copy[k].pos]++] = copy[k];
	return true;
}

/*
 * In the end f->moves holds those along edges, edge by edge, then those
 * within blocks in order of position (from f->inner_moves on).
 */
bool jit_resolve(struct jit_fn *f)
{
	f->alloc->last = jit_alloc(f, f->ins_count, sizeof *f->alloc->last);
	/* So that even an empty list has an address. */
	if (!jit_fit(f, f->moves, f->move_cap, 1))
		return false;
	if (!f->alloc->last || !assign_slots(f) || !edge_moves(f))
		return false;
	if (!sort(f, 0, f->edge_count))
		return false;
	for (uint32_t k = 0; k < f->move_count; k++) {
		struct jit_edge *e = &f->edges[f->moves[k].pos];
		if (!e->move_count)
			e->moves = k;
		e->move_count++;
	}
	f->inner_moves = f->move_count;
	for (uint32_t n = 1; n <= f->alloc->queue_count; n++)
		if (!inner_moves(f, n))
			return false;
	return sort(f, f->inner_moves, jit_end(f)) &&
		jit_work(f, f->move_count);
}
