/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Building: memory.copy and memory.fill within the first memory.  What is
 * short and of known length becomes loads and stores, all others a call of
 * the stub that does it.
 */
#include "wasm/jit/build_priv.h"

/* Below that nothing is to be paid for (wasm/interp/bulk.c), too. */
enum { SHORT = 64, PIECE = 8 };

/* Places in the lists of loads and stores, by log2 of the size. */
static const struct {
	uint8_t load, store;
} pieces[] = { { 3, 2 }, { 5, 3 }, { 0, 0 }, { 1, 1 } };

/* Pieces of n bytes: all of one size, of which the last may overlap the one
 * before. */
struct cut {
	uint32_t log2, count;
	uint8_t at[SHORT / PIECE];
};

static struct cut cut(uint32_t n)
{
	struct cut c = { .log2 = n >= 8 ? 3 : n >= 4 ? 2 : n >= 2 };
	uint32_t size = 1u << c.log2;
	for (uint32_t at = 0; at < n; at += size)
		c.at[c.count++] = (uint8_t)(at + size <= n ? at : n - size);
	return c;
}

/*
 * The last piece goes first: when it is within memory, so are all others.
 * Everything is read before anything is written.
 */
static void copy_short(struct jit_fn *f, uint32_t to, uint32_t from, uint32_t n,
	bool wide)
{
	struct cut c = cut(n);
	uint32_t v[SHORT / PIECE];
	for (uint32_t k = c.count; k-- > 0;)
		v[k] = jit_build_plain(f, false, pieces[c.log2].load, from,
			c.at[k], wide, 0);
	for (uint32_t k = c.count; k-- > 0;)
		jit_build_plain(f, true, pieces[c.log2].store, to, c.at[k],
			wide, v[k]);
}

static void fill_short(struct jit_fn *f, uint32_t to, uint32_t byte, uint32_t n,
	bool wide)
{
	struct cut c = cut(n);
	uint32_t v = jit_pure2(f, J_AND, JT_I64, byte, jit_const(f, 0xff));
	v = jit_pure2(f, J_MUL, JT_I64, v, jit_const(f, 0x0101010101010101));
	for (uint32_t k = c.count; k-- > 0;)
		jit_build_plain(f, true, pieces[c.log2].store, to, c.at[k],
			wide, v);
}

bool jit_build_bulk(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	bool copy = op == OP_memory_copy;
	if ((!copy && op != OP_memory_fill) || w[1].u64)
		return false;
	uint32_t a = jit_read(f, w->a), b = jit_read(f, w->b);
	uint32_t c = jit_read(f, w->c);
	bool wide = f->m->memories[0].range.is64;
	uint64_t n;
	if (jit_is_const(f, c, &n) && n && n < SHORT) {
		if (copy)
			copy_short(f, a, b, (uint32_t)n, wide);
		else
			fill_short(f, a, b, (uint32_t)n, wide);
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
		(struct jit_ins){ .op = copy ? J_COPY : J_FILL,
			.b = first,
			.c = 3 });
	return true;
}
