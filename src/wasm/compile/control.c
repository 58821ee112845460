/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks, branches, labels (WebAssembly 2.0 §3.3.8 and its appendix on the
 * validation algorithm). */
#include "wasm/compile/compile_priv.h"

static bool is_loop(const struct wasm_ctl *k)
{
	return k->kind == CTL_LOOP;
}

struct wasm_ctl *wasm_ctl_at(struct wasm_compiler *c, uint32_t depth)
{
	if (depth >= c->ctl_count) {
		wasm_compile_fail(c, "unknown label");
		depth = 0;
	}
	return &c->ctls[c->ctl_count - 1 - depth];
}

void wasm_pop_types(struct wasm_compiler *c, const uint32_t *t, uint32_t n)
{
	while (n-- > 0 && !c->failed)
		wasm_pop(c, t[n]);
}

void wasm_push_types(struct wasm_compiler *c, const uint32_t *t, uint32_t n)
{
	for (uint32_t i = 0; i < n && !c->failed; i++)
		wasm_push(c, t[i]);
}

static void drop_to(struct wasm_compiler *c, uint32_t height)
{
	while (c->val_count > height && !c->failed)
		wasm_pop_any(c);
}

void wasm_unreachable(struct wasm_compiler *c)
{
	struct wasm_ctl *k = &c->ctls[c->ctl_count - 1];
	drop_to(c, k->height);
	k->unreachable = true;
	c->dead = true;
	wasm_emit_label(c);
}

/* Reads a block type into k. */
static void read_block_type(struct wasm_compiler *c, struct wasm_ctl *k)
{
	struct wasm_cursor *in = &c->in;
	if (in->at != in->end && (*in->at & 0xc0) == 0x40) {
		uint8_t b = wasm_u8(in);
		if (b == 0x40)
			return;
		k->single = wasm_read_type_from(in, b, c->m->type_count);
		k->result_count = 1;
		return;
	}
	int64_t i = wasm_s33(in);
	if (in->why)
		return;
	if (i < 0 || i >= c->m->type_count || c->m->types[i].kind != DEF_FUNC) {
		wasm_compile_fail(c, "unknown type of block");
		return;
	}
	const struct wasm_typedef *d = &c->m->types[i];
	k->param_count = d->params;
	k->param_first = d->first;
	k->result_count = d->results;
	k->result_first = d->first + d->params;
}

static void push_ctl(struct wasm_compiler *c, struct wasm_ctl k)
{
	if (c->failed ||
		!wasm_fit(&c->m->heap, c->ctls, c->ctl_cap,
			c->ctl_count + 1ull)) {
		wasm_compile_limit(c, WASM_OUT_OF_MEMORY);
		return;
	}
	k.dead = c->dead;
	k.patches = k.else_patch = NO_CODE;
	k.height = c->val_count;
	k.base = wasm_top_slot(c);
	k.set_height = c->set_count;
	c->ctls[c->ctl_count++] = k;
	c->floor = k.height;
	if (is_loop(&k))
		c->loops++;
	wasm_push_types(c, wasm_params(c, &k), k.param_count);
}

void wasm_compile_open(struct wasm_compiler *c)
{
	c->dead = false;
	push_ctl(c,
		(struct wasm_ctl){ .kind = CTL_FUNC,
			.result_count = c->type->results,
			.result_first = c->type->first + c->type->params });
}

/* --- jumps ------------------------------------------------------------- */

/* The word's jump goes to the label: now for loops, at its end for others. */
void wasm_jump_to(struct wasm_compiler *c, struct wasm_ctl *k, uint32_t word)
{
	if (c->dead || c->failed)
		return;
	union wasm_word *w = &c->m->code[word];
	if (is_loop(k)) {
		w->rel = (int32_t)((int64_t)k->loop_at - (int64_t)word);
	} else {
		w->high = k->patches;
		k->patches = word;
	}
}

/* Points a chain of jumps here. */
static void land(struct wasm_compiler *c, uint32_t patch)
{
	while (patch != NO_CODE && !c->failed) {
		union wasm_word *w = &c->m->code[patch];
		uint32_t next = w->high;
		w->rel = (int32_t)(c->m->code_count - patch);
		patch = next;
	}
}

/* Values that a jump to k has to move: are they in place already? */
static bool in_place(struct wasm_compiler *c, struct wasm_ctl *k)
{
	uint32_t n;
	wasm_label_types(c, k, &n);
	if (!n || c->dead)
		return true;
	if (n > c->val_count)
		return true; /* only where nothing is emitted */
	const struct wasm_val *v = &c->vals[c->val_count - n];
	if (v->slot != k->base)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (v[i].kind != IN_SLOT)
			return false;
	return true;
}

static void move_values(struct wasm_compiler *c, struct wasm_ctl *k)
{
	uint32_t n, to = k->base;
	wasm_label_types(c, k, &n);
	if (c->dead || !n || n > c->val_count)
		return;
	const struct wasm_val *v = &c->vals[c->val_count - n];
	for (uint32_t i = 0; i < n; i++) {
		wasm_move(c, &v[i], to);
		to += t_slots(v[i].type);
	}
}

/* The function's results are on top: goes back with them. */
static void emit_return(struct wasm_compiler *c)
{
	uint32_t n = c->type->results;
	if (c->dead || n > c->val_count)
		return;
	if (!n) {
		wasm_emit_op(c, OP_ret, 0, 0, 0);
		return;
	}
	const struct wasm_val *v = &c->vals[c->val_count - n];
	if (n == 1) {
		uint32_t from = wasm_use(c, v);
		wasm_emit_op(c, v->type == T_V128 ? OP_ret2 : OP_ret1, from, 0,
			0);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		wasm_move(c, &v[i], v[i].slot);
	wasm_emit_wide(c, OP_retn, v->slot, c->type->result_slots);
}

void wasm_branch(struct wasm_compiler *c, uint32_t depth)
{
	struct wasm_ctl *k = wasm_ctl_at(c, depth);
	if (k->kind == CTL_FUNC) {
		emit_return(c);
		return;
	}
	move_values(c, k);
	wasm_jump_to(c, k, wasm_emit_wide(c, OP_jump, 0, 0));
}

/* --- conditions -------------------------------------------------------- */

/* A conditional jump in one or two words; the last holds the distance. */
struct cond {
	uint32_t op, a, b;
	bool fused;
};

static uint32_t int_cmp_negated(uint32_t i)
{
	static const uint8_t not [] = { 1, 0, 8, 9, 6, 7, 4, 5, 2, 3 };
	return not [i];
}

/* Is the value the result of a comparison just emitted?  Takes it back. */
static bool take_cmp(struct wasm_compiler *c, const struct wasm_val *v,
	bool negate, struct cond *out)
{
	if (c->last == NO_CODE || v->kind != IN_SLOT || c->dead)
		return false;
	union wasm_word w = c->m->code[c->last];
	if (w.a != v->slot)
		return false;
	uint32_t op;
	if (w.op >= OP_i32_eq_rr && w.op <= OP_i64_ge_u_rk) {
		uint32_t i = w.op - OP_i32_eq_rr, wide = i / 20;
		uint32_t cmp = i % 20 / 2, imm = i & 1;
		if (negate)
			cmp = int_cmp_negated(cmp);
		op = OP_br_i32_eq_rr + wide * 20 + cmp * 2 + imm;
	} else if (w.op >= OP_f32_eq && w.op <= OP_f64_ge) {
		op = OP_br_f32_eq + (w.op - OP_f32_eq) * 2u + negate;
	} else {
		return false;
	}
	c->m->code_count = c->last;
	c->last = NO_CODE;
	c->tail = c->tail_before;
	c->tail_before = NO_CODE;
	*out = (struct cond){ .op = op, .a = w.b, .b = w.c, .fused = true };
	return true;
}

/* Jump when the popped value is not zero (or zero, negated). */
static struct cond condition(struct wasm_compiler *c, const struct wasm_val *v,
	bool negate)
{
	struct cond k;
	if (take_cmp(c, v, negate, &k))
		return k;
	return (struct cond){ .op = negate ? OP_br_z : OP_br_nz,
		.a = wasm_use(c, v) };
}

/* Returns the word to patch. */
static uint32_t emit_cond(struct wasm_compiler *c, const struct cond *k)
{
	if (!k->fused)
		return wasm_emit_wide(c, k->op, k->a, 0);
	uint32_t at = wasm_emit_op(c, k->op, k->a, k->b, 0);
	wasm_emit_pair(c, 0, 0);
	return at + 1;
}

static struct cond negated(struct cond k)
{
	if (k.op == OP_br_null || k.op == OP_br_non_null)
		k.op = k.op == OP_br_null ? OP_br_non_null : OP_br_null;
	else if (!k.fused)
		k.op = k.op == OP_br_z ? OP_br_nz : OP_br_z;
	else if (k.op >= OP_br_f32_eq)
		k.op = OP_br_f32_eq + ((k.op - OP_br_f32_eq) ^ 1);
	else {
		uint32_t i = k.op - OP_br_i32_eq_rr;
		k.op = OP_br_i32_eq_rr + i / 20 * 20 +
			int_cmp_negated(i % 20 / 2) * 2 + (i & 1);
	}
	return k;
}

/* A conditional branch with the label's values on top of the stack. */
static void branch_if(struct wasm_compiler *c, uint32_t depth, struct cond k)
{
	struct wasm_ctl *to = wasm_ctl_at(c, depth);
	if (to->kind != CTL_FUNC && in_place(c, to)) {
		wasm_jump_to(c, to, emit_cond(c, &k));
		return;
	}
	struct cond over = negated(k);
	uint32_t patch = emit_cond(c, &over);
	/* What is moved for the jump is where it was for those who stay. */
	wasm_branch(c, depth);
	if (!c->dead && !c->failed) {
		c->m->code[patch].high = NO_CODE;
		land(c, patch);
	}
	wasm_emit_label(c);
}

/* --- instructions ------------------------------------------------------ */

/* A legacy try keeps its exception in a slot of its own, below the block's
 * parameters, which have to move up for it. */
static void make_exception_slot(struct wasm_compiler *c, struct wasm_ctl *k)
{
	/* There is nothing in it yet. */
	uint32_t to = wasm_push(c, T_I64) + 1;
	const uint32_t *t = wasm_params(c, k);
	uint32_t slots = 0;
	for (uint32_t i = 0; i < k->param_count; i++)
		slots += t_slots(t[i]);
	for (uint32_t i = k->param_count; i-- > 0 && !c->failed;) {
		slots -= t_slots(t[i]);
		wasm_emit_op(c, t[i] == T_V128 ? OP_copy2 : OP_copy, to + slots,
			to + slots - 1, 0);
	}
}

void wasm_begin_block(struct wasm_compiler *c, uint8_t kind)
{
	struct wasm_ctl k = { .kind = kind };
	struct cond cond = { 0 };
	read_block_type(c, &k);
	if (kind == CTL_TRY_TABLE)
		k.catches = wasm_read_catches(c);
	if (kind == CTL_IF) {
		struct wasm_val v = wasm_pop(c, T_I32);
		cond = condition(c, &v, true);
	}
	/* Parameters are in their slots, and nothing below is a local that
	 * one of the ways through the block might write.  (This writes slots
	 * below those that a comparison of the condition reads.) */
	wasm_flush_top(c, k.param_count);
	wasm_flush_locals(c);
	uint32_t patch = NO_CODE;
	if (kind == CTL_IF && !c->dead)
		patch = emit_cond(c, &cond);
	wasm_pop_types(c, wasm_params(c, &k), k.param_count);
	if (kind == CTL_TRY)
		make_exception_slot(c, &k);
	push_ctl(c, k);
	if (c->failed)
		return;
	struct wasm_ctl *top = &c->ctls[c->ctl_count - 1];
	if (patch != NO_CODE) {
		c->m->code[patch].high = NO_CODE;
		top->else_patch = patch;
	}
	if (kind == CTL_LOOP)
		top->loop_at = c->m->code_count;
	top->try_from = c->m->code_count;
	top->try_to = NO_CODE;
	wasm_emit_label(c);
}

static void undo_sets(struct wasm_compiler *c, const struct wasm_ctl *k)
{
	while (c->set_count > k->set_height)
		c->locals[c->sets[--c->set_count]].set = false;
}

/* The block's results are on top of its stack, and nothing else. */
void wasm_check_end(struct wasm_compiler *c, struct wasm_ctl *k)
{
	wasm_flush_top(c, k->result_count);
	wasm_pop_types(c, wasm_results(c, k), k->result_count);
	if (!c->failed && c->val_count != k->height)
		wasm_compile_fail(c, "type mismatch: values left on the stack");
}

/* One part of a block has ended (its values are checked): the next begins,
 * and who comes from before jumps over it. */
void wasm_next_part(struct wasm_compiler *c, struct wasm_ctl *k)
{
	if (!c->dead)
		wasm_jump_to(c, k, wasm_emit_wide(c, OP_jump, 0, 0));
	undo_sets(c, k);
	k->unreachable = false;
	c->dead = k->dead;
	wasm_emit_label(c);
}

static void do_else(struct wasm_compiler *c)
{
	struct wasm_ctl *k = &c->ctls[c->ctl_count - 1];
	if (k->kind != CTL_IF) {
		wasm_compile_fail(c, "else without if");
		return;
	}
	wasm_check_end(c, k);
	if (c->failed)
		return;
	wasm_next_part(c, k);
	land(c, k->else_patch);
	k->else_patch = NO_CODE;
	k->kind = CTL_ELSE;
	wasm_push_types(c, wasm_params(c, k), k->param_count);
}

static bool same_types(struct wasm_compiler *c, struct wasm_ctl *k)
{
	if (k->param_count != k->result_count)
		return false;
	const uint32_t *p = wasm_params(c, k), *r = wasm_results(c, k);
	for (uint32_t i = 0; i < k->param_count; i++)
		if (!wasm_type_sub(c->m, p[i], r[i]))
			return false;
	return true;
}

/* The results of a legacy try move down to where its exception was. */
static void drop_exception_slot(struct wasm_compiler *c, struct wasm_ctl *k)
{
	const uint32_t *t = wasm_results(c, k);
	wasm_cut(c, c->val_count - 1);
	for (uint32_t i = 0; i < k->result_count && !c->failed; i++) {
		uint32_t to = wasm_push(c, t[i]);
		wasm_emit_op(c, t[i] == T_V128 ? OP_copy2 : OP_copy, to, to + 1,
			0);
	}
	wasm_emit_label(c);
}

static bool is_try(const struct wasm_ctl *k)
{
	return k->kind == CTL_TRY || k->kind == CTL_CATCH ||
		k->kind == CTL_CATCH_ALL;
}

/* Closes the innermost block; its values are checked. */
void wasm_end_block(struct wasm_compiler *c)
{
	struct wasm_ctl *k = &c->ctls[c->ctl_count - 1];
	undo_sets(c, k);
	if (k->kind == CTL_TRY_TABLE && *k->catches) {
		k->try_to = c->m->code_count;
		if (!c->dead)
			wasm_jump_to(c, k, wasm_emit_wide(c, OP_jump, 0, 0));
	}
	struct wasm_ctl done = *k;
	c->ctl_count--;
	c->floor = c->ctl_count ? k[-1].height : 0;
	if (is_loop(&done))
		c->loops--;
	c->dead = done.dead;
	if (done.kind == CTL_TRY_TABLE)
		wasm_emit_catches(c, &done);
	land(c, done.else_patch);
	land(c, done.patches);
	wasm_emit_label(c);
	if (is_try(&done))
		drop_exception_slot(c, &done);
	else if (c->ctl_count)
		wasm_push_types(c, wasm_results(c, &done), done.result_count);
}

void wasm_compile_end(struct wasm_compiler *c, uint32_t op UNUSED)
{
	struct wasm_ctl *k = &c->ctls[c->ctl_count - 1];
	if (k->kind == CTL_IF && !same_types(c, k))
		wasm_compile_fail(c, "type mismatch: if without else");
	if (k->kind == CTL_FUNC && !c->failed && !c->dead &&
		c->val_count - k->height >= k->result_count) {
		emit_return(c);
		c->dead = true;
	}
	wasm_check_end(c, k);
	if (!c->failed)
		wasm_end_block(c);
}

void wasm_check_values(struct wasm_compiler *c, const uint32_t *t, uint32_t n,
	bool take)
{
	const struct wasm_ctl *top = &c->ctls[c->ctl_count - 1];
	uint32_t i;
	if (c->failed)
		return;
	uint32_t have = c->val_count - top->height;
	uint32_t missing = have < n ? n - have : 0;
	bool ok = !missing || top->unreachable;
	for (i = missing; ok && i < n; i++)
		ok = wasm_type_sub(c->m, c->vals[c->val_count - n + i].type,
			t[i]);
	if (!ok || (take && missing)) {
		wasm_pop_types(c, t, n); /* says what is wrong */
		wasm_push_types(c, t, n);
		return;
	}
	for (i = missing; take && i < n; i++)
		c->vals[c->val_count - n + i].type = t[i];
}

static void do_br(struct wasm_compiler *c)
{
	uint32_t depth = wasm_u32(&c->in);
	wasm_check_top(c, wasm_ctl_at(c, depth), false);
	if (c->failed)
		return;
	wasm_branch(c, depth);
	wasm_unreachable(c);
}

void wasm_compile_br_if(struct wasm_compiler *c, uint32_t op UNUSED)
{
	uint32_t depth = wasm_u32(&c->in);
	struct wasm_val v = wasm_pop(c, T_I32);
	struct wasm_ctl *k = wasm_ctl_at(c, depth);
	struct cond cond = condition(c, &v, false);
	wasm_check_top(c, k, true);
	if (!c->failed && !c->dead)
		branch_if(c, depth, cond);
}

/* One word of a jump table: straight to the label, or to code that moves the
 * values and then jumps. */
static void table_entry(struct wasm_compiler *c, uint32_t depth, uint32_t word)
{
	struct wasm_ctl *k = wasm_ctl_at(c, depth);
	if (c->failed || c->dead)
		return;
	if (k->kind != CTL_FUNC && in_place(c, k)) {
		wasm_jump_to(c, k, word);
		return;
	}
	c->m->code[word].rel = (int32_t)(c->m->code_count - word);
	wasm_branch(c, depth);
}

static void check_table(struct wasm_compiler *c, uint32_t n)
{
	uint32_t arity = 0, have;
	for (uint32_t i = 0; i <= n && !c->failed && !c->in.why; i++) {
		struct wasm_ctl *k = wasm_ctl_at(c, wasm_u32(&c->in));
		wasm_label_types(c, k, &have);
		if (i && have != arity)
			wasm_compile_fail(c,
				"type mismatch: labels of br_table differ");
		arity = have;
		wasm_check_top(c, k, false);
	}
}

static void do_br_table(struct wasm_compiler *c)
{
	uint32_t n = wasm_u32(&c->in);
	struct wasm_val v = wasm_pop(c, T_I32);
	if (n >= wasm_cursor_left(&c->in)) {
		wasm_cursor_fail(&c->in, "unexpected end");
		return;
	}
	const uint8_t *labels = c->in.at;
	check_table(c, n);
	if (c->failed || c->in.why)
		return;
	if (!c->dead) {
		wasm_emit_wide(c, OP_br_table, wasm_use(c, &v), n);
		uint32_t first = c->m->code_count;
		for (uint32_t i = 0; i <= n; i++)
			wasm_emit_pair(c, 0, 0);
		c->in.at = labels;
		for (uint32_t i = 0; i <= n; i++)
			table_entry(c, wasm_u32(&c->in), first + i);
	}
	wasm_unreachable(c);
}

static void do_return(struct wasm_compiler *c)
{
	wasm_check_top(c, &c->ctls[0], false);
	if (c->failed)
		return;
	emit_return(c);
	wasm_unreachable(c);
}

/* block, loop, if */
void wasm_compile_block(struct wasm_compiler *c, uint32_t op)
{
	wasm_begin_block(c, (uint8_t)(CTL_BLOCK + op - 2));
}

void wasm_compile_control(struct wasm_compiler *c, uint32_t op)
{
	switch (op) {
	case 0x00:
		wasm_emit_op(c, OP_unreachable, 0, 0, 0);
		wasm_unreachable(c);
		break;
	case 0x01:
		break;
	case 0x05:
		do_else(c);
		break;
	case 0x0c:
		do_br(c);
		break;
	case 0x0e:
		do_br_table(c);
		break;
	default:
		do_return(c);
	}
}

void wasm_branch_on(struct wasm_compiler *c, uint32_t depth, uint32_t op,
	uint32_t a)
{
	if (!c->failed && !c->dead)
		branch_if(c, depth, (struct cond){ .op = op, .a = a });
}

/* br_on_null and br_on_non_null. */
void wasm_compile_br_null(struct wasm_compiler *c, bool on_null)
{
	uint32_t depth = wasm_u32(&c->in);
	struct wasm_val v = wasm_pop_ref(c);
	uint32_t rest = v.type == T_BOT ? t_ref(HEAP_BOT, false) :
					  t_ref(t_heap(v.type), false);
	struct cond cond = { .op = on_null ? OP_br_null : OP_br_non_null,
		.a = c->dead ? 0 : wasm_use(c, &v) };
	if (!on_null)
		wasm_push_val(c, v, rest);
	wasm_check_top(c, wasm_ctl_at(c, depth), true);
	if (!c->failed && !c->dead)
		branch_if(c, depth, cond);
	if (on_null)
		wasm_push_val(c, v, rest);
	else
		wasm_pop_any(c);
}
