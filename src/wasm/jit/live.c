/* SPDX-License-Identifier: Apache-2.0 */
/* Positions, operands, and when each value is live. */
#include "wasm/jit/alloc_priv.h"

#include "wasm/jit/jit_priv.h"

/* --- operands
 * -----------------------------------------------------------------
 */

struct list {
	struct jit_opnd *out;
	uint32_t n;
};

static void put(const struct jit_fn *f, struct list *l, uint32_t v,
	uint8_t kind, bool late)
{
	if (v && jit_has_ival(&f->ins[v]))
		l->out[l->n++] = (struct jit_opnd){ v, kind, late };
}

bool jit_fits32(const struct jit_fn *f, uint32_t v, uint32_t type)
{
	uint64_t k;
	if (!jit_is_const(f, v, &k))
		return false;
	int64_t s = type == JT_I32 ? (int32_t)(uint32_t)k : (int64_t)k;
	return s >= INT32_MIN && s <= INT32_MAX;
}

static void compare_operands(const struct jit_fn *f, const struct jit_ins *i,
	struct list *l)
{
	if (i->op == J_FCMP) {
		uint32_t cc = i->cc & (FC_NOT - 1u);
		bool swap = cc == FC_LT || cc == FC_LE;
		put(f, l, i->a, swap ? USE_ANY : USE_REG, false);
		put(f, l, i->b, swap ? USE_REG : USE_ANY, false);
		return;
	}
	const struct jit_ins *a = &f->ins[i->a];
	if (a->flags & JF_FOLDED && a->op == J_AND) {
		put(f, l, a->a, USE_REG, false);
		put(f, l, a->b, USE_ANY, false);
		return;
	}
	bool imm = jit_fits32(f, i->b, i->in);
	put(f, l, i->a, imm ? USE_ANY : USE_REG, false);
	put(f, l, i->b, USE_ANY, false);
}

static void condition_operands(const struct jit_fn *f, uint32_t v,
	struct list *l)
{
	if (f->ins[v].flags & JF_FOLDED)
		compare_operands(f, &f->ins[v], l);
	else
		put(f, l, v, USE_ANY, false);
}

static void binary_operands(const struct jit_fn *f, const struct jit_ins *i,
	struct list *l)
{
	const struct jit_ins *b = &f->ins[i->b];
	uint64_t k;
	switch (i->op) {
	case J_ADD:
		if (b->flags & JF_FOLDED) {
			put(f, l, i->a, USE_REG, false);
			put(f, l, b->a, USE_REG, false);
			return;
		}
		break;
	case J_SHL:
	case J_SAR:
	case J_SHR:
	case J_ROL:
	case J_ROR:
		put(f, l, i->a, USE_ANY, false);
		if (!jit_is_const(f, i->b, &k))
			put(f, l, i->b,
				f->jit->bmi2 && i->op <= J_SHR ? USE_REG :
								 USE_ANY,
				false);
		return;
	default:
		break;
	}
	put(f, l, i->a, USE_ANY, false);
	put(f, l, i->b, USE_ANY,
		i->op == J_SUB || (i->op >= J_DIVS && i->op <= J_REMU) ||
			i->op == J_FSUB || i->op == J_FDIV);
}

uint32_t jit_operands(const struct jit_fn *f, uint32_t n,
	struct jit_opnd out[MAX_OPNDS])
{
	const struct jit_ins *i = &f->ins[n];
	struct list l = { out, 0 };
	switch (i->op) {
	case J_ICMP:
	case J_FCMP:
		compare_operands(f, i, &l);
		break;
	case J_SELECT:
		condition_operands(f, i->a, &l);
		put(f, &l, i->b, USE_ANY, false);
		put(f, &l, i->c, USE_ANY, false);
		break;
	case J_BRANCH:
		condition_operands(f, i->a, &l);
		break;
	case J_MULHU:
		put(f, &l, i->a, USE_ANY, true);
		break;
	case J_FMIN:
	case J_FMAX:
		put(f, &l, i->a, USE_ANY, false);
		put(f, &l, i->b, USE_REG, true);
		break;
	case J_FCOPYSIGN:
	case J_CHECK:
	case J_CLZ:
	case J_CTZ:
	case J_POPCNT:
	case J_EXT8S:
	case J_EXT16S:
	case J_EXT32S:
	case J_WRAP:
	case J_FABS:
	case J_FNEG:
	case J_FCEIL:
	case J_FFLOOR:
	case J_FTRUNC:
	case J_FNEAREST:
	case J_FSQRT:
	case J_INT_TO_FLOAT:
	case J_FLOAT_TO_FLOAT:
	case J_REINTERPRET:
		put(f, &l, i->a, USE_ANY, false);
		if (i->op == J_FCOPYSIGN)
			put(f, &l, i->b, USE_ANY, false);
		break;
	case J_FLOAT_TO_INT:
	case J_LOAD:
	case J_STORE:
	case J_GLOBAL_SET:
	case J_TABLE:
	case J_POINTER:
	case J_SLOT:
	case J_GET:
		put(f, &l, i->a, USE_REG, false);
		if (i->op == J_STORE)
			put(f, &l, i->b, USE_REG, false);
		break;
	case J_ELEM:
	case J_PUT:
		put(f, &l, i->a, USE_REG, false);
		put(f, &l, i->b,
			i->cc == ACC_STORE_SLOT && i->op == J_PUT ? USE_ANY :
								    USE_REG,
			false);
		break;
	case J_CALL_INDIRECT:
	case J_CALL_REF:
	case J_TAIL:
	case J_THROW_REF:
		if (i->op != J_TAIL || i->cc != TAIL_CALL)
			put(f, &l, i->a, USE_MEM, false);
		break;
	default:
		if (i->op >= J_ADD && i->op <= J_FDIV)
			binary_operands(f, i, &l);
	}
	return l.n;
}

uint32_t jit_lost(const struct jit_fn *f, const struct jit_ins *i)
{
	uint64_t k;
	switch (i->op) {
	case J_CALL:
	case J_CALL_INDIRECT:
	case J_CALL_REF:
	case J_STEP:
	case J_COPY:
	case J_FILL:
	case J_THROW:
	case J_THROW_REF:
		return UINT32_MAX;
	case J_DIVS:
	case J_DIVU:
	case J_REMS:
	case J_REMU:
	case J_MULHU:
		return 1u << RAX | 1u << RDX;
	case J_SHL:
	case J_SAR:
	case J_SHR:
		if (f->jit->bmi2)
			return 0;
		FALLTHROUGH;
	case J_ROL:
	case J_ROR:
		return jit_is_const(f, i->b, &k) ? 0 : 1u << RCX;
	default:
		return 0;
	}
}

/* --- positions ---------------------------------------------------------------
 */

static bool note_lost(struct jit_fn *f, const struct jit_ins *i,
	uint32_t count[4], bool write)
{
	struct jit_alloc *a = f->alloc;
	uint32_t lost = jit_lost(f, i);
	if (lost == UINT32_MAX) {
		if (write)
			a->calls[count[3]] = i->pos + 1;
		count[3]++;
		return true;
	}
	for (uint32_t r = RAX; r <= RDX; r++) {
		if (!(lost >> r & 1))
			continue;
		if (write)
			a->lost[r][count[r]] = i->pos + 1;
		count[r]++;
	}
	return true;
}

static void note_all_lost(struct jit_fn *f, uint32_t count[4], bool write)
{
	for (uint32_t k = 0; k < f->alloc->order_count; k++) {
		uint32_t n = f->blocks[f->alloc->order[k]].first;
		for (; n; n = f->ins[n].next)
			if (!(f->ins[n].flags & JF_FOLDED))
				note_lost(f, &f->ins[n], count, write);
	}
}

bool jit_number(struct jit_fn *f)
{
	struct jit_alloc *a = f->alloc;
	uint32_t pos = 0, count[4] = { 0 };
	a->order = jit_alloc(f, f->block_count, sizeof *a->order);
	if (!a->order)
		return false;
	for (uint32_t b = 0; b < f->block_count; b++) {
		struct jit_block *x = &f->blocks[b];
		if (!x->reached)
			continue;
		a->order[a->order_count++] = b;
		x->from = pos;
		pos += 2;
		for (uint32_t n = x->first; n; n = f->ins[n].next) {
			struct jit_ins *i = &f->ins[n];
			bool at_start = i->op == J_PHI || i->op == J_PARAM;
			i->pos = at_start ? x->from : pos;
			if (!at_start && !(i->flags & JF_FOLDED))
				pos += 2;
		}
		x->to = pos;
	}
	if (pos > UINT32_MAX / 4)
		return jit_fail(f, "function too large");
	note_all_lost(f, count, false);
	a->calls = jit_alloc(f, count[3] + 1ul, sizeof *a->calls);
	for (int r = 0; r < 3; r++)
		a->lost[r] = jit_alloc(f, count[r] + 1ul, sizeof *a->lost[r]);
	if (f->failed)
		return false;
	for (int r = 0; r < 3; r++)
		a->lost_count[r] = count[r];
	a->call_count = count[3];
	memset(count, 0, sizeof count);
	note_all_lost(f, count, true);
	return true;
}

/* The place in `order` of the block that holds a position. */
uint32_t jit_block_at(const struct jit_fn *f, uint32_t pos)
{
	const struct jit_alloc *a = f->alloc;
	uint32_t low = 0, high = a->order_count;
	while (high - low > 1) {
		uint32_t mid = low + (high - low) / 2;
		if (f->blocks[a->order[mid]].from <= pos)
			low = mid;
		else
			high = mid;
	}
	return low;
}

/* --- which values are live out of which blocks
 * ----------------------------------
 */

struct out {
	uint32_t v, next;
};

struct live {
	/* Per value, the blocks that use it (a list). */
	uint32_t *first;
	struct out *use_in;
	uint32_t use_count, use_cap;
	struct out *outs;
	uint32_t out_count, out_cap;
	uint32_t *in_mark, *out_mark; /* block -> value */
	uint32_t *todo, todo_count;
};

static void used_in(struct jit_fn *f, struct live *l, uint32_t v,
	uint32_t block)
{
	if (!jit_has_ival(&f->ins[v]))
		return;
	if (l->first[v] && l->use_in[l->first[v]].v == block)
		return;
	if (!wasm_fit(f->arena.heap, l->use_in, l->use_cap,
		    l->use_count + 2ull)) {
		jit_fail(f, "out of memory");
		return;
	}
	if (!l->use_count)
		l->use_count = 1;
	l->use_in[l->use_count] = (struct out){ block, l->first[v] };
	l->first[v] = l->use_count++;
}

/* The number that stands for "live out of block b" in the lists of uses. */
static uint32_t out_of(uint32_t b)
{
	return b | 1u << 31;
}

static void note_uses(struct jit_fn *f, struct live *l, uint32_t b, uint32_t n)
{
	struct jit_opnd op[MAX_OPNDS];
	const struct jit_ins *i = &f->ins[n];
	const struct jit_block *x = &f->blocks[b];
	if (i->op == J_PHI) {
		for (uint32_t k = 0; k < i->c; k++)
			used_in(f, l, f->args[i->b + k],
				out_of(f->edges[f->preds[x->pred + k]].from));
		return;
	}
	uint32_t count = jit_operands(f, n, op);
	for (uint32_t k = 0; k < count; k++)
		if (f->ins[op[k].v].block != b)
			used_in(f, l, op[k].v, b);
	for (uint32_t k = 0; jit_has_args(i->op) && k < i->c; k++)
		if (f->ins[f->args[i->b + k]].block != b)
			used_in(f, l, f->args[i->b + k], b);
}

static bool live_out(struct jit_fn *f, struct live *l, uint32_t v, uint32_t b)
{
	if (l->out_mark[b] == v)
		return true;
	l->out_mark[b] = v;
	if (!wasm_fit(f->arena.heap, l->outs, l->out_cap, l->out_count + 2ull))
		return jit_fail(f, "out of memory");
	if (!l->out_count)
		l->out_count = 1;
	l->outs[l->out_count] = (struct out){ v, f->blocks[b].live_outs };
	f->blocks[b].live_outs = l->out_count++;
	if (f->ins[v].block != b && l->in_mark[b] != v) {
		l->in_mark[b] = v;
		l->todo[l->todo_count++] = b;
	}
	return jit_work(f, 1);
}

/* Backwards from the uses of one value to where it is made. */
static bool explore(struct jit_fn *f, struct live *l, uint32_t v)
{
	for (uint32_t u = l->first[v]; u; u = l->use_in[u].next) {
		uint32_t b = l->use_in[u].v;
		if (b >> 31) {
			if (!live_out(f, l, v, b & ~(1u << 31)))
				return false;
		} else if (l->in_mark[b] != v) {
			l->in_mark[b] = v;
			l->todo[l->todo_count++] = b;
		}
		while (l->todo_count) {
			b = l->todo[--l->todo_count];
			const struct jit_block *x = &f->blocks[b];
			for (uint32_t k = 0; k < x->pred_count; k++)
				if (!live_out(f, l, v,
					    f->edges[f->preds[x->pred + k]]
						    .from))
					return false;
		}
	}
	return true;
}

static bool find_live(struct jit_fn *f, struct live *l)
{
	l->first = jit_alloc(f, f->ins_count, sizeof *l->first);
	l->in_mark = jit_alloc(f, f->block_count, sizeof *l->in_mark);
	l->out_mark = jit_alloc(f, f->block_count, sizeof *l->out_mark);
	l->todo = jit_alloc(f, f->block_count + 1ul, sizeof *l->todo);
	if (f->failed)
		return false;
	for (uint32_t k = 0; k < f->alloc->order_count; k++) {
		uint32_t b = f->alloc->order[k];
		for (uint32_t n = f->blocks[b].first; n && !f->failed;
			n = f->ins[n].next)
			if (!(f->ins[n].flags & JF_FOLDED))
				note_uses(f, l, b, n);
	}
	for (uint32_t v = 1; v < f->ins_count && !f->failed; v++)
		if (l->first[v] && !explore(f, l, v))
			return false;
	return !f->failed;
}

/* --- intervals ---------------------------------------------------------------
 */

/* While they are made, backwards: lists by value. */
struct node {
	uint32_t a, b, next; /* from, to; or position, kind */
};

struct lists {
	struct node *nodes;
	uint32_t count, cap;
	uint32_t *ranges, *uses; /* per value */
	uint32_t range_count, use_count;
};

static uint32_t node(struct jit_fn *f, struct lists *l, struct node n)
{
	if (f->failed ||
		!wasm_fit(f->arena.heap, l->nodes, l->cap, l->count + 2ull)) {
		jit_fail(f, "out of memory");
		return 0;
	}
	if (!l->count)
		l->count = 1;
	l->nodes[l->count] = n;
	return l->count++;
}

static void add_range(struct jit_fn *f, struct lists *l, uint32_t v,
	uint32_t from, uint32_t to)
{
	struct node *r = &l->nodes[l->ranges[v]];
	if (l->ranges[v] && to >= r->a) {
		if (from < r->a)
			r->a = from;
		if (to > r->b)
			r->b = to;
		return;
	}
	l->ranges[v] = node(f, l, (struct node){ from, to, l->ranges[v] });
	l->range_count++;
}

static void add_use(struct jit_fn *f, struct lists *l, uint32_t v, uint32_t pos,
	uint8_t kind)
{
	l->uses[v] = node(f, l, (struct node){ pos, kind, l->uses[v] });
	l->use_count++;
}

static void define(struct jit_fn *f, struct lists *l, uint32_t n)
{
	const struct jit_ins *i = &f->ins[n];
	bool at_start = i->op == J_PHI || i->op == J_PARAM;
	uint32_t pos = at_start ? i->pos : i->pos + 1;
	if (!jit_has_ival(i))
		return;
	if (l->ranges[n])
		l->nodes[l->ranges[n]].a = pos;
	else if (!at_start)
		add_range(f, l, n, pos, pos + 1);
	if (!at_start)
		add_use(f, l, n, pos, USE_REG);
}

static void ins_intervals(struct jit_fn *f, struct lists *l, uint32_t b,
	uint32_t n)
{
	struct jit_opnd op[MAX_OPNDS];
	const struct jit_ins i = f->ins[n];
	uint32_t from = f->blocks[b].from;
	define(f, l, n);
	if (i.op == J_PHI)
		return;
	uint32_t count = jit_operands(f, n, op);
	for (uint32_t k = 0; k < count; k++) {
		add_range(f, l, op[k].v, from, i.pos + (op[k].late ? 2 : 1));
		add_use(f, l, op[k].v, i.pos + op[k].late, op[k].kind);
	}
	for (uint32_t k = 0; jit_has_args(i.op) && k < i.c; k++) {
		uint32_t v = f->args[i.b + k];
		if (!v || !jit_has_ival(&f->ins[v]))
			continue;
		add_range(f, l, v, from, i.pos + 1);
		add_use(f, l, v, i.pos, USE_MEM);
	}
}

static void block_intervals(struct jit_fn *f, const struct live *live,
	struct lists *l, uint32_t b)
{
	const struct jit_block *x = &f->blocks[b];
	for (uint32_t o = x->live_outs; o; o = live->outs[o].next)
		add_range(f, l, live->outs[o].v, x->from, x->to);
	for (uint32_t n = x->last; n && !f->failed; n = f->ins[n].prev)
		if (!(f->ins[n].flags & JF_FOLDED))
			ins_intervals(f, l, b, n);
}

static void make_interval(struct jit_fn *f, const struct lists *l, uint32_t v,
	struct jit_ival *x)
{
	struct jit_alloc *a = f->alloc;
	x->v = v;
	x->loc = x->hint = LOC_NONE;
	x->vector = jit_in_xmm(&f->ins[v]);
	x->r1 = x->r0;
	for (uint32_t r = l->ranges[v]; r; r = l->nodes[r].next)
		a->ranges[x->r1++] =
			(struct jit_range){ l->nodes[r].a, l->nodes[r].b };
	x->u1 = x->u0;
	for (uint32_t u = l->uses[v]; u; u = l->nodes[u].next)
		a->uses[x->u1++] = (struct jit_use){ l->nodes[u].a,
			(uint8_t)l->nodes[u].b };
	x->from = a->ranges[x->r0].from;
	x->to = a->ranges[x->r1 - 1].to;
}

static bool make_intervals(struct jit_fn *f, const struct lists *l)
{
	struct jit_alloc *a = f->alloc;
	struct jit_ival next = { 0 };
	uint32_t n = 1;
	for (uint32_t v = 1; v < f->ins_count; v++)
		n += l->ranges[v] != 0;
	a->ranges = jit_alloc(f, l->range_count + 1ul, sizeof *a->ranges);
	a->uses = jit_alloc(f, l->use_count + 1ul, sizeof *a->uses);
	if (f->failed ||
		!wasm_fit(f->arena.heap, f->ivals, f->ival_cap, n * 2ull))
		return jit_fail(f, "out of memory");
	f->ivals[0] = next;
	f->ival_count = 1;
	for (uint32_t v = 1; v < f->ins_count; v++) {
		if (!l->ranges[v])
			continue;
		struct jit_ival *x = &f->ivals[f->ival_count];
		*x = next;
		make_interval(f, l, v, x);
		next.r0 = x->r1;
		next.u0 = x->u1;
		f->ins[v].ival = f->ival_count++;
	}
	return jit_work(f, l->range_count + l->use_count);
}

bool jit_intervals(struct jit_fn *f)
{
	struct live live = { 0 };
	struct lists l = { 0 };
	l.ranges = jit_alloc(f, f->ins_count, sizeof *l.ranges);
	l.uses = jit_alloc(f, f->ins_count, sizeof *l.uses);
	bool ok = !f->failed && find_live(f, &live);
	for (uint32_t k = f->alloc->order_count; ok && k-- > 0;)
		block_intervals(f, &live, &l, f->alloc->order[k]);
	ok = ok && !f->failed && make_intervals(f, &l);
	struct wasm_heap *h = f->arena.heap;
	wasm_heap_free(h, live.use_in, live.use_cap, sizeof *live.use_in);
	wasm_heap_free(h, live.outs, live.out_cap, sizeof *live.outs);
	wasm_heap_free(h, l.nodes, l.cap, sizeof *l.nodes);
	return ok;
}
