/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of compiled code, as the collector and exceptions see them. */
#include "wasm/jit/jit_priv.h"

static const struct jit_site *site_at(const struct wasm_jit *j, uint64_t at)
{
	uint64_t offset = at - (uint64_t)(uintptr_t)j->memory;
	uint32_t low = 0, high = j->site_count;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (j->sites[mid].at < offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low < j->site_count && j->sites[low].at == offset ?
		&j->sites[low] :
		NULL;
}

void wasm_jit_references(const struct wasm_exec *x,
	void (*found)(void *ctx, uint64_t ref), void *ctx)
{
	const struct wasm_jit *j = x->store->jit;
	struct jit_walk w = wasm_jit_walk(x);
	while (j && w.seg) {
		const uint64_t *sp = w.sp;
		if (!wasm_jit_walk_next(x, &w))
			continue;
		const struct jit_site *s = site_at(j, *sp);
		for (uint32_t k = 0; s && k < s->word_count; k++)
			found(ctx, sp[1 + j->words_of[s->word + k]]);
	}
}

bool wasm_jit_find_landing(const struct wasm_exec *x, struct jit_walk *w,
	const struct wasm_tag *tag, struct jit_target *t)
{
	const struct wasm_jit *j = x->store->jit;
	const struct wasm_func *f;
	const uint64_t *sp = w->sp;
	while ((f = wasm_jit_walk_next(x, w))) {
		const struct jit_site *s = site_at(j, *sp);
		for (uint32_t k = 0; s && k < s->landing_count; k++) {
			const struct jit_landing *l =
				&j->landings[s->landing + k];
			if (l->tag != UINT32_MAX &&
				f->inst->tags[l->tag] != tag)
				continue;
			*t = (struct jit_target){ f->inst, l->at, sp + 1 };
			return true;
		}
		sp = w->sp;
	}
	return false;
}
