/* SPDX-License-Identifier: Apache-2.0 */
/* Instantiation and calls from outside. */
#include <stdlib.h>

#include "base/fmt.h"
#include "wasm/interp/exec_priv.h"
#include "wasm/jit/jit_priv.h"

bool wasm_store_new(const struct wasm_limits *l, struct wasm_store **out,
	struct err *e)
{
	struct wasm_limits limits = l ? *l : (struct wasm_limits){ 0 };
	wasm_limits_fill(&limits);
	*out = wasm_store_make(&limits, limits.module_bytes);
	return *out ? true : err_fail(e, ERR_LIMIT, "out of memory");
}

/* --- building an instance ----------------------------------------------- */

static bool allocate(struct wasm_instance *i)
{
	const struct wasm_module *m = i->module;
	struct wasm_heap *h = &i->store->heap;
	uint32_t own = m->func_count - m->func_imports;
	i->memories = wasm_heap_new(h, m->memory_count, sizeof *i->memories);
	i->tables = wasm_heap_new(h, m->table_count, sizeof *i->tables);
	i->globals = wasm_heap_new(h, m->global_count, sizeof *i->globals);
	i->tags = wasm_heap_new(h, m->tag_count, sizeof *i->tags);
	i->imported = wasm_heap_new(h, m->func_imports, sizeof *i->imported);
	i->own = wasm_heap_new(h, own, sizeof *i->own);
	i->own_globals = wasm_heap_new(h, m->global_count - m->global_imports,
		sizeof *i->own_globals);
	i->canon = wasm_heap_new(h, m->type_count, sizeof *i->canon);
	i->elem_refs = wasm_heap_new(h, m->elem_count, sizeof *i->elem_refs);
	i->data_dropped = wasm_heap_new(h, m->data_count, 1);
	return i->memories && i->tables && i->globals && i->tags &&
		i->imported && i->own && i->own_globals && i->canon &&
		i->elem_refs && i->data_dropped;
}

void wasm_elem_drop(struct wasm_instance *i, uint32_t segment)
{
	wasm_heap_free(&i->store->heap, i->elem_refs[segment],
		i->module->elems[segment].count, sizeof(uint64_t));
	i->elem_refs[segment] = NULL;
}

void wasm_instance_release(struct wasm_instance *i)
{
	const struct wasm_module *m = i->module;
	struct wasm_heap *h = &i->store->heap;
	for (uint32_t n = 0; i->elem_refs && n < m->elem_count; n++)
		wasm_elem_drop(i, n);
	wasm_heap_free(h, i->memories, m->memory_count, sizeof *i->memories);
	wasm_heap_free(h, i->tables, m->table_count, sizeof *i->tables);
	wasm_heap_free(h, i->globals, m->global_count, sizeof *i->globals);
	wasm_heap_free(h, i->tags, m->tag_count, sizeof *i->tags);
	wasm_heap_free(h, i->imported, m->func_imports, sizeof *i->imported);
	wasm_heap_free(h, i->own, m->func_count - m->func_imports,
		sizeof *i->own);
	wasm_heap_free(h, i->own_globals, m->global_count - m->global_imports,
		sizeof *i->own_globals);
	wasm_heap_free(h, i->canon, m->type_count, sizeof *i->canon);
	wasm_heap_free(h, i->elem_refs, m->elem_count, sizeof *i->elem_refs);
	wasm_heap_free(h, i->data_dropped, m->data_count, 1);
	wasm_heap_free(h, i, 1, sizeof *i);
}

static bool intern_types(struct wasm_instance *i)
{
	const struct wasm_module *m = i->module;
	for (uint32_t t = 0; t < m->type_count; t += m->types[t].rec_len)
		if (!wasm_registry_intern(&i->store->registry, m->types,
			    m->pool, t, m->types[t].rec_len, i->canon))
			return false;
	return true;
}

static void make_funcs(struct wasm_instance *i)
{
	const struct wasm_module *m = i->module;
	for (uint32_t n = m->func_imports; n < m->func_count; n++)
		i->own[n - m->func_imports] = (struct wasm_func){
			.sig = i->canon[m->funcs[n]],
			.index = n,
			.inst = i,
			.code = m->code + m->entries[n - m->func_imports],
			.param_slots =
				(uint16_t)wasm_func_type(m, n)->param_slots,
			.result_slots =
				(uint16_t)wasm_func_type(m, n)->result_slots,
		};
}

/* A constant expression's value; false when its code trapped. */
static bool evaluate(struct wasm_instance *i, const struct wasm_expr *x,
	uint64_t v[2])
{
	v[0] = v[1] = 0;
	switch (x->kind) {
	case EXPR_VALUE:
		v[0] = x->v;
		return true;
	case EXPR_GLOBAL:
		v[0] = i->globals[x->v]->v[0];
		return true;
	case EXPR_FUNC:
		v[0] = wasm_ref_of(wasm_func_of(i, (uint32_t)x->v));
		return true;
	default:
		break;
	}
	struct wasm_func f = { .inst = i, .code = i->module->code + x->v };
	wasm_exec_run(i->store->exec, &f, v, 0, 2);
	return i->store->exec->end == WASM_RETURNED;
}

static bool make_globals(struct wasm_instance *i)
{
	const struct wasm_module *m = i->module;
	for (uint32_t n = m->global_imports; n < m->global_count; n++) {
		const struct wasm_globaldef *d = &m->globals[n];
		struct wasm_global *g = &i->own_globals[n - m->global_imports];
		g->type = wasm_store_type(i, d->type);
		g->mutable = d->mutable;
		i->globals[n] = g;
		if (!evaluate(i, &d->init, g->v))
			return false;
	}
	return true;
}

static bool make_tables(struct wasm_instance *i, struct err *e)
{
	const struct wasm_module *m = i->module;
	for (uint32_t n = m->table_imports; n < m->table_count; n++) {
		const struct wasm_tabledef *d = &m->tables[n];
		uint64_t init[2] = { 0 };
		if (d->has_init && !evaluate(i, &d->init, init))
			return err_fail(e, ERR_INPUT, "table %u: trapped", n);
		i->tables[n] = wasm_table_make(i->store,
			wasm_store_type(i, d->type), &d->range, init[0]);
		if (!i->tables[n])
			return err_fail(e, ERR_LIMIT,
				"table %u: %llu elements are too many", n,
				(unsigned long long)d->range.min);
	}
	return true;
}

static bool make_memories(struct wasm_instance *i, struct err *e)
{
	const struct wasm_module *m = i->module;
	for (uint32_t n = m->memory_imports; n < m->memory_count; n++) {
		const struct wasm_range *r = &m->memories[n].range;
		i->memories[n] = wasm_memory_make(i->store, r);
		if (!i->memories[n])
			return err_fail(e, ERR_LIMIT,
				"memory %u: %llu pages are too many", n,
				(unsigned long long)r->min);
	}
	return true;
}

static bool make_tags(struct wasm_instance *i)
{
	const struct wasm_module *m = i->module;
	for (uint32_t n = m->tag_imports; n < m->tag_count; n++) {
		i->tags[n] = wasm_tag_make(i->store, i->canon[m->tags[n]],
			m->types[m->tags[n]].param_slots);
		if (!i->tags[n])
			return false;
		const struct wasm_typedef *d = &m->types[m->tags[n]];
		i->tags[n]->refs = m->pool + d->refs_first;
		i->tags[n]->ref_count = d->ref_count;
	}
	return true;
}

/* --- segments ------------------------------------------------------------ */

static bool trapped(struct wasm_exec *x, enum wasm_trap trap)
{
	x->end = WASM_TRAPPED;
	x->trap = trap;
	x->frame = x->frames;
	x->ip = wasm_exit_code;
	return false;
}

static bool make_elem(struct wasm_instance *i, uint32_t n)
{
	const struct wasm_elemdef *s = &i->module->elems[n];
	uint64_t *refs = wasm_heap_new(&i->store->heap, s->count, sizeof *refs);
	if (!refs)
		return trapped(i->store->exec, WASM_TRAP_LIMIT);
	i->elem_refs[n] = refs;
	for (uint32_t k = 0; k < s->count; k++) {
		uint64_t v[2] = { 0 };
		if (s->funcs)
			v[0] = wasm_ref_of(wasm_func_of(i, s->funcs[k]));
		else if (!evaluate(i, &s->exprs[k], v))
			return false;
		refs[k] = v[0];
	}
	return true;
}

static bool place_elem(struct wasm_instance *i, uint32_t n)
{
	const struct wasm_elemdef *s = &i->module->elems[n];
	if (s->mode == SEG_ACTIVE) {
		uint64_t at[2];
		struct wasm_table *t = i->tables[s->table];
		if (!evaluate(i, &s->at, at))
			return false;
		if (!wasm_segment_bounds(at[0], s->count, t->range.min))
			return trapped(i->store->exec, WASM_TRAP_TABLE);
		if (s->count)
			memcpy(t->elems + at[0], i->elem_refs[n],
				s->count * sizeof *t->elems);
	}
	if (s->mode != SEG_PASSIVE)
		wasm_elem_drop(i, n);
	return true;
}

static bool place_data(struct wasm_instance *i, uint32_t n)
{
	const struct wasm_datadef *s = &i->module->datas[n];
	uint64_t at[2];
	if (s->mode != SEG_ACTIVE)
		return true;
	struct wasm_memory *m = i->memories[s->memory];
	if (!evaluate(i, &s->at, at))
		return false;
	if (!wasm_segment_bounds(at[0], s->bytes.len, m->len))
		return trapped(i->store->exec, WASM_TRAP_MEMORY);
	if (s->bytes.len)
		memcpy(m->data + at[0], s->bytes.ptr, s->bytes.len);
	i->data_dropped[n] = 1;
	return true;
}

bool wasm_instance_place(struct wasm_instance *i)
{
	const struct wasm_module *m = i->module;
	for (uint32_t n = 0; n < m->elem_count; n++)
		if (!make_elem(i, n))
			return false;
	for (uint32_t n = 0; n < m->elem_count; n++)
		if (!place_elem(i, n))
			return false;
	for (uint32_t n = 0; n < m->data_count; n++)
		if (!place_data(i, n))
			return false;
	return true;
}

/* What may trap: false with the end of it in the store's machine. */
static bool start(struct wasm_instance *i)
{
	struct wasm_exec *x = i->store->exec;
	const struct wasm_module *m = i->module;
	if (!wasm_instance_place(i))
		return false;
	if (!m->has_start)
		return true;
	wasm_exec_run(x, wasm_func_of(i, m->start), NULL, 0, 0);
	return x->end == WASM_RETURNED;
}

bool wasm_instance_fill(struct wasm_instance *i, struct err *e)
{
	if (!make_memories(i, e))
		return false;
	if (!make_globals(i))
		return err_fail(e, ERR_INPUT, "a global's value trapped");
	return make_tables(i, e);
}

static bool build(struct wasm_instance *i,
	bool (*find)(void *ctx, struct bytes module, struct bytes name,
		struct wasm_extern *out),
	void *ctx, struct err *e)
{
	if (!allocate(i) || !intern_types(i) || !make_tags(i))
		return err_fail(e, ERR_LIMIT, "out of memory for an instance");
	if (!wasm_link_imports(i, find, ctx, e))
		return false;
	make_funcs(i);
	wasm_jit_adopt(i);
	return wasm_instance_fill(i, e);
}

bool wasm_store_instantiate(struct wasm_store *s, const struct wasm_module *m,
	bool (*find)(void *ctx, struct bytes module, struct bytes name,
		struct wasm_extern *out),
	void *ctx, struct wasm_instance **out, struct wasm_result *r,
	struct err *e)
{
	if (r)
		*r = (struct wasm_result){ .end = WASM_RETURNED };
	struct wasm_instance *i = wasm_heap_new(&s->heap, 1, sizeof *i);
	if (!i)
		return err_fail(e, ERR_LIMIT, "out of memory for an instance");
	i->module = m;
	i->store = s;
	i->next = s->instances;
	s->instances = i;
	if (!build(i, find, ctx, e))
		return err_wrap(e, "instantiate");
	bool started = start(i);
	if (!started) {
		struct wasm_result mine;
		wasm_exec_result(s->exec, r ? r : &mine);
		err_put(e, ERR_INPUT, "instantiate: %s",
			wasm_trap_name(s->exec->trap));
	}
	wasm_threads_end(s);
	if (started)
		*out = i;
	return started;
}

/* --- one instance alone ----------------------------------------------------
 */

struct host_imports {
	struct wasm_store *store;
	const struct wasm_module *m;
	const struct wasm_import *list;
	size_t count;
};

static bool find_host(void *ctx, struct bytes module, struct bytes name,
	struct wasm_extern *out)
{
	const struct host_imports *h = ctx;
	for (size_t i = 0; i < h->count; i++) {
		if (bytes_equal(name, bytes_str(h->list[i].name)) &&
			bytes_equal(module, bytes_str(h->list[i].module)))
			return wasm_store_func(h->store, &h->list[i], out);
	}
	return wasm_store_shared_memory(h->store, h->m, module, name, out);
}

bool wasm_instance_new(const struct wasm_module *m,
	const struct wasm_import *imports, size_t import_count,
	const struct wasm_limits *l, struct wasm_instance **out,
	struct wasm_result *r, struct err *e)
{
	struct wasm_store *s;
	if (!wasm_store_new(l, &s, e))
		return false;
	struct host_imports h = { s, m, imports, import_count };
	if (!wasm_store_instantiate(s, m, find_host, &h, out, r, e)) {
		wasm_store_free(s);
		return false;
	}
	(*out)->owns_store = true;
	return true;
}

void wasm_instance_free(struct wasm_instance *i)
{
	if (i && i->owns_store)
		wasm_store_free(i->store);
}

size_t wasm_instance_footprint(const struct wasm_instance *i)
{
	return wasm_store_footprint(i->store);
}

/* --- calls ------------------------------------------------------------------
 */

static bool call_func(struct wasm_func *f, struct wasm_exec *x,
	const uint64_t *params, uint64_t *results, struct wasm_result *r,
	struct err *e)
{
	uint32_t n = f->param_slots > f->result_slots ? f->param_slots :
							f->result_slots;
	uint64_t few[16];
	uint64_t *slots = n <= ARRAY_LEN(few) ?
		few :
		wasm_heap_new(&x->store->heap, n, 8);
	if (!slots)
		return err_fail(e, ERR_LIMIT, "out of memory for a call");
	if (f->param_slots)
		memcpy(slots, params, f->param_slots * sizeof *slots);
	wasm_exec_run(x, f, slots, f->param_slots, f->result_slots);
	if (x->end == WASM_RETURNED && f->result_slots)
		memcpy(results, slots, f->result_slots * sizeof *slots);
	if (slots != few)
		wasm_heap_free(&x->store->heap, slots, n, 8);
	wasm_exec_result(x->store->exec, r);
	wasm_threads_end(x->store);
	return true;
}

bool wasm_store_call(struct wasm_store *s, const struct wasm_extern *func,
	const uint64_t *params, size_t param_slots, uint64_t *results,
	size_t result_slots, struct wasm_result *r, struct err *e)
{
	struct wasm_func *f = func->object;
	if (f->param_slots != param_slots || f->result_slots != result_slots)
		return err_fail(e, ERR_INPUT,
			"the function takes %u slots and gives %u",
			f->param_slots, f->result_slots);
	if (s->exec->running)
		return err_fail(e, ERR_INPUT, "the instance is running");
	return call_func(f, s->exec, params, results, r, e);
}

bool wasm_call(struct wasm_instance *i, const char *name,
	const uint64_t *params, size_t param_slots, uint64_t *results,
	size_t result_slots, struct wasm_result *r, struct err *e)
{
	struct wasm_extern x;
	if (!wasm_instance_export(i, bytes_str(name), &x) ||
		x.kind != WASM_EXTERN_FUNC)
		return err_fail(e, ERR_INPUT,
			"the module exports no such function");
	return wasm_store_call(i->store, &x, params, param_slots, results,
		result_slots, r, e);
}

void wasm_store_tick(struct wasm_store *s, uint32_t interval,
	bool (*tick)(void *ctx), void *ctx)
{
	s->work.interval = tick ? interval : 0;
	s->work.unticked = 0;
	s->work.tick = tick;
	s->work.tick_ctx = ctx;
}

void wasm_instance_tick(struct wasm_instance *i, uint32_t interval,
	bool (*tick)(void *ctx), void *ctx)
{
	wasm_store_tick(i->store, interval, tick, ctx);
}

void wasm_instance_fuel(struct wasm_instance *i, uint64_t units)
{
	wasm_store_fuel(i->store, units);
}

void wasm_store_fuel(struct wasm_store *s, uint64_t units)
{
	s->work.fuel = units;
}

void wasm_instance_clock(struct wasm_instance *i, const struct wasm_clock *c)
{
	wasm_store_clock(i->store, c);
}

void wasm_store_clock(struct wasm_store *s, const struct wasm_clock *c)
{
	s->threads.clock = *c;
}

/* --- for host functions
 * -------------------------------------------------------- */

uint8_t *wasm_caller_memory(struct wasm_caller *c, uint64_t at, uint64_t len)
{
	const struct wasm_memory *m = c->exec->mem0;
	if (at > m->len || len > m->len - at || !m->data)
		return NULL;
	return m->data + at;
}

uint64_t wasm_caller_memory_size(struct wasm_caller *c)
{
	return c->exec->mem0->len;
}

bool wasm_caller_trap(struct wasm_caller *c, const char *text)
{
	c->exec->end = WASM_TRAPPED;
	c->exec->trap = WASM_TRAP_HOST;
	fmt(c->exec->why, sizeof c->exec->why, "%s", text);
	return false;
}

bool wasm_caller_exit(struct wasm_caller *c, uint32_t code)
{
	c->exec->end = WASM_EXITED;
	c->exec->exit_code = code;
	return false;
}

bool wasm_caller_stop(struct wasm_caller *c)
{
	c->exec->end = WASM_STOPPED;
	return false;
}
