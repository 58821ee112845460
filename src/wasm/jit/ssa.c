/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions: made, put into blocks, found again when an equal one is
 * wanted. */
#include "wasm/jit/ir_priv.h"
#include "wasm/jit/vec_priv.h"

uint32_t jit_new(struct jit_fn *f, const struct jit_ins *i)
{
	if (f->failed || !jit_fit(f, f->ins, f->ins_cap, f->ins_count + 1ull))
		return 0;
	struct jit_ins *x = &f->ins[f->ins_count];
	*x = *i;
	if (!x->word)
		x->word = f->word;
	f->floats |= jit_is_float(x->type) || jit_is_float(x->in);
	return f->ins_count++;
}

uint32_t jit_add(struct jit_fn *f, const struct jit_ins *i)
{
	struct jit_block *b = &f->blocks[f->block];
	uint32_t n = jit_new(f, i);
	if (!n)
		return 0;
	f->ins[n].block = f->block;
	f->ins[n].prev = b->last;
	f->ins[n].next = 0;
	if (b->last)
		f->ins[b->last].next = n;
	else
		b->first = n;
	b->last = n;
	return n;
}

void jit_insert_before(struct jit_fn *f, uint32_t at, uint32_t n)
{
	struct jit_ins *i = &f->ins[n], *x = &f->ins[at];
	i->block = x->block;
	i->prev = x->prev;
	i->next = at;
	if (x->prev)
		f->ins[x->prev].next = n;
	else
		f->blocks[x->block].first = n;
	x->prev = n;
}

void jit_remove(struct jit_fn *f, uint32_t n)
{
	const struct jit_ins *i = &f->ins[n];
	struct jit_block *b = &f->blocks[i->block];
	if (i->prev)
		f->ins[i->prev].next = i->next;
	else
		b->first = i->next;
	if (i->next)
		f->ins[i->next].prev = i->prev;
	else
		b->last = i->prev;
}

uint32_t jit_args(struct jit_fn *f, uint32_t n)
{
	if (f->failed ||
		!jit_fit(f, f->args, f->arg_cap, (uint64_t)f->arg_count + n))
		return 0;
	uint32_t at = f->arg_count;
	if (n)
		memset(f->args + at, 0, n * sizeof *f->args);
	f->arg_count += n;
	return at;
}

/* A long way up the tree is given up: a miss costs nothing but speed. */
enum { MAX_CLIMB = 64 };

bool jit_dominates(const struct jit_fn *f, uint32_t a, uint32_t b)
{
	if (a == b || !a)
		return true;
	uint32_t want = f->blocks[a].dom_depth;
	for (int n = 0; n < MAX_CLIMB && f->blocks[b].dom_depth > want; n++)
		b = f->blocks[b].idom;
	return a == b;
}

/* --- value numbering --------------------------------------------------------
 */

static uint32_t hash(const struct jit_ins *i)
{
	uint64_t h = (i->op | (uint64_t)i->type << 8 | (uint64_t)i->cc << 16 |
			     (uint64_t)i->in << 24 | (uint64_t)i->a << 32) *
		0x9e3779b97f4a7c15u;
	h ^= (i->b | (uint64_t)i->c << 32) * 0xd6e8feb86659fd93u;
	h ^= i->imm * 0xa0761d6478bd642fu;
	return (uint32_t)((h ^ h >> 29) * 0x9e3779b97f4a7c15u >> 32);
}

static bool equal(const struct jit_ins *x, const struct jit_ins *y)
{
	return x->op == y->op && x->type == y->type && x->cc == y->cc &&
		x->in == y->in && x->a == y->a && x->b == y->b &&
		x->c == y->c && x->imm == y->imm;
}

static bool grow(struct jit_fn *f, uint32_t **table, uint32_t *mask,
	uint32_t (*hash_of)(const struct jit_fn *f, uint32_t v))
{
	uint32_t n = *mask ? (*mask + 1) * 2 : 256;
	uint32_t *t = jit_alloc(f, n, sizeof *t);
	if (!t)
		return false;
	for (uint32_t i = 0; *mask && i <= *mask; i++) {
		uint32_t v = (*table)[i];
		if (!v)
			continue;
		uint32_t at = hash_of(f, v) & (n - 1);
		while (t[at])
			at = (at + 1) & (n - 1);
		t[at] = v;
	}
	*table = t;
	*mask = n - 1;
	return true;
}

static uint32_t hash_ins(const struct jit_fn *f, uint32_t v)
{
	return hash(&f->ins[v]);
}

/* 32-bit operations don't see the upper half of what they use. */
static uint32_t unwrap(const struct jit_fn *f, uint32_t v)
{
	return f->ins[v].op == J_WRAP ? f->ins[v].a : v;
}

static void unwrap_operands(const struct jit_fn *f, struct jit_ins *i)
{
	bool narrow = (i->op >= J_ADD && i->op <= J_ROR && i->type == JT_I32) ||
		(i->op == J_ICMP && i->in == JT_I32) || i->op == J_EXT32S ||
		((i->op == J_EXT8S || i->op == J_EXT16S || i->op == J_POPCNT ||
			 i->op == J_CLZ || i->op == J_CTZ) &&
			i->type == JT_I32) ||
		i->op == J_WRAP;
	if (i->op == J_VEC && i->in == JT_I32)
		i->a = unwrap(f, i->a);
	if (i->op == J_VEC && i->spare == JT_I32)
		i->b = unwrap(f, i->b);
	if (!narrow)
		return;
	i->a = unwrap(f, i->a);
	i->b = unwrap(f, i->b);
}

enum { MAX_PROBE = 32 };

/* The value of an instruction that is equal, and dominates; else a new one. */
static uint32_t number(struct jit_fn *f, struct jit_ins *i)
{
	if (f->table_used * 2 >= f->table_mask &&
		!grow(f, &f->table, &f->table_mask, hash_ins))
		return 0;
	uint32_t v, at = hash(i) & f->table_mask;
	for (int n = 0; f->table[at] && n < MAX_PROBE; n++) {
		v = f->table[at];
		if (equal(&f->ins[v], i) &&
			jit_dominates(f, f->ins[v].block, f->block))
			return v;
		at = (at + 1) & f->table_mask;
	}
	/* Constants have no place: they belong to the entry. */
	i->block = 0;
	v = i->op == J_K || i->op == J_K128 ? jit_new(f, i) : jit_add(f, i);
	if (!f->table[at])
		f->table_used++;
	f->table[at] = v;
	return v;
}

uint32_t jit_pure(struct jit_fn *f, struct jit_ins *i)
{
	uint32_t v = jit_fold(f, i);
	if (v || f->failed)
		return v;
	unwrap_operands(f, i);
	return number(f, i);
}

uint32_t jit_const(struct jit_fn *f, uint64_t v)
{
	return number(f,
		&(struct jit_ins){ .op = J_K, .type = JT_ANY, .imm = v });
}

/* --- bounds ------------------------------------------------------------------
 */

static uint32_t hash_bound(const struct jit_fn *f, uint32_t v)
{
	return (uint32_t)((f->ins[v].a * 0x9e3779b97f4a7c15u) >> 32);
}

/*
 * A check is an access (its number is kept) of n bytes at offset; what it
 * shows holds wherever its block dominates, as memories never shrink.
 */
bool jit_known_bound(struct jit_fn *f, uint32_t v, uint64_t n)
{
	struct jit_ins probe = { .a = v };
	if (f->bounds_used * 2 >= f->bounds_mask &&
		!grow(f, &f->bounds, &f->bounds_mask, hash_bound))
		return false;
	uint32_t at = (uint32_t)((probe.a * 0x9e3779b97f4a7c15u) >> 32) &
		f->bounds_mask;
	while (f->bounds[at] && f->ins[f->bounds[at]].a != v)
		at = (at + 1) & f->bounds_mask;
	uint32_t was = f->bounds[at];
	if (was) {
		const struct jit_ins *c = &f->ins[was];
		if (c->imm >= n && jit_dominates(f, c->block, f->block))
			return true;
		/* Replaced by what is about to be checked. */
		f->ins[was].imm = n;
		f->ins[was].block = f->block;
		return false;
	}
	uint32_t c = jit_new(f,
		&(struct jit_ins){ .op = J_NOP,
			.a = v,
			.imm = n,
			.block = f->block });
	f->bounds[at] = c;
	f->bounds_used += c != 0;
	return false;
}

static uint64_t sum_most(uint64_t a, uint64_t b, uint64_t most)
{
	uint64_t s;
	return __builtin_add_overflow(a, b, &s) || s > most ? most : s;
}

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t most_quotient(const struct jit_fn *f, const struct jit_ins *i,
	uint64_t most, int depth)
{
	uint64_t k, a = min64(jit_most(f, i->a, depth - 1), most);
	return jit_is_const(f, i->b, &k) && k ? a / k : a;
}

uint64_t jit_most(const struct jit_fn *f, uint32_t v, int depth)
{
	const struct jit_ins *i = &f->ins[v];
	uint64_t a, k,
		most = i->type == JT_I32 || i->type == JT_ANY32 ? UINT32_MAX :
								  UINT64_MAX;
	if (i->op == J_K)
		return i->imm;
	if (!depth)
		return most;
	switch (i->op) {
	case J_AND:
		return min64(jit_most(f, i->a, depth - 1),
			jit_most(f, i->b, depth - 1));
	case J_ADD:
		return sum_most(jit_most(f, i->a, depth - 1),
			jit_most(f, i->b, depth - 1), most);
	case J_SHR:
		if (!jit_is_const(f, i->b, &k))
			return most;
		k &= most == UINT32_MAX ? 31 : 63;
		return min64(jit_most(f, i->a, depth - 1), most) >> k;
	case J_SHL:
		if (!jit_is_const(f, i->b, &k))
			return most;
		k &= most == UINT32_MAX ? 31 : 63;
		a = jit_most(f, i->a, depth - 1);
		return a <= most >> k ? a << k : most;
	case J_REMU:
		return jit_is_const(f, i->b, &k) && k ? k - 1 : most;
	case J_DIVU:
		return most_quotient(f, i, most, depth);
	case J_MULHU:
		return min64(jit_most(f, i->a, depth - 1), UINT32_MAX);
	case J_MUL:
		a = jit_most(f, i->a, depth - 1);
		return __builtin_mul_overflow(a, jit_most(f, i->b, depth - 1),
			       &k) ||
				k > most ?
			most :
			k;
	case J_OR:
	case J_XOR:
		a = jit_most(f, i->a, depth - 1);
		a = a ? UINT64_MAX >> __builtin_clzll(a) : 0;
		k = jit_most(f, i->b, depth - 1);
		k = k ? UINT64_MAX >> __builtin_clzll(k) : 0;
		return min64(a | k, most);
	case J_PHI:
		return f->phi_most ? f->phi_most[v] : most;
	case J_ICMP:
	case J_FCMP:
		return 1;
	case J_VEC:
		return min64(jit_vec_most(i), most);
	case J_LOAD:
		return i->cc == ACC_U8	 ? 0xff :
			i->cc == ACC_U16 ? 0xffff :
					   most;
	case J_SELECT:
		return max64(jit_most(f, i->b, depth - 1),
			jit_most(f, i->c, depth - 1));
	default:
		return most;
	}
}
