/* SPDX-License-Identifier: Apache-2.0 */
/* Which variables an instruction reads, and where it names them. */
#include "wasm/jit/ir_priv.h"

struct list {
	struct jit_fn *f;
	const union wasm_word *w;
	struct jit_oper *at;
	uint32_t n, cap;
};

static void add(struct list *l, uint32_t role, uint32_t slot, bool vector)
{
	if (l->n == l->cap)
		return;
	l->at[l->n++] =
		(struct jit_oper){ .var = slot + (vector ? l->f->slots : 0),
			.role = (uint8_t)role,
			.slots = vector ? 2 : 1 };
}

/* Values of a list of types, each `step` numbers further, in slots from
 * `slot` on. */
static void add_types(struct list *l, const uint32_t *types, uint32_t n,
	uint32_t step, uint32_t slot)
{
	for (uint32_t i = 0; i < n; i++, types += step) {
		add(l, ROLE_LIST, slot, *types == T_V128);
		slot += *types == T_V128 ? 2 : 1;
	}
}

static void add_same(struct list *l, uint32_t n, bool vector)
{
	for (uint32_t i = 0; i < n; i++)
		add(l, ROLE_LIST, l->w->b + (vector ? 2 * i : i), vector);
}

/* The operands that no bits tell of. */
static void add_others(struct list *l, uint32_t op)
{
	const union wasm_word *w = l->w;
	const struct wasm_module *m = l->f->m;
	const struct wasm_typedef *t;
	switch (op) {
	case OP_retn:
		t = l->f->type;
		add_types(l, m->pool + t->first + t->params, t->results, 1,
			w->a);
		return;
	case OP_struct_new:
		t = &m->types[w[1].low];
		add_types(l, m->pool + t->first, t->params, 2, w->b);
		return;
	case OP_array_new:
		add(l, ROLE_B, w->b, (w[1].high & 7) > 3);
		return;
	case OP_array_new_fixed:
		add_same(l, w[2].low, (w[1].high & 7) > 3);
		return;
	case OP_array_set:
		add(l, ROLE_A, w->a, w[1].low > 3);
		return;
	case OP_array_fill:
		add(l, ROLE_C, w->c, w[1].op > 3);
		return;
	case OP_array_copy:
		add(l, ROLE_HIGH, w[1].high, false);
		return;
	case OP_array_init_data:
	case OP_array_init_elem:
		add(l, ROLE_SECOND, w[1].a, false);
		return;
	case OP_array_get:
		return;
	default:
		t = jit_call_type(l->f, w, op);
		add_types(l, m->pool + t->first, t->params, 1, w->a);
	}
}

static uint32_t list_length(struct jit_fn *f, const union wasm_word *w,
	uint32_t op)
{
	if (op == OP_retn)
		return f->type->results;
	if (op == OP_struct_new)
		return f->m->types[w[1].low].params;
	if (op == OP_array_new_fixed)
		return w[2].low;
	if (op >= OP_struct_new)
		return 1;
	return jit_call_type(f, w, op)->params + 1;
}

const struct jit_oper *jit_opers(struct jit_fn *f, const union wasm_word *w,
	uint32_t op, struct jit_oper few[JIT_OPERS], uint32_t *count)
{
	uint32_t bits = jit_word_shape(op);
	struct list l = { f, w, few, 0, JIT_OPERS };
	const uint32_t slots[] = { w->a, w->b, w->c,
		w[jit_word_count(w, op) - 1].a };
	*count = 0;
	if (bits & IS_OTHER) {
		uint32_t n = list_length(f, w, op) + 4;
		if (n > JIT_OPERS) {
			l.at = jit_alloc(f, n, sizeof *l.at);
			l.cap = n;
		}
		if (!l.at)
			return NULL;
	}
	for (uint32_t i = 0; i < 4; i++) {
		if (bits >> i & 1)
			add(&l, i, slots[i], false);
		if (bits >> (i + 4) & 1)
			add(&l, i, slots[i], true);
	}
	if (bits & IS_OTHER)
		add_others(&l, op);
	*count = l.n;
	return l.at;
}
