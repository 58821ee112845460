/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "wasm/decode_priv.h"
#include "wasm/store_priv.h"

struct bytes wasm_copy(struct wasm_heap *h, struct bytes in)
{
	if (!in.len)
		return BYTES_NONE;
	uint8_t *p = wasm_heap_new(h, in.len, 1);
	if (p)
		memcpy(p, in.ptr, in.len);
	return bytes_of(p, in.len);
}

static void free_bytes(struct wasm_heap *h, struct bytes b)
{
	wasm_heap_free(h, (void *)(uintptr_t)b.ptr, b.len, 1);
}

void wasm_limits_fill(struct wasm_limits *l)
{
	if (!l->memory_bytes)
		l->memory_bytes = (uint64_t)4 << 30;
	if (!l->module_bytes)
		l->module_bytes = (uint64_t)1 << 30;
	if (!l->table_elems)
		l->table_elems = 10000000;
	if (!l->stack_bytes)
		l->stack_bytes = 1 << 20;
	if (!l->call_depth)
		l->call_depth = 20000;
	if (!l->threads)
		l->threads = 64;
	if (!l->thread_stack)
		l->thread_stack = 256 << 10;
	if (!l->code_bytes)
		l->code_bytes = 64 << 20;
}

static void fail_kind(struct wasm_decoder *d, enum err_kind kind,
	const char *why)
{
	const uint8_t *at = d->in.why ? d->in.bad : d->in.at;
	if (!d->failed)
		err_put(d->err, kind, "module at 0x%zx: %s",
			(size_t)(at - d->in.start), why);
	d->failed = true;
}

void wasm_decode_fail(struct wasm_decoder *d, const char *why)
{
	fail_kind(d, ERR_INPUT, why);
}

void wasm_decode_limit(struct wasm_decoder *d, const char *why)
{
	fail_kind(d, ERR_LIMIT, why);
}

void wasm_decode_expr(struct wasm_decoder *d, uint32_t type,
	struct wasm_expr *out)
{
	if (!wasm_compile_expr(&d->compiler, &d->in, type, out))
		d->failed = true;
}

/* The name section's table of function names; whatever is wrong with it is
 * not an error, there are just no names. */
void wasm_decode_custom(struct wasm_decoder *d)
{
	struct bytes name = wasm_name(&d->in);
	struct wasm_cursor c = d->in;
	if (d->in.why)
		return;
	d->in.at = d->in.end;
	if (!bytes_equal(name, BYTES_LIT("name")))
		return;
	while (c.at != c.end && !c.why) {
		uint8_t id = wasm_u8(&c);
		struct bytes part = wasm_take(&c, wasm_u32(&c));
		if (id == 1 && !c.why && !d->m->func_names.ptr)
			d->m->func_names = wasm_copy(&d->m->heap, part);
	}
}

static void types(struct wasm_decoder *d)
{
	wasm_read_type_section(d->m, &d->in);
}

/* In the order that modules have them; the number is the binary format's. */
static const struct {
	uint8_t id;
	void (*read)(struct wasm_decoder *d);
} sections[] = {
	{ 1, types },
	{ 2, wasm_decode_imports },
	{ 3, wasm_decode_functions },
	{ 4, wasm_decode_tables },
	{ 5, wasm_decode_memories },
	{ 13, wasm_decode_tags },
	{ 6, wasm_decode_globals },
	{ 7, wasm_decode_exports },
	{ 8, wasm_decode_start },
	{ 9, wasm_decode_elems },
	{ 12, wasm_decode_data_count },
	{ 10, wasm_decode_code },
	{ 11, wasm_decode_datas },
};

static bool find_section(uint8_t id, size_t *i)
{
	for (*i = 0; *i < ARRAY_LEN(sections); ++*i)
		if (sections[*i].id == id)
			return true;
	return false;
}

/* One section, found at d->in; *done counts those that can't come any more. */
static void section(struct wasm_decoder *d, size_t *done)
{
	uint8_t id = wasm_u8(&d->in);
	struct bytes body = wasm_take(&d->in, wasm_u32(&d->in));
	size_t i = 0;
	if (d->in.why)
		return;
	if (id && !find_section(id, &i)) {
		wasm_cursor_fail(&d->in, "malformed section id");
		return;
	}
	if (id && i < *done) {
		wasm_cursor_fail(&d->in,
			"unexpected content after last "
			"section");
		return;
	}
	struct wasm_cursor outer = d->in;
	d->in.at = body.ptr;
	d->in.end = body.ptr + body.len;
	if (id) {
		*done = i + 1;
		sections[i].read(d);
	} else {
		wasm_decode_custom(d);
	}
	if (d->failed || d->in.why)
		return;
	if (d->in.at != d->in.end) {
		wasm_cursor_fail(&d->in, "section size mismatch");
		return;
	}
	d->in.at = outer.at;
	d->in.end = outer.end;
}

/* Function references are declared by what comes after the functions. */
static void prepare_declared(struct wasm_decoder *d)
{
	struct wasm_module *m = d->m;
	if (m->declared)
		return;
	m->declared = wasm_heap_new(&m->heap, m->func_count / 8 + 1ul, 1);
	if (!m->declared)
		wasm_decode_limit(d, WASM_OUT_OF_MEMORY);
}

static void header(struct wasm_decoder *d)
{
	if (wasm_cursor_left(&d->in) < 4 || memcmp(d->in.at, "\0asm", 4)) {
		wasm_cursor_fail(&d->in, "magic header not detected");
		return;
	}
	wasm_take(&d->in, 4);
	uint64_t version = wasm_le(&d->in, 4);
	if (version == 0x1000d)
		wasm_cursor_fail(&d->in, "a component, not a core module");
	else if (version != 1)
		wasm_cursor_fail(&d->in, "unknown binary version");
}

static void check_whole(struct wasm_decoder *d)
{
	struct wasm_module *m = d->m;
	if (m->func_count - m->func_imports != d->bodies)
		wasm_decode_fail(d,
			"function and code section have "
			"inconsistent lengths");
	if (m->has_data_count && m->declared_data_count != m->data_count)
		wasm_decode_fail(d,
			"data count and data section have "
			"inconsistent lengths");
}

static void decode(struct wasm_decoder *d)
{
	size_t done = 0;
	header(d);
	while (!d->failed && !d->in.why && d->in.at != d->in.end) {
		uint8_t next = *d->in.at;
		size_t i;
		if (next && find_section(next, &i) && i > 2)
			prepare_declared(d);
		if (!d->failed)
			section(d, &done);
	}
	if (d->in.why)
		wasm_decode_fail(d, d->in.why);
	if (!d->failed)
		check_whole(d);
}

/* Gives back what growing arrays have too much of. */
static void trim(struct wasm_module *m)
{
	uint32_t keep = m->code_count ? m->code_count : 1;
	union wasm_word *code = wasm_heap_resize(&m->heap, m->code,
		m->code_cap * sizeof *m->code, keep * sizeof *m->code);
	if (code) {
		m->code = code;
		m->code_cap = keep;
	}
}

bool wasm_module_new(struct bytes in, const struct wasm_limits *l,
	struct wasm_module **out, struct err *e)
{
	struct wasm_limits limits = l ? *l : (struct wasm_limits){ 0 };
	wasm_limits_fill(&limits);
	struct wasm_module *m = calloc(1, sizeof *m);
	if (!m)
		return err_fail(e, ERR_LIMIT, WASM_OUT_OF_MEMORY);
	m->heap.limit = limits.module_bytes;
	m->heap.used = sizeof *m;
	m->canonical_nans = limits.canonical_nans;
	m->registry.heap = &m->heap;
	struct wasm_decoder d = {
		.m = m,
		.err = e,
		.in = { .at = in.ptr, .end = in.ptr + in.len, .start = in.ptr },
		.compiler = { .m = m, .err = e, .places = limits.places },
	};
	d.compiler.in.start = in.ptr;
	/* So that even an empty list has an address. */
	if (!wasm_fit(&m->heap, m->pool, m->pool_cap, 1) ||
		!wasm_fit(&m->heap, m->code, m->code_cap, 1) ||
		!wasm_fit(&m->heap, d.compiler.vals, d.compiler.val_cap, 1))
		wasm_decode_limit(&d, WASM_OUT_OF_MEMORY);
	else
		decode(&d);
	if (!d.failed)
		wasm_compile_link(&d.compiler);
	wasm_compiler_fini(&d.compiler);
	if (d.failed) {
		wasm_module_free(m);
		return false;
	}
	trim(m);
	*out = m;
	return true;
}

static void free_segments(struct wasm_module *m)
{
	struct wasm_heap *h = &m->heap;
	for (uint32_t i = 0; i < m->elem_count; i++) {
		struct wasm_elemdef *s = &m->elems[i];
		wasm_heap_free(h, s->funcs, s->count, sizeof *s->funcs);
		wasm_heap_free(h, s->exprs, s->count, sizeof *s->exprs);
	}
	free_bytes(h, m->data_section);
	wasm_heap_free(h, m->elems, m->elem_cap, sizeof *m->elems);
	wasm_heap_free(h, m->datas, m->data_cap, sizeof *m->datas);
}

static void free_names(struct wasm_module *m)
{
	struct wasm_heap *h = &m->heap;
	for (uint32_t i = 0; i < m->import_count; i++) {
		free_bytes(h, m->imports[i].module);
		free_bytes(h, m->imports[i].name);
	}
	for (uint32_t i = 0; i < m->export_count; i++)
		free_bytes(h, m->exports[i].name);
	wasm_heap_free(h, m->imports, m->import_cap, sizeof *m->imports);
	wasm_heap_free(h, m->exports, m->export_cap, sizeof *m->exports);
	free_bytes(h, m->func_names);
}

void wasm_module_free(struct wasm_module *m)
{
	if (!m)
		return;
	struct wasm_heap *h = &m->heap;
	free_segments(m);
	free_names(m);
	wasm_registry_fini(&m->registry);
	wasm_heap_free(h, m->types, m->type_cap, sizeof *m->types);
	wasm_heap_free(h, m->pool, m->pool_cap, sizeof *m->pool);
	wasm_heap_free(h, m->canon, m->canon_cap, sizeof *m->canon);
	wasm_heap_free(h, m->funcs, m->func_cap, sizeof *m->funcs);
	wasm_heap_free(h, m->tables, m->table_cap, sizeof *m->tables);
	wasm_heap_free(h, m->memories, m->memory_cap, sizeof *m->memories);
	wasm_heap_free(h, m->globals, m->global_cap, sizeof *m->globals);
	wasm_heap_free(h, m->tags, m->tag_cap, sizeof *m->tags);
	wasm_heap_free(h, m->declared, m->func_count / 8 + 1ul, 1);
	wasm_heap_free(h, m->code, m->code_cap, sizeof *m->code);
	wasm_heap_free(h, m->entries, m->func_count - m->func_imports,
		sizeof *m->entries);
	wasm_heap_free(h, m->handlers, m->handler_cap, sizeof *m->handlers);
	wasm_heap_free(h, m->points, m->point_cap, sizeof *m->points);
	wasm_heap_free(h, m->live, m->live_cap, sizeof *m->live);
	wasm_heap_free(h, m->places, m->place_cap, sizeof *m->places);
	free(m);
}

size_t wasm_module_footprint(const struct wasm_module *m)
{
	return m->heap.used;
}

const struct wasm_exportdef *wasm_find_export(const struct wasm_module *m,
	struct bytes name)
{
	uint32_t low = 0, high = m->export_count;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		const struct wasm_exportdef *x = &m->exports[mid];
		size_t n = size_min(x->name.len, name.len);
		int c = n ? memcmp(x->name.ptr, name.ptr, n) : 0;
		if (!c && x->name.len == name.len)
			return x;
		if (c < 0 || (!c && x->name.len < name.len))
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

bool wasm_module_exports_func(const struct wasm_module *m, const char *name)
{
	const struct wasm_exportdef *x = wasm_find_export(m, bytes_str(name));
	return x && x->kind == KIND_FUNC;
}

bool wasm_module_export(const struct wasm_module *m, size_t i,
	struct bytes *name)
{
	if (i >= m->export_count)
		return false;
	*name = m->exports[i].name;
	return true;
}

static char letter(uint32_t t)
{
	switch (t) {
	case T_I32:
		return 'i';
	case T_I64:
		return 'I';
	case T_F32:
		return 'f';
	case T_F64:
		return 'F';
	case T_V128:
		return 'V';
	default:
		return 'r';
	}
}

static bool spell(const struct wasm_module *m, uint32_t func, char *out,
	size_t size)
{
	const struct wasm_typedef *d = wasm_func_type(m, func);
	uint32_t n = d->params + d->results;
	if (size < n + 2ull)
		return false;
	for (uint32_t i = 0; i <= n; i++)
		*out++ = i == d->params ?
			':' :
			letter(m->pool[d->first + i - (i > d->params)]);
	*out = '\0';
	return true;
}

bool wasm_module_signature(const struct wasm_module *m, struct bytes name,
	char *out, size_t size)
{
	const struct wasm_exportdef *x = wasm_find_export(m, name);
	return x && x->kind == KIND_FUNC && spell(m, x->index, out, size);
}

bool wasm_module_import_signature(const struct wasm_module *m,
	struct bytes module, struct bytes name, char *out, size_t size)
{
	for (uint32_t i = 0; i < m->import_count; i++) {
		const struct wasm_importdef *im = &m->imports[i];
		if (im->kind == KIND_FUNC && bytes_equal(im->module, module) &&
			bytes_equal(im->name, name))
			return spell(m, im->index, out, size);
	}
	return false;
}

uint32_t wasm_module_funcs(const struct wasm_module *m)
{
	return m->func_count;
}
