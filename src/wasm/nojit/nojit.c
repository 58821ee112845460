/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In place of the compiler where there is none for the ISA: nothing is ever
 * compiled, so the interpreter finds no frames, references or exceptions in
 * compiled code.  A store that wants the compiler and nothing else is refused
 * (wasm_store_new).
 */
#include "base/must.h"
#include "wasm/jit/jit_priv.h"

bool wasm_jit_new(UNUSED struct wasm_store *s)
{
	return false;
}

void wasm_jit_free(UNUSED struct wasm_store *s)
{
}

bool wasm_jit_stack(UNUSED struct wasm_exec *x, UNUSED uint32_t bytes)
{
	return true;
}

void wasm_jit_adopt(UNUSED struct wasm_instance *i)
{
}

bool wasm_jit_holds(UNUSED const struct wasm_exec *x)
{
	return false;
}

void wasm_jit_references(UNUSED const struct wasm_exec *x,
	UNUSED void (*found)(void *ctx, uint64_t ref), UNUSED void *ctx)
{
}

struct jit_walk wasm_jit_walk(UNUSED const struct wasm_exec *x)
{
	return (struct jit_walk){ NULL, NULL, 0 };
}

const struct wasm_func *wasm_jit_walk_next(UNUSED const struct wasm_exec *x,
	UNUSED struct jit_walk *w)
{
	return NULL;
}

bool wasm_jit_find_landing(UNUSED const struct wasm_exec *x,
	UNUSED struct jit_walk *w, UNUSED const struct wasm_tag *tag,
	UNUSED struct jit_target *t)
{
	return false;
}

void wasm_jit_drop_stay(UNUSED struct wasm_exec *x)
{
	must(false);
}

bool wasm_jit_land(UNUSED struct wasm_exec *x,
	UNUSED const struct jit_target *t)
{
	must(false);
	return false;
}

/* Where frames of compiled code go on: there are none. */
const union wasm_word wasm_resume_code[1] = { { .op = OP_resume } };

OP(resume)
{
	must(false);
	GOTO(halt);
}

OP(again)
{
	must(false);
	GOTO(halt);
}

/* --- what others see (wasm.h) -------------------------------------------- */

struct wasm_jit_stats wasm_store_jit_stats(UNUSED const struct wasm_store *s)
{
	return (struct wasm_jit_stats){ 0 };
}

struct wasm_jit_stats wasm_instance_jit_stats(
	UNUSED const struct wasm_instance *i)
{
	return (struct wasm_jit_stats){ 0 };
}

void wasm_instance_jit_all(UNUSED struct wasm_instance *i,
	UNUSED bool (*progress)(void *ctx, uint32_t done, uint32_t all),
	UNUSED void *ctx)
{
}

void wasm_instance_jit_watch(UNUSED struct wasm_instance *i,
	UNUSED const struct wasm_jit_watch *w)
{
}

const char *wasm_store_jit_reason(UNUSED const struct wasm_store *s,
	UNUSED uint32_t n, UNUSED uint32_t *count)
{
	return NULL;
}

const char *wasm_instance_jit_reason(UNUSED const struct wasm_instance *i,
	UNUSED uint32_t n, UNUSED uint32_t *count)
{
	return NULL;
}
