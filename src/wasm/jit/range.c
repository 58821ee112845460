/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How large the variables of loops get, and what follows for addresses: an
 * access that stays below the memory's least size needs no check, and a
 * constant that is added to an address without passing 2^32 becomes part of
 * the access.
 *
 * A loop's head has a phi for each variable that the loop changes.  Where one
 * counts by a constant and the way back depends on it, the number of turns is
 * known, and so is the largest value of everything that counts beside it.
 */
#include "wasm/jit/ir_priv.h"
#include "wasm/jit/jit_priv.h"
#include "wasm/jit/x64_priv.h"

/* A test on the way through a loop, as seen by who stays in it. */
struct test {
	uint32_t a, b; /* a cc b */
	uint32_t cc;
};

/* The back edge of a loop that has but one; UINT32_MAX. */
static uint32_t back_edge(const struct jit_fn *f, uint32_t head)
{
	const struct jit_block *x = &f->blocks[head];
	uint32_t found = UINT32_MAX;
	for (uint32_t p = 0; p < x->pred_count; p++) {
		uint32_t e = f->preds[x->pred + p];
		if (!f->edges[e].back)
			continue;
		if (found != UINT32_MAX)
			return UINT32_MAX;
		found = e;
	}
	return found;
}

/* Comparisons stand as <, <=, >, >=, != of two numbers of 32 bits. */
static bool test_at(const struct jit_fn *f, uint32_t head, uint32_t block,
	struct test *t)
{
	const struct jit_block *b = &f->blocks[block], *h = &f->blocks[head];
	const struct jit_ins *i = &f->ins[b->last];
	if (i->op != J_BRANCH || b->succ_count != 2)
		return false;
	uint32_t yes = f->edges[b->succ].to, no = f->edges[b->succ + 1].to;
	bool stay_yes = yes >= head && yes <= h->loop_end;
	bool stay_no = no >= head && no <= h->loop_end;
	const struct jit_ins *c = &f->ins[i->a];
	if (stay_yes == stay_no || c->op != J_ICMP || c->in != JT_I32)
		return false;
	*t = (struct test){ c->a, c->b, stay_yes ? c->cc : c->cc ^ 1u };
	return true;
}

/* What phi v brings into the loop, and back. */
static uint32_t from_back(const struct jit_fn *f, uint32_t v, uint32_t edge)
{
	return f->args[f->ins[v].b + f->edges[edge].pred];
}

static uint64_t initial_most(const struct jit_fn *f, uint32_t v, uint32_t edge)
{
	const struct jit_ins *i = &f->ins[v];
	uint64_t most = 0;
	for (uint32_t k = 0; k < i->c; k++) {
		if (k == f->edges[edge].pred)
			continue;
		uint64_t m = jit_most(f, f->args[i->b + k], 6);
		most = m > most ? m : most;
	}
	return most;
}

static bool initial_const(const struct jit_fn *f, uint32_t v, uint32_t edge,
	uint64_t *k)
{
	const struct jit_ins *i = &f->ins[v];
	uint32_t other = f->edges[edge].pred ? 0 : 1;
	return i->c == 2 && jit_is_const(f, f->args[i->b + other], k);
}

/* v = phi(..., v + step): the step, as a signed number. */
static bool counts(const struct jit_fn *f, uint32_t v, uint32_t edge,
	int64_t *step)
{
	const struct jit_ins *i = &f->ins[v];
	uint64_t k;
	if (i->op != J_PHI)
		return false;
	const struct jit_ins *n = &f->ins[from_back(f, v, edge)];
	if (n->op != J_ADD || n->type != JT_I32 || n->a != v ||
		!jit_is_const(f, n->b, &k))
		return false;
	*step = (int32_t)(uint32_t)k;
	return *step != 0;
}

/*
 * Turns back that the test allows to what counts from `first` (the value
 * tested in the first turn) by `step`; false: not known.
 */
static bool turns(uint32_t cc, int64_t first, int64_t step, int64_t limit,
	int64_t *n)
{
	bool is_signed = cc == CC_L || cc == CC_LE || cc == CC_G || cc == CC_GE;
	int64_t top = is_signed ? INT32_MAX : UINT32_MAX;
	int64_t by = step < 0 ? -step : step;
	int64_t far = step < 0 ? first - limit : limit - first;
	if (first < 0 || first > top || limit < 0 || limit > top || far < 0)
		return false;
	switch (cc) {
	case CC_NE:
		*n = far / by;
		return far % by == 0;
	case CC_B:
	case CC_L:
		*n = (far + by - 1) / by;
		return step > 0 && limit + step <= top;
	case CC_BE:
	case CC_LE:
		*n = far / by + 1;
		return step > 0 && limit + step <= top;
	case CC_A:
	case CC_G:
		*n = (far + by - 1) / by;
		return step < 0 && limit >= by;
	case CC_AE:
	case CC_GE:
		*n = far / by + 1;
		return step < 0 && limit >= by;
	default:
		return false;
	}
}

/* The test bounds the number of turns back. */
static bool bounded(const struct jit_fn *f, const struct test *t, uint32_t head,
	uint32_t edge, int64_t *n)
{
	uint64_t limit, first;
	int64_t step;
	uint32_t v = t->a;
	bool next = f->ins[v].op == J_ADD;
	if (next)
		v = f->ins[v].a;
	if (f->ins[v].op != J_PHI || f->ins[v].block != head ||
		!counts(f, v, edge, &step) ||
		(next && from_back(f, v, edge) != t->a) ||
		!jit_is_const(f, t->b, &limit) ||
		!initial_const(f, v, edge, &first))
		return false;
	return turns(t->cc, (int64_t)(uint32_t)first + (next ? step : 0), step,
		(int64_t)(uint32_t)limit, n);
}

static void note(struct jit_fn *f, uint32_t v, uint64_t most)
{
	if (most < f->phi_most[v])
		f->phi_most[v] = most;
}

/* What counts beside it, in at most n turns back. */
static void note_counters(struct jit_fn *f, uint32_t head, uint32_t edge,
	int64_t n)
{
	for (uint32_t v = f->blocks[head].first; v && f->ins[v].op == J_PHI;
		v = f->ins[v].next) {
		int64_t step, way;
		uint64_t first;
		if (!counts(f, v, edge, &step) ||
			__builtin_mul_overflow(step, n, &way))
			continue;
		uint64_t most = initial_most(f, v, edge);
		if (way >= 0) {
			if (most <= UINT32_MAX &&
				(uint64_t)way <= UINT32_MAX - most)
				note(f, v, most + (uint64_t)way);
		} else if (initial_const(f, v, edge, &first) &&
			(uint64_t)-way <= (uint32_t)first) {
			note(f, v, (uint32_t)first);
		}
	}
}

/* A value that comes back only when it is below a limit. */
static void note_tested(struct jit_fn *f, const struct test *t, uint32_t head,
	uint32_t edge)
{
	if (t->cc != CC_B && t->cc != CC_BE)
		return;
	for (uint32_t v = f->blocks[head].first; v && f->ins[v].op == J_PHI;
		v = f->ins[v].next) {
		if (from_back(f, v, edge) != t->a ||
			f->ins[t->a].type != JT_I32)
			continue;
		uint64_t first = initial_most(f, v, edge);
		uint64_t limit = jit_most(f, t->b, 6);
		note(f, v, first > limit ? first : limit);
	}
}

enum { MAX_TESTS = 16 };

static void look_at_loop(struct jit_fn *f, uint32_t head)
{
	uint32_t edge = back_edge(f, head);
	if (edge == UINT32_MAX)
		return;
	/* Whatever dominates the way back is passed in each turn. */
	uint32_t b = f->edges[edge].from;
	for (int k = 0; k < MAX_TESTS; k++) {
		struct test t;
		int64_t n;
		if (test_at(f, head, b, &t)) {
			if (bounded(f, &t, head, edge, &n))
				note_counters(f, head, edge, n);
			note_tested(f, &t, head, edge);
		}
		if (b <= head)
			return;
		b = f->blocks[b].idom;
	}
}

/* --- accesses ----------------------------------------------------------------
 */

enum { MAX_SUMS = 4 };

static void look_at_access(struct jit_fn *f, struct jit_ins *i)
{
	uint64_t k, end, most;
	if (i->flags & JF_WIDE)
		return;
	int n = 0;
	for (; n < MAX_SUMS; n++) {
		const struct jit_ins *a = &f->ins[i->a];
		if (a->op != J_ADD || a->type != JT_I32 ||
			!jit_is_const(f, a->b, &k) || (uint32_t)k > INT32_MAX)
			break;
		most = jit_most(f, a->a, 6);
		if (most > UINT32_MAX - (uint32_t)k ||
			i->imm + (uint32_t)k > INT32_MAX - 16)
			break;
		i->imm += (uint32_t)k;
		i->a = a->a;
	}
	/* Was it looked at when it was made? */
	if (!n && !f->loops)
		return;
	most = jit_most(f, i->a, 6);
	if (!__builtin_add_overflow(most, i->imm + i->spare, &end) &&
		end <= f->min_memory)
		i->flags |= JF_CHECKED;
}

bool jit_ranges(struct jit_fn *f)
{
	/* Speculation may turn more often. */
	if (f->jit->mask)
		return true;
	f->phi_most = jit_alloc(f, f->ins_count, sizeof *f->phi_most);
	if (!f->phi_most)
		return false;
	memset(f->phi_most, 0xff, f->ins_count * sizeof *f->phi_most);
	for (uint32_t b = 1; b < f->block_count; b++)
		if (f->blocks[b].is_head && f->blocks[b].reached)
			look_at_loop(f, b);
	for (uint32_t n = 1; n < f->ins_count; n++)
		if (f->ins[n].op == J_LOAD || f->ins[n].op == J_STORE)
			look_at_access(f, &f->ins[n]);
	f->phi_most = NULL;
	return jit_work(f, f->ins_count);
}
