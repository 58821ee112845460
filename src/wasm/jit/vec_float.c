/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on floats that take several of the machine's instructions. */
#include "wasm/jit/build_priv.h"
#include "wasm/jit/jit_priv.h"
#include "wasm/jit/vec_build_priv.h"

/* The machine's operations take the second operand where one is a NaN or both
 * are equal; `join` makes the right zero of two. */
uint32_t jit_vec_min_max(struct jit_fn *f, bool wide, bool max, uint32_t a,
	uint32_t b)
{
	static const uint8_t ops[] = { V_MINPS, V_MAXPS, V_MINPD, V_MAXPD };
	uint32_t op = ops[wide * 2 + max];
	uint32_t v = jit_vec(f, max ? V_PAND : V_POR, jit_vec(f, op, a, b, 0),
		jit_vec(f, op, b, a, 0), 0);
	uint32_t nan = jit_vec(f, wide ? V_CMPPD : V_CMPPS, a, b, CMP_UNORD);
	uint32_t sum = jit_vec(f, wide ? V_ADDPD : V_ADDPS, a, b, 0);
	return jit_vec_pick(f, nan, sum, v);
}

uint32_t jit_vec_canonical(struct jit_fn *f, uint32_t op, uint32_t a)
{
	bool wide = op == OP_canon_f64x2;
	uint32_t nan = jit_vec(f, wide ? V_CMPPD : V_CMPPS, a, a, CMP_UNORD);
	return jit_vec_pick(f, nan,
		jit_vec_all(f, wide ? 0x7ff8000000000000 : 0x7fc000007fc00000),
		a);
}

/* Too large a number becomes the least integer, which is one less than the
 * largest; a NaN is made zero before. */
uint32_t jit_vec_trunc_s(struct jit_fn *f, uint32_t a)
{
	uint32_t limit =
		jit_vec_all(f, jit_vec_times(0x4f000000, 32)); /* 2^31 */
	uint32_t v =
		jit_vec(f, V_PAND, a, jit_vec(f, V_CMPPS, a, a, CMP_EQ), 0);
	return jit_vec(f, V_PXOR, jit_vec(f, V_CVTTPS2DQ, v, 0, 0),
		jit_vec(f, V_CMPPS, limit, a, CMP_LE), 0);
}

/* What is above 2^31 comes from a conversion of its own. */
uint32_t jit_vec_trunc_u(struct jit_fn *f, uint32_t a)
{
	uint32_t limit = jit_vec_all(f, jit_vec_times(0x4f000000, 32));
	uint32_t v = jit_vec(f, V_MAXPS, a, jit_vec_zero(f), 0);
	uint32_t more = jit_vec(f, V_SUBPS, v, limit, 0);
	uint32_t high = jit_vec(f, V_PXOR, jit_vec(f, V_CVTTPS2DQ, more, 0, 0),
		jit_vec(f, V_CMPPS, limit, more, CMP_LE), 0);
	return jit_vec(f, V_PADDD, jit_vec(f, V_CVTTPS2DQ, v, 0, 0),
		jit_vec(f, V_PMAXSD, high, jit_vec_zero(f), 0), 0);
}

uint32_t jit_vec_trunc_wide(struct jit_fn *f, uint32_t a, bool is_signed)
{
	uint32_t most = jit_vec_all(f,
		is_signed ? 0x41dfffffffc00000 : 0x41efffffffe00000);
	if (is_signed) {
		most = jit_vec(f, V_PAND, jit_vec(f, V_CMPPD, a, a, CMP_EQ),
			most, 0);
		return jit_vec(f, V_CVTTPD2DQ, jit_vec(f, V_MINPD, a, most, 0),
			0, 0);
	}
	a = jit_vec(f, V_MINPD, jit_vec(f, V_MAXPD, a, jit_vec_zero(f), 0),
		most, 0);
	/* 2^52 more: the integer is in the low bits. */
	a = jit_vec(f, V_ADDPD, jit_vec(f, V_ROUNDPD, a, 0, 11),
		jit_vec_all(f, 0x4330000000000000), 0);
	return jit_vec(f, V_SHUFPS, a, jit_vec_zero(f), 0x88);
}

/* Both halves are exact, so that their sum is rounded once. */
uint32_t jit_vec_convert_u(struct jit_fn *f, uint32_t a)
{
	uint32_t low = jit_vec(f, V_PAND, a,
		jit_vec_all(f, jit_vec_times(0xffff, 32)), 0);
	uint32_t high = jit_vec(f, V_CVTDQ2PS,
		jit_vec_shift_by(f, V_PSRLD, a, 16), 0, 0);
	high = jit_vec(f, V_MULPS, high,
		jit_vec_all(f, jit_vec_times(0x47800000, 32)), 0);
	return jit_vec(f, V_ADDPS, high, jit_vec(f, V_CVTDQ2PS, low, 0, 0), 0);
}

uint32_t jit_vec_convert_low_u(struct jit_fn *f, uint32_t a)
{
	a = jit_vec(f, V_PUNPCKLDQ, a,
		jit_vec_all(f, jit_vec_times(0x43300000, 32)), 0);
	return jit_vec(f, V_SUBPD, a, jit_vec_all(f, 0x4330000000000000), 0);
}

uint32_t jit_vec_multiply_add(struct jit_fn *f, uint32_t op, uint32_t a,
	uint32_t b, uint32_t c)
{
	bool wide = op == OP_f64x2_relaxed_madd || op == OP_f64x2_relaxed_nmadd;
	uint32_t v = jit_vec(f, wide ? V_MULPD : V_MULPS, a, b, 0);
	if (op == OP_f32x4_relaxed_madd || op == OP_f64x2_relaxed_madd)
		return jit_vec(f, wide ? V_ADDPD : V_ADDPS, v, c, 0);
	return jit_vec(f, wide ? V_SUBPD : V_SUBPS, c, v, 0);
}
