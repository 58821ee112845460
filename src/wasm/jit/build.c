/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Register code becomes values.  Blocks come in an order in which all that
 * jumps forward to a block stands before it, so that one pass is enough; a
 * loop's head gets a phi for each variable that the loop writes.
 */
#include "wasm/jit/build_priv.h"

/* --- variables --------------------------------------------------------------
 */

uint32_t jit_read(struct jit_fn *f, uint32_t var)
{
	if (!f->cur[var] && var >= f->const_from && var < f->const_to)
		f->cur[var] = jit_const(f,
			f->header[f->header[1].low + var - f->const_from].u64);
	return f->cur[var];
}

void jit_write(struct jit_fn *f, uint32_t var, uint32_t v)
{
	f->cur[var] = v;
}

static bool killed(const struct jit_fn *f, uint32_t b, uint32_t var)
{
	uint32_t dense = f->dense[var] - 1;
	return f->kill[(size_t)b * f->bit_words + dense / 64] >> dense % 64 & 1;
}

/* --- blocks -----------------------------------------------------------------
 */

/*
 * What dominates a, which dominates all that was joined before, and b.  The
 * way up from b ends at a block that was met for the same join: a dominates
 * it, too.
 */
static uint32_t common(struct jit_fn *f, uint32_t join, uint32_t a, uint32_t b,
	uint32_t *steps)
{
	uint32_t from = a;
	for (; a != b; ++*steps) {
		struct jit_block *x = &f->blocks[a], *y = &f->blocks[b];
		if (x->dom_depth >= y->dom_depth) {
			a = x->idom;
			continue;
		}
		if (y->joined == join)
			return from;
		y->joined = join;
		b = y->idom;
	}
	return a;
}

static bool find_idom(struct jit_fn *f, uint32_t b)
{
	struct jit_block *x = &f->blocks[b];
	uint32_t d = UINT32_MAX, steps = x->pred_count;
	for (uint32_t i = 0; i < x->pred_count; i++) {
		const struct jit_edge *e = &f->edges[f->preds[x->pred + i]];
		if (!e->back)
			d = d == UINT32_MAX ? e->from :
					      common(f, b, d, e->from, &steps);
	}
	if (d == UINT32_MAX)
		return jit_fail(f, JIT_NO_WAY_IN);
	x->idom = d;
	x->dom_depth = f->blocks[d].dom_depth + 1;
	return jit_work(f, steps);
}

/* The one value that all forward edges bring for the i-th live variable. */
static uint32_t same_value(const struct jit_fn *f, const struct jit_block *x,
	uint32_t i)
{
	uint32_t v = 0;
	for (uint32_t p = 0; p < x->pred_count; p++) {
		const struct jit_edge *e = &f->edges[f->preds[x->pred + p]];
		if (e->back)
			continue;
		if (v && e->state[i] != v)
			return 0;
		v = e->state[i];
	}
	return v;
}

static uint32_t make_phi(struct jit_fn *f, uint32_t b, uint32_t i, bool vector)
{
	uint32_t n = f->blocks[b].pred_count, first = jit_args(f, n);
	uint32_t phi = jit_add(f,
		&(struct jit_ins){ .op = J_PHI,
			.type = vector ? JT_V128 : JT_ANY,
			.b = first,
			.c = n });
	for (uint32_t p = 0; p < n && !f->failed; p++) {
		const struct jit_edge *e =
			&f->edges[f->preds[f->blocks[b].pred + p]];
		/* What a loop does not write, it brings back. */
		f->args[first + p] = e->back ? phi : e->state[i];
	}
	return phi;
}

/* To a block that is built next, and that nothing else leads to: variables
 * just keep their values. */
static bool goes_on(const struct jit_fn *f, const struct jit_edge *e)
{
	return e->to == e->from + 1 && f->blocks[e->to].pred_count == 1 &&
		!e->throws;
}

static bool enter_block(struct jit_fn *f, uint32_t b)
{
	struct jit_block *x = &f->blocks[b];
	f->block = b;
	if (!find_idom(f, b))
		return false;
	if (x->pred_count == 1 && goes_on(f, &f->edges[f->preds[x->pred]]))
		return true;
	if (x->is_head && x->live_count) {
		x->phis = jit_alloc(f, x->live_count, sizeof *x->phis);
		if (!x->phis)
			return false;
	}
	for (uint32_t i = 0; i < x->live_count && !f->failed; i++) {
		uint32_t var = x->live[i];
		bool loop = x->is_head && killed(f, b, var);
		uint32_t v = loop ? 0 : same_value(f, x, i);
		if (!v)
			v = make_phi(f, b, i, var >= f->slots);
		if (loop)
			x->phis[i] = v;
		f->cur[var] = v;
	}
	return !f->failed;
}

/* The values that the edge takes along. */
static void leave_by(struct jit_fn *f, uint32_t edge)
{
	struct jit_edge *e = &f->edges[edge];
	const struct jit_block *to = &f->blocks[e->to];
	if (goes_on(f, e))
		return;
	if (e->back) {
		for (uint32_t i = 0; i < to->live_count; i++)
			if (to->phis[i])
				f->args[f->ins[to->phis[i]].b + e->pred] =
					f->cur[to->live[i]];
		return;
	}
	e->state = jit_alloc(f, to->live_count + 1ul, sizeof *e->state);
	if (!e->state)
		return;
	for (uint32_t i = 0; i < to->live_count; i++)
		e->state[i] = f->cur[to->live[i]];
}

static void leave_block(struct jit_fn *f, uint32_t b)
{
	const struct jit_block *x = &f->blocks[b];
	uint8_t end = f->ins[x->last].op;
	if (end < J_JUMP) {
		jit_add(f, &(struct jit_ins){ .op = J_JUMP });
		end = J_JUMP;
	}
	for (uint32_t i = 0; i < x->succ_count && !f->failed; i++)
		if (!f->edges[x->succ + i].throws)
			leave_by(f, x->succ + i);
}

void jit_build_throws(struct jit_fn *f, uint32_t call)
{
	const struct jit_block *x = &f->blocks[f->block];
	for (uint32_t i = 0; i < x->succ_count && !f->failed; i++) {
		struct jit_edge *e = &f->edges[x->succ + i];
		if (!e->throws)
			continue;
		e->call = call;
		leave_by(f, x->succ + i);
		jit_work(f, f->blocks[e->to].live_count / 4);
	}
}

static uint32_t zero_of(struct jit_fn *f, uint32_t var)
{
	if (var < f->slots)
		return jit_const(f, 0);
	return jit_pure(f, &(struct jit_ins){ .op = J_K128, .type = JT_V128 });
}

uint32_t jit_type_of(uint32_t wasm_type)
{
	switch (wasm_type) {
	case T_I32:
		return JT_I32;
	case T_F32:
		return JT_F32;
	case T_F64:
		return JT_F64;
	case T_V128:
		return JT_V128;
	default:
		return JT_I64;
	}
}

/* Block 0: parameters and cleared locals. */
static void entry(struct jit_fn *f)
{
	const uint32_t *types = f->m->pool + f->type->first;
	uint32_t slot = 0;
	f->block = 0;
	f->word = f->first_word;
	for (uint32_t i = 0; i < f->type->params; i++) {
		f->cur[jit_var(f, slot, types[i])] = jit_add(f,
			&(struct jit_ins){ .op = J_PARAM,
				.type = (uint8_t)jit_type_of(types[i]),
				.imm = i });
		slot += t_slots(types[i]);
	}
	const struct jit_block *to = &f->blocks[1];
	for (uint32_t i = 0; i < to->live_count && !f->failed; i++) {
		uint32_t var = to->live[i];
		if (!f->cur[var])
			f->cur[var] = zero_of(f, var);
	}
	leave_block(f, 0);
}

/* --- instructions
 * -------------------------------------------------------------
 */

uint32_t jit_pure2(struct jit_fn *f, uint32_t op, uint32_t type, uint32_t a,
	uint32_t b)
{
	return jit_pure(f,
		&(struct jit_ins){ .op = (uint8_t)op,
			.type = (uint8_t)type,
			.a = a,
			.b = b });
}

static void branch(struct jit_fn *f, uint32_t cond)
{
	jit_add(f, &(struct jit_ins){ .op = J_BRANCH, .a = cond });
}

static uint32_t compare(struct jit_fn *f, uint32_t op, uint32_t cc, uint32_t in,
	uint32_t a, uint32_t b)
{
	return jit_pure(f,
		&(struct jit_ins){ .op = (uint8_t)op,
			.type = JT_I32,
			.cc = (uint8_t)cc,
			.in = (uint8_t)in,
			.a = a,
			.b = b });
}

static uint32_t compare_int(struct jit_fn *f, uint32_t i, uint32_t a,
	uint32_t b)
{
	static const uint8_t cc[] = { CC_E, CC_NE, CC_L, CC_B, CC_G, CC_A,
		CC_LE, CC_BE, CC_GE, CC_AE };
	return compare(f, J_ICMP, cc[i % 20 / 2], i < 20 ? JT_I32 : JT_I64, a,
		b);
}

/* The second operand of an _rr or _rk operation. */
static uint32_t second(struct jit_fn *f, uint32_t imm, bool wide, uint16_t x)
{
	if (!imm)
		return jit_read(f, x);
	uint64_t k = (uint64_t)(int64_t)(int16_t)x;
	return jit_const(f, wide ? k : (uint32_t)k);
}

static void int_op(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	uint32_t v, type;
	if (op < OP_i32_add_rr) {
		uint32_t i = op - OP_i32_eq_rr;
		v = compare_int(f, i, jit_read(f, w->b),
			second(f, i & 1, i >= 20, w->c));
	} else {
		uint32_t i = op - OP_i32_add_rr;
		bool wide = i >= 30;
		type = wide ? JT_I64 : JT_I32;
		v = jit_pure2(f, J_ADD + i % 30 / 2, type, jit_read(f, w->b),
			second(f, i & 1, wide, w->c));
	}
	jit_write(f, w->a, v);
}

static void int_branch(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	uint32_t i = op - OP_br_i32_eq_rr;
	branch(f,
		compare_int(f, i, jit_read(f, w->a),
			second(f, i & 1, i >= 20, w->b)));
}

static void float_compare(struct jit_fn *f, const union wasm_word *w,
	uint32_t op)
{
	uint32_t i = op - OP_f32_eq;
	jit_write(f, w->a,
		compare(f, J_FCMP, i % 6, i < 6 ? JT_F32 : JT_F64,
			jit_read(f, w->b), jit_read(f, w->c)));
}

static void float_branch(struct jit_fn *f, const union wasm_word *w,
	uint32_t op)
{
	uint32_t i = op - OP_br_f32_eq;
	uint32_t cc = i % 12 / 2 | (i & 1 ? FC_NOT : 0);
	branch(f,
		compare(f, J_FCMP, cc, i < 12 ? JT_F32 : JT_F64,
			jit_read(f, w->a), jit_read(f, w->b)));
}

static void float_binary(struct jit_fn *f, const union wasm_word *w,
	uint32_t op)
{
	uint32_t i = op - OP_f32_add;
	jit_write(f, w->a,
		jit_pure2(f, J_FADD + i % 7, i < 7 ? JT_F32 : JT_F64,
			jit_read(f, w->b), jit_read(f, w->c)));
}

/* The value of a condition: anything that is not zero in its low half. */
static uint32_t truth(struct jit_fn *f, uint32_t v, bool negate)
{
	if (!negate && (f->ins[v].op == J_ICMP || f->ins[v].op == J_FCMP))
		return v;
	return compare(f, J_ICMP, negate ? CC_E : CC_NE, JT_I32, v,
		jit_const(f, 0));
}

static void select(struct jit_fn *f, const union wasm_word *w, bool vector)
{
	uint32_t base = vector ? f->slots : 0;
	uint32_t cond = truth(f, jit_read(f, w[1].a), false);
	uint32_t yes = jit_read(f, base + w->b), no = jit_read(f, base + w->c);
	jit_write(f, base + w->a,
		jit_pure(f,
			&(struct jit_ins){ .op = J_SELECT,
				.type = vector ? JT_V128 : JT_ANY,
				.a = cond,
				.b = yes,
				.c = no }));
}

/* The one NaN for all. */
static void canonical(struct jit_fn *f, const union wasm_word *w, uint32_t type)
{
	uint32_t v = jit_read(f, w->b);
	uint32_t nan = compare(f, J_FCMP, FC_NE, type, v, v);
	uint32_t one =
		jit_const(f, type == JT_F32 ? 0x7fc00000 : 0x7ff8000000000000);
	jit_write(f, w->a,
		jit_pure(f,
			&(struct jit_ins){ .op = J_SELECT,
				.type = (uint8_t)type,
				.a = nan,
				.b = one,
				.c = v }));
}

static void null_branch(struct jit_fn *f, const union wasm_word *w, uint32_t cc)
{
	branch(f,
		compare(f, J_ICMP, cc, JT_I64, jit_read(f, w->a),
			jit_const(f, 0)));
}

/* Control; false: not one of these. */
static bool control(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	switch (op) {
	case OP_unreachable:
		jit_add(f,
			&(struct jit_ins){ .op = J_TRAP,
				.cc = WASM_TRAP_UNREACHABLE });
		return true;
	case OP_jump:
		jit_add(f, &(struct jit_ins){ .op = J_JUMP });
		return true;
	case OP_br_nz:
	case OP_br_z:
		branch(f, truth(f, jit_read(f, w->a), op == OP_br_z));
		return true;
	case OP_br_null:
	case OP_br_non_null:
		null_branch(f, w, op == OP_br_null ? CC_E : CC_NE);
		return true;
	case OP_br_table:
		jit_add(f,
			&(struct jit_ins){ .op = J_TABLE,
				.a = jit_read(f, w->a),
				.imm = (uint64_t)(w - f->code) });
		return true;
	case OP_ret:
	case OP_ret1:
	case OP_ret2:
	case OP_retn:
		jit_build_return(f, w->a);
		return true;
	case OP_call:
	case OP_call_import:
	case OP_call_indirect:
	case OP_call_ref:
		jit_build_call(f, w, op);
		return true;
	case OP_tail_call:
	case OP_tail_import:
	case OP_tail_indirect:
	case OP_tail_ref:
		jit_build_tail(f, w, op);
		return true;
	case OP_throw:
		jit_build_throw(f, w);
		return true;
	case OP_throw_ref:
		jit_build_throws(f,
			jit_add(f,
				&(struct jit_ins){ .op = J_THROW_REF,
					.a = jit_read(f, w->a) }));
		return true;
	default:
		return false;
	}
}

/* Moves, constants, variables, references. */
static bool plain(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	uint32_t v = f->slots;
	switch (op) {
	case OP_copy:
		jit_write(f, w->a, jit_read(f, w->b));
		return true;
	case OP_copy2:
		jit_write(f, v + w->a, jit_read(f, v + w->b));
		return true;
	case OP_canon_f32:
	case OP_canon_f64:
		canonical(f, w, op == OP_canon_f32 ? JT_F32 : JT_F64);
		return true;
	case OP_const32:
		jit_write(f, w->a, jit_const(f, w->high));
		return true;
	case OP_const64:
		jit_write(f, w->a, jit_const(f, w[1].u64));
		return true;
	case OP_select:
	case OP_select2:
		select(f, w, op == OP_select2);
		return true;
	case OP_global_get:
	case OP_global_set:
	case OP_global_get2:
	case OP_global_set2:
		jit_build_global(f, w, op);
		return true;
	case OP_ref_func:
		jit_write(f, w->a,
			jit_const(f,
				wasm_ref_of(wasm_func_of(f->inst, w->high))));
		return true;
	case OP_ref_is_null:
		jit_write(f, w->a,
			compare(f, J_ICMP, CC_E, JT_I64, jit_read(f, w->b),
				jit_const(f, 0)));
		return true;
	case OP_ref_as_non_null:
		jit_add(f,
			&(struct jit_ins){ .op = J_CHECK,
				.cc = WASM_TRAP_NULL,
				.a = jit_read(f, w->a) });
		return true;
	default:
		return false;
	}
}

static void instruction(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	if (f->holds)
		jit_build_point(f, w, op);
	if (op >= OP_i32_eq_rr && op <= OP_i64_rotr_rk)
		int_op(f, w, op);
	else if (op >= OP_i32_load && op <= OP_i32_store16_64)
		jit_build_access(f, w, op);
	else if (op >= OP_br_i32_eq_rr && op <= OP_br_i64_ge_u_rk)
		int_branch(f, w, op);
	else if (op >= OP_f32_eq && op <= OP_f64_ge)
		float_compare(f, w, op);
	else if (op >= OP_br_f32_eq && op <= OP_brn_f64_ge)
		float_branch(f, w, op);
	else if (op >= OP_f32_add && op <= OP_f64_copysign)
		float_binary(f, w, op);
	else if (op >= OP_i32_clz && op <= OP_i64_trunc_sat_f64_u)
		jit_build_unary(f, w, op);
	else if (jit_is_vec(op))
		jit_build_vec(f, w, op);
	else if (control(f, w, op) || plain(f, w, op) ||
		jit_build_ref(f, w, op) || jit_build_bulk(f, w, op))
		return;
	else if (jit_word_shape(op) & IS_STEP)
		jit_build_step(f, w, op);
	else
		jit_fail(f, JIT_UNKNOWN);
}

static void block(struct jit_fn *f, uint32_t b)
{
	const struct jit_block *x = &f->blocks[b];
	uint32_t at = x->at, end = x->end;
	if (!enter_block(f, b))
		return;
	if (x->handler)
		jit_build_landing(f, b);
	while (at < end && !f->failed) {
		const union wasm_word *w = f->code + at;
		uint32_t op = jit_op_at(f, at);
		f->word = at;
		instruction(f, w, op);
		at += jit_word_count(w, op);
	}
	if (!f->failed)
		leave_block(f, b);
}

bool jit_build(struct jit_fn *f)
{
	uint32_t words = f->end_word - f->first_word;
	f->cur = jit_alloc(f, f->vars, sizeof *f->cur);
	/* About as many as words. */
	if (!f->cur || !jit_fit(f, f->ins, f->ins_cap, words))
		return false;
	jit_new(f, &(struct jit_ins){ .op = J_NOP });
	/* So that even an empty list has an address. */
	if (!jit_fit(f, f->args, f->arg_cap, 1))
		return false;
	/* Number 0 is nobody's. */
	if (f->failed)
		return false;
	entry(f);
	for (uint32_t b = 1; b < f->block_count && !f->failed; b++)
		if (f->blocks[b].reached)
			block(f, b);
	return !f->failed;
}
