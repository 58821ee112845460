/* SPDX-License-Identifier: Apache-2.0 */
/* Tests and casts of references, and branches on them. */
#include "wasm/compile/compile_priv.h"

/* Whether the reference in `from` is one of `heap` (or null, when allowed),
 * into register `to`. */
static uint32_t emit_test(struct wasm_compiler *c, uint32_t op, uint32_t to,
	uint32_t from, uint32_t type)
{
	uint32_t heap = t_heap(type);
	uint32_t at = wasm_emit_op(c, op, to, from, t_nullable(type));
	wasm_emit_pair(c, heap, wasm_heap_top(c->m, heap));
	return at;
}

/* The operand may be any of the type's hierarchy. */
static struct wasm_val pop_like(struct wasm_compiler *c, uint32_t type)
{
	return wasm_pop(c, t_ref(wasm_heap_top(c->m, t_heap(type)), true));
}

static uint32_t read_target(struct wasm_compiler *c, bool nullable)
{
	return t_ref(wasm_read_heap(&c->in, c->m->type_count), nullable);
}

static void test(struct wasm_compiler *c, bool nullable)
{
	uint32_t type = read_target(c, nullable);
	if (c->in.why)
		return;
	struct wasm_val v = pop_like(c, type);
	uint32_t from = wasm_use(c, &v);
	uint32_t to = wasm_push(c, T_I32);
	wasm_emit_result(c, emit_test(c, OP_ref_test, to, from, type));
}

static void cast(struct wasm_compiler *c, bool nullable)
{
	uint32_t type = read_target(c, nullable);
	if (c->in.why)
		return;
	struct wasm_val v = pop_like(c, type);
	emit_test(c, OP_ref_cast, 0, wasm_use(c, &v), type);
	wasm_push_val(c, v, type);
}

/* What is left of `from` when it is not a `to`. */
static uint32_t difference(uint32_t from, uint32_t to)
{
	return t_nullable(to) ? t_ref(t_heap(from), false) : from;
}

static void br_on_cast(struct wasm_compiler *c, bool fail)
{
	uint8_t flags = wasm_u8(&c->in);
	uint32_t depth = wasm_u32(&c->in);
	uint32_t from = read_target(c, flags & 1);
	uint32_t to = read_target(c, flags & 2);
	if (flags > 3)
		wasm_cursor_fail(&c->in, "malformed br_on_cast flags");
	if (c->in.why)
		return;
	if (!wasm_type_sub(c->m, to, from)) {
		wasm_compile_fail(c, "type mismatch: cast to another type");
		return;
	}
	struct wasm_val v = wasm_pop(c, from);
	uint32_t rest = difference(from, to), reg = wasm_use(c, &v);
	wasm_push_val(c, v, from);
	/* The outcome lies above everything, and is used at once. */
	uint32_t outcome = wasm_push(c, T_I32);
	emit_test(c, OP_ref_test, outcome, reg, to);
	wasm_pop_any(c);
	v = wasm_pop_any(c);
	wasm_push_val(c, v, fail ? rest : to);
	wasm_check_top(c, wasm_ctl_at(c, depth), true);
	wasm_branch_on(c, depth, fail ? OP_br_z : OP_br_nz, outcome);
	v = wasm_pop_any(c);
	wasm_push_val(c, v, fail ? to : rest);
}

/* 0xfb 20 to 25 */
void wasm_compile_cast(struct wasm_compiler *c, uint32_t op)
{
	switch (op) {
	case 20:
	case 21:
		test(c, op == 21);
		break;
	case 22:
	case 23:
		cast(c, op == 23);
		break;
	default:
		br_on_cast(c, op == 25);
	}
}
