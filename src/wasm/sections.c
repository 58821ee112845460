/* SPDX-License-Identifier: Apache-2.0 */
/* What the sections before the code say (WebAssembly 2.0 §5.5). */
#include "wasm/decode_priv.h"

enum {
	MAX_FUNCS = 1000000,
	MAX_IMPORTS = 100000,
	MAX_EXPORTS = 1000000,
	MAX_GLOBALS = 1000000,
	MAX_TABLES = 100000,
	MAX_MEMORIES = 100,
	MAX_TAGS = 1000000,
};

static bool going(const struct wasm_decoder *d)
{
	return !d->failed && !d->in.why;
}

static uint32_t count(struct wasm_decoder *d, uint32_t max, const char *why)
{
	uint32_t n = wasm_u32(&d->in);
	if (n > max)
		wasm_decode_limit(d, why);
	return going(d) ? n : 0;
}

static uint32_t read_type(struct wasm_decoder *d)
{
	return wasm_read_type(&d->in, d->m->type_count);
}

static uint32_t read_func_type(struct wasm_decoder *d)
{
	uint32_t t = wasm_u32(&d->in);
	if (going(d) &&
		(t >= d->m->type_count || d->m->types[t].kind != DEF_FUNC))
		wasm_decode_fail(d, "unknown type");
	return t;
}

/* Flags: 1 has a maximum, 2 shared, 4 64-bit. */
static struct wasm_range read_range(struct wasm_decoder *d, bool memory)
{
	struct wasm_range r = { 0 };
	uint8_t flags = wasm_u8(&d->in);
	if (flags > (memory ? 7 : 5) || (!memory && flags & 2)) {
		wasm_cursor_fail(&d->in, "malformed limits flags");
		return r;
	}
	r.has_max = flags & 1;
	r.shared = flags & 2;
	r.is64 = flags & 4;
	r.min = r.is64 ? wasm_u64(&d->in) : wasm_u32(&d->in);
	r.max = UINT64_MAX;
	if (r.has_max)
		r.max = r.is64 ? wasm_u64(&d->in) : wasm_u32(&d->in);
	if (going(d) && r.min > r.max)
		wasm_decode_fail(d,
			"size minimum must not be greater than maximum");
	if (r.shared && !r.has_max)
		wasm_decode_fail(d, "shared memory must have maximum");
	return r;
}

static struct wasm_tabledef read_table_type(struct wasm_decoder *d)
{
	struct wasm_tabledef t = { .type = read_type(d) };
	if (going(d) && !t_is_ref(t.type))
		wasm_decode_fail(d, "malformed reference type");
	t.range = read_range(d, false);
	return t;
}

static void add_table(struct wasm_decoder *d, struct wasm_tabledef t)
{
	if (d->m->table_count >= MAX_TABLES)
		wasm_decode_limit(d, "too many tables");
	if (going(d) && DECODE_FIT(d, table))
		d->m->tables[d->m->table_count++] = t;
}

static void add_memory(struct wasm_decoder *d)
{
	struct wasm_memdef m = { .range = read_range(d, true) };
	uint64_t most = m.range.is64 ? (uint64_t)1 << 48 : 65536;
	if (going(d) &&
		(m.range.min > most || (m.range.has_max && m.range.max > most)))
		wasm_decode_fail(d,
			"memory size must be at most 65536 pages (4GiB)");
	if (d->m->memory_count >= MAX_MEMORIES)
		wasm_decode_limit(d, "too many memories");
	if (going(d) &&
		wasm_fit(&d->m->heap, d->m->memories, d->m->memory_cap,
			d->m->memory_count + 1ull))
		d->m->memories[d->m->memory_count++] = m;
	else
		wasm_decode_limit(d, WASM_OUT_OF_MEMORY);
}

static struct wasm_globaldef read_global_type(struct wasm_decoder *d)
{
	struct wasm_globaldef g = { .type = read_type(d) };
	uint8_t mut = wasm_u8(&d->in);
	if (mut > 1)
		wasm_cursor_fail(&d->in, "malformed mutability");
	g.mutable = mut;
	return g;
}

static void add_global(struct wasm_decoder *d, struct wasm_globaldef g)
{
	if (going(d) && DECODE_FIT(d, global))
		d->m->globals[d->m->global_count++] = g;
}

static void add_tag(struct wasm_decoder *d)
{
	if (wasm_u8(&d->in) != 0)
		wasm_cursor_fail(&d->in, "malformed tag attribute");
	uint32_t t = read_func_type(d);
	if (going(d) && d->m->types[t].results)
		wasm_decode_fail(d, "non-empty tag result type");
	if (going(d) && DECODE_FIT(d, tag))
		d->m->tags[d->m->tag_count++] = t;
}

static void add_func(struct wasm_decoder *d)
{
	uint32_t t = read_func_type(d);
	if (d->m->func_count >= MAX_FUNCS)
		wasm_decode_limit(d, "too many functions");
	if (going(d) && DECODE_FIT(d, func))
		d->m->funcs[d->m->func_count++] = t;
}

static struct bytes read_name(struct wasm_decoder *d)
{
	struct bytes in = wasm_name(&d->in);
	if (!going(d))
		return BYTES_NONE;
	struct bytes own = wasm_copy(&d->m->heap, in);
	if (in.len && !own.ptr)
		wasm_decode_limit(d, WASM_OUT_OF_MEMORY);
	return own;
}

static uint32_t import_kind(struct wasm_decoder *d, uint8_t kind)
{
	struct wasm_module *m = d->m;
	switch (kind) {
	case KIND_FUNC:
		add_func(d);
		m->func_imports = m->func_count;
		return m->func_count;
	case KIND_TABLE:
		add_table(d, read_table_type(d));
		m->table_imports = m->table_count;
		return m->table_count;
	case KIND_MEMORY:
		add_memory(d);
		m->memory_imports = m->memory_count;
		return m->memory_count;
	case KIND_GLOBAL:
		add_global(d, read_global_type(d));
		m->global_imports = m->global_count;
		return m->global_count;
	case KIND_TAG:
		add_tag(d);
		m->tag_imports = m->tag_count;
		return m->tag_count;
	default:
		wasm_cursor_fail(&d->in, "malformed import kind");
		return 0;
	}
}

void wasm_decode_imports(struct wasm_decoder *d)
{
	uint32_t n = count(d, MAX_IMPORTS, "too many imports");
	for (uint32_t i = 0; i < n && going(d); i++) {
		if (!DECODE_FIT(d, import))
			return;
		struct wasm_importdef *im = &d->m->imports[i];
		*im = (struct wasm_importdef){ 0 };
		d->m->import_count++;
		im->module = read_name(d);
		im->name = read_name(d);
		im->kind = wasm_u8(&d->in);
		uint32_t end = going(d) ? import_kind(d, im->kind) : 0;
		d->m->imports[i].index = end - 1;
	}
}

void wasm_decode_functions(struct wasm_decoder *d)
{
	uint32_t n = count(d, MAX_FUNCS, "too many functions");
	for (uint32_t i = 0; i < n && going(d); i++)
		add_func(d);
}

void wasm_decode_tables(struct wasm_decoder *d)
{
	uint32_t n = count(d, MAX_TABLES, "too many tables");
	for (uint32_t i = 0; i < n && going(d); i++) {
		bool init = d->in.at != d->in.end && *d->in.at == 0x40;
		if (init) {
			wasm_u8(&d->in);
			if (wasm_u8(&d->in) != 0)
				wasm_cursor_fail(&d->in, "malformed table");
		}
		struct wasm_tabledef t = read_table_type(d);
		t.has_init = init;
		if (init && going(d))
			wasm_decode_expr(d, t.type, &t.init);
		else if (going(d) && !t_defaultable(t.type))
			wasm_decode_fail(d,
				"type mismatch: table needs an "
				"initial value");
		add_table(d, t);
	}
}

void wasm_decode_memories(struct wasm_decoder *d)
{
	uint32_t n = count(d, MAX_MEMORIES, "too many memories");
	for (uint32_t i = 0; i < n && going(d); i++)
		add_memory(d);
}

void wasm_decode_tags(struct wasm_decoder *d)
{
	uint32_t n = count(d, MAX_TAGS, "too many tags");
	for (uint32_t i = 0; i < n && going(d); i++)
		add_tag(d);
}

void wasm_decode_globals(struct wasm_decoder *d)
{
	uint32_t n = count(d, MAX_GLOBALS, "too many globals");
	for (uint32_t i = 0; i < n && going(d); i++) {
		struct wasm_globaldef g = read_global_type(d);
		if (going(d))
			wasm_decode_expr(d, g.type, &g.init);
		add_global(d, g);
	}
}

static uint32_t kind_count(const struct wasm_module *m, uint8_t kind)
{
	switch (kind) {
	case KIND_FUNC:
		return m->func_count;
	case KIND_TABLE:
		return m->table_count;
	case KIND_MEMORY:
		return m->memory_count;
	case KIND_GLOBAL:
		return m->global_count;
	case KIND_TAG:
		return m->tag_count;
	default:
		return 0;
	}
}

static int by_name(const struct wasm_exportdef *a,
	const struct wasm_exportdef *b)
{
	size_t n = size_min(a->name.len, b->name.len);
	int c = n ? memcmp(a->name.ptr, b->name.ptr, n) : 0;
	if (c)
		return c;
	return (a->name.len > b->name.len) - (a->name.len < b->name.len);
}

/* Lets the export at `i` sink to its place in the heap of n. */
static void sink(struct wasm_exportdef *x, uint32_t i, uint32_t n)
{
	for (uint64_t child; (child = 2ull * i + 1) < n; i = (uint32_t)child) {
		if (child + 1 < n && by_name(&x[child], &x[child + 1]) < 0)
			child++;
		if (by_name(&x[i], &x[child]) >= 0)
			return;
		struct wasm_exportdef t = x[i];
		x[i] = x[child];
		x[child] = t;
	}
}

/* Heapsort: no memory, no bad cases. */
static void sort_exports(struct wasm_decoder *d)
{
	struct wasm_exportdef *x = d->m->exports;
	uint32_t n = d->m->export_count;
	for (uint32_t i = n / 2; i-- > 0;)
		sink(x, i, n);
	for (uint32_t i = n; i-- > 1;) {
		struct wasm_exportdef t = x[0];
		x[0] = x[i];
		x[i] = t;
		sink(x, 0, i);
	}
	for (uint32_t i = 1; i < n; i++)
		if (!by_name(&x[i - 1], &x[i]))
			wasm_decode_fail(d, "duplicate export name");
}

void wasm_decode_exports(struct wasm_decoder *d)
{
	uint32_t n = count(d, MAX_EXPORTS, "too many exports");
	for (uint32_t i = 0; i < n && going(d); i++) {
		if (!DECODE_FIT(d, export))
			return;
		struct wasm_exportdef *x = &d->m->exports[i];
		*x = (struct wasm_exportdef){ .name = read_name(d) };
		d->m->export_count++;
		x->kind = wasm_u8(&d->in);
		x->index = wasm_u32(&d->in);
		if (!going(d))
			return;
		if (x->kind > KIND_TAG)
			wasm_cursor_fail(&d->in, "malformed export kind");
		else if (x->index >= kind_count(d->m, x->kind))
			wasm_decode_fail(d, "unknown export index");
		else if (x->kind == KIND_FUNC)
			d->m->declared[x->index / 8] |=
				(uint8_t)(1 << x->index % 8);
	}
	if (going(d))
		sort_exports(d);
}

void wasm_decode_start(struct wasm_decoder *d)
{
	struct wasm_module *m = d->m;
	m->start = wasm_u32(&d->in);
	if (!going(d))
		return;
	if (m->start >= m->func_count) {
		wasm_decode_fail(d, "unknown function");
		return;
	}
	const struct wasm_typedef *t = wasm_func_type(m, m->start);
	if (t->params || t->results)
		wasm_decode_fail(d, "start function has the wrong type");
	m->has_start = true;
}

void wasm_decode_data_count(struct wasm_decoder *d)
{
	d->m->has_data_count = true;
	d->m->declared_data_count = wasm_u32(&d->in);
}
