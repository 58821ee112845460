/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which slots hold references to objects where the collector may run.  The
 * list of a place goes from the top of the stack down to the locals; an entry
 * that is there at several places is in the list once, so that all lists
 * together are no longer than the code.
 */
#include "wasm/compile/compile_priv.h"

void wasm_ref_pushed(struct wasm_compiler *c, uint32_t type)
{
	c->holds = c->holds || wasm_type_collected(c->m, type);
	wasm_ref_popped(c);
	if (!wasm_fit(&c->m->heap, c->refs, c->ref_cap, c->ref_count + 1ull)) {
		wasm_compile_limit(c, WASM_OUT_OF_MEMORY);
		return;
	}
	c->refs[c->ref_count++] = (struct wasm_ref){ .val = c->val_count };
}

/* Puts a slot in front of a list. */
static uint32_t link(struct wasm_compiler *c, uint16_t slot, uint32_t next)
{
	struct wasm_module *m = c->m;
	uint32_t n = m->live_count ? m->live_count : 1;
	if (!wasm_fit(&m->heap, m->live, m->live_cap, n + 1ull)) {
		wasm_compile_limit(c, WASM_OUT_OF_MEMORY);
		return 0;
	}
	m->live[n] = (struct wasm_live){ .next = next, .slot = slot };
	m->live_count = n + 1;
	return n;
}

static uint32_t locals(struct wasm_compiler *c)
{
	if (!c->keeps_locals || c->live_locals)
		return c->live_locals;
	for (uint32_t i = 0; i < c->local_count && !c->failed; i++)
		if (wasm_type_collected(c->m, c->locals[i].type))
			c->live_locals =
				link(c, c->locals[i].slot, c->live_locals);
	return c->live_locals;
}

/* One entry, in front of those below it. */
static uint32_t entry(struct wasm_compiler *c, uint32_t i, uint32_t below)
{
	const struct wasm_val *v = &c->vals[i];
	if (v->kind == IN_LOCAL)
		wasm_flush(c, i);
	return v->kind == IN_SLOT && wasm_type_collected(c->m, v->type) ?
		link(c, v->slot, below) :
		below;
}

uint32_t wasm_live_refs(struct wasm_compiler *c)
{
	if (c->dead || c->failed)
		return 0;
	uint32_t live = locals(c), i = c->ref_count;
	while (i && !c->refs[i - 1].made)
		i--;
	if (i)
		live = c->refs[i - 1].live;
	for (; i < c->ref_count && !c->failed; i++) {
		live = entry(c, c->refs[i].val, live);
		c->refs[i].live = live;
		c->refs[i].made = true;
	}
	return live;
}

static void put_point(struct wasm_compiler *c, uint32_t word, uint32_t live)
{
	struct wasm_module *m = c->m;
	if (!wasm_fit(&m->heap, m->points, m->point_cap,
		    m->point_count + 1ull)) {
		wasm_compile_limit(c, WASM_OUT_OF_MEMORY);
		return;
	}
	m->points[m->point_count++] =
		(struct wasm_point){ .at = word, .live = live };
}

void wasm_add_point(struct wasm_compiler *c, uint32_t word, uint32_t live)
{
	if (live && !c->dead && !c->failed)
		put_point(c, word, live);
}

void wasm_close_points(struct wasm_compiler *c, uint32_t last)
{
	const struct wasm_module *m = c->m;
	if (!c->holds && !c->keeps_locals)
		return;
	if (!m->point_count || m->points[m->point_count - 1].at < c->header)
		put_point(c, last, 0);
}
