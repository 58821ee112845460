/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/types_priv.h"

#include "base/fmt.h"
#include "wasm/module_priv.h"

enum { MAX_TYPES = 1000000, MAX_FIELDS = 10000 };
enum { MAX_DEPTH = 63 };

static bool heap_code(uint8_t b)
{
	return b >= 0x69 && b <= 0x74;
}

uint32_t wasm_read_heap(struct wasm_cursor *c, uint32_t limit)
{
	if (c->at != c->end && heap_code(*c->at))
		return HEAP_ABS | *c->at++;
	int64_t i = wasm_s33(c);
	if (c->why)
		return HEAP_BOT;
	if (i < 0) {
		wasm_cursor_fail(c, "malformed heap type");
		return HEAP_BOT;
	}
	if (i >= limit) {
		wasm_cursor_fail(c, "unknown type");
		return HEAP_BOT;
	}
	return (uint32_t)i;
}

uint32_t wasm_read_type_from(struct wasm_cursor *c, uint8_t first,
	uint32_t limit)
{
	switch (first) {
	case T_I32:
	case T_I64:
	case T_F32:
	case T_F64:
	case T_V128:
		return first;
	case T_REF_NULL:
	case T_REF:
		return t_ref(wasm_read_heap(c, limit), first == T_REF_NULL);
	default:
		if (heap_code(first))
			return t_ref(HEAP_ABS | first, true);
		wasm_cursor_fail(c, "malformed value type");
		return T_BOT;
	}
}

uint32_t wasm_read_type(struct wasm_cursor *c, uint32_t limit)
{
	uint8_t first = wasm_u8(c);
	return c->why ? T_BOT : wasm_read_type_from(c, first, limit);
}

static bool pool_put(struct wasm_module *m, struct wasm_cursor *c, uint32_t t)
{
	if (!wasm_fit(&m->heap, m->pool, m->pool_cap, m->pool_count + 1ull)) {
		wasm_cursor_fail(c, WASM_OUT_OF_MEMORY);
		return false;
	}
	m->pool[m->pool_count++] = t;
	return true;
}

/* A vector of value types into the pool; *slots is what they take. */
static uint32_t read_types(struct wasm_module *m, struct wasm_cursor *c,
	uint32_t limit, uint32_t *slots)
{
	uint32_t n = wasm_u32(c);
	if (n > WASM_MAX_PARAMS) {
		wasm_cursor_fail(c, "too many parameters or results");
		return 0;
	}
	*slots = 0;
	for (uint32_t i = 0; i < n && !c->why; i++) {
		uint32_t t = wasm_read_type(c, limit);
		*slots += t_slots(t);
		pool_put(m, c, t);
	}
	return n;
}

/* The words of a field: its storage type, then 1 if it is mutable and twice
 * its first slot in an object. */
static void read_field(struct wasm_module *m, struct wasm_cursor *c,
	struct wasm_typedef *d, uint32_t limit)
{
	uint8_t first = wasm_u8(c);
	uint32_t t = first == T_I8 || first == T_I16 ?
		first :
		wasm_read_type_from(c, first, limit);
	uint8_t mut = wasm_u8(c);
	if (mut > 1)
		wasm_cursor_fail(c, "malformed mutability");
	pool_put(m, c, t);
	pool_put(m, c, mut | d->param_slots << 1);
	d->param_slots += t_slots(t);
}

static void read_comp(struct wasm_module *m, struct wasm_cursor *c,
	uint8_t kind, struct wasm_typedef *d, uint32_t limit)
{
	d->kind = kind;
	d->first = m->pool_count;
	switch (kind) {
	case DEF_FUNC:
		d->params = read_types(m, c, limit, &d->param_slots);
		d->results = read_types(m, c, limit, &d->result_slots);
		break;
	case DEF_STRUCT:
		d->params = wasm_u32(c);
		if (d->params > MAX_FIELDS)
			wasm_cursor_fail(c, "too many fields");
		for (uint32_t i = 0; i < d->params && !c->why; i++)
			read_field(m, c, d, limit);
		break;
	case DEF_ARRAY:
		d->params = 1;
		read_field(m, c, d, limit);
		break;
	default:
		wasm_cursor_fail(c, "malformed definition type");
	}
}

static void read_sub(struct wasm_module *m, struct wasm_cursor *c,
	uint8_t first, struct wasm_typedef *d, uint32_t limit)
{
	d->final = true;
	if (first == 0x50 || first == 0x4f) {
		d->final = first == 0x4f;
		uint32_t n = wasm_u32(c);
		if (n > 1)
			wasm_cursor_fail(c, "sub type: more than one");
		if (n == 1) {
			d->has_super = true;
			d->super = wasm_u32(c);
			if (d->super >= m->type_count)
				wasm_cursor_fail(c, "unknown type");
		}
		first = wasm_u8(c);
	}
	if (!c->why)
		read_comp(m, c, first, d, limit);
}

static bool field_sub(const struct wasm_module *m, const uint32_t *a,
	const uint32_t *b)
{
	if (a[1] != b[1])
		return false;
	if (a[1] & 1)
		return wasm_type_equal(m, a[0], b[0]);
	return wasm_type_sub(m, a[0], b[0]);
}

/* WebAssembly 3.0 §3.3: may definition d stand below s? */
static bool def_sub(const struct wasm_module *m, const struct wasm_typedef *d,
	const struct wasm_typedef *s)
{
	const uint32_t *p = m->pool + d->first, *q = m->pool + s->first;
	if (d->kind != s->kind)
		return false;
	if (d->kind == DEF_FUNC) {
		if (d->params != s->params || d->results != s->results)
			return false;
		for (uint32_t i = 0; i < d->params; i++)
			if (!wasm_type_sub(m, q[i], p[i]))
				return false;
		for (uint32_t i = d->params; i < d->params + d->results; i++)
			if (!wasm_type_sub(m, p[i], q[i]))
				return false;
		return true;
	}
	if (d->params < s->params)
		return false;
	for (uint32_t i = 0; i < s->params; i++)
		if (!field_sub(m, p + 2 * i, q + 2 * i))
			return false;
	return true;
}

static void check_supers(struct wasm_module *m, struct wasm_cursor *c,
	uint32_t start, uint32_t n)
{
	for (uint32_t i = start; i < start + n && !c->why; i++) {
		const struct wasm_typedef *d = &m->types[i];
		if (!d->has_super)
			continue;
		const struct wasm_typedef *s = &m->types[d->super];
		if (d->super >= i)
			wasm_cursor_fail(c, "unknown type");
		else if (s->final || !def_sub(m, d, s))
			wasm_cursor_fail(c, "sub type does not match");
		else if (m->registry.types[d->canon].depth > MAX_DEPTH)
			wasm_cursor_fail(c, "sub type: too deep");
	}
}

static void read_group(struct wasm_module *m, struct wasm_cursor *c)
{
	uint8_t first = wasm_u8(c);
	uint32_t n = 1, start = m->type_count;
	if (first == 0x4e)
		n = wasm_u32(c);
	if (n > MAX_TYPES - start) {
		wasm_cursor_fail(c, "too many types");
		return;
	}
	for (uint32_t i = 0; i < n && !c->why; i++) {
		struct wasm_typedef d = { .rec_start = start, .rec_len = n };
		uint8_t f = first == 0x4e ? wasm_u8(c) : first;
		if (!wasm_fit(&m->heap, m->types, m->type_cap,
			    m->type_count + 1ull))
			wasm_cursor_fail(c, WASM_OUT_OF_MEMORY);
		if (c->why)
			return;
		read_sub(m, c, f, &d, start + n);
		m->types[m->type_count++] = d;
	}
	if (c->why || !n)
		return;
	uint32_t *canon = m->canon;
	if (!wasm_fit(&m->heap, m->canon, m->canon_cap, m->type_count)) {
		wasm_cursor_fail(c, WASM_OUT_OF_MEMORY);
		return;
	}
	canon = m->canon;
	/* A supertype within the group must come first: encode needs it. */
	for (uint32_t i = start; i < start + n; i++)
		if (m->types[i].has_super && m->types[i].super >= i) {
			wasm_cursor_fail(c, "unknown type");
			return;
		}
	if (!wasm_registry_intern(&m->registry, m->types, m->pool, start, n,
		    canon)) {
		wasm_cursor_fail(c, WASM_OUT_OF_MEMORY);
		return;
	}
	for (uint32_t i = start; i < start + n; i++)
		m->types[i].canon = canon[i];
	check_supers(m, c, start, n);
}

/* See wasm_typedef.refs_first. */
static void list_refs(struct wasm_module *m, struct wasm_cursor *c,
	struct wasm_typedef *d)
{
	uint32_t step = d->kind == DEF_STRUCT ? 2 : 1, slot = 0;
	d->refs_first = m->pool_count;
	if (d->kind == DEF_ARRAY)
		return;
	for (uint32_t i = 0; i < d->params && !c->why; i++) {
		uint32_t t = m->pool[d->first + step * i];
		if (wasm_type_collected(m, t))
			pool_put(m, c, slot);
		slot += t_slots(t);
	}
	d->ref_count = m->pool_count - d->refs_first;
}

bool wasm_read_type_section(struct wasm_module *m, struct wasm_cursor *c)
{
	uint32_t n = wasm_u32(c);
	if (n > MAX_TYPES)
		wasm_cursor_fail(c, "too many types");
	for (uint32_t i = 0; i < n && !c->why; i++)
		read_group(m, c);
	for (uint32_t i = 0; i < m->type_count && !c->why; i++)
		list_refs(m, c, &m->types[i]);
	return !c->why;
}

static bool concrete(uint32_t heap)
{
	return heap < HEAP_ABS;
}

static uint32_t def_abs(const struct wasm_module *m, uint32_t i)
{
	switch (m->types[i].kind) {
	case DEF_STRUCT:
		return HEAP_STRUCT;
	case DEF_ARRAY:
		return HEAP_ARRAY;
	default:
		return HEAP_FUNC;
	}
}

/* In the numbers of the module's registry. */
static uint32_t canonical(const struct wasm_module *m, uint32_t heap)
{
	return concrete(heap) ? m->canon[heap] : heap;
}

bool wasm_heap_sub(const struct wasm_module *m, uint32_t a, uint32_t b)
{
	return a == b ||
		wasm_registry_heap_sub(&m->registry, canonical(m, a),
			canonical(m, b));
}

bool wasm_type_sub(const struct wasm_module *m, uint32_t a, uint32_t b)
{
	if (a == b || a == T_BOT)
		return true;
	if (!t_is_ref(a) || !t_is_ref(b))
		return false;
	if (t_nullable(a) && !t_nullable(b))
		return false;
	return wasm_heap_sub(m, t_heap(a), t_heap(b));
}

bool wasm_type_equal(const struct wasm_module *m, uint32_t a, uint32_t b)
{
	return wasm_type_sub(m, a, b) && wasm_type_sub(m, b, a);
}

uint32_t wasm_heap_top(const struct wasm_module *m, uint32_t heap)
{
	if (concrete(heap))
		heap = def_abs(m, heap);
	switch (heap) {
	case HEAP_FUNC:
	case HEAP_NOFUNC:
		return HEAP_FUNC;
	case HEAP_EXTERN:
	case HEAP_NOEXTERN:
		return HEAP_EXTERN;
	case HEAP_EXN:
	case HEAP_NOEXN:
		return HEAP_EXN;
	default:
		return HEAP_ANY;
	}
}

bool wasm_type_collected(const struct wasm_module *m, uint32_t t)
{
	return t_is_ref(t) && wasm_heap_top(m, t_heap(t)) != HEAP_FUNC;
}

static const char *heap_name(uint32_t heap)
{
	static const char *const names[] = { "exn", "array", "struct", "i31",
		"eq", "any", "extern", "func", "none", "noextern", "nofunc",
		"noexn" };
	uint32_t i = (heap & 0xff) - 0x69;
	return i < ARRAY_LEN(names) ? names[i] : "bottom";
}

const char *wasm_type_name(uint32_t t, char out[32])
{
	switch (t & 0xff) {
	case T_I32:
		return "i32";
	case T_I64:
		return "i64";
	case T_F32:
		return "f32";
	case T_F64:
		return "f64";
	case T_V128:
		return "v128";
	case T_REF:
	case T_REF_NULL:
		if (concrete(t_heap(t)))
			fmt(out, 32, "(ref %s%u)", t_nullable(t) ? "null " : "",
				t_heap(t));
		else
			fmt(out, 32, "(ref %s%s)", t_nullable(t) ? "null " : "",
				heap_name(t_heap(t)));
		return out;
	default:
		return "any value";
	}
}
