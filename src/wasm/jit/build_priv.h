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
/* It calls something, which takes so much of the lowest part of the frame. */
void jit_build_out(struct jit_fn *f, uint32_t bytes);
void jit_build_call(struct jit_fn *f, const union wasm_word *w, uint32_t op);
void jit_build_tail(struct jit_fn *f, const union wasm_word *w, uint32_t op);
void jit_build_global(struct jit_fn *f, const union wasm_word *w, uint32_t op);
void jit_build_access(struct jit_fn *f, const union wasm_word *w, uint32_t op);
void jit_build_unary(struct jit_fn *f, const union wasm_word *w, uint32_t op);
/* Loads and stores of `x`: kind, size, type or value; `form` as the
 * interpreter's three. */
uint32_t jit_build_load(struct jit_fn *f, const union wasm_word *w,
	uint32_t form, struct jit_ins *x);
void jit_build_store(struct jit_fn *f, const union wasm_word *w, uint32_t form,
	struct jit_ins *x);
/* With its address, offset and whether that is wide, too. */
uint32_t jit_build_at(struct jit_fn *f, struct jit_ins *x);
/* build.c: what the edges to handlers of the instruction take along. */
void jit_build_throws(struct jit_fn *f, uint32_t call);

/* build_step.c */
void jit_build_step(struct jit_fn *f, const union wasm_word *w, uint32_t op);
void jit_build_throw(struct jit_fn *f, const union wasm_word *w);
/* Notes which values are references where the collector may run. */
void jit_build_point(struct jit_fn *f, const union wasm_word *w, uint32_t op);

/* build_bulk.c: copies and fills within the first memory. */
bool jit_build_bulk(struct jit_fn *f, const union wasm_word *w, uint32_t op);

/* build_ref.c: tables, other memories, structs, arrays, references; false:
 * not one of these. */
bool jit_build_ref(struct jit_fn *f, const union wasm_word *w, uint32_t op);
/* The end of an access of `size` bytes to the memory of number f->memory, as a
 * pointer; 64-bit addresses are wide. */
uint32_t jit_build_pointer(struct jit_fn *f, uint32_t address, uint64_t offset,
	uint32_t size, bool wide, bool aligned);

/* build_vec.c */
bool jit_is_vec(uint32_t op);
void jit_build_vec(struct jit_fn *f, const union wasm_word *w, uint32_t op);

#endif
