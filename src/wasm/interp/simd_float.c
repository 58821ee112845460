/* SPDX-License-Identifier: Apache-2.0 */
/* Floating-point vectors: lane by lane what float.c does. */
#include "wasm/interp/float_priv.h"
#include "wasm/interp/vector_priv.h"

#define SIGN_f32x4 ((u32x4){ 1u << 31, 1u << 31, 1u << 31, 1u << 31 })
#define SIGN_f64x2 ((u64x2){ (uint64_t)1 << 63, (uint64_t)1 << 63 })

/* Where neither is below the other they are equal or one is a NaN: equal ones
 * differ in the sign of zero at most, a NaN comes out of the sum. */
#define VMIN(T, U, l, r)              \
	PICK((l) < (r), T, l,         \
		PICK((l) > (r), T, r, \
			PICK((l) == (r), T, (U)(l) | (U)(r), (l) + (r))))
#define VMAX(T, U, l, r)              \
	PICK((l) > (r), T, l,         \
		PICK((l) < (r), T, r, \
			PICK((l) == (r), T, (U)(l) & (U)(r), (l) + (r))))

#define FLOAT_VECTORS(T, U, n, s)                                     \
	V2(T##_eq, T, l == r)                                         \
	V2(T##_ne, T, l != r)                                         \
	V2(T##_lt, T, l < r)                                          \
	V2(T##_gt, T, l > r)                                          \
	V2(T##_le, T, l <= r)                                         \
	V2(T##_ge, T, l >= r)                                         \
	V2(T##_add, T, l + r)                                         \
	V2(T##_sub, T, l - r)                                         \
	V2(T##_mul, T, l *r)                                          \
	V2(T##_div, T, l / r)                                         \
	V2(T##_min, T, VMIN(T, U, l, r))                              \
	V2(T##_max, T, VMAX(T, U, l, r))                              \
	V2(T##_pmin, T, PICK(r < l, T, r, l))                         \
	V2(T##_pmax, T, PICK(l < r, T, r, l))                         \
	V1(T##_abs, U, v & ~SIGN_##T)                                 \
	V1(T##_neg, U, v ^ SIGN_##T)                                  \
	LANES1(T##_ceil, T, T, n, quiet_##s(v[i], ceil_##s(v[i])))    \
	LANES1(T##_floor, T, T, n, quiet_##s(v[i], floor_##s(v[i])))  \
	LANES1(T##_trunc, T, T, n, quiet_##s(v[i], trunc_##s(v[i])))  \
	LANES1(T##_nearest, T, T, n, quiet_##s(v[i], near_##s(v[i]))) \
	LANES1(T##_sqrt, T, T, n, sqrt_##s(v[i]))                     \
	OP(T##_relaxed_madd)                                          \
	{                                                             \
		T l = get_##T(fp + ip->b), r = get_##T(fp + ip->c);   \
		T add = get_##T(fp + ip[1].a);                        \
		PUT(l *r + add);                                      \
		NEXT(2);                                              \
	}                                                             \
	OP(T##_relaxed_nmadd)                                         \
	{                                                             \
		T l = get_##T(fp + ip->b), r = get_##T(fp + ip->c);   \
		T add = get_##T(fp + ip[1].a);                        \
		PUT(add - l * r);                                     \
		NEXT(2);                                              \
	}

/* The nearest integer that fits; 0 for a NaN. */
static inline uint32_t sat_s(double v)
{
	if (v != v)
		return 0;
	if (v <= -2147483648.0)
		return (uint32_t)INT32_MIN;
	return (uint32_t)(v >= 2147483647.0 ? INT32_MAX : (int32_t)v);
}

static inline uint32_t sat_u(double v)
{
	if (!(v > 0))
		return 0;
	return v >= 4294967295.0 ? UINT32_MAX : (uint32_t)v;
}

/* clang-format off */
FLOAT_VECTORS(f32x4, u32x4, 4, f32)
FLOAT_VECTORS(f64x2, u64x2, 2, f64)
LANES1(i32x4_trunc_sat_f32x4_s, f32x4, u32x4, 4, sat_s((double)v[i]))
LANES1(i32x4_trunc_sat_f32x4_u, f32x4, u32x4, 4, sat_u((double)v[i]))
LANES1(i32x4_trunc_sat_f64x2_s_zero, f64x2, u32x4, 2, sat_s(v[i]))
LANES1(i32x4_trunc_sat_f64x2_u_zero, f64x2, u32x4, 2, sat_u(v[i]))
LANES1(f32x4_convert_i32x4_s, s32x4, f32x4, 4, (float)v[i])
LANES1(f32x4_convert_i32x4_u, u32x4, f32x4, 4, (float)v[i])
LANES1(f64x2_convert_low_i32x4_s, s32x4, f64x2, 2, (double)v[i])
LANES1(f64x2_convert_low_i32x4_u, u32x4, f64x2, 2, (double)v[i])
LANES1(f32x4_demote_f64x2_zero, f64x2, f32x4, 2, (float)v[i])
LANES1(f64x2_promote_low_f32x4, f32x4, f64x2, 2,
	quiet_f64((double)v[i], (double)v[i]))
/* clang-format on */

#define QUIET_f32 0x7fc00000
#define QUIET_f64 0x7ff8000000000000
/* clang-format off */
V1(canon_f32x4, f32x4, PICK(v != v, u32x4,
	((u32x4){ QUIET_f32, QUIET_f32, QUIET_f32, QUIET_f32 }), v))
V1(canon_f64x2, f64x2, PICK(v != v, u64x2,
	((u64x2){ QUIET_f64, QUIET_f64 }), v))
/* clang-format on */
