/* SPDX-License-Identifier: Apache-2.0 */
/* Function bodies and constant expressions. */
#include "wasm/compile/compile_priv.h"

enum { MAX_LOCALS = 50000, MAX_BODY = 7654321 };

static uint32_t place(const struct wasm_compiler *c)
{
	const uint8_t *at = c->in.why ? c->in.bad : c->in.at;
	return (uint32_t)(at - c->in.start);
}

static void fail_kind(struct wasm_compiler *c, enum err_kind kind,
	const char *why)
{
	if (c->failed)
		return;
	c->failed = true;
	if (c->const_only)
		err_put(c->err, kind, "constant expression at 0x%x: %s",
			place(c), why);
	else
		err_put(c->err, kind, "function %u at 0x%x: %s", c->func,
			place(c), why);
}

void wasm_compile_fail(struct wasm_compiler *c, const char *why)
{
	fail_kind(c, ERR_INPUT, why);
}

void wasm_compile_limit(struct wasm_compiler *c, const char *why)
{
	fail_kind(c, ERR_LIMIT, why);
}

static void reset(struct wasm_compiler *c, const struct wasm_typedef *type)
{
	c->failed = false;
	c->type = type;
	c->local_count = c->val_count = c->ctl_count = c->set_count = 0;
	c->aliases = c->loops = c->const_count = c->ref_count = 0;
	c->keeps_locals = c->holds = false;
	c->live_locals = 0;
	c->local_slots = c->stack_base = c->max_slot = 0;
	c->last = c->tail = c->tail_before = NO_CODE;
	c->floor = 0;
	c->dead = false;
}

static void add_locals(struct wasm_compiler *c, uint32_t type, uint32_t n)
{
	if (n > MAX_LOCALS || c->local_count + n > MAX_LOCALS) {
		wasm_compile_limit(c, "too many locals");
		return;
	}
	if (c->local_slots + n * t_slots(type) > WASM_MAX_FRAME - 1000) {
		wasm_compile_limit(c, "too many locals");
		return;
	}
	if (!wasm_fit(&c->m->heap, c->locals, c->local_cap,
		    c->local_count + (uint64_t)n)) {
		wasm_compile_limit(c, WASM_OUT_OF_MEMORY);
		return;
	}
	if (wasm_type_collected(c->m, type))
		c->keeps_locals = true;
	for (uint32_t i = 0; i < n; i++) {
		c->locals[c->local_count++] = (struct wasm_local){
			.type = type,
			.slot = (uint16_t)c->local_slots,
			.set = t_defaultable(type),
		};
		c->local_slots += t_slots(type);
	}
}

static void read_locals(struct wasm_compiler *c)
{
	const uint32_t *params = c->m->pool + c->type->first;
	for (uint32_t i = 0; i < c->type->params; i++) {
		add_locals(c, params[i], 1);
		if (!c->failed)
			c->locals[c->local_count - 1].set = true;
	}
	uint32_t groups = wasm_u32(&c->in);
	uint64_t total = 0;
	for (uint32_t i = 0; i < groups && !c->in.why && !c->failed; i++) {
		uint32_t n = wasm_u32(&c->in);
		total += n;
		uint32_t t = wasm_read_type(&c->in, c->m->type_count);
		if (total > UINT32_MAX)
			wasm_cursor_fail(&c->in, "too many locals");
		if (!c->in.why)
			add_locals(c, t, n);
	}
}

static void prefixed_fc(struct wasm_compiler *c, uint32_t op)
{
	op = wasm_u32(&c->in);
	if (op <= 7)
		wasm_compile_saturating(c, op);
	else if (op <= 11)
		wasm_compile_bulk_memory(c, op);
	else if (op <= 17)
		wasm_compile_bulk_table(c, op);
	else
		wasm_cursor_fail(&c->in, "illegal opcode");
}

static void simd(struct wasm_compiler *c, uint32_t op)
{
	(void)op;
	wasm_compile_simd(c);
}

static void gc(struct wasm_compiler *c, uint32_t op)
{
	(void)op;
	wasm_compile_gc(c);
}

static void atomic(struct wasm_compiler *c, uint32_t op)
{
	(void)op;
	wasm_compile_atomic(c);
}

static void illegal(struct wasm_compiler *c, uint32_t op)
{
	(void)op;
	wasm_cursor_fail(&c->in, "illegal opcode");
}

/* Who compiles an opcode. */
static void (*const groups[256])(struct wasm_compiler *c, uint32_t op) = {
	[0x00 ... 0x01] = wasm_compile_control,
	[0x02 ... 0x04] = wasm_compile_block,
	[0x05] = wasm_compile_control,
	[0x06 ... 0x0a] = wasm_compile_exception,
	[0x0b] = wasm_compile_end,
	[0x0c] = wasm_compile_control,
	[0x0d] = wasm_compile_br_if,
	[0x0e ... 0x0f] = wasm_compile_control,
	[0x10 ... 0x15] = wasm_compile_call,
	[0x16 ... 0x17] = illegal,
	[0x18 ... 0x19] = wasm_compile_exception,
	[0x1a ... 0x1c] = wasm_compile_variable,
	[0x1d ... 0x1e] = illegal,
	[0x1f] = wasm_compile_exception,
	[0x20] = wasm_compile_local_get,
	[0x21] = wasm_compile_local_set,
	[0x22] = wasm_compile_local_tee,
	[0x23 ... 0x26] = wasm_compile_variable,
	[0x27] = illegal,
	[0x28 ... 0x35] = wasm_compile_load,
	[0x36 ... 0x3e] = wasm_compile_store,
	[0x3f ... 0x40] = wasm_compile_memory,
	[0x41 ... 0x44] = wasm_compile_const,
	[0x45] = wasm_compile_numeric,
	[0x46 ... 0x4f] = wasm_compile_i32_compare,
	[0x50] = wasm_compile_numeric,
	[0x51 ... 0x5a] = wasm_compile_i64_compare,
	[0x5b ... 0x69] = wasm_compile_numeric,
	[0x6a ... 0x78] = wasm_compile_i32_binary,
	[0x79 ... 0x7b] = wasm_compile_numeric,
	[0x7c ... 0x8a] = wasm_compile_i64_binary,
	[0x8b ... 0xc4] = wasm_compile_numeric,
	[0xc5 ... 0xcf] = illegal,
	[0xd0 ... 0xd6] = wasm_compile_reference,
	[0xd7 ... 0xfa] = illegal,
	[0xfb] = gc,
	[0xfc] = prefixed_fc,
	[0xfd] = simd,
	[0xfe] = atomic,
	[0xff] = illegal,
};

static void instruction(struct wasm_compiler *c)
{
	uint8_t op = wasm_u8(&c->in);
	groups[op](c, op);
}

/* The commonest instructions in their commonest form, for speed: local.get
 * and i32.const with one more byte. */
static inline bool quick(struct wasm_compiler *c)
{
	const struct wasm_cursor *in = &c->in;
	if (wasm_cursor_left(in) < 2 || in->at[1] >= 0x80)
		return false;
	uint32_t v = in->at[1];
	if (in->at[0] == 0x20 && v < c->local_count && c->locals[v].set)
		wasm_push_local(c, v);
	else if (in->at[0] == 0x41)
		wasm_push_const(c, T_I32, (v ^ 0x40) - 0x40);
	else
		return false;
	c->in.at += 2;
	return true;
}

/* v128.const; new structs and arrays, conversions of references. */
static bool const_prefixed(struct wasm_cursor in, uint8_t prefix)
{
	wasm_u8(&in);
	uint32_t op = wasm_u32(&in);
	if (prefix == 0xfd)
		return op == 12;
	return op <= 1 || (op >= 6 && op <= 8) || (op >= 26 && op <= 28);
}

static bool const_op(const struct wasm_compiler *c)
{
	if (c->in.at == c->in.end)
		return true;
	uint8_t op = *c->in.at;
	if (op == 0xfd || op == 0xfb)
		return const_prefixed(c->in, op);
	return op == 0x0b || (op >= 0x41 && op <= 0x44) || op == 0x23 ||
		op == 0xd0 || op == 0xd2 || (op >= 0x6a && op <= 0x6c) ||
		(op >= 0x7c && op <= 0x7e);
}

static void note_place(struct wasm_compiler *c)
{
	struct wasm_module *m = c->m;
	if (c->const_only)
		return;
	if (!wasm_fit(&m->heap, m->places, m->place_cap,
		    m->place_count + 1ull)) {
		wasm_compile_limit(c, WASM_OUT_OF_MEMORY);
		return;
	}
	m->places[m->place_count++] = (struct wasm_place){ c->func,
		m->code_count, (uint32_t)(c->in.at - c->in.start) };
}

static void instructions(struct wasm_compiler *c)
{
	while (c->ctl_count && !c->failed && !c->in.why) {
		if (c->places)
			note_place(c);
		else
			while (quick(c))
				;
		instruction(c);
	}
	if (c->in.why)
		wasm_compile_fail(c, c->in.why);
}

static void begin_code(struct wasm_compiler *c)
{
	c->header = c->m->code_count;
	for (int i = 0; i < WASM_HEADER_WORDS; i++)
		wasm_emit(c, (union wasm_word){ .u64 = 0 });
	c->stack_base = c->local_slots + c->const_room;
	c->top = c->max_slot = c->stack_base;
	/* The results go to the beginning of the frame. */
	if (c->type->result_slots > c->max_slot &&
		!wasm_push_room(c, c->type->result_slots))
		return;
	wasm_compile_open(c);
}

static void end_code(struct wasm_compiler *c)
{
	c->dead = false;
	uint32_t consts = c->m->code_count - c->header;
	for (uint32_t i = 0; i < c->const_count; i++)
		wasm_emit_u64(c, c->consts[i]);
	if (c->failed)
		return;
	wasm_close_points(c, c->header + consts - 1);
	union wasm_word *h = &c->m->code[c->header];
	uint32_t params = c->type->param_slots;
	h[0].op = (uint16_t)(c->max_slot + 1);
	h[0].a = (uint16_t)params;
	h[0].b = (uint16_t)(c->local_slots - params);
	h[0].c = (uint16_t)c->const_count;
	h[1].low = consts;
	h[1].high = c->func;
}

bool wasm_compile_body(struct wasm_compiler *c, uint32_t func,
	struct bytes body)
{
	c->func = func;
	c->const_only = false;
	reset(c, wasm_func_type(c->m, func));
	c->in.at = body.ptr;
	c->in.end = body.ptr + body.len;
	c->in.why = NULL;
	if (body.len > MAX_BODY)
		wasm_compile_limit(c, "function body too large");
	read_locals(c);
	size_t room = body.len / 24;
	c->const_room = room > MAX_CONSTS ? MAX_CONSTS : (uint32_t)room;
	begin_code(c);
	instructions(c);
	if (!c->failed && c->in.at != c->in.end)
		wasm_compile_fail(c, "END opcode expected");
	end_code(c);
	return !c->failed;
}

/* The code of an expression that is but one instruction is not kept. */
static void fold_expr(struct wasm_compiler *c, const struct wasm_val *v,
	struct wasm_expr *out)
{
	struct wasm_module *m = c->m;
	uint32_t body = c->header + WASM_HEADER_WORDS;
	*out = (struct wasm_expr){ .kind = EXPR_CODE, .v = c->header };
	if (v->kind == IN_CONST && m->code_count == body) {
		*out = (struct wasm_expr){ .kind = EXPR_VALUE, .v = v->v };
	} else if (m->code_count == body + 1) {
		union wasm_word w = m->code[body];
		if (w.op == OP_ref_func)
			*out = (struct wasm_expr){ EXPR_FUNC, w.high };
		else if (w.op == OP_global_get)
			*out = (struct wasm_expr){ EXPR_GLOBAL, w.high };
	}
	if (out->kind != EXPR_CODE) {
		m->code_count = c->header;
		return;
	}
	wasm_emit_op(c, v->type == T_V128 ? OP_ret2 : OP_ret1, wasm_use(c, v),
		0, 0);
}

static void const_instructions(struct wasm_compiler *c)
{
	while (!c->failed && !c->in.why) {
		if (c->in.at != c->in.end && *c->in.at == 0x0b) {
			c->in.at++;
			return;
		}
		if (const_op(c))
			instruction(c);
		else
			wasm_compile_fail(c, "constant expression required");
	}
	if (c->in.why)
		wasm_compile_fail(c, c->in.why);
}

bool wasm_compile_expr(struct wasm_compiler *c, struct wasm_cursor *in,
	uint32_t type, struct wasm_expr *out)
{
	/* Its function type: no parameters, one result, not in the module. */
	struct wasm_typedef d = { .kind = DEF_FUNC,
		.result_slots = t_slots(type) };
	c->func = NO_CODE;
	c->const_only = true;
	reset(c, &d);
	c->in = *in;
	c->const_room = 0;
	begin_code(c);
	const_instructions(c);
	*in = c->in;
	if (!c->failed && c->val_count) {
		struct wasm_val v = c->vals[c->val_count - 1];
		wasm_pop(c, type);
		if (c->val_count)
			wasm_compile_fail(c,
				"type mismatch: more than one "
				"value");
		else
			fold_expr(c, &v, out);
	} else {
		wasm_pop(c, type);
	}
	if (out->kind == EXPR_CODE)
		end_code(c);
	c->type = NULL;
	return !c->failed;
}

void wasm_compile_link(struct wasm_compiler *c)
{
	const struct wasm_module *m = c->m;
	for (uint32_t i = 0; i < c->call_count; i++) {
		union wasm_word *w = &m->code[c->calls[i]];
		uint32_t to = m->entries[w->high - m->func_imports];
		w->rel = (int32_t)((int64_t)to - (int64_t)c->calls[i]);
	}
}

void wasm_compiler_fini(struct wasm_compiler *c)
{
	struct wasm_heap *h = &c->m->heap;
	wasm_heap_free(h, c->locals, c->local_cap, sizeof *c->locals);
	wasm_heap_free(h, c->vals, c->val_cap, sizeof *c->vals);
	wasm_heap_free(h, c->refs, c->ref_cap, sizeof *c->refs);
	wasm_heap_free(h, c->ctls, c->ctl_cap, sizeof *c->ctls);
	wasm_heap_free(h, c->sets, c->set_cap, sizeof *c->sets);
	wasm_heap_free(h, c->calls, c->call_cap, sizeof *c->calls);
}
