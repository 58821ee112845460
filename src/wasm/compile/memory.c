/* SPDX-License-Identifier: Apache-2.0 */
/* Loads, stores, and operations on whole memories. */
#include "wasm/compile/compile_priv.h"

/* Loads 0x28 to 0x35, stores 0x36 to 0x3e: operation, type, log2 of size. */
static const struct {
	uint16_t op;
	uint8_t type, align;
} accesses[] = {
	{ OP_i32_load, T_I32, 2 },
	{ OP_i64_load, T_I64, 3 },
	{ OP_i32_load, T_F32, 2 },
	{ OP_i64_load, T_F64, 3 },
	{ OP_i32_load8_s, T_I32, 0 },
	{ OP_i32_load8_u, T_I32, 0 },
	{ OP_i32_load16_s, T_I32, 1 },
	{ OP_i32_load16_u, T_I32, 1 },
	{ OP_i64_load8_s, T_I64, 0 },
	{ OP_i32_load8_u, T_I64, 0 },
	{ OP_i64_load16_s, T_I64, 1 },
	{ OP_i32_load16_u, T_I64, 1 },
	{ OP_i64_load32_s, T_I64, 2 },
	{ OP_i32_load, T_I64, 2 },
	{ OP_i32_store, T_I32, 2 },
	{ OP_i64_store, T_I64, 3 },
	{ OP_i32_store, T_F32, 2 },
	{ OP_i64_store, T_F64, 3 },
	{ OP_i32_store8, T_I32, 0 },
	{ OP_i32_store16, T_I32, 1 },
	{ OP_i32_store8, T_I64, 0 },
	{ OP_i32_store16, T_I64, 1 },
	{ OP_i32_store, T_I64, 2 },
};

static const struct wasm_range none;

static const struct wasm_range *memory_at(struct wasm_compiler *c, uint32_t i)
{
	if (i >= c->m->memory_count) {
		wasm_compile_fail(c, "unknown memory");
		return &none;
	}
	return &c->m->memories[i].range;
}

uint32_t wasm_address_type(const struct wasm_range *r)
{
	return r->is64 ? T_I64 : T_I32;
}

bool wasm_read_any_memarg(struct wasm_compiler *c, uint32_t align,
	struct wasm_memarg *out)
{
	uint32_t flags = wasm_u32(&c->in);
	out->memory = 0;
	if (flags >= 128)
		wasm_cursor_fail(&c->in, "malformed memop flags");
	if (flags & 64)
		out->memory = wasm_u32(&c->in);
	out->align = flags & 63;
	out->offset = wasm_u64(&c->in);
	if (c->in.why)
		return false;
	const struct wasm_range *r = memory_at(c, out->memory);
	out->is64 = r->is64;
	if (out->align > align)
		wasm_compile_fail(c,
			"alignment must not be larger than natural");
	if (!r->is64 && out->offset > UINT32_MAX)
		wasm_cursor_fail(&c->in, "offset out of range");
	return !c->failed && !c->in.why;
}

/* Around an access to another memory than the first. */
void wasm_enter_memory(struct wasm_compiler *c, const struct wasm_memarg *g)
{
	if (g->memory)
		wasm_emit_wide(c, OP_memory_use, 0, g->memory);
}

void wasm_leave_memory(struct wasm_compiler *c, const struct wasm_memarg *g)
{
	if (g->memory)
		wasm_emit_wide(c, OP_memory_use, 0, 0);
}

/* The instruction in the form that its offset and address need. */
uint32_t wasm_emit_access(struct wasm_compiler *c, uint32_t op, uint32_t a,
	uint32_t b, const struct wasm_memarg *g)
{
	if (!g->is64 && g->offset <= UINT16_MAX)
		return wasm_emit_op(c, op, a, b, (uint32_t)g->offset);
	uint32_t at = wasm_emit_op(c, op + (g->is64 ? 2 : 1), a, b, 0);
	wasm_emit_u64(c, g->offset);
	return at;
}

void wasm_compile_load(struct wasm_compiler *c, uint32_t op)
{
	uint32_t i = op - 0x28;
	struct wasm_memarg *g = &c->arg;
	if (!wasm_read_memarg(c, accesses[i].align, g))
		return;
	struct wasm_val v = wasm_pop(c, g->is64 ? T_I64 : T_I32);
	uint32_t from = wasm_use(c, &v);
	uint32_t to = wasm_push(c, accesses[i].type);
	wasm_enter_memory(c, g);
	uint32_t at = wasm_emit_access(c, accesses[i].op, to, from, g);
	wasm_emit_result(c, g->memory ? NO_CODE : at);
	wasm_leave_memory(c, g);
}

void wasm_compile_store(struct wasm_compiler *c, uint32_t op)
{
	uint32_t i = op - 0x28;
	struct wasm_memarg *g = &c->arg;
	if (!wasm_read_memarg(c, accesses[i].align, g))
		return;
	struct wasm_val v = wasm_pop(c, accesses[i].type);
	struct wasm_val at = wasm_pop(c, g->is64 ? T_I64 : T_I32);
	uint32_t to = wasm_use(c, &at), from = wasm_use(c, &v);
	wasm_enter_memory(c, g);
	wasm_emit_access(c, accesses[i].op, from, to, g);
	wasm_leave_memory(c, g);
}

static void size_or_grow(struct wasm_compiler *c, bool grow)
{
	uint32_t i = wasm_u32(&c->in);
	uint32_t t = wasm_address_type(memory_at(c, i));
	if (c->in.why || c->failed)
		return;
	if (!grow) {
		uint32_t to = wasm_push(c, t);
		wasm_emit_result(c, wasm_emit_wide(c, OP_memory_size, to, i));
		return;
	}
	struct wasm_val v = wasm_pop(c, t);
	uint32_t from = wasm_use(c, &v);
	uint32_t to = wasm_push(c, t);
	uint32_t at = wasm_emit_op(c, OP_memory_grow, to, from, 0);
	wasm_emit_pair(c, i, 0);
	wasm_emit_result(c, at);
}

void wasm_compile_memory(struct wasm_compiler *c, uint32_t op)
{
	size_or_grow(c, op == 0x40);
}

/* An operation on three popped operands and a pair of numbers. */
void wasm_emit_three(struct wasm_compiler *c, uint32_t op, uint32_t ta,
	uint32_t tb, uint32_t tc, uint32_t low, uint32_t high)
{
	struct wasm_val n = wasm_pop(c, tc), b = wasm_pop(c, tb);
	struct wasm_val a = wasm_pop(c, ta);
	uint32_t ra = wasm_use(c, &a), rb = wasm_use(c, &b);
	uint32_t rn = wasm_use(c, &n);
	wasm_emit_op(c, op, ra, rb, rn);
	wasm_emit_pair(c, low, high);
}

static bool check_data(struct wasm_compiler *c, uint32_t segment)
{
	if (!c->m->has_data_count)
		wasm_cursor_fail(&c->in, "data count section required");
	else if (segment >= c->m->declared_data_count)
		wasm_compile_fail(c, "unknown data segment");
	return !c->failed && !c->in.why;
}

static void memory_init(struct wasm_compiler *c)
{
	uint32_t segment = wasm_u32(&c->in), memory = wasm_u32(&c->in);
	uint32_t t = wasm_address_type(memory_at(c, memory));
	if (check_data(c, segment))
		wasm_emit_three(c, OP_memory_init, t, T_I32, T_I32, segment,
			memory);
}

static void memory_copy(struct wasm_compiler *c)
{
	uint32_t to = wasm_u32(&c->in), from = wasm_u32(&c->in);
	uint32_t t = wasm_address_type(memory_at(c, to));
	uint32_t f = wasm_address_type(memory_at(c, from));
	uint32_t n = t == T_I64 && f == T_I64 ? T_I64 : T_I32;
	if (!c->failed)
		wasm_emit_three(c, OP_memory_copy, t, f, n, from, to);
}

static void memory_fill(struct wasm_compiler *c)
{
	uint32_t i = wasm_u32(&c->in);
	uint32_t t = wasm_address_type(memory_at(c, i));
	if (!c->failed)
		wasm_emit_three(c, OP_memory_fill, t, T_I32, t, i, 0);
}

/* 0xfc 8 to 11 */
void wasm_compile_bulk_memory(struct wasm_compiler *c, uint32_t op)
{
	uint32_t segment;
	switch (op) {
	case 8:
		memory_init(c);
		break;
	case 9:
		segment = wasm_u32(&c->in);
		if (check_data(c, segment))
			wasm_emit_wide(c, OP_data_drop, 0, segment);
		break;
	case 10:
		memory_copy(c);
		break;
	default:
		memory_fill(c);
	}
}
