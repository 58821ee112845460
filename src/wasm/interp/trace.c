/* SPDX-License-Identifier: Apache-2.0 */
/* Programs step by step, for developers. */
#include "wasm/interp/exec_priv.h"

static bool calls(uint32_t op)
{
	switch (op) {
	case OP_call:
	case OP_call_import:
	case OP_call_indirect:
	case OP_call_callee:
	case OP_call_ref:
	case OP_tail_call:
	case OP_tail_import:
	case OP_tail_indirect:
	case OP_tail_ref:
		return true;
	default:
		return false;
	}
}

static void look(struct wasm_exec *x, const union wasm_word *ip,
	const uint64_t *fp)
{
	struct wasm_trace *t = x->trace;
	struct wasm_step s = { 0 };
	bool called = t->called;
	t->called = calls(ip->op);
	if (!x->inst || !wasm_func_at(x->inst->module, ip, &s.func))
		return;
	const struct wasm_module *m = x->inst->module;
	const union wasm_word *h =
		m->code + m->entries[s.func - m->func_imports];
	/* A call of the embedder's function comes back at once. */
	s.enters = called && ip == h + WASM_HEADER_WORDS;
	s.leaves = ip->op == OP_ret || ip->op == OP_ret1 || ip->op == OP_ret2 ||
		ip->op == OP_retn;
	s.module = m;
	s.depth = (uint32_t)(x->frame - x->frames);
	s.word = (uint32_t)(ip - m->code);
	s.slots = fp;
	s.slot_count = h->op;
	t->step(t->ctx, &s);
}

OP(traced)
{
	const struct wasm_op_entry *real = x->trace->real;
	look(x, ip, fp);
	real[ip->op].run(ip, fp, mem, mlen, x, ops);
}

bool wasm_instance_trace(struct wasm_instance *i,
	void (*step)(void *ctx, const struct wasm_step *s), void *ctx,
	struct err *e)
{
	struct wasm_exec *x = i->store->exec;
	if (!x->trace)
		x->trace = wasm_heap_new(&i->store->heap, 1, sizeof *x->trace);
	if (!x->trace)
		return err_fail(e, ERR_LIMIT, "out of memory for a trace");
	x->trace->step = step;
	x->trace->ctx = ctx;
	for (uint32_t n = 0; n < WASM_OP_COUNT; n++)
		x->trace->ops[n].run = wasm_op_traced;
	return true;
}
