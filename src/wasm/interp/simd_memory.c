/* SPDX-License-Identifier: Apache-2.0 */
/* Loads and stores of vectors. */
#include "wasm/interp/address_priv.h"
#include "wasm/interp/vector_priv.h"

/* `n` lanes of type M in memory become the vector D. */
#define LOAD_AS(name, ADDR, offset, words, M, n, D, make) \
	OP(name)                                          \
	{                                                 \
		ADDR(ip->b, offset, sizeof(M) * n);       \
		M m[n];                                   \
		memcpy(m, mem + ea, sizeof m);            \
		D d;                                      \
		make;                                     \
		PUT(d);                                   \
		NEXT(words);                              \
	}

#define WIDEN                                       \
	for (int i = 0; i < (int)ARRAY_LEN(m); i++) \
	d[i] = m[i]
#define REPEAT                                            \
	for (int i = 0; i < (int)(16 / sizeof m[0]); i++) \
	d[i] = m[0]
#define ALONE ((d = (__typeof__(d)){ 0 }), (d[0] = m[0]))
#define COPY  memcpy(&d, m, sizeof d)

/* clang-format off */
THREE_FORMS(LOAD_AS, v128_load, uint64_t, 2, u64x2, COPY)
THREE_FORMS(LOAD_AS, v128_load8x8_s, int8_t, 8, s16x8, WIDEN)
THREE_FORMS(LOAD_AS, v128_load8x8_u, uint8_t, 8, u16x8, WIDEN)
THREE_FORMS(LOAD_AS, v128_load16x4_s, int16_t, 4, s32x4, WIDEN)
THREE_FORMS(LOAD_AS, v128_load16x4_u, uint16_t, 4, u32x4, WIDEN)
THREE_FORMS(LOAD_AS, v128_load32x2_s, int32_t, 2, s64x2, WIDEN)
THREE_FORMS(LOAD_AS, v128_load32x2_u, uint32_t, 2, u64x2, WIDEN)
THREE_FORMS(LOAD_AS, v128_load8_splat, uint8_t, 1, u8x16, REPEAT)
THREE_FORMS(LOAD_AS, v128_load16_splat, uint16_t, 1, u16x8, REPEAT)
THREE_FORMS(LOAD_AS, v128_load32_splat, uint32_t, 1, u32x4, REPEAT)
THREE_FORMS(LOAD_AS, v128_load64_splat, uint64_t, 1, u64x2, REPEAT)
THREE_FORMS(LOAD_AS, v128_load32_zero, uint32_t, 1, u32x4, ALONE)
THREE_FORMS(LOAD_AS, v128_load64_zero, uint64_t, 1, u64x2, ALONE)
/* clang-format on */

/* a the vector, b the address */
#define STORE_AS(name, ADDR, offset, words, none) \
	OP(name)                                  \
	{                                         \
		ADDR(ip->b, offset, 16u);         \
		u64x2 v = get_u64x2(fp + ip->a);  \
		memcpy(mem + ea, &v, sizeof v);   \
		NEXT(words);                      \
	}

/* A word more: the vector in a, the lane in b. */
#define LOAD_LANE_AS(name, ADDR, offset, words, M)                           \
	OP(name)                                                             \
	{                                                                    \
		ADDR(ip->b, offset, sizeof(M));                              \
		u64x2 v = get_u64x2(fp + ip[words].a);                       \
		M m;                                                         \
		memcpy(&m, mem + ea, sizeof m);                              \
		PUT(v);                                                      \
		memcpy((uint8_t *)(fp + ip->a) + ip[words].b * sizeof m, &m, \
			sizeof m);                                           \
		NEXT(words + 1);                                             \
	}

#define STORE_LANE_AS(name, ADDR, offset, words, M)                         \
	OP(name)                                                            \
	{                                                                   \
		ADDR(ip->b, offset, sizeof(M));                             \
		const uint8_t *from = (const uint8_t *)(fp + ip[words].a) + \
			ip[words].b * sizeof(M);                            \
		memcpy(mem + ea, from, sizeof(M));                          \
		NEXT(words + 1);                                            \
	}

/* clang-format off */
THREE_FORMS(STORE_AS, v128_store, 0)
THREE_FORMS(LOAD_LANE_AS, v128_load8_lane, uint8_t)
THREE_FORMS(LOAD_LANE_AS, v128_load16_lane, uint16_t)
THREE_FORMS(LOAD_LANE_AS, v128_load32_lane, uint32_t)
THREE_FORMS(LOAD_LANE_AS, v128_load64_lane, uint64_t)
THREE_FORMS(STORE_LANE_AS, v128_store8_lane, uint8_t)
THREE_FORMS(STORE_LANE_AS, v128_store16_lane, uint16_t)
THREE_FORMS(STORE_LANE_AS, v128_store32_lane, uint32_t)
THREE_FORMS(STORE_LANE_AS, v128_store64_lane, uint64_t)
/* clang-format on */
