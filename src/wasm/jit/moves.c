/* SPDX-License-Identifier: Apache-2.0 */
/* Moving values from place to place, one by one and all at once. */
#include "wasm/jit/emit_priv.h"

static bool is_xmm(uint32_t loc)
{
	return loc >= XMM0 && loc < XMM0 + 16;
}

static bool is_general(uint32_t loc)
{
	return loc < XMM0;
}

static void constant_to_stack(struct jit_emit *e, struct x64_mem to,
	const struct jit_ins *k)
{
	if (k->op == J_K128) {
		jit_xconst(e, 15, k);
		x64_rm(&e->a, X_MOVUPS_STORE, 0, 15, to);
		return;
	}
	int64_t v = (int64_t)k->imm;
	if (v >= INT32_MIN && v <= INT32_MAX) {
		x64_rm(&e->a, X_MOV_IMM, X64_W, 0, to);
		x64_u32(&e->a, (uint32_t)v);
		return;
	}
	x64_mov_ri(&e->a, SCRATCH, k->imm);
	x64_rm(&e->a, X_MOV_STORE, X64_W, SCRATCH, to);
}

static void from_constant(struct jit_emit *e, const struct jit_move *m)
{
	const struct jit_ins *k = jit_ins_of(e, m->v);
	if (m->to == LOC_STACK)
		constant_to_stack(e, jit_slot(e, m->to_v), k);
	else if (is_xmm(m->to))
		jit_xmov(e, m->to - XMM0, m->v, m->type);
	else
		x64_mov_ri(&e->a, m->to, k->imm);
}

static void from_stack(struct jit_emit *e, const struct jit_move *m)
{
	struct x64_mem from = jit_slot(e, m->v);
	bool wide = m->type == JT_V128;
	if (m->to == LOC_STACK) {
		struct x64_mem to = jit_slot(e, m->to_v);
		if (from.disp == to.disp)
			return;
		x64_rm(&e->a, wide ? X_MOVUPS : X_MOVSD, 0, 15, from);
		x64_rm(&e->a, wide ? X_MOVUPS_STORE : X_MOVSD_STORE, 0, 15, to);
	} else if (is_xmm(m->to)) {
		x64_rm(&e->a, wide ? X_MOVUPS : X_MOVSD, 0, m->to - XMM0, from);
	} else {
		x64_rm(&e->a, X_MOV, m->type == JT_I32 ? 0 : X64_W, m->to,
			from);
	}
}

void jit_move_one(struct jit_emit *e, const struct jit_move *m)
{
	if (m->from == LOC_CONST) {
		from_constant(e, m);
	} else if (m->from == LOC_STACK) {
		from_stack(e, m);
	} else if (m->to == LOC_STACK) {
		struct x64_mem to = jit_slot(e, m->to_v);
		if (is_xmm(m->from))
			x64_rm(&e->a,
				m->type == JT_V128 ? X_MOVUPS_STORE :
						     X_MOVSD_STORE,
				0, m->from - XMM0, to);
		else
			x64_rm(&e->a, X_MOV_STORE, X64_W, m->from, to);
	} else if (m->from == m->to) {
		return;
	} else if (is_xmm(m->from) && is_xmm(m->to)) {
		x64_rr(&e->a, X_MOVAPS, 0, m->to - XMM0, m->from - XMM0);
	} else if (is_general(m->from) && is_general(m->to)) {
		x64_rr(&e->a, X_MOV, m->type == JT_I32 ? 0 : X64_W, m->to,
			m->from);
	} else {
		jit_bug(e->f, "move between classes");
	}
}

/* Does m write what n still reads? */
static bool blocks(const struct jit_emit *e, const struct jit_move *m,
	const struct jit_move *n)
{
	if (m->to != n->from)
		return false;
	return m->to != LOC_STACK ||
		jit_slot(e, m->to_v).disp == jit_slot(e, n->v).disp;
}

static bool is_blocked(const struct jit_emit *e, const struct jit_move *m,
	uint32_t n, const uint8_t *done, uint32_t k)
{
	for (uint32_t j = 0; j < n; j++)
		if (j != k && !done[j] && blocks(e, &m[k], &m[j]))
			return true;
	return false;
}

/* All that is left are cycles: one value steps aside. */
static void break_cycle(struct jit_emit *e, struct jit_move *m, uint32_t n,
	const uint8_t *done)
{
	uint32_t k = 0;
	while (done[k] || m[k].from == LOC_CONST)
		k++;
	struct jit_move aside = m[k];
	bool general = is_general(m[k].from);
	aside.to = general ? (uint8_t)SCRATCH : (uint8_t)XCYCLE;
	uint32_t from = m[k].from, v = m[k].v;
	jit_move_one(e, &aside);
	for (uint32_t j = 0; j < n; j++) {
		if (done[j] || m[j].from != from ||
			(from == LOC_STACK &&
				jit_slot(e, m[j].v).disp !=
					jit_slot(e, v).disp))
			continue;
		m[j].from = aside.to;
	}
}

/* XCYCLE to a general register or the stack, for values of that class that
 * came from the stack. */
static void move_aside(struct jit_emit *e, const struct jit_move *m)
{
	if (m->from == XCYCLE && is_general(m->to))
		x64_rr(&e->a, X_MOVD_FROM, X64_W, 14, m->to);
	else
		jit_move_one(e, m);
}

static void move_some(struct jit_emit *e, struct jit_move *m, uint32_t n,
	uint8_t *done)
{
	uint32_t left = 0;
	for (uint32_t k = 0; k < n; k++)
		left += m[k].from != LOC_CONST;
	while (left && !e->f->failed) {
		bool moved = false;
		for (uint32_t k = 0; k < n; k++) {
			if (done[k] || m[k].from == LOC_CONST ||
				is_blocked(e, m, n, done, k))
				continue;
			move_aside(e, &m[k]);
			done[k] = 1;
			left--;
			moved = true;
		}
		if (left && !moved)
			break_cycle(e, m, n, done);
	}
	/* Constants are in nobody's way, but they take the place of others. */
	for (uint32_t k = 0; k < n; k++)
		if (m[k].from == LOC_CONST)
			jit_move_one(e, &m[k]);
}

/* --- many moves
 * -----------------------------------------------------------------
 */

/* A number for a place. */
static uint32_t place_id(const struct jit_emit *e, uint32_t loc, uint32_t v)
{
	return loc == LOC_STACK ?
		XMM0 + 16 + (uint32_t)(jit_slot(e, v).disp) / 8 :
		loc;
}

/* Who reads each place, who writes it. */
struct traffic {
	uint32_t *readers, *writer; /* writer: number of the move + 1 */
	uint32_t *ready, ready_count;
};

/* m[k] is done, or reads from elsewhere: its old place may be free. */
static void stop_reading(struct traffic *t, uint32_t place)
{
	if (--t->readers[place] == 0 && t->writer[place])
		t->ready[t->ready_count++] = t->writer[place] - 1;
}

static void do_ready(struct jit_emit *e, struct jit_move *m, uint8_t *done,
	struct traffic *t)
{
	while (t->ready_count) {
		uint32_t k = t->ready[--t->ready_count];
		move_aside(e, &m[k]);
		done[k] = 1;
		if (m[k].from != SCRATCH && m[k].from != XCYCLE)
			stop_reading(t, place_id(e, m[k].from, m[k].v));
	}
}

/* As move_some, in a time that grows with n alone. */
static void move_many(struct jit_emit *e, struct jit_move *m, uint32_t n,
	uint8_t *done)
{
	uint32_t places = 48 + (e->f->out_bytes + e->f->spill_bytes) / 8;
	struct traffic t = { jit_alloc(e->f, places, sizeof *t.readers),
		jit_alloc(e->f, places, sizeof *t.writer),
		jit_alloc(e->f, n, sizeof *t.ready), 0 };
	if (e->f->failed || !jit_work(e->f, places + n))
		return;
	for (uint32_t k = 0; k < n; k++) {
		if (m[k].from == LOC_CONST)
			continue;
		t.readers[place_id(e, m[k].from, m[k].v)]++;
		t.writer[place_id(e, m[k].to, m[k].to_v)] = k + 1;
	}
	for (uint32_t k = 0; k < n; k++)
		if (m[k].from != LOC_CONST &&
			!t.readers[place_id(e, m[k].to, m[k].to_v)])
			t.ready[t.ready_count++] = k;
	do_ready(e, m, done, &t);
	/* Cycles: each place has one reader. */
	for (uint32_t k = 0; k < n && !e->f->failed; k++) {
		if (done[k] || m[k].from == LOC_CONST)
			continue;
		uint32_t place = place_id(e, m[k].from, m[k].v);
		struct jit_move aside = m[k];
		aside.to = is_general(m[k].from) ? (uint8_t)SCRATCH :
						   (uint8_t)XCYCLE;
		jit_move_one(e, &aside);
		m[k].from = aside.to;
		stop_reading(&t, place);
		do_ready(e, m, done, &t);
	}
	for (uint32_t k = 0; k < n; k++)
		if (m[k].from == LOC_CONST)
			jit_move_one(e, &m[k]);
}

enum { FEW = 32 };

void jit_move_all(struct jit_emit *e, const struct jit_move *m, uint32_t n)
{
	struct jit_move few[FEW], *copy = few;
	uint8_t few_done[FEW] = { 0 }, *done = few_done;
	if (n == 1) {
		jit_move_one(e, m);
		return;
	}
	if (!n || !jit_work(e->f, n))
		return;
	if (n > FEW) {
		copy = jit_alloc(e->f, n, sizeof *copy);
		done = jit_alloc(e->f, n, 1);
		if (!copy || !done)
			return;
	}
	memcpy(copy, m, n * sizeof *m);
	/* Constants wait: nobody may count them as done or as readers. */
	if (n > FEW)
		move_many(e, copy, n, done);
	else
		move_some(e, copy, n, done);
}
