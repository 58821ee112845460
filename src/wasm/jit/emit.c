/* SPDX-License-Identifier: Apache-2.0 */
/* Machine code for a whole function: blocks, edges, what is out of line. */
#include "wasm/jit/emit_priv.h"
#include "wasm/jit/vec_priv.h"

/* --- places
 * --------------------------------------------------------------------
 */

uint32_t jit_place(const struct jit_emit *e, uint32_t v)
{
	return jit_loc(e->f, v, e->pos);
}

uint32_t jit_def(const struct jit_emit *e)
{
	return jit_loc(e->f, e->n, e->pos + 1);
}

struct x64_mem jit_slot(const struct jit_emit *e, uint32_t v)
{
	return x64_at(RSP,
		(int64_t)e->f->out_bytes + e->f->alloc->slots[v] - 1);
}

void jit_mov(struct jit_emit *e, uint32_t reg, uint32_t v, bool wide)
{
	uint32_t at = jit_place(e, v), w = wide ? X64_W : 0;
	if (at == LOC_CONST)
		x64_mov_ri(&e->a, reg,
			wide ? jit_ins_of(e, v)->imm :
			       (uint32_t)jit_ins_of(e, v)->imm);
	else if (at == LOC_STACK)
		x64_rm(&e->a, X_MOV, w, reg, jit_slot(e, v));
	else if (at < XMM0)
		x64_rr(&e->a, X_MOV, w, reg, at);
	else
		jit_bug(e->f, "general operand in a vector register");
}

uint32_t jit_reg(struct jit_emit *e, uint32_t v)
{
	uint32_t at = jit_place(e, v);
	if (at < XMM0)
		return at;
	jit_mov(e, SCRATCH, v, jit_ins_of(e, v)->type != JT_I32);
	return SCRATCH;
}

void jit_xmov(struct jit_emit *e, uint32_t xmm, uint32_t v, uint32_t type)
{
	uint32_t at = jit_place(e, v);
	const struct jit_ins *i = jit_ins_of(e, v);
	if (at == LOC_CONST && i->op == J_K128)
		jit_xconst(e, xmm, i);
	else if (at == LOC_CONST && !i->imm)
		x64_rr(&e->a, X_XORPS, 0, xmm, xmm);
	else if (at == LOC_CONST)
		jit_pool_op(e, type == JT_F32 ? X_MOVSS : X_MOVSD, 0, xmm,
			type == JT_F32 ? 4 : 8, i->imm, 0);
	else if (at == LOC_STACK)
		x64_rm(&e->a,
			type == JT_V128	       ? X_MOVUPS :
				type == JT_F32 ? X_MOVSS :
						 X_MOVSD,
			0, xmm, jit_slot(e, v));
	else if (at >= XMM0 && at < XMM0 + 16)
		x64_rr(&e->a, X_MOVAPS, 0, xmm, at - XMM0);
	else
		jit_bug(e->f, "vector operand in a general register");
}

uint32_t jit_xreg(struct jit_emit *e, uint32_t v, uint32_t type)
{
	uint32_t at = jit_place(e, v);
	if (at >= XMM0 && at < XMM0 + 16)
		return at - XMM0;
	jit_xmov(e, 15, v, type);
	return 15;
}

/* What comes next is of that word: noted where places are kept. */
static void begin_word(struct jit_emit *e, uint32_t word)
{
	e->word = word;
	if (!e->f->m->place_count)
		return;
	if (!jit_fit(e->f, e->lines, e->line_cap, e->line_count + 1ull))
		return;
	e->lines[e->line_count++] = (struct jit_line){ e->a.len, word };
}

/* --- traps, constants, what is out of line
 * ---------------------------------------
 */

static void add_trap(struct jit_emit *e, uint32_t at, uint32_t trap)
{
	if (!jit_fit(e->f, e->traps, e->trap_cap, e->trap_count + 1ull))
		return;
	e->traps[e->trap_count++] = (struct jit_trap){ at, trap, e->word };
}

void jit_trap_if(struct jit_emit *e, uint32_t cc, uint32_t trap)
{
	add_trap(e, x64_jcc(&e->a, cc), trap);
}

void jit_trap_always(struct jit_emit *e, uint32_t trap)
{
	add_trap(e, x64_jmp(&e->a), trap);
}

struct jit_far *jit_far_away(struct jit_emit *e, uint32_t kind, uint32_t at,
	uint32_t n)
{
	if (!jit_fit(e->f, e->fars, e->far_cap, e->far_count + 1ull))
		return NULL;
	e->fars[e->far_count] = (struct jit_far){ .kind = (uint8_t)kind,
		.at = at,
		.n = n,
		.word = e->word };
	return &e->fars[e->far_count++];
}

static const struct x64_mem behind = { .base = NO_REG, .index = NO_REG };

static void add_pool(struct jit_emit *e, uint32_t at, uint32_t size,
	uint64_t low, uint64_t high)
{
	if (!jit_fit(e->f, e->pool, e->pool_cap, e->pool_count + 1ull))
		return;
	e->pool[e->pool_count++] =
		(struct jit_pool){ .at = at, .size = size, .v = { low, high } };
}

void jit_pool_op(struct jit_emit *e, uint32_t op, uint32_t flags, uint32_t reg,
	uint32_t size, uint64_t low, uint64_t high)
{
	add_pool(e, x64_rm(&e->a, op, flags, reg, behind), size, low, high);
}

void jit_pool_vector(struct jit_emit *e, bool vex, uint32_t op, uint32_t d,
	uint32_t s, const uint64_t v[2])
{
	add_pool(e, x64_v3m(&e->a, vex, op, 0, d, s, behind), 16, v[0], v[1]);
}

static void align(struct jit_emit *e, uint32_t n)
{
	while (e->a.len % n && !e->a.full)
		x64_u8(&e->a, 0xcc);
}

static void put_constant(struct jit_emit *e, const struct jit_pool *p)
{
	if (p->size == 4)
		x64_u32(&e->a, (uint32_t)p->v[0]);
	else
		x64_u64(&e->a, p->v[0]);
	if (p->size == 16)
		x64_u64(&e->a, p->v[1]);
}

enum { POOL_PROBES = 8 };

/* Where a constant was put already is found by its bits; a few tries. */
static struct jit_pool *pool_place(struct jit_emit *e, struct jit_pool **table,
	uint32_t mask, struct jit_pool *p)
{
	uint64_t h = (p->v[0] ^ p->v[1] * 0x9e3779b97f4a7c15u ^ p->size) *
		0x9e3779b97f4a7c15u;
	struct jit_pool **slot = NULL;
	for (uint32_t k = 0; k < POOL_PROBES; k++) {
		slot = &table[((h >> 32) + k) & mask];
		const struct jit_pool *q = *slot;
		if (!q)
			break;
		if (q->size == p->size && q->v[0] == p->v[0] &&
			q->v[1] == p->v[1])
			return *slot;
	}
	p->place = e->a.len;
	put_constant(e, p);
	*slot = p;
	return p;
}

/* Constants of one size, as good as each of them once. */
static void put_pool(struct jit_emit *e, struct jit_pool **table, uint32_t mask,
	uint32_t size)
{
	bool any = false;
	for (uint32_t k = 0; k < e->pool_count; k++) {
		struct jit_pool *p = &e->pool[k];
		if (p->size != size)
			continue;
		if (!any)
			align(e, size);
		any = true;
		x64_patch(&e->a, p->at, pool_place(e, table, mask, p)->place);
	}
}

static void put_pools(struct jit_emit *e)
{
	uint32_t size = 4;
	while (size < e->pool_count * 2)
		size *= 2;
	struct jit_pool **table = jit_alloc(e->f, size, sizeof(void *));
	if (!table || !e->pool_count)
		return;
	put_pool(e, table, size - 1, 16);
	put_pool(e, table, size - 1, 8);
	put_pool(e, table, size - 1, 4);
}

/* --- jumps
 * ----------------------------------------------------------------------
 */

static void jump_to(struct jit_emit *e, uint32_t at, uint32_t block)
{
	if (!jit_fit(e->f, e->jumps, e->jump_cap, e->jump_count + 1ull))
		return;
	e->jumps[e->jump_count++] = (struct jit_patch){ at, block };
}

static uint32_t next_block(const struct jit_emit *e)
{
	const struct jit_alloc *a = e->f->alloc;
	return e->k + 1 < a->order_count ? a->order[e->k + 1] : UINT32_MAX;
}

static bool is_plain(const struct jit_edge *x)
{
	return !x->move_count && !x->back;
}

/* The code of an edge that has some, and the jump. */
static void take_edge(struct jit_emit *e, const struct jit_edge *x)
{
	if (x->move_count)
		jit_move_all(e, e->f->moves + x->moves, x->move_count);
	if (!x->back) {
		if (x->to != next_block(e))
			jump_to(e, x64_jmp(&e->a), x->to);
		return;
	}
	x64_alu_ri(&e->a, ALU_SUB, X64_W, REG_BUDGET, 1);
	jump_to(e, x64_jcc(&e->a, CC_GE), x->to);
	jit_far_away(e, SLOW_REFILL, x64_jmp(&e->a), x->to);
}

/* Jumps to the block when c holds. */
static void branch_to(struct jit_emit *e, struct jit_cond c, uint32_t block)
{
	uint32_t over = 0;
	if (c.parity == CC_NP)
		over = x64_jcc(&e->a, CC_P);
	else if (c.parity == CC_P)
		jump_to(e, x64_jcc(&e->a, CC_P), block);
	jump_to(e, x64_jcc(&e->a, c.cc), block);
	if (over)
		x64_patch_here(&e->a, over);
}

/* Jumps over what follows unless c holds: places to patch. */
static void branch_over(struct jit_emit *e, struct jit_cond c, uint32_t at[2])
{
	c = jit_not(c);
	at[0] = at[1] = 0;
	if (c.parity == CC_NP) {
		uint32_t stay = x64_jcc(&e->a, CC_P);
		at[0] = x64_jcc(&e->a, c.cc);
		x64_patch_here(&e->a, stay);
		return;
	}
	if (c.parity == CC_P)
		at[1] = x64_jcc(&e->a, CC_P);
	at[0] = x64_jcc(&e->a, c.cc);
}

static void check(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t at = jit_place(e, i->a), cc = CC_E;
	if (jit_ins_of(e, i->a)->flags & JF_FOLDED)
		cc = jit_not(jit_emit_cond(e, i->a)).cc;
	else if (at == LOC_STACK)
		x64_alu_mi(&e->a, ALU_CMP, X64_W, jit_slot(e, i->a), 0);
	else
		x64_rr(&e->a, X_TEST, X64_W, jit_reg(e, i->a),
			jit_reg(e, i->a));
	jit_trap_if(e, cc, i->cc);
}

static void branch(struct jit_emit *e, const struct jit_ins *i)
{
	const struct jit_block *b = &e->f->blocks[i->block];
	const struct jit_edge *yes = &e->f->edges[b->succ], *no = yes + 1;
	struct jit_cond c = jit_emit_cond(e, i->a);
	uint32_t at[2];
	if (is_plain(yes) && (yes->to != next_block(e) || !is_plain(no))) {
		branch_to(e, c, yes->to);
		take_edge(e, no);
	} else if (is_plain(no)) {
		branch_to(e, jit_not(c), no->to);
		take_edge(e, yes);
		if (!yes->back && yes->to == next_block(e))
			return;
	} else {
		branch_over(e, c, at);
		take_edge(e, yes);
		/* Not past the other edge's code. */
		if (!yes->back && yes->to == next_block(e))
			jump_to(e, x64_jmp(&e->a), yes->to);
		x64_patch_here(&e->a, at[0]);
		if (at[1])
			x64_patch_here(&e->a, at[1]);
		take_edge(e, no);
	}
}

/* Makes entry_edge ready for the block's table. */
static void map_targets(struct jit_emit *e, const struct jit_block *b)
{
	for (uint32_t k = 0; k < b->succ_count; k++)
		e->by_target[e->f->edges[b->succ + k].to] = b->succ + k;
}

/* The edge that an entry of the table leads to. */
static struct jit_edge *entry_edge(struct jit_emit *e, const struct jit_ins *i,
	uint32_t entry)
{
	const union wasm_word *w = e->f->code + i->imm + 1 + entry;
	uint32_t word = (uint32_t)((w - e->f->code) + w->rel);
	uint32_t to = e->f->block_of[word - e->f->first_word];
	return &e->f->edges[e->by_target[to]];
}

/* The code of the edges that have some; they end in jumps. */
static void table_edges(struct jit_emit *e, const struct jit_block *b)
{
	uint32_t k = e->k;
	e->k = e->f->alloc->order_count; /* nothing follows */
	for (uint32_t n = 0; n < b->succ_count; n++) {
		struct jit_edge *x = &e->f->edges[b->succ + n];
		if (is_plain(x))
			continue;
		x->code = e->a.len;
		take_edge(e, x);
	}
	e->k = k;
}

/* To the entry of the table whose address is patched in where this says. */
static uint32_t plain_jump(struct jit_emit *e, uint32_t reg)
{
	uint32_t at = x64_rm(&e->a, X_LEA, X64_W, SCRATCH,
		(struct x64_mem){ .base = NO_REG, .index = NO_REG });
	x64_rm(&e->a, X_GROUP5, 0, 4, x64_sum(SCRATCH, reg, 3, 0));
	return at;
}

/* The same for an index that speculation may have brought past the
 * comparison, whose flags are still there. */
static uint32_t masked_jump(struct jit_emit *e, uint32_t reg)
{
	x64_rr(&e->a, X_MOV, 0, SCRATCH, reg);
	x64_rm(&e->a, X64(0, 1, 0x40 | CC_AE), X64_W, SCRATCH,
		x64_at(REG_EXEC, JIT_FIELD(jit.zero)));
	x64_u8(&e->a, 0x50); /* push rax */
	uint32_t at = x64_rm(&e->a, X_LEA, X64_W, RAX,
		(struct x64_mem){ .base = NO_REG, .index = NO_REG });
	x64_rm(&e->a, X_MOV, X64_W, SCRATCH, x64_sum(RAX, SCRATCH, 3, 0));
	x64_u8(&e->a, 0x58); /* pop rax */
	x64_rr(&e->a, X_GROUP5, 0, 4, SCRATCH);
	return at;
}

/* A table of addresses lies behind the code. */
static void table(struct jit_emit *e, const struct jit_ins *i)
{
	const struct jit_block *b = &e->f->blocks[i->block];
	uint32_t n = (e->f->code + i->imm)->high, reg = jit_place(e, i->a);
	if (!e->by_target)
		e->by_target = jit_alloc(e->f, e->f->block_count,
			sizeof *e->by_target);
	if (!e->by_target)
		return;
	map_targets(e, b);
	if (reg == LOC_CONST) {
		uint32_t k = (uint32_t)jit_ins_of(e, i->a)->imm;
		take_edge(e, entry_edge(e, i, k < n ? k : n));
		return;
	}
	if (reg >= XMM0) {
		jit_bug(e->f, "spilled operand");
		return;
	}
	x64_alu_ri(&e->a, ALU_CMP, 0, reg, (int32_t)n);
	uint32_t beyond = x64_jcc(&e->a, CC_AE);
	uint32_t at = e->j->mask ? masked_jump(e, reg) : plain_jump(e, reg);
	table_edges(e, b);
	const struct jit_edge *last = entry_edge(e, i, n);
	if (last->code)
		x64_patch(&e->a, beyond, last->code);
	else
		jump_to(e, beyond, last->to);
	if (!jit_fit(e->f, e->tables, e->table_cap, e->table_count + 1ull))
		return;
	e->tables[e->table_count++] = (struct jit_patch){ at, e->n };
}

static void put_table(struct jit_emit *e, const struct jit_patch *t)
{
	const struct jit_ins *i = jit_ins_of(e, t->what);
	uint32_t n = (e->f->code + i->imm)->high;
	uint64_t start = (uint64_t)(uintptr_t)e->j->memory + e->base;
	map_targets(e, &e->f->blocks[i->block]);
	align(e, 8);
	x64_patch_here(&e->a, t->at);
	for (uint32_t k = 0; k < n && !e->a.full; k++) {
		const struct jit_edge *x = entry_edge(e, i, k);
		x64_u64(&e->a,
			start +
				(x->code ? x->code :
					   e->f->blocks[x->to].label));
	}
}

enum { LOOP_ALIGN = 32 };

/* --- blocks
 * ----------------------------------------------------------------------
 */

static void store_early(struct jit_emit *e, uint32_t n, uint32_t pos)
{
	const struct jit_ins *i = jit_ins_of(e, n);
	if (!i->ival || !e->f->alloc->eager[n])
		return;
	struct jit_move m = { .v = n,
		.to_v = n,
		.from = (uint8_t)jit_loc(e->f, n, pos),
		.to = LOC_STACK,
		.type = i->type };
	jit_move_one(e, &m);
}

static void moves_at(struct jit_emit *e, uint32_t pos)
{
	const struct jit_move *m = e->f->moves;
	uint32_t first = e->move;
	while (e->move < e->f->move_count && m[e->move].pos == pos)
		e->move++;
	if (e->move > first)
		jit_move_all(e, m + first, e->move - first);
}

static void instruction(struct jit_emit *e, uint32_t n)
{
	const struct jit_ins *i = jit_ins_of(e, n);
	e->n = n;
	e->pos = i->pos;
	begin_word(e, i->word);
	if (e->starts)
		e->starts[n] = e->a.len;
	/* What gives way to the result does so before, but after what comes
	 * for the operands. */
	if (e->move < e->f->move_count &&
		e->f->moves[e->move].pos <= i->pos + 1) {
		moves_at(e, i->pos);
		moves_at(e, i->pos + 1);
	}
	switch (i->op) {
	case J_JUMP:
		take_edge(e, &e->f->edges[e->f->blocks[i->block].succ]);
		return;
	case J_BRANCH:
		branch(e, i);
		return;
	case J_TABLE:
		table(e, i);
		return;
	case J_RETURN:
		jit_emit_return(e, i);
		return;
	case J_TRAP:
		jit_trap_always(e, i->cc);
		return;
	case J_LOAD:
	case J_STORE:
		jit_emit_memory(e, i);
		store_early(e, n, i->pos + 1);
		return;
	case J_CHECK:
		check(e, i);
		return;
	default:
		break;
	}
	if (!jit_emit_int(e, i) && !jit_emit_float(e, i) &&
		!jit_emit_vec(e, i) && !jit_emit_memory(e, i) &&
		!jit_emit_ref(e, i) && !jit_emit_bulk(e, i) &&
		!jit_emit_call(e, i))
		jit_bug(e->f, "nothing to emit");
	store_early(e, n, i->pos + 1);
}

/* A loop within which there is no other, and no call, begins a line of what
 * the processor keeps decoded. */
static void align_loop(struct jit_emit *e, const struct jit_block *b)
{
	const struct jit_fn *f = e->f;
	const struct jit_alloc *a = f->alloc;
	uint32_t n = f->alloc->order[e->k];
	for (uint32_t k = n + 1; k <= b->loop_end; k++)
		if (f->blocks[k].is_head)
			return;
	while (e->call < a->calls.count && a->calls.at[e->call] < b->from)
		e->call++;
	if (e->call < a->calls.count &&
		a->calls.at[e->call] < f->blocks[b->loop_end].to)
		return;
	x64_nops(&e->a, -e->a.len % LOOP_ALIGN);
}

static void block(struct jit_emit *e)
{
	struct jit_block *b = &e->f->blocks[e->f->alloc->order[e->k]];
	if (b->is_head)
		align_loop(e, b);
	b->label = e->a.len;
	if (e->k == 0)
		jit_emit_entry(e);
	for (uint32_t n = b->first; n && !e->f->failed; n = e->f->ins[n].next) {
		uint32_t op = e->f->ins[n].op;
		if (op == J_PHI || op == J_PARAM)
			store_early(e, n, b->from);
		else if (!(e->f->ins[n].flags & JF_FOLDED))
			instruction(e, n);
	}
}

/* --- after the blocks
 * ------------------------------------------------------------
 */

static void far(struct jit_emit *e, const struct jit_far *s)
{
	x64_patch_here(&e->a, s->at);
	begin_word(e, s->word);
	switch (s->kind) {
	case SLOW_REFILL:
		jit_call_stub(e, e->j->refill);
		jump_to(e, x64_jmp(&e->a), s->n);
		return;
	case SLOW_ENTRY:
		jit_call_stub(e, e->j->refill);
		x64_patch(&e->a, x64_jmp(&e->a), s->back);
		return;
	case SLOW_STACK:
		x64_mov_ri(&e->a, RAX, WASM_TRAP_STACK);
		x64_patch(&e->a, x64_jmp(&e->a), e->j->trap - e->base);
		return;
	case SLOW_SIGNATURE:
		jit_emit_signature_far(e, s);
		return;
	case SLOW_TAIL:
		jit_emit_tail_far(e, s);
		return;
	default:
		jit_emit_to_int_far(e, s);
	}
}

/* Where unwinding leads: the moves along the edges to handlers. */
static void put_landings(struct jit_emit *e)
{
	for (uint32_t k = 0; k < e->f->edge_count && !e->f->failed; k++) {
		struct jit_edge *x = &e->f->edges[k];
		if (!x->throws)
			continue;
		x->code = e->a.len;
		jit_move_all(e, e->f->moves + x->moves, x->move_count);
		jump_to(e, x64_jmp(&e->a), x->to);
	}
}

static void put_traps(struct jit_emit *e)
{
	uint32_t at[64] = { 0 };
	for (uint32_t k = 0; k < e->trap_count; k++) {
		uint32_t trap = e->traps[k].trap;
		if (!at[trap] || e->line_count) {
			begin_word(e, e->traps[k].word);
			at[trap] = e->a.len;
			x64_mov_ri(&e->a, RAX, trap);
			jit_call_stub(e, e->j->trap);
		}
		x64_patch(&e->a, e->traps[k].at, at[trap]);
	}
}

/* A call of what is not compiled yet goes by a stub that looks where the
 * callee begins, each time: code is never changed. */
static void put_thunks(struct jit_emit *e)
{
	for (uint32_t k = 0; k < e->thunk_count; k++) {
		struct wasm_func *to = &e->f->inst->own[e->thunks[k].what];
		if (!to->jit_thunk) {
			to->jit_thunk = e->base + e->a.len;
			x64_mov_ri(&e->a, RAX, (uint64_t)(uintptr_t)to);
			x64_rm(&e->a, X_GROUP5, 0, 4,
				x64_at(RAX, FUNC_FIELD(jit_entry)));
		}
		x64_patch(&e->a, e->thunks[k].at, to->jit_thunk - e->base);
	}
}

/* What was promised is not there after all. */
void jit_forget_thunks(struct jit_emit *e)
{
	for (uint32_t k = 0; k < e->thunk_count; k++) {
		struct wasm_func *to = &e->f->inst->own[e->thunks[k].what];
		if (to->jit_thunk >= e->base)
			to->jit_thunk = 0;
	}
}

bool jit_emit_all(struct jit_emit *e)
{
	struct jit_fn *f = e->f;
	e->move = f->inner_moves;
	for (e->k = 0; e->k < f->alloc->order_count && !f->failed; e->k++)
		block(e);
	e->far_at = e->a.len;
	for (uint32_t k = 0; k < e->far_count && !f->failed; k++)
		far(e, &e->fars[k]);
	put_landings(e);
	put_traps(e);
	put_thunks(e);
	e->data_at = e->a.len;
	for (uint32_t k = 0; k < e->table_count; k++)
		put_table(e, &e->tables[k]);
	for (uint32_t k = 0; k < e->jump_count; k++)
		x64_patch(&e->a, e->jumps[k].at,
			f->blocks[e->jumps[k].what].label);
	put_pools(e);
	return !f->failed && !e->a.full;
}
