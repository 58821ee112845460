/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floating point (WebAssembly 2.0 §4.3.3).  The machine's operations round
 * as the standard wants; where C leaves something open (minimum, maximum,
 * conversions out of range, the quiet bit of a NaN) it is spelled out.
 */
#include "wasm/interp/exec_priv.h"
#include "wasm/interp/float_priv.h"

#define FCMP(T, name, expr)                                  \
	OP(T##_##name)                                       \
	{                                                    \
		__typeof__(T##_of(0)) l = T##_of(fp[ip->b]), \
				      r = T##_of(fp[ip->c]); \
		fp[ip->a] = (expr);                          \
		NEXT(1);                                     \
	}                                                    \
	OP(br_##T##_##name)                                  \
	{                                                    \
		__typeof__(T##_of(0)) l = T##_of(fp[ip->a]), \
				      r = T##_of(fp[ip->b]); \
		if (expr)                                    \
			JUMP(1);                             \
		NEXT(2);                                     \
	}                                                    \
	OP(brn_##T##_##name)                                 \
	{                                                    \
		__typeof__(T##_of(0)) l = T##_of(fp[ip->a]), \
				      r = T##_of(fp[ip->b]); \
		if (!(expr))                                 \
			JUMP(1);                             \
		NEXT(2);                                     \
	}

#define FBIN(T, name, expr)                                  \
	OP(T##_##name)                                       \
	{                                                    \
		__typeof__(T##_of(0)) l = T##_of(fp[ip->b]), \
				      r = T##_of(fp[ip->c]); \
		fp[ip->a] = slot_##T(expr);                  \
		NEXT(1);                                     \
	}

#define FUN(T, name, expr)                                   \
	OP(T##_##name)                                       \
	{                                                    \
		__typeof__(T##_of(0)) v = T##_of(fp[ip->b]); \
		fp[ip->a] = slot_##T(expr);                  \
		NEXT(1);                                     \
	}

/* Equal operands: 0 and -0 differ in the sign bit only. */
#define MIN(T, l, r)                                                     \
	((l) < (r)		   ? (l) :                               \
			(l) > (r)  ? (r) :                               \
			(l) == (r) ? T##_of(slot_##T(l) | slot_##T(r)) : \
				     (l) + (r))
#define MAX(T, l, r)                                                     \
	((l) > (r)		   ? (l) :                               \
			(l) < (r)  ? (r) :                               \
			(l) == (r) ? T##_of(slot_##T(l) & slot_##T(r)) : \
				     (l) + (r))

#define FLOATS(T)                                  \
	FCMP(T, eq, l == r)                        \
	FCMP(T, ne, l != r)                        \
	FCMP(T, lt, l < r)                         \
	FCMP(T, gt, l > r)                         \
	FCMP(T, le, l <= r)                        \
	FCMP(T, ge, l >= r)                        \
	FBIN(T, add, l + r)                        \
	FBIN(T, sub, l - r)                        \
	FBIN(T, mul, l *r)                         \
	FBIN(T, div, l / r)                        \
	FBIN(T, min, MIN(T, l, r))                 \
	FBIN(T, max, MAX(T, l, r))                 \
	FUN(T, ceil, quiet_##T(v, ceil_##T(v)))    \
	FUN(T, floor, quiet_##T(v, floor_##T(v)))  \
	FUN(T, trunc, quiet_##T(v, trunc_##T(v)))  \
	FUN(T, nearest, quiet_##T(v, near_##T(v))) \
	FUN(T, sqrt, sqrt_##T(v))

/* clang-format off */
FLOATS(f32)
FLOATS(f64)
/* clang-format on */

/* Sign operations are on bits: a NaN passes unchanged. */
#define BITS(name, expr)                \
	OP(name)                        \
	{                               \
		uint64_t l = fp[ip->b]; \
		fp[ip->a] = (expr);     \
		NEXT(1);                \
	}

#define F32_SIGN ((uint64_t)1 << 31)
#define F64_SIGN ((uint64_t)1 << 63)

/* clang-format off */
BITS(f32_abs, l & ~F32_SIGN)
BITS(f32_neg, l ^ F32_SIGN)
BITS(f32_copysign, (l & ~F32_SIGN) | (fp[ip->c] & F32_SIGN))
BITS(f64_abs, l & ~F64_SIGN)
BITS(f64_neg, l ^ F64_SIGN)
BITS(f64_copysign, (l & ~F64_SIGN) | (fp[ip->c] & F64_SIGN))
/* clang-format on */

/* Not every machine makes a NaN quiet when it widens it. */
static inline double promote(float v)
{
	return quiet_f64((double)v, (double)v);
}

#define CONVERT(name, expr)             \
	OP(name)                        \
	{                               \
		uint64_t v = fp[ip->b]; \
		fp[ip->a] = (expr);     \
		NEXT(1);                \
	}

/* clang-format off */
CONVERT(f32_convert_i32_s, slot_f32((float)(int32_t)v))
CONVERT(f32_convert_i32_u, slot_f32((float)(uint32_t)v))
CONVERT(f32_convert_i64_s, slot_f32((float)(int64_t)v))
CONVERT(f32_convert_i64_u, slot_f32((float)v))
CONVERT(f64_convert_i32_s, slot_f64((double)(int32_t)v))
CONVERT(f64_convert_i32_u, slot_f64((double)(uint32_t)v))
CONVERT(f64_convert_i64_s, slot_f64((double)(int64_t)v))
CONVERT(f64_convert_i64_u, slot_f64((double)v))
CONVERT(f32_demote_f64, slot_f32((float)f64_of(v)))
CONVERT(f64_promote_f32, slot_f64(promote(f32_of(v))))
/* clang-format on */

/*
 * low and high are the nearest floats beyond what fits, both excluded; the
 * plain conversion traps, the saturating one takes the nearest integer.
 */
#define TRUNC(I, F, sign, U, C, low, high, least, most)      \
	OP(I##_trunc_##F##_##sign)                           \
	{                                                    \
		__typeof__(F##_of(0)) v = F##_of(fp[ip->b]); \
		if (UNLIKELY(v != v))                        \
			TRAP(CONVERT);                       \
		if (UNLIKELY(!(v > (low) && v < (high))))    \
			TRAP(OVERFLOW);                      \
		fp[ip->a] = (U)(C)v;                         \
		NEXT(1);                                     \
	}                                                    \
	OP(I##_trunc_sat_##F##_##sign)                       \
	{                                                    \
		__typeof__(F##_of(0)) v = F##_of(fp[ip->b]); \
		U r = v != v	    ? 0 :                    \
			v <= (low)  ? (U)(least) :           \
			v >= (high) ? (U)(most) :            \
				      (U)(C)v;               \
		fp[ip->a] = r;                               \
		NEXT(1);                                     \
	}

/* clang-format off */
TRUNC(i32, f32, s, uint32_t, int32_t, -2147483904.0f, 2147483648.0f,
	INT32_MIN, INT32_MAX)
TRUNC(i32, f32, u, uint32_t, uint32_t, -1.0f, 4294967296.0f, 0, UINT32_MAX)
TRUNC(i32, f64, s, uint32_t, int32_t, -2147483649.0, 2147483648.0,
	INT32_MIN, INT32_MAX)
TRUNC(i32, f64, u, uint32_t, uint32_t, -1.0, 4294967296.0, 0, UINT32_MAX)
TRUNC(i64, f32, s, uint64_t, int64_t, -9223373136366403584.0f,
	9223372036854775808.0f, INT64_MIN, INT64_MAX)
TRUNC(i64, f32, u, uint64_t, uint64_t, -1.0f, 18446744073709551616.0f, 0,
	UINT64_MAX)
TRUNC(i64, f64, s, uint64_t, int64_t, -9223372036854777856.0,
	9223372036854775808.0, INT64_MIN, INT64_MAX)
TRUNC(i64, f64, u, uint64_t, uint64_t, -1.0, 18446744073709551616.0, 0,
	UINT64_MAX)
/* clang-format on */

OP(canon_f32)
{
	float v = f32_of(fp[ip->b]);
	fp[ip->a] = v != v ? 0x7fc00000 : fp[ip->b];
	NEXT(1);
}

OP(canon_f64)
{
	double v = f64_of(fp[ip->b]);
	fp[ip->a] = v != v ? 0x7ff8000000000000 : fp[ip->b];
	NEXT(1);
}
