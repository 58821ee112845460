/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After building: phis that are none, code without use, and for values whose
 * register class the register code does not tell (loads, phis, selects) the
 * class that most of what is done with them wants.
 */
#include "wasm/jit/ir_priv.h"
#include "wasm/jit/vec_priv.h"
#include "wasm/jit/x64_priv.h"

/* clang-format off */
#define BITS(op, bits) [J_##op] = (bits)
const uint8_t jit_op_bits[J_OP_COUNT] = {
	BITS(PHI, JB_ARGS), BITS(LOAD, JB_TRAPS), BITS(FLOAT_TO_INT, JB_TRAPS),
	BITS(DIVS, JB_TRAPS | JB_TAKES), BITS(DIVU, JB_TRAPS | JB_TAKES),
	BITS(REMS, JB_TRAPS | JB_TAKES), BITS(REMU, JB_TRAPS | JB_TAKES),
	BITS(MULHU, JB_TAKES), BITS(SHL, JB_TAKES), BITS(SAR, JB_TAKES),
	BITS(SHR, JB_TAKES), BITS(ROL, JB_TAKES), BITS(ROR, JB_TAKES),
	BITS(STORE, JB_EFFECT), BITS(GLOBAL_SET, JB_EFFECT),
	BITS(POINTER, JB_EFFECT), BITS(SLOT, JB_EFFECT), BITS(ELEM, JB_EFFECT),
	BITS(PUT, JB_EFFECT), BITS(CHECK, JB_EFFECT),
	BITS(CALL, JB_EFFECT | JB_CALLS | JB_ARGS),
	BITS(CALL_INDIRECT, JB_EFFECT | JB_CALLS | JB_ARGS),
	BITS(CALL_REF, JB_EFFECT | JB_CALLS | JB_ARGS),
	BITS(STEP, JB_EFFECT | JB_CALLS | JB_ARGS),
	BITS(COPY, JB_EFFECT | JB_CALLS | JB_ARGS),
	BITS(FILL, JB_EFFECT | JB_CALLS | JB_ARGS),
	BITS(JUMP, JB_EFFECT), BITS(BRANCH, JB_EFFECT), BITS(TABLE, JB_EFFECT),
	BITS(RETURN, JB_EFFECT | JB_ARGS), BITS(TAIL, JB_EFFECT | JB_ARGS),
	BITS(THROW, JB_EFFECT | JB_CALLS | JB_ARGS),
	BITS(THROW_REF, JB_EFFECT | JB_CALLS), BITS(TRAP, JB_EFFECT),
};
/* clang-format on */

uint32_t jit_arg_type(const struct jit_fn *f, const struct jit_ins *i,
	uint32_t k)
{
	const struct wasm_typedef *t;
	switch (i->op) {
	case J_PHI:
		return i->type;
	case J_RETURN:
		t = f->type;
		k += t->params;
		break;
	case J_STEP:
	case J_THROW:
		return JT_ANY;
	case J_COPY:
	case J_FILL:
		return JT_I64;
	default:
		t = &f->m->types[i->aux];
	}
	return jit_type_of(f->m->pool[t->first + k]);
}

/* clang-format off */
#define OWN1(op) [J_##op] = { JT_OWN }
#define OWN2(op) [J_##op] = { JT_OWN, JT_OWN }
#define ONE(op, type) [J_##op] = { JT_##type }

const uint8_t jit_operand_types[J_OP_COUNT][3] = {
	OWN2(ADD), OWN2(SUB), OWN2(MUL), OWN2(DIVS), OWN2(DIVU), OWN2(REMS),
	OWN2(REMU), OWN2(AND), OWN2(OR), OWN2(XOR), OWN2(SHL), OWN2(SAR),
	OWN2(SHR), OWN2(ROL), OWN2(ROR), ONE(MULHU, I64),
	[J_ICMP] = { JT_IN, JT_IN }, [J_FCMP] = { JT_IN, JT_IN },
	OWN1(CLZ), OWN1(CTZ), OWN1(POPCNT), OWN1(EXT8S), OWN1(EXT16S),
	ONE(EXT32S, I64), ONE(WRAP, I64),
	OWN2(FADD), OWN2(FSUB), OWN2(FMUL), OWN2(FDIV), OWN2(FMIN), OWN2(FMAX),
	OWN2(FCOPYSIGN), OWN1(FABS), OWN1(FNEG), OWN1(FCEIL), OWN1(FFLOOR),
	OWN1(FTRUNC), OWN1(FNEAREST), OWN1(FSQRT),
	ONE(INT_TO_FLOAT, IN), ONE(FLOAT_TO_INT, IN), ONE(FLOAT_TO_FLOAT, IN),
	ONE(REINTERPRET, IN), [J_SELECT] = { JT_I32, JT_OWN, JT_OWN },
	ONE(LOAD, IN), [J_STORE] = { JT_IN, JT_STORED }, ONE(GLOBAL_SET, WHOLE),
	ONE(POINTER, IN), ONE(SLOT, IN), [J_ELEM] = { JT_I64, JT_I32 },
	ONE(GET, I64), [J_PUT] = { JT_I64, JT_PUT }, ONE(THROW_REF, I64),
	ONE(TAIL, CALLEE), [J_VEC] = { JT_IN, JT_SECOND },
	ONE(TYPE, I64), ONE(BELOW, I32), ONE(CHECK, I64), ONE(CALL_INDIRECT, I64), ONE(CALL_REF, I64),
	ONE(BRANCH, I32), ONE(TABLE, I32),
};
/* clang-format on */

static uint32_t *operand(struct jit_ins *i, int n)
{
	return n == 0 ? &i->a : n == 1 ? &i->b : &i->c;
}

/* --- phis that are none ------------------------------------------------------
 */

static uint32_t root(uint32_t *same, uint32_t v)
{
	while (same[v]) {
		if (same[same[v]])
			same[v] = same[same[v]];
		v = same[v];
	}
	return v;
}

static bool simplify_phi(struct jit_fn *f, uint32_t *same, uint32_t n)
{
	const struct jit_ins *i = &f->ins[n];
	uint32_t one = 0;
	for (uint32_t k = 0; k < i->c; k++) {
		uint32_t v = root(same, f->args[i->b + k]);
		if (v == n || v == one)
			continue;
		if (one)
			return false;
		one = v;
	}
	same[n] = one;
	f->ins[one].flags |= i->flags & JF_REF;
	return one != 0;
}

static bool simplify_phis(struct jit_fn *f, uint32_t *same)
{
	bool changed = false;
	for (uint32_t b = 1; b < f->block_count; b++)
		for (uint32_t n = f->blocks[b].first;
			n && f->ins[n].op == J_PHI; n = f->ins[n].next)
			if (!same[n])
				changed |= simplify_phi(f, same, n);
	return changed;
}

enum { MAX_ROUNDS = 4 };

/* Finds phis that are none: value -> what it is. */
static bool find_same(struct jit_fn *f, uint32_t **out)
{
	uint32_t *same = jit_alloc(f, f->ins_count, sizeof *same);
	int rounds = 0;
	if (!same)
		return false;
	while (rounds < MAX_ROUNDS && simplify_phis(f, same))
		rounds++;
	*out = rounds ? same : NULL;
	return jit_work(f, f->ins_count);
}

/* --- code without use
 * ----------------------------------------------------------
 */

bool jit_traps(const struct jit_fn *f, const struct jit_ins *i)
{
	uint64_t k;
	switch (i->op) {
	case J_LOAD:
		return !(i->flags & JF_CHECKED);
	case J_FLOAT_TO_INT:
		return !(i->cc & CVT_SATURATE);
	default:
		return !jit_is_const(f, i->b, &k) || !k ||
			(uint32_t)k == UINT32_MAX;
	}
}

/* From the last instruction to the first: what is found to be used has its
 * turn later, but for a loop's, which stand in the list. */
struct todo {
	uint32_t *item, count;
	uint32_t at;
	uint32_t *same; /* or NULL */
};

/* The value that is meant by v, which is used. */
static uint32_t mark(struct jit_fn *f, struct todo *t, uint32_t v)
{
	if (t->same)
		v = root(t->same, v);
	struct jit_ins *i = &f->ins[v];
	i->uses++;
	/* Number 0 counts as marked. */
	if (!(i->flags & JF_LIVE)) {
		i->flags |= JF_LIVE;
		if (v > t->at)
			t->item[t->count++] = v;
	}
	return v;
}

static void mark_operands(struct jit_fn *f, struct todo *t, uint32_t n)
{
	struct jit_ins *i = &f->ins[n];
	const uint8_t *is = jit_operand_types[i->op];
	/* One that an instruction does without is number 0. */
	if (is[0] || i->op == J_RESULT)
		i->a = mark(f, t, i->a);
	if (is[1])
		i->b = mark(f, t, i->b);
	if (is[2])
		i->c = mark(f, t, i->c);
	for (uint32_t k = 0; jit_has_args(i->op) && k < i->c; k++)
		f->args[i->b + k] = mark(f, t, f->args[i->b + k]);
}

static bool mark_live(struct jit_fn *f)
{
	struct todo t = { .item = jit_alloc(f, f->ins_count, sizeof *t.item) };
	if (!t.item || !find_same(f, &t.same))
		return false;
	f->ins[0].flags = JF_LIVE;
	for (t.at = f->ins_count - 1; t.at; t.at--) {
		struct jit_ins *i = &f->ins[t.at];
		if (jit_has_effect(i) || jit_may_trap(f, i))
			i->flags |= JF_LIVE;
		if (i->flags & JF_LIVE)
			mark_operands(f, &t, t.at);
		while (t.count)
			mark_operands(f, &t, t.item[--t.count]);
	}
	return jit_work(f, f->ins_count);
}

/* --- classes
 * -------------------------------------------------------------------
 */

static bool is_open(const struct jit_ins *i)
{
	return (i->type == JT_ANY || i->type == JT_ANY32) && i->op != J_K;
}

/* In a vector register, or a general one; as wide as it may be. */
static void settle(struct jit_ins *i, bool x)
{
	if (i->type == JT_ANY32)
		i->type = x ? JT_F32 : JT_I32;
	else
		i->type = x ? JT_F64 : JT_I64;
}

/* What a phi or select could take over from its operands: 0 nothing. */
static uint32_t operand_class(const struct jit_fn *f, const struct jit_ins *i)
{
	uint32_t found = JT_NONE;
	uint32_t n = i->op == J_PHI ? i->c : 2;
	for (uint32_t k = 0; k < n; k++) {
		uint32_t v = i->op == J_PHI ? f->args[i->b + k] :
			k		    ? i->c :
					      i->b;
		const struct jit_ins *x = &f->ins[v];
		if (x->op == J_K || is_open(x))
			continue;
		if (jit_is_float(x->type))
			return x->type;
		found = x->type;
	}
	return found;
}

/* What is asked of a value, and whether its type was open. */
enum { WANT_INT = 1, WANT_FLOAT = 2, WANT_F32 = 4, WAS_OPEN = 8 };

static void want(uint8_t *wanted, uint32_t v, uint32_t type)
{
	if (type == JT_F32)
		wanted[v] |= WANT_FLOAT | WANT_F32;
	else if (jit_is_float(type))
		wanted[v] |= WANT_FLOAT;
	else if (type == JT_I32 || type == JT_I64)
		wanted[v] |= WANT_INT;
}

static void collect_wants(struct jit_fn *f, uint8_t *wanted, uint32_t n)
{
	const struct jit_ins *i = &f->ins[n];
	if (!(i->flags & JF_LIVE))
		return;
	for (int k = 0; k < 3; k++)
		want(wanted,
			k == 0	       ? i->a :
				k == 1 ? i->b :
					 i->c,
			jit_operand_type(i, k));
	for (uint32_t k = 0; jit_has_args(i->op) && k < i->c; k++)
		want(wanted, f->args[i->b + k], jit_arg_type(f, i, k));
}

/* What values become is told by those before them and by those behind: whoever
 * goes both ways in turn sees a chain of them to its end. */
static bool settle_some(struct jit_fn *f, const uint32_t *open, uint32_t count,
	uint8_t *wanted, bool backwards)
{
	bool changed = false;
	for (uint32_t k = 0; k < count; k++) {
		uint32_t n = open[backwards ? count - 1 - k : k];
		struct jit_ins *i = &f->ins[n];
		uint32_t type = JT_NONE;
		if (!is_open(i))
			continue;
		if (i->op == J_PHI || i->op == J_SELECT)
			type = operand_class(f, i);
		f->work += i->op == J_PHI ? i->c : 0;
		if (!type && !(wanted[n] & (WANT_INT | WANT_FLOAT)))
			continue;
		settle(i, type ? jit_is_float(type) : wanted[n] & WANT_FLOAT);
		collect_wants(f, wanted, n);
		changed = true;
	}
	return changed;
}

/*
 * Phis and selects in vector registers are 64 bits wide, unless somebody takes
 * them for an f32: then they, and what they come from, hold no more than that.
 * (That they come from an f32 says nothing: to make an i64 of one, and an f64
 * of that, costs no instruction.)
 */
static bool narrow_some(struct jit_fn *f, uint32_t *todo, uint32_t count,
	uint8_t *wanted)
{
	uint32_t n = 0, steps = 0;
	for (uint32_t k = 0; k < count; k++)
		if (wanted[todo[k]] & WANT_F32)
			todo[n++] = todo[k];
	while (n) {
		struct jit_ins *i = &f->ins[todo[--n]];
		if (i->type != JT_F64 || (i->op != J_PHI && i->op != J_SELECT))
			continue;
		i->type = JT_F32;
		uint32_t operands = i->op == J_PHI ? i->c : 2;
		steps += operands;
		for (uint32_t k = 0; k < operands; k++) {
			uint32_t v = i->op == J_PHI ? f->args[i->b + k] :
				k		    ? i->c :
						      i->b;
			if ((wanted[v] & (WAS_OPEN | WANT_F32)) != WAS_OPEN)
				continue;
			wanted[v] |= WANT_F32;
			todo[n++] = v;
		}
	}
	return jit_work(f, steps);
}

static bool choose_classes(struct jit_fn *f)
{
	uint8_t *wanted = jit_alloc(f, f->ins_count, 1);
	uint32_t *open = jit_alloc(f, f->ins_count, sizeof *open), count = 0;
	if (f->failed)
		return false;
	for (uint32_t n = 1; n < f->ins_count; n++) {
		if ((f->ins[n].flags & JF_LIVE) && is_open(&f->ins[n])) {
			wanted[n] |= WAS_OPEN;
			open[count++] = n;
		}
		collect_wants(f, wanted, n);
	}
	for (bool back = false; settle_some(f, open, count, wanted, back);
		back = !back)
		if (!jit_work(f, count))
			return false;
	for (uint32_t k = 0; k < count; k++)
		if (is_open(&f->ins[open[k]]))
			settle(&f->ins[open[k]], false);
	return narrow_some(f, open, count, wanted);
}

/* The value as one of that type, made before instruction `at`. */
static uint32_t converted(struct jit_fn *f, uint32_t v, uint32_t type,
	uint32_t at)
{
	const struct jit_ins *x = &f->ins[v];
	if (type == JT_NONE || type == JT_ANY || type == JT_ANY32 || !v ||
		x->op == J_K || x->op == J_K128)
		return v;
	/* Above an f32 there may be anything, but for what was just loaded. */
	bool stale = x->type == JT_F32 && (type == JT_F64 || type == JT_WIDE) &&
		x->op != J_LOAD;
	if (type == JT_WIDE)
		type = JT_F64;
	else if (jit_is_float(x->type) != jit_is_float(type))
		stale = true;
	if (!stale)
		return v;
	uint32_t n = jit_new(f,
		&(struct jit_ins){ .op = J_REINTERPRET,
			.type = (uint8_t)type,
			.in = x->type,
			.flags = JF_LIVE,
			.uses = 1,
			.word = f->ins[at].word,
			.a = v });
	if (n)
		jit_insert_before(f, at, n);
	return n;
}

static void convert_operands(struct jit_fn *f, uint32_t n)
{
	for (int k = 0; k < 3; k++) {
		struct jit_ins i = f->ins[n];
		uint32_t v = converted(f, *operand(&i, k),
			jit_operand_type(&i, k), n);
		if (v != *operand(&i, k))
			*operand(&f->ins[n], k) = v;
	}
	for (uint32_t k = 0; k < f->ins[n].c && !f->failed; k++) {
		struct jit_ins i = f->ins[n];
		if (!jit_has_args(i.op))
			return;
		uint32_t at = n;
		if (i.op == J_PHI) {
			const struct jit_block *b = &f->blocks[i.block];
			const struct jit_edge *e =
				&f->edges[f->preds[b->pred + k]];
			at = e->call ? e->call : f->blocks[e->from].last;
		}
		f->args[i.b + k] = converted(f, f->args[i.b + k],
			jit_arg_type(f, &i, k), at);
	}
}

/* --- folding into users
 * ---------------------------------------------------------
 */

static bool foldable(const struct jit_fn *f, uint32_t v, uint32_t user)
{
	const struct jit_ins *i = &f->ins[v];
	return i->uses == 1 && i->block == f->ins[user].block &&
		!(i->flags & JF_FOLDED);
}

static void fold_and(struct jit_fn *f, uint32_t n)
{
	struct jit_ins *i = &f->ins[n];
	uint64_t k;
	if (i->op == J_ICMP && (i->cc == CC_E || i->cc == CC_NE) &&
		jit_is_const(f, i->b, &k) && !k &&
		(f->ins[i->a].op == J_AND || jit_is_any(&f->ins[i->a])) &&
		f->ins[i->a].type == i->in && foldable(f, i->a, n))
		f->ins[i->a].flags |= JF_FOLDED;
}

static void fold_into(struct jit_fn *f, uint32_t n)
{
	struct jit_ins *i = &f->ins[n];
	uint64_t k;
	if (i->op == J_BRANCH || i->op == J_SELECT || i->op == J_CHECK) {
		const struct jit_ins *c = &f->ins[i->a];
		if ((c->op == J_ICMP || c->op == J_FCMP) &&
			foldable(f, i->a, n)) {
			f->ins[i->a].flags |= JF_FOLDED;
			fold_and(f, i->a);
		}
	}
	if (i->op == J_ICMP && jit_is_any(&f->ins[i->a]))
		fold_and(f, n);
	if (i->op != J_ADD)
		return;
	for (int side = 0; side < 2; side++) {
		uint32_t v = side ? i->a : i->b;
		const struct jit_ins *s = &f->ins[v];
		if (s->op != J_SHL || s->type != i->type ||
			!jit_is_const(f, s->b, &k) || k < 1 || k > 3 ||
			!foldable(f, v, n) || i->a == i->b)
			continue;
		i->a = side ? i->b : i->a;
		i->b = v;
		f->ins[v].flags |= JF_FOLDED;
		return;
	}
}

static void finish_block(struct jit_fn *f, uint32_t b)
{
	for (uint32_t n = f->blocks[b].first, next; n && !f->failed; n = next) {
		next = f->ins[n].next;
		if (!(f->ins[n].flags & JF_LIVE)) {
			jit_remove(f, n);
			continue;
		}
		/* Without floats there is but one class. */
		if (f->floats)
			convert_operands(f, n);
		else if (is_open(&f->ins[n]))
			settle(&f->ins[n], false);
		fold_into(f, n);
	}
}

bool jit_finish(struct jit_fn *f)
{
	if (!mark_live(f) || (f->floats && !choose_classes(f)))
		return false;
	for (uint32_t b = 0; b < f->block_count && !f->failed; b++)
		finish_block(f, b);
	return !f->failed;
}
