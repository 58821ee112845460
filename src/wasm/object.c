/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/object_priv.h"

#include "wasm/interp/exec_priv.h"

enum { FIRST_COLLECTION = 1 << 20, MAX_OBJECT = 1 << 30 };

/* --- which numbers are addresses of objects --------------------------------
 */

struct table {
	struct wasm_object **slots;
	size_t mask;
};

static size_t hash(const struct wasm_object *o)
{
	uint64_t v = (uint64_t)(uintptr_t)o >> 4;
	return (size_t)(v * 0x9e3779b97f4a7c15u >> 20);
}

static bool table_init(struct table *t, struct wasm_store *s)
{
	size_t n = 64;
	while (n < s->object_count * 2)
		n *= 2;
	t->slots = wasm_heap_new(&s->heap, n, sizeof(void *));
	t->mask = n - 1;
	if (!t->slots)
		return false;
	for (struct wasm_object *o = s->objects; o; o = o->next) {
		size_t i = hash(o) & t->mask;
		while (t->slots[i])
			i = (i + 1) & t->mask;
		t->slots[i] = o;
	}
	return true;
}

static struct wasm_object *table_find(const struct table *t, uint64_t v)
{
	struct wasm_object *o = wasm_ref_object(v);
	if (!v || v & 7)
		return NULL;
	size_t i = hash(o) & t->mask;
	while (t->slots[i] && t->slots[i] != o)
		i = (i + 1) & t->mask;
	return t->slots[i];
}

/* --- marking -----------------------------------------------------------------
 */

struct marker {
	struct table table;
	struct wasm_object *gray;
};

static void mark(struct marker *m, uint64_t v)
{
	struct wasm_object *o = table_find(&m->table, v);
	if (!o || o->marked)
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

/* The slots of the frame that is running end where its function says. */
static const uint64_t *stack_top(const struct wasm_exec *x)
{
	const struct wasm_module *m = x->inst->module;
	uint32_t f;
	if (!wasm_func_at(m, x->ip, &f))
		return x->stack_end;
	const union wasm_word *h = m->code + m->entries[f - m->func_imports];
	return x->fp + h->op < x->stack_end ? x->fp + h->op : x->stack_end;
}

static void mark_instance(struct marker *m, const struct wasm_instance *i)
{
	const struct wasm_module *w = i->module;
	for (uint32_t n = 0; n < w->global_count - w->global_imports; n++)
		if (t_is_ref(i->own_globals[n].type))
			mark(m, i->own_globals[n].v[0]);
	for (uint32_t n = 0; n < w->elem_count; n++)
		mark_all(m, i->elem_refs[n], w->elems[n].count);
}

static void mark_roots(struct marker *m, struct wasm_exec *x)
{
	const struct wasm_store *s = x->store;
	for (const struct wasm_instance *i = s->instances; i; i = i->next)
		mark_instance(m, i);
	for (const struct wasm_table *t = s->tables; t; t = t->next)
		mark_all(m, t->elems, t->range.min);
	for (const struct wasm_global *g = s->globals; g; g = g->next)
		if (t_is_ref(g->type))
			mark(m, g->v[0]);
	mark_all(m, x->stack, (uint64_t)(stack_top(x) - x->stack));
	mark(m, x->exception);
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
		s->object_count--;
		s->object_bytes -= sizeof *o + o->bytes;
		wasm_heap_free(&s->heap, o, 1, sizeof *o + o->bytes);
	}
}

static void collect(struct wasm_exec *x)
{
	struct wasm_store *s = x->store;
	struct marker m = { 0 };
	if (!table_init(&m.table, s))
		return;
	mark_roots(&m, x);
	while (m.gray) {
		struct wasm_object *o = m.gray;
		m.gray = o->gray;
		if (!o->numbers)
			mark_all(&m, o->data, o->bytes / sizeof(uint64_t));
	}
	wasm_heap_free(&s->heap, m.table.slots, m.table.mask + 1,
		sizeof(void *));
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
	if (s->object_bytes + all > s->next_collection)
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
	s->object_count++;
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
