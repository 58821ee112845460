/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making pairs: when an instruction is about to be emitted that uses the
 * result of the one just emitted, and there is an operation that does both,
 * the first one becomes that operation.
 */
#include "wasm/compile/compile_priv.h"

/* Positions within the lists; pairs are numbered second by second. */
/* clang-format off */
#define A(op, kind) A_##kind##_##op,
enum { WASM_FIRSTS_I32(A, I32) FIRSTS_I32 };
enum { WASM_FIRSTS_I64(A, I64) FIRSTS_I64 };
enum { WASM_FIRSTS_F32(A, F32) FIRSTS_F32 };
enum { WASM_FIRSTS_F64(A, F64) FIRSTS_F64 };
#undef A
#define B(op) B_I32_##op,
enum { WASM_SECONDS_I32(B) SECONDS_I32 };
#undef B
#define B(op) B_I64_##op,
enum { WASM_SECONDS_I64(B) SECONDS_I64 };
#undef B
#define B(op) B_F_##op,
enum { WASM_SECONDS_F32(B) SECONDS_F32 };
enum { WASM_SECONDS_F64(B) SECONDS_F64 };
#undef B

enum kind { NO_PAIR, I32, I64, F32, F64 };

/* Positions plus one of the firsts, for each kind. */
#define A(op, kind) [OP_##op] = A_##kind##_##op + 1,
static const uint8_t firsts[][WASM_OP_COUNT] = {
	[I32] = { WASM_FIRSTS_I32(A, I32) },
	[I64] = { WASM_FIRSTS_I64(A, I64) },
	[F32] = { WASM_FIRSTS_F32(A, F32) },
	[F64] = { WASM_FIRSTS_F64(A, F64) },
};
#undef A

static const struct kinds {
	uint16_t first_pair, firsts;
} kinds[] = {
	[I32] = { OP_i32_add_rr__i32_add_rr, FIRSTS_I32 },
	[I64] = { OP_i64_add_rr__i64_add_rr, FIRSTS_I64 },
	[F32] = { OP_f32_add__f32_add, FIRSTS_F32 },
	[F64] = { OP_f64_add__f64_add, FIRSTS_F64 },
};

static const struct second {
	uint8_t kind, position;
} seconds[WASM_OP_COUNT] = {
#define B(op) [OP_##op] = { I32, B_I32_##op },
	WASM_SECONDS_I32_REAL(B)
#undef B
#define B(op) [OP_##op] = { I64, B_I64_##op },
	WASM_SECONDS_I64_REAL(B)
#undef B
	[OP_f32_add] = { F32, B_F_f32_add },
	[OP_f32_sub] = { F32, B_F_f32_sub },
	[OP_f32_mul] = { F32, B_F_f32_mul },
	[OP_f64_add] = { F64, B_F_f64_add - B_F_f64_add },
	[OP_f64_sub] = { F64, B_F_f64_sub - B_F_f64_add },
	[OP_f64_mul] = { F64, B_F_f64_mul - B_F_f64_add },
};
/* clang-format on */

static bool commutes(uint32_t op)
{
	switch (op) {
	case OP_i32_add_rr:
	case OP_i32_mul_rr:
	case OP_i32_and_rr:
	case OP_i32_or_rr:
	case OP_i32_xor_rr:
	case OP_i64_add_rr:
	case OP_i64_mul_rr:
	case OP_i64_and_rr:
	case OP_i64_or_rr:
	case OP_i64_xor_rr:
	case OP_f32_add:
	case OP_f32_mul:
	case OP_f64_add:
	case OP_f64_mul:
		return true;
	default:
		return false;
	}
}

/* The stores by value, which have no operation of their own. */
static bool stores_value(uint32_t op, uint32_t first, struct second *s)
{
	switch (op) {
	case OP_i32_store:
		*s = firsts[I32][first] ?
			(struct second){ I32, B_I32_i32_store_v } :
			(struct second){ F32, B_F_f32_store_v };
		return true;
	case OP_i32_store8:
		*s = (struct second){ I32, B_I32_i32_store8_v };
		return true;
	case OP_i32_store16:
		*s = (struct second){ I32, B_I32_i32_store16_v };
		return true;
	case OP_i64_store:
		*s = firsts[I64][first] ?
			(struct second){ I64, B_I64_i64_store_v } :
			(struct second){ F64, B_F_f64_store_v - B_F_f64_add };
		return true;
	default:
		return false;
	}
}

static bool is_branch(uint32_t op)
{
	return op == OP_br_nz || op == OP_br_z ||
		(op >= OP_br_i32_eq_rr && op <= OP_br_i64_ge_u_rk);
}

/* Which second this is when the value is in register `d`. */
static bool choose(union wasm_word *w, uint32_t first, uint32_t d,
	struct second *s)
{
	*s = seconds[w->op];
	if (is_branch(w->op))
		return w->a == d && s->kind;
	if (w->b == d && s->kind)
		return true;
	if (w->a == d && stores_value(w->op, first, s))
		return true;
	if (w->c != d)
		return false;
	if (commutes(w->op)) {
		w->c = w->b;
		w->b = (uint16_t)d;
		return true;
	}
	if (w->op == OP_f32_sub)
		*s = (struct second){ F32, B_F_f32_subr };
	else if (w->op == OP_f64_sub)
		*s = (struct second){ F64, B_F_f64_subr - B_F_f64_add };
	else
		return false;
	return true;
}

bool wasm_fuse(union wasm_word first[2])
{
	union wasm_word *w = &first[1];
	struct second s = seconds[w->op];
	uint32_t d = first->a;
	if (!s.kind) {
		bool copies = w->op == OP_copy && first->op == OP_copy;
		if (copies)
			first->op = OP_copy__copy;
		return copies;
	}
	if (w->a != d && w->b != d && w->c != d)
		return false;
	if (!choose(w, first->op, d, &s) || !firsts[s.kind][first->op])
		return false;
	const struct kinds *k = &kinds[s.kind];
	first->op = (uint16_t)(k->first_pair + s.position * k->firsts +
		firsts[s.kind][first->op] - 1);
	return true;
}
