/* SPDX-License-Identifier: Apache-2.0 */
/* Calls: where values are passed, and how control gets there. */
#include "wasm/jit/emit_priv.h"

static const uint8_t general[JIT_ARGS] = { RDI, RSI, RDX, RCX, R8, R9, RBX };

uint32_t jit_abi_next(struct jit_abi *a, uint32_t wasm_type, uint32_t *offset)
{
	bool vector =
		wasm_type == T_V128 || wasm_type == T_F32 || wasm_type == T_F64;
	if (vector && a->vector < JIT_FLOAT_ARGS)
		return XMM0 + a->vector++;
	if (!vector && a->general < JIT_ARGS)
		return general[a->general++];
	*offset = a->stack;
	a->stack += wasm_type == T_V128 ? 16 : 8;
	return LOC_STACK;
}

uint32_t jit_stack_args(const struct wasm_module *m,
	const struct wasm_typedef *t)
{
	struct jit_abi abi = { 0 };
	uint32_t offset;
	for (uint32_t i = 0; i < t->params; i++)
		jit_abi_next(&abi, m->pool[t->first + i], &offset);
	return abi.stack;
}

void jit_call_stub(struct jit_emit *e, uint32_t stub)
{
	uint32_t at = x64_call(&e->a);
	x64_patch(&e->a, at, stub - e->base);
}

void jit_put_slot(struct jit_emit *e, uint32_t v, struct x64_mem to)
{
	const struct jit_ins *i = jit_ins_of(e, v);
	uint32_t at = jit_place(e, v);
	bool vector = i->type == JT_V128;
	if (at == LOC_STACK && vector) {
		x64_rm(&e->a, X_MOVUPS, 0, 15, jit_slot(e, v));
		at = XSCRATCH;
	} else if (at == LOC_CONST && i->op == J_K128) {
		jit_xconst(e, 15, i);
		at = XSCRATCH;
		vector = true;
	} else if (at == LOC_CONST && (int64_t)i->imm >= INT32_MIN &&
		(int64_t)i->imm <= INT32_MAX) {
		x64_rm(&e->a, X_MOV_IMM, X64_W, 0, to);
		x64_u32(&e->a, (uint32_t)i->imm);
		return;
	} else if (at == LOC_CONST || at == LOC_STACK) {
		jit_mov(e, SCRATCH, v, i->type != JT_F32);
		at = SCRATCH;
	} else if (i->type == JT_F32) {
		x64_rr(&e->a, X_MOVD_FROM, 0, at - XMM0, SCRATCH);
		at = SCRATCH;
	}
	if (at < XMM0)
		x64_rm(&e->a, X_MOV_STORE, X64_W, at, to);
	else
		x64_rm(&e->a, vector ? X_MOVUPS_STORE : X_MOVSD_STORE, 0,
			at - XMM0, to);
}

static struct jit_move to_register(const struct jit_emit *e, uint32_t v,
	uint32_t reg, uint32_t type)
{
	return (struct jit_move){ .v = v,
		.from = (uint8_t)jit_place(e, v),
		.to = (uint8_t)reg,
		.type = (uint8_t)type };
}

enum { MAX_REG_ARGS = JIT_ARGS + JIT_FLOAT_ARGS + 1 };

void jit_emit_args(struct jit_emit *e, const struct jit_ins *i,
	const struct wasm_typedef *t, uint32_t index, int64_t where)
{
	struct jit_move moves[MAX_REG_ARGS];
	struct jit_abi abi = { 0 };
	uint32_t n = 0, offset = 0;
	for (uint32_t k = 0; k < i->c; k++) {
		uint32_t v = e->f->args[i->b + k];
		uint32_t type = e->f->m->pool[t->first + k];
		uint32_t to = jit_abi_next(&abi, type, &offset);
		if (to == LOC_STACK)
			jit_put_slot(e, v, x64_at(RSP, where + offset));
		else
			moves[n++] =
				to_register(e, v, to, jit_arg_type(e->f, i, k));
	}
	if (index)
		moves[n++] = to_register(e, index, RAX, JT_I64);
	jit_move_all(e, moves, n);
}

/* The first result from its register. */
static void result(struct jit_emit *e, const struct jit_ins *i)
{
	if (i->type == JT_NONE)
		return;
	uint32_t d = jit_def(e);
	if (d >= XMM0 && d != XMM0)
		x64_rr(&e->a, X_MOVAPS, 0, d - XMM0, 0);
	else if (d < XMM0 && d != RAX)
		x64_rr(&e->a, X_MOV, i->type == JT_I32 ? 0 : X64_W, d, RAX);
}

void jit_go_code(struct jit_emit *e, struct wasm_func *to, uint32_t at)
{
	if (to == e->f->func) {
		x64_patch(&e->a, at, 0);
	} else if (to->jit_state == JIT_DONE) {
		x64_patch(&e->a, at, to->jit_at - e->base);
	} else if (to->jit_thunk) {
		x64_patch(&e->a, at, to->jit_thunk - e->base);
	} else {
		if (!jit_fit(e->f, e->thunks, e->thunk_cap,
			    e->thunk_count + 1ull))
			return;
		e->thunks[e->thunk_count++] = (struct jit_patch){ at,
			to->index - e->f->m->func_imports };
	}
}

static void call_code(struct jit_emit *e, struct wasm_func *to)
{
	if (to == e->f->func ||
		(to->inst == e->f->inst &&
			(to->jit_state == JIT_DONE || to->jit_thunk ||
				to->jit_state == JIT_NEW))) {
		jit_go_code(e, to, x64_call(&e->a));
		return;
	}
	x64_mov_ri(&e->a, RAX, (uint64_t)(uintptr_t)to);
	jit_call_stub(e, e->j->leave);
}

static void call(struct jit_emit *e, const struct jit_ins *i)
{
	jit_emit_args(e, i, &e->f->m->types[i->aux], 0, 0);
	call_code(e, (struct wasm_func *)(uintptr_t)i->imm);
	jit_site(e);
	result(e, i);
}

#define TABLE_FIELD(n) ((int64_t)offsetof(struct wasm_table, n))

/* The length never changes.  Where the entries are does: each thread has its
 * own (twin.c). */
static bool is_fixed(const struct wasm_table *t)
{
	return t->range.has_max && t->range.max == t->range.min &&
		t->range.min && t->range.min <= INT32_MAX;
}

void jit_find_callee(struct jit_emit *e, const struct jit_ins *i)
{
	const struct wasm_table *t = e->f->inst->tables[i->imm >> 32];
	x64_mov_ri(&e->a, SCRATCH, (uint64_t)(uintptr_t)t);
	if (is_fixed(t))
		x64_alu_ri(&e->a, ALU_CMP, X64_W, RAX, (int32_t)t->range.min);
	else
		x64_rm(&e->a, X_CMP, X64_W, RAX,
			x64_at(SCRATCH, TABLE_FIELD(range.min)));
	jit_trap_if(e, CC_AE, WASM_TRAP_ELEMENT);
	if (e->j->mask)
		x64_rm(&e->a, X64(0, 1, 0x40 | CC_AE), X64_W, RAX,
			x64_at(REG_EXEC, JIT_FIELD(jit.zero)));
	x64_rm(&e->a, X_MOV, X64_W, SCRATCH,
		x64_at(SCRATCH, TABLE_FIELD(elems)));
	x64_rm(&e->a, X_MOV, X64_W, RAX, x64_sum(SCRATCH, RAX, 3, 0));
	x64_rr(&e->a, X_TEST, X64_W, RAX, RAX);
	jit_trap_if(e, CC_E, WASM_TRAP_UNINITIALIZED);
}

uint32_t jit_other_type(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t canon = e->f->inst->canon[(uint32_t)i->imm];
	uint32_t tag = wasm_jit_tag(e->f->inst, canon);
	if (!tag)
		return x64_jmp(&e->a);
	x64_alu_mi(&e->a, ALU_CMP, 0, x64_at(RAX, FUNC_FIELD(jit_tag)),
		(int32_t)tag);
	return x64_jcc(&e->a, CC_NE);
}

uint32_t jit_other_instance(struct jit_emit *e)
{
	uint32_t tag = wasm_jit_tag(e->f->inst, 0);
	if (!tag)
		return x64_jmp(&e->a);
	x64_rm(&e->a, X_MOV, 0, SCRATCH, x64_at(RAX, FUNC_FIELD(jit_tag)));
	x64_alu_ri(&e->a, ALU_XOR, 0, SCRATCH, (int32_t)tag);
	x64_shift_ri(&e->a, 5, 0, SCRATCH, WASM_JIT_TAG_SHIFT);
	return x64_jcc(&e->a, CC_NE);
}

/* The callee is in rax: goes there unless the jump at `other` was taken. */
static void call_found(struct jit_emit *e, const struct jit_ins *i,
	uint32_t other, uint32_t canon)
{
	x64_rm(&e->a, X_GROUP5, 0, 2, x64_at(RAX, FUNC_FIELD(jit_entry)));
	uint32_t site = jit_site(e);
	struct jit_far *s = jit_far_away(e, SLOW_SIGNATURE, other, e->n);
	if (s) {
		s->back = e->a.len;
		s->imm = canon;
		s->site = site;
	}
	result(e, i);
}

static void call_indirect(struct jit_emit *e, const struct jit_ins *i)
{
	jit_emit_args(e, i, &e->f->m->types[i->aux], i->a, 0);
	jit_find_callee(e, i);
	call_found(e, i, jit_other_type(e, i),
		e->f->inst->canon[(uint32_t)i->imm]);
}

/* Validation saw to the type. */
static void call_ref(struct jit_emit *e, const struct jit_ins *i)
{
	jit_emit_args(e, i, &e->f->m->types[i->aux], i->a, 0);
	x64_rr(&e->a, X_TEST, X64_W, RAX, RAX);
	jit_trap_if(e, CC_E, WASM_TRAP_NULL_FUNC);
	call_found(e, i, jit_other_instance(e), UINT32_MAX);
}

void jit_emit_signature_far(struct jit_emit *e, const struct jit_far *s)
{
	x64_mov_ri(&e->a, R10, s->imm);
	jit_call_stub(e, e->j->indirect);
	jit_site_again(e, s->site);
	x64_patch(&e->a, x64_jmp(&e->a), s->back);
}

/* Operands to the lowest part of the frame; the words to rax. */
static void step_args(struct jit_emit *e, const struct jit_ins *i)
{
	const uint32_t *args = e->f->args + i->b;
	for (uint32_t k = 0; k < i->c; k++)
		if (args[k])
			jit_put_slot(e, args[k],
				x64_at(RSP, args[i->c + k] * 8ll));
	x64_mov_ri(&e->a, RAX, i->imm);
}

static void step(struct jit_emit *e, const struct jit_ins *i)
{
	step_args(e, i);
	jit_call_stub(e, e->j->step);
	jit_site(e);
	if (i->type == JT_NONE)
		return;
	uint32_t d = jit_def(e);
	struct x64_mem from = x64_at(RSP, 0);
	if (d < XMM0)
		x64_rm(&e->a, X_MOV, X64_W, d, from);
	else
		x64_rm(&e->a, i->type == JT_V128 ? X_MOVUPS : X_MOVSD, 0,
			d - XMM0, from);
}

static void throw(struct jit_emit * e, const struct jit_ins *i)
{
	step_args(e, i);
	jit_call_stub(e, e->j->throw);
	jit_site(e);
}

static void throw_ref(struct jit_emit *e, const struct jit_ins *i)
{
	jit_mov(e, RAX, i->a, true);
	jit_call_stub(e, e->j->throw_ref);
	jit_site(e);
}

static struct x64_mem result_slot(uint32_t k)
{
	return x64_at(REG_EXEC, JIT_FIELD(jit.results) + k * 16);
}

static void more_result(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t d = jit_def(e);
	if (d < XMM0)
		x64_rm(&e->a, X_MOV, X64_W, d, result_slot((uint32_t)i->imm));
	else
		x64_rm(&e->a, i->type == JT_V128 ? X_MOVUPS : X_MOVSD, 0,
			d - XMM0, result_slot((uint32_t)i->imm));
}

void jit_emit_return(struct jit_emit *e, const struct jit_ins *i)
{
	for (uint32_t k = 1; k < i->c; k++)
		jit_put_slot(e, e->f->args[i->b + k], result_slot(k));
	if (i->c) {
		uint32_t type = jit_arg_type(e->f, i, 0);
		struct jit_move m = to_register(e, e->f->args[i->b],
			jit_is_float(type) ? XMM0 : RAX, type);
		jit_move_one(e, &m);
	}
	if (e->f->frame)
		x64_alu_ri(&e->a, ALU_ADD, X64_W, RSP, (int32_t)e->f->frame);
	x64_ret(&e->a);
}

/* Parameters that came on the stack. */
static void stack_param(struct jit_emit *e, uint32_t v, uint32_t offset)
{
	const struct jit_ins *i = jit_ins_of(e, v);
	uint32_t d = jit_place(e, v);
	struct x64_mem from = x64_at(RSP, (int64_t)e->f->frame + 8 + offset);
	bool vector = i->type == JT_V128;
	if (d < XMM0) {
		x64_rm(&e->a, X_MOV, X64_W, d, from);
		return;
	}
	uint32_t x = d == LOC_STACK ? 15 : d - XMM0;
	x64_rm(&e->a, vector ? X_MOVUPS : X_MOVSD, 0, x, from);
	if (d == LOC_STACK)
		x64_rm(&e->a, vector ? X_MOVUPS_STORE : X_MOVSD_STORE, 0, 15,
			jit_slot(e, v));
}

static void params(struct jit_emit *e)
{
	struct jit_fn *f = e->f;
	struct jit_move moves[MAX_REG_ARGS];
	const uint32_t *types = f->m->pool + f->type->first;
	for (int pass = 0; pass < 2; pass++) {
		struct jit_abi abi = { 0 };
		uint32_t n = 0, offset = 0, next = 0;
		for (uint32_t v = f->blocks[0].first; v; v = f->ins[v].next) {
			const struct jit_ins *i = jit_ins_of(e, v);
			if (i->op != J_PARAM)
				continue;
			uint32_t from = LOC_NONE;
			for (; next <= i->imm; next++)
				from = jit_abi_next(&abi, types[next], &offset);
			if (!i->ival)
				continue;
			if (from == LOC_STACK && pass)
				stack_param(e, v, offset);
			else if (from != LOC_STACK && !pass)
				moves[n++] = (struct jit_move){ .v = v,
					.to_v = v,
					.from = (uint8_t)from,
					.to = (uint8_t)jit_place(e, v),
					.type = i->type };
		}
		jit_move_all(e, moves, n);
	}
}

enum { SMALL_FRAME = 4096 };

void jit_emit_entry(struct jit_emit *e)
{
	uint32_t frame = e->f->frame;
	struct x64_mem limit = x64_at(REG_EXEC, JIT_FIELD(jit.limit));
	if (frame <= SMALL_FRAME) {
		x64_rm(&e->a, X_CMP, X64_W, RSP, limit);
	} else {
		x64_rm(&e->a, X_LEA, X64_W, SCRATCH,
			x64_at(RSP, -(int64_t)frame));
		x64_rm(&e->a, X_CMP, X64_W, SCRATCH, limit);
	}
	jit_far_away(e, SLOW_STACK, x64_jcc(&e->a, CC_B), 0);
	if (frame)
		x64_alu_ri(&e->a, ALU_SUB, X64_W, RSP, (int32_t)frame);
	x64_alu_ri(&e->a, ALU_SUB, X64_W, REG_BUDGET, 1);
	struct jit_far *s =
		jit_far_away(e, SLOW_ENTRY, x64_jcc(&e->a, CC_L), 0);
	if (s)
		s->back = e->a.len;
	e->pos = e->f->blocks[0].from;
	params(e);
}

bool jit_emit_call(struct jit_emit *e, const struct jit_ins *i)
{
	switch (i->op) {
	case J_CALL:
		call(e, i);
		return true;
	case J_CALL_INDIRECT:
		call_indirect(e, i);
		return true;
	case J_CALL_REF:
		call_ref(e, i);
		return true;
	case J_STEP:
		step(e, i);
		return true;
	case J_RESULT:
		more_result(e, i);
		return true;
	case J_TAIL:
		jit_emit_tail(e, i);
		return true;
	case J_THROW:
		throw(e, i);
		return true;
	case J_THROW_REF:
		throw_ref(e, i);
		return true;
	default:
		return false;
	}
}
