/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shape of a function: blocks, edges, loops, and which variables are live
 * where.  Words come in an order in which only loops jump backwards, and a
 * loop's words lie together.
 */
#include "wasm/jit/ir_priv.h"

/* live_in and kill of one function, together. */
enum { MAX_BITS = 64 << 20 };

static bool is_uncond(uint32_t op)
{
	return op == OP_jump || op == OP_ret || op == OP_ret1 ||
		op == OP_ret2 || op == OP_retn || op == OP_unreachable ||
		op == OP_br_table || op == OP_throw || op == OP_throw_ref ||
		(op >= OP_tail_call && op <= OP_tail_ref);
}

/* The word that holds the distance of a conditional or plain jump. */
static const union wasm_word *jump_word(const union wasm_word *w, uint32_t op)
{
	if (op == OP_jump || op == OP_br_nz || op == OP_br_z ||
		op == OP_br_null || op == OP_br_non_null)
		return w;
	if (op >= OP_br_i32_eq_rr && op <= OP_brn_f64_ge)
		return w + 1;
	return NULL;
}

static uint32_t target(const struct jit_fn *f, const union wasm_word *w)
{
	return (uint32_t)((w - f->code) + w->rel);
}

static void lead(struct jit_fn *f, uint32_t word)
{
	if (word < f->end_word)
		f->block_of[word - f->first_word] = 1;
}

/* Marks the words where blocks begin. */
static bool leaders(struct jit_fn *f)
{
	uint32_t at = f->first_word;
	lead(f, at);
	while (at < f->end_word) {
		const union wasm_word *w = f->code + at, *j;
		uint32_t op = jit_decode(w), n = jit_word_count(w, op);
		f->ops[at - f->first_word] = (uint16_t)op;
		if (!n || n > f->end_word - at)
			return jit_fail(f, JIT_UNKNOWN);
		j = jump_word(w, op);
		if (j)
			lead(f, target(f, j));
		for (uint32_t i = 0; op == OP_br_table && i <= w->high; i++)
			lead(f, target(f, w + 1 + i));
		at += n;
		if ((jit_word_shape(op) & IS_END) || jit_throws_here(f, w, op))
			lead(f, at);
	}
	for (uint32_t h = f->first_handler; h < f->end_handler; h++)
		lead(f, f->m->handlers[h].at);
	return !f->failed;
}

/* With the landings before it. */
static void begin_block(struct jit_fn *f, uint32_t b, uint32_t word)
{
	uint32_t n = jit_landings_at(f, word, 0);
	if (n)
		jit_landings_at(f, word, b - n);
	for (uint32_t k = b - n; k <= b; k++)
		f->blocks[k].at = word;
}

static bool make_blocks(struct jit_fn *f)
{
	uint32_t n = 1, words = f->end_word - f->first_word;
	for (uint32_t i = 0; i < words; i++) {
		if (!f->block_of[i])
			continue;
		n += jit_landings_at(f, f->first_word + i, n);
		f->block_of[i] = n++;
	}
	f->blocks = jit_alloc(f, n, sizeof *f->blocks);
	if (!f->blocks)
		return false;
	f->block_count = n;
	for (uint32_t i = 0; i < words; i++)
		if (f->block_of[i])
			begin_block(f, f->block_of[i], f->first_word + i);
	for (uint32_t b = 1; b < n; b++)
		f->blocks[b].end =
			b + 1 < n ? f->blocks[b + 1].at : f->end_word;
	for (uint32_t h = f->first_handler; h < f->end_handler; h++)
		if (f->m->handlers[h].kind != HANDLE_DELEGATE)
			f->blocks[f->landing[h - f->first_handler]].handler =
				h + 1;
	return true;
}

/* --- edges ------------------------------------------------------------------
 */

static void edge(struct jit_fn *f, uint32_t from, uint32_t to)
{
	if (f->failed)
		return;
	if (!jit_fit(f, f->edges, f->edge_cap, f->edge_count + 1ull))
		return;
	f->edges[f->edge_count++] =
		(struct jit_edge){ .from = from, .to = to, .back = to <= from };
	struct jit_block *b = &f->blocks[from], *t = &f->blocks[to];
	b->succ_count++;
	t->pred_count++;
	if (to > from) {
		t->reached = true;
	} else {
		t->is_head = f->loops = true;
		if (t->loop_end < from)
			t->loop_end = from;
	}
}

/* A jump to the word, from the block; each block once. */
static void jump(struct jit_fn *f, uint32_t from, uint32_t word)
{
	if (word < f->first_word || word >= f->end_word ||
		!f->block_of[word - f->first_word]) {
		jit_fail(f, JIT_JUMPS_OUT);
		return;
	}
	edge(f, from, f->block_of[word - f->first_word]);
}

/* An edge for each block that a table leads to, in the order of the table:
 * label (unused yet) remembers that it has one. */
static void table_edges(struct jit_fn *f, uint32_t b, const union wasm_word *w)
{
	for (uint32_t i = 0; i <= w->high && !f->failed; i++) {
		uint32_t word = target(f, w + 1 + i);
		uint32_t to = word >= f->first_word && word < f->end_word ?
			f->block_of[word - f->first_word] :
			0;
		if (!to || f->blocks[to].label != b)
			jump(f, b, word);
		if (to)
			f->blocks[to].label = b;
	}
}

/* An edge to each handler that may be meant by what the last instruction
 * throws. */
static void throw_edges(struct jit_fn *f, uint32_t b, uint32_t word)
{
	uint32_t depth, h = jit_handler_for(f, word, &depth);
	while (h < f->end_handler && !f->failed) {
		uint32_t n = f->edge_count;
		edge(f, b, f->landing[h - f->first_handler]);
		if (f->edge_count > n)
			f->edges[n].throws = true;
		if (f->m->handlers[h].kind == HANDLE_ALL)
			break;
		h = jit_handler_around(f, word, h, &depth);
	}
}

/* Variables that a block reads before it writes them get a dense number. */
struct scan_list {
	uint32_t *item; /* pairs: block, variable */
	uint32_t count, cap;
};

struct scan {
	struct scan_list reads, writes;
	uint32_t *wrote, *seen; /* variable -> block */
	uint32_t block;
};

static void note(struct jit_fn *f, struct scan_list *l, uint32_t block,
	uint32_t var)
{
	if (!jit_fit(f, l->item, l->cap, l->count + 2ull))
		return;
	l->item[l->count++] = block;
	l->item[l->count++] = var;
}

static bool is_const_slot(const struct jit_fn *f, uint32_t var)
{
	return var >= f->const_from && var < f->const_to;
}

static void scan_ref(struct jit_fn *f, uint32_t var, bool write)
{
	struct scan *s = f->scan;
	if (f->failed || is_const_slot(f, var))
		return;
	if (var >= f->vars) {
		jit_fail(f, JIT_SLOT_OUT);
		return;
	}
	if (write) {
		if (s->wrote[var] != s->block)
			note(f, &s->writes, s->block, var);
		s->wrote[var] = s->block;
		return;
	}
	if (s->wrote[var] == s->block || s->seen[var] == s->block)
		return;
	s->seen[var] = s->block;
	note(f, &s->reads, s->block, var);
	if (f->dense[var])
		return;
	if (!jit_fit(f, f->var_of, f->dense_cap, f->dense_count + 1ull))
		return;
	f->var_of[f->dense_count] = var;
	f->dense[var] = ++f->dense_count;
}

/* The instructions of a block: what it refers to, where it leads. */
static void scan_block(struct jit_fn *f, struct scan *s, uint32_t b)
{
	struct jit_block *block = &f->blocks[b];
	uint32_t at = block->at, op = 0;
	const union wasm_word *w = NULL;
	s->block = b;
	block->succ = f->edge_count;
	while (at < block->end && !f->failed) {
		w = f->code + at;
		op = jit_op_at(f, at);
		jit_word_refs(f, w, op, scan_ref);
		at += jit_word_count(w, op);
	}
	if (block->handler) {
		jit_landing_refs(f, b, scan_ref);
		jump(f, b, block->end);
	}
	if (f->failed || !w)
		return;
	const union wasm_word *j = jump_word(w, op);
	if (op == OP_br_table)
		table_edges(f, b, w);
	else if (j)
		jump(f, b, target(f, j));
	if (!is_uncond(op) || !(jit_word_shape(op) & IS_END))
		jump(f, b, block->end);
	if (jit_throws_here(f, w, op))
		throw_edges(f, b, jit_throw_word(f, w, op));
}

static bool scan_blocks(struct jit_fn *f, struct scan *s)
{
	s->wrote = jit_alloc(f, f->vars, sizeof *s->wrote);
	s->seen = jit_alloc(f, f->vars, sizeof *s->seen);
	f->dense = jit_alloc(f, f->vars, sizeof *f->dense);
	if (f->failed)
		return false;
	/* Block 0 is what happens on entry. */
	f->blocks[0].reached = true;
	edge(f, 0, 1);
	f->scan = s;
	for (uint32_t b = 1; b < f->block_count && !f->failed; b++)
		if (f->blocks[b].reached)
			scan_block(f, s, b);
	f->scan = NULL;
	for (uint32_t b = 0; b < f->block_count; b++)
		f->blocks[b].label = 0;
	return !f->failed && jit_work(f, f->edge_count);
}

static bool link_preds(struct jit_fn *f)
{
	f->preds = jit_alloc(f, f->edge_count + 1, sizeof *f->preds);
	f->pred_from = jit_alloc(f, f->edge_count + 1, sizeof *f->pred_from);
	if (f->failed)
		return false;
	uint32_t n = 0;
	for (uint32_t b = 0; b < f->block_count; b++) {
		f->blocks[b].pred = n;
		n += f->blocks[b].pred_count;
		f->blocks[b].pred_count = 0;
	}
	for (uint32_t e = 0; e < f->edge_count; e++) {
		struct jit_block *t = &f->blocks[f->edges[e].to];
		f->edges[e].pred = t->pred_count;
		f->pred_from[t->pred + t->pred_count] = f->edges[e].from;
		f->preds[t->pred + t->pred_count++] = e;
	}
	return true;
}

/* --- loops
 * --------------------------------------------------------------------
 */

/* A jump back from within an inner loop may be an outer one's last: the inner
 * one belongs to it as a whole. */
static uint32_t leave_loop(struct jit_fn *f, uint32_t inner)
{
	uint32_t outer = f->blocks[inner].loop;
	if (outer && f->blocks[outer].loop_end < f->blocks[inner].loop_end)
		f->blocks[outer].loop_end = f->blocks[inner].loop_end;
	return outer;
}

static bool find_loops(struct jit_fn *f)
{
	uint32_t loop = 0;
	for (uint32_t b = 1; b < f->block_count; b++) {
		struct jit_block *x = &f->blocks[b];
		while (loop && f->blocks[loop].loop_end < b)
			loop = leave_loop(f, loop);
		x->loop = loop;
		x->depth = f->blocks[loop].depth;
		if (!x->is_head)
			continue;
		x->depth++;
		/* For a head `loop` is the one around it; see jit_loop. */
		loop = b;
	}
	while (loop)
		loop = leave_loop(f, loop);
	return true;
}

/* --- liveness
 * -------------------------------------------------------------------
 */

static uint64_t *bits_of(uint64_t *all, const struct jit_fn *f, uint32_t b)
{
	return all + (size_t)b * f->bit_words;
}

static bool set_bits(struct jit_fn *f, const struct scan *s)
{
	f->bit_words = (f->dense_count + 63) / 64;
	uint64_t n = (uint64_t)f->block_count * f->bit_words;
	if (n * 16 > MAX_BITS)
		return jit_fail(f, JIT_MANY_VARIABLES);
	f->live_in = jit_alloc(f, (size_t)n + 1, sizeof *f->live_in);
	f->kill = jit_alloc(f, (size_t)n + 1, sizeof *f->kill);
	if (f->failed)
		return false;
	for (uint32_t i = 0; i < s->reads.count; i += 2) {
		uint32_t d = f->dense[s->reads.item[i + 1]] - 1;
		bits_of(f->live_in, f, s->reads.item[i])[d / 64] |= 1ull
			<< d % 64;
	}
	for (uint32_t i = 0; i < s->writes.count; i += 2) {
		uint32_t d = f->dense[s->writes.item[i + 1]];
		if (d--)
			bits_of(f->kill, f, s->writes.item[i])[d / 64] |= 1ull
				<< d % 64;
	}
	return true;
}

/* live_in holds what the block itself reads, at least. */
static bool update(struct jit_fn *f, uint32_t b)
{
	uint64_t *in = bits_of(f->live_in, f, b);
	const uint64_t *kill = bits_of(f->kill, f, b);
	const struct jit_block *x = &f->blocks[b];
	uint64_t changed = 0;
	for (uint32_t e = x->succ; e < x->succ + x->succ_count; e++) {
		const uint64_t *out = bits_of(f->live_in, f, f->edges[e].to);
		for (uint32_t i = 0; i < f->bit_words; i++) {
			uint64_t v = in[i] | (out[i] & ~kill[i]);
			changed |= v ^ in[i];
			in[i] = v;
		}
	}
	return changed != 0;
}

static bool liveness(struct jit_fn *f)
{
	bool changed = true;
	while (changed) {
		changed = false;
		for (uint32_t b = f->block_count; b-- > 0;)
			if (f->blocks[b].reached)
				changed |= update(f, b);
		/* Without loops whatever comes later was there before. */
		changed &= f->loops;
		if (!jit_work(f,
			    ((uint64_t)f->edge_count * f->bit_words) / 4 +
				    f->block_count))
			return false;
	}
	return true;
}

static bool live_lists(struct jit_fn *f)
{
	for (uint32_t b = 0; b < f->block_count; b++) {
		struct jit_block *x = &f->blocks[b];
		const uint64_t *in = bits_of(f->live_in, f, b);
		uint32_t n = 0;
		for (uint32_t i = 0; i < f->bit_words; i++)
			n += (uint32_t)__builtin_popcountll(in[i]);
		if (!x->reached || !n)
			continue;
		x->live = jit_alloc(f, n, sizeof *x->live);
		if (!x->live || !jit_work(f, (uint64_t)n * x->pred_count))
			return false;
		for (uint32_t i = 0; i < f->bit_words; i++)
			for (uint64_t v = in[i]; v; v &= v - 1)
				x->live[x->live_count++] = f->var_of[i * 64 +
					(uint32_t)__builtin_ctzll(v)];
	}
	return true;
}

/* What is written within a loop, in the kill bits of its head from now on. */
static bool loop_kills(struct jit_fn *f)
{
	for (uint32_t b = f->block_count; b-- > 1;) {
		const struct jit_block *x = &f->blocks[b];
		uint32_t loop = x->loop;
		if (!loop || !x->reached)
			continue;
		uint64_t *to = bits_of(f->kill, f, loop);
		const uint64_t *from = bits_of(f->kill, f, b);
		for (uint32_t i = 0; i < f->bit_words; i++)
			to[i] |= from[i];
	}
	return true;
}

bool jit_flow(struct jit_fn *f)
{
	struct scan s = { 0 };
	f->block_of = jit_alloc(f, f->end_word - f->first_word + 1,
		sizeof *f->block_of);
	f->ops = jit_alloc(f, f->end_word - f->first_word + 1, sizeof *f->ops);
	bool ok = !f->failed && jit_handlers(f) && leaders(f) &&
		make_blocks(f) && scan_blocks(f, &s) && link_preds(f) &&
		find_loops(f) && set_bits(f, &s) && liveness(f) &&
		live_lists(f) && loop_kills(f);
	return ok;
}
