/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairs: two instructions done as one, where the second uses what the first
 * makes. Both keep their words; the first one's operation becomes that of the
 * pair. The first result is still written to its slot (it may be a local),
 * but need not be read back. FIRSTS are one word each and pass X's second
 * argument on; SECONDS get the value in place of register b (_v: of the value
 * stored; a of a branch; subr: c).
 */
#ifndef WASM_INTERP_PAIRS_TABLE_H
#define WASM_INTERP_PAIRS_TABLE_H

/* clang-format off */
#define WASM_FIRSTS_I32(X, second) \
	X(i32_add_rr, second) X(i32_add_rk, second) X(i32_sub_rr, second) \
	X(i32_mul_rr, second) X(i32_mul_rk, second) X(i32_and_rr, second) \
	X(i32_and_rk, second) X(i32_or_rr, second) X(i32_xor_rr, second) \
	X(i32_shl_rk, second) X(i32_shr_u_rk, second) X(i32_rotl_rk, second) \
	X(i32_load, second) X(i32_load8_u, second) X(i32_load16_u, second)

#define WASM_SECONDS_I32_REAL(X) \
	X(i32_add_rr) X(i32_add_rk) X(i32_sub_rr) X(i32_mul_rr) X(i32_and_rr) \
	X(i32_and_rk) X(i32_or_rr) X(i32_xor_rr) X(i32_shl_rk) \
	X(i32_shr_u_rk) X(i32_load) X(i64_load) X(i32_load8_u) X(i32_load8_s) \
	X(i32_load16_u) X(i32_load16_s) X(i32_store) X(i64_store) \
	X(i32_store8) X(i32_store16) \
	 X(br_nz) X(br_z) X(br_i32_eq_rr) X(br_i32_eq_rk) \
	X(br_i32_ne_rr) X(br_i32_ne_rk) X(br_i32_lt_s_rr) X(br_i32_lt_s_rk) \
	X(br_i32_lt_u_rr) X(br_i32_lt_u_rk) X(br_i32_gt_s_rr) \
	X(br_i32_gt_s_rk) X(br_i32_gt_u_rr) X(br_i32_gt_u_rk) \
	X(br_i32_le_s_rr) X(br_i32_le_s_rk) X(br_i32_le_u_rr) \
	X(br_i32_le_u_rk) X(br_i32_ge_s_rr) X(br_i32_ge_s_rk) \
	X(br_i32_ge_u_rr) X(br_i32_ge_u_rk)

#define WASM_FIRSTS_I64(X, second) \
	X(i64_add_rr, second) X(i64_add_rk, second) X(i64_sub_rr, second) \
	X(i64_mul_rr, second) X(i64_mul_rk, second) X(i64_and_rr, second) \
	X(i64_and_rk, second) X(i64_or_rr, second) X(i64_xor_rr, second) \
	X(i64_shl_rk, second) X(i64_shr_u_rk, second) X(i64_rotl_rk, second) \
	X(i64_load, second)

#define WASM_SECONDS_I64_REAL(X) \
	X(i64_add_rr) X(i64_add_rk) X(i64_sub_rr) X(i64_mul_rr) X(i64_and_rr) \
	X(i64_and_rk) X(i64_or_rr) X(i64_xor_rr) X(i64_shl_rk) \
	X(i64_shr_u_rk) X(i64_rotl_rk) X(br_i64_eq_rr) \
	X(br_i64_eq_rk) X(br_i64_ne_rr) X(br_i64_ne_rk) X(br_i64_lt_s_rr) \
	X(br_i64_lt_s_rk) X(br_i64_lt_u_rr) X(br_i64_lt_u_rk) \
	X(br_i64_ge_s_rr) X(br_i64_ge_s_rk) X(br_i64_ge_u_rr) \
	X(br_i64_ge_u_rk)

#define WASM_SECONDS_I32(X) \
	WASM_SECONDS_I32_REAL(X) \
	X(i32_store_v) X(i32_store8_v) X(i32_store16_v)
#define WASM_SECONDS_I64(X) WASM_SECONDS_I64_REAL(X) X(i64_store_v)

#define WASM_FIRSTS_F32(X, second) \
	X(f32_add, second) X(f32_sub, second) X(f32_mul, second) \
	X(i32_load, second)
#define WASM_SECONDS_F32(X) \
	X(f32_add) X(f32_sub) X(f32_subr) X(f32_mul) X(f32_store_v)

#define WASM_FIRSTS_F64(X, second) \
	X(f64_add, second) X(f64_sub, second) X(f64_mul, second) \
	X(i64_load, second)
#define WASM_SECONDS_F64(X) \
	X(f64_add) X(f64_sub) X(f64_subr) X(f64_mul) X(f64_store_v)

#define WASM_PAIR_NAME(first, second) WASM_X(first##__##second)
#define WASM_PAIRS_I32(second) WASM_FIRSTS_I32(WASM_PAIR_NAME, second)
#define WASM_PAIRS_I64(second) WASM_FIRSTS_I64(WASM_PAIR_NAME, second)
#define WASM_PAIRS_F32(second) WASM_FIRSTS_F32(WASM_PAIR_NAME, second)
#define WASM_PAIRS_F64(second) WASM_FIRSTS_F64(WASM_PAIR_NAME, second)

#define WASM_OPS_PAIRS \
	WASM_X(copy__copy) \
	WASM_SECONDS_I32(WASM_PAIRS_I32) \
	WASM_SECONDS_I64(WASM_PAIRS_I64) \
	WASM_SECONDS_F32(WASM_PAIRS_F32) \
	WASM_SECONDS_F64(WASM_PAIRS_F64)

/* clang-format on */

#endif
