/* SPDX-License-Identifier: Apache-2.0 */
/* Integer operations (WebAssembly 2.0 §4.3.2). */
#include "wasm/interp/exec_priv.h"

/* l and r are the operands, of type U. */
#define BIN(T, U, name, expr)                                       \
	OP(T##_##name##_rr)                                         \
	{                                                           \
		U l = (U)fp[ip->b], r = (U)fp[ip->c];               \
		fp[ip->a] = (U)(expr);                              \
		NEXT(1);                                            \
	}                                                           \
	OP(T##_##name##_rk)                                         \
	{                                                           \
		U l = (U)fp[ip->b], r = (U)(int64_t)(int16_t)ip->c; \
		fp[ip->a] = (U)(expr);                              \
		NEXT(1);                                            \
	}

#define CMP(T, U, name, expr)                                       \
	BIN(T, U, name, expr)                                       \
	OP(br_##T##_##name##_rr)                                    \
	{                                                           \
		U l = (U)fp[ip->a], r = (U)fp[ip->b];               \
		if (expr)                                           \
			JUMP(1);                                    \
		NEXT(2);                                            \
	}                                                           \
	OP(br_##T##_##name##_rk)                                    \
	{                                                           \
		U l = (U)fp[ip->a], r = (U)(int64_t)(int16_t)ip->b; \
		if (expr)                                           \
			JUMP(1);                                    \
		NEXT(2);                                            \
	}

#define INTEGERS(T, U, S, BITS)                                         \
	CMP(T, U, eq, l == r)                                           \
	CMP(T, U, ne, l != r)                                           \
	CMP(T, U, lt_s, (S)l < (S)r)                                    \
	CMP(T, U, lt_u, l < r)                                          \
	CMP(T, U, gt_s, (S)l > (S)r)                                    \
	CMP(T, U, gt_u, l > r)                                          \
	CMP(T, U, le_s, (S)l <= (S)r)                                   \
	CMP(T, U, le_u, l <= r)                                         \
	CMP(T, U, ge_s, (S)l >= (S)r)                                   \
	CMP(T, U, ge_u, l >= r)                                         \
	BIN(T, U, add, l + r)                                           \
	BIN(T, U, sub, l - r)                                           \
	BIN(T, U, mul, l *r)                                            \
	BIN(T, U, and, l &r)                                            \
	BIN(T, U, or, l | r)                                            \
	BIN(T, U, xor, l ^ r)                                           \
	BIN(T, U, shl, l << (r & (BITS - 1)))                           \
	BIN(T, U, shr_s, (S)l >> (r & (BITS - 1)))                      \
	BIN(T, U, shr_u, l >> (r & (BITS - 1)))                         \
	BIN(T, U, rotl, l << (r & (BITS - 1)) | l >> (-r & (BITS - 1))) \
	BIN(T, U, rotr, l >> (r & (BITS - 1)) | l << (-r & (BITS - 1)))

/* clang-format off */
INTEGERS(i32, uint32_t, int32_t, 32)
INTEGERS(i64, uint64_t, int64_t, 64)
/* clang-format on */

/* Division traps; `overflow` is the case that has no result, `expr` the result.
 */
#define DIV(T, U, name, overflow, expr)                             \
	OP(T##_##name##_rr)                                         \
	{                                                           \
		U l = (U)fp[ip->b], r = (U)fp[ip->c];               \
		if (UNLIKELY(r == 0))                               \
			TRAP(DIVIDE);                               \
		if (UNLIKELY(overflow))                             \
			TRAP(OVERFLOW);                             \
		fp[ip->a] = (U)(expr);                              \
		NEXT(1);                                            \
	}                                                           \
	OP(T##_##name##_rk)                                         \
	{                                                           \
		U l = (U)fp[ip->b], r = (U)(int64_t)(int16_t)ip->c; \
		if (UNLIKELY(r == 0))                               \
			TRAP(DIVIDE);                               \
		if (UNLIKELY(overflow))                             \
			TRAP(OVERFLOW);                             \
		fp[ip->a] = (U)(expr);                              \
		NEXT(1);                                            \
	}

#define DIVISIONS(T, U, S, MIN)                                  \
	DIV(T, U, div_s, l == (U)MIN && r == (U)-1, (S)l / (S)r) \
	DIV(T, U, div_u, false, l / r)                           \
	DIV(T, U, rem_s, false, r == (U)-1 ? 0 : (S)l % (S)r)    \
	DIV(T, U, rem_u, false, l % r)

/* clang-format off */
DIVISIONS(i32, uint32_t, int32_t, INT32_MIN)
DIVISIONS(i64, uint64_t, int64_t, INT64_MIN)
/* clang-format on */

#define UN(name, U, O, expr)        \
	OP(name)                    \
	{                           \
		U v = (U)fp[ip->b]; \
		O r = (O)(expr);    \
		fp[ip->a] = r;      \
		NEXT(1);            \
	}

/* clang-format off */
UN(i32_clz, uint32_t, uint32_t, v ? (uint64_t)__builtin_clz(v) : 32)
UN(i32_ctz, uint32_t, uint32_t, v ? (uint64_t)__builtin_ctz(v) : 32)
UN(i32_popcnt, uint32_t, uint32_t, (uint64_t)__builtin_popcount(v))
UN(i64_clz, uint64_t, uint64_t, v ? (uint64_t)__builtin_clzll(v) : 64)
UN(i64_ctz, uint64_t, uint64_t, v ? (uint64_t)__builtin_ctzll(v) : 64)
UN(i64_popcnt, uint64_t, uint64_t, (uint64_t)__builtin_popcountll(v))
UN(i64_eqz, uint64_t, uint32_t, v == 0)
UN(i32_wrap_i64, uint64_t, uint32_t, (uint32_t)v)
UN(i64_extend_i32_s, uint32_t, uint64_t, (uint64_t)(int64_t)(int32_t)v)
UN(i64_extend_i32_u, uint32_t, uint64_t, v)
UN(i32_extend8_s, uint32_t, uint32_t, (uint32_t)(int32_t)(int8_t)v)
UN(i32_extend16_s, uint32_t, uint32_t, (uint32_t)(int32_t)(int16_t)v)
UN(i64_extend8_s, uint64_t, uint64_t, (uint64_t)(int64_t)(int8_t)v)
UN(i64_extend16_s, uint64_t, uint64_t, (uint64_t)(int64_t)(int16_t)v)
UN(i64_extend32_s, uint64_t, uint64_t, (uint64_t)(int64_t)(int32_t)v)
/* clang-format on */
