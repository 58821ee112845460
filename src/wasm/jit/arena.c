/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of one compilation, and its limits. */
#include "wasm/jit/ir_priv.h"
#include "wasm/jit/jit_priv.h"

enum { CHUNK = 256 << 10, MAX_KEPT = 1 };

struct jit_chunk {
	struct jit_chunk *next;
	size_t size; /* with this header */
	uint64_t data[];
};

bool jit_work(struct jit_fn *f, uint64_t n)
{
	f->work += n;
	return f->work <= f->max_work || jit_fail(f, JIT_TOO_MUCH_WORK);
}

static bool more(struct jit_fn *f, size_t n)
{
	struct jit_arena *a = &f->arena;
	size_t size = sizeof(struct jit_chunk) + (n > CHUNK ? n : CHUNK);
	struct jit_chunk *c = a->kept;
	a->taken += size;
	if (a->taken > a->most)
		return jit_fail(f, JIT_TOO_MUCH_MEMORY);
	if (c && n <= CHUNK)
		a->kept = c->next;
	else
		c = wasm_heap_resize(a->heap, NULL, 0, size);
	if (!c)
		return jit_fail(f, JIT_NO_MEMORY);
	c->next = a->chunks;
	c->size = size;
	a->chunks = c;
	a->used = 0;
	a->cap = size - sizeof *c;
	return true;
}

/* Not cleared. */
static void *take(struct jit_fn *f, size_t count, size_t size, size_t *bytes)
{
	struct jit_arena *a = &f->arena;
	size_t n;
	if (f->failed || !size_mul(count, size, &n) || n > SIZE_MAX / 4) {
		jit_fail(f, JIT_NO_MEMORY);
		return NULL;
	}
	n = (n + 15) & ~(size_t)15;
	if (a->cap - a->used < n && !more(f, n))
		return NULL;
	void *p = (uint8_t *)a->chunks->data + a->used;
	a->used += n;
	*bytes = n;
	return p;
}

void *jit_alloc(struct jit_fn *f, size_t count, size_t size)
{
	size_t n;
	void *p = take(f, count, size, &n);
	if (p)
		memset(p, 0, n);
	return p;
}

bool jit_grow(struct jit_fn *f, void *where, uint32_t *cap, uint64_t need,
	size_t size)
{
	struct jit_arena *a = &f->arena;
	uint64_t n = *cap ? *cap : 16;
	uint8_t *old;
	size_t bytes;
	while (n < need)
		n *= 2;
	memcpy(&old, where, sizeof old);
	if (n > UINT32_MAX)
		return jit_fail(f, JIT_NO_MEMORY);
	/* What was taken last only gets longer. */
	size_t was = (*cap * size + 15) & ~(size_t)15;
	if (old && !f->failed &&
		old + was == (uint8_t *)a->chunks->data + a->used &&
		(n * size + 15) - was <= a->cap - a->used) {
		a->used += ((n * size + 15) & ~(size_t)15) - was;
		*cap = (uint32_t)n;
		return true;
	}
	void *p = take(f, (size_t)n, size, &bytes);
	if (!p)
		return false;
	if (old)
		memcpy(p, old, *cap * size);
	memcpy(where, &p, sizeof p);
	*cap = (uint32_t)n;
	return true;
}

static void release(struct jit_arena *a, struct jit_chunk **list)
{
	while (*list) {
		struct jit_chunk *c = *list;
		*list = c->next;
		wasm_heap_free(a->heap, c, 1, c->size);
	}
}

/* The next compilation takes over some chunks of the usual size. */
void jit_arena_reset(struct jit_arena *a)
{
	uint32_t n = 0;
	for (const struct jit_chunk *c = a->kept; c; c = c->next)
		n++;
	for (struct jit_chunk **at = &a->chunks; *at;) {
		struct jit_chunk *c = *at;
		if (n == MAX_KEPT || c->size != sizeof *c + CHUNK) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		c->next = a->kept;
		a->kept = c;
		n++;
	}
	release(a, &a->chunks);
	a->used = a->cap = 0;
}

void jit_arena_fini(struct jit_arena *a)
{
	release(a, &a->chunks);
	release(a, &a->kept);
}
