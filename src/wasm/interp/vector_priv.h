/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors in two slots, as the compiler's vector types. */
#ifndef WASM_INTERP_VECTOR_PRIV_H
#define WASM_INTERP_VECTOR_PRIV_H

#include "wasm/interp/exec_priv.h"

#define VECTOR(name, type)                                  \
	typedef type name __attribute__((vector_size(16))); \
	static inline name get_##name(const uint64_t *slot) \
	{                                                   \
		name v;                                     \
		memcpy(&v, slot, 16);                       \
		return v;                                   \
	}

/* clang-format off */
VECTOR(u8x16, uint8_t)
VECTOR(s8x16, int8_t)
VECTOR(u16x8, uint16_t)
VECTOR(s16x8, int16_t)
VECTOR(u32x4, uint32_t)
VECTOR(s32x4, int32_t)
VECTOR(u64x2, uint64_t)
VECTOR(s64x2, int64_t)
VECTOR(f32x4, float)
VECTOR(f64x2, double)
/* clang-format on */

#define PUT(v)                                      \
	do {                                        \
		__typeof__(v) v_ = (v);             \
		memcpy(fp + ip->a, &v_, sizeof v_); \
	} while (0)

/* Where the mask has ones a, else b. */
#define PICK(mask, T, x, y) \
	((T)(((u64x2)(mask) & (u64x2)(x)) | (~(u64x2)(mask) & (u64x2)(y))))

#define V1(name, T, expr)                  \
	OP(name)                           \
	{                                  \
		T v = get_##T(fp + ip->b); \
		PUT(expr);                 \
		NEXT(1);                   \
	}

#define V2(name, T, expr)                  \
	OP(name)                           \
	{                                  \
		T l = get_##T(fp + ip->b); \
		T r = get_##T(fp + ip->c); \
		PUT(expr);                 \
		NEXT(1);                   \
	}

/* Lane by lane: n lanes of type D from lanes of type T. */
#define LANES1(name, T, D, n, expr)         \
	OP(name)                            \
	{                                   \
		T v = get_##T(fp + ip->b);  \
		D d = { 0 };                \
		for (int i = 0; i < n; i++) \
			d[i] = (expr);      \
		PUT(d);                     \
		NEXT(1);                    \
	}

#define LANES2(name, T, D, n, expr)         \
	OP(name)                            \
	{                                   \
		T l = get_##T(fp + ip->b);  \
		T r = get_##T(fp + ip->c);  \
		D d = { 0 };                \
		for (int i = 0; i < n; i++) \
			d[i] = (expr);      \
		PUT(d);                     \
		NEXT(1);                    \
	}

#endif
