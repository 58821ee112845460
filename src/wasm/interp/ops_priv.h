/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every operation of the register code, in lists.  The compiler computes some
 * of them from their position, so the order within a list is that of the
 * binary format's opcodes.  Suffixes: _rr two registers, _rk a register and a
 * 16-bit constant; _far an offset beyond 16 bits, _64 a 64-bit address.
 */
#ifndef WASM_INTERP_OPS_PRIV_H
#define WASM_INTERP_OPS_PRIV_H

#include "wasm/interp/pairs_table.h"
#include "wasm/interp/simd_table.h"
#include "wasm/word_priv.h"

/* clang-format off */
#define WASM_OPS_CONTROL(X) \
	X(exit) X(cross) X(resume) X(again) X(unreachable) X(jump) X(br_nz) X(br_z) X(br_table) \
	X(call) X(call_import) X(call_indirect) X(call_callee) X(call_ref) \
	X(tail_call) X(tail_import) X(tail_indirect) X(tail_ref) \
	X(ret) X(ret1) X(ret2) X(retn) \
	X(copy) X(copy2) X(const32) X(const64) X(const128) \
	X(select) X(select2) \
	X(global_get) X(global_set) X(global_get2) X(global_set2) \
	X(ref_func) X(ref_is_null) X(ref_as_non_null) \
	X(br_null) X(br_non_null) X(memory_use) X(throw) X(throw_ref)

#define WASM_OPS_CMP_LIST(X, T) \
	X(T, eq) X(T, ne) X(T, lt_s) X(T, lt_u) X(T, gt_s) X(T, gt_u) \
	X(T, le_s) X(T, le_u) X(T, ge_s) X(T, ge_u)

#define WASM_OPS_BIN_LIST(X, T) \
	X(T, add) X(T, sub) X(T, mul) X(T, div_s) X(T, div_u) X(T, rem_s) \
	X(T, rem_u) X(T, and) X(T, or) X(T, xor) X(T, shl) X(T, shr_s) \
	X(T, shr_u) X(T, rotl) X(T, rotr)

#define WASM_OPS_FCMP_LIST(X, T) \
	X(T, eq) X(T, ne) X(T, lt) X(T, gt) X(T, le) X(T, ge)

#define WASM_OPS_FBIN_LIST(X, T) \
	X(T, add) X(T, sub) X(T, mul) X(T, div) X(T, min) X(T, max) \
	X(T, copysign)

#define WASM_OPS_UNARY(X) \
	X(i32_clz) X(i32_ctz) X(i32_popcnt) \
	X(i64_clz) X(i64_ctz) X(i64_popcnt) X(i64_eqz) \
	X(f32_abs) X(f32_neg) X(f32_ceil) X(f32_floor) X(f32_trunc) \
	X(f32_nearest) X(f32_sqrt) \
	X(f64_abs) X(f64_neg) X(f64_ceil) X(f64_floor) X(f64_trunc) \
	X(f64_nearest) X(f64_sqrt) \
	X(i32_wrap_i64) X(i32_trunc_f32_s) X(i32_trunc_f32_u) \
	X(i32_trunc_f64_s) X(i32_trunc_f64_u) X(i64_extend_i32_s) \
	X(i64_extend_i32_u) X(i64_trunc_f32_s) X(i64_trunc_f32_u) \
	X(i64_trunc_f64_s) X(i64_trunc_f64_u) X(f32_convert_i32_s) \
	X(f32_convert_i32_u) X(f32_convert_i64_s) X(f32_convert_i64_u) \
	X(f32_demote_f64) X(f64_convert_i32_s) X(f64_convert_i32_u) \
	X(f64_convert_i64_s) X(f64_convert_i64_u) X(f64_promote_f32) \
	X(i32_extend8_s) X(i32_extend16_s) X(i64_extend8_s) \
	X(i64_extend16_s) X(i64_extend32_s) \
	X(i32_trunc_sat_f32_s) X(i32_trunc_sat_f32_u) \
	X(i32_trunc_sat_f64_s) X(i32_trunc_sat_f64_u) \
	X(i64_trunc_sat_f32_s) X(i64_trunc_sat_f32_u) \
	X(i64_trunc_sat_f64_s) X(i64_trunc_sat_f64_u)

/* NaNs made the same. */
#define WASM_OPS_CANON(X) \
	X(canon_f32) X(canon_f64) X(canon_f32x4) X(canon_f64x2)

/* Name, C type in memory, C type in the slot. */
#define WASM_OPS_LOAD_LIST(X) \
	X(i32_load, uint32_t, uint32_t) X(i64_load, uint64_t, uint64_t) \
	X(i32_load8_s, int8_t, uint32_t) X(i32_load8_u, uint8_t, uint32_t) \
	X(i32_load16_s, int16_t, uint32_t) \
	X(i32_load16_u, uint16_t, uint32_t) X(i64_load8_s, int8_t, uint64_t) \
	X(i64_load16_s, int16_t, uint64_t) X(i64_load32_s, int32_t, uint64_t)

#define WASM_OPS_STORE_LIST(X) \
	X(i32_store, uint32_t) X(i64_store, uint64_t) \
	X(i32_store8, uint8_t) X(i32_store16, uint16_t)

#define WASM_OPS_BULK(X) \
	X(memory_size) X(memory_grow) X(memory_init) X(data_drop) \
	X(memory_copy) X(memory_fill) \
	X(table_get) X(table_set) X(table_size) X(table_grow) X(table_fill) \
	X(table_copy) X(table_init) X(elem_drop)

#define WASM_OPS_GC(X) \
	X(struct_new) X(struct_new_default) X(struct_get) X(struct_get2) \
	X(struct_get8_s) X(struct_get8_u) X(struct_get16_s) \
	X(struct_get16_u) X(struct_set) X(struct_set2) \
	X(array_new) X(array_new_default) X(array_new_fixed) \
	X(array_new_data) X(array_new_elem) X(array_get) X(array_set) \
	X(array_len) X(array_fill) X(array_copy) X(array_init_data) \
	X(array_init_elem) X(ref_test) X(ref_cast) X(ref_eq) X(ref_i31) \
	X(i31_get_s) X(i31_get_u)

/* Atomic accesses by width; name, C type. */
#define WASM_OPS_ATOMIC_LIST(X, n) \
	X(n##32, uint32_t) X(n##64, uint64_t) X(n##8, uint8_t) \
	X(n##16, uint16_t)
#define WASM_OPS_ATOMIC(X) \
	WASM_OPS_ATOMIC_LIST(X, atomic_load) \
	WASM_OPS_ATOMIC_LIST(X, atomic_store) \
	WASM_OPS_ATOMIC_LIST(X, atomic_add) \
	WASM_OPS_ATOMIC_LIST(X, atomic_sub) \
	WASM_OPS_ATOMIC_LIST(X, atomic_and) \
	WASM_OPS_ATOMIC_LIST(X, atomic_or) \
	WASM_OPS_ATOMIC_LIST(X, atomic_xor) \
	WASM_OPS_ATOMIC_LIST(X, atomic_xchg) \
	WASM_OPS_ATOMIC_LIST(X, atomic_cmpxchg) \
	X(atomic_notify, uint32_t) X(atomic_wait32, uint32_t) \
	X(atomic_wait64, uint64_t)

/* What each list's entries become. */
#define WASM_X_PAIR(T, n)    WASM_X(T##_##n##_rr) WASM_X(T##_##n##_rk)
#define WASM_X_BR(T, n)      WASM_X(br_##T##_##n##_rr) WASM_X(br_##T##_##n##_rk)
#define WASM_X_ONE(T, n)     WASM_X(T##_##n)
#define WASM_X_FBR(T, n)     WASM_X(br_##T##_##n) WASM_X(brn_##T##_##n)
#define WASM_X_LOAD(n, m, s) WASM_X(n) WASM_X(n##_far) WASM_X(n##_64)
#define WASM_X_ATOMIC(n, m)  WASM_X(n##_far) WASM_X(n##_64)
#define WASM_X_STORE(n, m)   WASM_X(n) WASM_X(n##_far) WASM_X(n##_64)

#define WASM_OPS_ALL \
	WASM_OPS_CONTROL(WASM_X) \
	WASM_OPS_CMP_LIST(WASM_X_PAIR, i32) \
	WASM_OPS_CMP_LIST(WASM_X_PAIR, i64) \
	WASM_OPS_BIN_LIST(WASM_X_PAIR, i32) \
	WASM_OPS_BIN_LIST(WASM_X_PAIR, i64) \
	WASM_OPS_FCMP_LIST(WASM_X_ONE, f32) \
	WASM_OPS_FCMP_LIST(WASM_X_ONE, f64) \
	WASM_OPS_CMP_LIST(WASM_X_BR, i32) \
	WASM_OPS_CMP_LIST(WASM_X_BR, i64) \
	WASM_OPS_FCMP_LIST(WASM_X_FBR, f32) \
	WASM_OPS_FCMP_LIST(WASM_X_FBR, f64) \
	WASM_OPS_FBIN_LIST(WASM_X_ONE, f32) \
	WASM_OPS_FBIN_LIST(WASM_X_ONE, f64) \
	WASM_OPS_UNARY(WASM_X) \
	WASM_OPS_CANON(WASM_X) \
	WASM_OPS_LOAD_LIST(WASM_X_LOAD) \
	WASM_OPS_STORE_LIST(WASM_X_STORE) \
	WASM_OPS_BULK(WASM_X) \
	WASM_OPS_GC(WASM_X) \
	WASM_OPS_ATOMIC(WASM_X_ATOMIC) \
	WASM_OPS_SIMD \
	WASM_OPS_PAIRS

enum wasm_op {
#define WASM_X(n) OP_##n,
	WASM_OPS_ALL
#undef WASM_X
	WASM_OP_COUNT
};
/* clang-format on */

#endif
