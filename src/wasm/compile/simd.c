/* SPDX-License-Identifier: Apache-2.0 */
/* Vector instructions: what comes after 0xfd. */
#include "wasm/compile/compile_priv.h"

enum shape {
	NOTHING,
	UNARY,
	BINARY,
	TERNARY,
	SHIFT,
	TEST,
	SPLAT,
	EXTRACT_I32,
	EXTRACT_I64,
	EXTRACT_F32,
	EXTRACT_F64,
	REPLACE_I32,
	REPLACE_I64,
	REPLACE_F32,
	REPLACE_F64,
	LOAD,
	STORE,
	LOAD_LANE,
	STORE_LANE,
};

static const struct simd {
	uint16_t op;
	uint8_t shape, aux;
} table[0x114] = {
#define ENTRY(code, n, shape, aux) [code] = { OP_##n, shape, aux },
	/* clang-format off */
	WASM_SIMD_PLAIN(ENTRY)
	WASM_SIMD_MEMORY(ENTRY)
	WASM_SIMD_SAME(ENTRY)
	/* clang-format on */
};

static uint32_t lane(struct wasm_compiler *c, uint32_t lanes)
{
	uint8_t i = wasm_u8(&c->in);
	if (i >= lanes)
		wasm_compile_fail(c, "invalid lane index");
	return i;
}

/* Pops n operands of the types, the last one first; their registers. */
static void operands(struct wasm_compiler *c, const uint32_t *types, int n,
	uint32_t regs[3])
{
	struct wasm_val v[3];
	for (int i = n; i-- > 0;)
		v[i] = wasm_pop(c, types[i]);
	for (int i = 0; i < n; i++)
		regs[i] = wasm_use(c, &v[i]);
}

static void plain(struct wasm_compiler *c, const struct simd *s,
	const uint32_t *types, int n, uint32_t out)
{
	uint32_t r[3] = { 0 };
	operands(c, types, n, r);
	uint32_t to = wasm_push(c, out);
	uint32_t at = wasm_emit_op(c, s->op, to, r[0], r[1]);
	if (n == 3)
		wasm_emit_pair(c, r[2] << 16, 0);
	wasm_emit_result(c, at);
	wasm_canonical(c, s->op, to);
}

static void extract(struct wasm_compiler *c, const struct simd *s, uint32_t t)
{
	uint32_t i = lane(c, s->aux), r[3];
	operands(c, (const uint32_t[]){ T_V128 }, 1, r);
	uint32_t to = wasm_push(c, t);
	wasm_emit_result(c, wasm_emit_op(c, s->op, to, r[0], i));
}

static void replace(struct wasm_compiler *c, const struct simd *s, uint32_t t)
{
	uint32_t i = lane(c, s->aux), r[3];
	operands(c, (const uint32_t[]){ T_V128, t }, 2, r);
	uint32_t to = wasm_push(c, T_V128);
	uint32_t at = wasm_emit_op(c, s->op, to, r[0], r[1]);
	wasm_emit_pair(c, i << 16, 0);
	wasm_emit_result(c, at);
}

static void access(struct wasm_compiler *c, const struct simd *s)
{
	struct wasm_memarg g;
	bool lanes = s->shape == LOAD_LANE || s->shape == STORE_LANE;
	uint32_t i = 0, r[3] = { 0 };
	if (!wasm_read_memarg(c, s->aux, &g))
		return;
	if (lanes)
		i = lane(c, 16u >> s->aux);
	const uint32_t types[] = { g.is64 ? T_I64 : T_I32, T_V128 };
	operands(c, types, s->shape == LOAD ? 1 : 2, r);
	bool makes = s->shape == LOAD || s->shape == LOAD_LANE;
	uint32_t a = makes ? wasm_push(c, T_V128) : r[1];
	wasm_enter_memory(c, &g);
	uint32_t at = wasm_emit_access(c, s->op, a, r[0], &g);
	if (lanes)
		wasm_emit_pair(c, r[1] << 16, i);
	if (makes && !g.memory)
		wasm_emit_result(c, at);
	wasm_leave_memory(c, &g);
}

static void constant(struct wasm_compiler *c)
{
	uint64_t low = wasm_le(&c->in, 8), high = wasm_le(&c->in, 8);
	uint32_t to = wasm_push(c, T_V128);
	uint32_t at = wasm_emit_op(c, OP_const128, to, 0, 0);
	wasm_emit_u64(c, low);
	wasm_emit_u64(c, high);
	wasm_emit_result(c, at);
}

static void shuffle(struct wasm_compiler *c)
{
	uint64_t lanes[2] = { 0 };
	uint32_t r[3];
	for (uint32_t i = 0; i < 16; i++)
		lanes[i / 8] |= (uint64_t)lane(c, 32) << i % 8 * 8;
	operands(c, (const uint32_t[]){ T_V128, T_V128 }, 2, r);
	uint32_t to = wasm_push(c, T_V128);
	uint32_t at = wasm_emit_op(c, OP_v128_shuffle, to, r[0], r[1]);
	wasm_emit_u64(c, lanes[0]);
	wasm_emit_u64(c, lanes[1]);
	wasm_emit_result(c, at);
}

static void by_shape(struct wasm_compiler *c, const struct simd *s)
{
	static const uint32_t scalars[] = { T_I32, T_I64, T_F32, T_F64 };
	static const uint32_t v[] = { T_V128, T_V128, T_V128 };
	static const uint32_t shift[] = { T_V128, T_I32 };
	uint32_t from = s->aux;
	switch (s->shape) {
	case UNARY:
	case BINARY:
	case TERNARY:
		plain(c, s, v, s->shape - UNARY + 1, T_V128);
		break;
	case SHIFT:
		plain(c, s, shift, 2, T_V128);
		break;
	case TEST:
		plain(c, s, v, 1, T_I32);
		break;
	case SPLAT:
		plain(c, s, &from, 1, T_V128);
		break;
	case EXTRACT_I32:
	case EXTRACT_I64:
	case EXTRACT_F32:
	case EXTRACT_F64:
		extract(c, s, scalars[s->shape - EXTRACT_I32]);
		break;
	case REPLACE_I32:
	case REPLACE_I64:
	case REPLACE_F32:
	case REPLACE_F64:
		replace(c, s, scalars[s->shape - REPLACE_I32]);
		break;
	case NOTHING:
		wasm_cursor_fail(&c->in, "illegal opcode");
		break;
	default:
		access(c, s);
	}
}

void wasm_compile_simd(struct wasm_compiler *c)
{
	uint32_t op = wasm_u32(&c->in);
	if (op == 0x0c)
		constant(c);
	else if (op == 0x0d)
		shuffle(c);
	else if (op < ARRAY_LEN(table))
		by_shape(c, &table[op]);
	else
		wasm_cursor_fail(&c->in, "illegal opcode");
}
