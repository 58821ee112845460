/* SPDX-License-Identifier: Apache-2.0 */
/* Building: what goes by pointers.  Tables, memories behind the first one,
 * structs, arrays. */
#include "wasm/jit/build_priv.h"

#include "wasm/object_priv.h"

#define ELEMENTS ((uint64_t)offsetof(struct wasm_object, data))

uint32_t jit_build_pointer(struct jit_fn *f, uint32_t address, uint64_t offset,
	uint32_t size, bool wide, bool aligned)
{
	return jit_add(f,
		&(struct jit_ins){ .op = J_POINTER,
			.type = JT_I64,
			.in = wide ? JT_I64 : JT_I32,
			.flags = wide ? JF_WIDE : 0,
			.cc = aligned,
			.a = address,
			.c = f->memory,
			.spare = (uint16_t)size,
			.imm = offset });
}

static uint32_t get(struct jit_fn *f, uint32_t pointer, uint64_t at,
	uint32_t kind, uint32_t type)
{
	return jit_add(f,
		&(struct jit_ins){ .op = J_GET,
			.type = (uint8_t)type,
			.cc = (uint8_t)kind,
			.a = pointer,
			.imm = at });
}

static void put(struct jit_fn *f, uint32_t pointer, uint64_t at, uint32_t kind,
	uint32_t in, uint32_t v)
{
	jit_add(f,
		&(struct jit_ins){ .op = J_PUT,
			.in = (uint8_t)in,
			.cc = (uint8_t)kind,
			.a = pointer,
			.b = v,
			.imm = at });
}

static void check(struct jit_fn *f, uint32_t v, uint32_t trap)
{
	jit_add(f,
		&(struct jit_ins){ .op = J_CHECK,
			.cc = (uint8_t)trap,
			.a = v });
}

/* What lies at an address of the store's. */
static uint32_t get_fixed(struct jit_fn *f, const uint64_t *at)
{
	return get(f, jit_const(f, (uint64_t)(uintptr_t)at), 0, ACC_64, JT_I64);
}

/* --- tables, memories -------------------------------------------------------
 */

static uint32_t slot(struct jit_fn *f, const union wasm_word *w)
{
	bool wide = f->m->tables[w[1].low].range.is64;
	return jit_add(f,
		&(struct jit_ins){ .op = J_SLOT,
			.type = JT_I64,
			.in = wide ? JT_I64 : JT_I32,
			.a = jit_read(f, w->b),
			.c = w[1].low });
}

static void memory_size(struct jit_fn *f, const union wasm_word *w)
{
	uint32_t v = w->high ?
		get_fixed(f, &f->inst->memories[w->high]->range.min) :
		jit_add(f,
			&(struct jit_ins){ .op = J_MEMORY_SIZE,
				.type = JT_I64 });
	jit_write(f, w->a, v);
}

static bool whole(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	switch (op) {
	case OP_memory_use:
		f->memory = w->high;
		return true;
	case OP_memory_size:
		memory_size(f, w);
		return true;
	case OP_table_size:
		jit_write(f, w->a,
			get_fixed(f, &f->inst->tables[w->high]->range.min));
		return true;
	case OP_table_get:
		jit_write(f, w->a, get(f, slot(f, w), 0, ACC_64, JT_I64));
		return true;
	case OP_table_set:
		put(f, slot(f, w), 0, ACC_STORE_SLOT, JT_I64,
			jit_read(f, w->a));
		return true;
	default:
		return false;
	}
}

/* --- structs, arrays --------------------------------------------------------
 */

static uint32_t object(struct jit_fn *f, const union wasm_word *w,
	uint32_t trap)
{
	uint32_t v = jit_read(f, w->b);
	check(f, v, trap);
	return v;
}

static bool structs(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	static const struct {
		uint16_t op;
		uint8_t kind, type;
	} gets[] = {
		{ OP_struct_get, ACC_64, JT_ANY },
		{ OP_struct_get2, ACC_V128, JT_V128 },
		{ OP_struct_get8_s, ACC_S8_32, JT_I32 },
		{ OP_struct_get8_u, ACC_U8, JT_I32 },
		{ OP_struct_get16_s, ACC_S16_32, JT_I32 },
		{ OP_struct_get16_u, ACC_U16, JT_I32 },
	};
	bool two = op == OP_struct_set2 || op == OP_struct_get2;
	uint32_t var = w->a + (two ? f->slots : 0);
	uint64_t at = ELEMENTS + w->c * 8ull;
	for (size_t k = 0; k < ARRAY_LEN(gets); k++) {
		if (gets[k].op != op)
			continue;
		uint32_t o = object(f, w, WASM_TRAP_NULL_STRUCT);
		jit_write(f, var, get(f, o, at, gets[k].kind, gets[k].type));
		return true;
	}
	if (op != OP_struct_set && op != OP_struct_set2)
		return false;
	put(f, object(f, w, WASM_TRAP_NULL_STRUCT), at, ACC_STORE_SLOT,
		two ? JT_V128 : JT_ANY, jit_read(f, var));
	return true;
}

static uint32_t element(struct jit_fn *f, const union wasm_word *w)
{
	uint32_t o = object(f, w, WASM_TRAP_NULL_ARRAY);
	return jit_add(f,
		&(struct jit_ins){ .op = J_ELEM,
			.type = JT_I64,
			.cc = (uint8_t)w[1].low,
			.a = o,
			.b = jit_read(f, w->c) });
}

static void array_get(struct jit_fn *f, const union wasm_word *w)
{
	static const struct {
		uint8_t kind, type;
	} gets[] = { { ACC_U8, JT_I32 }, { ACC_U16, JT_I32 },
		{ ACC_32, JT_ANY32 }, { ACC_64, JT_ANY },
		{ ACC_V128, JT_V128 } };
	uint32_t log2 = w[1].low, kind = gets[log2].kind;
	if (w[1].high)
		kind = log2 ? ACC_S16_32 : ACC_S8_32;
	jit_write(f, jit_word_result(f, w, OP_array_get),
		get(f, element(f, w), ELEMENTS, kind, gets[log2].type));
}

static void array_set(struct jit_fn *f, const union wasm_word *w)
{
	static const struct {
		uint8_t kind, in;
	} puts[] = { { ACC_STORE_8, JT_I32 }, { ACC_STORE_16, JT_I32 },
		{ ACC_STORE_32, JT_ANY32 }, { ACC_STORE_SLOT, JT_ANY },
		{ ACC_STORE_SLOT, JT_V128 } };
	uint32_t log2 = w[1].low, at = element(f, w);
	put(f, at, ELEMENTS, puts[log2].kind, puts[log2].in,
		jit_read(f, w->a + (log2 > 3 ? f->slots : 0)));
}

static bool arrays(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	switch (op) {
	case OP_array_len:
		jit_write(f, w->a,
			get(f, object(f, w, WASM_TRAP_NULL_ARRAY),
				offsetof(struct wasm_object, count), ACC_32,
				JT_I32));
		return true;
	case OP_array_get:
		array_get(f, w);
		return true;
	case OP_array_set:
		array_set(f, w);
		return true;
	default:
		return false;
	}
}

/* --- references -------------------------------------------------------------
 */

static uint32_t narrow(struct jit_fn *f, uint32_t op, uint32_t v, uint64_t k)
{
	return jit_pure2(f, op, JT_I32, v, jit_const(f, k));
}

static bool references(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	uint32_t v;
	switch (op) {
	case OP_ref_eq:
		v = jit_pure(f,
			&(struct jit_ins){ .op = J_ICMP,
				.type = JT_I32,
				.cc = CC_E,
				.in = JT_I64,
				.a = jit_read(f, w->b),
				.b = jit_read(f, w->c) });
		break;
	case OP_ref_i31:
		v = narrow(f, J_OR, narrow(f, J_SHL, jit_read(f, w->b), 1), 1);
		break;
	case OP_i31_get_s:
	case OP_i31_get_u:
		v = object(f, w, WASM_TRAP_NULL_I31);
		v = narrow(f, op == OP_i31_get_s ? J_SAR : J_SHR, v, 1);
		break;
	default:
		return false;
	}
	jit_write(f, w->a, v);
	return true;
}

/* --- tests and casts -------------------------------------------------------
 */

/* Whether v, which is not null, is one of those; 0: left to a step.  Types
 * that are final have nothing below them. */
static uint32_t is_one(struct jit_fn *f, uint32_t v, uint32_t heap,
	uint32_t top)
{
	if (heap == HEAP_I31)
		return narrow(f, J_AND, v, 1);
	if (heap >= HEAP_ABS || (top != HEAP_ANY && top != HEAP_FUNC))
		return 0;
	uint32_t want = f->inst->canon[heap];
	uint32_t type = jit_pure(f,
		&(struct jit_ins){ .op = J_TYPE,
			.type = JT_I32,
			.a = v,
			.imm = top == HEAP_FUNC ?
				offsetof(struct wasm_func, sig) :
				offsetof(struct wasm_object, type) });
	if (f->m->types[heap].final)
		return jit_pure(f,
			&(struct jit_ins){ .op = J_ICMP,
				.type = JT_I32,
				.cc = CC_E,
				.in = JT_I32,
				.a = type,
				.b = jit_const(f, want) });
	return jit_pure(f,
		&(struct jit_ins){ .op = J_BELOW,
			.type = JT_I32,
			.a = type,
			.imm = want });
}

static bool tests(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	/* Speculation may not look where an i31 leads to. */
	if ((op != OP_ref_test && op != OP_ref_cast) || f->jit->mask)
		return false;
	uint32_t v = jit_read(f, w->b);
	uint32_t is = is_one(f, v, w[1].low, w[1].high);
	if (!is)
		return f->failed;
	if (w->c)
		is = jit_pure2(f, J_OR, JT_I32, is,
			jit_pure(f,
				&(struct jit_ins){ .op = J_ICMP,
					.type = JT_I32,
					.cc = CC_E,
					.in = JT_I64,
					.a = v,
					.b = jit_const(f, 0) }));
	if (op == OP_ref_test)
		jit_write(f, w->a, is);
	else
		check(f, is, WASM_TRAP_CAST);
	return true;
}

bool jit_build_ref(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	return whole(f, w, op) || structs(f, w, op) || arrays(f, w, op) ||
		references(f, w, op) || tests(f, w, op);
}
