/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of a store: memories, tables, globals, tags. */
#include <stdlib.h>

#include "wasm/interp/exec_priv.h"
#include "wasm/jit/jit_priv.h"
#include "wasm/object_priv.h"

enum { PAGE = 65536 };

static bool take_memory(struct wasm_store *s, uint64_t bytes)
{
	if (bytes > s->limits.memory_bytes - s->memory_bytes)
		return false;
	s->memory_bytes += bytes;
	return true;
}

struct wasm_memory *wasm_memory_make(struct wasm_store *s,
	const struct wasm_range *r)
{
	if (r->min > s->limits.memory_bytes / PAGE ||
		!take_memory(s, r->min * PAGE))
		return NULL;
	struct wasm_memory *m = wasm_heap_new(&s->heap, 1, sizeof *m);
	if (!m)
		return NULL;
	m->range = *r;
	m->store = s;
	m->next = s->memories;
	s->memories = m;
	m->len = r->min * PAGE;
	m->data = calloc(m->len ? (size_t)m->len : 1, 1);
	if (!m->data) {
		s->memory_bytes -= m->len;
		m->len = 0;
	}
	return m->data ? m : NULL;
}

uint64_t wasm_memory_extend(struct wasm_memory *m, uint64_t pages)
{
	struct wasm_store *s = m->store;
	uint64_t old = m->range.min, most = m->range.is64 ? 1ull << 48 : 65536;
	if (m->range.has_max && m->range.max < most)
		most = m->range.max;
	if (pages > most - old || pages > s->limits.memory_bytes / PAGE)
		return UINT64_MAX;
	if (!pages)
		return old;
	uint64_t more = pages * PAGE;
	if (!take_memory(s, more))
		return UINT64_MAX;
	uint8_t *p = realloc(m->data, (size_t)(m->len + more));
	if (!p) {
		s->memory_bytes -= more;
		return UINT64_MAX;
	}
	m->data = p;
	return old;
}

void wasm_memory_extended(struct wasm_memory *m, uint64_t pages, bool keep)
{
	if (keep) {
		m->len += pages * PAGE;
		m->range.min += pages;
	} else {
		m->store->memory_bytes -= pages * PAGE;
	}
}

struct wasm_table *wasm_table_make(struct wasm_store *s, uint32_t type,
	const struct wasm_range *r, uint64_t init)
{
	if (r->min > s->limits.table_elems - s->table_elems)
		return NULL;
	struct wasm_table *t = wasm_heap_new(&s->heap, 1, sizeof *t);
	if (!t)
		return NULL;
	t->range = *r;
	t->type = type;
	t->store = s;
	t->next = s->tables;
	s->tables = t;
	s->table_elems += r->min;
	t->elems = wasm_heap_new(&s->heap, (size_t)r->min, sizeof *t->elems);
	if (!t->elems)
		return NULL;
	for (uint64_t i = 0; init && i < r->min; i++)
		t->elems[i] = init;
	return t;
}

uint64_t wasm_table_enlarge(struct wasm_table *t, uint64_t n, uint64_t init)
{
	struct wasm_store *s = t->store;
	uint64_t old = t->range.min, most = UINT32_MAX;
	if (t->range.has_max && t->range.max < most)
		most = t->range.max;
	if (old > most || n > most - old ||
		n > s->limits.table_elems - s->table_elems)
		return UINT64_MAX;
	if (!n)
		return old;
	uint64_t *p = wasm_heap_resize(&s->heap, t->elems,
		(size_t)(old ? old : 1) * sizeof *p,
		(size_t)(old + n) * sizeof *p);
	if (!p)
		return UINT64_MAX;
	for (uint64_t i = old; i < old + n; i++)
		p[i] = init;
	t->elems = p;
	t->range.min += n;
	s->table_elems += n;
	return old;
}

struct wasm_global *wasm_global_make(struct wasm_store *s, uint32_t type,
	bool mutable, uint64_t v)
{
	struct wasm_global *g = wasm_heap_new(&s->heap, 1, sizeof *g);
	if (!g)
		return NULL;
	g->type = type;
	g->mutable = mutable;
	g->v[0] = v;
	g->next = s->globals;
	s->globals = g;
	return g;
}

struct wasm_tag *wasm_tag_make(struct wasm_store *s, uint32_t sig,
	uint32_t slots)
{
	struct wasm_tag *t = wasm_heap_new(&s->heap, 1, sizeof *t);
	if (!t)
		return NULL;
	t->sig = sig;
	t->slots = slots;
	t->next = s->tags;
	s->tags = t;
	return t;
}

bool wasm_segment_bounds(uint64_t at, uint64_t n, uint64_t len)
{
	return at <= len && n <= len - at;
}

struct wasm_store *wasm_store_make(const struct wasm_limits *l,
	size_t heap_limit)
{
	struct wasm_store *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->limits = l ? *l : (struct wasm_limits){ 0 };
	wasm_limits_fill(&s->limits);
	s->heap.limit = heap_limit;
	s->heap.used = sizeof *s;
	s->registry.heap = &s->heap;
	s->work.fuel = UINT64_MAX;
	enum wasm_engine engine = s->limits.engine;
	bool jit = engine != WASM_ENGINE_INTERP && wasm_jit_new(s);
	s->exec = wasm_exec_new(s, s->limits.stack_bytes);
	s->threads.first = s->exec;
	if (!s->exec || (engine == WASM_ENGINE_JIT && !jit)) {
		wasm_store_free(s);
		return NULL;
	}
	return s;
}

#define FREE_LIST(s, type, head, before)                            \
	for (struct type *o_ = (s)->head, *next_; o_; o_ = next_) { \
		next_ = o_->next;                                   \
		before;                                             \
		wasm_heap_free(&(s)->heap, o_, 1, sizeof *o_);      \
	}

void wasm_store_free(struct wasm_store *s)
{
	if (!s)
		return;
	wasm_threads_end(s);
	while (s->instances) {
		struct wasm_instance *i = s->instances;
		s->instances = i->next;
		wasm_instance_release(i);
	}
	wasm_exec_free(s->exec);
	wasm_jit_free(s);
	wasm_objects_free(s);
	FREE_LIST(s, wasm_memory, memories, free(o_->data))
	FREE_LIST(s, wasm_table, tables,
		wasm_heap_free(&s->heap, o_->elems, (size_t)o_->range.min,
			sizeof *o_->elems))
	FREE_LIST(s, wasm_global, globals, (void)0)
	FREE_LIST(s, wasm_tag, tags, (void)0)
	FREE_LIST(s, wasm_func, funcs, (void)0)
	wasm_registry_fini(&s->registry);
	free(s);
}

size_t wasm_store_footprint(const struct wasm_store *s)
{
	return s->heap.used + (size_t)s->memory_bytes;
}
