/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of one compilation, and its limits. */
#include "base/must.h"
#include "wasm/jit/ir_priv.h"
#include "wasm/jit/jit_priv.h"

enum { CHUNK = 64 << 10 };

struct jit_chunk {
	struct jit_chunk *next;
	size_t size; /* with this header */
	uint64_t data[];
};

bool jit_fail(struct jit_fn *f, const char *why)
{
	if (!f->failed)
		f->failed = why;
	return false;
}

bool jit_bug(struct jit_fn *f, const char *what)
{
	if (f->jit->verify)
		must_failed(what, "function", (int)f->func->index);
	return jit_fail(f, "the compiler erred");
}

bool jit_work(struct jit_fn *f, uint64_t n)
{
	f->work += n;
	return f->work <= f->max_work || jit_fail(f, "too much work");
}

static bool more(struct jit_arena *a, size_t n)
{
	size_t size = sizeof(struct jit_chunk) + (n > CHUNK ? n : CHUNK);
	struct jit_chunk *c = wasm_heap_new(a->heap, 1, size);
	if (!c)
		return false;
	c->next = a->chunks;
	c->size = size;
	a->chunks = c;
	a->used = 0;
	a->cap = size - sizeof *c;
	return true;
}

void *jit_alloc(struct jit_fn *f, size_t count, size_t size)
{
	struct jit_arena *a = &f->arena;
	size_t n;
	if (f->failed || !size_mul(count, size, &n) || n > SIZE_MAX / 4) {
		jit_fail(f, "out of memory");
		return NULL;
	}
	n = (n + 15) & ~(size_t)15;
	if (a->cap - a->used < n && !more(a, n)) {
		jit_fail(f, "out of memory");
		return NULL;
	}
	void *p = (uint8_t *)a->chunks->data + a->used;
	a->used += n;
	return p;
}

void jit_arena_fini(struct jit_arena *a)
{
	while (a->chunks) {
		struct jit_chunk *c = a->chunks;
		a->chunks = c->next;
		wasm_heap_free(a->heap, c, 1, c->size);
	}
	a->used = a->cap = 0;
}
