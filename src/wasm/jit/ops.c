/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interpreter's calls when functions may be compiled, and the way back
 * into compiled code.
 */
#include "wasm/jit/jit_priv.h"

const union wasm_word wasm_resume_code[1] = { { .op = OP_resume } };

/* An interpreted function returns to compiled code. */
OP(resume)
{
	x->fp = fp;
	bool go_on = wasm_jit_resume(x);
	ip = x->ip;
	fp = x->fp;
	if (!go_on)
		GOTO(halt);
	RELOAD();
	GO();
}

/* Compiled code goes on after a pause. */
OP(again)
{
	x->fp = fp;
	bool go_on = wasm_jit_again(x);
	ip = x->ip;
	fp = x->fp;
	if (!go_on)
		GOTO(halt);
	RELOAD();
	GO();
}

static void push(struct wasm_exec *x, const union wasm_word *ip, uint64_t *fp)
{
	x->frame->ip = ip;
	x->frame->fp = fp;
	x->frame++;
}

static WASM_OP_FUNC void run(WASM_ARGS, struct wasm_func *f, uint64_t *args)
{
	if (!wasm_jit_call(x, f, args)) {
		ip = x->ip;
		fp = x->fp;
		GOTO(halt);
	}
	ip = x->ip;
	fp = x->fp;
	RELOAD();
	GO();
}

/* x->callee, its arguments from register a on; then x->skip words on. */
static WASM_OP_FUNC void call_any(WASM_ARGS)
{
	struct wasm_func *f = x->callee;
	if (f->jit_state == JIT_NEVER || !wasm_jit_ready(x, f))
		GOTO(call_any);
	if (UNLIKELY(x->frame >= x->frames_end)) {
		x->need = ip->a;
		GOTO(make_room);
	}
	push(x, ip + x->skip, fp);
	if (f->inst != x->inst) {
		push(x, wasm_cross_code, (uint64_t *)(void *)x->inst);
		wasm_exec_enter(x, f->inst);
	}
	run(ip, fp, mem, mlen, x, ops, f, fp + ip->a);
}

/* x->callee; x->skip slots of arguments. */
static WASM_OP_FUNC void tail_any(WASM_ARGS)
{
	struct wasm_func *f = x->callee;
	if (f->jit_state == JIT_NEVER || !wasm_jit_ready(x, f))
		GOTO(tail_any);
	if (UNLIKELY(x->frame >= x->frames_end)) {
		x->need = ip->a;
		GOTO(make_room);
	}
	if (f->inst != x->inst) {
		if (x->frame[-1].ip != wasm_cross_code)
			push(x, wasm_cross_code, (uint64_t *)(void *)x->inst);
		wasm_exec_enter(x, f->inst);
	}
	for (uint32_t i = 0; i < x->skip; i++)
		fp[i] = fp[ip->a + i];
	run(ip, fp, mem, mlen, x, ops, f, fp);
}

static struct wasm_func *own(struct wasm_exec *x, const union wasm_word *ip)
{
	return wasm_func_of(x->inst, ip[ip->rel + 1].high);
}

static WASM_OP_FUNC void jit_call(WASM_ARGS)
{
	x->callee = own(x, ip);
	x->skip = 1;
	call_any(ip, fp, mem, mlen, x, ops);
}

static WASM_OP_FUNC void jit_call_import(WASM_ARGS)
{
	x->callee = x->inst->imported[ip->high];
	x->skip = 1;
	call_any(ip, fp, mem, mlen, x, ops);
}

static WASM_OP_FUNC void jit_call_callee(WASM_ARGS)
{
	x->skip = 1;
	call_any(ip, fp, mem, mlen, x, ops);
}

/* The callee of an indirect call, or the trap that there is instead. */
static struct wasm_func *look_up(struct wasm_exec *x, const union wasm_word *ip,
	uint64_t i, enum wasm_trap *trap)
{
	const struct wasm_table *t = x->inst->tables[ip[1].high];
	*trap = WASM_TRAP_ELEMENT;
	if (i >= t->range.min)
		return NULL;
	struct wasm_func *f = wasm_ref_func(t->elems[i]);
	*trap = WASM_TRAP_UNINITIALIZED;
	if (!f)
		return NULL;
	uint32_t want = x->inst->canon[ip[1].low];
	*trap = WASM_TRAP_SIGNATURE;
	if (f->sig != want &&
		!wasm_registry_sub(&x->store->registry, f->sig, want))
		return NULL;
	return f;
}

static WASM_OP_FUNC void jit_call_indirect(WASM_ARGS)
{
	x->callee = look_up(x, ip, fp[ip->b], &x->trap);
	if (!x->callee)
		GOTO(stop);
	x->skip = 2;
	call_any(ip, fp, mem, mlen, x, ops);
}

static WASM_OP_FUNC void jit_call_ref(WASM_ARGS)
{
	x->callee = wasm_ref_func(fp[ip->b]);
	if (!x->callee)
		TRAP(NULL_FUNC);
	x->skip = 2;
	call_any(ip, fp, mem, mlen, x, ops);
}

static WASM_OP_FUNC void jit_tail_call(WASM_ARGS)
{
	x->callee = own(x, ip);
	x->skip = ip[1].low;
	tail_any(ip, fp, mem, mlen, x, ops);
}

static WASM_OP_FUNC void jit_tail_import(WASM_ARGS)
{
	x->callee = x->inst->imported[ip->high];
	x->skip = ip[1].low;
	tail_any(ip, fp, mem, mlen, x, ops);
}

static WASM_OP_FUNC void jit_tail_indirect(WASM_ARGS)
{
	x->callee = look_up(x, ip, fp[ip->b], &x->trap);
	if (!x->callee)
		GOTO(stop);
	x->skip = ip->c;
	tail_any(ip, fp, mem, mlen, x, ops);
}

static WASM_OP_FUNC void jit_tail_ref(WASM_ARGS)
{
	x->callee = wasm_ref_func(fp[ip->b]);
	if (!x->callee)
		TRAP(NULL_FUNC);
	x->skip = ip->c;
	tail_any(ip, fp, mem, mlen, x, ops);
}

void wasm_jit_replace_ops(struct wasm_op_entry *ops)
{
	ops[OP_call].run = jit_call;
	ops[OP_call_import].run = jit_call_import;
	ops[OP_call_callee].run = jit_call_callee;
	ops[OP_call_indirect].run = jit_call_indirect;
	ops[OP_call_ref].run = jit_call_ref;
	ops[OP_tail_call].run = jit_tail_call;
	ops[OP_tail_import].run = jit_tail_import;
	ops[OP_tail_indirect].run = jit_tail_indirect;
	ops[OP_tail_ref].run = jit_tail_ref;
}
