/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A load whose value is read once becomes an operand of who reads it, if that
 * takes operands from memory.  It is then done where its reader stands, so
 * nothing may lie between that changes memory; and one that checks its bounds
 * may neither pass another trap nor an access that counts on the check.
 */
#include "wasm/jit/ir_priv.h"
#include "wasm/jit/jit_priv.h"
#include "wasm/jit/x64_priv.h"

/* How much has happened in the block so far. */
struct past {
	uint32_t effects; /* what may write memory */
	uint32_t events;  /* these, accesses, and whatever may trap */
};

static bool fits(const struct jit_fn *f, const struct jit_ins *load)
{
	uint64_t k, end = load->imm + load->spare;
	if (f->jit->mask || load->imm > INT32_MAX - 16)
		return false;
	if (jit_is_const(f, load->a, &k))
		return k <= INT32_MAX && k + end <= INT32_MAX;
	if (load->flags & JF_CHECKED)
		return true;
	return !(load->flags & JF_WIDE) && end < WASM_JIT_BOUNDS;
}

/* Can the value still be read from memory by `user`? */
static bool is_loadable(const struct jit_fn *f, uint32_t v, uint32_t user,
	const struct past *p)
{
	const struct jit_ins *i = &f->ins[v];
	if (i->op != J_LOAD || i->uses != 1 || (i->flags & JF_FOLDED) ||
		i->block != f->ins[user].block || !fits(f, i))
		return false;
	return i->pos == (i->flags & JF_CHECKED ? p->effects : p->events);
}

/* As a whole operand of that type? */
static bool is_whole(const struct jit_ins *load, uint32_t type)
{
	return load->cc == (jit_is_wide(type) ? ACC_64 : ACC_32) &&
		load->type == type;
}

static bool take(struct jit_fn *f, uint32_t v)
{
	f->ins[v].flags |= JF_FOLDED;
	return true;
}

static bool take_whole(struct jit_fn *f, uint32_t v, uint32_t type,
	uint32_t user, const struct past *p)
{
	return is_loadable(f, v, user, p) && is_whole(&f->ins[v], type) &&
		take(f, v);
}

static void swap(struct jit_ins *i)
{
	uint32_t t = i->a;
	i->a = i->b;
	i->b = t;
}

/*
 * What is compared with a constant may be a byte.  An address with an index
 * would make it three operations inside the processor, where a load and a
 * comparison that goes together with its jump are two.
 */
static bool take_first(struct jit_fn *f, struct jit_ins *i, uint32_t type,
	uint64_t most, uint32_t user, const struct past *p)
{
	const struct jit_ins *a = &f->ins[i->a];
	uint64_t k;
	if (!is_loadable(f, i->a, user, p) || f->ins[a->a].op != J_K ||
		!jit_is_const(f, i->b, &k))
		return false;
	if (is_whole(a, type))
		return jit_fits32(f, i->b, type) && take(f, i->a);
	return a->cc == ACC_U8 && a->type == JT_I32 && type == JT_I32 &&
		(uint32_t)k <= most && take(f, i->a);
}

static void fuse_compare(struct jit_fn *f, uint32_t n, uint32_t user,
	const struct past *p)
{
	struct jit_ins *i = &f->ins[n], *a = &f->ins[i->a];
	uint32_t cc = i->cc & (FC_NOT - 1u);
	uint64_t k;
	if (i->op == J_FCMP) {
		bool first = cc == FC_LT || cc == FC_LE;
		take_whole(f, first ? i->a : i->b, i->in, user, p);
		return;
	}
	if (a->flags & JF_FOLDED) {
		take_first(f, a, i->in, UINT8_MAX, user, p);
		return;
	}
	if (jit_is_const(f, i->b, &k)) {
		take_first(f, i, i->in, UINT8_MAX, user, p);
		return;
	}
	if (take_whole(f, i->b, i->in, user, p) ||
		!take_whole(f, i->a, i->in, user, p))
		return;
	swap(i);
	i->cc = jit_mirrored(i->cc);
}

static void fuse_binary(struct jit_fn *f, uint32_t n, const struct past *p)
{
	struct jit_ins *i = &f->ins[n];
	bool commutes = i->op == J_ADD || i->op == J_MUL || i->op == J_AND ||
		i->op == J_OR || i->op == J_XOR || i->op == J_FADD ||
		i->op == J_FMUL;
	uint64_t k;
	if (f->ins[i->b].flags & JF_FOLDED)
		return;
	if (jit_is_const(f, i->b, &k) && !jit_is_float(i->type)) {
		if (i->op == J_MUL && jit_fits32(f, i->b, i->type))
			take_whole(f, i->a, i->type, n, p);
		return;
	}
	if (!take_whole(f, i->b, i->type, n, p) && commutes &&
		take_whole(f, i->a, i->type, n, p))
		swap(i);
}

static void fuse(struct jit_fn *f, uint32_t n, const struct past *p)
{
	struct jit_ins *i = &f->ins[n];
	switch (i->op) {
	case J_ADD:
	case J_SUB:
	case J_MUL:
	case J_AND:
	case J_OR:
	case J_XOR:
	case J_FADD:
	case J_FSUB:
	case J_FMUL:
	case J_FDIV:
		fuse_binary(f, n, p);
		return;
	case J_ICMP:
	case J_FCMP:
		fuse_compare(f, n, n, p);
		return;
	case J_BRANCH:
	case J_SELECT:
		if (f->ins[i->a].flags & JF_FOLDED)
			fuse_compare(f, i->a, n, p);
		return;
	default:
		return;
	}
}

bool jit_fuse(struct jit_fn *f)
{
	for (uint32_t b = 0; b < f->block_count; b++) {
		struct past p = { 0 };
		for (uint32_t n = f->blocks[b].first; n; n = f->ins[n].next) {
			struct jit_ins *i = &f->ins[n];
			if (i->flags & JF_FOLDED)
				continue;
			fuse(f, n, &p);
			bool effect = jit_has_effect(i);
			p.effects += effect;
			p.events +=
				effect || i->op == J_LOAD || jit_may_trap(f, i);
			i->pos = i->flags & JF_CHECKED ? p.effects : p.events;
		}
	}
	return jit_work(f, f->ins_count);
}
