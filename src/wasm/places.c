/* SPDX-License-Identifier: Apache-2.0 */
/* Where instructions are in the module, for people. */
#include "wasm/module_priv.h"

bool wasm_module_place(const struct wasm_module *m, size_t n,
	struct wasm_place *out)
{
	if (n >= m->place_count)
		return false;
	*out = m->places[n];
	return true;
}

/* The first place of a function or of one after it. */
static uint32_t first_of(const struct wasm_module *m, uint32_t func)
{
	uint32_t low = 0, high = m->place_count;
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		if (m->places[mid].func < func)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Several instructions may begin at one word, of which the last one made what
 * is there; where code was taken back words go back, too. */
uint32_t wasm_place_of(const struct wasm_module *m, uint32_t func,
	uint32_t word)
{
	uint32_t at = 0;
	for (uint32_t n = first_of(m, func);
		n < m->place_count && m->places[n].func == func; n++)
		if (m->places[n].word <= word)
			at = m->places[n].at;
	return at;
}
