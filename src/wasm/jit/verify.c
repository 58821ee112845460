/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks the work of the register allocator: follows which value lies where,
 * through every move and along every edge, and looks whether each operand is
 * where it is going to be read.  For sanitizers, fuzzing and tests: it is
 * slower than compiling.
 */
#include "base/fmt.h"
#include "wasm/jit/alloc_priv.h"
#include "wasm/jit/jit_priv.h"

struct check {
	struct jit_fn *f;
	uint32_t places; /* 32 registers, then 8 bytes of stack each */
	uint32_t *in;	 /* per block and place: the value */
	uint32_t *now, *next;
	uint8_t *known; /* blocks that something leads to */
	uint32_t move;
	char text[160];
};

/* Is one of these where the state says? */
static uint32_t place_of(const struct check *c, uint32_t loc, uint32_t v)
{
	return loc == LOC_STACK ? 32 + (c->f->alloc->slots[v] - 1) / 8 : loc;
}

static bool wrong(struct check *c, const char *what, uint32_t v, uint32_t pos,
	uint32_t loc)
{
	fmt(c->text, sizeof c->text,
		"registers: function %u: %s v%u at %u is not in %u but v%u",
		c->f->func->index, what, v, pos, loc,
		loc < c->places ? c->now[loc] : 0);
	jit_dump_ssa(c->f);
	jit_dump_line(c->f, c->text);
	return jit_bug(c->f, c->text);
}

static bool holds(struct check *c, uint32_t v, uint32_t loc, uint32_t pos,
	const char *what)
{
	if (loc == LOC_CONST)
		return true;
	if (loc == LOC_STACK && !c->f->alloc->slots[v])
		return wrong(c, what, v, pos, LOC_NONE);
	if (loc == LOC_NONE)
		return wrong(c, what, v, pos, loc);
	uint32_t at = place_of(c, loc, v);
	return c->now[at] == v || wrong(c, what, v, pos, at);
}

static bool moves_at(struct check *c, uint32_t pos)
{
	const struct jit_fn *f = c->f;
	memcpy(c->next, c->now, c->places * sizeof *c->now);
	for (; c->move < f->move_count && f->moves[c->move].pos <= pos;
		c->move++) {
		const struct jit_move *m = &f->moves[c->move];
		if (m->pos < pos)
			return wrong(c, "passed move", m->v, m->pos, m->from);
		if (!holds(c, m->v, m->from, pos, "moved"))
			return false;
		c->next[place_of(c, m->to, m->to_v)] = m->to_v;
	}
	memcpy(c->now, c->next, c->places * sizeof *c->now);
	return true;
}

static void define(struct check *c, uint32_t n, uint32_t pos)
{
	const struct jit_fn *f = c->f;
	uint32_t loc = jit_loc(f, n, pos);
	if (!jit_has_ival(&f->ins[n]) || !f->ins[n].ival)
		return;
	if (loc != LOC_CONST && loc != LOC_NONE)
		c->now[place_of(c, loc, n)] = n;
	if (f->alloc->eager[n])
		c->now[place_of(c, LOC_STACK, n)] = n;
}

static bool instruction(struct check *c, uint32_t n)
{
	struct jit_opnd op[MAX_OPNDS];
	const struct jit_fn *f = c->f;
	const struct jit_ins *i = &f->ins[n];
	if (!moves_at(c, i->pos) || !moves_at(c, i->pos + 1))
		return false;
	uint32_t count = jit_operands(f, n, op);
	for (uint32_t k = 0; k < count; k++)
		if (!holds(c, op[k].v, jit_loc(f, op[k].v, i->pos), i->pos,
			    "operand"))
			return false;
	for (uint32_t k = 0; jit_has_args(i->op) && k < i->c; k++) {
		uint32_t v = f->args[i->b + k];
		if (v &&
			!holds(c, v, jit_loc(f, v, i->pos), i->pos, "argument"))
			return false;
	}
	uint32_t lost = jit_lost(f, i);
	for (uint32_t r = 0; r < 32; r++)
		if (lost == UINT32_MAX || (r < 16 && lost >> r & 1))
			c->now[r] = 0;
	define(c, n, i->pos + 1);
	/* What is needed until the end must have survived it. */
	for (uint32_t k = 0; k < count; k++)
		if (op[k].late &&
			!holds(c, op[k].v, jit_loc(f, op[k].v, i->pos), i->pos,
				"late"))
			return false;
	return true;
}

/* What the edge brings: false when it changed what was known. */
static bool take_edge(struct check *c, const struct jit_edge *e, bool *changed)
{
	const struct jit_fn *f = c->f;
	const struct jit_block *to = &f->blocks[e->to];
	memcpy(c->next, c->now, c->places * sizeof *c->now);
	for (uint32_t k = 0; k < e->move_count; k++) {
		const struct jit_move *m = &f->moves[e->moves + k];
		if (!holds(c, m->v, m->from, f->blocks[e->from].to,
			    "along an edge"))
			return false;
		c->next[place_of(c, m->to, m->to_v)] = m->to_v;
	}
	for (uint32_t n = to->first; n && f->ins[n].op == J_PHI;
		n = f->ins[n].next) {
		uint32_t at = jit_loc(f, n, to->from);
		uint32_t v = f->args[f->ins[n].b + e->pred];
		if (at == LOC_NONE || !f->ins[n].ival)
			continue;
		if (!holds(c, v, jit_loc(f, v, jit_edge_pos(f, e)),
			    f->blocks[e->from].to, "phi's"))
			return false;
		c->next[place_of(c, at, n)] = n;
	}
	uint32_t *in = c->in + (size_t)e->to * c->places;
	for (uint32_t k = 0; k < c->places; k++) {
		uint32_t v =
			c->known[e->to] && in[k] != c->next[k] ? 0 : c->next[k];
		*changed |= v != in[k] || !c->known[e->to];
		in[k] = v;
	}
	c->known[e->to] = 1;
	return true;
}

/* The edges to handlers, which are taken from where the instruction is. */
static bool throws_at(struct check *c, const struct jit_block *x, uint32_t n,
	bool *changed)
{
	const struct jit_edge *e = c->f->edges + x->succ;
	for (uint32_t k = 0; k < x->succ_count; k++)
		if (e[k].call == n && !take_edge(c, &e[k], changed))
			return false;
	return true;
}

static bool block(struct check *c, uint32_t b, bool *changed)
{
	const struct jit_fn *f = c->f;
	const struct jit_block *x = &f->blocks[b];
	memcpy(c->now, c->in + (size_t)b * c->places,
		c->places * sizeof *c->now);
	for (uint32_t n = x->first; n; n = f->ins[n].next) {
		uint32_t op = f->ins[n].op;
		if (op == J_PHI || op == J_PARAM)
			define(c, n, x->from);
		else if (!(f->ins[n].flags & JF_FOLDED) &&
			(!instruction(c, n) || !throws_at(c, x, n, changed)))
			return false;
	}
	for (uint32_t k = 0; k < x->succ_count; k++)
		if (!f->edges[x->succ + k].throws &&
			!take_edge(c, &f->edges[x->succ + k], changed))
			return false;
	return true;
}

bool jit_verify(struct jit_fn *f)
{
	struct check c = { .f = f };
	bool changed = true;
	c.places = 32 + f->spill_bytes / 8 + 1;
	if ((uint64_t)c.places * f->block_count > 1 << 24)
		return true;
	c.in = jit_alloc(f, (size_t)f->block_count * c.places, sizeof *c.in);
	c.now = jit_alloc(f, c.places, sizeof *c.now);
	c.next = jit_alloc(f, c.places, sizeof *c.next);
	c.known = jit_alloc(f, f->block_count, 1);
	if (f->failed)
		return false;
	c.known[0] = 1;
	while (changed) {
		changed = false;
		c.move = f->inner_moves;
		for (uint32_t k = 0; k < f->alloc->order_count; k++)
			if (!block(&c, f->alloc->order[k], &changed))
				return false;
	}
	return true;
}
