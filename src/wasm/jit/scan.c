/* SPDX-License-Identifier: Apache-2.0 */
/* Linear scan. */
#include "wasm/jit/alloc_priv.h"

#include "wasm/jit/jit_priv.h"

/* The order in which registers are tried. */
static const uint8_t general[] = { RAX, RCX, RDX, RSI, RDI, RBX, R8, R9, R10,
	RBP, R12 };
static const uint8_t vectors[] = { XMM0, XMM0 + 1, XMM0 + 2, XMM0 + 3, XMM0 + 4,
	XMM0 + 5, XMM0 + 6, XMM0 + 7, XMM0 + 8, XMM0 + 9, XMM0 + 10, XMM0 + 11,
	XMM0 + 12, XMM0 + 13 };

static struct jit_regs regs_of(const struct jit_fn *f, bool vector)
{
	return f->alloc->regs[vector];
}

static void choose_regs(struct jit_fn *f)
{
	struct jit_regs *r = f->alloc->regs;
	r[0] = (struct jit_regs){ general, ARRAY_LEN(general), 0 };
	r[1] = (struct jit_regs){ vectors, ARRAY_LEN(vectors), 0 };
	for (int k = 0; k < 2; k++) {
		if (f->jit->stress && r[k].count > f->jit->stress)
			r[k].count = f->jit->stress;
		for (uint32_t n = 0; n < r[k].count; n++)
			r[k].mask |= 1u << r[k].reg[n];
	}
}

/* --- the queue of intervals
 * ---------------------------------------------------
 */

static bool before(const struct jit_fn *f, uint32_t a, uint32_t b)
{
	uint32_t fa = f->ivals[a].from, fb = f->ivals[b].from;
	return fa != fb ? fa < fb : a < b;
}

static void push(struct jit_fn *f, uint32_t n)
{
	struct jit_heap *h = &f->alloc->todo;
	if (!jit_fit(f, h->item, h->cap, h->count + 1ull))
		return;
	uint32_t at = h->count++;
	while (at && before(f, n, h->item[(at - 1) / 2])) {
		h->item[at] = h->item[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	h->item[at] = n;
}

static uint32_t pop_heap(struct jit_fn *f)
{
	struct jit_heap *h = &f->alloc->todo;
	uint32_t top = h->item[0], last = h->item[--h->count], at = 0;
	for (;;) {
		uint32_t k = at * 2 + 1;
		if (k >= h->count)
			break;
		if (k + 1 < h->count && before(f, h->item[k + 1], h->item[k]))
			k++;
		if (!before(f, h->item[k], last))
			break;
		h->item[at] = h->item[k];
		at = k;
	}
	h->item[at] = last;
	return top;
}

/* The one that begins first; 0: none is left. */
static uint32_t pop(struct jit_fn *f)
{
	struct jit_alloc *a = f->alloc;
	bool whole = a->queue_at < a->queue_count;
	if (whole &&
		(!a->todo.count ||
			before(f, a->queue[a->queue_at], a->todo.item[0])))
		return a->queue[a->queue_at++];
	return a->todo.count ? pop_heap(f) : 0;
}

/* Values by where they begin, then by number. */
static bool make_queue(struct jit_fn *f)
{
	struct jit_alloc *a = f->alloc;
	uint32_t end = jit_end(f), sum = 0;
	uint32_t *start = jit_alloc(f, end + 2ul, sizeof *start);
	a->queue = jit_alloc(f, f->ival_count, sizeof *a->queue);
	if (f->failed)
		return false;
	for (uint32_t n = 1; n < f->ival_count; n++)
		start[f->ivals[n].from + 1]++;
	for (uint32_t p = 0; p < end + 2; p++)
		sum = start[p] += sum;
	for (uint32_t n = 1; n < f->ival_count; n++)
		a->queue[start[f->ivals[n].from]++] = n;
	a->queue_count = f->ival_count - 1;
	return true;
}

/* --- what an interval covers and needs
 * ---------------------------------------- */

uint32_t jit_range_at(const struct jit_fn *f, const struct jit_ival *x,
	uint32_t pos)
{
	uint32_t low = x->r0, high = x->r1;
	/* Mostly it is the first one. */
	if (low < high && f->alloc->ranges[low].to > pos)
		return low;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (f->alloc->ranges[mid].to <= pos)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool covers(const struct jit_fn *f, const struct jit_ival *x,
	uint32_t pos)
{
	if (pos < x->from || pos >= x->to)
		return false;
	uint32_t r = jit_range_at(f, x, pos);
	return r < x->r1 && f->alloc->ranges[r].from <= pos;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Where two intervals meet first. */
static uint32_t meet(struct jit_fn *f, const struct jit_ival *x,
	const struct jit_ival *y)
{
	const struct jit_range *r = f->alloc->ranges;
	uint32_t from = larger(x->from, y->from), to = smaller(x->to, y->to);
	uint32_t a = jit_range_at(f, x, from), b = jit_range_at(f, y, from);
	for (; a < x->r1 && b < y->r1; f->work++) {
		uint32_t start = larger(r[a].from, r[b].from);
		if (start >= to)
			break;
		if (start < smaller(r[a].to, r[b].to))
			return larger(start, from);
		if (r[a].to <= r[b].to)
			a++;
		else
			b++;
	}
	return NO_POS;
}

static void forward(struct jit_losses *l, uint32_t pos)
{
	while (l->next < l->count && l->at[l->next] <= pos)
		l->next++;
}

/* The first loss before `limit` that lies within a range, not at its
 * beginning. */
static uint32_t crossing(struct jit_fn *f, const struct jit_ival *x,
	const struct jit_losses *l, uint32_t limit)
{
	uint32_t low = l->next, to = smaller(x->to, limit);
	for (uint32_t r = x->r0; r < x->r1; r++, f->work++) {
		const struct jit_range *g = &f->alloc->ranges[r];
		uint32_t from = larger(g->from, x->from), high = l->count;
		if (low == l->count || l->at[low] >= to || from >= to)
			return NO_POS;
		if (l->at[low] <= from) {
			while (low < high) {
				uint32_t mid = low + (high - low) / 2;
				if (l->at[mid] <= from)
					low = mid + 1;
				else
					high = mid;
			}
		}
		if (low < l->count && l->at[low] < smaller(g->to, to))
			return l->at[low];
	}
	return NO_POS;
}

static uint32_t use_at(const struct jit_fn *f, const struct jit_ival *x,
	uint32_t pos)
{
	uint32_t low = x->u0, high = x->u1;
	if (low < high && f->alloc->uses[low].pos >= pos)
		return low;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (f->alloc->uses[mid].pos < pos)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The next use at or after pos of at least that kind. */
static uint32_t next_use(struct jit_fn *f, const struct jit_ival *x,
	uint32_t pos, uint8_t kind)
{
	for (uint32_t u = use_at(f, x, pos); u < x->u1; u++, f->work++)
		if (f->alloc->uses[u].kind >= kind)
			return f->alloc->uses[u].pos;
	return NO_POS;
}

/* The last use before pos; where it begins when there is none. */
static uint32_t last_use(struct jit_fn *f, const struct jit_ival *x,
	uint32_t pos, uint8_t kind)
{
	for (uint32_t u = use_at(f, x, pos); u-- > x->u0; f->work++)
		if (f->alloc->uses[u].kind >= kind)
			return f->alloc->uses[u].pos;
	return x->from;
}

/* --- splitting
 * ------------------------------------------------------------------
 */

static uint32_t depth_at(const struct jit_fn *f, uint32_t k)
{
	return f->blocks[f->alloc->order[k]].depth;
}

enum { MAX_LOOK = 256 };

/* The best position in [min, max], an even one: the latest, unless an earlier
 * one lies in fewer loops. */
static uint32_t best_split(const struct jit_fn *f, uint32_t min, uint32_t max)
{
	max &= ~1u;
	if (min >= max)
		return max;
	uint32_t k = jit_block_at(f, max), depth = depth_at(f, k), best = max;
	for (int n = 0; k > 0 && n < MAX_LOOK; n++, k--) {
		uint32_t from = f->blocks[f->alloc->order[k]].from;
		if (from < min)
			break;
		if (depth_at(f, k - 1) < depth) {
			depth = depth_at(f, k - 1);
			best = from;
		}
	}
	return best;
}

/* Cuts an interval in two at pos; the number of the second part. */
static uint32_t split(struct jit_fn *f, uint32_t n, uint32_t pos)
{
	struct jit_alloc *a = f->alloc;
	if (f->failed ||
		!jit_fit(f, f->ivals, f->ival_cap, f->ival_count + 1ull))
		return 0;
	struct jit_ival *x = &f->ivals[n];
	if (pos <= x->from || pos >= x->to) {
		jit_bug(f, "bad split");
		return 0;
	}
	struct jit_ival y = *x;
	y.hint = x->loc < LOC_STACK ? x->loc : x->hint;
	y.loc = LOC_NONE;
	y.split = true;
	y.r0 = jit_range_at(f, x, pos);
	y.u0 = use_at(f, x, pos);
	y.from = larger(pos, a->ranges[y.r0].from);
	x->u1 = y.u0;
	x->r1 = y.r0 + (a->ranges[y.r0].from < pos);
	x->to = smaller(pos, a->ranges[x->r1 - 1].to);
	y.prev = n;
	if (y.next)
		f->ivals[y.next].prev = f->ival_count;
	x->next = f->ival_count;
	if (x->loc < LOC_STACK && a->active[x->loc] == n &&
		a->active_to[x->loc] > x->to) {
		a->active_to[x->loc] = x->to;
		a->wake = smaller(a->wake, x->to);
	}
	f->ivals[f->ival_count] = y;
	return f->ival_count++;
}

/* The interval lives on the stack from pos on, until it is wanted again. */
static void to_stack(struct jit_fn *f, uint32_t n, uint8_t kind)
{
	struct jit_ival *x = &f->ivals[n];
	uint32_t from = x->from;
	x->loc = LOC_STACK;
	/* It comes back before an instruction, not within one. */
	uint32_t use = next_use(f, x, (from & ~1u) + 2, kind);
	if (use == NO_POS)
		return;
	uint32_t at = best_split(f, from + 1, use);
	uint32_t child = split(f, n, at);
	if (child)
		push(f, child);
}

static void spill_from(struct jit_fn *f, uint32_t n, uint32_t pos)
{
	if (pos <= f->ivals[n].from) {
		to_stack(f, n, USE_ANY);
		return;
	}
	if (pos >= f->ivals[n].to)
		return;
	uint32_t child = split(f, n, pos);
	if (child)
		to_stack(f, child, USE_ANY);
}

/* --- the registers' state
 * ------------------------------------------------------ */

/* Gives x, which covers pos, the register. */
static void occupy(struct jit_fn *f, uint32_t n, uint32_t reg, uint32_t pos)
{
	struct jit_alloc *a = f->alloc;
	const struct jit_ival *x = &f->ivals[n];
	a->active[reg] = n;
	a->active_mask |= 1u << reg;
	a->active_to[reg] =
		smaller(x->to, a->ranges[jit_range_at(f, x, pos)].to);
	a->wake = smaller(a->wake, a->active_to[reg]);
}

static void vacate(struct jit_alloc *a, uint32_t reg)
{
	a->active[reg] = 0;
	a->active_mask &= ~(1u << reg);
}

static void leave_active(struct jit_fn *f, uint32_t pos)
{
	struct jit_alloc *a = f->alloc;
	for (uint32_t m = a->active_mask; m; m &= m - 1) {
		uint32_t reg = (uint32_t)__builtin_ctz(m), n = a->active[reg];
		const struct jit_ival *x = &f->ivals[n];
		if (pos < a->active_to[reg]) {
			a->wake = smaller(a->wake, a->active_to[reg]);
			continue;
		}
		if (covers(f, x, pos)) {
			occupy(f, n, reg, pos);
			continue;
		}
		vacate(a, reg);
		if (x->to <= pos)
			continue;
		if (!jit_fit(f, a->inactive, a->inactive_cap,
			    a->inactive_count + 1ull))
			return;
		a->inactive[a->inactive_count++] = (struct jit_inactive){ n,
			a->ranges[jit_range_at(f, x, pos)].from };
	}
}

static void expire(struct jit_fn *f, uint32_t pos)
{
	struct jit_alloc *a = f->alloc;
	uint32_t kept = 0;
	if (pos < a->wake)
		return;
	a->wake = NO_POS;
	leave_active(f, pos);
	for (uint32_t k = 0; k < a->inactive_count; k++) {
		struct jit_inactive i = a->inactive[k];
		const struct jit_ival *x = &f->ivals[i.n];
		if (pos >= i.from && covers(f, x, pos)) {
			occupy(f, i.n, x->loc, pos);
			continue;
		}
		if (pos >= i.from && pos < x->to)
			i.from = a->ranges[jit_range_at(f, x, pos)].from;
		if (pos < i.from) {
			a->wake = smaller(a->wake, i.from);
			a->inactive[kept++] = i;
		}
	}
	a->inactive_count = kept;
}

/* Until when each register is free for x. */
static void free_until(struct jit_fn *f, const struct jit_ival *x,
	uint32_t until[32])
{
	const struct jit_alloc *a = f->alloc;
	uint32_t call = crossing(f, x, &a->calls, NO_POS);
	uint32_t base = x->vector ? XMM0 : 0;
	for (uint32_t r = base; r < base + 16; r++)
		until[r] = call;
	for (uint32_t m = a->active_mask & 0xffffu << base; m; m &= m - 1)
		until[__builtin_ctz(m)] = 0;
	for (uint32_t r = RAX; !x->vector && r <= RDX; r++) {
		uint32_t lost = crossing(f, x, &a->lost[r], until[r]);
		if (lost < until[r])
			until[r] = lost;
	}
	/* Two whole values never meet where one of them had a hole when the
	 * other began: only parts of values do. */
	for (uint32_t k = 0; k < a->inactive_count; k++) {
		const struct jit_ival *y = &f->ivals[a->inactive[k].n];
		if (y->vector != x->vector || (!x->split && !y->split))
			continue;
		uint32_t at = meet(f, x, y);
		if (at < until[y->loc])
			until[y->loc] = at;
	}
}

/* --- hints
 * ---------------------------------------------------------------------
 */

/* The register that the value had last. */
static uint8_t last_reg(const struct jit_fn *f, uint32_t v)
{
	return (uint8_t)(f->alloc->last_reg[v] - 1);
}

static uint8_t phi_hint(const struct jit_fn *f, const struct jit_ins *i)
{
	uint8_t reg = LOC_NONE;
	for (uint32_t k = 0; k < i->c && reg == LOC_NONE; k++)
		reg = last_reg(f, f->args[i->b + k]);
	return reg;
}

/* Which register would save a move. */
static uint8_t find_hint(struct jit_fn *f, const struct jit_ival *x)
{
	const struct jit_ins *i = &f->ins[x->v];
	uint8_t reg = LOC_NONE;
	if (jit_chance(f, 4))
		return regs_of(f, x->vector)
			.reg[jit_lot(f, regs_of(f, x->vector).count)];
	if (x->hint != LOC_NONE)
		return x->hint;
	if (i->reg_hint)
		return (uint8_t)(i->reg_hint - 1);
	if (i->op == J_PHI)
		return phi_hint(f, i);
	if (i->aux && i->op < J_CALL)
		reg = last_reg(f, i->aux); /* the phi that it goes to */
	if (reg == LOC_NONE)
		reg = last_reg(f, i->a);
	if (reg == LOC_NONE && i->b && i->op <= J_FCOPYSIGN)
		reg = last_reg(f, i->b);
	return reg;
}

/* --- allocation
 * ------------------------------------------------------------------
 */

static void take(struct jit_fn *f, uint32_t n, uint32_t reg)
{
	f->ivals[n].loc = (uint8_t)reg;
	f->alloc->last_reg[f->ivals[n].v] = (uint8_t)(reg + 1);
	occupy(f, n, reg, f->ivals[n].from);
}

/* Gives x the register until `until`, where it has to leave it. */
static void take_until(struct jit_fn *f, uint32_t n, uint32_t reg,
	uint32_t until)
{
	const struct jit_alloc *a = f->alloc;
	uint32_t from = f->ivals[n].from;
	take(f, n, reg);
	if (until >= f->ivals[n].to)
		return;
	/* At a call there is no other register to go to.  What the call itself
	 * takes is still read from the register. */
	if (crossing(f, &f->ivals[n], &a->calls, until + 1) == until) {
		uint32_t last = last_use(f, &f->ivals[n], until, USE_ANY);
		uint32_t to = best_split(f, last + 1, until);
		bool late = to <= last || to == (until & ~1u);
		spill_from(f, n, late ? until : to);
		return;
	}
	uint32_t at = best_split(f, from + 1, until);
	uint32_t child = split(f, n, at > from ? at : until);
	if (child)
		push(f, child);
}

static bool try_free(struct jit_fn *f, uint32_t n)
{
	uint32_t until[32];
	const struct jit_ival *x = &f->ivals[n];
	struct jit_regs r = regs_of(f, x->vector);
	uint32_t hint = find_hint(f, x), best = r.reg[0];
	if (hint >= LOC_STACK || !(r.mask >> hint & 1))
		hint = LOC_NONE;
	free_until(f, x, until);
	if (hint != LOC_NONE && until[hint] >= x->to) {
		take(f, n, hint);
		return true;
	}
	for (uint32_t k = 1; k < r.count; k++) {
		uint32_t g = r.reg[k];
		if (until[g] > until[best] ||
			(until[g] >= x->to && until[g] < until[best]))
			best = g;
	}
	if (until[best] <= x->from + 1)
		return false;
	if (next_use(f, x, x->from, USE_ANY) >= until[best]) {
		to_stack(f, n, USE_ANY);
		return true;
	}
	if (hint != LOC_NONE && until[hint] >= until[best])
		best = hint;
	take_until(f, n, best, until[best]);
	return true;
}

/* When the holder of a register needs it next, as seen from pos: what is used
 * in the loop around pos comes round again before the loop's end. */
static uint32_t needed(struct jit_fn *f, const struct jit_ival *x, uint32_t pos)
{
	uint32_t next = next_use(f, x, pos, USE_ANY);
	const struct jit_block *b =
		&f->blocks[f->alloc->order[jit_block_at(f, pos)]];
	uint32_t head =
		b->is_head ? f->alloc->order[jit_block_at(f, pos)] : b->loop;
	if (!head)
		return next;
	uint32_t from = f->blocks[head].from;
	uint32_t end = f->blocks[f->blocks[head].loop_end].to;
	if (next >= end && x->to >= end && next_use(f, x, from, USE_ANY) < pos)
		return end;
	return next;
}

/* Need not be in a register for what happens at pos?  One that came there just
 * now may not be needed before long. */
static bool can_leave(struct jit_fn *f, const struct jit_ival *x, uint32_t pos)
{
	return x->from < pos || next_use(f, x, pos, USE_ANY) >= (pos & ~1u) + 2;
}

/* Makes the holder give up its register before pos. */
static void evict(struct jit_fn *f, uint32_t n, uint32_t pos)
{
	uint32_t last = last_use(f, &f->ivals[n], pos, USE_MEM);
	uint32_t at = best_split(f, last + 1, pos);
	if (at <= last)
		at = pos & ~1u;
	if (at <= last)
		at = pos;
	spill_from(f, n, at);
}

static void evict_inactive(struct jit_fn *f, uint32_t n, uint32_t reg)
{
	struct jit_alloc *a = f->alloc;
	for (uint32_t k = 0; k < a->inactive_count; k++) {
		uint32_t y = a->inactive[k].n;
		const struct jit_ival *x = &f->ivals[y];
		if (x->loc != reg || meet(f, &f->ivals[n], x) == NO_POS)
			continue;
		/* It gives way at the end of its hole. */
		uint32_t r = jit_range_at(f, x, f->ivals[n].from);
		a->inactive[k--] = a->inactive[--a->inactive_count];
		if (r < x->r1)
			spill_from(f, y, a->ranges[r].from);
	}
}

static void take_blocked(struct jit_fn *f, uint32_t n)
{
	const struct jit_ival *x = &f->ivals[n];
	struct jit_regs r = regs_of(f, x->vector);
	struct jit_alloc *a = f->alloc;
	uint32_t best = LOC_NONE, best_use = 0, until[32];
	uint32_t must = next_use(f, x, x->from, USE_REG);
	uint32_t first = next_use(f, x, x->from, USE_ANY);
	for (uint32_t k = 0; k < r.count; k++) {
		uint32_t g = r.reg[k], h = a->active[g];
		if (h && !can_leave(f, &f->ivals[h], x->from))
			continue;
		if (!x->vector && g <= RDX &&
			crossing(f, x, &a->lost[g], x->from + 2) != NO_POS)
			continue;
		uint32_t use = h ? needed(f, &f->ivals[h], x->from) : NO_POS;
		if (best == LOC_NONE || use > best_use) {
			best = g;
			best_use = use;
		}
	}
	if ((best == LOC_NONE || best_use <= first) && must > x->from + 1) {
		to_stack(f, n, USE_REG);
		return;
	}
	if (best == LOC_NONE || best_use <= x->from) {
		jit_bug(f, "out of registers");
		return;
	}
	if (a->active[best]) {
		uint32_t h = a->active[best];
		vacate(a, best);
		evict(f, h, f->ivals[n].from);
	}
	evict_inactive(f, n, best);
	free_until(f, &f->ivals[n], until);
	take_until(f, n, best, until[best]);
}

void jit_split_at(struct jit_fn *f, uint32_t n, uint32_t pos)
{
	if (pos <= f->ivals[n].from || pos >= f->ivals[n].to)
		return;
	uint32_t child = split(f, n, pos);
	if (child)
		push(f, child);
}

bool jit_spill_whole(struct jit_fn *f, uint32_t n)
{
	const struct jit_ival *x = &f->ivals[n];
	if (next_use(f, x, x->from, USE_REG) <= x->from + 1)
		return false;
	to_stack(f, n, USE_REG);
	return true;
}

/* Values that go to a phi of a loop would like its register. */
static void note_phi_hints(struct jit_fn *f)
{
	for (uint32_t k = 0; k < f->alloc->order_count; k++) {
		uint32_t n = f->blocks[f->alloc->order[k]].first;
		for (; n && f->ins[n].op == J_PHI; n = f->ins[n].next)
			for (uint32_t j = 0; j < f->ins[n].c; j++) {
				uint32_t v = f->args[f->ins[n].b + j];
				if (f->ins[v].op < J_CALL && v != n &&
					f->ins[v].op != J_K &&
					f->ins[v].op != J_PARAM)
					f->ins[v].aux = n;
			}
	}
}

bool jit_scan(struct jit_fn *f)
{
	uint32_t n;
	f->alloc->last_reg = jit_alloc(f, f->ins_count, 1);
	if (!f->alloc->last_reg || !make_queue(f))
		return false;
	choose_regs(f);
	note_phi_hints(f);
	while (!f->failed && (n = pop(f)) != 0) {
		expire(f, f->ivals[n].from);
		forward(&f->alloc->calls, f->ivals[n].from);
		for (uint32_t r = RAX; r <= RDX; r++)
			forward(&f->alloc->lost[r], f->ivals[n].from);
		if (!jit_work(f, 16 + f->alloc->inactive_count))
			break;
		if (jit_stress_interval(f, n) || f->failed)
			continue;
		if (!try_free(f, n) && !f->failed)
			take_blocked(f, n);
	}
	return !f->failed;
}
