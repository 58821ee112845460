/* SPDX-License-Identifier: Apache-2.0 */
/* Constants, comparisons, arithmetic, conversions. */
#include "wasm/compile/compile_priv.h"

/* What an instruction with one operand takes, gives and is. */
struct unary {
	uint8_t in, out;
	uint16_t op; /* 0: the bits stay as they are */
};

#define U(name, in, out)                   \
	{                                  \
		T_##in, T_##out, OP_##name \
	}
#define SAME(in, out)              \
	{                          \
		T_##in, T_##out, 0 \
	}
#define FLOAT_UNARY(f, T)                                                     \
	U(f##_abs, T, T), U(f##_neg, T, T), U(f##_ceil, T, T),                \
		U(f##_floor, T, T), U(f##_trunc, T, T), U(f##_nearest, T, T), \
		U(f##_sqrt, T, T)

/* 0xa7 to 0xc4 */
static const struct unary conversions[] = {
	U(i32_wrap_i64, I64, I32),
	U(i32_trunc_f32_s, F32, I32),
	U(i32_trunc_f32_u, F32, I32),
	U(i32_trunc_f64_s, F64, I32),
	U(i32_trunc_f64_u, F64, I32),
	U(i64_extend_i32_s, I32, I64),
	SAME(I32, I64),
	U(i64_trunc_f32_s, F32, I64),
	U(i64_trunc_f32_u, F32, I64),
	U(i64_trunc_f64_s, F64, I64),
	U(i64_trunc_f64_u, F64, I64),
	U(f32_convert_i32_s, I32, F32),
	U(f32_convert_i32_u, I32, F32),
	U(f32_convert_i64_s, I64, F32),
	U(f32_convert_i64_u, I64, F32),
	U(f32_demote_f64, F64, F32),
	U(f64_convert_i32_s, I32, F64),
	U(f64_convert_i32_u, I32, F64),
	U(f64_convert_i64_s, I64, F64),
	U(f64_convert_i64_u, I64, F64),
	U(f64_promote_f32, F32, F64),
	SAME(F32, I32),
	SAME(F64, I64),
	SAME(I32, F32),
	SAME(I64, F64),
	U(i32_extend8_s, I32, I32),
	U(i32_extend16_s, I32, I32),
	U(i64_extend8_s, I64, I64),
	U(i64_extend16_s, I64, I64),
	U(i64_extend32_s, I64, I64),
};

static const struct unary floats[] = { FLOAT_UNARY(f32, F32),
	FLOAT_UNARY(f64, F64) };

static const struct unary counts[] = {
	U(i32_clz, I32, I32),
	U(i32_ctz, I32, I32),
	U(i32_popcnt, I32, I32),
	U(i64_clz, I64, I64),
	U(i64_ctz, I64, I64),
	U(i64_popcnt, I64, I64),
};

/* 0xfc 0 to 7 */
static const struct unary saturating[] = {
	U(i32_trunc_sat_f32_s, F32, I32),
	U(i32_trunc_sat_f32_u, F32, I32),
	U(i32_trunc_sat_f64_s, F64, I32),
	U(i32_trunc_sat_f64_u, F64, I32),
	U(i64_trunc_sat_f32_s, F32, I64),
	U(i64_trunc_sat_f32_u, F32, I64),
	U(i64_trunc_sat_f64_s, F64, I64),
	U(i64_trunc_sat_f64_u, F64, I64),
};

/* Which canonical form the result of an operation has; 0: it makes no NaN of
 * its own, or no float. */
static uint32_t canonical_form(uint32_t op)
{
	if ((op >= OP_f32_ceil && op <= OP_f32_sqrt) ||
		op == OP_f32_demote_f64 ||
		(op >= OP_f32_add && op <= OP_f32_max))
		return OP_canon_f32;
	if ((op >= OP_f64_ceil && op <= OP_f64_sqrt) ||
		op == OP_f64_promote_f32 ||
		(op >= OP_f64_add && op <= OP_f64_max))
		return OP_canon_f64;
	if ((op >= OP_f32x4_ceil && op <= OP_f32x4_nearest) ||
		(op >= OP_f32x4_sqrt && op <= OP_f32x4_max) ||
		op == OP_f32x4_demote_f64x2_zero ||
		op == OP_f32x4_relaxed_madd || op == OP_f32x4_relaxed_nmadd)
		return OP_canon_f32x4;
	if (op == OP_f64x2_ceil || op == OP_f64x2_floor ||
		op == OP_f64x2_trunc || op == OP_f64x2_nearest ||
		(op >= OP_f64x2_sqrt && op <= OP_f64x2_max) ||
		op == OP_f64x2_promote_low_f32x4 ||
		op == OP_f64x2_relaxed_madd || op == OP_f64x2_relaxed_nmadd)
		return OP_canon_f64x2;
	return 0;
}

void wasm_canonical(struct wasm_compiler *c, uint32_t op, uint32_t slot)
{
	uint32_t form = c->m->canonical_nans ? canonical_form(op) : 0;
	if (form)
		wasm_emit_result(c, wasm_emit_op(c, form, slot, slot, 0));
}

static void unary(struct wasm_compiler *c, const struct unary *u)
{
	struct wasm_val v = wasm_pop(c, u->in);
	if (!u->op) {
		/* Wherever the bits are, they mean something else now. */
		v.kind = v.type == T_BOT ? IN_SLOT : v.kind;
		wasm_push_val(c, v, u->out);
		return;
	}
	uint32_t from = wasm_use(c, &v);
	uint32_t to = wasm_push(c, u->out);
	wasm_emit_result(c, wasm_emit_op(c, u->op, to, from, 0));
	wasm_canonical(c, u->op, to);
}

void wasm_compile_saturating(struct wasm_compiler *c, uint32_t op)
{
	unary(c, &saturating[op]);
}

/* Integer instructions have forms with a small constant on the right. */
static inline void emit_int(struct wasm_compiler *c, uint32_t op, uint32_t out,
	const struct wasm_val *l, const struct wasm_val *r)
{
	uint32_t a = wasm_use(c, l), b;
	if (wasm_small(r)) {
		b = wasm_imm(r);
		op++;
	} else {
		b = wasm_use(c, r);
	}
	uint32_t to = wasm_push(c, out);
	wasm_emit_result(c, wasm_emit_op(c, op, to, a, b));
}

static inline void int_compare(struct wasm_compiler *c, uint32_t in, uint32_t i)
{
	/* With the operands exchanged. */
	static const uint8_t mirror[] = { 0, 1, 4, 5, 2, 3, 8, 9, 6, 7 };
	uint32_t base = in == T_I32 ? OP_i32_eq_rr : OP_i64_eq_rr;
	struct wasm_val r = wasm_pop(c, in), l = wasm_pop(c, in);
	if (wasm_small(&l))
		emit_int(c, base + 2u * mirror[i], T_I32, &r, &l);
	else
		emit_int(c, base + 2 * i, T_I32, &l, &r);
}

enum { ADD, SUB, MUL, DIV_S, AND = 7, OR, XOR };

static inline void int_binary(struct wasm_compiler *c, uint32_t t, uint32_t i)
{
	uint32_t base = t == T_I32 ? OP_i32_add_rr : OP_i64_add_rr;
	struct wasm_val r = wasm_pop(c, t), l = wasm_pop(c, t);
	bool commutes = i == ADD || i == MUL || (i >= AND && i <= XOR);
	/* There are more pairs with additions. */
	if (i == SUB && wasm_small(&r) && wasm_imm(&r) != 0x8000) {
		r.v = -r.v;
		if (t == T_I32)
			r.v = (uint32_t)r.v;
		i = ADD;
	}
	if (commutes && wasm_small(&l))
		emit_int(c, base + 2 * i, t, &r, &l);
	else
		emit_int(c, base + 2 * i, t, &l, &r);
}

static void plain_binary(struct wasm_compiler *c, uint32_t op, uint32_t in,
	uint32_t out)
{
	struct wasm_val r = wasm_pop(c, in), l = wasm_pop(c, in);
	uint32_t a = wasm_use(c, &l), b = wasm_use(c, &r);
	uint32_t to = wasm_push(c, out);
	wasm_emit_result(c, wasm_emit_op(c, op, to, a, b));
	wasm_canonical(c, op, to);
}

static void eqz(struct wasm_compiler *c, uint32_t t)
{
	struct wasm_val v = wasm_pop(c, t);
	uint32_t from = wasm_use(c, &v);
	uint32_t to = wasm_push(c, T_I32);
	uint32_t op = t == T_I32 ? OP_i32_eq_rk : OP_i64_eq_rk;
	/* A comparison just made is turned round instead, when it can be. */
	if (c->last != NO_CODE && !c->dead && v.kind == IN_SLOT) {
		union wasm_word *w = &c->m->code[c->last];
		if (w->a == v.slot && w->op >= OP_i32_eq_rr &&
			w->op <= OP_i64_ge_u_rk) {
			static const uint8_t not [] = { 1, 0, 8, 9, 6, 7, 4, 5,
				2, 3 };
			uint32_t i = w->op - OP_i32_eq_rr;
			w->op = (uint16_t)(OP_i32_eq_rr + i / 20 * 20 +
				not [i % 20 / 2] * 2 + (i & 1));
			return;
		}
	}
	wasm_emit_result(c, wasm_emit_op(c, op, to, from, 0));
}

void wasm_compile_const(struct wasm_compiler *c, uint32_t op)
{
	struct wasm_cursor *in = &c->in;
	switch (op) {
	case 0x41:
		wasm_push_const(c, T_I32, (uint32_t)wasm_s32(in));
		break;
	case 0x42:
		wasm_push_const(c, T_I64, (uint64_t)wasm_s64(in));
		break;
	case 0x43:
		wasm_push_const(c, T_F32, wasm_le(in, 4));
		break;
	default:
		wasm_push_const(c, T_F64, wasm_le(in, 8));
	}
}

void wasm_compile_i32_compare(struct wasm_compiler *c, uint32_t op)
{
	int_compare(c, T_I32, op - 0x46);
}

void wasm_compile_i64_compare(struct wasm_compiler *c, uint32_t op)
{
	int_compare(c, T_I64, op - 0x51);
}

void wasm_compile_i32_binary(struct wasm_compiler *c, uint32_t op)
{
	int_binary(c, T_I32, op - 0x6a);
}

void wasm_compile_i64_binary(struct wasm_compiler *c, uint32_t op)
{
	int_binary(c, T_I64, op - 0x7c);
}

void wasm_compile_numeric(struct wasm_compiler *c, uint32_t op)
{
	if (op == 0x45 || op == 0x50)
		eqz(c, op == 0x45 ? T_I32 : T_I64);
	else if (op <= 0x60)
		plain_binary(c, OP_f32_eq + op - 0x5b, T_F32, T_I32);
	else if (op <= 0x66)
		plain_binary(c, OP_f64_eq + op - 0x61, T_F64, T_I32);
	else if (op <= 0x69)
		unary(c, &counts[op - 0x67]);
	else if (op <= 0x7b)
		unary(c, &counts[op - 0x79 + 3]);
	else if (op <= 0x91)
		unary(c, &floats[op - 0x8b]);
	else if (op <= 0x98)
		plain_binary(c, OP_f32_add + op - 0x92, T_F32, T_F32);
	else if (op <= 0x9f)
		unary(c, &floats[op - 0x99 + 7]);
	else if (op <= 0xa6)
		plain_binary(c, OP_f64_add + op - 0xa0, T_F64, T_F64);
	else
		unary(c, &conversions[op - 0xa7]);
}
