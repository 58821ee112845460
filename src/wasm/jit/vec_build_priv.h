/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vector instructions in the making.  Where the machine has not what it takes
 * f->lacking is set, and what was made is not used.
 */
#ifndef WASM_JIT_VEC_BUILD_PRIV_H
#define WASM_JIT_VEC_BUILD_PRIV_H

#include "wasm/jit/ir_priv.h"
#include "wasm/jit/vec_priv.h"

/* Predicates of CMPPS and CMPPD; those that are missing exchange operands. */
enum { CMP_EQ, CMP_LT, CMP_LE, CMP_UNORD, CMP_NE };

/* --- vec.c ------------------------------------------------------------------
 */
/* vec of a and b (0: there is none). */
uint32_t jit_vec(struct jit_fn *f, uint32_t vec, uint32_t a, uint32_t b,
	uint64_t imm);
/* With the types of what is no vector. */
uint32_t jit_vec_typed(struct jit_fn *f, struct jit_ins i);
uint32_t jit_k128(struct jit_fn *f, uint64_t low, uint64_t high);
/* Both halves the same. */
uint32_t jit_vec_all(struct jit_fn *f, uint64_t v);
/* The lowest `bits` bits again and again. */
uint64_t jit_vec_times(uint64_t v, uint32_t bits);
uint32_t jit_vec_zero(struct jit_fn *f);
uint32_t jit_vec_not(struct jit_fn *f, uint32_t v);
/* Where the mask has ones a, else b. */
uint32_t jit_vec_pick(struct jit_fn *f, uint32_t mask, uint32_t a, uint32_t b);
/* The count of a shift of lanes that wide; the machine's count further. */
uint32_t jit_vec_count(struct jit_fn *f, uint32_t n, uint32_t bits);
uint32_t jit_vec_shift(struct jit_fn *f, uint32_t vec, uint32_t a, uint32_t n);
uint32_t jit_vec_shift_by(struct jit_fn *f, uint32_t vec, uint32_t a,
	uint32_t n);

/* --- vec_lanes.c -------------------------------------------------------------
 */
/* The scalar, or the lowest `bits` bits of a vector, in every lane. */
uint32_t jit_vec_splat(struct jit_fn *f, uint32_t v, uint32_t bits);
uint32_t jit_vec_spread(struct jit_fn *f, uint32_t v, uint32_t bits);
/* b: of that type, or a vector whose first lane it is. */
uint32_t jit_vec_replace_float(struct jit_fn *f, uint32_t type, bool narrow,
	uint32_t a, uint32_t b, uint32_t lane);
uint32_t jit_vec_to_general(struct jit_fn *f, uint32_t vec, uint32_t type,
	uint32_t v, uint32_t lane);
uint32_t jit_vec_splat_op(struct jit_fn *f, uint32_t op, uint32_t v);
uint32_t jit_vec_extract(struct jit_fn *f, uint32_t op, uint32_t v,
	uint32_t lane);
uint32_t jit_vec_with_lane(struct jit_fn *f, uint32_t vec, uint32_t type,
	uint32_t a, uint32_t b, uint32_t lane);
uint32_t jit_vec_replace(struct jit_fn *f, uint32_t op, uint32_t a, uint32_t b,
	uint32_t lane);
uint32_t jit_vec_test(struct jit_fn *f, uint32_t op, uint32_t a);

/* --- vec_int.c ---------------------------------------------------------------
 */
uint32_t jit_vec_shift_bytes(struct jit_fn *f, uint32_t op, uint32_t a,
	uint32_t n);
uint32_t jit_vec_shift_signed64(struct jit_fn *f, uint32_t a, uint32_t n);
uint32_t jit_vec_abs64(struct jit_fn *f, uint32_t a);
uint32_t jit_vec_mul64(struct jit_fn *f, uint32_t a, uint32_t b);
uint32_t jit_vec_popcnt(struct jit_fn *f, uint32_t a);
uint32_t jit_vec_extend_high(struct jit_fn *f, uint32_t op, uint32_t a);
uint32_t jit_vec_mul_bytes(struct jit_fn *f, uint32_t op, uint32_t a,
	uint32_t b);
uint32_t jit_vec_mul_words(struct jit_fn *f, uint32_t op, uint32_t a,
	uint32_t b);
uint32_t jit_vec_mul_doubles(struct jit_fn *f, uint32_t op, uint32_t a,
	uint32_t b);
uint32_t jit_vec_add_pairs(struct jit_fn *f, uint32_t op, uint32_t a);
uint32_t jit_vec_mul_q15(struct jit_fn *f, uint32_t a, uint32_t b);
uint32_t jit_vec_dot(struct jit_fn *f, uint32_t multiply, uint32_t add,
	uint32_t a, uint32_t b);

/* --- vec_float.c -------------------------------------------------------------
 */
uint32_t jit_vec_min_max(struct jit_fn *f, bool wide, bool max, uint32_t a,
	uint32_t b);
uint32_t jit_vec_canonical(struct jit_fn *f, uint32_t op, uint32_t a);
uint32_t jit_vec_trunc_s(struct jit_fn *f, uint32_t a);
uint32_t jit_vec_trunc_u(struct jit_fn *f, uint32_t a);
uint32_t jit_vec_trunc_wide(struct jit_fn *f, uint32_t a, bool is_signed);
uint32_t jit_vec_convert_u(struct jit_fn *f, uint32_t a);
uint32_t jit_vec_convert_low_u(struct jit_fn *f, uint32_t a);
uint32_t jit_vec_multiply_add(struct jit_fn *f, uint32_t op, uint32_t a,
	uint32_t b, uint32_t c);

/* --- vec_shuffle.c -----------------------------------------------------------
 */
/* Lanes 0 to 15 are bytes of a, 16 to 31 of b. */
uint32_t jit_shuffle(struct jit_fn *f, uint32_t a, uint32_t b,
	const uint8_t lanes[16]);

#endif
