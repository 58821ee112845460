/* SPDX-License-Identifier: Apache-2.0 */
/* Locals, globals, tables, drop and select. */
#include "wasm/compile/compile_priv.h"

static bool local_ok(struct wasm_compiler *c, uint32_t i)
{
	if (i >= c->local_count)
		wasm_compile_fail(c, "unknown local");
	return !c->failed && !c->in.why;
}

void wasm_compile_local_get(struct wasm_compiler *c, uint32_t op UNUSED)
{
	uint32_t i = wasm_u32(&c->in);
	if (!local_ok(c, i))
		return;
	if (!c->locals[i].set) {
		wasm_compile_fail(c, "uninitialized local");
		return;
	}
	wasm_push_local(c, i);
}

static void mark_set(struct wasm_compiler *c, uint32_t i)
{
	if (!wasm_fit(&c->m->heap, c->sets, c->set_cap, c->set_count + 1ull)) {
		wasm_compile_limit(c, WASM_OUT_OF_MEMORY);
		return;
	}
	c->locals[i].set = true;
	c->sets[c->set_count++] = i;
}

/* The value goes to the local; the instruction that just made it can put it
 * there itself. */
static void assign(struct wasm_compiler *c, uint32_t i, struct wasm_val v)
{
	if (c->dead || c->failed)
		return;
	uint32_t made = c->last, slot = c->locals[i].slot;
	if (v.kind == IN_LOCAL && v.v == i)
		return;
	if (c->locals[i].aliases)
		wasm_flush_local(c, i);
	if (v.kind == IN_SLOT && made != NO_CODE && made == c->last &&
		c->m->code[made].a == v.slot) {
		c->m->code[made].a = (uint16_t)slot;
		c->last = NO_CODE;
		return;
	}
	wasm_move(c, &v, slot);
	c->last = NO_CODE;
}

void wasm_compile_local_set(struct wasm_compiler *c, uint32_t op UNUSED)
{
	uint32_t i = wasm_u32(&c->in);
	if (!local_ok(c, i))
		return;
	assign(c, i, wasm_pop(c, c->locals[i].type));
	if (!c->locals[i].set)
		mark_set(c, i);
}

void wasm_compile_local_tee(struct wasm_compiler *c, uint32_t op UNUSED)
{
	uint32_t i = wasm_u32(&c->in);
	if (!local_ok(c, i))
		return;
	struct wasm_val v = wasm_pop(c, c->locals[i].type);
	assign(c, i, v);
	if (!c->locals[i].set)
		mark_set(c, i);
	if (v.kind == IN_CONST)
		wasm_push_const(c, c->locals[i].type, v.v);
	else
		wasm_push_local(c, i);
}

static void global_get(struct wasm_compiler *c)
{
	uint32_t i = wasm_u32(&c->in);
	if (i >= c->m->global_count) {
		wasm_compile_fail(c, "unknown global");
		return;
	}
	const struct wasm_globaldef *g = &c->m->globals[i];
	if (c->const_only && g->mutable) {
		wasm_compile_fail(c, "constant expression required");
		return;
	}
	uint32_t to = wasm_push(c, g->type);
	uint32_t op = g->type == T_V128 ? OP_global_get2 : OP_global_get;
	wasm_emit_result(c, wasm_emit_wide(c, op, to, i));
}

static void global_set(struct wasm_compiler *c)
{
	uint32_t i = wasm_u32(&c->in);
	if (i >= c->m->global_count) {
		wasm_compile_fail(c, "unknown global");
		return;
	}
	const struct wasm_globaldef *g = &c->m->globals[i];
	if (!g->mutable) {
		wasm_compile_fail(c, "global is immutable");
		return;
	}
	struct wasm_val v = wasm_pop(c, g->type);
	uint32_t from = wasm_use(c, &v);
	uint32_t op = g->type == T_V128 ? OP_global_set2 : OP_global_set;
	wasm_emit_wide(c, op, from, i);
}

static const struct wasm_tabledef *table_at(struct wasm_compiler *c, uint32_t i)
{
	static const struct wasm_tabledef none = { .type = T_FUNCREF };
	if (i >= c->m->table_count) {
		wasm_compile_fail(c, "unknown table");
		return &none;
	}
	return &c->m->tables[i];
}

static void table_get(struct wasm_compiler *c)
{
	uint32_t i = wasm_u32(&c->in);
	const struct wasm_tabledef *t = table_at(c, i);
	struct wasm_val at = wasm_pop(c, wasm_address_type(&t->range));
	uint32_t from = wasm_use(c, &at);
	uint32_t to = wasm_push(c, t->type);
	uint32_t word = wasm_emit_op(c, OP_table_get, to, from, 0);
	wasm_emit_pair(c, i, 0);
	wasm_emit_result(c, word);
}

static void table_set(struct wasm_compiler *c)
{
	uint32_t i = wasm_u32(&c->in);
	const struct wasm_tabledef *t = table_at(c, i);
	struct wasm_val v = wasm_pop(c, t->type);
	struct wasm_val at = wasm_pop(c, wasm_address_type(&t->range));
	uint32_t to = wasm_use(c, &at), from = wasm_use(c, &v);
	wasm_emit_op(c, OP_table_set, from, to, 0);
	wasm_emit_pair(c, i, 0);
}

/* The untyped form is for numbers and vectors, the typed one for all. */
static void select_one(struct wasm_compiler *c, bool typed)
{
	uint32_t t = T_BOT;
	if (typed) {
		if (wasm_u32(&c->in) != 1)
			wasm_compile_fail(c, "invalid result arity");
		t = wasm_read_type(&c->in, c->m->type_count);
		if (c->failed || c->in.why)
			return;
	}
	struct wasm_val cond = wasm_pop(c, T_I32);
	struct wasm_val no = wasm_pop_any(c), yes = wasm_pop_any(c);
	if (!typed) {
		t = yes.type == T_BOT ? no.type : yes.type;
		if (t_is_ref(t) || t_is_ref(no.type))
			wasm_compile_fail(c,
				"type mismatch: select of "
				"references needs a type");
	}
	if (!c->failed &&
		(!wasm_type_sub(c->m, yes.type, t) ||
			!wasm_type_sub(c->m, no.type, t)))
		wasm_compile_fail(c, "type mismatch: operands of select");
	if (c->failed)
		return;
	uint32_t b = wasm_use(c, &yes), n = wasm_use(c, &no);
	uint32_t k = wasm_use(c, &cond);
	uint32_t to = wasm_push(c, t);
	uint32_t op = t == T_V128 ? OP_select2 : OP_select;
	uint32_t at = wasm_emit_op(c, op, to, b, n);
	wasm_emit_pair(c, k << 16, 0);
	wasm_emit_result(c, at);
}

void wasm_compile_variable(struct wasm_compiler *c, uint32_t op)
{
	switch (op) {
	case 0x1a:
		wasm_pop_any(c);
		break;
	case 0x1b:
	case 0x1c:
		select_one(c, op == 0x1c);
		break;
	case 0x23:
		global_get(c);
		break;
	case 0x24:
		global_set(c);
		break;
	case 0x25:
		table_get(c);
		break;
	default:
		table_set(c);
	}
}

static bool elem_ok(struct wasm_compiler *c, uint32_t segment)
{
	if (segment >= c->m->elem_count)
		wasm_compile_fail(c, "unknown elem segment");
	return !c->failed && !c->in.why;
}

static void table_init(struct wasm_compiler *c)
{
	uint32_t segment = wasm_u32(&c->in), i = wasm_u32(&c->in);
	const struct wasm_tabledef *t = table_at(c, i);
	if (!elem_ok(c, segment))
		return;
	if (!wasm_type_sub(c->m, c->m->elems[segment].type, t->type)) {
		wasm_compile_fail(c, "type mismatch: segment and table");
		return;
	}
	wasm_emit_three(c, OP_table_init, wasm_address_type(&t->range), T_I32,
		T_I32, segment, i);
}

static void table_copy(struct wasm_compiler *c)
{
	uint32_t to = wasm_u32(&c->in), from = wasm_u32(&c->in);
	const struct wasm_tabledef *t = table_at(c, to), *f = table_at(c, from);
	if (c->failed)
		return;
	if (!wasm_type_sub(c->m, f->type, t->type)) {
		wasm_compile_fail(c, "type mismatch: tables");
		return;
	}
	uint32_t ta = wasm_address_type(&t->range);
	uint32_t fa = wasm_address_type(&f->range);
	uint32_t n = ta == T_I64 && fa == T_I64 ? T_I64 : T_I32;
	wasm_emit_three(c, OP_table_copy, ta, fa, n, from, to);
}

static void table_grow(struct wasm_compiler *c)
{
	uint32_t i = wasm_u32(&c->in);
	const struct wasm_tabledef *t = table_at(c, i);
	uint32_t at = wasm_address_type(&t->range);
	struct wasm_val n = wasm_pop(c, at), v = wasm_pop(c, t->type);
	uint32_t init = wasm_use(c, &v), by = wasm_use(c, &n);
	uint32_t to = wasm_push(c, at);
	uint32_t word = wasm_emit_op(c, OP_table_grow, to, by, init);
	wasm_emit_pair(c, i, 0);
	wasm_emit_result(c, word);
}

static void table_size(struct wasm_compiler *c)
{
	uint32_t i = wasm_u32(&c->in);
	const struct wasm_tabledef *t = table_at(c, i);
	uint32_t to = wasm_push(c, wasm_address_type(&t->range));
	wasm_emit_result(c, wasm_emit_wide(c, OP_table_size, to, i));
}

static void table_fill(struct wasm_compiler *c)
{
	uint32_t i = wasm_u32(&c->in);
	const struct wasm_tabledef *t = table_at(c, i);
	uint32_t at = wasm_address_type(&t->range);
	wasm_emit_three(c, OP_table_fill, at, t->type, at, i, 0);
}

/* 0xfc 12 to 17 */
void wasm_compile_bulk_table(struct wasm_compiler *c, uint32_t op)
{
	uint32_t segment;
	switch (op) {
	case 12:
		table_init(c);
		break;
	case 13:
		segment = wasm_u32(&c->in);
		if (elem_ok(c, segment))
			wasm_emit_wide(c, OP_elem_drop, 0, segment);
		break;
	case 14:
		table_copy(c);
		break;
	case 15:
		table_grow(c);
		break;
	case 16:
		table_size(c);
		break;
	default:
		table_fill(c);
	}
}
