/* SPDX-License-Identifier: Apache-2.0 */
/* Integer vectors (WebAssembly 2.0 §4.3.4). */
#include "wasm/interp/vector_priv.h"

/* --- bits ------------------------------------------------------------------
 */

/* clang-format off */
V1(v128_not, u64x2, ~v)
V2(v128_and, u64x2, l & r)
V2(v128_andnot, u64x2, l & ~r)
V2(v128_or, u64x2, l | r)
V2(v128_xor, u64x2, l ^ r)
/* clang-format on */

OP(v128_bitselect)
{
	u64x2 l = get_u64x2(fp + ip->b), r = get_u64x2(fp + ip->c);
	u64x2 mask = get_u64x2(fp + ip[1].a);
	PUT(PICK(mask, u64x2, l, r));
	NEXT(2);
}

OP(v128_any_true)
{
	u64x2 v = get_u64x2(fp + ip->b);
	fp[ip->a] = (v[0] | v[1]) != 0;
	NEXT(1);
}

/* --- for each shape ----------------------------------------------------------
 */

#define TESTS(shape, U, S, n, bits)                                  \
	OP(shape##_all_true)                                         \
	{                                                            \
		U v = get_##U(fp + ip->b);                           \
		bool all = true;                                     \
		for (int i = 0; i < n; i++)                          \
			all = all && v[i];                           \
		fp[ip->a] = all;                                     \
		NEXT(1);                                             \
	}                                                            \
	OP(shape##_bitmask)                                          \
	{                                                            \
		U v = get_##U(fp + ip->b);                           \
		uint32_t mask = 0;                                   \
		for (int i = 0; i < n; i++)                          \
			mask |= (uint32_t)(v[i] >> (bits - 1)) << i; \
		fp[ip->a] = mask;                                    \
		NEXT(1);                                             \
	}

#define SHIFTS(shape, U, S, bits)                      \
	OP(shape##_shl)                                \
	{                                              \
		U v = get_##U(fp + ip->b);             \
		int n = (int)(fp[ip->c] & (bits - 1)); \
		PUT(v << n);                           \
		NEXT(1);                               \
	}                                              \
	OP(shape##_shr_s)                              \
	{                                              \
		S v = get_##S(fp + ip->b);             \
		int n = (int)(fp[ip->c] & (bits - 1)); \
		PUT(v >> n);                           \
		NEXT(1);                               \
	}                                              \
	OP(shape##_shr_u)                              \
	{                                              \
		U v = get_##U(fp + ip->b);             \
		int n = (int)(fp[ip->c] & (bits - 1)); \
		PUT(v >> n);                           \
		NEXT(1);                               \
	}

#define COMMON(shape, U, S, n, bits) \
	TESTS(shape, U, S, n, bits)  \
	SHIFTS(shape, U, S, bits)    \
	V2(shape##_eq, U, l == r)    \
	V2(shape##_ne, U, l != r)    \
	V2(shape##_lt_s, S, l < r)   \
	V2(shape##_gt_s, S, l > r)   \
	V2(shape##_le_s, S, l <= r)  \
	V2(shape##_ge_s, S, l >= r)  \
	V2(shape##_add, U, l + r)    \
	V2(shape##_sub, U, l - r)    \
	V1(shape##_neg, U, -v)       \
	V1(shape##_abs, S, PICK(v < 0, U, -(U)v, (U)v))

/* What there is not for lanes of 64 bits. */
#define NARROWER(shape, U, S)                      \
	V2(shape##_lt_u, U, l < r)                 \
	V2(shape##_gt_u, U, l > r)                 \
	V2(shape##_le_u, U, l <= r)                \
	V2(shape##_ge_u, U, l >= r)                \
	V2(shape##_min_s, S, PICK(l < r, S, l, r)) \
	V2(shape##_min_u, U, PICK(l < r, U, l, r)) \
	V2(shape##_max_s, S, PICK(l > r, S, l, r)) \
	V2(shape##_max_u, U, PICK(l > r, U, l, r))

/* Saturation: with wrapped sum or difference d of l and r. */
#define SATURATING(shape, U, S, n, bits)                                  \
	OP(shape##_add_sat_s)                                             \
	{                                                                 \
		U l = get_##U(fp + ip->b), r = get_##U(fp + ip->c);       \
		U d = l + r,                                              \
		  most = (U)((S)l >> (bits - 1)) ^ (U)(~((U){ 0 }) >> 1); \
		S over = (S)((l ^ d) & (r ^ d)) < 0;                      \
		PUT(PICK(over, U, most, d));                              \
		NEXT(1);                                                  \
	}                                                                 \
	OP(shape##_sub_sat_s)                                             \
	{                                                                 \
		U l = get_##U(fp + ip->b), r = get_##U(fp + ip->c);       \
		U d = l - r,                                              \
		  most = (U)((S)l >> (bits - 1)) ^ (U)(~((U){ 0 }) >> 1); \
		S over = (S)((l ^ r) & (l ^ d)) < 0;                      \
		PUT(PICK(over, U, most, d));                              \
		NEXT(1);                                                  \
	}                                                                 \
	V2(shape##_add_sat_u, U, (l + r) | (U)((U)(l + r) < l))           \
	V2(shape##_sub_sat_u, U, (l - r) & (U)(l >= r))                   \
	V2(shape##_avgr_u, U, (l | r) - ((l ^ r) >> 1))

/* clang-format off */
COMMON(i8x16, u8x16, s8x16, 16, 8)
COMMON(i16x8, u16x8, s16x8, 8, 16)
COMMON(i32x4, u32x4, s32x4, 4, 32)
COMMON(i64x2, u64x2, s64x2, 2, 64)
NARROWER(i8x16, u8x16, s8x16)
NARROWER(i16x8, u16x8, s16x8)
NARROWER(i32x4, u32x4, s32x4)
SATURATING(i8x16, u8x16, s8x16, 16, 8)
SATURATING(i16x8, u16x8, s16x8, 8, 16)
V2(i16x8_mul, u16x8, l * r)
V2(i32x4_mul, u32x4, l * r)
V2(i64x2_mul, u64x2, l * r)
LANES1(i8x16_popcnt, u8x16, u8x16, 16, (uint8_t)__builtin_popcount(v[i]))
/* clang-format on */

/* --- from one width to another
 * ------------------------------------------------ */

/* 1u: two of 16 bits are multiplied without a sign, too. */
#define EXTEND(to, from, S, U, DS, DU, DT, DUT, n)                   \
	LANES1(to##_extend_low_##from##_s, S, DS, n, (DT)v[i])       \
	LANES1(to##_extend_high_##from##_s, S, DS, n, (DT)v[i + n])  \
	LANES1(to##_extend_low_##from##_u, U, DU, n, (DUT)v[i])      \
	LANES1(to##_extend_high_##from##_u, U, DU, n, (DUT)v[i + n]) \
	LANES2(to##_extmul_low_##from##_s, S, DU, n,                 \
		(DUT)(1u * (DUT)(DT)l[i] * (DUT)(DT)r[i]))           \
	LANES2(to##_extmul_high_##from##_s, S, DU, n,                \
		(DUT)(1u * (DUT)(DT)l[i + n] * (DUT)(DT)r[i + n]))   \
	LANES2(to##_extmul_low_##from##_u, U, DU, n,                 \
		(DUT)(1u * (DUT)l[i] * (DUT)r[i]))                   \
	LANES2(to##_extmul_high_##from##_u, U, DU, n,                \
		(DUT)(1u * (DUT)l[i + n] * (DUT)r[i + n]))

#define PAIRWISE(to, from, S, U, DS, DU, DT, DUT, n)      \
	LANES1(to##_extadd_pairwise_##from##_s, S, DS, n, \
		(DT)((DT)v[2 * i] + (DT)v[2 * i + 1]))    \
	LANES1(to##_extadd_pairwise_##from##_u, U, DU, n, \
		(DUT)((DUT)v[2 * i] + (DUT)v[2 * i + 1]))

static inline int32_t clamp(int32_t v, int32_t low, int32_t high)
{
	return v < low ? low : v > high ? high : v;
}

#define NARROW(name, T, D, n, C, low, high) \
	LANES2(name, T, D, 2 * n,           \
		(C)clamp(i < n ? l[i & (n - 1)] : r[i & (n - 1)], low, high))

/* clang-format off */
EXTEND(i16x8, i8x16, s8x16, u8x16, s16x8, u16x8, int16_t, uint16_t, 8)
EXTEND(i32x4, i16x8, s16x8, u16x8, s32x4, u32x4, int32_t, uint32_t, 4)
EXTEND(i64x2, i32x4, s32x4, u32x4, s64x2, u64x2, int64_t, uint64_t, 2)
PAIRWISE(i16x8, i8x16, s8x16, u8x16, s16x8, u16x8, int16_t, uint16_t, 8)
PAIRWISE(i32x4, i16x8, s16x8, u16x8, s32x4, u32x4, int32_t, uint32_t, 4)
NARROW(i8x16_narrow_i16x8_s, s16x8, s8x16, 8, int8_t, INT8_MIN, INT8_MAX)
NARROW(i8x16_narrow_i16x8_u, s16x8, u8x16, 8, uint8_t, 0, UINT8_MAX)
NARROW(i16x8_narrow_i32x4_s, s32x4, s16x8, 4, int16_t, INT16_MIN, INT16_MAX)
NARROW(i16x8_narrow_i32x4_u, s32x4, u16x8, 4, uint16_t, 0, UINT16_MAX)
LANES2(i32x4_dot_i16x8_s, s16x8, u32x4, 4,
	(uint32_t)(l[2 * i] * r[2 * i]) +
		(uint32_t)(l[2 * i + 1] * r[2 * i + 1]))
LANES2(i16x8_q15mulr_sat_s, s16x8, s16x8, 8,
	(int16_t)clamp((l[i] * r[i] + 0x4000) >> 15, INT16_MIN, INT16_MAX))
LANES2(i16x8_relaxed_dot_i8x16_i7x16_s, s8x16, s16x8, 8,
	(int16_t)(l[2 * i] * r[2 * i] + l[2 * i + 1] * r[2 * i + 1]))
/* clang-format on */

OP(i32x4_relaxed_dot_i8x16_i7x16_add_s)
{
	s8x16 l = get_s8x16(fp + ip->b), r = get_s8x16(fp + ip->c);
	u32x4 d = get_u32x4(fp + ip[1].a);
	for (int i = 0; i < 16; i++)
		d[i / 4] += (uint32_t)(l[i] * r[i]);
	PUT(d);
	NEXT(2);
}

/* --- lanes
 * ---------------------------------------------------------------------- */

/* clang-format off */
LANES2(i8x16_swizzle, u8x16, u8x16, 16, r[i] < 16 ? l[r[i] & 15] : 0)
/* clang-format on */

/* The lanes' numbers are in two more words. */
OP(v128_shuffle)
{
	uint8_t both[32], d[16], pick[16];
	memcpy(both, fp + ip->b, 16);
	memcpy(both + 16, fp + ip->c, 16);
	memcpy(pick, &ip[1], 16);
	for (int i = 0; i < 16; i++)
		d[i] = both[pick[i] & 31];
	memcpy(fp + ip->a, d, 16);
	NEXT(3);
}

#define SPLAT(name, T, n, value)            \
	OP(name)                            \
	{                                   \
		uint64_t v = fp[ip->b];     \
		T d;                        \
		for (int i = 0; i < n; i++) \
			d[i] = (value);     \
		PUT(d);                     \
		NEXT(1);                    \
	}

/* b the vector, c the lane */
#define EXTRACT(name, T, W)                                                  \
	OP(name)                                                             \
	{                                                                    \
		__typeof__(((T){ 0 })[0]) lane;                              \
		memcpy(&lane,                                                \
			(const uint8_t *)(fp + ip->b) + ip->c * sizeof lane, \
			sizeof lane);                                        \
		W wide = (W)lane;                                            \
		fp[ip->a] = wide;                                            \
		NEXT(1);                                                     \
	}

/* b the vector, c the value, the lane in the next word */
#define REPLACE(name, T, C)                                                    \
	OP(name)                                                               \
	{                                                                      \
		u64x2 v = get_u64x2(fp + ip->b);                               \
		C lane = (C)fp[ip->c];                                         \
		PUT(v);                                                        \
		memcpy((uint8_t *)(fp + ip->a) + ip[1].a * sizeof lane, &lane, \
			sizeof lane);                                          \
		NEXT(2);                                                       \
	}

/* clang-format off */
SPLAT(i8x16_splat, u8x16, 16, (uint8_t)v)
SPLAT(i16x8_splat, u16x8, 8, (uint16_t)v)
SPLAT(i32x4_splat, u32x4, 4, (uint32_t)v)
SPLAT(i64x2_splat, u64x2, 2, v)
SPLAT(f32x4_splat, u32x4, 4, (uint32_t)v)
SPLAT(f64x2_splat, u64x2, 2, v)
EXTRACT(i8x16_extract_lane_s, s8x16, uint32_t)
EXTRACT(i8x16_extract_lane_u, u8x16, uint32_t)
EXTRACT(i16x8_extract_lane_s, s16x8, uint32_t)
EXTRACT(i16x8_extract_lane_u, u16x8, uint32_t)
EXTRACT(i32x4_extract_lane, u32x4, uint32_t)
EXTRACT(i64x2_extract_lane, u64x2, uint64_t)
EXTRACT(f32x4_extract_lane, u32x4, uint32_t)
EXTRACT(f64x2_extract_lane, u64x2, uint64_t)
REPLACE(i8x16_replace_lane, u8x16, uint8_t)
REPLACE(i16x8_replace_lane, u16x8, uint16_t)
REPLACE(i32x4_replace_lane, u32x4, uint32_t)
REPLACE(i64x2_replace_lane, u64x2, uint64_t)
REPLACE(f32x4_replace_lane, u32x4, uint32_t)
REPLACE(f64x2_replace_lane, u64x2, uint64_t)
/* clang-format on */
