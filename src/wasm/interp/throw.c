/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions: made, and taken to whoever handles them. */
#include "wasm/interp/exec_priv.h"
#include "wasm/jit/jit_priv.h"
#include "wasm/object_priv.h"

/* Where the search has come to; the machine changes when it has succeeded. */
struct search {
	const struct wasm_instance *inst;
	const union wasm_word *ip; /* NULL: in compiled code */
	uint64_t *fp;
	struct wasm_frame *frame;
	struct jit_walk walk;
	uint32_t stays; /* in compiled code that end */
	struct jit_target compiled;
};

/* The handler for an exception at s->ip within that one frame. */
static const struct wasm_handler *find_here(const struct search *s,
	const struct wasm_tag *tag)
{
	const struct wasm_module *m = s->inst->module;
	uint32_t f, depth = UINT32_MAX;
	if (!m->handler_count || !wasm_func_at(m, s->ip, &f))
		return NULL;
	f -= m->func_imports;
	uint32_t word = (uint32_t)(s->ip - m->code);
	uint32_t end = f + 1 < m->func_count - m->func_imports ?
		m->entries[f + 1] :
		UINT32_MAX;
	for (uint32_t i = wasm_first_handler(m, m->entries[f]);
		i < m->handler_count && m->handlers[i].at < end; i++) {
		const struct wasm_handler *h = &m->handlers[i];
		if (word < h->from || word >= h->to || h->depth > depth)
			continue;
		if (h->kind == HANDLE_DELEGATE)
			depth = h->tag;
		else if (h->kind == HANDLE_ALL || s->inst->tags[h->tag] == tag)
			return h;
	}
	return NULL;
}

/* One frame outwards; false: there is none. */
static bool step_out(struct search *s, const struct wasm_exec *x)
{
	do {
		if (s->frame == x->frames)
			return false;
		s->frame--;
		if (s->frame->ip == wasm_cross_code)
			s->inst = (const struct wasm_instance *)(const void *)
					  s->frame->fp;
	} while (s->frame->ip == wasm_cross_code);
	s->ip = s->frame->ip == wasm_resume_code ? NULL : s->frame->ip - 1;
	s->fp = s->frame->fp;
	return s->inst != NULL;
}

/* Finds who handles the exception: *h, or NULL for compiled code. */
static bool find_handler(struct search *s, const struct wasm_exec *x,
	const struct wasm_tag *tag, const struct wasm_handler **h)
{
	do {
		*h = s->ip ? find_here(s, tag) : NULL;
		if (*h)
			return true;
		if (s->ip)
			continue;
		if (wasm_jit_find_landing(x, &s->walk, tag, &s->compiled))
			return true;
		s->stays++;
	} while (step_out(s, x));
	return false;
}

/* Puts the values of the exception where the handler wants them. */
static void hand_over(const struct wasm_handler *h, uint64_t *fp,
	const struct wasm_object *o, uint32_t slots)
{
	uint64_t *to = fp + h->slot;
	uint32_t n = h->kind == HANDLE_TAG ? slots : 0;
	for (uint32_t i = 0; i < n; i++)
		to[i] = o->data[1 + i];
	if (h->keep == KEEP_BEFORE)
		to[-1] = (uint64_t)(uintptr_t)o;
	else if (h->keep == KEEP_AFTER)
		to[n] = (uint64_t)(uintptr_t)o;
}

bool wasm_exec_unwind(struct wasm_exec *x, const union wasm_word *ip,
	uint64_t *fp, struct wasm_landing *l)
{
	struct wasm_object *o = wasm_ref_object(x->exception);
	const struct wasm_tag *tag =
		(const struct wasm_tag *)(uintptr_t)o->data[0];
	struct search s = { .inst = x->inst,
		.ip = ip,
		.fp = fp,
		.frame = x->frame,
		.walk = wasm_jit_walk(x) };
	const struct wasm_handler *h = NULL;
	bool found = find_handler(&s, x, tag, &h);
	x->exception = 0;
	if (!found)
		return false;
	if (h)
		hand_over(h, s.fp, o, tag->slots);
	else
		s.inst = s.compiled.inst;
	if (s.inst != x->inst)
		wasm_exec_enter(x, (struct wasm_instance *)(uintptr_t)s.inst);
	while (s.stays--)
		wasm_jit_drop_stay(x);
	if (!h) {
		x->jit.rsp = (uint64_t)(uintptr_t)s.compiled.sp;
		x->jit.caught = (uint64_t)(uintptr_t)o;
	}
	x->frame = s.frame;
	*l = (struct wasm_landing){ h ? s.inst->module->code + h->at : NULL,
		s.fp, s.compiled };
	return true;
}

enum outcome { NOBODY, GO_ON, STOP };

/* x->exception, thrown at ip.  Not within the operation: what has an address
 * would stay on the host's stack. */
static __attribute__((noinline)) enum outcome unwind(struct wasm_exec *x,
	const union wasm_word *ip, uint64_t *fp)
{
	struct wasm_landing l;
	if (!wasm_exec_unwind(x, ip, fp, &l))
		return NOBODY;
	x->budget--;
	x->ip = l.ip;
	x->fp = l.fp;
	if (l.ip)
		return GO_ON;
	if (x->budget < 0 && !wasm_exec_pay(x, 0))
		return STOP;
	return wasm_jit_land(x, &l.compiled) ? GO_ON : STOP;
}

OP(unwind)
{
	enum outcome o = unwind(x, ip, fp);
	if (o == NOBODY)
		TRAP(EXCEPTION);
	ip = x->ip;
	fp = x->fp;
	RELOAD();
	if (o == STOP)
		GOTO(halt);
	if (UNLIKELY(x->budget < 0))
		GOTO(refill);
	GO();
}

bool wasm_exec_throw(struct wasm_exec *x, const struct wasm_tag *tag,
	const uint64_t *values)
{
	struct wasm_object *o = wasm_object_new(x, OBJECT_EXCEPTION, 0,
		(tag->slots + 1ull) * sizeof(uint64_t));
	x->trap = WASM_TRAP_LIMIT;
	if (!o)
		return false;
	o->refs = tag->refs;
	o->count = tag->ref_count;
	o->data[0] = (uint64_t)(uintptr_t)tag;
	for (uint32_t i = 0; i < tag->slots; i++)
		o->data[1 + i] = values[i];
	x->exception = (uint64_t)(uintptr_t)o;
	return true;
}

/* a: where the values are; high: the tag */
OP(throw)
{
	x->ip = ip;
	x->fp = fp;
	if (!wasm_exec_throw(x, x->inst->tags[ip->high], fp + ip->a))
		GOTO(stop);
	GOTO(unwind);
}

OP(throw_ref)
{
	if (!fp[ip->a])
		TRAP(NULL_EXCEPTION);
	x->exception = fp[ip->a];
	GOTO(unwind);
}
