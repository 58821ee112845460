/* SPDX-License-Identifier: Apache-2.0 */
/* Building, continued: memory, calls, conversions, what is left to the
 * interpreter. */
#include "wasm/jit/build_priv.h"

#include "wasm/jit/jit_priv.h"

/* --- memory -----------------------------------------------------------------
 */

/* In the order of the lists of loads and stores. */
static const struct {
	uint8_t kind, type, size;
} loads[] = {
	{ ACC_32, JT_ANY32, 4 },
	{ ACC_64, JT_ANY, 8 },
	{ ACC_S8_32, JT_I32, 1 },
	{ ACC_U8, JT_I32, 1 },
	{ ACC_S16_32, JT_I32, 2 },
	{ ACC_U16, JT_I32, 2 },
	{ ACC_S8_64, JT_I64, 1 },
	{ ACC_S16_64, JT_I64, 2 },
	{ ACC_S32_64, JT_I64, 4 },
}, stores[] = {
	{ ACC_STORE_32, JT_ANY32, 4 },
	{ ACC_STORE_64, JT_ANY, 8 },
	{ ACC_STORE_8, JT_I32, 1 },
	{ ACC_STORE_16, JT_I32, 2 },
};

/* Need not be checked (again)? */
static bool within(struct jit_fn *f, uint32_t v, uint64_t offset, uint32_t size,
	bool wide)
{
	uint64_t n, end, most = jit_most(f, v, 6);
	if (__builtin_add_overflow(offset, size, &n))
		return false;
	if (!wide && most > UINT32_MAX)
		most = UINT32_MAX;
	if (!__builtin_add_overflow(most, n, &end) && end <= f->min_memory)
		return true;
	/* Speculation may not have been there. */
	if (f->jit->mask)
		return false;
	return f->ins[v].op != J_K && jit_known_bound(f, v, n);
}

/* To another memory than the first. */
static uint32_t far_access(struct jit_fn *f, const struct jit_ins *x)
{
	bool store = x->op == J_STORE;
	uint32_t p = jit_build_pointer(f, x->a, x->imm, x->spare,
		x->flags & JF_WIDE, false);
	return jit_add(f,
		&(struct jit_ins){ .op = store ? J_PUT : J_GET,
			.type = x->type,
			.cc = x->cc,
			.in = store && x->cc == ACC_STORE_V128 ? JT_V128 :
								 JT_ANY,
			.a = p,
			.b = x->b,
			.imm = -(uint64_t)x->spare });
}

uint32_t jit_build_at(struct jit_fn *f, struct jit_ins *x)
{
	bool wide = x->flags & JF_WIDE;
	/* What is cut off need not be cleared before. */
	if (x->op == J_STORE && x->cc != ACC_STORE_64 &&
		f->ins[x->b].op == J_WRAP)
		x->b = f->ins[x->b].a;
	if (f->memory)
		return far_access(f, x);
	x->in = wide ? JT_I64 : JT_I32;
	if (within(f, x->a, x->imm, x->spare, wide))
		x->flags |= JF_CHECKED;
	return jit_add(f, x);
}

static uint32_t access(struct jit_fn *f, const union wasm_word *w,
	uint32_t form, struct jit_ins *x)
{
	x->a = jit_read(f, w->b);
	x->imm = form ? w[1].u64 : w->c;
	if (form == 2)
		x->flags |= JF_WIDE;
	return jit_build_at(f, x);
}

uint32_t jit_build_load(struct jit_fn *f, const union wasm_word *w,
	uint32_t form, struct jit_ins *x)
{
	x->op = J_LOAD;
	return access(f, w, form, x);
}

void jit_build_store(struct jit_fn *f, const union wasm_word *w, uint32_t form,
	struct jit_ins *x)
{
	x->op = J_STORE;
	access(f, w, form, x);
}

void jit_build_access(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	uint32_t i = op - OP_i32_load, form = i % 3;
	if (op >= OP_i32_store) {
		i = (op - OP_i32_store) / 3;
		jit_build_store(f, w, form,
			&(struct jit_ins){ .cc = stores[i].kind,
				.spare = stores[i].size,
				.b = jit_read(f, w->a) });
		return;
	}
	i /= 3;
	jit_write(f, w->a,
		jit_build_load(f, w, form,
			&(struct jit_ins){ .type = loads[i].type,
				.cc = loads[i].kind,
				.spare = loads[i].size }));
}

void jit_build_global(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	struct wasm_global *g = f->inst->globals[w->high];
	bool vector = op == OP_global_get2 || op == OP_global_set2;
	uint32_t var = w->a + (vector ? f->slots : 0);
	uint64_t at = (uint64_t)(uintptr_t)g->v;
	uint8_t type = (uint8_t)jit_type_of(f->m->globals[w->high].type);
	if (op == OP_global_set || op == OP_global_set2) {
		jit_add(f,
			&(struct jit_ins){ .op = J_GLOBAL_SET,
				.in = type,
				.a = jit_read(f, var),
				.imm = at });
		return;
	}
	/* What can't change is known; pointers are looked up. */
	if (!g->mutable && !vector &&
		!wasm_registry_collected(&f->inst->store->registry, g->type)) {
		jit_write(f, var, jit_const(f, g->v[0]));
		return;
	}
	jit_write(f, var,
		jit_add(f,
			&(struct jit_ins){ .op = J_GLOBAL_GET,
				.type = type,
				.imm = at }));
}

/* --- one operand
 * --------------------------------------------------------------
 */

/* clang-format off */
#define U(n, op, type, in, cc) [OP_##n - OP_i32_clz] = \
	{ J_##op, JT_##type, JT_##in, cc }
#define FLOAT_UNARY(n, T) \
	U(n##_abs, FABS, T, T, 0), U(n##_neg, FNEG, T, T, 0), \
	U(n##_ceil, FCEIL, T, T, 0), U(n##_floor, FFLOOR, T, T, 0), \
	U(n##_trunc, FTRUNC, T, T, 0), U(n##_nearest, FNEAREST, T, T, 0), \
	U(n##_sqrt, FSQRT, T, T, 0)
#define TO_INT(n, T) \
	U(n##_trunc_f32_s, FLOAT_TO_INT, T, F32, 0), \
	U(n##_trunc_f32_u, FLOAT_TO_INT, T, F32, CVT_UNSIGNED), \
	U(n##_trunc_f64_s, FLOAT_TO_INT, T, F64, 0), \
	U(n##_trunc_f64_u, FLOAT_TO_INT, T, F64, CVT_UNSIGNED), \
	U(n##_trunc_sat_f32_s, FLOAT_TO_INT, T, F32, CVT_SATURATE), \
	U(n##_trunc_sat_f32_u, FLOAT_TO_INT, T, F32, \
		CVT_SATURATE | CVT_UNSIGNED), \
	U(n##_trunc_sat_f64_s, FLOAT_TO_INT, T, F64, CVT_SATURATE), \
	U(n##_trunc_sat_f64_u, FLOAT_TO_INT, T, F64, \
		CVT_SATURATE | CVT_UNSIGNED)
#define TO_FLOAT(n, T) \
	U(n##_convert_i32_s, INT_TO_FLOAT, T, I32, 0), \
	U(n##_convert_i32_u, INT_TO_FLOAT, T, I32, CVT_UNSIGNED), \
	U(n##_convert_i64_s, INT_TO_FLOAT, T, I64, 0), \
	U(n##_convert_i64_u, INT_TO_FLOAT, T, I64, CVT_UNSIGNED)

static const struct {
	uint8_t op, type, in, cc;
} unaries[] = {
	U(i32_clz, CLZ, I32, I32, 0),
	U(i32_ctz, CTZ, I32, I32, 0),
	U(i32_popcnt, POPCNT, I32, I32, 0),
	U(i64_clz, CLZ, I64, I64, 0),
	U(i64_ctz, CTZ, I64, I64, 0),
	U(i64_popcnt, POPCNT, I64, I64, 0),
	U(i64_eqz, ICMP, I32, I64, CC_E),
	FLOAT_UNARY(f32, F32),
	FLOAT_UNARY(f64, F64),
	TO_INT(i32, I32),
	TO_INT(i64, I64),
	TO_FLOAT(f32, F32),
	TO_FLOAT(f64, F64),
	U(f32_demote_f64, FLOAT_TO_FLOAT, F32, F64, 0),
	U(f64_promote_f32, FLOAT_TO_FLOAT, F64, F32, 0),
	U(i32_wrap_i64, WRAP, I32, I64, 0),
	U(i64_extend_i32_s, EXT32S, I64, I32, 0),
	U(i64_extend_i32_u, NOP, I64, I64, 0),
	U(i32_extend8_s, EXT8S, I32, I32, 0),
	U(i32_extend16_s, EXT16S, I32, I32, 0),
	U(i64_extend8_s, EXT8S, I64, I64, 0),
	U(i64_extend16_s, EXT16S, I64, I64, 0),
	U(i64_extend32_s, EXT32S, I64, I64, 0),
};
/* clang-format on */

void jit_build_unary(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	uint32_t n = op - OP_i32_clz, v = jit_read(f, w->b);
	struct jit_ins i = { .op = unaries[n].op,
		.type = unaries[n].type,
		.in = unaries[n].in,
		.cc = unaries[n].cc,
		.a = v };
	bool rounds = i.op >= J_FCEIL && i.op <= J_FNEAREST;
	if ((i.op == J_POPCNT && !f->jit->popcnt) ||
		(rounds && !f->jit->sse41)) {
		jit_build_step(f, w, op);
		return;
	}
	if (op == OP_i64_eqz)
		i.b = jit_const(f, 0);
	jit_write(f, w->a, i.op == J_NOP ? v : jit_pure(f, &i));
}

/* --- calls
 * --------------------------------------------------------------------
 */

/* The values in slots from `slot` on, as a list of operands. */
static uint32_t collect(struct jit_fn *f, const uint32_t *types, uint32_t n,
	uint32_t slot)
{
	uint32_t first = jit_args(f, n);
	for (uint32_t i = 0; i < n && !f->failed; i++) {
		uint32_t v = jit_read(f, jit_var(f, slot, types[i]));
		f->args[first + i] = v;
		f->floats |= jit_is_float(jit_type_of(types[i]));
		slot += t_slots(types[i]);
	}
	return first;
}

void jit_build_return(struct jit_fn *f, uint32_t slot)
{
	uint32_t n = f->type->results;
	const uint32_t *types = f->m->pool + f->type->first + f->type->params;
	uint32_t first = collect(f, types, n, slot);
	jit_add(f, &(struct jit_ins){ .op = J_RETURN, .b = first, .c = n });
}

static void results(struct jit_fn *f, const struct wasm_typedef *t,
	uint32_t slot, uint32_t call)
{
	const uint32_t *types = f->m->pool + t->first + t->params;
	for (uint32_t i = 0; i < t->results && !f->failed; i++) {
		uint32_t v = call;
		if (i)
			v = jit_add(f,
				&(struct jit_ins){ .op = J_RESULT,
					.type = (uint8_t)jit_type_of(types[i]),
					.imm = i,
					.a = call });
		jit_write(f, jit_var(f, slot, types[i]), v);
		slot += t_slots(types[i]);
	}
}

static void callee(struct jit_fn *f, const union wasm_word *w, uint32_t op,
	struct jit_ins *i)
{
	bool tail = i->op == J_TAIL, own = op == OP_call || op == OP_tail_call;
	if (op == OP_call_indirect || op == OP_tail_indirect) {
		i->op = tail ? J_TAIL : J_CALL_INDIRECT;
		i->cc = TAIL_INDIRECT;
		i->a = jit_read(f, w->b);
		i->imm = (uint64_t)w[1].high << 32 | w[1].low;
	} else if (op == OP_call_ref || op == OP_tail_ref) {
		i->op = tail ? J_TAIL : J_CALL_REF;
		i->cc = TAIL_REF;
		i->a = jit_read(f, w->b);
	} else {
		uint32_t n = own ? w[w->rel + 1].high : w->high;
		i->imm = (uint64_t)(uintptr_t)wasm_func_of(f->inst, n);
	}
}

void jit_build_out(struct jit_fn *f, uint32_t bytes)
{
	f->calls = true;
	if (bytes > f->out_bytes)
		f->out_bytes = bytes;
}

void jit_build_call(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	const struct wasm_typedef *t = jit_call_type(f, w, op);
	const uint32_t *types = f->m->pool + t->first;
	struct jit_ins i = { .op = J_CALL,
		.c = t->params,
		.aux = (uint32_t)(t - f->m->types) };
	jit_build_out(f, jit_stack_args(f->m, t));
	callee(f, w, op, &i);
	i.b = collect(f, types, t->params, w->a);
	if (t->results)
		i.type = (uint8_t)jit_type_of(types[t->params]);
	uint32_t call = jit_add(f, &i);
	jit_build_throws(f, call);
	results(f, t, w->a, call);
}

void jit_build_tail(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	const struct wasm_typedef *t = jit_call_type(f, w, op);
	struct jit_ins i = { .op = J_TAIL,
		.c = t->params,
		.aux = (uint32_t)(t - f->m->types) };
	jit_build_out(f,
		jit_tail_fits(f->m, f->type, t) ? 0 : jit_stack_args(f->m, t));
	callee(f, w, op, &i);
	i.b = collect(f, f->m->pool + t->first, t->params, w->a);
	jit_add(f, &i);
}
