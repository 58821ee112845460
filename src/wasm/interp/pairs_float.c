/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs of floating-point operations: each rounds for itself. */
#include "wasm/interp/pairs_priv.h"

#define FIRST_FLOAT(T, expr)                                                  \
	__typeof__(T##_of(0)) p_ = T##_of(fp[ip->b]), q_ = T##_of(fp[ip->c]); \
	uint64_t v = slot_##T(expr)
#define SECOND_FLOAT(T, expr)                                           \
	__typeof__(T##_of(0)) x_ = T##_of(v), r_ = T##_of(fp[ip[1].c]); \
	fp[ip[1].a] = slot_##T(expr);                                   \
	NEXT(2);

/* clang-format off */
#define FIRST_f32_add FIRST_FLOAT(f32, p_ + q_)
#define FIRST_f32_sub FIRST_FLOAT(f32, p_ - q_)
#define FIRST_f32_mul FIRST_FLOAT(f32, p_ * q_)
#define FIRST_i32_load FIRST_LOAD(uint32_t, uint32_t)
#define SECOND_f32_add SECOND_FLOAT(f32, x_ + r_)
#define SECOND_f32_sub SECOND_FLOAT(f32, x_ - r_)
#define SECOND_f32_mul SECOND_FLOAT(f32, x_ * r_)
#define SECOND_f32_store_v SECOND_STORE_V(uint32_t)
#define FIRST_f64_add FIRST_FLOAT(f64, p_ + q_)
#define FIRST_f64_sub FIRST_FLOAT(f64, p_ - q_)
#define FIRST_f64_mul FIRST_FLOAT(f64, p_ * q_)
#define FIRST_i64_load FIRST_LOAD(uint64_t, uint64_t)
#define SECOND_f64_add SECOND_FLOAT(f64, x_ + r_)
#define SECOND_f64_sub SECOND_FLOAT(f64, x_ - r_)
#define SECOND_f64_mul SECOND_FLOAT(f64, x_ * r_)
#define SECOND_f64_store_v SECOND_STORE_V(uint64_t)

/* The value is what is taken off. */
#define SUBR(T) \
	fp[ip[1].a] = slot_##T(T##_of(fp[ip[1].b]) - T##_of(v)); \
	NEXT(2);
#define SECOND_f32_subr SUBR(f32)
#define SECOND_f64_subr SUBR(f64)

#define PAIRS_F32(second) WASM_FIRSTS_F32(PAIR, second)
#define PAIRS_F64(second) WASM_FIRSTS_F64(PAIR, second)
WASM_SECONDS_F32(PAIRS_F32)
WASM_SECONDS_F64(PAIRS_F64)
/* clang-format on */
