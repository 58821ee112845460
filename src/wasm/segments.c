/* SPDX-License-Identifier: Apache-2.0 */
/* Element and data segments, and the code section. */
#include "wasm/decode_priv.h"

enum { MAX_SEGMENTS = 100000, MAX_ELEMS = 10000000 };

static bool going(const struct wasm_decoder *d)
{
	return !d->failed && !d->in.why;
}

static void read_funcs(struct wasm_decoder *d, struct wasm_elemdef *s)
{
	struct wasm_module *m = d->m;
	s->funcs = wasm_heap_new(&m->heap, s->count, sizeof *s->funcs);
	if (!s->funcs) {
		wasm_decode_limit(d, WASM_OUT_OF_MEMORY);
		return;
	}
	for (uint32_t i = 0; i < s->count && going(d); i++) {
		uint32_t f = wasm_u32(&d->in);
		if (going(d) && f >= m->func_count) {
			wasm_decode_fail(d, "unknown function");
			return;
		}
		if (going(d))
			m->declared[f / 8] |= (uint8_t)(1 << f % 8);
		s->funcs[i] = f;
	}
}

static void read_exprs(struct wasm_decoder *d, struct wasm_elemdef *s)
{
	s->exprs = wasm_heap_new(&d->m->heap, s->count, sizeof *s->exprs);
	if (!s->exprs) {
		wasm_decode_limit(d, WASM_OUT_OF_MEMORY);
		return;
	}
	for (uint32_t i = 0; i < s->count && going(d); i++)
		wasm_decode_expr(d, s->type, &s->exprs[i]);
}

static void active_elem(struct wasm_decoder *d, struct wasm_elemdef *s,
	bool explicit)
{
	s->table = explicit ? wasm_u32(&d->in) : 0;
	if (going(d) && s->table >= d->m->table_count)
		wasm_decode_fail(d, "unknown table");
	if (going(d))
		wasm_decode_expr(d,
			wasm_address_type(&d->m->tables[s->table].range),
			&s->at);
}

/* Flags: 1 not active, 2 table or declared, 4 expressions. */
static void read_elem(struct wasm_decoder *d, uint32_t i)
{
	struct wasm_elemdef *s = &d->m->elems[i];
	uint32_t flags = wasm_u32(&d->in);
	if (flags > 7) {
		wasm_cursor_fail(&d->in, "malformed elements segment kind");
		return;
	}
	s->mode = !(flags & 1) ? SEG_ACTIVE :
		flags & 2      ? SEG_DECLARED :
				 SEG_PASSIVE;
	if (s->mode == SEG_ACTIVE)
		active_elem(d, s, flags & 2);
	s->type = flags & 4 ? T_FUNCREF : t_ref(HEAP_FUNC, false);
	if (flags & 3 && flags & 4)
		s->type = wasm_read_type(&d->in, d->m->type_count);
	else if (flags & 3 && wasm_u8(&d->in) != 0)
		wasm_cursor_fail(&d->in, "malformed element kind");
	if (going(d) && !t_is_ref(s->type))
		wasm_cursor_fail(&d->in, "malformed reference type");
	if (going(d) && s->mode == SEG_ACTIVE &&
		!wasm_type_sub(d->m, s->type, d->m->tables[s->table].type))
		wasm_decode_fail(d, "type mismatch: elements and table");
	uint32_t n = wasm_u32(&d->in);
	if (n > MAX_ELEMS || n > wasm_cursor_left(&d->in))
		wasm_decode_fail(d, "unexpected end");
	if (!going(d))
		return;
	s->count = n;
	if (flags & 4)
		read_exprs(d, s);
	else
		read_funcs(d, s);
}

void wasm_decode_elems(struct wasm_decoder *d)
{
	uint32_t n = wasm_u32(&d->in);
	if (n > MAX_SEGMENTS)
		wasm_decode_limit(d, "too many element segments");
	for (uint32_t i = 0; i < n && going(d); i++) {
		if (!DECODE_FIT(d, elem))
			return;
		d->m->elems[i] = (struct wasm_elemdef){ 0 };
		d->m->elem_count++;
		read_elem(d, i);
	}
}

static void read_data(struct wasm_decoder *d, uint32_t i)
{
	struct wasm_module *m = d->m;
	struct wasm_datadef *s = &m->datas[i];
	uint32_t flags = wasm_u32(&d->in);
	if (flags > 2) {
		wasm_cursor_fail(&d->in, "malformed data segment kind");
		return;
	}
	s->mode = flags == 1 ? SEG_PASSIVE : SEG_ACTIVE;
	if (flags == 2)
		s->memory = wasm_u32(&d->in);
	if (going(d) && s->mode == SEG_ACTIVE) {
		if (s->memory >= m->memory_count) {
			wasm_decode_fail(d, "unknown memory");
			return;
		}
		wasm_decode_expr(d,
			wasm_address_type(&m->memories[s->memory].range),
			&s->at);
	}
	s->bytes = wasm_take(&d->in, wasm_u32(&d->in));
}

/* The segments are in the module's copy of the section. */
static void keep_datas(struct wasm_decoder *d, struct bytes section)
{
	struct wasm_module *m = d->m;
	m->data_section = wasm_copy(&m->heap, section);
	if (section.len && !m->data_section.ptr) {
		wasm_decode_limit(d, WASM_OUT_OF_MEMORY);
		return;
	}
	for (uint32_t i = 0; i < m->data_count; i++) {
		struct bytes *b = &m->datas[i].bytes;
		if (b->len)
			b->ptr = m->data_section.ptr + (b->ptr - section.ptr);
	}
}

void wasm_decode_datas(struct wasm_decoder *d)
{
	struct bytes section = bytes_of(d->in.at, wasm_cursor_left(&d->in));
	uint32_t n = wasm_u32(&d->in);
	if (n > MAX_SEGMENTS)
		wasm_decode_limit(d, "too many data segments");
	for (uint32_t i = 0; i < n && going(d); i++) {
		if (!DECODE_FIT(d, data))
			return;
		d->m->datas[i] = (struct wasm_datadef){ 0 };
		d->m->data_count++;
		read_data(d, i);
	}
	if (going(d))
		keep_datas(d, section);
}

void wasm_decode_code(struct wasm_decoder *d)
{
	struct wasm_module *m = d->m;
	uint32_t n = wasm_u32(&d->in), want = m->func_count - m->func_imports;
	if (going(d) && n != want)
		wasm_decode_fail(d,
			"function and code section have "
			"inconsistent lengths");
	if (!going(d))
		return;
	m->entries = wasm_heap_new(&m->heap, n, sizeof *m->entries);
	if (!m->entries) {
		wasm_decode_limit(d, WASM_OUT_OF_MEMORY);
		return;
	}
	for (; d->bodies < n && going(d); d->bodies++) {
		struct bytes body = wasm_take(&d->in, wasm_u32(&d->in));
		if (!going(d))
			return;
		m->entries[d->bodies] = m->code_count;
		if (!wasm_compile_body(&d->compiler,
			    m->func_imports + d->bodies, body))
			d->failed = true;
	}
}
