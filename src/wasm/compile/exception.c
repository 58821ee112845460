/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions, in the encoding of WebAssembly 3.0 (try_table, throw_ref) and
 * in the older one that compilers still emit (try, catch, delegate, rethrow).
 * Nothing runs when such a block is entered: a table tells which words of
 * code it covers.
 */
#include "wasm/compile/compile_priv.h"

static const struct wasm_typedef *tag_type(struct wasm_compiler *c, uint32_t t)
{
	if (t < c->m->tag_count)
		return &c->m->types[c->m->tags[t]];
	wasm_compile_fail(c, "unknown tag");
	return NULL;
}

static void add_handler(struct wasm_compiler *c, struct wasm_handler h)
{
	struct wasm_module *m = c->m;
	if (c->dead || c->failed || h.from == h.to)
		return;
	if (!wasm_fit(&m->heap, m->handlers, m->handler_cap,
		    m->handler_count + 1ull)) {
		wasm_compile_limit(c, WASM_OUT_OF_MEMORY);
		return;
	}
	h.at = m->code_count;
	m->handlers[m->handler_count++] = h;
}

static void do_throw(struct wasm_compiler *c)
{
	uint32_t t = wasm_u32(&c->in);
	const struct wasm_typedef *d = tag_type(c, t);
	if (!d || c->failed || c->in.why)
		return;
	wasm_flush_top(c, d->params);
	uint32_t live = wasm_live_refs(c);
	wasm_pop_types(c, c->m->pool + d->first, d->params);
	wasm_add_point(c, wasm_emit_wide(c, OP_throw, wasm_top_slot(c), t),
		live);
	wasm_unreachable(c);
}

static void do_throw_ref(struct wasm_compiler *c)
{
	struct wasm_val v = wasm_pop(c, T_EXNREF);
	wasm_emit_op(c, OP_throw_ref, wasm_use(c, &v), 0, 0);
	wasm_unreachable(c);
}

/* --- the older encoding -------------------------------------------------- */

static void do_catch(struct wasm_compiler *c, bool all)
{
	struct wasm_ctl *k = &c->ctls[c->ctl_count - 1];
	uint32_t t = all ? 0 : wasm_u32(&c->in);
	const struct wasm_typedef *d = all ? NULL : tag_type(c, t);
	if (k->kind != CTL_TRY && k->kind != CTL_CATCH)
		wasm_compile_fail(c, "catch without try");
	if (c->failed || c->in.why)
		return;
	if (k->kind == CTL_TRY)
		k->try_to = c->m->code_count;
	wasm_check_end(c, k);
	if (c->failed)
		return;
	/* What puts the results into place may still be within the try. */
	wasm_next_part(c, k);
	/* Now the exception is in its slot. */
	wasm_cut(c, c->val_count - 1);
	wasm_push(c, T_EXNREF);
	k->kind = all ? CTL_CATCH_ALL : CTL_CATCH;
	add_handler(c,
		(struct wasm_handler){
			.from = k->try_from,
			.to = k->try_to,
			.slot = (uint16_t)k->base,
			.kind = all ? HANDLE_ALL : HANDLE_TAG,
			.keep = KEEP_BEFORE,
			.tag = t,
			.depth = c->ctl_count - 1,
		});
	if (d)
		wasm_push_types(c, c->m->pool + d->first, d->params);
}

static void do_delegate(struct wasm_compiler *c)
{
	struct wasm_ctl *k = &c->ctls[c->ctl_count - 1];
	uint32_t depth = wasm_u32(&c->in);
	if (k->kind != CTL_TRY)
		wasm_compile_fail(c, "delegate without try");
	/* Labels count from the block around the try. */
	if (c->failed || c->in.why || depth + 1ull >= c->ctl_count) {
		wasm_compile_fail(c, "unknown label");
		return;
	}
	uint32_t to = c->ctl_count - 2 - depth;
	wasm_check_end(c, k);
	if (c->failed)
		return;
	bool dead = c->dead;
	c->dead = k->dead;
	/* A word of its own, so that handlers stay in order. */
	uint32_t from = k->try_from, end = c->m->code_count;
	add_handler(c,
		(struct wasm_handler){ .from = from,
			.to = end,
			.kind = HANDLE_DELEGATE,
			.tag = to,
			.depth = c->ctl_count - 1 });
	c->dead = dead;
	wasm_end_block(c);
}

static void do_rethrow(struct wasm_compiler *c)
{
	struct wasm_ctl *k = wasm_ctl_at(c, wasm_u32(&c->in));
	if (k->kind != CTL_CATCH && k->kind != CTL_CATCH_ALL)
		wasm_compile_fail(c, "rethrow outside of catch");
	wasm_emit_op(c, OP_throw_ref, k->base - 1, 0, 0);
	wasm_unreachable(c);
}

/* --- try_table ------------------------------------------------------------ */

enum { CATCH, CATCH_REF, CATCH_ALL, CATCH_ALL_REF };

static void skip_catch(struct wasm_cursor *in)
{
	uint8_t kind = wasm_u8(in);
	if (kind > CATCH_ALL_REF)
		wasm_cursor_fail(in, "malformed catch clause");
	if (kind <= CATCH_REF)
		wasm_u32(in);
	wasm_u32(in);
}

const uint8_t *wasm_read_catches(struct wasm_compiler *c)
{
	const uint8_t *at = c->in.at;
	uint32_t n = wasm_u32(&c->in);
	for (uint32_t i = 0; i < n && !c->in.why; i++)
		skip_catch(&c->in);
	return at;
}

/* One clause: the values are in the block's slots, and go to the label. */
static void emit_catch(struct wasm_compiler *c, const struct wasm_ctl *k)
{
	uint8_t kind = wasm_u8(&c->in);
	uint32_t height = c->val_count;
	bool all = kind >= CATCH_ALL;
	uint32_t t = all ? 0 : wasm_u32(&c->in);
	const struct wasm_typedef *d = all ? NULL : tag_type(c, t);
	uint32_t depth = wasm_u32(&c->in);
	if (c->failed)
		return;
	add_handler(c,
		(struct wasm_handler){
			.from = k->try_from,
			.to = k->try_to,
			.slot = (uint16_t)k->base,
			.kind = all ? HANDLE_ALL : HANDLE_TAG,
			.keep = kind & 1 ? KEEP_AFTER : KEEP_NO,
			.tag = t,
			.depth = c->ctl_count,
		});
	if (d)
		wasm_push_types(c, c->m->pool + d->first, d->params);
	if (kind & 1)
		wasm_push(c, t_ref(HEAP_EXN, false));
	struct wasm_ctl *to = wasm_ctl_at(c, depth);
	uint32_t n;
	wasm_label_types(c, to, &n);
	if (!c->failed && n != c->val_count - height)
		wasm_compile_fail(c, "type mismatch: catch and its label");
	wasm_check_top(c, to, false);
	if (c->failed)
		return;
	wasm_branch(c, depth);
	wasm_cut(c, height);
}

void wasm_emit_catches(struct wasm_compiler *c, const struct wasm_ctl *k)
{
	const uint8_t *after = c->in.at;
	c->in.at = k->catches;
	uint32_t n = wasm_u32(&c->in);
	for (uint32_t i = 0; i < n && !c->failed; i++)
		emit_catch(c, k);
	c->in.at = after;
}

void wasm_compile_exception(struct wasm_compiler *c, uint32_t op)
{
	switch (op) {
	case 0x06:
		wasm_begin_block(c, CTL_TRY);
		break;
	case 0x07:
	case 0x19:
		do_catch(c, op == 0x19);
		break;
	case 0x08:
		do_throw(c);
		break;
	case 0x09:
		do_rethrow(c);
		break;
	case 0x0a:
		do_throw_ref(c);
		break;
	case 0x18:
		do_delegate(c);
		break;
	default:
		wasm_begin_block(c, CTL_TRY_TABLE);
	}
}
