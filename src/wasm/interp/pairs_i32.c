/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs of 32-bit operations. */
#include "wasm/interp/pairs_priv.h"

/* clang-format off */
#define FIRST_i32_add_rr FIRST_RR(uint32_t, p_ + q_)
#define FIRST_i32_add_rk FIRST_RK(uint32_t, p_ + q_)
#define FIRST_i32_sub_rr FIRST_RR(uint32_t, p_ - q_)
#define FIRST_i32_sub_rk FIRST_RK(uint32_t, p_ - q_)
#define FIRST_i32_mul_rr FIRST_RR(uint32_t, p_ * q_)
#define FIRST_i32_mul_rk FIRST_RK(uint32_t, p_ * q_)
#define FIRST_i32_and_rr FIRST_RR(uint32_t, p_ & q_)
#define FIRST_i32_and_rk FIRST_RK(uint32_t, p_ & q_)
#define FIRST_i32_or_rr FIRST_RR(uint32_t, p_ | q_)
#define FIRST_i32_or_rk FIRST_RK(uint32_t, p_ | q_)
#define FIRST_i32_xor_rr FIRST_RR(uint32_t, p_ ^ q_)
#define FIRST_i32_xor_rk FIRST_RK(uint32_t, p_ ^ q_)
#define FIRST_i32_shl_rr FIRST_RR(uint32_t, p_ << (q_ & 31))
#define FIRST_i32_shl_rk FIRST_RK(uint32_t, p_ << (q_ & 31))
#define FIRST_i32_shr_u_rr FIRST_RR(uint32_t, p_ >> (q_ & 31))
#define FIRST_i32_shr_u_rk FIRST_RK(uint32_t, p_ >> (q_ & 31))
#define FIRST_i32_rotl_rr FIRST_RR(uint32_t, p_ << (q_ & 31) | p_ >> (-q_ & 31))
#define FIRST_i32_rotl_rk FIRST_RK(uint32_t, p_ << (q_ & 31) | p_ >> (-q_ & 31))

#define SECOND_i32_add_rr SECOND_RR(uint32_t, v + r_)
#define SECOND_i32_add_rk SECOND_RK(uint32_t, v + r_)
#define SECOND_i32_sub_rr SECOND_RR(uint32_t, v - r_)
#define SECOND_i32_sub_rk SECOND_RK(uint32_t, v - r_)
#define SECOND_i32_mul_rr SECOND_RR(uint32_t, v * r_)
#define SECOND_i32_mul_rk SECOND_RK(uint32_t, v * r_)
#define SECOND_i32_and_rr SECOND_RR(uint32_t, v & r_)
#define SECOND_i32_and_rk SECOND_RK(uint32_t, v & r_)
#define SECOND_i32_or_rr SECOND_RR(uint32_t, v | r_)
#define SECOND_i32_or_rk SECOND_RK(uint32_t, v | r_)
#define SECOND_i32_xor_rr SECOND_RR(uint32_t, v ^ r_)
#define SECOND_i32_xor_rk SECOND_RK(uint32_t, v ^ r_)
#define SECOND_i32_shl_rr SECOND_RR(uint32_t, v << (r_ & 31))
#define SECOND_i32_shl_rk SECOND_RK(uint32_t, v << (r_ & 31))
#define SECOND_i32_shr_u_rr SECOND_RR(uint32_t, v >> (r_ & 31))
#define SECOND_i32_shr_u_rk SECOND_RK(uint32_t, v >> (r_ & 31))
#define SECOND_i32_rotl_rr SECOND_RR(uint32_t, v << (r_ & 31) | v >> (-r_ & 31))
#define SECOND_i32_rotl_rk SECOND_RK(uint32_t, v << (r_ & 31) | v >> (-r_ & 31))

#define SECOND_br_i32_eq_rr SECOND_BR_RR(uint32_t, v == r_)
#define SECOND_br_i32_eq_rk SECOND_BR_RK(uint32_t, v == r_)
#define SECOND_br_i32_ne_rr SECOND_BR_RR(uint32_t, v != r_)
#define SECOND_br_i32_ne_rk SECOND_BR_RK(uint32_t, v != r_)
#define SECOND_br_i32_lt_s_rr SECOND_BR_RR(uint32_t, (int32_t)v < (int32_t)r_)
#define SECOND_br_i32_lt_s_rk SECOND_BR_RK(uint32_t, (int32_t)v < (int32_t)r_)
#define SECOND_br_i32_lt_u_rr SECOND_BR_RR(uint32_t, v < r_)
#define SECOND_br_i32_lt_u_rk SECOND_BR_RK(uint32_t, v < r_)
#define SECOND_br_i32_gt_s_rr SECOND_BR_RR(uint32_t, (int32_t)v > (int32_t)r_)
#define SECOND_br_i32_gt_s_rk SECOND_BR_RK(uint32_t, (int32_t)v > (int32_t)r_)
#define SECOND_br_i32_gt_u_rr SECOND_BR_RR(uint32_t, v > r_)
#define SECOND_br_i32_gt_u_rk SECOND_BR_RK(uint32_t, v > r_)
#define SECOND_br_i32_le_s_rr SECOND_BR_RR(uint32_t, (int32_t)v <= (int32_t)r_)
#define SECOND_br_i32_le_s_rk SECOND_BR_RK(uint32_t, (int32_t)v <= (int32_t)r_)
#define SECOND_br_i32_le_u_rr SECOND_BR_RR(uint32_t, v <= r_)
#define SECOND_br_i32_le_u_rk SECOND_BR_RK(uint32_t, v <= r_)
#define SECOND_br_i32_ge_s_rr SECOND_BR_RR(uint32_t, (int32_t)v >= (int32_t)r_)
#define SECOND_br_i32_ge_s_rk SECOND_BR_RK(uint32_t, (int32_t)v >= (int32_t)r_)
#define SECOND_br_i32_ge_u_rr SECOND_BR_RR(uint32_t, v >= r_)
#define SECOND_br_i32_ge_u_rk SECOND_BR_RK(uint32_t, v >= r_)

#define FIRST_i32_load FIRST_LOAD(uint32_t, uint32_t)
#define FIRST_i32_load8_u FIRST_LOAD(uint32_t, uint8_t)
#define FIRST_i32_load16_u FIRST_LOAD(uint32_t, uint16_t)
#define SECOND_i32_load SECOND_LOAD(uint32_t, uint32_t)
#define SECOND_i64_load SECOND_LOAD(uint64_t, uint64_t)
#define SECOND_i32_load8_u SECOND_LOAD(uint8_t, uint32_t)
#define SECOND_i32_load8_s SECOND_LOAD(int8_t, uint32_t)
#define SECOND_i32_load16_u SECOND_LOAD(uint16_t, uint32_t)
#define SECOND_i32_load16_s SECOND_LOAD(int16_t, uint32_t)
#define SECOND_i32_store SECOND_STORE(uint32_t)
#define SECOND_i64_store SECOND_STORE(uint64_t)
#define SECOND_i32_store8 SECOND_STORE(uint8_t)
#define SECOND_i32_store16 SECOND_STORE(uint16_t)
#define SECOND_i32_store_v SECOND_STORE_V(uint32_t)
#define SECOND_i32_store8_v SECOND_STORE_V(uint8_t)
#define SECOND_i32_store16_v SECOND_STORE_V(uint16_t)
#define SECOND_br_nz if (v) JUMP(1); NEXT(2);
#define SECOND_br_z if (!v) JUMP(1); NEXT(2);

#define PAIRS(second) WASM_FIRSTS_I32(PAIR, second)
WASM_SECONDS_I32(PAIRS)
/* clang-format on */

OP(copy__copy)
{
	fp[ip->a] = fp[ip->b];
	fp[ip[1].a] = fp[ip[1].b];
	NEXT(2);
}
