/* SPDX-License-Identifier: Apache-2.0 */
/* Vector instructions become those of the machine. */
#include "wasm/jit/build_priv.h"
#include "wasm/jit/jit_priv.h"
#include "wasm/jit/vec_build_priv.h"

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
	MASK,	   /* a vec a constant: imm which */
	SHIFTED,   /* imm: bits of a lane */
};

/* clang-format off */
static const struct plain {
	uint8_t how, vec, imm;
} plains[OP_i32x4_relaxed_dot_i8x16_i7x16_add_s - OP_v128_shuffle + 1] = {
#define P(n, how, vec, imm) [OP_##n - OP_v128_shuffle] = { how, V_##vec, imm },
#define FLOATS(T, S) \
	P(T##_eq, DO, CMP##S, CMP_EQ) P(T##_ne, DO, CMP##S, CMP_NE) \
	P(T##_lt, DO, CMP##S, CMP_LT) P(T##_gt, TURNED, CMP##S, CMP_LT) \
	P(T##_le, DO, CMP##S, CMP_LE) P(T##_ge, TURNED, CMP##S, CMP_LE) \
	P(T##_add, DO, ADD##S, 0) P(T##_sub, DO, SUB##S, 0) \
	P(T##_mul, DO, MUL##S, 0) P(T##_div, DO, DIV##S, 0) \
	P(T##_pmin, TURNED, MIN##S, 0) P(T##_pmax, TURNED, MAX##S, 0) \
	P(T##_sqrt, ONE, SQRT##S, 0) P(T##_ceil, ONE, ROUND##S, 10) \
	P(T##_floor, ONE, ROUND##S, 9) P(T##_trunc, ONE, ROUND##S, 11) \
	P(T##_nearest, ONE, ROUND##S, 8)
#define INTS(T, L) \
	P(T##_eq, DO, PCMPEQ##L, 0) P(T##_ne, DO_NOT, PCMPEQ##L, 0) \
	P(T##_gt_s, DO, PCMPGT##L, 0) P(T##_lt_s, TURNED, PCMPGT##L, 0) \
	P(T##_add, DO, PADD##L, 0) P(T##_sub, DO, PSUB##L, 0) \
	P(T##_neg, ZERO_LESS, PSUB##L, 0)
#define ORDERS(T, L) \
	P(T##_ge_s, IF_FIRST, PMAXS##L, V_PCMPEQ##L) \
	P(T##_le_s, IF_FIRST, PMINS##L, V_PCMPEQ##L) \
	P(T##_ge_u, IF_FIRST, PMAXU##L, V_PCMPEQ##L) \
	P(T##_le_u, IF_FIRST, PMINU##L, V_PCMPEQ##L) \
	P(T##_gt_u, UNLESS_FIRST, PMINU##L, V_PCMPEQ##L) \
	P(T##_lt_u, UNLESS_FIRST, PMAXU##L, V_PCMPEQ##L) \
	P(T##_min_s, DO, PMINS##L, 0) P(T##_min_u, DO, PMINU##L, 0) \
	P(T##_max_s, DO, PMAXS##L, 0) P(T##_max_u, DO, PMAXU##L, 0) \
	P(T##_abs, ONE, PABS##L, 0)
#define SATURATED(T, L) \
	P(T##_add_sat_s, DO, PADDS##L, 0) P(T##_add_sat_u, DO, PADDUS##L, 0) \
	P(T##_sub_sat_s, DO, PSUBS##L, 0) P(T##_sub_sat_u, DO, PSUBUS##L, 0) \
	P(T##_avgr_u, DO, PAVG##L, 0)
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
};
/* clang-format on */

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
		return jit_vec_not(f, jit_vec(f, v, a, b, 0));
	case TURNED_NOT:
		return jit_vec_not(f, jit_vec(f, v, b, a, 0));
	case IF_FIRST:
	case UNLESS_FIRST:
		n = jit_vec(f, p->imm, jit_vec(f, v, a, b, 0), a, 0);
		return p->how == IF_FIRST ? n : jit_vec_not(f, n);
	case ONE:
		return jit_vec(f, v, a, 0, p->imm);
	case ZERO_LESS:
		return jit_vec(f, v, jit_vec_zero(f), a, 0);
	case MASK:
		return jit_vec(f, v, a, jit_vec_all(f, masks[p->imm]), 0);
	default:
		return jit_vec_shift(f, v, a, jit_vec_count(f, b, p->imm));
	}
}

/* --- by operation
 * -------------------------------------------------------------------
 */

/* Of one operand; 0: not one of these. */
static uint32_t unary(struct jit_fn *f, uint32_t op, uint32_t a)
{
	switch (op) {
	case OP_i8x16_popcnt:
		return jit_vec_popcnt(f, a);
	case OP_i64x2_abs:
		return jit_vec_abs64(f, a);
	case OP_i16x8_extend_high_i8x16_s:
	case OP_i16x8_extend_high_i8x16_u:
	case OP_i32x4_extend_high_i16x8_s:
	case OP_i32x4_extend_high_i16x8_u:
	case OP_i64x2_extend_high_i32x4_s:
	case OP_i64x2_extend_high_i32x4_u:
		return jit_vec_extend_high(f, op, a);
	case OP_i16x8_extadd_pairwise_i8x16_s:
	case OP_i16x8_extadd_pairwise_i8x16_u:
	case OP_i32x4_extadd_pairwise_i16x8_s:
	case OP_i32x4_extadd_pairwise_i16x8_u:
		return jit_vec_add_pairs(f, op, a);
	case OP_canon_f32x4:
	case OP_canon_f64x2:
		return jit_vec_canonical(f, op, a);
	case OP_i32x4_trunc_sat_f32x4_s:
		return jit_vec_trunc_s(f, a);
	case OP_i32x4_trunc_sat_f32x4_u:
		return jit_vec_trunc_u(f, a);
	case OP_i32x4_trunc_sat_f64x2_s_zero:
	case OP_i32x4_trunc_sat_f64x2_u_zero:
		return jit_vec_trunc_wide(f, a,
			op == OP_i32x4_trunc_sat_f64x2_s_zero);
	case OP_f32x4_convert_i32x4_u:
		return jit_vec_convert_u(f, a);
	case OP_f64x2_convert_low_i32x4_u:
		return jit_vec_convert_low_u(f, a);
	case OP_v128_any_true:
	case OP_i8x16_all_true:
	case OP_i16x8_all_true:
	case OP_i32x4_all_true:
	case OP_i64x2_all_true:
	case OP_i8x16_bitmask:
	case OP_i16x8_bitmask:
	case OP_i32x4_bitmask:
	case OP_i64x2_bitmask:
		return jit_vec_test(f, op, a);
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
			jit_vec(f, V_PADDUSB, b,
				jit_vec_all(f, jit_vec_times(0x70, 8)), 0),
			0);
	jit_k128_bytes(k, lanes);
	for (size_t n = 0; n < sizeof lanes; n++)
		lanes[n] = lanes[n] < 16 ? lanes[n] : 16;
	return jit_shuffle(f, a, jit_vec_zero(f), lanes);
}

static uint32_t binary(struct jit_fn *f, uint32_t op, uint32_t a, uint32_t b)
{
	switch (op) {
	case OP_i8x16_swizzle:
		return swizzle(f, a, b);
	case OP_i8x16_shl:
	case OP_i8x16_shr_s:
	case OP_i8x16_shr_u:
		return jit_vec_shift_bytes(f, op, a, b);
	case OP_i64x2_shr_s:
		return jit_vec_shift_signed64(f, a, b);
	case OP_i64x2_mul:
		return jit_vec_mul64(f, a, b);
	case OP_i16x8_q15mulr_sat_s:
		return jit_vec_mul_q15(f, a, b);
	case OP_i16x8_extmul_low_i8x16_s:
	case OP_i16x8_extmul_low_i8x16_u:
	case OP_i16x8_extmul_high_i8x16_s:
	case OP_i16x8_extmul_high_i8x16_u:
		return jit_vec_mul_bytes(f, op, a, b);
	case OP_i32x4_extmul_low_i16x8_s:
	case OP_i32x4_extmul_low_i16x8_u:
	case OP_i32x4_extmul_high_i16x8_s:
	case OP_i32x4_extmul_high_i16x8_u:
		return jit_vec_mul_words(f, op, a, b);
	case OP_i64x2_extmul_low_i32x4_s:
	case OP_i64x2_extmul_low_i32x4_u:
	case OP_i64x2_extmul_high_i32x4_s:
	case OP_i64x2_extmul_high_i32x4_u:
		return jit_vec_mul_doubles(f, op, a, b);
	case OP_f32x4_min:
	case OP_f32x4_max:
		return jit_vec_min_max(f, false, op == OP_f32x4_max, a, b);
	case OP_f64x2_min:
	case OP_f64x2_max:
		return jit_vec_min_max(f, true, op == OP_f64x2_max, a, b);
	case OP_i16x8_relaxed_dot_i8x16_i7x16_s:
		return jit_vec_dot(f, V_PMULLW, V_PADDW, a, b);
	default:
		return 0;
	}
}

static uint32_t ternary(struct jit_fn *f, uint32_t op, uint32_t a, uint32_t b,
	uint32_t c)
{
	if (op == OP_v128_bitselect)
		return jit_vec_pick(f, c, a, b);
	if (op == OP_i32x4_relaxed_dot_i8x16_i7x16_add_s)
		return jit_vec(f, V_PADDD,
			jit_vec_dot(f, V_PMADDWD, V_PADDD, a, b), c, 0);
	return jit_vec_multiply_add(f, op, a, b, c);
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
		return jit_vec_splat_op(f, op, jit_read(f, w->b));
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
		return jit_vec_extract(f, op, a, w->c);
	case OP_i8x16_replace_lane:
	case OP_i16x8_replace_lane:
	case OP_i32x4_replace_lane:
	case OP_i64x2_replace_lane:
	case OP_f32x4_replace_lane:
	case OP_f64x2_replace_lane:
		return jit_vec_replace(f, op, a, jit_read(f, w->c), w[1].a);
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
		&(struct jit_ins){ .type = (uint8_t)type,
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
	return log < 2 ? jit_vec_splat(f, v, 8u << log) :
			 jit_vec_spread(f, v, 8u << log);
}

static uint32_t load_lane(struct jit_fn *f, const union wasm_word *w,
	uint32_t op, uint32_t form, const union wasm_word *last)
{
	uint32_t log = (op - OP_v128_load8_lane) / 3;
	uint32_t v = jit_read(f, f->slots + last->a), lane = last->b;
	uint32_t m = load_vector(f, w, form, log);
	if (log < 2)
		return jit_vec_with_lane(f, log ? V_PINSRW : V_PINSRB, JT_I32,
			v, m, lane);
	return jit_vec_replace_float(f, JT_V128, log == 2, v, m, lane);
}

static void store(struct jit_fn *f, const union wasm_word *w, uint32_t form,
	uint32_t kind, uint32_t size, uint32_t v)
{
	jit_build_store(f, w, form,
		&(struct jit_ins){ .cc = (uint8_t)kind,
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
	uint32_t v = jit_vec_extract(f, from[log],
		jit_read(f, f->slots + last->a), last->b);
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

bool jit_is_vec(uint32_t op)
{
	return op == OP_const128 || op == OP_canon_f32x4 ||
		op == OP_canon_f64x2 ||
		(op >= OP_v128_shuffle && op <= OP_v128_load64_zero_64);
}

void jit_build_vec(struct jit_fn *f, const union wasm_word *w, uint32_t op)
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
