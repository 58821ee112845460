/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks a function between two stages: blocks hang together, what is used
 * was made before on every way, types fit, phis match the edges, and what
 * reads or changes the program's state stands in the program's order.  Trusts
 * nothing that an optimisation keeps up to date.
 */
#include "base/fmt.h"
#include "wasm/jit/alloc_priv.h"
#include "wasm/jit/jit_priv.h"

struct check {
	struct jit_fn *f;
	char *text;
	size_t size;
	bool typed;	 /* types are chosen, users counted */
	uint32_t *place; /* per value: its number in the order of blocks */
	uint32_t count;
	uint32_t *users, *idom;
	/* Within the current block: */
	uint32_t writes, all; /* the latest word that changes state; or reads */
	uint32_t clobber;     /* the last instruction that loses results */
};

static bool PRINTF(3, 4)
	fault(struct check *c, uint32_t n, const char *format, ...)
{
	va_list ap;
	size_t at = 0;
	if (n)
		at = fmt(c->text, c->size, "v%u in block %u: ", n,
			c->f->ins[n].block);
	va_start(ap, format);
	fmt_v(c->text + at, c->size - at, format, ap);
	va_end(ap);
	return false;
}

/* --- blocks and edges
 * ----------------------------------------------------------
 */

static bool edge(struct check *c, uint32_t b, uint32_t n)
{
	const struct jit_fn *f = c->f;
	if (n >= f->edge_count)
		return fault(c, 0, "block %u: edge %u does not exist", b, n);
	const struct jit_edge *e = &f->edges[n];
	if (e->from != b)
		return fault(c, 0, "block %u: edge %u is of block %u", b, n,
			e->from);
	if (e->to >= f->block_count || !f->blocks[e->to].reached)
		return fault(c, 0, "block %u: edge %u leads nowhere", b, n);
	const struct jit_block *to = &f->blocks[e->to];
	if (e->pred >= to->pred_count || f->preds[to->pred + e->pred] != n)
		return fault(c, 0, "block %u does not know its way in from %u",
			e->to, b);
	if (e->back != (e->to <= b))
		return fault(c, 0,
			"block %u: the way to %u is a loop's only if back", b,
			e->to);
	if (e->back && !to->is_head)
		return fault(c, 0, "block %u: a way back to %u, no loop's head",
			b, e->to);
	return true;
}

/* To a handler: out of the midst of a block, from what throws. */
static bool throws(struct check *c, uint32_t b, const struct jit_edge *e)
{
	const struct jit_fn *f = c->f;
	if (!e->call || e->call >= f->ins_count || !c->place[e->call] ||
		f->ins[e->call].block != b)
		return fault(c, 0, "block %u: nothing throws to %u", b, e->to);
	return true;
}

static bool ways(struct check *c, uint32_t b)
{
	const struct jit_fn *f = c->f;
	const struct jit_block *x = &f->blocks[b];
	uint32_t op = f->ins[x->last].op, n = x->succ_count;
	for (uint32_t k = 0; k < x->succ_count; k++) {
		if (!edge(c, b, x->succ + k))
			return false;
		if (!f->edges[x->succ + k].throws)
			continue;
		n--;
		if (!throws(c, b, &f->edges[x->succ + k]))
			return false;
	}
	if (op == J_JUMP	       ? n != 1 :
			op == J_BRANCH ? n != 2 :
			op == J_TABLE  ? n < 1 :
					 n != 0)
		return fault(c, 0, "block %u: %u ways out after its last", b,
			n);
	for (uint32_t k = 0; k < x->pred_count; k++) {
		uint32_t e = f->preds[x->pred + k];
		if (e >= f->edge_count || f->edges[e].to != b ||
			f->edges[e].pred != k)
			return fault(c, 0, "block %u: way in %u is not its", b,
				k);
	}
	if (b && !x->pred_count)
		return fault(c, 0, "block %u: no way in", b);
	return true;
}

/* The list of a block: linked both ways, phis first, one end. */
static bool list(struct check *c, uint32_t b)
{
	const struct jit_fn *f = c->f;
	const struct jit_block *x = &f->blocks[b];
	bool first = true;
	uint32_t before = 0;
	for (uint32_t n = x->first; n; before = n, n = f->ins[n].next) {
		const struct jit_ins *i = &f->ins[n];
		if (n >= f->ins_count || c->place[n])
			return fault(c, 0, "block %u: v%u is in a list twice",
				b, n);
		c->place[n] = ++c->count;
		if (i->block != b)
			return fault(c, n, "in the list of block %u", b);
		if (i->prev != before)
			return fault(c, n, "the list is broken");
		bool start = i->op == J_PHI || i->op == J_PARAM;
		if (start && !first)
			return fault(c, n, "not at the beginning");
		if (i->op == J_PARAM && b)
			return fault(c, n, "a parameter within the function");
		first = start;
		if (i->op >= J_JUMP && i->op < J_OP_COUNT && i->next)
			return fault(c, n, "goes on after the end");
		if (i->op >= J_OP_COUNT)
			return fault(c, n, "unknown operation %u", i->op);
	}
	if (x->last != before || !before)
		return fault(c, 0, "block %u: the list is broken", b);
	if (f->ins[before].op < J_JUMP)
		return fault(c, before, "the block has no end");
	return true;
}

static bool blocks(struct check *c)
{
	const struct jit_fn *f = c->f;
	for (uint32_t b = 0; b < f->block_count; b++)
		if (f->blocks[b].reached && !list(c, b))
			return false;
	for (uint32_t b = 0; b < f->block_count; b++)
		if (f->blocks[b].reached && !ways(c, b))
			return false;
	return true;
}

/* --- dominators, anew
 * ----------------------------------------------------------
 */

/* Ways lead forward but for loops: numbers are an order for this. */
static uint32_t meet(const struct check *c, uint32_t a, uint32_t b)
{
	while (a != b) {
		if (a > b)
			a = c->idom[a];
		else
			b = c->idom[b];
	}
	return a;
}

static bool find_idom(struct check *c, uint32_t b)
{
	const struct jit_fn *f = c->f;
	const struct jit_block *x = &f->blocks[b];
	uint32_t d = UINT32_MAX;
	for (uint32_t k = 0; k < x->pred_count; k++) {
		uint32_t from = f->edges[f->preds[x->pred + k]].from;
		if (from >= b)
			continue;
		d = d == UINT32_MAX ? from : meet(c, d, from);
	}
	if (d == UINT32_MAX)
		return fault(c, 0, "block %u: no way in but its own", b);
	c->idom[b] = d;
	return x->idom == d ||
		fault(c, 0, "block %u: block %u dominates it, not %u", b, d,
			x->idom);
}

static bool dominates(const struct check *c, uint32_t a, uint32_t b)
{
	while (b > a)
		b = c->idom[b];
	return a == b;
}

/* --- uses --------------------------------------------------------------------
 */

static bool fits(const struct jit_ins *x, uint32_t want)
{
	bool wide = want == JT_F64 || want == JT_WIDE;
	if (want == JT_NONE)
		return true;
	if ((x->type == JT_V128) != (want == JT_V128))
		return false;
	if (want != JT_ANY && want != JT_ANY32 && want != JT_WIDE &&
		jit_is_float(x->type) != jit_is_float(want))
		return false;
	/* Above an f32 there may be anything, but not after a load. */
	return x->type != JT_F32 || !wide || x->op == J_LOAD;
}

/* Instruction n uses v at the end of block `at` (UINT32_MAX: where it is). */
static bool use(struct check *c, uint32_t n, uint32_t v, uint32_t want,
	uint32_t at)
{
	const struct jit_fn *f = c->f;
	if (!v || v >= f->ins_count)
		return fault(c, n, "an operand is missing");
	const struct jit_ins *x = &f->ins[v];
	c->users[v]++;
	if (x->op == J_K)
		return want != JT_V128 ||
			fault(c, n, "v%u is a number, not a vector", v);
	if (x->op != J_K128 && !c->place[v])
		return fault(c, n, "v%u was removed", v);
	if (x->type == JT_NONE)
		return fault(c, n, "v%u is no value", v);
	if (c->typed && !fits(x, want))
		return fault(c, n, "v%u has type %u, not %u", v, x->type, want);
	if (x->op == J_K128)
		return true;
	bool same = at == UINT32_MAX && x->block == f->ins[n].block;
	uint32_t to = at == UINT32_MAX ? f->ins[n].block : at;
	if (same ? c->place[v] >= c->place[n] : !dominates(c, x->block, to))
		return fault(c, n, "v%u is used before it is made", v);
	if (c->typed && x->flags & JF_FOLDED &&
		(!same || c->users[v] > 1 || f->ins[n].op == J_PHI))
		return fault(c, n, "v%u is part of another instruction", v);
	return true;
}

static bool phi(struct check *c, uint32_t n)
{
	const struct jit_fn *f = c->f;
	const struct jit_ins *i = &f->ins[n];
	const struct jit_block *b = &f->blocks[i->block];
	if (i->c != b->pred_count)
		return fault(c, n, "%u values for %u ways in", i->c,
			b->pred_count);
	for (uint32_t k = 0; k < i->c; k++) {
		const struct jit_edge *e = &f->edges[f->preds[b->pred + k]];
		uint32_t v = f->args[i->b + k];
		if (!use(c, n, v, jit_arg_type(f, i, k), e->from))
			return false;
		if (e->throws && f->ins[v].block == e->from &&
			c->place[v] >= c->place[e->call])
			return fault(c, n, "v%u is made after v%u throws", v,
				e->call);
	}
	return true;
}

static bool is_call(uint32_t op)
{
	return op == J_CALL || op == J_CALL_INDIRECT || op == J_CALL_REF;
}

static bool arguments(struct check *c, uint32_t n)
{
	const struct jit_fn *f = c->f;
	const struct jit_ins *i = &f->ins[n];
	if ((uint64_t)i->b + i->c > f->arg_count)
		return fault(c, n, "operands out of the list");
	if (i->op == J_PHI)
		return phi(c, n);
	if ((is_call(i->op) || i->op == J_TAIL) &&
		i->c != f->m->types[i->aux].params)
		return fault(c, n, "%u arguments for %u parameters", i->c,
			f->m->types[i->aux].params);
	if (i->op == J_RETURN && i->c != f->type->results)
		return fault(c, n, "%u values for %u results", i->c,
			f->type->results);
	for (uint32_t k = 0; k < i->c; k++) {
		uint32_t v = f->args[i->b + k];
		bool any = i->op == J_STEP || i->op == J_THROW;
		if (!v && any)
			continue;
		uint32_t type = any ? (uint32_t)JT_NONE : jit_arg_type(f, i, k);
		if (!use(c, n, v, type, UINT32_MAX))
			return false;
	}
	return true;
}

static bool operands(struct check *c, uint32_t n)
{
	const struct jit_ins *i = &c->f->ins[n];
	const uint32_t v[] = { i->a, i->b, i->c };
	for (int k = 0; k < 3; k++) {
		uint32_t type = jit_operand_type(i, k);
		if (type != JT_NONE && !use(c, n, v[k], type, UINT32_MAX))
			return false;
	}
	if (c->typed && (i->type == JT_ANY || i->type == JT_ANY32))
		return fault(c, n, "its type is open");
	if (i->type &&
		(i->op >= J_JUMP || i->op == J_STORE || i->op == J_GLOBAL_SET ||
			i->op == J_CHECK))
		return fault(c, n, "gives a value");
	if (!jit_has_args(i->op))
		return true;
	return arguments(c, n);
}

/* --- the order of effects
 * -------------------------------------------------------
 */

/* Sees the program's state, or whether it still runs. */
static bool looks(const struct jit_fn *f, const struct jit_ins *i)
{
	return i->op == J_LOAD || i->op == J_GLOBAL_GET || i->op == J_GET ||
		i->op == J_MEMORY_SIZE || jit_may_trap(f, i);
}

static bool result(struct check *c, uint32_t n)
{
	const struct jit_ins *i = &c->f->ins[n];
	if (!i->a || i->a >= c->f->ins_count || i->a != c->clobber)
		return fault(c, n, "the call of v%u is not the last", i->a);
	const struct jit_ins *call = &c->f->ins[i->a];
	if (!is_call(call->op) || i->cc >= c->f->m->types[call->aux].results)
		return fault(c, n, "v%u has no such result", i->a);
	return true;
}

static bool effects(struct check *c, uint32_t n)
{
	const struct jit_ins *i = &c->f->ins[n];
	const struct jit_block *b = &c->f->blocks[i->block];
	if (i->op == J_RESULT)
		return result(c, n);
	if (is_call(i->op) || i->op == J_STEP)
		c->clobber = n;
	bool changes = jit_has_effect(i), sees = looks(c->f, i);
	if (!changes && !sees)
		return true;
	if (i->block && i->op < J_JUMP &&
		(i->word < b->at || i->word >= b->end))
		return fault(c, n, "of word %u, out of its block", i->word);
	if (i->word < c->writes || (changes && i->word < c->all))
		return fault(c, n, "of word %u, after what comes later",
			i->word);
	c->all = i->word > c->all ? i->word : c->all;
	if (changes)
		c->writes = c->all;
	return true;
}

static bool values(struct check *c)
{
	const struct jit_fn *f = c->f;
	for (uint32_t b = 0; b < f->block_count; b++) {
		c->writes = c->all = c->clobber = 0;
		for (uint32_t n = f->blocks[b].reached ? f->blocks[b].first : 0;
			n; n = f->ins[n].next)
			if (!operands(c, n) || !effects(c, n))
				return false;
	}
	for (uint32_t n = 1; c->typed && n < f->ins_count; n++)
		if (c->place[n] && f->ins[n].flags & JF_FOLDED &&
			c->users[n] != 1)
			return fault(c, n, "part of nothing");
	return true;
}

bool jit_verify_ssa(struct jit_fn *f, bool typed, char *text, size_t size)
{
	struct check c = { .f = f, .text = text, .size = size, .typed = typed };
	text[0] = '\0';
	c.place = jit_alloc(f, f->ins_count, sizeof *c.place);
	c.users = jit_alloc(f, f->ins_count, sizeof *c.users);
	c.idom = jit_alloc(f, f->block_count, sizeof *c.idom);
	if (f->failed)
		return false;
	if (!blocks(&c))
		return false;
	for (uint32_t b = 1; b < f->block_count; b++)
		if (f->blocks[b].reached && !find_idom(&c, b))
			return false;
	return values(&c);
}
