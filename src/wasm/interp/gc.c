/* SPDX-License-Identifier: Apache-2.0 */
/* Structs, arrays, i31, casts. */
#include "wasm/interp/bulk_priv.h"
#include "wasm/object_priv.h"

enum { NUMBERS = 8, LOG2 = 7 };

static uint64_t ref(const struct wasm_object *o)
{
	return (uint64_t)(uintptr_t)o;
}

/* Lets the collector see what is in use. */
#define SAVE_FRAME() (x->ip = ip, x->fp = fp)

/* --- structs -----------------------------------------------------------------
 */

static struct wasm_object *new_struct(struct wasm_exec *x, uint32_t type)
{
	const struct wasm_module *m = x->inst->module;
	const struct wasm_typedef *d = &m->types[type];
	struct wasm_object *o = wasm_object_new(x, OBJECT_STRUCT,
		x->inst->canon[type], d->param_slots * sizeof(uint64_t));
	if (o) {
		o->refs = m->pool + d->refs_first;
		o->count = d->ref_count;
	}
	return o;
}

/* a result, b values; type, slots */
OP(struct_new)
{
	uint32_t n = ip[1].high;
	SAVE_FRAME();
	struct wasm_object *o = new_struct(x, ip[1].low);
	if (!o)
		TRAP(LIMIT);
	for (uint32_t i = 0; i < n; i++)
		o->data[i] = fp[ip->b + i];
	fp[ip->a] = ref(o);
	NEXT(2);
}

OP(struct_new_default)
{
	SAVE_FRAME();
	struct wasm_object *o = new_struct(x, ip[1].low);
	if (!o)
		TRAP(LIMIT);
	fp[ip->a] = ref(o);
	NEXT(2);
}

#define STRUCT(r)                                       \
	struct wasm_object *o = wasm_ref_object(fp[r]); \
	if (UNLIKELY(!o))                               \
	TRAP(NULL_STRUCT)

#define STRUCT_GET(name, T, U)              \
	OP(name)                            \
	{                                   \
		STRUCT(ip->b);              \
		U v = (U)(T)o->data[ip->c]; \
		fp[ip->a] = v;              \
		NEXT(1);                    \
	}

/* clang-format off */
STRUCT_GET(struct_get, uint64_t, uint64_t)
STRUCT_GET(struct_get8_s, int8_t, uint32_t)
STRUCT_GET(struct_get8_u, uint8_t, uint32_t)
STRUCT_GET(struct_get16_s, int16_t, uint32_t)
STRUCT_GET(struct_get16_u, uint16_t, uint32_t)
/* clang-format on */

OP(struct_get2)
{
	STRUCT(ip->b);
	fp[ip->a] = o->data[ip->c];
	fp[ip->a + 1] = o->data[ip->c + 1];
	NEXT(1);
}

OP(struct_set)
{
	STRUCT(ip->b);
	o->data[ip->c] = fp[ip->a];
	NEXT(1);
}

OP(struct_set2)
{
	STRUCT(ip->b);
	o->data[ip->c] = fp[ip->a];
	o->data[ip->c + 1] = fp[ip->a + 1];
	NEXT(1);
}

/* --- arrays
 * ------------------------------------------------------------------- */

static struct wasm_object *new_array(struct wasm_exec *x, uint32_t type,
	uint32_t shape, uint32_t count)
{
	struct wasm_object *o = wasm_object_new(x, OBJECT_ARRAY,
		x->inst->canon[type], (uint64_t)count << (shape & LOG2));
	if (o) {
		o->count = count;
		o->numbers = shape & NUMBERS;
	}
	return o;
}

static void get_elem(const struct wasm_object *o, uint64_t i, uint32_t log2,
	bool sign, uint64_t *to)
{
	const uint8_t *from = (const uint8_t *)o->data + (i << log2);
	uint64_t v = 0;
	memcpy(&v, from, log2 > 3 ? 8 : 1u << log2);
	to[0] = v;
	if (log2 > 3)
		memcpy(&to[1], from + 8, 8);
	if (sign) {
		int32_t s = log2 ? (int16_t)v : (int8_t)v;
		to[0] = (uint32_t)s;
	}
}

static uint8_t *elem_at(struct wasm_object *o, uint64_t i, uint32_t log2)
{
	return (uint8_t *)o->data + (i << log2);
}

static void set_elem(struct wasm_object *o, uint64_t i, uint32_t log2,
	const uint64_t *from)
{
	memcpy(elem_at(o, i, log2), from, 1u << log2);
}

/* a result, b value, c count; type, shape */
OP(array_new)
{
	uint32_t n = (uint32_t)fp[ip->c], log2 = ip[1].high & LOG2;
	SAVE_FRAME();
	struct wasm_object *o = new_array(x, ip[1].low, ip[1].high, n);
	if (!o)
		TRAP(LIMIT);
	if (!wasm_bulk_repeat(x, o->data, fp + ip->b, 1u << log2, n))
		GOTO(halt);
	fp[ip->a] = ref(o);
	NEXT(2);
}

OP(array_new_default)
{
	uint32_t n = (uint32_t)fp[ip->c];
	SAVE_FRAME();
	struct wasm_object *o = new_array(x, ip[1].low, ip[1].high, n);
	if (!o)
		TRAP(LIMIT);
	fp[ip->a] = ref(o);
	/* It came cleared. */
	if (!wasm_exec_work(x, o->bytes / 64))
		GOTO(halt);
	NEXT(2);
}

/* a result, b first value; type, shape; count */
OP(array_new_fixed)
{
	uint32_t n = ip[2].low, log2 = ip[1].high & LOG2;
	SAVE_FRAME();
	struct wasm_object *o = new_array(x, ip[1].low, ip[1].high, n);
	if (!o)
		TRAP(LIMIT);
	for (uint32_t i = 0; i < n; i++)
		set_elem(o, i, log2, fp + ip->b + (log2 > 3 ? 2 * i : i));
	fp[ip->a] = ref(o);
	NEXT(3);
}

/* a result, b from, c count; type, shape; segment */
OP(array_new_data)
{
	const struct wasm_datadef *s = &x->inst->module->datas[ip[2].low];
	uint64_t from = (uint32_t)fp[ip->b];
	uint32_t n = (uint32_t)fp[ip->c];
	uint64_t have = x->inst->data_dropped[ip[2].low] ? 0 : s->bytes.len;
	uint64_t bytes = (uint64_t)n << (ip[1].high & LOG2);
	SAVE_FRAME();
	if (wasm_outside(from, bytes, have))
		TRAP(MEMORY);
	struct wasm_object *o = new_array(x, ip[1].low, ip[1].high, n);
	if (!o)
		TRAP(LIMIT);
	if (bytes && !wasm_bulk_move(x, o->data, s->bytes.ptr + from, bytes))
		GOTO(halt);
	fp[ip->a] = ref(o);
	NEXT(3);
}

OP(array_new_elem)
{
	const struct wasm_elemdef *s = &x->inst->module->elems[ip[2].low];
	const uint64_t *refs = x->inst->elem_refs[ip[2].low];
	uint64_t from = (uint32_t)fp[ip->b];
	uint32_t n = (uint32_t)fp[ip->c];
	SAVE_FRAME();
	if (wasm_outside(from, n, refs ? s->count : 0))
		TRAP(TABLE);
	struct wasm_object *o = new_array(x, ip[1].low, ip[1].high, n);
	if (!o)
		TRAP(LIMIT);
	if (n && !wasm_bulk_move(x, o->data, refs + from, n * sizeof *refs))
		GOTO(halt);
	fp[ip->a] = ref(o);
	NEXT(3);
}

#define ARRAY(o, r)                                     \
	struct wasm_object *o = wasm_ref_object(fp[r]); \
	if (UNLIKELY(!o))                               \
	TRAP(NULL_ARRAY)

/* a result, b array, c index; log2, signed */
OP(array_get)
{
	ARRAY(o, ip->b);
	uint32_t i = (uint32_t)fp[ip->c];
	if (UNLIKELY(i >= o->count))
		TRAP(ARRAY);
	get_elem(o, i, ip[1].low, ip[1].high, fp + ip->a);
	NEXT(2);
}

/* a value, b array, c index; log2 */
OP(array_set)
{
	ARRAY(o, ip->b);
	uint32_t i = (uint32_t)fp[ip->c];
	if (UNLIKELY(i >= o->count))
		TRAP(ARRAY);
	set_elem(o, i, ip[1].low, fp + ip->a);
	NEXT(2);
}

OP(array_len)
{
	ARRAY(o, ip->b);
	fp[ip->a] = o->count;
	NEXT(1);
}

/* a array, b index, c value; log2, a count */
OP(array_fill)
{
	ARRAY(o, ip->a);
	uint32_t i = (uint32_t)fp[ip->b], n = (uint32_t)fp[ip[1].a];
	if (wasm_outside(i, n, o->count))
		TRAP(ARRAY);
	if (!wasm_bulk_repeat(x, elem_at(o, i, ip[1].op), fp + ip->c,
		    1u << ip[1].op, n))
		GOTO(halt);
	NEXT(2);
}

/* a array, b index, c array; log2, a index, high: count */
OP(array_copy)
{
	ARRAY(o, ip->a);
	ARRAY(from, ip->c);
	uint64_t to = (uint32_t)fp[ip->b], at = (uint32_t)fp[ip[1].a];
	uint64_t n = (uint32_t)fp[ip[1].high];
	uint32_t log2 = ip[1].op;
	if (wasm_outside(to, n, o->count) || wasm_outside(at, n, from->count))
		TRAP(ARRAY);
	if (!wasm_bulk_move(x, elem_at(o, to, log2), elem_at(from, at, log2),
		    n << log2))
		GOTO(halt);
	NEXT(2);
}

/* a array, b index, c from; log2, a count; segment */
OP(array_init_data)
{
	ARRAY(o, ip->a);
	const struct wasm_datadef *s = &x->inst->module->datas[ip[2].low];
	uint64_t to = (uint32_t)fp[ip->b], from = (uint32_t)fp[ip->c];
	uint64_t n = (uint32_t)fp[ip[1].a];
	uint32_t log2 = ip[1].op;
	uint64_t have = x->inst->data_dropped[ip[2].low] ? 0 : s->bytes.len;
	if (wasm_outside(to, n, o->count))
		TRAP(ARRAY);
	if (wasm_outside(from, n << log2, have))
		TRAP(MEMORY);
	if (n &&
		!wasm_bulk_move(x, elem_at(o, to, log2), s->bytes.ptr + from,
			n << log2))
		GOTO(halt);
	NEXT(3);
}

OP(array_init_elem)
{
	ARRAY(o, ip->a);
	const struct wasm_elemdef *s = &x->inst->module->elems[ip[2].low];
	const uint64_t *refs = x->inst->elem_refs[ip[2].low];
	uint64_t to = (uint32_t)fp[ip->b], from = (uint32_t)fp[ip->c];
	uint64_t n = (uint32_t)fp[ip[1].a];
	if (wasm_outside(to, n, o->count))
		TRAP(ARRAY);
	if (wasm_outside(from, n, refs ? s->count : 0))
		TRAP(TABLE);
	if (n &&
		!wasm_bulk_move(x, o->data + to, refs + from, n * sizeof *refs))
		GOTO(halt);
	NEXT(3);
}

/* --- references
 * ----------------------------------------------------------------- */

/* a result, b reference, c null is one; heap type and its top */
OP(ref_test)
{
	uint64_t v = fp[ip->b];
	bool is = v ? wasm_ref_is(x, v, ip[1].low, ip[1].high) : ip->c != 0;
	fp[ip->a] = is;
	NEXT(2);
}

OP(ref_cast)
{
	uint64_t v = fp[ip->b];
	if (!(v ? wasm_ref_is(x, v, ip[1].low, ip[1].high) : ip->c != 0))
		TRAP(CAST);
	NEXT(2);
}

OP(ref_eq)
{
	uint64_t l = fp[ip->b], r = fp[ip->c];
	fp[ip->a] = l == r;
	NEXT(1);
}

/* An i31 is its number, shifted, with the lowest bit set. */
OP(ref_i31)
{
	fp[ip->a] = (uint32_t)fp[ip->b] << 1 | 1;
	NEXT(1);
}

OP(i31_get_s)
{
	uint64_t v = fp[ip->b];
	if (!v)
		TRAP(NULL_I31);
	int32_t n = (int32_t)(uint32_t)v >> 1;
	fp[ip->a] = (uint32_t)n;
	NEXT(1);
}

OP(i31_get_u)
{
	uint64_t v = fp[ip->b];
	if (!v)
		TRAP(NULL_I31);
	fp[ip->a] = (uint32_t)v >> 1;
	NEXT(1);
}
