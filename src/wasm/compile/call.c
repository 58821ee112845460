/* SPDX-License-Identifier: Apache-2.0 */
/* Calls and references. */
#include "wasm/compile/compile_priv.h"

/*
 * Arguments go to their slots on top of the stack, where the callee's frame
 * begins; its results are found there.  Returns the first slot.
 */
static uint32_t arguments(struct wasm_compiler *c, const struct wasm_typedef *d)
{
	wasm_flush_top(c, d->params);
	wasm_pop_types(c, c->m->pool + d->first, d->params);
	return wasm_top_slot(c);
}

static void results(struct wasm_compiler *c, const struct wasm_typedef *d)
{
	wasm_push_types(c, c->m->pool + d->first + d->params, d->results);
}

/* A tail call's callee gives what this function gives. */
static void check_tail(struct wasm_compiler *c, const struct wasm_typedef *d)
{
	const uint32_t *have = c->m->pool + d->first + d->params;
	const uint32_t *want = c->m->pool + c->type->first + c->type->params;
	bool ok = d->results == c->type->results;
	for (uint32_t i = 0; ok && i < d->results; i++)
		ok = wasm_type_sub(c->m, have[i], want[i]);
	if (!ok)
		wasm_compile_fail(c, "type mismatch: results of a tail call");
}

/* A call whose jump is filled in when all functions have a place. */
static void link_later(struct wasm_compiler *c, uint32_t word)
{
	if (c->dead || c->failed)
		return;
	if (!wasm_fit(&c->m->heap, c->calls, c->call_cap,
		    c->call_count + 1ull)) {
		wasm_compile_limit(c, WASM_OUT_OF_MEMORY);
		return;
	}
	c->calls[c->call_count++] = word;
}

/* Result slots may reach beyond the arguments: the frame has to hold them. */
static void reserve(struct wasm_compiler *c, uint32_t base,
	const struct wasm_typedef *d)
{
	uint32_t n = d->param_slots > d->result_slots ? d->param_slots :
							d->result_slots;
	if (base + n > c->max_slot)
		(void)!wasm_push_room(c, base + n);
}

static void call(struct wasm_compiler *c, bool tail)
{
	uint32_t f = wasm_u32(&c->in);
	if (f >= c->m->func_count) {
		wasm_compile_fail(c, "unknown function");
		return;
	}
	const struct wasm_typedef *d = wasm_func_type(c->m, f);
	bool import = f < c->m->func_imports;
	if (tail)
		check_tail(c, d);
	uint32_t base = arguments(c, d);
	reserve(c, base, d);
	uint32_t op = tail ? (import ? OP_tail_import : OP_tail_call) :
			     (import ? OP_call_import : OP_call);
	uint32_t live = tail ? 0 : wasm_live_refs(c);
	uint32_t word = wasm_emit_wide(c, op, base, f);
	wasm_add_point(c, word, live);
	if (!import)
		link_later(c, word);
	if (tail) {
		wasm_emit_pair(c, d->param_slots, 0);
		wasm_unreachable(c);
	} else {
		results(c, d);
	}
}

static const struct wasm_typedef *func_type_at(struct wasm_compiler *c,
	uint32_t t)
{
	if (t < c->m->type_count && c->m->types[t].kind == DEF_FUNC)
		return &c->m->types[t];
	wasm_compile_fail(c, "unknown type");
	return NULL;
}

static void call_indirect(struct wasm_compiler *c, bool tail)
{
	uint32_t t = wasm_u32(&c->in), table = wasm_u32(&c->in);
	const struct wasm_typedef *d = func_type_at(c, t);
	if (table >= c->m->table_count)
		wasm_compile_fail(c, "unknown table");
	if (c->failed || c->in.why)
		return;
	const struct wasm_tabledef *tab = &c->m->tables[table];
	if (!wasm_type_sub(c->m, tab->type, T_FUNCREF)) {
		wasm_compile_fail(c, "type mismatch: not a table of functions");
		return;
	}
	if (tail)
		check_tail(c, d);
	struct wasm_val i = wasm_pop(c, wasm_address_type(&tab->range));
	uint32_t index = wasm_use(c, &i);
	uint32_t base = arguments(c, d);
	reserve(c, base, d);
	uint32_t live = tail ? 0 : wasm_live_refs(c);
	uint32_t word =
		wasm_emit_op(c, tail ? OP_tail_indirect : OP_call_indirect,
			base, index, d->param_slots);
	wasm_emit_pair(c, t, table);
	wasm_add_point(c, word + 1, live);
	if (tail)
		wasm_unreachable(c);
	else
		results(c, d);
}

static void call_ref(struct wasm_compiler *c, bool tail)
{
	uint32_t t = wasm_u32(&c->in);
	const struct wasm_typedef *d = func_type_at(c, t);
	if (c->failed || c->in.why)
		return;
	if (tail)
		check_tail(c, d);
	struct wasm_val f = wasm_pop(c, t_ref(t, true));
	uint32_t from = wasm_use(c, &f);
	uint32_t base = arguments(c, d);
	reserve(c, base, d);
	uint32_t live = tail ? 0 : wasm_live_refs(c);
	uint32_t word = wasm_emit_op(c, tail ? OP_tail_ref : OP_call_ref, base,
		from, d->param_slots);
	wasm_emit_pair(c, t, 0);
	wasm_add_point(c, word + 1, live);
	if (tail)
		wasm_unreachable(c);
	else
		results(c, d);
}

void wasm_compile_call(struct wasm_compiler *c, uint32_t op)
{
	if (op == 0x10 || op == 0x12)
		call(c, op == 0x12);
	else if (op == 0x11 || op == 0x13)
		call_indirect(c, op == 0x13);
	else
		call_ref(c, op == 0x15);
}

static void ref_func(struct wasm_compiler *c)
{
	struct wasm_module *m = c->m;
	uint32_t f = wasm_u32(&c->in);
	if (f >= m->func_count) {
		wasm_compile_fail(c, "unknown function");
		return;
	}
	if (c->const_only)
		m->declared[f / 8] |= (uint8_t)(1 << f % 8);
	else if (!(m->declared[f / 8] >> f % 8 & 1))
		wasm_compile_fail(c, "undeclared function reference");
	uint32_t to = wasm_push(c, t_ref(m->funcs[f], false));
	wasm_emit_result(c, wasm_emit_wide(c, OP_ref_func, to, f));
}

static void ref_as_non_null(struct wasm_compiler *c)
{
	struct wasm_val v = wasm_pop_ref(c);
	uint32_t from = wasm_use(c, &v);
	uint32_t heap = v.type == T_BOT ? (uint32_t)HEAP_BOT : t_heap(v.type);
	wasm_emit_op(c, OP_ref_as_non_null, from, 0, 0);
	wasm_push_val(c, v, t_ref(heap, false));
}

static void ref_eq(struct wasm_compiler *c)
{
	uint32_t eq = t_ref(HEAP_EQ, true);
	struct wasm_val r = wasm_pop(c, eq), l = wasm_pop(c, eq);
	uint32_t a = wasm_use(c, &l), b = wasm_use(c, &r);
	uint32_t to = wasm_push(c, T_I32);
	wasm_emit_result(c, wasm_emit_op(c, OP_ref_eq, to, a, b));
}

static void ref_is_null(struct wasm_compiler *c)
{
	struct wasm_val v = wasm_pop_ref(c);
	uint32_t from = wasm_use(c, &v);
	uint32_t to = wasm_push(c, T_I32);
	wasm_emit_result(c, wasm_emit_op(c, OP_ref_is_null, to, from, 0));
}

void wasm_compile_reference(struct wasm_compiler *c, uint32_t op)
{
	switch (op) {
	case 0xd0:
		wasm_push_const(c,
			t_ref(wasm_read_heap(&c->in, c->m->type_count), true),
			0);
		break;
	case 0xd1:
		ref_is_null(c);
		break;
	case 0xd2:
		ref_func(c);
		break;
	case 0xd3:
		ref_eq(c);
		break;
	case 0xd4:
		ref_as_non_null(c);
		break;
	default:
		wasm_compile_br_null(c, op == 0xd5);
	}
}
