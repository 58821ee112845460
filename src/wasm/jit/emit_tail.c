/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tail calls: the frame goes before the callee comes.  Arguments that are not
 * passed in registers go to where the caller's own came; when they find no
 * room there, or the callee is not compiled code of the instance, the runtime
 * does it (JIT_TAILS).
 */
#include "wasm/jit/emit_priv.h"

static void drop_frame(struct jit_emit *e)
{
	if (e->f->frame)
		x64_alu_ri(&e->a, ALU_ADD, X64_W, RSP, (int32_t)e->f->frame);
}

/* Leaves to the runtime with the callee in rax and the frame in place. */
static void leave(struct jit_emit *e)
{
	jit_call_stub(e, e->j->tail);
}

static bool is_near(const struct jit_emit *e, const struct wasm_func *to)
{
	return to == e->f->func ||
		(to->inst == e->f->inst &&
			(to->jit_state == JIT_DONE || to->jit_thunk ||
				to->jit_state == JIT_NEW));
}

static void known(struct jit_emit *e, struct wasm_func *to, bool fits)
{
	if (fits && is_near(e, to)) {
		drop_frame(e);
		jit_go_code(e, to, x64_jmp(&e->a));
		return;
	}
	x64_mov_ri(&e->a, RAX, (uint64_t)(uintptr_t)to);
	leave(e);
}

/* The callee in rax is compiled code of this instance, or the stub that stands
 * for it. */
static void unknown(struct jit_emit *e, const struct jit_ins *i, bool fits)
{
	uint32_t at[2] = { 0 };
	if (i->cc == TAIL_INDIRECT) {
		jit_find_callee(e, i);
		at[0] = jit_other_type(e, i);
	} else {
		x64_rr(&e->a, X_TEST, X64_W, RAX, RAX);
		jit_trap_if(e, CC_E, WASM_TRAP_NULL_FUNC);
		at[0] = jit_other_instance(e);
	}
	if (fits) {
		x64_rm(&e->a, X_MOV, X64_W, SCRATCH,
			x64_at(RAX, FUNC_FIELD(jit_entry)));
		drop_frame(e);
		x64_rr(&e->a, X_GROUP5, 0, 4, SCRATCH);
	} else {
		leave(e);
	}
	if (!at[0])
		return;
	struct jit_far *s = jit_far_away(e, SLOW_TAIL, at[0], e->n);
	if (s)
		s->imm = i->cc == TAIL_INDIRECT ?
			e->f->inst->canon[(uint32_t)i->imm] :
			UINT32_MAX;
}

void jit_emit_tail_far(struct jit_emit *e, const struct jit_far *s)
{
	x64_mov_ri(&e->a, R10, s->imm);
	jit_call_stub(e, e->j->tail_typed);
}

void jit_emit_tail(struct jit_emit *e, const struct jit_ins *i)
{
	const struct wasm_typedef *t = &e->f->m->types[i->aux];
	bool fits = jit_tail_fits(e->f->m, e->f->type, t);
	int64_t where = fits ? (int64_t)e->f->frame + 8 : 0;
	jit_emit_args(e, i, t, i->cc == TAIL_CALL ? 0 : i->a, where);
	if (i->cc == TAIL_CALL)
		known(e, (struct wasm_func *)(uintptr_t)i->imm, fits);
	else
		unknown(e, i, fits);
}

bool jit_tail_fits(const struct wasm_module *m,
	const struct wasm_typedef *caller, const struct wasm_typedef *callee)
{
	return jit_stack_args(m, callee) <= jit_stack_args(m, caller);
}
