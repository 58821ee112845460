/* SPDX-License-Identifier: Apache-2.0 */
/* Building: what its files share. */
#ifndef WASM_JIT_BUILD_PRIV_H
#define WASM_JIT_BUILD_PRIV_H

#include "wasm/jit/ir_priv.h"
#include "wasm/jit/x64_priv.h"

uint32_t jit_read(struct jit_fn *f, uint32_t var);
void jit_write(struct jit_fn *f, uint32_t var, uint32_t v);
uint32_t jit_pure2(struct jit_fn *f, uint32_t op, uint32_t type, uint32_t a,
	uint32_t b);

/* build_more.c */
void jit_build_return(struct jit_fn *f, uint32_t slot);
void jit_build_call(struct jit_fn *f, const union wasm_word *w, uint32_t op);
void jit_build_global(struct jit_fn *f, const union wasm_word *w, uint32_t op);
void jit_build_access(struct jit_fn *f, const union wasm_word *w, uint32_t op);
void jit_build_unary(struct jit_fn *f, const union wasm_word *w, uint32_t op);
void jit_build_size(struct jit_fn *f, const union wasm_word *w);
/* Loads and stores of `x`: kind, size, type or value; `form` as the
 * interpreter's three. */
uint32_t jit_build_load(struct jit_fn *f, const union wasm_word *w,
	uint32_t form, struct jit_ins x);
void jit_build_store(struct jit_fn *f, const union wasm_word *w, uint32_t form,
	struct jit_ins x);
void jit_build_step(struct jit_fn *f, const union wasm_word *w, uint32_t op);

/* build_vec.c */
bool jit_is_vec(uint32_t op);
void jit_build_vec(struct jit_fn *f, const union wasm_word *w, uint32_t op);

#endif
