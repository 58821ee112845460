/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes: one for all, one out, one in; what is asked of all of them. */
#include "wasm/jit/build_priv.h"
#include "wasm/jit/jit_priv.h"
#include "wasm/jit/vec_build_priv.h"

static uint32_t from_general(struct jit_fn *f, uint32_t type, uint32_t v)
{
	return jit_vec_typed(f,
		(struct jit_ins){ .cc = V_MOVD,
			.type = JT_V128,
			.in = (uint8_t)type,
			.a = v });
}

uint32_t jit_vec_to_general(struct jit_fn *f, uint32_t vec, uint32_t type,
	uint32_t v, uint32_t lane)
{
	return jit_vec_typed(f,
		(struct jit_ins){ .cc = (uint8_t)vec,
			.type = (uint8_t)type,
			.in = JT_V128,
			.a = v,
			.imm = lane });
}

static uint32_t splat_float(struct jit_fn *f, uint32_t type, uint32_t v)
{
	return jit_vec_typed(f,
		(struct jit_ins){ .cc = V_PSHUFD,
			.type = JT_V128,
			.in = (uint8_t)type,
			.a = v,
			.imm = type == JT_F32 ? 0 : 0x44 });
}

uint32_t jit_vec_spread(struct jit_fn *f, uint32_t v, uint32_t bits)
{
	if (bits == 8 && f->jit->level >= SSSE3)
		return jit_vec(f, V_PSHUFB, v, jit_vec_zero(f), 0);
	if (bits == 8)
		v = jit_vec(f, V_PUNPCKLBW, v, v, 0);
	if (bits <= 16)
		v = jit_vec(f, V_PSHUFLW, v, 0, 0);
	return jit_vec(f, V_PSHUFD, v, 0, bits == 64 ? 0x44 : 0);
}

uint32_t jit_vec_splat(struct jit_fn *f, uint32_t v, uint32_t bits)
{
	uint64_t k;
	if (jit_is_const(f, v, &k))
		return jit_vec_all(f,
			jit_vec_times(bits == 64 ? k : k & ((1ull << bits) - 1),
				bits));
	return jit_vec_spread(f,
		from_general(f, bits == 64 ? JT_I64 : JT_I32, v), bits);
}

uint32_t jit_vec_splat_op(struct jit_fn *f, uint32_t op, uint32_t v)
{
	uint64_t k;
	if (op == OP_f32x4_splat || op == OP_f64x2_splat) {
		bool narrow = op == OP_f32x4_splat;
		if (jit_is_const(f, v, &k))
			return jit_vec_splat(f, v, narrow ? 32 : 64);
		return splat_float(f, narrow ? JT_F32 : JT_F64, v);
	}
	return jit_vec_splat(f, v, 8u << (op - OP_i8x16_splat));
}

static uint32_t extract_float(struct jit_fn *f, uint32_t type, uint32_t v,
	uint32_t lane)
{
	uint32_t imm = type == JT_F32 ? lane : lane ? 0xee : 0;
	return jit_vec_to_general(f, lane ? V_PSHUFD : V_LOW, type, v, imm);
}

uint32_t jit_vec_extract(struct jit_fn *f, uint32_t op, uint32_t v,
	uint32_t lane)
{
	uint32_t n;
	switch (op) {
	case OP_i8x16_extract_lane_s:
	case OP_i8x16_extract_lane_u:
		n = jit_vec_to_general(f, V_PEXTRB, JT_I32, v, lane);
		return op == OP_i8x16_extract_lane_u ?
			n :
			jit_pure2(f, J_EXT8S, JT_I32, n, 0);
	case OP_i16x8_extract_lane_s:
	case OP_i16x8_extract_lane_u:
		n = jit_vec_to_general(f, V_PEXTRW, JT_I32, v, lane);
		return op == OP_i16x8_extract_lane_u ?
			n :
			jit_pure2(f, J_EXT16S, JT_I32, n, 0);
	case OP_i32x4_extract_lane:
		return jit_vec_to_general(f, V_PEXTRD, JT_I32, v, lane);
	case OP_i64x2_extract_lane:
		return jit_vec_to_general(f, V_PEXTRD, JT_I64, v, lane);
	default:
		return extract_float(f,
			op == OP_f32x4_extract_lane ? JT_F32 : JT_F64, v, lane);
	}
}

uint32_t jit_vec_with_lane(struct jit_fn *f, uint32_t vec, uint32_t type,
	uint32_t a, uint32_t b, uint32_t lane)
{
	return jit_vec_typed(f,
		(struct jit_ins){ .cc = (uint8_t)vec,
			.type = JT_V128,
			.in = JT_V128,
			.spare = (uint16_t)type,
			.a = a,
			.b = b,
			.imm = lane });
}

uint32_t jit_vec_replace_float(struct jit_fn *f, uint32_t type, bool narrow,
	uint32_t a, uint32_t b, uint32_t lane)
{
	if (narrow)
		return jit_vec_with_lane(f, V_INSERTPS, type, a, b, lane << 4);
	return lane ? jit_vec_with_lane(f, V_PUNPCKLQDQ, type, a, b, 0) :
		      jit_vec_with_lane(f, V_PBLENDW, type, a, b, 0x0f);
}

uint32_t jit_vec_replace(struct jit_fn *f, uint32_t op, uint32_t a, uint32_t b,
	uint32_t lane)
{
	switch (op) {
	case OP_i8x16_replace_lane:
		return jit_vec_with_lane(f, V_PINSRB, JT_I32, a, b, lane);
	case OP_i16x8_replace_lane:
		return jit_vec_with_lane(f, V_PINSRW, JT_I32, a, b, lane);
	case OP_i32x4_replace_lane:
		return jit_vec_with_lane(f, V_PINSRD, JT_I32, a, b, lane);
	case OP_i64x2_replace_lane:
		return jit_vec_with_lane(f, V_PINSRD, JT_I64, a, b, lane);
	case OP_f32x4_replace_lane:
		return jit_vec_replace_float(f, JT_F32, true, a, b, lane);
	default:
		return jit_vec_replace_float(f, JT_F64, false, a, b, lane);
	}
}

/* --- tests
 * ------------------------------------------------------------------------
 */

static uint32_t any(struct jit_fn *f, uint32_t v)
{
	return jit_vec_to_general(f, V_PTEST, JT_I32, v, 0);
}

uint32_t jit_vec_test(struct jit_fn *f, uint32_t op, uint32_t a)
{
	static const uint8_t equal[] = { V_PCMPEQB, V_PCMPEQW, V_PCMPEQD,
		V_PCMPEQQ };
	uint32_t k;
	switch (op) {
	case OP_v128_any_true:
		return any(f, a);
	case OP_i8x16_bitmask:
		return jit_vec_to_general(f, V_PMOVMSKB, JT_I32, a, 0);
	case OP_i16x8_bitmask:
		return jit_vec_to_general(f, V_PMOVMSKB, JT_I32,
			jit_vec(f, V_PACKSSWB, a, jit_vec_zero(f), 0), 0);
	case OP_i32x4_bitmask:
		return jit_vec_to_general(f, V_MOVMSKPS, JT_I32, a, 0);
	case OP_i64x2_bitmask:
		return jit_vec_to_general(f, V_MOVMSKPD, JT_I32, a, 0);
	default:
		k = op == OP_i8x16_all_true	? 0 :
			op == OP_i16x8_all_true ? 1 :
			op == OP_i32x4_all_true ? 2 :
						  3;
	}
	/* No lane is zero. */
	return jit_pure(f,
		&(struct jit_ins){ .op = J_ICMP,
			.type = JT_I32,
			.cc = CC_E,
			.in = JT_I32,
			.a = any(f,
				jit_vec(f, equal[k], a, jit_vec_zero(f), 0)),
			.b = jit_const(f, 0) });
}
