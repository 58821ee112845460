/* SPDX-License-Identifier: Apache-2.0 */
/* Building: instructions that are left to the interpreter's operations, and
 * what the collector has to find. */
#include "wasm/jit/build_priv.h"

#include "wasm/jit/jit_priv.h"

/* The result lies at slot 0 of a step's frame, operands behind it. */
enum { FIRST_OPERAND = 2 };

struct step {
	struct jit_words *k;
	uint32_t words, slots;
	bool listed; /* where the list begins is told */
};

/* Tells the copied instruction that an operand is in that slot. */
static void place(struct step *s, uint32_t op, const struct jit_oper *o)
{
	union wasm_word *w = s->k->w;
	uint16_t at = (uint16_t)s->slots;
	switch (o->role) {
	case ROLE_A:
		w->a = at;
		break;
	case ROLE_B:
		w->b = at;
		break;
	case ROLE_C:
		w->c = at;
		break;
	case ROLE_LAST:
		w[s->words - 1].a = at;
		break;
	case ROLE_SECOND:
		w[1].a = at;
		break;
	case ROLE_HIGH:
		w[1].high = at;
		break;
	default:
		if (!s->listed && op == OP_throw)
			w->a = at;
		else if (!s->listed)
			w->b = at;
		s->listed = true;
	}
}

/* A copy of the instruction whose slots are those of a step's frame; its
 * operands as a list, with their slots behind them. */
static bool copy_step(struct jit_fn *f, const union wasm_word *w, uint32_t op,
	struct jit_ins *out)
{
	struct jit_oper few[JIT_OPERS];
	uint32_t n;
	const struct jit_oper *o = jit_opers(f, w, op, few, &n);
	struct step s = { .words = jit_word_count(w, op),
		.slots = FIRST_OPERAND };
	s.k = jit_words_new(f->jit);
	uint32_t first = jit_args(f, 2 * n);
	if (!o || !s.k || s.words >= ARRAY_LEN(s.k->w))
		return jit_fail(f, JIT_NO_MEMORY);
	if (f->failed)
		return false;
	memcpy(s.k->w, w, s.words * sizeof *w);
	s.k->w->op = (uint16_t)op;
	s.k->memory = f->memory;
	if (jit_word_result(f, w, op) != NO_VAR)
		s.k->w->a = 0;
	for (uint32_t i = 0; i < n; i++) {
		place(&s, op, &o[i]);
		f->args[first + i] = jit_read(f, o[i].var);
		f->args[first + n + i] = s.slots;
		s.slots += o[i].role == ROLE_LIST ? o[i].slots : 2;
	}
	jit_build_out(f, s.slots * 8);
	out->b = first;
	out->c = n;
	out->aux = s.slots;
	out->imm = (uint64_t)(uintptr_t)s.k;
	return true;
}

void jit_build_step(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	uint32_t to = jit_word_result(f, w, op);
	struct jit_ins i = { .op = J_STEP,
		.type = to == NO_VAR   ? JT_NONE :
			to >= f->slots ? JT_V128 :
					 JT_ANY };
	if (!copy_step(f, w, op, &i))
		return;
	uint32_t n = jit_add(f, &i);
	if (to != NO_VAR)
		jit_write(f, to, n);
}

void jit_build_throw(struct jit_fn *f, const union wasm_word *w)
{
	struct jit_ins i = { .op = J_THROW };
	if (copy_step(f, w, OP_throw, &i))
		jit_build_throws(f, jit_add(f, &i));
}

static bool is_call(uint32_t op)
{
	return op >= OP_call && op <= OP_call_ref;
}

/*
 * A value that is a reference stays one: whoever keeps it while the collector
 * runs has to tell.  Values that register code does not have at that place
 * are not needed there either.
 */
void jit_build_point(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	const struct wasm_module *m = f->m;
	uint32_t at = (uint32_t)(w - f->code);
	if (is_call(op))
		at += jit_word_count(w, op) - 1;
	uint32_t p = wasm_first_point(m, at);
	if (p == m->point_count || m->points[p].at != at)
		return;
	uint32_t n = m->points[p].live;
	for (; n && !f->failed; n = m->live[n].next) {
		f->ins[f->cur[m->live[n].slot]].flags |= JF_REF;
		jit_work(f, 1);
	}
}
