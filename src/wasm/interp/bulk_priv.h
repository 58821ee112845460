/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long operations on memories, tables and arrays: done in pieces of 1 MiB so
 * that they can be interrupted, 64 bytes are a unit of work.  Each is false
 * when the call is to stop; then it is done in part.
 */
#ifndef WASM_INTERP_BULK_PRIV_H
#define WASM_INTERP_BULK_PRIV_H

#include "wasm/interp/exec_priv.h"

/* n bytes of value v. */
bool wasm_bulk_set(struct wasm_exec *x, void *to, int v, uint64_t n);
/* n bytes; they may overlap. */
bool wasm_bulk_move(struct wasm_exec *x, void *to, const void *from,
	uint64_t n);
/* count times the element of `size` bytes. */
bool wasm_bulk_repeat(struct wasm_exec *x, void *to, const void *element,
	uint32_t size, uint64_t count);

static inline bool wasm_outside(uint64_t at, uint64_t n, uint64_t len)
{
	return at > len || n > len - at;
}

#endif
