/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions.  From each call within a try there is an edge to a landing for
 * each handler that it may come to, a block of its own that takes the values
 * out of the exception; the code of such an edge is where unwinding leads.
 * Nothing is done when nothing is thrown.
 */
#include "wasm/jit/build_priv.h"
#include "wasm/object_priv.h"

/*
 * For each handler the next one that begins with it or before: handlers are in
 * the order of their ends, more or less, so what comes between is for code
 * that begins later, which ends before what is around both or has nothing to
 * do with it.
 */
static void find_around(struct jit_fn *f)
{
	const struct wasm_handler *all = f->m->handlers;
	for (uint32_t h = f->end_handler; h-- > f->first_handler;) {
		uint32_t next = h + 1;
		while (next < f->end_handler && all[next].from > all[h].from)
			next = f->around[next - f->first_handler];
		f->around[h - f->first_handler] = next;
	}
}

bool jit_handlers(struct jit_fn *f)
{
	const struct wasm_module *m = f->m;
	uint32_t low = wasm_first_handler(m, f->first_word);
	f->first_handler = f->end_handler = low;
	while (f->end_handler < m->handler_count &&
		m->handlers[f->end_handler].at < f->end_word)
		f->end_handler++;
	uint32_t n = f->end_handler - low + 1;
	f->landing = jit_alloc(f, n, sizeof *f->landing);
	f->around = jit_alloc(f, n, sizeof *f->around);
	if (f->failed)
		return false;
	find_around(f);
	return true;
}

/* From handler h on outwards. */
static uint32_t find(struct jit_fn *f, uint32_t word, uint32_t h,
	uint32_t *depth)
{
	for (; h < f->end_handler; h = f->around[h - f->first_handler]) {
		const struct wasm_handler *x = &f->m->handlers[h];
		if (!jit_work(f, 1))
			break;
		if (word < x->from || word >= x->to || x->depth > *depth)
			continue;
		if (x->kind != HANDLE_DELEGATE)
			return h;
		*depth = x->tag;
	}
	return f->end_handler;
}

uint32_t jit_handler_for(struct jit_fn *f, uint32_t word, uint32_t *depth)
{
	*depth = UINT32_MAX;
	if (f->first_handler == f->end_handler)
		return f->end_handler;
	/* What begins up to here is behind what it handles. */
	return find(f, word, wasm_first_handler(f->m, word + 1), depth);
}

uint32_t jit_handler_around(struct jit_fn *f, uint32_t word, uint32_t h,
	uint32_t *depth)
{
	return find(f, word, f->around[h - f->first_handler], depth);
}

uint32_t jit_throw_word(const struct jit_fn *f, const union wasm_word *w,
	uint32_t op)
{
	return (uint32_t)(w - f->code) + jit_word_count(w, op) - 1;
}

bool jit_is_caught(struct jit_fn *f, const union wasm_word *w, uint32_t op)
{
	uint32_t depth;
	bool may = (op >= OP_call && op <= OP_call_ref) || op == OP_throw ||
		op == OP_throw_ref;
	return may &&
		jit_handler_for(f, jit_throw_word(f, w, op), &depth) <
		f->end_handler;
}

uint32_t jit_landings_at(struct jit_fn *f, uint32_t word, uint32_t block)
{
	if (f->first_handler == f->end_handler)
		return 0;
	uint32_t low = wasm_first_handler(f->m, word), n = 0;
	const struct wasm_handler *h = f->m->handlers;
	for (; low < f->end_handler && h[low].at == word; low++)
		if (h[low].kind != HANDLE_DELEGATE)
			f->landing[low - f->first_handler] = block + n++;
	return n;
}

/* Calls `value` for each value that the landing takes: its variable, its
 * type, and where in the exception it is (UINT64_MAX: all of it). */
static void values(struct jit_fn *f, uint32_t b, void *ctx,
	void (*value)(struct jit_fn *f, void *ctx, uint32_t var, uint32_t type,
		uint64_t at))
{
	const struct wasm_handler *h =
		&f->m->handlers[f->blocks[b].handler - 1];
	uint32_t slot = h->slot;
	uint64_t at = offsetof(struct wasm_object, data) + 8;
	if (h->keep == KEEP_BEFORE)
		value(f, ctx, slot - 1, T_EXNREF, UINT64_MAX);
	if (h->kind == HANDLE_TAG) {
		const struct wasm_typedef *t = &f->m->types[f->m->tags[h->tag]];
		const uint32_t *types = f->m->pool + t->first;
		for (uint32_t i = 0; i < t->params; i++) {
			value(f, ctx, jit_var(f, slot, types[i]), types[i], at);
			slot += t_slots(types[i]);
			at += 8ull * t_slots(types[i]);
		}
	}
	if (h->keep == KEEP_AFTER)
		value(f, ctx, slot, T_EXNREF, UINT64_MAX);
}

struct refs {
	void (*ref)(struct jit_fn *f, uint32_t var, bool write);
};

static void note(struct jit_fn *f, void *ctx, uint32_t var,
	uint32_t type UNUSED, uint64_t at UNUSED)
{
	const struct refs *r = ctx;
	r->ref(f, var, true);
}

void jit_landing_refs(struct jit_fn *f, uint32_t b,
	void (*ref)(struct jit_fn *f, uint32_t var, bool write))
{
	struct refs r = { ref };
	values(f, b, &r, note);
}

static void take(struct jit_fn *f, void *ctx UNUSED, uint32_t var,
	uint32_t type, uint64_t at)
{
	jit_write(f, var,
		jit_add(f,
			&(struct jit_ins){ .op = J_CAUGHT,
				.type = (uint8_t)jit_type_of(type),
				.imm = at }));
}

void jit_build_landing(struct jit_fn *f, uint32_t b)
{
	values(f, b, NULL, take);
}
