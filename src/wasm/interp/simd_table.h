/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vector operations: X(opcode after 0xfd, name, shape, what the shape needs
 * to know).  Operations on memory come in the forms that other accesses have.
 * Of what relaxed SIMD leaves open, the deterministic choice is taken; most
 * of it are other names of operations that exist (WASM_SIMD_SAME).
 */
#ifndef WASM_INTERP_SIMD_TABLE_H
#define WASM_INTERP_SIMD_TABLE_H

/* clang-format off */
#define WASM_SIMD_PLAIN(X) \
	X(0x0e, i8x16_swizzle, BINARY, 0) \
	X(0x0f, i8x16_splat, SPLAT, T_I32) \
	X(0x10, i16x8_splat, SPLAT, T_I32) \
	X(0x11, i32x4_splat, SPLAT, T_I32) \
	X(0x12, i64x2_splat, SPLAT, T_I64) \
	X(0x13, f32x4_splat, SPLAT, T_F32) \
	X(0x14, f64x2_splat, SPLAT, T_F64) \
	X(0x15, i8x16_extract_lane_s, EXTRACT_I32, 16) \
	X(0x16, i8x16_extract_lane_u, EXTRACT_I32, 16) \
	X(0x17, i8x16_replace_lane, REPLACE_I32, 16) \
	X(0x18, i16x8_extract_lane_s, EXTRACT_I32, 8) \
	X(0x19, i16x8_extract_lane_u, EXTRACT_I32, 8) \
	X(0x1a, i16x8_replace_lane, REPLACE_I32, 8) \
	X(0x1b, i32x4_extract_lane, EXTRACT_I32, 4) \
	X(0x1c, i32x4_replace_lane, REPLACE_I32, 4) \
	X(0x1d, i64x2_extract_lane, EXTRACT_I64, 2) \
	X(0x1e, i64x2_replace_lane, REPLACE_I64, 2) \
	X(0x1f, f32x4_extract_lane, EXTRACT_F32, 4) \
	X(0x20, f32x4_replace_lane, REPLACE_F32, 4) \
	X(0x21, f64x2_extract_lane, EXTRACT_F64, 2) \
	X(0x22, f64x2_replace_lane, REPLACE_F64, 2) \
	X(0x23, i8x16_eq, BINARY, 0) \
	X(0x24, i8x16_ne, BINARY, 0) \
	X(0x25, i8x16_lt_s, BINARY, 0) \
	X(0x26, i8x16_lt_u, BINARY, 0) \
	X(0x27, i8x16_gt_s, BINARY, 0) \
	X(0x28, i8x16_gt_u, BINARY, 0) \
	X(0x29, i8x16_le_s, BINARY, 0) \
	X(0x2a, i8x16_le_u, BINARY, 0) \
	X(0x2b, i8x16_ge_s, BINARY, 0) \
	X(0x2c, i8x16_ge_u, BINARY, 0) \
	X(0x2d, i16x8_eq, BINARY, 0) \
	X(0x2e, i16x8_ne, BINARY, 0) \
	X(0x2f, i16x8_lt_s, BINARY, 0) \
	X(0x30, i16x8_lt_u, BINARY, 0) \
	X(0x31, i16x8_gt_s, BINARY, 0) \
	X(0x32, i16x8_gt_u, BINARY, 0) \
	X(0x33, i16x8_le_s, BINARY, 0) \
	X(0x34, i16x8_le_u, BINARY, 0) \
	X(0x35, i16x8_ge_s, BINARY, 0) \
	X(0x36, i16x8_ge_u, BINARY, 0) \
	X(0x37, i32x4_eq, BINARY, 0) \
	X(0x38, i32x4_ne, BINARY, 0) \
	X(0x39, i32x4_lt_s, BINARY, 0) \
	X(0x3a, i32x4_lt_u, BINARY, 0) \
	X(0x3b, i32x4_gt_s, BINARY, 0) \
	X(0x3c, i32x4_gt_u, BINARY, 0) \
	X(0x3d, i32x4_le_s, BINARY, 0) \
	X(0x3e, i32x4_le_u, BINARY, 0) \
	X(0x3f, i32x4_ge_s, BINARY, 0) \
	X(0x40, i32x4_ge_u, BINARY, 0) \
	X(0x41, f32x4_eq, BINARY, 0) \
	X(0x42, f32x4_ne, BINARY, 0) \
	X(0x43, f32x4_lt, BINARY, 0) \
	X(0x44, f32x4_gt, BINARY, 0) \
	X(0x45, f32x4_le, BINARY, 0) \
	X(0x46, f32x4_ge, BINARY, 0) \
	X(0x47, f64x2_eq, BINARY, 0) \
	X(0x48, f64x2_ne, BINARY, 0) \
	X(0x49, f64x2_lt, BINARY, 0) \
	X(0x4a, f64x2_gt, BINARY, 0) \
	X(0x4b, f64x2_le, BINARY, 0) \
	X(0x4c, f64x2_ge, BINARY, 0) \
	X(0x4d, v128_not, UNARY, 0) \
	X(0x4e, v128_and, BINARY, 0) \
	X(0x4f, v128_andnot, BINARY, 0) \
	X(0x50, v128_or, BINARY, 0) \
	X(0x51, v128_xor, BINARY, 0) \
	X(0x52, v128_bitselect, TERNARY, 0) \
	X(0x53, v128_any_true, TEST, 0) \
	X(0x5e, f32x4_demote_f64x2_zero, UNARY, 0) \
	X(0x5f, f64x2_promote_low_f32x4, UNARY, 0) \
	X(0x60, i8x16_abs, UNARY, 0) \
	X(0x61, i8x16_neg, UNARY, 0) \
	X(0x62, i8x16_popcnt, UNARY, 0) \
	X(0x63, i8x16_all_true, TEST, 0) \
	X(0x64, i8x16_bitmask, TEST, 0) \
	X(0x65, i8x16_narrow_i16x8_s, BINARY, 0) \
	X(0x66, i8x16_narrow_i16x8_u, BINARY, 0) \
	X(0x67, f32x4_ceil, UNARY, 0) \
	X(0x68, f32x4_floor, UNARY, 0) \
	X(0x69, f32x4_trunc, UNARY, 0) \
	X(0x6a, f32x4_nearest, UNARY, 0) \
	X(0x6b, i8x16_shl, SHIFT, 0) \
	X(0x6c, i8x16_shr_s, SHIFT, 0) \
	X(0x6d, i8x16_shr_u, SHIFT, 0) \
	X(0x6e, i8x16_add, BINARY, 0) \
	X(0x6f, i8x16_add_sat_s, BINARY, 0) \
	X(0x70, i8x16_add_sat_u, BINARY, 0) \
	X(0x71, i8x16_sub, BINARY, 0) \
	X(0x72, i8x16_sub_sat_s, BINARY, 0) \
	X(0x73, i8x16_sub_sat_u, BINARY, 0) \
	X(0x74, f64x2_ceil, UNARY, 0) \
	X(0x75, f64x2_floor, UNARY, 0) \
	X(0x76, i8x16_min_s, BINARY, 0) \
	X(0x77, i8x16_min_u, BINARY, 0) \
	X(0x78, i8x16_max_s, BINARY, 0) \
	X(0x79, i8x16_max_u, BINARY, 0) \
	X(0x7a, f64x2_trunc, UNARY, 0) \
	X(0x7b, i8x16_avgr_u, BINARY, 0) \
	X(0x7c, i16x8_extadd_pairwise_i8x16_s, UNARY, 0) \
	X(0x7d, i16x8_extadd_pairwise_i8x16_u, UNARY, 0) \
	X(0x7e, i32x4_extadd_pairwise_i16x8_s, UNARY, 0) \
	X(0x7f, i32x4_extadd_pairwise_i16x8_u, UNARY, 0) \
	X(0x80, i16x8_abs, UNARY, 0) \
	X(0x81, i16x8_neg, UNARY, 0) \
	X(0x82, i16x8_q15mulr_sat_s, BINARY, 0) \
	X(0x83, i16x8_all_true, TEST, 0) \
	X(0x84, i16x8_bitmask, TEST, 0) \
	X(0x85, i16x8_narrow_i32x4_s, BINARY, 0) \
	X(0x86, i16x8_narrow_i32x4_u, BINARY, 0) \
	X(0x87, i16x8_extend_low_i8x16_s, UNARY, 0) \
	X(0x88, i16x8_extend_high_i8x16_s, UNARY, 0) \
	X(0x89, i16x8_extend_low_i8x16_u, UNARY, 0) \
	X(0x8a, i16x8_extend_high_i8x16_u, UNARY, 0) \
	X(0x8b, i16x8_shl, SHIFT, 0) \
	X(0x8c, i16x8_shr_s, SHIFT, 0) \
	X(0x8d, i16x8_shr_u, SHIFT, 0) \
	X(0x8e, i16x8_add, BINARY, 0) \
	X(0x8f, i16x8_add_sat_s, BINARY, 0) \
	X(0x90, i16x8_add_sat_u, BINARY, 0) \
	X(0x91, i16x8_sub, BINARY, 0) \
	X(0x92, i16x8_sub_sat_s, BINARY, 0) \
	X(0x93, i16x8_sub_sat_u, BINARY, 0) \
	X(0x94, f64x2_nearest, UNARY, 0) \
	X(0x95, i16x8_mul, BINARY, 0) \
	X(0x96, i16x8_min_s, BINARY, 0) \
	X(0x97, i16x8_min_u, BINARY, 0) \
	X(0x98, i16x8_max_s, BINARY, 0) \
	X(0x99, i16x8_max_u, BINARY, 0) \
	X(0x9b, i16x8_avgr_u, BINARY, 0) \
	X(0x9c, i16x8_extmul_low_i8x16_s, BINARY, 0) \
	X(0x9d, i16x8_extmul_high_i8x16_s, BINARY, 0) \
	X(0x9e, i16x8_extmul_low_i8x16_u, BINARY, 0) \
	X(0x9f, i16x8_extmul_high_i8x16_u, BINARY, 0) \
	X(0xa0, i32x4_abs, UNARY, 0) \
	X(0xa1, i32x4_neg, UNARY, 0) \
	X(0xa3, i32x4_all_true, TEST, 0) \
	X(0xa4, i32x4_bitmask, TEST, 0) \
	X(0xa7, i32x4_extend_low_i16x8_s, UNARY, 0) \
	X(0xa8, i32x4_extend_high_i16x8_s, UNARY, 0) \
	X(0xa9, i32x4_extend_low_i16x8_u, UNARY, 0) \
	X(0xaa, i32x4_extend_high_i16x8_u, UNARY, 0) \
	X(0xab, i32x4_shl, SHIFT, 0) \
	X(0xac, i32x4_shr_s, SHIFT, 0) \
	X(0xad, i32x4_shr_u, SHIFT, 0) \
	X(0xae, i32x4_add, BINARY, 0) \
	X(0xb1, i32x4_sub, BINARY, 0) \
	X(0xb5, i32x4_mul, BINARY, 0) \
	X(0xb6, i32x4_min_s, BINARY, 0) \
	X(0xb7, i32x4_min_u, BINARY, 0) \
	X(0xb8, i32x4_max_s, BINARY, 0) \
	X(0xb9, i32x4_max_u, BINARY, 0) \
	X(0xba, i32x4_dot_i16x8_s, BINARY, 0) \
	X(0xbc, i32x4_extmul_low_i16x8_s, BINARY, 0) \
	X(0xbd, i32x4_extmul_high_i16x8_s, BINARY, 0) \
	X(0xbe, i32x4_extmul_low_i16x8_u, BINARY, 0) \
	X(0xbf, i32x4_extmul_high_i16x8_u, BINARY, 0) \
	X(0xc0, i64x2_abs, UNARY, 0) \
	X(0xc1, i64x2_neg, UNARY, 0) \
	X(0xc3, i64x2_all_true, TEST, 0) \
	X(0xc4, i64x2_bitmask, TEST, 0) \
	X(0xc7, i64x2_extend_low_i32x4_s, UNARY, 0) \
	X(0xc8, i64x2_extend_high_i32x4_s, UNARY, 0) \
	X(0xc9, i64x2_extend_low_i32x4_u, UNARY, 0) \
	X(0xca, i64x2_extend_high_i32x4_u, UNARY, 0) \
	X(0xcb, i64x2_shl, SHIFT, 0) \
	X(0xcc, i64x2_shr_s, SHIFT, 0) \
	X(0xcd, i64x2_shr_u, SHIFT, 0) \
	X(0xce, i64x2_add, BINARY, 0) \
	X(0xd1, i64x2_sub, BINARY, 0) \
	X(0xd5, i64x2_mul, BINARY, 0) \
	X(0xd6, i64x2_eq, BINARY, 0) \
	X(0xd7, i64x2_ne, BINARY, 0) \
	X(0xd8, i64x2_lt_s, BINARY, 0) \
	X(0xd9, i64x2_gt_s, BINARY, 0) \
	X(0xda, i64x2_le_s, BINARY, 0) \
	X(0xdb, i64x2_ge_s, BINARY, 0) \
	X(0xdc, i64x2_extmul_low_i32x4_s, BINARY, 0) \
	X(0xdd, i64x2_extmul_high_i32x4_s, BINARY, 0) \
	X(0xde, i64x2_extmul_low_i32x4_u, BINARY, 0) \
	X(0xdf, i64x2_extmul_high_i32x4_u, BINARY, 0) \
	X(0xe0, f32x4_abs, UNARY, 0) \
	X(0xe1, f32x4_neg, UNARY, 0) \
	X(0xe3, f32x4_sqrt, UNARY, 0) \
	X(0xe4, f32x4_add, BINARY, 0) \
	X(0xe5, f32x4_sub, BINARY, 0) \
	X(0xe6, f32x4_mul, BINARY, 0) \
	X(0xe7, f32x4_div, BINARY, 0) \
	X(0xe8, f32x4_min, BINARY, 0) \
	X(0xe9, f32x4_max, BINARY, 0) \
	X(0xea, f32x4_pmin, BINARY, 0) \
	X(0xeb, f32x4_pmax, BINARY, 0) \
	X(0xec, f64x2_abs, UNARY, 0) \
	X(0xed, f64x2_neg, UNARY, 0) \
	X(0xef, f64x2_sqrt, UNARY, 0) \
	X(0xf0, f64x2_add, BINARY, 0) \
	X(0xf1, f64x2_sub, BINARY, 0) \
	X(0xf2, f64x2_mul, BINARY, 0) \
	X(0xf3, f64x2_div, BINARY, 0) \
	X(0xf4, f64x2_min, BINARY, 0) \
	X(0xf5, f64x2_max, BINARY, 0) \
	X(0xf6, f64x2_pmin, BINARY, 0) \
	X(0xf7, f64x2_pmax, BINARY, 0) \
	X(0xf8, i32x4_trunc_sat_f32x4_s, UNARY, 0) \
	X(0xf9, i32x4_trunc_sat_f32x4_u, UNARY, 0) \
	X(0xfa, f32x4_convert_i32x4_s, UNARY, 0) \
	X(0xfb, f32x4_convert_i32x4_u, UNARY, 0) \
	X(0xfc, i32x4_trunc_sat_f64x2_s_zero, UNARY, 0) \
	X(0xfd, i32x4_trunc_sat_f64x2_u_zero, UNARY, 0) \
	X(0xfe, f64x2_convert_low_i32x4_s, UNARY, 0) \
	X(0xff, f64x2_convert_low_i32x4_u, UNARY, 0) \
	X(0x105, f32x4_relaxed_madd, TERNARY, 0) \
	X(0x106, f32x4_relaxed_nmadd, TERNARY, 0) \
	X(0x107, f64x2_relaxed_madd, TERNARY, 0) \
	X(0x108, f64x2_relaxed_nmadd, TERNARY, 0) \
	X(0x112, i16x8_relaxed_dot_i8x16_i7x16_s, BINARY, 0) \
	X(0x113, i32x4_relaxed_dot_i8x16_i7x16_add_s, TERNARY, 0)

#define WASM_SIMD_MEMORY(X) \
	X(0x00, v128_load, LOAD, 4) \
	X(0x01, v128_load8x8_s, LOAD, 3) \
	X(0x02, v128_load8x8_u, LOAD, 3) \
	X(0x03, v128_load16x4_s, LOAD, 3) \
	X(0x04, v128_load16x4_u, LOAD, 3) \
	X(0x05, v128_load32x2_s, LOAD, 3) \
	X(0x06, v128_load32x2_u, LOAD, 3) \
	X(0x07, v128_load8_splat, LOAD, 0) \
	X(0x08, v128_load16_splat, LOAD, 1) \
	X(0x09, v128_load32_splat, LOAD, 2) \
	X(0x0a, v128_load64_splat, LOAD, 3) \
	X(0x0b, v128_store, STORE, 4) \
	X(0x54, v128_load8_lane, LOAD_LANE, 0) \
	X(0x55, v128_load16_lane, LOAD_LANE, 1) \
	X(0x56, v128_load32_lane, LOAD_LANE, 2) \
	X(0x57, v128_load64_lane, LOAD_LANE, 3) \
	X(0x58, v128_store8_lane, STORE_LANE, 0) \
	X(0x59, v128_store16_lane, STORE_LANE, 1) \
	X(0x5a, v128_store32_lane, STORE_LANE, 2) \
	X(0x5b, v128_store64_lane, STORE_LANE, 3) \
	X(0x5c, v128_load32_zero, LOAD, 2) \
	X(0x5d, v128_load64_zero, LOAD, 3)

#define WASM_SIMD_SAME(X) \
	X(0x100, i8x16_swizzle, BINARY, 0) \
	X(0x101, i32x4_trunc_sat_f32x4_s, UNARY, 0) \
	X(0x102, i32x4_trunc_sat_f32x4_u, UNARY, 0) \
	X(0x103, i32x4_trunc_sat_f64x2_s_zero, UNARY, 0) \
	X(0x104, i32x4_trunc_sat_f64x2_u_zero, UNARY, 0) \
	X(0x109, v128_bitselect, TERNARY, 0) \
	X(0x10a, v128_bitselect, TERNARY, 0) \
	X(0x10b, v128_bitselect, TERNARY, 0) \
	X(0x10c, v128_bitselect, TERNARY, 0) \
	X(0x10d, f32x4_min, BINARY, 0) \
	X(0x10e, f32x4_max, BINARY, 0) \
	X(0x10f, f64x2_min, BINARY, 0) \
	X(0x110, f64x2_max, BINARY, 0) \
	X(0x111, i16x8_q15mulr_sat_s, BINARY, 0)

#define WASM_OPS_SIMD \
	WASM_X(v128_shuffle) \
	WASM_SIMD_PLAIN(WASM_X_SIMD) \
	WASM_SIMD_MEMORY(WASM_X_SIMD3)
#define WASM_X_SIMD(code, n, shape, aux) WASM_X(n)
#define WASM_X_SIMD3(code, n, shape, aux) \
	WASM_X(n) WASM_X(n##_far) WASM_X(n##_64)
/* clang-format on */

#endif
