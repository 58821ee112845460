/* SPDX-License-Identifier: Apache-2.0 */
/* Who is on the stack of compiled code. */
#include "wasm/jit/jit_priv.h"

static const struct jit_code *code_at(const struct wasm_jit *j, uint64_t at)
{
	uint64_t offset = at - (uint64_t)(uintptr_t)j->memory;
	uint32_t low = 0, high = j->code_count;
	if (offset >= j->size)
		return NULL;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (j->codes[mid].at <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low)
		return NULL;
	/* A return address may lie just behind its function. */
	const struct jit_code *c = &j->codes[low - 1];
	return offset - c->at < c->len ? c : NULL;
}

/* Where the code before that offset is from. */
static uint32_t word_at(const struct jit_code *c, uint64_t offset)
{
	uint32_t low = 0, high = c->line_count;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (c->lines[mid].at < offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? c->lines[low - 1].word :
		     (uint32_t)(c->func->code - c->func->inst->module->code);
}

struct jit_walk wasm_jit_walk(const struct wasm_exec *x)
{
	return (struct jit_walk){ (const uint64_t *)(uintptr_t)x->jit.rsp,
		x->jit.seg, 0 };
}

const struct wasm_func *wasm_jit_walk_next(const struct wasm_exec *x,
	struct jit_walk *w)
{
	if (!w->seg)
		return NULL;
	const struct jit_code *c = code_at(x->store->jit, *w->sp - 1);
	if (c && w->sp < w->seg) {
		w->word = word_at(c,
			*w->sp - (uint64_t)(uintptr_t)x->store->jit->memory -
				c->at);
		w->sp += 1 + c->frame / 8;
		return c->func;
	}
	/* The stub that entered: outwards lies the stay before. */
	w->sp = (const uint64_t *)(uintptr_t)w->seg[1];
	w->seg = (const uint64_t *)(uintptr_t)w->seg[0];
	return NULL;
}
