/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/object_priv.h"

#include "wasm/interp/exec_priv.h"
#include "wasm/jit/jit_priv.h"

enum { FIRST_COLLECTION = 1 << 20, MAX_OBJECT = 1 << 30 };

/* --- marking -----------------------------------------------------------------
 */

struct marker {
	struct wasm_object *gray;
};

/* Whatever a reference that is followed may be: null, an i31, the embedder's
 * own, or an object. */
static void mark(struct marker *m, uint64_t v)
{
	struct wasm_object *o = wasm_ref_object(v);
	if (!v || v & 3 || o->marked)
		return;
	o->marked = true;
	o->gray = m->gray;
	m->gray = o;
}

static void mark_all(struct marker *m, const uint64_t *v, uint64_t n)
{
	for (uint64_t i = 0; v && i < n; i++)
		mark(m, v[i]);
}

static void mark_inside(struct marker *m, const struct wasm_object *o)
{
	if (o->kind == OBJECT_ARRAY) {
		mark_all(m, o->data, o->numbers ? 0 : o->count);
		return;
	}
	/* An exception's first slot is its tag. */
	const uint64_t *v = o->data + (o->kind == OBJECT_EXCEPTION);
	for (uint32_t i = 0; i < o->count; i++)
		mark(m, v[o->refs[i]]);
}

static void mark_instance(struct marker *m, const struct wasm_instance *i)
{
	const struct wasm_module *w = i->module;
	const struct wasm_registry *r = &i->store->registry;
	if (!i->own_globals || !i->elem_refs)
		return; /* it could not even be built */
	for (uint32_t n = 0; n < w->global_count - w->global_imports; n++)
		if (wasm_registry_collected(r, i->own_globals[n].type))
			mark(m, i->own_globals[n].v[0]);
	for (uint32_t n = 0; n < w->elem_count; n++)
		if (wasm_type_collected(w, w->elems[n].type))
			mark_all(m, i->elem_refs[n], w->elems[n].count);
}

/* The frame at fp, which is at that word of the instance's code. */
static void mark_frame(struct marker *m, const struct wasm_instance *i,
	const union wasm_word *at, const uint64_t *fp)
{
	const struct wasm_module *w = i->module;
	uintptr_t distance = (uintptr_t)at - (uintptr_t)w->code;
	uint64_t word = distance / sizeof *at;
	if (word >= w->code_count)
		return; /* not the instance's: where calls begin */
	uint32_t p = wasm_first_point(w, (uint32_t)word);
	if (p == w->point_count || w->points[p].at != word)
		return;
	for (uint32_t n = w->points[p].live; n; n = w->live[n].next)
		mark(m, fp[w->live[n].slot]);
}

static void mark_frames(struct marker *m, const struct wasm_exec *x)
{
	const struct wasm_instance *i = x->inst;
	mark_frame(m, i, x->ip, x->fp);
	for (const struct wasm_frame *f = x->frame; f-- > x->frames && i;) {
		if (f->ip == wasm_cross_code)
			i = (const struct wasm_instance *)(const void *)f->fp;
		else
			mark_frame(m, i, f->ip - 1, f->fp);
	}
}

static void found(void *ctx, uint64_t ref)
{
	mark(ctx, ref);
}

static void mark_machine(struct marker *m, const struct wasm_exec *x)
{
	mark_frames(m, x);
	wasm_jit_references(x, found, m);
	mark(m, x->exception);
}

static void mark_roots(struct marker *m, const struct wasm_exec *x)
{
	const struct wasm_store *s = x->store;
	for (const struct wasm_instance *i = s->instances; i; i = i->next)
		mark_instance(m, i);
	for (const struct wasm_table *t = s->tables; t; t = t->next)
		if (wasm_registry_collected(&s->registry, t->type))
			mark_all(m, t->elems, t->range.min);
	for (const struct wasm_global *g = s->globals; g; g = g->next)
		if (wasm_registry_collected(&s->registry, g->type))
			mark(m, g->v[0]);
	/* A new thread's machine is not in the ring yet. */
	mark_machine(m, x);
	const struct wasm_exec *y = s->threads.first;
	do {
		if (y != x)
			mark_machine(m, y);
		y = y->thread.next;
	} while (y != s->threads.first);
}

/* Where another thread pauses it is not known which of its slots refer to
 * objects; those that called are at a call, where it is. */
static bool holds(const struct wasm_exec *y)
{
	uint32_t f;
	if (y->inst && wasm_func_at(y->inst->module, y->ip, &f))
		return wasm_func_holds(y->inst->module, f);
	return wasm_jit_holds(y);
}

static bool can_collect(const struct wasm_exec *x)
{
	const struct wasm_exec *y = x->store->threads.first;
	do {
		if (y != x && holds(y))
			return false;
		y = y->thread.next;
	} while (y != x->store->threads.first);
	return true;
}

static void sweep(struct wasm_store *s)
{
	struct wasm_object **at = &s->objects;
	while (*at) {
		struct wasm_object *o = *at;
		if (o->marked) {
			o->marked = false;
			at = &o->next;
			continue;
		}
		*at = o->next;
		s->object_bytes -= sizeof *o + o->bytes;
		/* Who still looks at it shall notice. */
		if (s->limits.collect_always)
			memset(o->data, 0xdd, o->bytes);
		wasm_heap_free(&s->heap, o, 1, sizeof *o + o->bytes);
	}
}

static void collect(struct wasm_exec *x)
{
	struct wasm_store *s = x->store;
	struct marker m = { 0 };
	if (!can_collect(x))
		return;
	mark_roots(&m, x);
	while (m.gray) {
		struct wasm_object *o = m.gray;
		m.gray = o->gray;
		mark_inside(&m, o);
	}
	sweep(s);
	s->next_collection = s->object_bytes * 2;
	if (s->next_collection < FIRST_COLLECTION)
		s->next_collection = FIRST_COLLECTION;
}

struct wasm_object *wasm_object_new(struct wasm_exec *x,
	enum wasm_object_kind kind, uint32_t type, uint64_t bytes)
{
	struct wasm_store *s = x->store;
	if (bytes > MAX_OBJECT)
		return NULL;
	bytes = (bytes + 7) & ~(uint64_t)7;
	size_t all = sizeof(struct wasm_object) + (size_t)bytes;
	if (!s->next_collection)
		s->next_collection = FIRST_COLLECTION;
	if (s->object_bytes + all > s->next_collection ||
		s->limits.collect_always)
		collect(x);
	struct wasm_object *o = wasm_heap_new(&s->heap, 1, all);
	if (!o) {
		collect(x);
		o = wasm_heap_new(&s->heap, 1, all);
	}
	if (!o)
		return NULL;
	o->kind = (uint8_t)kind;
	o->type = type;
	o->bytes = (uint32_t)bytes;
	o->next = s->objects;
	s->objects = o;
	s->object_bytes += all;
	return o;
}

void wasm_objects_free(struct wasm_store *s)
{
	while (s->objects) {
		struct wasm_object *o = s->objects;
		s->objects = o->next;
		wasm_heap_free(&s->heap, o, 1, sizeof *o + o->bytes);
	}
}

static bool pointer_is(const struct wasm_exec *x, uint64_t ref, uint32_t heap,
	uint32_t top)
{
	uint32_t type = top == HEAP_FUNC ? wasm_ref_func(ref)->sig :
					   wasm_ref_object(ref)->type;
	if (heap < HEAP_ABS)
		return wasm_registry_sub(&x->store->registry, type,
			x->inst->canon[heap]);
	if (heap == top || top == HEAP_FUNC || top == HEAP_EXN)
		return heap == top;
	uint8_t kind = wasm_ref_object(ref)->kind;
	return heap == HEAP_EQ ||
		(heap == HEAP_STRUCT && kind == OBJECT_STRUCT) ||
		(heap == HEAP_ARRAY && kind == OBJECT_ARRAY);
}

bool wasm_ref_is(const struct wasm_exec *x, uint64_t ref, uint32_t heap,
	uint32_t top)
{
	if (top == HEAP_EXTERN)
		return heap == HEAP_EXTERN;
	if (ref & 1)
		return heap == HEAP_ANY || heap == HEAP_EQ || heap == HEAP_I31;
	if (ref & 2)
		return heap == HEAP_ANY;
	return pointer_is(x, ref, heap, top);
}
