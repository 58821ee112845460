/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions: made, and taken to whoever handles them. */
#include "wasm/interp/exec_priv.h"
#include "wasm/jit/jit_priv.h"
#include "wasm/object_priv.h"

/* Where the search has come to; the machine changes when it has succeeded. */
struct search {
	const struct wasm_instance *inst;
	const union wasm_word *ip;
	uint64_t *fp;
	struct wasm_frame *frame;
	uint32_t stays; /* in compiled code that end */
};

/* The first entry of the table at or after a word of code. */
static uint32_t first_handler(const struct wasm_module *m, uint32_t word)
{
	uint32_t low = 0, high = m->handler_count;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (m->handlers[mid].at < word)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

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
	for (uint32_t i = first_handler(m, m->entries[f]);
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

static const struct wasm_handler *find_handler(struct search *s,
	const struct wasm_exec *x, const struct wasm_tag *tag)
{
	for (;;) {
		const struct wasm_handler *h = find_here(s, tag);
		if (h)
			return h;
		do {
			if (s->frame == x->frames)
				return NULL;
			s->frame--;
			if (s->frame->ip == wasm_resume_code)
				s->stays++;
			if (s->frame->ip == wasm_cross_code)
				s->inst = (const struct wasm_instance
						*)(const void *)s->frame->fp;
		} while (s->frame->ip == wasm_cross_code);
		s->ip = s->frame->ip - 1;
		s->fp = s->frame->fp;
		if (!s->inst)
			return NULL;
	}
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

/* x->exception, thrown at ip. */
OP(unwind)
{
	struct wasm_object *o = wasm_ref_object(x->exception);
	const struct wasm_tag *tag =
		(const struct wasm_tag *)(uintptr_t)o->data[0];
	struct search s = { x->inst, ip, fp, x->frame, 0 };
	const struct wasm_handler *h = find_handler(&s, x, tag);
	x->exception = 0;
	if (!h)
		TRAP(EXCEPTION);
	hand_over(h, s.fp, o, tag->slots);
	if (s.inst != x->inst)
		wasm_exec_enter(x, (struct wasm_instance *)(uintptr_t)s.inst);
	RELOAD();
	while (s.stays--)
		wasm_jit_drop_stay(x);
	x->frame = s.frame;
	fp = s.fp;
	ip = s.inst->module->code + h->at;
	if (UNLIKELY(--x->budget < 0))
		GOTO(refill);
	GO();
}

/* a: where the values are; high: the tag */
OP(throw)
{
	const struct wasm_tag *tag = x->inst->tags[ip->high];
	x->ip = ip;
	x->fp = fp;
	struct wasm_object *o = wasm_object_new(x, OBJECT_EXCEPTION, 0,
		(tag->slots + 1ull) * sizeof(uint64_t));
	if (!o)
		TRAP(LIMIT);
	o->refs = tag->refs;
	o->count = tag->ref_count;
	o->data[0] = (uint64_t)(uintptr_t)tag;
	for (uint32_t i = 0; i < tag->slots; i++)
		o->data[1 + i] = fp[ip->a + i];
	x->exception = (uint64_t)(uintptr_t)o;
	GOTO(unwind);
}

OP(throw_ref)
{
	if (!fp[ip->a])
		TRAP(NULL_EXCEPTION);
	x->exception = fp[ip->a];
	GOTO(unwind);
}
