/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building: memory.copy and memory.fill within the first memory.  What is
 * short and of known length becomes loads and stores, all others a call of
 * the stub that does it.
 */
#include "wasm/jit/build_priv.h"
#include "wasm/jit/vec_build_priv.h"

/* Below that nothing is to be paid for (wasm/interp/bulk.c), too. */
enum { SHORT = 64, MAX_PIECES = 4 };

/* Pieces by log2 of the size. */
static const struct {
	uint8_t load, store, type;
} pieces[] = { { ACC_U8, ACC_STORE_8, JT_I32 },
	{ ACC_U16, ACC_STORE_16, JT_I32 }, { ACC_32, ACC_STORE_32, JT_ANY32 },
	{ ACC_64, ACC_STORE_64, JT_ANY },
	{ ACC_V128, ACC_STORE_V128, JT_V128 } };

/* n bytes cut into pieces of one size, of which the last may overlap the one
 * before. */
struct cut {
	uint32_t log2, count;
	uint8_t at[MAX_PIECES];
};

static struct cut cut(uint32_t n)
{
	struct cut c = { .log2 = n >= 16 ? 4 :
			n >= 8		 ? 3 :
			n >= 4		 ? 2 :
					   n >= 2 };
	uint32_t size = 1u << c.log2;
	for (uint32_t at = 0; at < n; at += size)
		c.at[c.count++] = (uint8_t)(at + size <= n ? at : n - size);
	return c;
}

/* Piece k at an address; v: what is stored there. */
static uint32_t piece(struct jit_fn *f, const struct cut *c, uint32_t k,
	uint32_t address, uint32_t v)
{
	bool wide = f->m->memories[0].range.is64;
	struct jit_ins x = { .op = v ? J_STORE : J_LOAD,
		.type = v ? JT_NONE : pieces[c->log2].type,
		.cc = v ? pieces[c->log2].store : pieces[c->log2].load,
		.spare = (uint16_t)(1u << c->log2),
		.flags = wide ? JF_WIDE : 0,
		.a = address,
		.b = v,
		.imm = c->at[k] };
	return jit_build_at(f, &x);
}

/*
 * The last piece goes first: when it is within memory, so are all others.
 * Everything is read before anything is written.
 */
static void copy_short(struct jit_fn *f, uint32_t to, uint32_t from, uint32_t n)
{
	struct cut c = cut(n);
	uint32_t v[MAX_PIECES] = { 0 };
	for (uint32_t k = c.count; k-- > 0;)
		v[k] = piece(f, &c, k, from, 0);
	for (uint32_t k = c.count; k-- > 0 && !f->failed;)
		piece(f, &c, k, to, v[k]);
}

static uint32_t repeated(struct jit_fn *f, uint32_t byte, bool vector)
{
	uint64_t k;
	uint32_t v = jit_pure2(f, J_AND, JT_I64, byte, jit_const(f, 0xff));
	v = jit_pure2(f, J_MUL, JT_I64, v, jit_const(f, 0x0101010101010101));
	if (!vector)
		return v;
	return jit_is_const(f, v, &k) ? jit_k128(f, k, k) :
					jit_vec_splat_op(f, OP_i64x2_splat, v);
}

static void fill_short(struct jit_fn *f, uint32_t to, uint32_t byte, uint32_t n)
{
	struct cut c = cut(n);
	uint32_t v = repeated(f, byte, c.log2 == 4);
	for (uint32_t k = c.count; k-- > 0 && !f->failed;)
		piece(f, &c, k, to, v);
}

bool jit_build_bulk(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	bool copy = op == OP_memory_copy;
	if ((!copy && op != OP_memory_fill) || w[1].u64)
		return false;
	uint32_t a = jit_read(f, w->a), b = jit_read(f, w->b);
	uint32_t c = jit_read(f, w->c);
	uint64_t n;
	if (jit_is_const(f, c, &n) && n && n < SHORT) {
		if (copy)
			copy_short(f, a, b, (uint32_t)n);
		else
			fill_short(f, a, b, (uint32_t)n);
		return true;
	}
	uint32_t first = jit_args(f, 3);
	if (f->failed)
		return true;
	f->args[first] = a;
	f->args[first + 1] = b;
	f->args[first + 2] = c;
	f->calls = true;
	jit_add(f,
		&(struct jit_ins){ .op = copy ? J_COPY : J_FILL,
			.b = first,
			.c = 3 });
	return true;
}
