/* SPDX-License-Identifier: Apache-2.0 */
/* Atomic instructions: what comes after 0xfe. */
#include "wasm/compile/compile_priv.h"

/* From 0x10 on there are groups of seven, for these accesses. */
static const struct {
	uint8_t type, log2;
	uint16_t width; /* position in a list of operations */
} accesses[] = {
	{ T_I32, 2, 0 },
	{ T_I64, 3, 1 },
	{ T_I32, 0, 2 },
	{ T_I32, 1, 3 },
	{ T_I64, 0, 2 },
	{ T_I64, 1, 3 },
	{ T_I64, 2, 0 },
};

enum { LOAD, STORE, CMPXCHG = 8, GROUP = 7, FIRST = 0x10, LAST = 0x4e };

static bool read(struct wasm_compiler *c, uint32_t log2, struct wasm_memarg *g)
{
	if (!wasm_read_memarg(c, log2, g))
		return false;
	if (g->align != log2)
		wasm_compile_fail(c, "atomic alignment must be natural");
	return !c->failed;
}

/* Two words, always with a wide offset. */
static void emit(struct wasm_compiler *c, uint32_t op,
	const struct wasm_memarg *g, uint32_t a, const uint32_t r[3])
{
	wasm_enter_memory(c, g);
	wasm_emit_op(c, op + (g->is64 ? 1 : 0), a, r[0], r[1]);
	wasm_emit_u64(c, g->offset);
}

static void operands(struct wasm_compiler *c, const uint32_t *types, int n,
	uint32_t *regs)
{
	struct wasm_val v[3];
	for (int i = n; i-- > 0;)
		v[i] = wasm_pop(c, types[i]);
	for (int i = 0; i < n; i++)
		regs[i] = wasm_use(c, &v[i]);
}

static void access(struct wasm_compiler *c, uint32_t kind, uint32_t i)
{
	struct wasm_memarg g;
	uint32_t r[3] = { 0 }, t = accesses[i].type;
	if (!read(c, accesses[i].log2, &g))
		return;
	const uint32_t types[] = { g.is64 ? T_I64 : T_I32, t, t };
	operands(c, types, kind == LOAD ? 1 : kind == CMPXCHG ? 3 : 2, r);
	/* Lists of four widths, each in two forms. */
	uint32_t op = OP_atomic_load32_far + kind * 8 + accesses[i].width * 2;
	emit(c, op, &g, kind == STORE ? r[1] : wasm_push(c, t), r);
	if (kind == CMPXCHG)
		wasm_emit_pair(c, r[2] << 16, 0);
	wasm_leave_memory(c, &g);
}

static void notify(struct wasm_compiler *c)
{
	struct wasm_memarg g;
	uint32_t r[3] = { 0 };
	if (!read(c, 2, &g))
		return;
	operands(c, (const uint32_t[]){ g.is64 ? T_I64 : T_I32, T_I32 }, 2, r);
	emit(c, OP_atomic_notify_far, &g, wasm_push(c, T_I32), r);
	wasm_emit_pair(c, 0, g.memory);
	wasm_leave_memory(c, &g);
}

static void wait(struct wasm_compiler *c, bool wide)
{
	struct wasm_memarg g;
	uint32_t r[3] = { 0 };
	if (!read(c, wide ? 3 : 2, &g))
		return;
	const uint32_t types[] = { g.is64 ? T_I64 : T_I32, wide ? T_I64 : T_I32,
		T_I64 };
	operands(c, types, 3, r);
	emit(c, wide ? OP_atomic_wait64_far : OP_atomic_wait32_far, &g,
		wasm_push(c, T_I32), r);
	wasm_emit_pair(c, r[2] << 16, g.memory);
	wasm_leave_memory(c, &g);
}

void wasm_compile_atomic(struct wasm_compiler *c)
{
	uint32_t op = wasm_u32(&c->in);
	if (op == 0)
		notify(c);
	else if (op <= 2)
		wait(c, op == 2);
	else if (op == 3 && wasm_u8(&c->in) == 0)
		return; /* a fence: accesses are in order */
	else if (op >= FIRST && op <= LAST)
		access(c, (op - FIRST) / GROUP, (op - FIRST) % GROUP);
	else
		wasm_cursor_fail(&c->in, "illegal opcode");
}
