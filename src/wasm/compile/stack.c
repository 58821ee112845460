/* SPDX-License-Identifier: Apache-2.0 */
/* The operand stack while compiling, and the code that it emits. */
#include "wasm/compile/compile_priv.h"

#include "base/must.h"

bool wasm_more_code(struct wasm_compiler *c)
{
	struct wasm_module *m = c->m;
	if (m->code_count > INT32_MAX ||
		!wasm_heap_fit(&m->heap, (void *)&m->code, &m->code_cap,
			m->code_count + 1ull, sizeof *m->code)) {
		wasm_compile_limit(c, WASM_OUT_OF_MEMORY);
		return false;
	}
	return true;
}

uint32_t wasm_emit(struct wasm_compiler *c, union wasm_word w)
{
	struct wasm_module *m = c->m;
	if (c->dead || c->failed)
		return 0;
	if (m->code_count == m->code_cap && !wasm_more_code(c))
		return 0;
	c->last = NO_CODE;
	m->code[m->code_count] = w;
	return m->code_count++;
}

void wasm_emit_pair(struct wasm_compiler *c, uint32_t low, uint32_t high)
{
	uint32_t last = c->last;
	wasm_emit(c, (union wasm_word){ .low = low, .high = high });
	c->last = last;
}

void wasm_emit_u64(struct wasm_compiler *c, uint64_t v)
{
	wasm_emit_pair(c, (uint32_t)v, (uint32_t)(v >> 32));
}

bool wasm_push_room(struct wasm_compiler *c, uint32_t end)
{
	if (end > WASM_MAX_FRAME) {
		wasm_compile_limit(c, "too many values on the stack");
		return false;
	}
	if (c->failed ||
		!wasm_fit(&c->m->heap, c->vals, c->val_cap,
			end - c->stack_base)) {
		wasm_compile_limit(c, WASM_OUT_OF_MEMORY);
		return false;
	}
	if (end > c->max_slot)
		c->max_slot = end;
	return true;
}

static struct wasm_val bottom(const struct wasm_compiler *c)
{
	uint32_t slot = wasm_top_slot(c);
	return (struct wasm_val){ .type = T_BOT,
		.kind = IN_SLOT,
		.slot = (uint16_t)slot };
}

struct wasm_val wasm_pop_any(struct wasm_compiler *c)
{
	if (c->failed)
		return bottom(c);
	const struct wasm_ctl *k = &c->ctls[c->ctl_count - 1];
	if (c->val_count == k->height) {
		if (!k->unreachable)
			wasm_compile_fail(c, "type mismatch: stack is empty");
		return bottom(c);
	}
	struct wasm_val v = c->vals[--c->val_count];
	c->top = v.slot;
	wasm_ref_popped(c);
	wasm_unalias(c, &v);
	return v;
}

static void mismatch(struct wasm_compiler *c, uint32_t want, uint32_t have)
{
	char a[32], b[32], text[96];
	size_t n = 0;
	const char *parts[] = { "type mismatch: expected ",
		wasm_type_name(want, a), ", found ", wasm_type_name(have, b) };
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		size_t len = strlen(parts[i]);
		memcpy(text + n, parts[i], len);
		n += len;
	}
	text[n] = '\0';
	wasm_compile_fail(c, text);
}

struct wasm_val wasm_pop_other(struct wasm_compiler *c, uint32_t type)
{
	struct wasm_val v = wasm_pop_any(c);
	if (v.type != type && !c->failed && !wasm_type_sub(c->m, v.type, type))
		mismatch(c, type, v.type);
	return v;
}

struct wasm_val wasm_pop_ref(struct wasm_compiler *c)
{
	struct wasm_val v = wasm_pop_any(c);
	if (!c->failed && v.type != T_BOT && !t_is_ref(v.type))
		wasm_compile_fail(c, "type mismatch: expected a reference");
	return v;
}

static void emit_const(struct wasm_compiler *c, uint32_t to, uint32_t type,
	uint64_t v)
{
	uint32_t at;
	if (type == T_V128) {
		must(!v); /* other vectors are put into slots at once */
		at = wasm_emit_op(c, OP_const128, to, 0, 0);
		wasm_emit_u64(c, 0);
		wasm_emit_u64(c, 0);
	} else if (v <= UINT32_MAX) {
		at = wasm_emit_wide(c, OP_const32, to, (uint32_t)v);
	} else {
		at = wasm_emit_op(c, OP_const64, to, 0, 0);
		wasm_emit_u64(c, v);
	}
	(void)at;
}

/* A slot of the frame that holds this constant from the start. */
static bool pooled(struct wasm_compiler *c, uint64_t v, uint32_t *slot)
{
	uint32_t i = 0;
	while (i < c->const_count && c->consts[i] != v)
		i++;
	if (i == c->const_count) {
		if (!c->loops || i == c->const_room)
			return false;
		c->consts[c->const_count++] = v;
	}
	*slot = c->local_slots + i;
	return true;
}

uint32_t wasm_use_const(struct wasm_compiler *c, uint32_t slot, uint32_t type,
	uint64_t v)
{
	if (!c->dead && (type == T_V128 || !pooled(c, v, &slot)))
		emit_const(c, slot, type, v);
	return slot;
}

void wasm_move(struct wasm_compiler *c, const struct wasm_val *v, uint32_t to)
{
	if (c->dead)
		return;
	if (v->kind == IN_CONST) {
		emit_const(c, to, v->type, v->v);
		return;
	}
	uint32_t from = v->kind == IN_LOCAL ? c->locals[v->v].slot : v->slot;
	if (from != to)
		wasm_emit_op(c, v->type == T_V128 ? OP_copy2 : OP_copy, to,
			from, 0);
}

void wasm_flush(struct wasm_compiler *c, uint32_t i)
{
	struct wasm_val *v = &c->vals[i];
	if (v->kind == IN_SLOT)
		return;
	wasm_move(c, v, v->slot);
	wasm_unalias(c, v);
	v->kind = IN_SLOT;
}

void wasm_flush_aliases(struct wasm_compiler *c)
{
	for (uint32_t i = c->val_count; c->aliases && i-- > 0;)
		if (c->vals[i].kind == IN_LOCAL)
			wasm_flush(c, i);
}

void wasm_flush_local(struct wasm_compiler *c, uint32_t local)
{
	const struct wasm_local *l = &c->locals[local];
	for (uint32_t i = c->val_count; l->aliases && i-- > 0;)
		if (c->vals[i].kind == IN_LOCAL && c->vals[i].v == local)
			wasm_flush(c, i);
}

void wasm_flush_some(struct wasm_compiler *c, uint32_t n)
{
	const struct wasm_ctl *k = &c->ctls[c->ctl_count - 1];
	for (uint32_t i = c->val_count; n && i > k->height; n--)
		wasm_flush(c, --i);
}
