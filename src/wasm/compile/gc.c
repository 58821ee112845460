/* SPDX-License-Identifier: Apache-2.0 */
/* Structs, arrays and i31: what comes after 0xfb. */
#include "wasm/compile/compile_priv.h"

static const struct wasm_typedef *type_at(struct wasm_compiler *c, uint32_t t,
	uint8_t kind)
{
	if (t < c->m->type_count && c->m->types[t].kind == kind)
		return &c->m->types[t];
	wasm_compile_fail(c, "unknown type of structure or array");
	return NULL;
}

static bool packed(uint32_t t)
{
	return t == T_I8 || t == T_I16;
}

static uint32_t unpacked(uint32_t t)
{
	return packed(t) ? (uint32_t)T_I32 : t;
}

/* --- structs -----------------------------------------------------------------
 */

static void struct_new(struct wasm_compiler *c, bool with_values)
{
	uint32_t t = wasm_u32(&c->in);
	const struct wasm_typedef *d = type_at(c, t, DEF_STRUCT);
	if (c->failed || c->in.why)
		return;
	const uint32_t *f = c->m->pool + d->first;
	if (with_values)
		wasm_flush_top(c, d->params);
	uint32_t live = wasm_live_refs(c);
	for (uint32_t i = d->params; i-- > 0 && !c->failed;) {
		if (with_values)
			wasm_pop(c, unpacked(f[2 * i]));
		else if (!t_defaultable(f[2 * i]))
			wasm_compile_fail(c, "field has no default");
	}
	uint32_t from = wasm_top_slot(c);
	uint32_t to = wasm_push(c, t_ref(t, false));
	uint32_t at = wasm_emit_op(c,
		with_values ? OP_struct_new : OP_struct_new_default, to, from,
		0);
	wasm_emit_pair(c, t, d->param_slots);
	wasm_add_point(c, at, live);
	wasm_emit_result(c, at);
}

/* The field that an access names; its storage type. */
static uint32_t field(struct wasm_compiler *c, uint32_t *t, uint32_t *slot,
	bool *mutable)
{
	*t = wasm_u32(&c->in);
	const struct wasm_typedef *d = type_at(c, *t, DEF_STRUCT);
	uint32_t i = wasm_u32(&c->in);
	if (d && i >= d->params)
		wasm_compile_fail(c, "unknown field");
	if (c->failed || c->in.why)
		return T_I32;
	const uint32_t *f = c->m->pool + d->first + 2 * i;
	*slot = field_slot(f[1]);
	*mutable = field_mutable(f[1]);
	return f[0];
}

enum { PLAIN, SIGNED, UNSIGNED };

static void struct_get(struct wasm_compiler *c, int sign)
{
	uint32_t t, slot = 0;
	bool mutable;
	uint32_t ft = field(c, &t, &slot, &mutable);
	if (packed(ft) != (sign != PLAIN))
		wasm_compile_fail(c, "field is packed, or is not");
	if (c->failed || c->in.why)
		return;
	struct wasm_val v = wasm_pop(c, t_ref(t, true));
	uint32_t from = wasm_use(c, &v);
	uint32_t to = wasm_push(c, unpacked(ft));
	uint32_t op = ft == T_V128 ? OP_struct_get2 :
		ft == T_I8	   ? OP_struct_get8_s :
		ft == T_I16	   ? OP_struct_get16_s :
				     OP_struct_get;
	op += sign == UNSIGNED;
	wasm_emit_result(c, wasm_emit_op(c, op, to, from, slot));
}

static void struct_set(struct wasm_compiler *c)
{
	uint32_t t, slot = 0;
	bool mutable = true;
	uint32_t ft = field(c, &t, &slot, &mutable);
	if (!mutable)
		wasm_compile_fail(c, "field is immutable");
	if (c->failed || c->in.why)
		return;
	struct wasm_val v = wasm_pop(c, unpacked(ft));
	struct wasm_val o = wasm_pop(c, t_ref(t, true));
	uint32_t to = wasm_use(c, &o), from = wasm_use(c, &v);
	wasm_emit_op(c, ft == T_V128 ? OP_struct_set2 : OP_struct_set, from, to,
		slot);
}

/* --- arrays
 * ------------------------------------------------------------------- */

/* What the operations need to know of the elements: log2 of the size, and 8
 * for what the collector does not follow. */
static uint32_t shape(const struct wasm_compiler *c, uint32_t t)
{
	switch (t) {
	case T_I8:
		return 8;
	case T_I16:
		return 8 | 1;
	case T_I32:
	case T_F32:
		return 8 | 2;
	case T_I64:
	case T_F64:
		return 8 | 3;
	case T_V128:
		return 8 | 4;
	default:
		return wasm_type_collected(c->m, t) ? 3 : 8 | 3;
	}
}

struct array {
	uint32_t t;
	uint32_t elem; /* storage type */
	bool mutable;
};

static bool read_array(struct wasm_compiler *c, struct array *a)
{
	a->t = wasm_u32(&c->in);
	const struct wasm_typedef *d = type_at(c, a->t, DEF_ARRAY);
	if (c->failed || c->in.why)
		return false;
	a->elem = c->m->pool[d->first];
	a->mutable = field_mutable(c->m->pool[d->first + 1]);
	return true;
}

static bool want_mutable(struct wasm_compiler *c, const struct array *a)
{
	if (!a->mutable)
		wasm_compile_fail(c, "array is immutable");
	return !c->failed;
}

/* Pops operands of these types, the last one first, into registers. */
static void operands(struct wasm_compiler *c, const uint32_t *types, int n,
	uint32_t *regs)
{
	struct wasm_val v[5];
	for (int i = n; i-- > 0;)
		v[i] = wasm_pop(c, types[i]);
	for (int i = 0; i < n; i++)
		regs[i] = wasm_use(c, &v[i]);
}

static void array_new(struct wasm_compiler *c, bool with_value)
{
	struct array a;
	uint32_t r[5] = { 0 };
	if (!read_array(c, &a))
		return;
	if (!with_value && !t_defaultable(a.elem))
		wasm_compile_fail(c, "element has no default");
	const uint32_t types[] = { unpacked(a.elem), T_I32 };
	uint32_t live = wasm_live_refs(c);
	if (with_value)
		operands(c, types, 2, r);
	else
		operands(c, types + 1, 1, r + 1);
	uint32_t to = wasm_push(c, t_ref(a.t, false));
	uint32_t at = wasm_emit_op(c,
		with_value ? OP_array_new : OP_array_new_default, to, r[0],
		r[1]);
	wasm_emit_pair(c, a.t, shape(c, a.elem));
	wasm_add_point(c, at, live);
	wasm_emit_result(c, at);
}

enum { MAX_FIXED = 10000 };

static void array_new_fixed(struct wasm_compiler *c)
{
	struct array a;
	if (!read_array(c, &a))
		return;
	uint32_t n = wasm_u32(&c->in);
	if (n > MAX_FIXED)
		wasm_compile_limit(c, "too many elements of a fixed array");
	wasm_flush_top(c, n);
	uint32_t live = wasm_live_refs(c);
	for (uint32_t i = 0; i < n && !c->failed; i++)
		wasm_pop(c, unpacked(a.elem));
	uint32_t from = wasm_top_slot(c);
	uint32_t to = wasm_push(c, t_ref(a.t, false));
	uint32_t at = wasm_emit_op(c, OP_array_new_fixed, to, from, 0);
	wasm_emit_pair(c, a.t, shape(c, a.elem));
	wasm_emit_pair(c, n, 0);
	wasm_add_point(c, at, live);
	wasm_emit_result(c, at);
}

/* A segment named by an instruction on arrays of such elements. */
static uint32_t segment(struct wasm_compiler *c, const struct array *a,
	bool data)
{
	uint32_t s = wasm_u32(&c->in);
	const struct wasm_module *m = c->m;
	if (data) {
		if (t_is_ref(a->elem))
			wasm_compile_fail(c, "array type is not numeric");
		if (!m->has_data_count)
			wasm_cursor_fail(&c->in, "data count section required");
		else if (s >= m->declared_data_count)
			wasm_compile_fail(c, "unknown data segment");
	} else if (s >= m->elem_count) {
		wasm_compile_fail(c, "unknown elem segment");
	} else if (!wasm_type_sub(m, m->elems[s].type, a->elem)) {
		wasm_compile_fail(c, "type mismatch: segment and array");
	}
	return s;
}

static void array_new_segment(struct wasm_compiler *c, bool data)
{
	struct array a;
	uint32_t r[5];
	if (!read_array(c, &a))
		return;
	uint32_t s = segment(c, &a, data);
	uint32_t live = wasm_live_refs(c);
	operands(c, (const uint32_t[]){ T_I32, T_I32 }, 2, r);
	uint32_t to = wasm_push(c, t_ref(a.t, false));
	uint32_t at = wasm_emit_op(c,
		data ? OP_array_new_data : OP_array_new_elem, to, r[0], r[1]);
	wasm_emit_pair(c, a.t, shape(c, a.elem));
	wasm_emit_pair(c, s, 0);
	wasm_add_point(c, at, live);
	wasm_emit_result(c, at);
}

static void array_get(struct wasm_compiler *c, int sign)
{
	struct array a;
	uint32_t r[5];
	if (!read_array(c, &a))
		return;
	if (packed(a.elem) != (sign != PLAIN))
		wasm_compile_fail(c, "array is packed, or is not");
	operands(c, (const uint32_t[]){ t_ref(a.t, true), T_I32 }, 2, r);
	uint32_t to = wasm_push(c, unpacked(a.elem));
	uint32_t at = wasm_emit_op(c, OP_array_get, to, r[0], r[1]);
	wasm_emit_pair(c, shape(c, a.elem) & 7, sign == SIGNED);
	wasm_emit_result(c, at);
}

static void array_set(struct wasm_compiler *c)
{
	struct array a;
	uint32_t r[5];
	if (!read_array(c, &a) || !want_mutable(c, &a))
		return;
	const uint32_t types[] = { t_ref(a.t, true), T_I32, unpacked(a.elem) };
	operands(c, types, 3, r);
	wasm_emit_op(c, OP_array_set, r[2], r[0], r[1]);
	wasm_emit_pair(c, shape(c, a.elem) & 7, 0);
}

static void array_len(struct wasm_compiler *c)
{
	uint32_t r[5];
	const uint32_t type = t_ref(HEAP_ARRAY, true);
	operands(c, &type, 1, r);
	uint32_t to = wasm_push(c, T_I32);
	wasm_emit_result(c, wasm_emit_op(c, OP_array_len, to, r[0], 0));
}

static void array_fill(struct wasm_compiler *c)
{
	struct array a;
	uint32_t r[5];
	if (!read_array(c, &a) || !want_mutable(c, &a))
		return;
	const uint32_t types[] = { t_ref(a.t, true), T_I32, unpacked(a.elem),
		T_I32 };
	operands(c, types, 4, r);
	wasm_emit_op(c, OP_array_fill, r[0], r[1], r[2]);
	wasm_emit_pair(c, (shape(c, a.elem) & 7) | r[3] << 16, 0);
}

/* Elements of one may be copied to the other. */
static bool copies(struct wasm_compiler *c, uint32_t from, uint32_t to)
{
	if (packed(from) || packed(to))
		return from == to;
	return wasm_type_sub(c->m, from, to);
}

static void array_copy(struct wasm_compiler *c)
{
	struct array a, b;
	uint32_t r[5];
	if (!read_array(c, &a) || !read_array(c, &b) || !want_mutable(c, &a))
		return;
	if (!copies(c, b.elem, a.elem)) {
		wasm_compile_fail(c, "array types do not match");
		return;
	}
	const uint32_t types[] = { t_ref(a.t, true), T_I32, t_ref(b.t, true),
		T_I32, T_I32 };
	operands(c, types, 5, r);
	wasm_emit_op(c, OP_array_copy, r[0], r[1], r[2]);
	wasm_emit_pair(c, (shape(c, a.elem) & 7) | r[3] << 16, r[4]);
}

static void array_init(struct wasm_compiler *c, bool data)
{
	struct array a;
	uint32_t r[5];
	if (!read_array(c, &a) || !want_mutable(c, &a))
		return;
	uint32_t s = segment(c, &a, data);
	const uint32_t types[] = { t_ref(a.t, true), T_I32, T_I32, T_I32 };
	operands(c, types, 4, r);
	wasm_emit_op(c, data ? OP_array_init_data : OP_array_init_elem, r[0],
		r[1], r[2]);
	wasm_emit_pair(c, (shape(c, a.elem) & 7) | r[3] << 16, 0);
	wasm_emit_pair(c, s, 0);
}

/* --- i31, conversions
 * ------------------------------------------------------------ */

static void convert(struct wasm_compiler *c, uint32_t op, uint32_t in,
	uint32_t out)
{
	uint32_t r[5];
	operands(c, &in, 1, r);
	uint32_t to = wasm_push(c, out);
	wasm_emit_result(c, wasm_emit_op(c, op, to, r[0], 0));
}

/* Between any and extern: the same bits. */
static void reinterpret(struct wasm_compiler *c, uint32_t from, uint32_t to)
{
	struct wasm_val v = wasm_pop(c, t_ref(from, true));
	wasm_push_val(c, v, t_ref(to, v.type != T_BOT && t_nullable(v.type)));
}

static void arrays(struct wasm_compiler *c, uint32_t op)
{
	switch (op) {
	case 6:
	case 7:
		array_new(c, op == 6);
		break;
	case 8:
		array_new_fixed(c);
		break;
	case 9:
	case 10:
		array_new_segment(c, op == 9);
		break;
	case 14:
		array_set(c);
		break;
	case 15:
		array_len(c);
		break;
	case 16:
		array_fill(c);
		break;
	case 17:
		array_copy(c);
		break;
	case 18:
	case 19:
		array_init(c, op == 18);
		break;
	default:
		array_get(c, (int)op - 11);
	}
}

void wasm_compile_gc(struct wasm_compiler *c)
{
	uint32_t op = wasm_u32(&c->in);
	if (op <= 1)
		struct_new(c, op == 0);
	else if (op <= 4)
		struct_get(c, (int)op - 2);
	else if (op == 5)
		struct_set(c);
	else if (op <= 19)
		arrays(c, op);
	else if (op <= 25)
		wasm_compile_cast(c, op);
	else if (op == 26)
		reinterpret(c, HEAP_EXTERN, HEAP_ANY);
	else if (op == 27)
		reinterpret(c, HEAP_ANY, HEAP_EXTERN);
	else if (op == 28)
		convert(c, OP_ref_i31, T_I32, t_ref(HEAP_I31, false));
	else if (op <= 30)
		convert(c, op == 29 ? OP_i31_get_s : OP_i31_get_u,
			t_ref(HEAP_I31, true), T_I32);
	else
		wasm_cursor_fail(&c->in, "illegal opcode");
}
