/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/heap_priv.h"

#include <stdlib.h>

#include "base/must.h"

static bool heap_take(struct wasm_heap *h, size_t bytes)
{
	size_t used;
	if (!size_add(h->used, bytes, &used) || used > h->limit)
		return false;
	h->used = used;
	return true;
}

void *wasm_heap_new(struct wasm_heap *h, size_t count, size_t size)
{
	size_t bytes;
	if (!size_mul(count ? count : 1, size, &bytes) || !heap_take(h, bytes))
		return NULL;
	void *p = calloc(count ? count : 1, size);
	if (!p)
		h->used -= bytes;
	return p;
}

void wasm_heap_free(struct wasm_heap *h, void *p, size_t count, size_t size)
{
	if (!p)
		return;
	size_t bytes = (count ? count : 1) * size;
	must(bytes <= h->used);
	h->used -= bytes;
	free(p);
}

void *wasm_heap_resize(struct wasm_heap *h, void *old, size_t before,
	size_t after)
{
	if (!old)
		before = 0;
	if (!after)
		after = 1;
	if (after > before && !heap_take(h, after - before))
		return NULL;
	void *p = realloc(old, after);
	if (!p) {
		if (after > before)
			h->used -= after - before;
		return NULL;
	}
	if (after < before)
		h->used -= before - after;
	return p;
}

bool wasm_heap_fit(struct wasm_heap *h, void *where, uint32_t *cap,
	uint64_t need, size_t size)
{
	uint64_t n = *cap ? *cap : 8;
	while (n < need)
		n *= 2;
	size_t bytes;
	if (n > UINT32_MAX || !size_mul((size_t)n, size, &bytes))
		return false;
	void *old;
	memcpy(&old, where, sizeof old);
	void *p = wasm_heap_resize(h, old, *cap * size, bytes);
	if (!p)
		return false;
	memcpy(where, &p, sizeof p);
	*cap = (uint32_t)n;
	return true;
}
