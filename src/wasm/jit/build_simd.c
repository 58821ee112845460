/* SPDX-License-Identifier: Apache-2.0 */
/* Vector instructions become those of the machine. */
#include "wasm/jit/build_priv.h"
#include "wasm/jit/jit_priv.h"
#include "wasm/jit/simd_priv.h"

/* clang-format off */
const struct jit_vec_entry jit_vecs[V_COUNT] = {
#define ENTRY(name, prefix, map, op, form, level) \
	[V_##name] = { #name, X64(prefix, map, op), VF_##form, level },
	JIT_VECS(ENTRY)
#undef ENTRY
};
/* clang-format on */

/* Predicates of CMPPS and CMPPD; those that are missing exchange operands. */
enum { CMP_EQ, CMP_LT, CMP_LE, CMP_UNORD, CMP_NE };

/* --- making instructions -----------------------------------------------------
 */

uint32_t jit_k128(struct jit_fn *f, uint64_t low, uint64_t high)
{
	return jit_pure(f,
		(struct jit_ins){ .op = J_K128,
			.type = JT_V128,
			.imm = low,
			.a = (uint32_t)high,
			.b = (uint32_t)(high >> 32) });
}

uint64_t jit_k128_high(const struct jit_ins *k)
{
	return (uint64_t)k->b << 32 | k->a;
}

void jit_k128_bytes(const struct jit_ins *k, uint8_t bytes[16])
{
	uint64_t v[2] = { k->imm, jit_k128_high(k) };
	memcpy(bytes, v, sizeof v);
}

bool jit_is_any(const struct jit_ins *i)
{
	return i->op == J_VEC && i->cc == V_PTEST;
}

/* With types for what is no vector. */
static uint32_t typed(struct jit_fn *f, struct jit_ins i)
{
	if (f->jit->level < jit_vecs[i.cc].level)
		f->lacking = true;
	i.op = J_VEC;
	return jit_pure(f, i);
}

uint32_t jit_vec(struct jit_fn *f, uint32_t vec, uint32_t a, uint32_t b,
	uint64_t imm)
{
	/* Constants come second, where they may lie in memory. */
	bool turn = jit_vecs[vec].form == VF_SAME && f->ins[a].op == J_K128;
	return typed(f,
		(struct jit_ins){ .cc = (uint8_t)vec,
			.type = JT_V128,
			.in = JT_V128,
			.spare = b ? JT_V128 : JT_NONE,
			.a = turn ? b : a,
			.b = turn ? a : b,
			.imm = imm });
}

static uint32_t all(struct jit_fn *f, uint64_t v)
{
	return jit_k128(f, v, v);
}

static uint64_t times(uint64_t v, uint32_t bits)
{
	for (; bits < 64; bits *= 2)
		v |= v << bits;
	return v;
}

static uint32_t zero(struct jit_fn *f)
{
	return all(f, 0);
}

static uint32_t not(struct jit_fn * f, uint32_t v)
{
	return jit_vec(f, V_PXOR, v, all(f, UINT64_MAX), 0);
}

/* Where the mask has ones a, else b. */
static uint32_t pick(struct jit_fn *f, uint32_t mask, uint32_t a, uint32_t b)
{
	return jit_vec(f, V_POR, jit_vec(f, V_PAND, a, mask, 0),
		jit_vec(f, V_PANDN, mask, b, 0), 0);
}

static uint32_t k32(struct jit_fn *f, uint32_t v)
{
	return jit_const(f, v);
}

/* Of a shift; the machine's shifts by a register count further. */
static uint32_t count_of(struct jit_fn *f, uint32_t n, uint32_t bits)
{
	return jit_pure2(f, J_AND, JT_I32, n, k32(f, bits - 1));
}

static uint32_t shift(struct jit_fn *f, uint32_t vec, uint32_t a, uint32_t n)
{
	uint64_t k;
	if (jit_is_const(f, n, &k) && !k)
		return a;
	return typed(f,
		(struct jit_ins){ .cc = (uint8_t)vec,
			.type = JT_V128,
			.in = JT_V128,
			.spare = JT_I32,
			.a = a,
			.b = n });
}

static uint32_t shift_by(struct jit_fn *f, uint32_t vec, uint32_t a, uint32_t n)
{
	return shift(f, vec, a, k32(f, n));
}

/* --- lanes and scalars
 * ---------------------------------------------------------
 */

static uint32_t from_general(struct jit_fn *f, uint32_t type, uint32_t v)
{
	return typed(f,
		(struct jit_ins){ .cc = V_MOVD,
			.type = JT_V128,
			.in = (uint8_t)type,
			.a = v });
}

static uint32_t to_general(struct jit_fn *f, uint32_t vec, uint32_t type,
	uint32_t v, uint32_t lane)
{
	return typed(f,
		(struct jit_ins){ .cc = (uint8_t)vec,
			.type = (uint8_t)type,
			.in = JT_V128,
			.a = v,
			.imm = lane });
}

static uint32_t splat_float(struct jit_fn *f, uint32_t type, uint32_t v)
{
	return typed(f,
		(struct jit_ins){ .cc = V_PSHUFD,
			.type = JT_V128,
			.in = (uint8_t)type,
			.a = v,
			.imm = type == JT_F32 ? 0 : 0x44 });
}

/* The lowest `bits` bits of what is in a vector register already. */
static uint32_t spread(struct jit_fn *f, uint32_t v, uint32_t bits)
{
	if (bits == 8 && f->jit->level >= SSSE3)
		return jit_vec(f, V_PSHUFB, v, zero(f), 0);
	if (bits == 8)
		v = jit_vec(f, V_PUNPCKLBW, v, v, 0);
	if (bits <= 16)
		v = jit_vec(f, V_PSHUFLW, v, 0, 0);
	return jit_vec(f, V_PSHUFD, v, 0, bits == 64 ? 0x44 : 0);
}

static uint32_t splat(struct jit_fn *f, uint32_t v, uint32_t bits)
{
	uint64_t k;
	if (jit_is_const(f, v, &k))
		return all(f,
			times(bits == 64 ? k : k & ((1ull << bits) - 1), bits));
	return spread(f, from_general(f, bits == 64 ? JT_I64 : JT_I32, v),
		bits);
}

static uint32_t splat_op(struct jit_fn *f, uint32_t op, uint32_t v)
{
	uint64_t k;
	if (op == OP_f32x4_splat || op == OP_f64x2_splat) {
		bool narrow = op == OP_f32x4_splat;
		if (jit_is_const(f, v, &k))
			return splat(f, v, narrow ? 32 : 64);
		return splat_float(f, narrow ? JT_F32 : JT_F64, v);
	}
	return splat(f, v, 8u << (op - OP_i8x16_splat));
}

static uint32_t extract_float(struct jit_fn *f, uint32_t type, uint32_t v,
	uint32_t lane)
{
	uint32_t imm = type == JT_F32 ? lane : lane ? 0xee : 0;
	return to_general(f, lane ? V_PSHUFD : V_LOW, type, v, imm);
}

static uint32_t extract(struct jit_fn *f, uint32_t op, uint32_t v,
	uint32_t lane)
{
	uint32_t n;
	switch (op) {
	case OP_i8x16_extract_lane_s:
	case OP_i8x16_extract_lane_u:
		n = to_general(f, V_PEXTRB, JT_I32, v, lane);
		return op == OP_i8x16_extract_lane_u ?
			n :
			jit_pure2(f, J_EXT8S, JT_I32, n, 0);
	case OP_i16x8_extract_lane_s:
	case OP_i16x8_extract_lane_u:
		n = to_general(f, V_PEXTRW, JT_I32, v, lane);
		return op == OP_i16x8_extract_lane_u ?
			n :
			jit_pure2(f, J_EXT16S, JT_I32, n, 0);
	case OP_i32x4_extract_lane:
		return to_general(f, V_PEXTRD, JT_I32, v, lane);
	case OP_i64x2_extract_lane:
		return to_general(f, V_PEXTRD, JT_I64, v, lane);
	default:
		return extract_float(f,
			op == OP_f32x4_extract_lane ? JT_F32 : JT_F64, v, lane);
	}
}

static uint32_t with_lane(struct jit_fn *f, uint32_t vec, uint32_t type,
	uint32_t a, uint32_t b, uint32_t lane)
{
	return typed(f,
		(struct jit_ins){ .cc = (uint8_t)vec,
			.type = JT_V128,
			.in = JT_V128,
			.spare = (uint16_t)type,
			.a = a,
			.b = b,
			.imm = lane });
}

/* b: of that type, or a vector whose first lane it is. */
static uint32_t replace_float(struct jit_fn *f, uint32_t type, bool narrow,
	uint32_t a, uint32_t b, uint32_t lane)
{
	if (narrow)
		return with_lane(f, V_INSERTPS, type, a, b, lane << 4);
	return lane ? with_lane(f, V_PUNPCKLQDQ, type, a, b, 0) :
		      with_lane(f, V_PBLENDW, type, a, b, 0x0f);
}

static uint32_t replace(struct jit_fn *f, uint32_t op, uint32_t a, uint32_t b,
	uint32_t lane)
{
	switch (op) {
	case OP_i8x16_replace_lane:
		return with_lane(f, V_PINSRB, JT_I32, a, b, lane);
	case OP_i16x8_replace_lane:
		return with_lane(f, V_PINSRW, JT_I32, a, b, lane);
	case OP_i32x4_replace_lane:
		return with_lane(f, V_PINSRD, JT_I32, a, b, lane);
	case OP_i64x2_replace_lane:
		return with_lane(f, V_PINSRD, JT_I64, a, b, lane);
	case OP_f32x4_replace_lane:
		return replace_float(f, JT_F32, true, a, b, lane);
	default:
		return replace_float(f, JT_F64, false, a, b, lane);
	}
}

/* --- one for one, nearly
 * --------------------------------------------------------
 */

enum how {
	NO,
	DO,	    /* a vec b */
	TURNED,	    /* b vec a */
	DO_NOT,	    /* not (a vec b) */
	TURNED_NOT, /* not (b vec a) */
	IF_FIRST,   /* (a vec b) = a; imm: how to compare */
	UNLESS_FIRST,
	ONE,	   /* vec a */
	ZERO_LESS, /* 0 vec a */
	MASK,	   /* a vec b where b is constant: imm the bits, 32 or 64 */
	SHIFTED,   /* imm: bits of a lane */
};

static const struct plain {
	uint8_t how, vec, imm;
} plains[OP_i32x4_relaxed_dot_i8x16_i7x16_add_s - OP_v128_shuffle + 1] = {
#define P(n, how, vec, imm) [OP_##n - OP_v128_shuffle] = { how, V_##vec, imm },
#define FLOATS(T, S)                                                           \
	P(T##_eq, DO, CMP##S, CMP_EQ)                                          \
	P(T##_ne, DO, CMP##S, CMP_NE) P(T##_lt, DO, CMP##S, CMP_LT) P(T##_gt,  \
		TURNED, CMP##S, CMP_LT) P(T##_le, DO, CMP##S,                  \
		CMP_LE) P(T##_ge, TURNED, CMP##S, CMP_LE) P(T##_add, DO,       \
		ADD##S, 0) P(T##_sub, DO, SUB##S, 0) P(T##_mul, DO, MUL##S,    \
		0) P(T##_div, DO, DIV##S, 0) P(T##_pmin, TURNED, MIN##S,       \
		0) P(T##_pmax, TURNED, MAX##S, 0) P(T##_sqrt, ONE, SQRT##S, 0) \
		P(T##_ceil, ONE, ROUND##S, 10) P(T##_floor, ONE, ROUND##S, 9)  \
			P(T##_trunc, ONE, ROUND##S, 11)                        \
				P(T##_nearest, ONE, ROUND##S, 8)
#define INTS(T, L)                                                           \
	P(T##_eq, DO, PCMPEQ##L, 0)                                          \
	P(T##_ne, DO_NOT, PCMPEQ##L, 0) P(T##_gt_s, DO, PCMPGT##L, 0)        \
		P(T##_lt_s, TURNED, PCMPGT##L, 0) P(T##_add, DO, PADD##L, 0) \
			P(T##_sub, DO, PSUB##L, 0)                           \
				P(T##_neg, ZERO_LESS, PSUB##L, 0)
#define ORDERS(T, L)                                                \
	P(T##_ge_s, IF_FIRST, PMAXS##L, V_PCMPEQ##L)                \
	P(T##_le_s, IF_FIRST, PMINS##L, V_PCMPEQ##L)                \
	P(T##_ge_u, IF_FIRST, PMAXU##L, V_PCMPEQ##L)                \
	P(T##_le_u, IF_FIRST, PMINU##L, V_PCMPEQ##L)                \
	P(T##_gt_u, UNLESS_FIRST, PMINU##L, V_PCMPEQ##L)            \
	P(T##_lt_u, UNLESS_FIRST, PMAXU##L, V_PCMPEQ##L)            \
	P(T##_min_s, DO, PMINS##L, 0)                               \
	P(T##_min_u, DO, PMINU##L, 0) P(T##_max_s, DO, PMAXS##L, 0) \
		P(T##_max_u, DO, PMAXU##L, 0) P(T##_abs, ONE, PABS##L, 0)
#define SATURATED(T, L)                                                      \
	P(T##_add_sat_s, DO, PADDS##L, 0)                                    \
	P(T##_add_sat_u, DO, PADDUS##L, 0) P(T##_sub_sat_s, DO, PSUBS##L, 0) \
		P(T##_sub_sat_u, DO, PSUBUS##L, 0)                           \
			P(T##_avgr_u, DO, PAVG##L, 0)
	/* clang-format off */
	FLOATS(f32x4, PS)
	FLOATS(f64x2, PD)
	P(f32x4_abs, MASK, PAND, 0) P(f32x4_neg, MASK, PXOR, 1)
	P(f64x2_abs, MASK, PAND, 2) P(f64x2_neg, MASK, PXOR, 3)
	INTS(i8x16, B)
	INTS(i16x8, W)
	INTS(i32x4, D)
	INTS(i64x2, Q)
	ORDERS(i8x16, B)
	ORDERS(i16x8, W)
	ORDERS(i32x4, D)
	P(i64x2_ge_s, TURNED_NOT, PCMPGTQ, 0) P(i64x2_le_s, DO_NOT, PCMPGTQ, 0)
	SATURATED(i8x16, B)
	SATURATED(i16x8, W)
	P(v128_not, MASK, PXOR, 4)
	P(v128_and, DO, PAND, 0) P(v128_or, DO, POR, 0)
	P(v128_xor, DO, PXOR, 0) P(v128_andnot, TURNED, PANDN, 0)
	P(i16x8_mul, DO, PMULLW, 0) P(i32x4_mul, DO, PMULLD, 0)
	P(i32x4_dot_i16x8_s, DO, PMADDWD, 0)
	P(i8x16_narrow_i16x8_s, DO, PACKSSWB, 0)
	P(i8x16_narrow_i16x8_u, DO, PACKUSWB, 0)
	P(i16x8_narrow_i32x4_s, DO, PACKSSDW, 0)
	P(i16x8_narrow_i32x4_u, DO, PACKUSDW, 0)
	P(i16x8_extend_low_i8x16_s, ONE, PMOVSXBW, 0)
	P(i16x8_extend_low_i8x16_u, ONE, PMOVZXBW, 0)
	P(i32x4_extend_low_i16x8_s, ONE, PMOVSXWD, 0)
	P(i32x4_extend_low_i16x8_u, ONE, PMOVZXWD, 0)
	P(i64x2_extend_low_i32x4_s, ONE, PMOVSXDQ, 0)
	P(i64x2_extend_low_i32x4_u, ONE, PMOVZXDQ, 0)
	P(i16x8_shl, SHIFTED, PSLLW, 16) P(i16x8_shr_s, SHIFTED, PSRAW, 16)
	P(i16x8_shr_u, SHIFTED, PSRLW, 16)
	P(i32x4_shl, SHIFTED, PSLLD, 32) P(i32x4_shr_s, SHIFTED, PSRAD, 32)
	P(i32x4_shr_u, SHIFTED, PSRLD, 32)
	P(i64x2_shl, SHIFTED, PSLLQ, 64) P(i64x2_shr_u, SHIFTED, PSRLQ, 64)
	P(f32x4_demote_f64x2_zero, ONE, CVTPD2PS, 0)
	P(f64x2_promote_low_f32x4, ONE, CVTPS2PD, 0)
	P(f32x4_convert_i32x4_s, ONE, CVTDQ2PS, 0)
	P(f64x2_convert_low_i32x4_s, ONE, CVTDQ2PD, 0)
	/* clang-format on */
};

static uint32_t plain(struct jit_fn *f, const struct plain *p, uint32_t a,
	uint32_t b)
{
	static const uint64_t masks[] = { 0x7fffffff7fffffff,
		0x8000000080000000, INT64_MAX, 1ull << 63, UINT64_MAX };
	uint32_t v = p->vec, n;
	switch (p->how) {
	case DO:
		return jit_vec(f, v, a, b, p->imm);
	case TURNED:
		return jit_vec(f, v, b, a, p->imm);
	case DO_NOT:
		return not(f, jit_vec(f, v, a, b, 0));
	case TURNED_NOT:
		return not(f, jit_vec(f, v, b, a, 0));
	case IF_FIRST:
	case UNLESS_FIRST:
		n = jit_vec(f, p->imm, jit_vec(f, v, a, b, 0), a, 0);
		return p->how == IF_FIRST ? n : not(f, n);
	case ONE:
		return jit_vec(f, v, a, 0, p->imm);
	case ZERO_LESS:
		return jit_vec(f, v, zero(f), a, 0);
	case MASK:
		return jit_vec(f, v, a, all(f, masks[p->imm]), 0);
	default:
		return shift(f, v, a, count_of(f, b, p->imm));
	}
}

/* --- several for one: integers
 * ---------------------------------------------------
 */

/* Within words, and what came over from the neighbour is cut off. */
static uint32_t shift_bytes(struct jit_fn *f, uint32_t op, uint32_t a,
	uint32_t n)
{
	bool left = op == OP_i8x16_shl;
	n = count_of(f, n, 8);
	uint32_t mask =
		jit_pure2(f, left ? J_SHL : J_SHR, JT_I32, k32(f, 0xff), n);
	uint32_t v = shift(f, left ? V_PSLLW : V_PSRLW, a, n);
	v = jit_vec(f, V_PAND, v, splat(f, mask, 8), 0);
	if (op != OP_i8x16_shr_s)
		return v;
	/* The sign, where it is now: (v ^ sign) - sign */
	uint32_t sign =
		splat(f, jit_pure2(f, J_SHR, JT_I32, k32(f, 0x80), n), 8);
	return jit_vec(f, V_PSUBB, jit_vec(f, V_PXOR, v, sign, 0), sign, 0);
}

static uint32_t shift_signed64(struct jit_fn *f, uint32_t a, uint32_t n)
{
	uint64_t k;
	n = count_of(f, n, 64);
	uint32_t sign = jit_is_const(f, n, &k) ?
		all(f, 1ull << 63 >> k) :
		shift(f, V_PSRLQ, all(f, 1ull << 63), n);
	uint32_t v = shift(f, V_PSRLQ, a, n);
	return jit_vec(f, V_PSUBQ, jit_vec(f, V_PXOR, v, sign, 0), sign, 0);
}

static uint32_t absolute64(struct jit_fn *f, uint32_t a)
{
	uint32_t sign =
		shift_by(f, V_PSRAD, jit_vec(f, V_PSHUFD, a, 0, 0xf5), 31);
	return jit_vec(f, V_PSUBQ, jit_vec(f, V_PXOR, a, sign, 0), sign, 0);
}

static uint32_t multiply64(struct jit_fn *f, uint32_t a, uint32_t b)
{
	uint32_t x = jit_vec(f, V_PMULUDQ, shift_by(f, V_PSRLQ, a, 32), b, 0);
	uint32_t y = jit_vec(f, V_PMULUDQ, shift_by(f, V_PSRLQ, b, 32), a, 0);
	uint32_t high = shift_by(f, V_PSLLQ, jit_vec(f, V_PADDQ, x, y, 0), 32);
	return jit_vec(f, V_PADDQ, jit_vec(f, V_PMULUDQ, a, b, 0), high, 0);
}

/* How many bits each number up to 15 has. */
static uint32_t count_bits(struct jit_fn *f, uint32_t a)
{
	uint32_t table = jit_k128(f, 0x0302020102010100, 0x0403030203020201);
	uint32_t mask = all(f, times(0x0f, 8));
	uint32_t low = jit_vec(f, V_PAND, a, mask, 0);
	uint32_t high = jit_vec(f, V_PAND, shift_by(f, V_PSRLW, a, 4), mask, 0);
	return jit_vec(f, V_PADDB, jit_vec(f, V_PSHUFB, table, low, 0),
		jit_vec(f, V_PSHUFB, table, high, 0), 0);
}

static uint32_t high_half(struct jit_fn *f, uint32_t a)
{
	return jit_vec(f, V_PSHUFD, a, 0, 0xee);
}

static uint32_t extend_high(struct jit_fn *f, uint32_t op, uint32_t a)
{
	switch (op) {
	case OP_i16x8_extend_high_i8x16_s:
		return shift_by(f, V_PSRAW, jit_vec(f, V_PUNPCKHBW, a, a, 0),
			8);
	case OP_i16x8_extend_high_i8x16_u:
		return jit_vec(f, V_PUNPCKHBW, a, zero(f), 0);
	case OP_i32x4_extend_high_i16x8_s:
		return shift_by(f, V_PSRAD, jit_vec(f, V_PUNPCKHWD, a, a, 0),
			16);
	case OP_i32x4_extend_high_i16x8_u:
		return jit_vec(f, V_PUNPCKHWD, a, zero(f), 0);
	case OP_i64x2_extend_high_i32x4_s:
		return jit_vec(f, V_PMOVSXDQ, high_half(f, a), 0, 0);
	default:
		return jit_vec(f, V_PUNPCKHDQ, a, zero(f), 0);
	}
}

static uint32_t multiply_bytes(struct jit_fn *f, uint32_t op, uint32_t a,
	uint32_t b)
{
	bool is_signed = op == OP_i16x8_extmul_low_i8x16_s ||
		op == OP_i16x8_extmul_high_i8x16_s;
	if (op == OP_i16x8_extmul_high_i8x16_s ||
		op == OP_i16x8_extmul_high_i8x16_u) {
		uint32_t how = is_signed ? OP_i16x8_extend_high_i8x16_s :
					   OP_i16x8_extend_high_i8x16_u;
		return jit_vec(f, V_PMULLW, extend_high(f, how, a),
			extend_high(f, how, b), 0);
	}
	uint32_t how = is_signed ? V_PMOVSXBW : V_PMOVZXBW;
	return jit_vec(f, V_PMULLW, jit_vec(f, how, a, 0, 0),
		jit_vec(f, how, b, 0, 0), 0);
}

/* Lower and upper halves of the products, put together. */
static uint32_t multiply_words(struct jit_fn *f, uint32_t op, uint32_t a,
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

static uint32_t multiply_doubles(struct jit_fn *f, uint32_t op, uint32_t a,
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

static uint32_t add_pairs(struct jit_fn *f, uint32_t op, uint32_t a)
{
	uint32_t ones8 = all(f, times(1, 8)), ones16 = all(f, times(1, 16));
	switch (op) {
	case OP_i16x8_extadd_pairwise_i8x16_s:
		return jit_vec(f, V_PMADDUBSW, ones8, a, 0);
	case OP_i16x8_extadd_pairwise_i8x16_u:
		return jit_vec(f, V_PMADDUBSW, a, ones8, 0);
	case OP_i32x4_extadd_pairwise_i16x8_s:
		return jit_vec(f, V_PMADDWD, a, ones16, 0);
	default:
		/* Signed, with 2^15 taken off each before. */
		a = jit_vec(f, V_PXOR, a, all(f, times(0x8000, 16)), 0);
		a = jit_vec(f, V_PMADDWD, a, ones16, 0);
		return jit_vec(f, V_PADDD, a, all(f, times(0x10000, 32)), 0);
	}
}

/* Only -1 * -1 is out of range, and comes out as -1. */
static uint32_t multiply_q15(struct jit_fn *f, uint32_t a, uint32_t b)
{
	uint32_t v = jit_vec(f, V_PMULHRSW, a, b, 0);
	return jit_vec(f, V_PXOR, v,
		jit_vec(f, V_PCMPEQW, v, all(f, times(0x8000, 16)), 0), 0);
}

/* Bytes with even numbers or odd ones as words. */
static uint32_t odd_bytes(struct jit_fn *f, uint32_t a)
{
	return shift_by(f, V_PSRAW, a, 8);
}

static uint32_t even_bytes(struct jit_fn *f, uint32_t a)
{
	return odd_bytes(f, shift_by(f, V_PSLLW, a, 8));
}

static uint32_t dot_bytes(struct jit_fn *f, uint32_t multiply, uint32_t add,
	uint32_t a, uint32_t b)
{
	return jit_vec(f, add,
		jit_vec(f, multiply, even_bytes(f, a), even_bytes(f, b), 0),
		jit_vec(f, multiply, odd_bytes(f, a), odd_bytes(f, b), 0), 0);
}

/* --- several for one: floats
 * -----------------------------------------------------
 */

/* The machine's operations take the second operand where one is a NaN or both
 * are equal; `join` makes the right zero of two. */
static uint32_t min_max(struct jit_fn *f, bool wide, bool max, uint32_t a,
	uint32_t b)
{
	static const uint8_t ops[] = { V_MINPS, V_MAXPS, V_MINPD, V_MAXPD };
	uint32_t op = ops[wide * 2 + max];
	uint32_t v = jit_vec(f, max ? V_PAND : V_POR, jit_vec(f, op, a, b, 0),
		jit_vec(f, op, b, a, 0), 0);
	uint32_t nan = jit_vec(f, wide ? V_CMPPD : V_CMPPS, a, b, CMP_UNORD);
	uint32_t sum = jit_vec(f, wide ? V_ADDPD : V_ADDPS, a, b, 0);
	return pick(f, nan, sum, v);
}

static uint32_t canonical(struct jit_fn *f, uint32_t op, uint32_t a)
{
	bool wide = op == OP_canon_f64x2;
	uint32_t nan = jit_vec(f, wide ? V_CMPPD : V_CMPPS, a, a, CMP_UNORD);
	return pick(f, nan,
		all(f, wide ? 0x7ff8000000000000 : 0x7fc000007fc00000), a);
}

/* Too large a number becomes the least integer, which is one less than the
 * largest; a NaN is made zero before. */
static uint32_t truncate_signed(struct jit_fn *f, uint32_t a)
{
	uint32_t limit = all(f, times(0x4f000000, 32)); /* 2^31 */
	uint32_t v =
		jit_vec(f, V_PAND, a, jit_vec(f, V_CMPPS, a, a, CMP_EQ), 0);
	return jit_vec(f, V_PXOR, jit_vec(f, V_CVTTPS2DQ, v, 0, 0),
		jit_vec(f, V_CMPPS, limit, a, CMP_LE), 0);
}

/* What is above 2^31 comes from a conversion of its own. */
static uint32_t truncate_unsigned(struct jit_fn *f, uint32_t a)
{
	uint32_t limit = all(f, times(0x4f000000, 32));
	uint32_t v = jit_vec(f, V_MAXPS, a, zero(f), 0);
	uint32_t more = jit_vec(f, V_SUBPS, v, limit, 0);
	uint32_t high = jit_vec(f, V_PXOR, jit_vec(f, V_CVTTPS2DQ, more, 0, 0),
		jit_vec(f, V_CMPPS, limit, more, CMP_LE), 0);
	return jit_vec(f, V_PADDD, jit_vec(f, V_CVTTPS2DQ, v, 0, 0),
		jit_vec(f, V_PMAXSD, high, zero(f), 0), 0);
}

static uint32_t truncate_wide(struct jit_fn *f, uint32_t a, bool is_signed)
{
	uint32_t most =
		all(f, is_signed ? 0x41dfffffffc00000 : 0x41efffffffe00000);
	if (is_signed) {
		most = jit_vec(f, V_PAND, jit_vec(f, V_CMPPD, a, a, CMP_EQ),
			most, 0);
		return jit_vec(f, V_CVTTPD2DQ, jit_vec(f, V_MINPD, a, most, 0),
			0, 0);
	}
	a = jit_vec(f, V_MINPD, jit_vec(f, V_MAXPD, a, zero(f), 0), most, 0);
	/* 2^52 more: the integer is in the low bits. */
	a = jit_vec(f, V_ADDPD, jit_vec(f, V_ROUNDPD, a, 0, 11),
		all(f, 0x4330000000000000), 0);
	return jit_vec(f, V_SHUFPS, a, zero(f), 0x88);
}

/* Both halves are exact, so that their sum is rounded once. */
static uint32_t convert_unsigned(struct jit_fn *f, uint32_t a)
{
	uint32_t low = jit_vec(f, V_PAND, a, all(f, times(0xffff, 32)), 0);
	uint32_t high =
		jit_vec(f, V_CVTDQ2PS, shift_by(f, V_PSRLD, a, 16), 0, 0);
	high = jit_vec(f, V_MULPS, high, all(f, times(0x47800000, 32)), 0);
	return jit_vec(f, V_ADDPS, high, jit_vec(f, V_CVTDQ2PS, low, 0, 0), 0);
}

static uint32_t convert_low_unsigned(struct jit_fn *f, uint32_t a)
{
	a = jit_vec(f, V_PUNPCKLDQ, a, all(f, times(0x43300000, 32)), 0);
	return jit_vec(f, V_SUBPD, a, all(f, 0x4330000000000000), 0);
}

static uint32_t multiply_add(struct jit_fn *f, uint32_t op, uint32_t a,
	uint32_t b, uint32_t c)
{
	bool wide = op == OP_f64x2_relaxed_madd || op == OP_f64x2_relaxed_nmadd;
	uint32_t v = jit_vec(f, wide ? V_MULPD : V_MULPS, a, b, 0);
	if (op == OP_f32x4_relaxed_madd || op == OP_f64x2_relaxed_madd)
		return jit_vec(f, wide ? V_ADDPD : V_ADDPS, v, c, 0);
	return jit_vec(f, wide ? V_SUBPD : V_SUBPS, c, v, 0);
}

/* --- tests
 * ------------------------------------------------------------------------
 */

static uint32_t any(struct jit_fn *f, uint32_t v)
{
	return to_general(f, V_PTEST, JT_I32, v, 0);
}

static uint32_t test(struct jit_fn *f, uint32_t op, uint32_t a)
{
	static const uint8_t equal[] = { V_PCMPEQB, V_PCMPEQW, V_PCMPEQD,
		V_PCMPEQQ };
	uint32_t k;
	switch (op) {
	case OP_v128_any_true:
		return any(f, a);
	case OP_i8x16_bitmask:
		return to_general(f, V_PMOVMSKB, JT_I32, a, 0);
	case OP_i16x8_bitmask:
		return to_general(f, V_PMOVMSKB, JT_I32,
			jit_vec(f, V_PACKSSWB, a, zero(f), 0), 0);
	case OP_i32x4_bitmask:
		return to_general(f, V_MOVMSKPS, JT_I32, a, 0);
	case OP_i64x2_bitmask:
		return to_general(f, V_MOVMSKPD, JT_I32, a, 0);
	default:
		k = op == OP_i8x16_all_true	? 0 :
			op == OP_i16x8_all_true ? 1 :
			op == OP_i32x4_all_true ? 2 :
						  3;
	}
	/* No lane is zero. */
	return jit_pure(f,
		(struct jit_ins){ .op = J_ICMP,
			.type = JT_I32,
			.cc = CC_E,
			.in = JT_I32,
			.a = any(f, jit_vec(f, equal[k], a, zero(f), 0)),
			.b = k32(f, 0) });
}

/* --- by operation
 * -------------------------------------------------------------------
 */

/* Of one operand; 0: not one of these. */
static uint32_t unary(struct jit_fn *f, uint32_t op, uint32_t a)
{
	switch (op) {
	case OP_i8x16_popcnt:
		return count_bits(f, a);
	case OP_i64x2_abs:
		return absolute64(f, a);
	case OP_i16x8_extend_high_i8x16_s:
	case OP_i16x8_extend_high_i8x16_u:
	case OP_i32x4_extend_high_i16x8_s:
	case OP_i32x4_extend_high_i16x8_u:
	case OP_i64x2_extend_high_i32x4_s:
	case OP_i64x2_extend_high_i32x4_u:
		return extend_high(f, op, a);
	case OP_i16x8_extadd_pairwise_i8x16_s:
	case OP_i16x8_extadd_pairwise_i8x16_u:
	case OP_i32x4_extadd_pairwise_i16x8_s:
	case OP_i32x4_extadd_pairwise_i16x8_u:
		return add_pairs(f, op, a);
	case OP_canon_f32x4:
	case OP_canon_f64x2:
		return canonical(f, op, a);
	case OP_i32x4_trunc_sat_f32x4_s:
		return truncate_signed(f, a);
	case OP_i32x4_trunc_sat_f32x4_u:
		return truncate_unsigned(f, a);
	case OP_i32x4_trunc_sat_f64x2_s_zero:
	case OP_i32x4_trunc_sat_f64x2_u_zero:
		return truncate_wide(f, a,
			op == OP_i32x4_trunc_sat_f64x2_s_zero);
	case OP_f32x4_convert_i32x4_u:
		return convert_unsigned(f, a);
	case OP_f64x2_convert_low_i32x4_u:
		return convert_low_unsigned(f, a);
	case OP_v128_any_true:
	case OP_i8x16_all_true:
	case OP_i16x8_all_true:
	case OP_i32x4_all_true:
	case OP_i64x2_all_true:
	case OP_i8x16_bitmask:
	case OP_i16x8_bitmask:
	case OP_i32x4_bitmask:
	case OP_i64x2_bitmask:
		return test(f, op, a);
	default:
		return 0;
	}
}

static uint32_t swizzle(struct jit_fn *f, uint32_t a, uint32_t b)
{
	const struct jit_ins *k = &f->ins[b];
	uint8_t lanes[16];
	if (k->op != J_K128)
		return jit_vec(f, V_PSHUFB, a,
			jit_vec(f, V_PADDUSB, b, all(f, times(0x70, 8)), 0), 0);
	jit_k128_bytes(k, lanes);
	for (size_t n = 0; n < sizeof lanes; n++)
		lanes[n] = lanes[n] < 16 ? lanes[n] : 16;
	return jit_shuffle(f, a, zero(f), lanes);
}

static uint32_t binary(struct jit_fn *f, uint32_t op, uint32_t a, uint32_t b)
{
	switch (op) {
	case OP_i8x16_swizzle:
		return swizzle(f, a, b);
	case OP_i8x16_shl:
	case OP_i8x16_shr_s:
	case OP_i8x16_shr_u:
		return shift_bytes(f, op, a, b);
	case OP_i64x2_shr_s:
		return shift_signed64(f, a, b);
	case OP_i64x2_mul:
		return multiply64(f, a, b);
	case OP_i16x8_q15mulr_sat_s:
		return multiply_q15(f, a, b);
	case OP_i16x8_extmul_low_i8x16_s:
	case OP_i16x8_extmul_low_i8x16_u:
	case OP_i16x8_extmul_high_i8x16_s:
	case OP_i16x8_extmul_high_i8x16_u:
		return multiply_bytes(f, op, a, b);
	case OP_i32x4_extmul_low_i16x8_s:
	case OP_i32x4_extmul_low_i16x8_u:
	case OP_i32x4_extmul_high_i16x8_s:
	case OP_i32x4_extmul_high_i16x8_u:
		return multiply_words(f, op, a, b);
	case OP_i64x2_extmul_low_i32x4_s:
	case OP_i64x2_extmul_low_i32x4_u:
	case OP_i64x2_extmul_high_i32x4_s:
	case OP_i64x2_extmul_high_i32x4_u:
		return multiply_doubles(f, op, a, b);
	case OP_f32x4_min:
	case OP_f32x4_max:
		return min_max(f, false, op == OP_f32x4_max, a, b);
	case OP_f64x2_min:
	case OP_f64x2_max:
		return min_max(f, true, op == OP_f64x2_max, a, b);
	case OP_i16x8_relaxed_dot_i8x16_i7x16_s:
		return dot_bytes(f, V_PMULLW, V_PADDW, a, b);
	default:
		return 0;
	}
}

static uint32_t ternary(struct jit_fn *f, uint32_t op, uint32_t a, uint32_t b,
	uint32_t c)
{
	if (op == OP_v128_bitselect)
		return pick(f, c, a, b);
	if (op == OP_i32x4_relaxed_dot_i8x16_i7x16_add_s)
		return jit_vec(f, V_PADDD,
			dot_bytes(f, V_PMADDWD, V_PADDD, a, b), c, 0);
	return multiply_add(f, op, a, b, c);
}

static uint32_t constant(struct jit_fn *f, const union wasm_word *w,
	uint32_t op)
{
	uint8_t lanes[16];
	if (op == OP_const128)
		return jit_k128(f, w[1].u64, w[2].u64);
	memcpy(lanes, &w[1], sizeof lanes);
	return jit_shuffle(f, jit_read(f, f->slots + w->b),
		jit_read(f, f->slots + w->c), lanes);
}

/* The value of an instruction without memory; 0: there is none. */
static uint32_t value(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	uint32_t bits = jit_word_shape(op), v = f->slots, c;
	if (op == OP_const128 || op == OP_v128_shuffle)
		return constant(f, w, op);
	if (op >= OP_i8x16_splat && op <= OP_f64x2_splat)
		return splat_op(f, op, jit_read(f, w->b));
	uint32_t a = jit_read(f, v + w->b);
	switch (op) {
	case OP_i8x16_extract_lane_s:
	case OP_i8x16_extract_lane_u:
	case OP_i16x8_extract_lane_s:
	case OP_i16x8_extract_lane_u:
	case OP_i32x4_extract_lane:
	case OP_i64x2_extract_lane:
	case OP_f32x4_extract_lane:
	case OP_f64x2_extract_lane:
		return extract(f, op, a, w->c);
	case OP_i8x16_replace_lane:
	case OP_i16x8_replace_lane:
	case OP_i32x4_replace_lane:
	case OP_i64x2_replace_lane:
	case OP_f32x4_replace_lane:
	case OP_f64x2_replace_lane:
		return replace(f, op, a, jit_read(f, w->c), w[1].a);
	default:
		break;
	}
	if (bits & R_D2)
		return ternary(f, op, a, jit_read(f, v + w->c),
			jit_read(f, v + w[1].a));
	uint32_t b = bits & R_C2 ? jit_read(f, v + w->c) :
		bits & R_C	 ? jit_read(f, w->c) :
				   0;
	uint32_t n = op - OP_v128_shuffle;
	if (op >= OP_v128_shuffle && n < ARRAY_LEN(plains) && plains[n].how)
		return plain(f, &plains[n], a, b);
	c = unary(f, op, a);
	return c ? c : binary(f, op, a, b);
}

/* --- memory
 * ------------------------------------------------------------------------
 */

static uint32_t load(struct jit_fn *f, const union wasm_word *w, uint32_t form,
	uint32_t kind, uint32_t type, uint32_t size)
{
	return jit_build_load(f, w, form,
		(struct jit_ins){ .type = (uint8_t)type,
			.cc = (uint8_t)kind,
			.spare = (uint16_t)size });
}

/* In a vector, with zeros above. */
static uint32_t load_vector(struct jit_fn *f, const union wasm_word *w,
	uint32_t form, uint32_t log)
{
	static const uint8_t kinds[] = { ACC_V32, ACC_V64, ACC_V128 };
	if (log >= 2)
		return load(f, w, form, kinds[log - 2], JT_V128, 1u << log);
	return load(f, w, form, log ? ACC_U16 : ACC_U8, JT_I32, 1u << log);
}

/* The operation without its form, as number of its first. */
static uint32_t base_of(uint32_t op)
{
	return op - (op - OP_v128_load) % 3;
}

static uint32_t loaded(struct jit_fn *f, const union wasm_word *w, uint32_t op,
	uint32_t form)
{
	static const uint8_t extend[] = { V_PMOVSXBW, V_PMOVZXBW, V_PMOVSXWD,
		V_PMOVZXWD, V_PMOVSXDQ, V_PMOVZXDQ };
	uint32_t n = (op - OP_v128_load) / 3;
	if (op == OP_v128_load)
		return load_vector(f, w, form, 4);
	if (n <= 6)
		return jit_vec(f, extend[n - 1], load_vector(f, w, form, 3), 0,
			0);
	if (op == OP_v128_load32_zero || op == OP_v128_load64_zero)
		return load_vector(f, w, form,
			op == OP_v128_load32_zero ? 2 : 3);
	uint32_t log = n - 7, v = load_vector(f, w, form, log);
	return log < 2 ? splat(f, v, 8u << log) : spread(f, v, 8u << log);
}

static uint32_t load_lane(struct jit_fn *f, const union wasm_word *w,
	uint32_t op, uint32_t form, const union wasm_word *last)
{
	uint32_t log = (op - OP_v128_load8_lane) / 3;
	uint32_t v = jit_read(f, f->slots + last->a), lane = last->b;
	uint32_t m = load_vector(f, w, form, log);
	if (log < 2)
		return with_lane(f, log ? V_PINSRW : V_PINSRB, JT_I32, v, m,
			lane);
	return replace_float(f, JT_V128, log == 2, v, m, lane);
}

static void store(struct jit_fn *f, const union wasm_word *w, uint32_t form,
	uint32_t kind, uint32_t size, uint32_t v)
{
	jit_build_store(f, w, form,
		(struct jit_ins){ .cc = (uint8_t)kind,
			.spare = (uint16_t)size,
			.b = v });
}

static void store_lane(struct jit_fn *f, const union wasm_word *w, uint32_t op,
	uint32_t form, const union wasm_word *last)
{
	static const uint16_t from[] = { OP_i8x16_extract_lane_u,
		OP_i16x8_extract_lane_u, OP_f32x4_extract_lane,
		OP_f64x2_extract_lane };
	static const uint8_t kinds[] = { ACC_STORE_8, ACC_STORE_16,
		ACC_STORE_32, ACC_STORE_64 };
	uint32_t log = (op - OP_v128_store8_lane) / 3;
	uint32_t v =
		extract(f, from[log], jit_read(f, f->slots + last->a), last->b);
	if (!f->lacking)
		store(f, w, form, kinds[log], 1u << log, v);
}

/* Instructions that lack something have no effect but a load, which the
 * interpreter's step does again. */
static void access(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	uint32_t form = (op - OP_v128_load) % 3, v = 0;
	const union wasm_word *last = &w[form ? 2 : 1];
	op = base_of(op);
	if (op == OP_v128_store)
		store(f, w, form, ACC_STORE_V128, 16,
			jit_read(f, f->slots + w->a));
	else if (op >= OP_v128_store8_lane && op <= OP_v128_store64_lane)
		store_lane(f, w, op, form, last);
	else if (op >= OP_v128_load8_lane && op <= OP_v128_load64_lane)
		v = load_lane(f, w, op, form, last);
	else
		v = loaded(f, w, op, form);
	if (v && !f->lacking)
		jit_write(f, f->slots + w->a, v);
}

bool jit_is_simd(uint32_t op)
{
	return op == OP_const128 || op == OP_canon_f32x4 ||
		op == OP_canon_f64x2 ||
		(op >= OP_v128_shuffle && op <= OP_v128_load64_zero_64);
}

void jit_build_simd(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	f->lacking = false;
	if (op >= OP_v128_load && op <= OP_v128_load64_zero_64) {
		access(f, w, op);
	} else {
		uint32_t v = value(f, w, op);
		uint32_t base = jit_word_shape(op) & W_A2 ? f->slots : 0;
		if (!v)
			f->lacking = true;
		if (!f->lacking)
			jit_write(f, base + w->a, v);
	}
	if (f->lacking && !f->failed) {
		f->jit->stats.vector_steps++;
		jit_build_step(f, w, op);
	}
}
