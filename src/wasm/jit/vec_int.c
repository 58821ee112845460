/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on integers that take several of the machine's instructions. */
#include "wasm/jit/build_priv.h"
#include "wasm/jit/jit_priv.h"
#include "wasm/jit/vec_build_priv.h"

/* Within words, and what came over from the neighbour is cut off. */
uint32_t jit_vec_shift_bytes(struct jit_fn *f, uint32_t op, uint32_t a,
	uint32_t n)
{
	bool left = op == OP_i8x16_shl;
	n = jit_vec_count(f, n, 8);
	uint32_t mask = jit_pure2(f, left ? J_SHL : J_SHR, JT_I32,
		jit_const(f, 0xff), n);
	uint32_t v = jit_vec_shift(f, left ? V_PSLLW : V_PSRLW, a, n);
	v = jit_vec(f, V_PAND, v, jit_vec_splat(f, mask, 8), 0);
	if (op != OP_i8x16_shr_s)
		return v;
	/* The sign, where it is now: (v ^ sign) - sign */
	uint32_t sign = jit_vec_splat(f,
		jit_pure2(f, J_SHR, JT_I32, jit_const(f, 0x80), n), 8);
	return jit_vec(f, V_PSUBB, jit_vec(f, V_PXOR, v, sign, 0), sign, 0);
}

uint32_t jit_vec_shift_signed64(struct jit_fn *f, uint32_t a, uint32_t n)
{
	uint64_t k;
	n = jit_vec_count(f, n, 64);
	uint32_t sign = jit_is_const(f, n, &k) ?
		jit_vec_all(f, 1ull << 63 >> k) :
		jit_vec_shift(f, V_PSRLQ, jit_vec_all(f, 1ull << 63), n);
	uint32_t v = jit_vec_shift(f, V_PSRLQ, a, n);
	return jit_vec(f, V_PSUBQ, jit_vec(f, V_PXOR, v, sign, 0), sign, 0);
}

uint32_t jit_vec_abs64(struct jit_fn *f, uint32_t a)
{
	uint32_t sign = jit_vec_shift_by(f, V_PSRAD,
		jit_vec(f, V_PSHUFD, a, 0, 0xf5), 31);
	return jit_vec(f, V_PSUBQ, jit_vec(f, V_PXOR, a, sign, 0), sign, 0);
}

uint32_t jit_vec_mul64(struct jit_fn *f, uint32_t a, uint32_t b)
{
	uint32_t x = jit_vec(f, V_PMULUDQ, jit_vec_shift_by(f, V_PSRLQ, a, 32),
		b, 0);
	uint32_t y = jit_vec(f, V_PMULUDQ, jit_vec_shift_by(f, V_PSRLQ, b, 32),
		a, 0);
	uint32_t high =
		jit_vec_shift_by(f, V_PSLLQ, jit_vec(f, V_PADDQ, x, y, 0), 32);
	return jit_vec(f, V_PADDQ, jit_vec(f, V_PMULUDQ, a, b, 0), high, 0);
}

/* How many bits each number up to 15 has. */
uint32_t jit_vec_popcnt(struct jit_fn *f, uint32_t a)
{
	uint32_t table = jit_k128(f, 0x0302020102010100, 0x0403030203020201);
	uint32_t mask = jit_vec_all(f, jit_vec_times(0x0f, 8));
	uint32_t low = jit_vec(f, V_PAND, a, mask, 0);
	uint32_t high =
		jit_vec(f, V_PAND, jit_vec_shift_by(f, V_PSRLW, a, 4), mask, 0);
	return jit_vec(f, V_PADDB, jit_vec(f, V_PSHUFB, table, low, 0),
		jit_vec(f, V_PSHUFB, table, high, 0), 0);
}

static uint32_t high_half(struct jit_fn *f, uint32_t a)
{
	return jit_vec(f, V_PSHUFD, a, 0, 0xee);
}

uint32_t jit_vec_extend_high(struct jit_fn *f, uint32_t op, uint32_t a)
{
	switch (op) {
	case OP_i16x8_extend_high_i8x16_s:
		return jit_vec_shift_by(f, V_PSRAW,
			jit_vec(f, V_PUNPCKHBW, a, a, 0), 8);
	case OP_i16x8_extend_high_i8x16_u:
		return jit_vec(f, V_PUNPCKHBW, a, jit_vec_zero(f), 0);
	case OP_i32x4_extend_high_i16x8_s:
		return jit_vec_shift_by(f, V_PSRAD,
			jit_vec(f, V_PUNPCKHWD, a, a, 0), 16);
	case OP_i32x4_extend_high_i16x8_u:
		return jit_vec(f, V_PUNPCKHWD, a, jit_vec_zero(f), 0);
	case OP_i64x2_extend_high_i32x4_s:
		return jit_vec(f, V_PMOVSXDQ, high_half(f, a), 0, 0);
	default:
		return jit_vec(f, V_PUNPCKHDQ, a, jit_vec_zero(f), 0);
	}
}

uint32_t jit_vec_mul_bytes(struct jit_fn *f, uint32_t op, uint32_t a,
	uint32_t b)
{
	bool is_signed = op == OP_i16x8_extmul_low_i8x16_s ||
		op == OP_i16x8_extmul_high_i8x16_s;
	if (op == OP_i16x8_extmul_high_i8x16_s ||
		op == OP_i16x8_extmul_high_i8x16_u) {
		uint32_t how = is_signed ? OP_i16x8_extend_high_i8x16_s :
					   OP_i16x8_extend_high_i8x16_u;
		return jit_vec(f, V_PMULLW, jit_vec_extend_high(f, how, a),
			jit_vec_extend_high(f, how, b), 0);
	}
	uint32_t how = is_signed ? V_PMOVSXBW : V_PMOVZXBW;
	return jit_vec(f, V_PMULLW, jit_vec(f, how, a, 0, 0),
		jit_vec(f, how, b, 0, 0), 0);
}

/* Lower and upper halves of the products, put together. */
uint32_t jit_vec_mul_words(struct jit_fn *f, uint32_t op, uint32_t a,
	uint32_t b)
{
	bool is_signed = op == OP_i32x4_extmul_low_i16x8_s ||
		op == OP_i32x4_extmul_high_i16x8_s;
	bool high = op == OP_i32x4_extmul_high_i16x8_s ||
		op == OP_i32x4_extmul_high_i16x8_u;
	uint32_t low = jit_vec(f, V_PMULLW, a, b, 0);
	uint32_t upper = jit_vec(f, is_signed ? V_PMULHW : V_PMULHUW, a, b, 0);
	return jit_vec(f, high ? V_PUNPCKHWD : V_PUNPCKLWD, low, upper, 0);
}

uint32_t jit_vec_mul_doubles(struct jit_fn *f, uint32_t op, uint32_t a,
	uint32_t b)
{
	bool is_signed = op == OP_i64x2_extmul_low_i32x4_s ||
		op == OP_i64x2_extmul_high_i32x4_s;
	bool high = op == OP_i64x2_extmul_high_i32x4_s ||
		op == OP_i64x2_extmul_high_i32x4_u;
	uint64_t imm = high ? 0xfa : 0x50;
	return jit_vec(f, is_signed ? V_PMULDQ : V_PMULUDQ,
		jit_vec(f, V_PSHUFD, a, 0, imm),
		jit_vec(f, V_PSHUFD, b, 0, imm), 0);
}

uint32_t jit_vec_add_pairs(struct jit_fn *f, uint32_t op, uint32_t a)
{
	uint32_t ones8 = jit_vec_all(f, jit_vec_times(1, 8)),
		 ones16 = jit_vec_all(f, jit_vec_times(1, 16));
	switch (op) {
	case OP_i16x8_extadd_pairwise_i8x16_s:
		return jit_vec(f, V_PMADDUBSW, ones8, a, 0);
	case OP_i16x8_extadd_pairwise_i8x16_u:
		return jit_vec(f, V_PMADDUBSW, a, ones8, 0);
	case OP_i32x4_extadd_pairwise_i16x8_s:
		return jit_vec(f, V_PMADDWD, a, ones16, 0);
	default:
		/* Signed, with 2^15 taken off each before. */
		a = jit_vec(f, V_PXOR, a,
			jit_vec_all(f, jit_vec_times(0x8000, 16)), 0);
		a = jit_vec(f, V_PMADDWD, a, ones16, 0);
		return jit_vec(f, V_PADDD, a,
			jit_vec_all(f, jit_vec_times(0x10000, 32)), 0);
	}
}

/* Only -1 * -1 is out of range, and comes out as -1. */
uint32_t jit_vec_mul_q15(struct jit_fn *f, uint32_t a, uint32_t b)
{
	uint32_t v = jit_vec(f, V_PMULHRSW, a, b, 0);
	return jit_vec(f, V_PXOR, v,
		jit_vec(f, V_PCMPEQW, v,
			jit_vec_all(f, jit_vec_times(0x8000, 16)), 0),
		0);
}

/* Bytes with even numbers or odd ones as words. */
static uint32_t odd_bytes(struct jit_fn *f, uint32_t a)
{
	return jit_vec_shift_by(f, V_PSRAW, a, 8);
}

static uint32_t even_bytes(struct jit_fn *f, uint32_t a)
{
	return odd_bytes(f, jit_vec_shift_by(f, V_PSLLW, a, 8));
}

uint32_t jit_vec_dot(struct jit_fn *f, uint32_t multiply, uint32_t add,
	uint32_t a, uint32_t b)
{
	return jit_vec(f, add,
		jit_vec(f, multiply, even_bytes(f, a), even_bytes(f, b), 0),
		jit_vec(f, multiply, odd_bytes(f, a), odd_bytes(f, b), 0), 0);
}
