/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counted memory.  Every byte that the engine holds for a module or a store
 * is counted in a heap, which refuses to go beyond its limit.
 */
#ifndef WASM_HEAP_PRIV_H
#define WASM_HEAP_PRIV_H

#include "base/base.h"

struct wasm_heap {
	size_t used;
	size_t limit;
};

/* Zeroed memory, or NULL. */
void *wasm_heap_new(struct wasm_heap *h, size_t count, size_t size);
void wasm_heap_free(struct wasm_heap *h, void *p, size_t count, size_t size);
/* realloc; NULL leaves the old block as it was. */
void *wasm_heap_resize(struct wasm_heap *h, void *old, size_t before,
	size_t after);
/* Makes room for `need` elements in a growing array at *(void **)where. */
MUST_USE bool wasm_heap_fit(struct wasm_heap *h, void *where, uint32_t *cap,
	uint64_t need, size_t size);

#define wasm_fit(h, ptr, cap, need)                                     \
	((uint64_t)(need) <= (cap) ? true :                             \
				     wasm_heap_fit((h), (void *)&(ptr), \
					     &(cap), (need), sizeof *(ptr)))

#endif
