/* SPDX-License-Identifier: Apache-2.0 */
/* Why functions are left to the interpreter. */
#include "base/must.h"
#include "wasm/jit/ir_priv.h"
#include "wasm/jit/jit_priv.h"

/* Limits are for what a function is too much of; whatever else a function is
 * left out for is a gap in the compiler. */
static const struct {
	const char *text;
	bool limit;
} reasons[JIT_REASONS] = {
	[JIT_NO_MEMORY] = { "out of memory", true },
	[JIT_TOO_MUCH_MEMORY] = { "too much memory", true },
	[JIT_TOO_MUCH_WORK] = { "too much work", true },
	[JIT_MANY_VARIABLES] = { "too many variables and blocks", true },
	[JIT_TOO_LARGE] = { "function too large", true },
	[JIT_LARGE_FRAME] = { "frame too large", true },
	[JIT_NO_ROOM] = { "no room for code", true },
	[JIT_DRAWN] = { "it was drawn by lot", true },
	[JIT_UNKNOWN] = { "unknown operation", false },
	[JIT_JUMPS_OUT] = { "jump out of the function", false },
	[JIT_SLOT_OUT] = { "slot out of the frame", false },
	[JIT_NO_WAY_IN] = { "a block without a way in", false },
	[JIT_ERRED] = { "the compiler erred", false },
};

bool jit_fail(struct jit_fn *f, enum jit_reason why)
{
	if (!f->failed)
		f->failed = why;
	return false;
}

bool jit_bug(struct jit_fn *f, const char *what)
{
	if (f->jit->verify)
		must_failed(what, "function", (int)f->func->index);
	return jit_fail(f, JIT_ERRED);
}

void jit_count_reason(struct wasm_jit *j, enum jit_reason why)
{
	j->stats.refused++;
	j->stats.gaps += !reasons[why].limit;
	j->refused_for[why]++;
}

const char *wasm_store_jit_reason(const struct wasm_store *s, uint32_t n,
	uint32_t *count)
{
	for (uint32_t k = 1; s->jit && k < JIT_REASONS; k++) {
		*count = s->jit->refused_for[k];
		if (*count && !n--)
			return reasons[k].text;
	}
	return NULL;
}

const char *wasm_instance_jit_reason(const struct wasm_instance *i, uint32_t n,
	uint32_t *count)
{
	return wasm_store_jit_reason(i->store, n, count);
}
