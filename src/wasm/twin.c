/* SPDX-License-Identifier: Apache-2.0 */
/* A thread's own copy of what an instance holds. */
#include <stdlib.h>

#include "base/must.h"
#include "wasm/interp/exec_priv.h"

static bool allocate(struct wasm_instance *t)
{
	const struct wasm_module *m = t->module;
	struct wasm_heap *h = &t->store->heap;
	t->memories = wasm_heap_new(h, m->memory_count, sizeof *t->memories);
	t->tables = wasm_heap_new(h, m->table_count, sizeof *t->tables);
	t->globals = wasm_heap_new(h, m->global_count, sizeof *t->globals);
	t->own_globals = wasm_heap_new(h, m->global_count - m->global_imports,
		sizeof *t->own_globals);
	t->elem_refs = wasm_heap_new(h, m->elem_count, sizeof *t->elem_refs);
	t->data_dropped = wasm_heap_new(h, m->data_count, 1);
	return t->memories && t->tables && t->globals && t->own_globals &&
		t->elem_refs && t->data_dropped;
}

static void same_imports(struct wasm_instance *t,
	const struct wasm_instance *of)
{
	const struct wasm_module *m = t->module;
	for (uint32_t n = 0; n < m->memory_imports; n++)
		t->memories[n] = of->memories[n];
	for (uint32_t n = 0; n < m->table_imports; n++)
		t->tables[n] = of->tables[n];
	for (uint32_t n = 0; n < m->global_imports; n++)
		t->globals[n] = of->globals[n];
}

struct wasm_instance *wasm_twin_new(struct wasm_instance *of,
	struct wasm_exec *x)
{
	struct wasm_store *s = of->store;
	struct err ignored;
	struct wasm_instance *t = wasm_heap_new(&s->heap, 1, sizeof *t);
	must(s->exec == x);
	if (!t)
		return NULL;
	*t = (struct wasm_instance){ .module = of->module,
		.store = s,
		.next = s->instances,
		.tags = of->tags,
		.imported = of->imported,
		.own = of->own,
		.canon = of->canon };
	s->instances = t;
	if (allocate(t)) {
		same_imports(t, of);
		if (wasm_instance_fill(t, &ignored) && wasm_instance_place(t))
			return t;
	}
	wasm_twin_free(t);
	return NULL;
}

#define UNLINK(list, o)                            \
	do {                                       \
		while (*(list) != (o))             \
			(list) = &(*(list))->next; \
		*(list) = (o)->next;               \
	} while (0)

static void free_memory(struct wasm_store *s, struct wasm_memory *m)
{
	struct wasm_memory **at = &s->memories;
	UNLINK(at, m);
	s->memory_bytes -= m->len;
	free(m->data);
	wasm_heap_free(&s->heap, m, 1, sizeof *m);
}

static void free_table(struct wasm_store *s, struct wasm_table *t)
{
	struct wasm_table **at = &s->tables;
	UNLINK(at, t);
	s->table_elems -= t->range.min;
	wasm_heap_free(&s->heap, t->elems, (size_t)t->range.min,
		sizeof *t->elems);
	wasm_heap_free(&s->heap, t, 1, sizeof *t);
}

static void free_own(struct wasm_instance *t)
{
	const struct wasm_module *m = t->module;
	for (uint32_t n = m->memory_imports; t->memories && n < m->memory_count;
		n++)
		if (t->memories[n])
			free_memory(t->store, t->memories[n]);
	for (uint32_t n = m->table_imports; t->tables && n < m->table_count;
		n++)
		if (t->tables[n])
			free_table(t->store, t->tables[n]);
	for (uint32_t n = 0; t->elem_refs && n < m->elem_count; n++)
		wasm_elem_drop(t, n);
}

void wasm_twin_free(struct wasm_instance *t)
{
	if (!t)
		return;
	const struct wasm_module *m = t->module;
	struct wasm_heap *h = &t->store->heap;
	struct wasm_instance **at = &t->store->instances;
	UNLINK(at, t);
	free_own(t);
	wasm_heap_free(h, t->memories, m->memory_count, sizeof *t->memories);
	wasm_heap_free(h, t->tables, m->table_count, sizeof *t->tables);
	wasm_heap_free(h, t->globals, m->global_count, sizeof *t->globals);
	wasm_heap_free(h, t->own_globals, m->global_count - m->global_imports,
		sizeof *t->own_globals);
	wasm_heap_free(h, t->elem_refs, m->elem_count, sizeof *t->elem_refs);
	wasm_heap_free(h, t->data_dropped, m->data_count, 1);
	wasm_heap_free(h, t, 1, sizeof *t);
}

#define EXCHANGE(a, b)                  \
	do {                            \
		__typeof__(a) t_ = (a); \
		(a) = (b);              \
		(b) = t_;               \
	} while (0)

void wasm_twin_exchange(struct wasm_instance *i, struct wasm_instance *twin)
{
	const struct wasm_module *m = i->module;
	for (uint32_t n = m->memory_imports; n < m->memory_count; n++) {
		struct wasm_memory *a = i->memories[n], *b = twin->memories[n];
		EXCHANGE(a->data, b->data);
		EXCHANGE(a->len, b->len);
		EXCHANGE(a->range, b->range);
	}
	for (uint32_t n = m->table_imports; n < m->table_count; n++) {
		struct wasm_table *a = i->tables[n], *b = twin->tables[n];
		EXCHANGE(a->elems, b->elems);
		EXCHANGE(a->range, b->range);
	}
	for (uint32_t n = m->global_imports; n < m->global_count; n++) {
		struct wasm_global *a = i->globals[n], *b = twin->globals[n];
		EXCHANGE(a->v[0], b->v[0]);
		EXCHANGE(a->v[1], b->v[1]);
	}
	EXCHANGE(i->elem_refs, twin->elem_refs);
	EXCHANGE(i->data_dropped, twin->data_dropped);
}
