/* SPDX-License-Identifier: Apache-2.0 */
/* What the words of register code read and write. */
#include "wasm/jit/ir_priv.h"

/* clang-format off */
#define S(n, w, bits) [OP_##n] = { w, bits },
#define PAIR_SHAPE(T, n) S(T##_##n##_rr, 1, W_A | R_B | R_C) \
	S(T##_##n##_rk, 1, W_A | R_B)
#define BRANCH_SHAPE(T, n) S(br_##T##_##n##_rr, 2, R_A | R_B | IS_END) \
	S(br_##T##_##n##_rk, 2, R_A | IS_END)
#define FLOAT_SHAPE(T, n) S(T##_##n, 1, W_A | R_B | R_C)
#define FLOAT_BRANCH_SHAPE(T, n) S(br_##T##_##n, 2, R_A | R_B | IS_END) \
	S(brn_##T##_##n, 2, R_A | R_B | IS_END)
#define UNARY_SHAPE(n) S(n, 1, W_A | R_B)
#define LOAD_SHAPE(n, m, s) S(n, 1, W_A | R_B) S(n##_far, 2, W_A | R_B) \
	S(n##_64, 2, W_A | R_B)
#define STORE_SHAPE(n, m) S(n, 1, R_A | R_B) S(n##_far, 2, R_A | R_B) \
	S(n##_64, 2, R_A | R_B)
#define ATOMIC_SHAPE(n, w, bits) S(n##_far, w, (bits) | IS_STEP) \
	S(n##_64, w, (bits) | IS_STEP)
#define ATOMIC_LOAD(n, m)     ATOMIC_SHAPE(n, 2, W_A | R_B)
#define ATOMIC_STORE(n, m)    ATOMIC_SHAPE(n, 2, R_A | R_B)
#define ATOMIC_MODIFY(n, m)   ATOMIC_SHAPE(n, 2, W_A | R_B | R_C)
#define ATOMIC_EXCHANGE(n, m) ATOMIC_SHAPE(n, 3, W_A | R_B | R_C | R_D)

/* Words and bits of the vector operations' shapes. */
#define V_UNARY 1, W_A2 | R_B2 | IS_STEP
#define V_BINARY 1, W_A2 | R_B2 | R_C2 | IS_STEP
#define V_TERNARY 2, W_A2 | R_B2 | R_C2 | R_D2 | IS_STEP
#define V_SHIFT 1, W_A2 | R_B2 | R_C | IS_STEP
#define V_TEST 1, W_A | R_B2 | IS_STEP
#define V_SPLAT 1, W_A2 | R_B | IS_STEP
#define V_EXTRACT_I32 1, W_A | R_B2 | IS_STEP
#define V_EXTRACT_I64 V_EXTRACT_I32
#define V_EXTRACT_F32 V_EXTRACT_I32
#define V_EXTRACT_F64 V_EXTRACT_I32
#define V_REPLACE_I32 2, W_A2 | R_B2 | R_C | IS_STEP
#define V_REPLACE_I64 V_REPLACE_I32
#define V_REPLACE_F32 V_REPLACE_I32
#define V_REPLACE_F64 V_REPLACE_I32
#define V_LOAD 0, W_A2 | R_B | IS_STEP
#define V_STORE 0, R_A2 | R_B | IS_STEP
#define V_LOAD_LANE 1, W_A2 | R_B | R_D2 | IS_STEP
#define V_STORE_LANE 1, R_B | R_D2 | IS_STEP
#define V_SHAPE_(n, w, bits) S(n, w, bits)
#define V_SHAPE(code, n, shape, aux) V_SHAPE_(n, V_##shape)
#define V_SHAPE3_(n, w, bits) S(n, w + 1, bits) S(n##_far, w + 2, bits) \
	S(n##_64, w + 2, bits)
#define V_SHAPE3(code, n, shape, aux) V_SHAPE3_(n, V_##shape)
#define APPLY(macro, ...) macro(__VA_ARGS__)
#undef V_SHAPE
#undef V_SHAPE3
#define V_SHAPE(code, n, shape, aux) APPLY(V_SHAPE_, n, V_##shape)
#define V_SHAPE3(code, n, shape, aux) APPLY(V_SHAPE3_, n, V_##shape)

const struct jit_shape jit_shapes[WASM_OP_COUNT] = {
	S(unreachable, 1, IS_END)
	S(jump, 1, IS_END)
	S(br_nz, 1, R_A | IS_END)
	S(br_z, 1, R_A | IS_END)
	S(br_null, 1, R_A | IS_END)
	S(br_non_null, 1, R_A | IS_END)
	S(br_table, 1, R_A | IS_END)
	S(ret, 1, IS_END)
	S(ret1, 1, R_A | IS_END)
	S(ret2, 1, R_A2 | IS_END)
	S(retn, 1, IS_END | IS_OTHER)
	S(call, 1, IS_OTHER)
	S(call_import, 1, IS_OTHER)
	S(call_indirect, 2, R_B | IS_OTHER)
	S(call_ref, 2, R_B | IS_OTHER)
	S(tail_call, 2, IS_OTHER | IS_END)
	S(tail_import, 2, IS_OTHER | IS_END)
	S(tail_indirect, 2, R_B | IS_OTHER | IS_END)
	S(tail_ref, 2, R_B | IS_OTHER | IS_END)
	S(throw, 1, IS_OTHER | IS_END)
	S(throw_ref, 1, R_A | IS_END)
	S(copy, 1, W_A | R_B)
	S(copy2, 1, W_A2 | R_B2)
	S(const32, 1, W_A)
	S(const64, 2, W_A)
	S(const128, 3, W_A2 | IS_STEP)
	S(select, 2, W_A | R_B | R_C | R_D)
	S(select2, 2, W_A2 | R_B2 | R_C2 | R_D)
	S(global_get, 1, W_A)
	S(global_set, 1, R_A)
	S(global_get2, 1, W_A2)
	S(global_set2, 1, R_A2)
	S(ref_func, 1, W_A)
	S(ref_is_null, 1, W_A | R_B)
	S(ref_as_non_null, 1, R_A)
	WASM_OPS_CMP_LIST(PAIR_SHAPE, i32)
	WASM_OPS_CMP_LIST(PAIR_SHAPE, i64)
	WASM_OPS_BIN_LIST(PAIR_SHAPE, i32)
	WASM_OPS_BIN_LIST(PAIR_SHAPE, i64)
	WASM_OPS_FCMP_LIST(FLOAT_SHAPE, f32)
	WASM_OPS_FCMP_LIST(FLOAT_SHAPE, f64)
	WASM_OPS_CMP_LIST(BRANCH_SHAPE, i32)
	WASM_OPS_CMP_LIST(BRANCH_SHAPE, i64)
	WASM_OPS_FCMP_LIST(FLOAT_BRANCH_SHAPE, f32)
	WASM_OPS_FCMP_LIST(FLOAT_BRANCH_SHAPE, f64)
	WASM_OPS_FBIN_LIST(FLOAT_SHAPE, f32)
	WASM_OPS_FBIN_LIST(FLOAT_SHAPE, f64)
	WASM_OPS_UNARY(UNARY_SHAPE)
	UNARY_SHAPE(canon_f32)
	UNARY_SHAPE(canon_f64)
	S(canon_f32x4, 1, W_A2 | R_B2 | IS_STEP)
	S(canon_f64x2, 1, W_A2 | R_B2 | IS_STEP)
	WASM_OPS_LOAD_LIST(LOAD_SHAPE)
	WASM_OPS_STORE_LIST(STORE_SHAPE)
	S(memory_size, 1, W_A)
	S(memory_grow, 2, W_A | R_B | IS_STEP)
	S(memory_init, 2, R_A | R_B | R_C | IS_STEP)
	S(data_drop, 1, IS_STEP)
	S(memory_copy, 2, R_A | R_B | R_C | IS_STEP)
	S(memory_fill, 2, R_A | R_B | R_C | IS_STEP)
	S(table_get, 2, W_A | R_B | IS_STEP)
	S(table_set, 2, R_A | R_B | IS_STEP)
	S(table_size, 1, W_A | IS_STEP)
	S(table_grow, 2, W_A | R_B | R_C | IS_STEP)
	S(table_fill, 2, R_A | R_B | R_C | IS_STEP)
	S(table_copy, 2, R_A | R_B | R_C | IS_STEP)
	S(table_init, 2, R_A | R_B | R_C | IS_STEP)
	S(elem_drop, 1, IS_STEP)
	S(memory_use, 1, 0)
	S(struct_new, 2, W_A | IS_OTHER | IS_STEP)
	S(struct_new_default, 2, W_A | IS_STEP)
	S(struct_get, 1, W_A | R_B)
	S(struct_get2, 1, W_A2 | R_B)
	S(struct_get8_s, 1, W_A | R_B)
	S(struct_get8_u, 1, W_A | R_B)
	S(struct_get16_s, 1, W_A | R_B)
	S(struct_get16_u, 1, W_A | R_B)
	S(struct_set, 1, R_A | R_B)
	S(struct_set2, 1, R_A2 | R_B)
	S(array_new, 2, W_A | R_C | IS_OTHER | IS_STEP)
	S(array_new_default, 2, W_A | R_C | IS_STEP)
	S(array_new_fixed, 3, W_A | IS_OTHER | IS_STEP)
	S(array_new_data, 3, W_A | R_B | R_C | IS_STEP)
	S(array_new_elem, 3, W_A | R_B | R_C | IS_STEP)
	S(array_get, 2, R_B | R_C | IS_OTHER | IS_STEP)
	S(array_set, 2, R_B | R_C | IS_OTHER | IS_STEP)
	S(array_len, 1, W_A | R_B)
	S(array_fill, 2, R_A | R_B | R_D | IS_OTHER | IS_STEP)
	S(array_copy, 2, R_A | R_B | R_C | R_D | IS_OTHER | IS_STEP)
	S(array_init_data, 3, R_A | R_B | R_C | IS_OTHER | IS_STEP)
	S(array_init_elem, 3, R_A | R_B | R_C | IS_OTHER | IS_STEP)
	S(ref_test, 2, W_A | R_B | IS_STEP)
	S(ref_cast, 2, R_B | IS_STEP)
	S(ref_eq, 1, W_A | R_B | R_C)
	S(ref_i31, 1, W_A | R_B)
	S(i31_get_s, 1, W_A | R_B)
	S(i31_get_u, 1, W_A | R_B)
	WASM_OPS_ATOMIC_LIST(ATOMIC_LOAD, atomic_load)
	WASM_OPS_ATOMIC_LIST(ATOMIC_STORE, atomic_store)
	WASM_OPS_ATOMIC_LIST(ATOMIC_MODIFY, atomic_add)
	WASM_OPS_ATOMIC_LIST(ATOMIC_MODIFY, atomic_sub)
	WASM_OPS_ATOMIC_LIST(ATOMIC_MODIFY, atomic_and)
	WASM_OPS_ATOMIC_LIST(ATOMIC_MODIFY, atomic_or)
	WASM_OPS_ATOMIC_LIST(ATOMIC_MODIFY, atomic_xor)
	WASM_OPS_ATOMIC_LIST(ATOMIC_MODIFY, atomic_xchg)
	WASM_OPS_ATOMIC_LIST(ATOMIC_EXCHANGE, atomic_cmpxchg)
	ATOMIC_SHAPE(atomic_notify, 3, W_A | R_B | R_C)
	ATOMIC_EXCHANGE(atomic_wait32, uint32_t)
	ATOMIC_EXCHANGE(atomic_wait64, uint64_t)
	S(v128_shuffle, 3, W_A2 | R_B2 | R_C2 | IS_STEP)
	WASM_SIMD_PLAIN(V_SHAPE)
	WASM_SIMD_MEMORY(V_SHAPE3)
};

/* The first operation of each pair. */
#define P(first, second) [OP_##first##__##second] = OP_##first,
#define PAIRS_I32(second) WASM_FIRSTS_I32(P, second)
#define PAIRS_I64(second) WASM_FIRSTS_I64(P, second)
#define PAIRS_F32(second) WASM_FIRSTS_F32(P, second)
#define PAIRS_F64(second) WASM_FIRSTS_F64(P, second)
const uint16_t jit_firsts[WASM_OP_COUNT] = {
	[OP_copy__copy] = OP_copy,
	WASM_SECONDS_I32(PAIRS_I32)
	WASM_SECONDS_I64(PAIRS_I64)
	WASM_SECONDS_F32(PAIRS_F32)
	WASM_SECONDS_F64(PAIRS_F64)
};
/* clang-format on */

const struct wasm_typedef *jit_call_type(struct jit_fn *f,
	const union wasm_word *w, uint32_t op)
{
	switch (op) {
	case OP_call:
	case OP_tail_call:
		return wasm_func_type(f->m, w[w->rel + 1].high);
	case OP_call_import:
	case OP_tail_import:
		return wasm_func_type(f->m, w->high);
	case OP_throw:
		return &f->m->types[f->m->tags[w->high]];
	default:
		return &f->m->types[w[1].low];
	}
}

uint32_t jit_word_result(const struct jit_fn *f, const union wasm_word *w,
	uint32_t op)
{
	uint32_t bits = jit_shapes[op].bits;
	if (op == OP_array_get)
		return w[1].low > 3 ? f->slots + w->a : w->a;
	return bits & W_A ? w->a : bits & W_A2 ? f->slots + w->a : NO_VAR;
}

/* Operands that the shape does not tell, results of calls. */
static void other_refs(struct jit_fn *f, const union wasm_word *w, uint32_t op,
	void (*ref)(struct jit_fn *f, uint32_t var, bool write))
{
	struct jit_oper few[JIT_OPERS];
	uint32_t n = 0;
	const struct jit_oper *o = jit_opers(f, w, op, few, &n);
	for (uint32_t i = 0; o && i < n; i++)
		ref(f, o[i].var, false);
	if (op >= OP_call && op <= OP_call_ref) {
		const struct wasm_typedef *t = jit_call_type(f, w, op);
		const uint32_t *types = f->m->pool + t->first + t->params;
		for (uint32_t i = 0, slot = w->a; i < t->results; i++) {
			ref(f, jit_var(f, slot, types[i]), true);
			slot += t_slots(types[i]);
		}
	}
}

void jit_word_refs(struct jit_fn *f, const union wasm_word *w, uint32_t op,
	void (*ref)(struct jit_fn *f, uint32_t var, bool write))
{
	uint32_t bits = jit_shapes[op].bits;
	const uint32_t slots[] = { w->a, w->b, w->c,
		w[jit_word_count(w, op) - 1].a };
	if (bits & IS_OTHER) {
		other_refs(f, w, op, ref);
	} else {
		for (uint32_t m = bits & 0xff; m; m &= m - 1) {
			uint32_t i = (uint32_t)__builtin_ctz(m);
			ref(f, slots[i & 3] + (i & 4 ? f->slots : 0), false);
		}
	}
	uint32_t to = jit_word_result(f, w, op);
	if (to != NO_VAR)
		ref(f, to, true);
}
