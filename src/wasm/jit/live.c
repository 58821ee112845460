/* SPDX-License-Identifier: Apache-2.0 */
/* Positions; what instructions read and what registers they take. */
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
	if (jit_is_fused(&f->ins[v])) {
		/* Its address, until the result is there. */
		v = f->ins[v].a;
		kind = USE_REG;
		late = true;
	}
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
	if (a->flags & JF_FOLDED && a->op == J_VEC) {
		put(f, l, a->a, USE_ANY, false);
		return;
	}
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
		if (b->flags & JF_FOLDED && !jit_is_fused(b)) {
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
	case J_CHECK:
		condition_operands(f, i->a, &l);
		break;
	case J_MULHU:
		put(f, &l, i->a, USE_ANY, true);
		break;
	case J_TYPE:
		put(f, &l, i->a, USE_REG, true);
		break;
	case J_FMIN:
	case J_FMAX:
		put(f, &l, i->a, USE_ANY, false);
		put(f, &l, i->b, USE_REG, true);
		break;
	case J_FCOPYSIGN:
	case J_BELOW:
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
	case J_VEC:
		put(f, &l, i->a, USE_ANY, false);
		if (i->spare)
			put(f, &l, i->b, USE_ANY, jit_vec_late(f, i));
		break;
	default:
		if (i->op >= J_ADD && i->op <= J_FDIV)
			binary_operands(f, i, &l);
	}
	return l.n;
}

/* Of one of JB_TAKES. */
static uint32_t taken(const struct jit_fn *f, const struct jit_ins *i)
{
	uint64_t k;
	if (i->op < J_SHL || i->op == J_MULHU)
		return 1u << RAX | 1u << RDX;
	if (i->op <= J_SHR && f->jit->bmi2)
		return 0;
	return jit_is_const(f, i->b, &k) ? 0 : 1u << RCX;
}

uint32_t jit_lost(const struct jit_fn *f, const struct jit_ins *i)
{
	uint32_t bits = jit_op_bits[i->op];
	return bits & JB_CALLS ? UINT32_MAX : bits & JB_TAKES ? taken(f, i) : 0;
}

/* --- positions ---------------------------------------------------------------
 */

static bool note(struct jit_fn *f, struct jit_losses *l, uint32_t pos)
{
	if (!jit_fit(f, l->at, l->cap, l->count + 1ull))
		return false;
	l->at[l->count++] = pos;
	return true;
}

static bool note_lost(struct jit_fn *f, const struct jit_ins *i)
{
	struct jit_alloc *a = f->alloc;
	uint32_t lost = jit_lost(f, i);
	if (lost == UINT32_MAX)
		return note(f, &a->calls, i->pos + 1);
	for (uint32_t r = RAX; lost >> r; r++)
		if (lost >> r & 1 && !note(f, &a->lost[r], i->pos + 1))
			return false;
	return true;
}

/* Results would like to stay where they come from. */
static uint8_t hint(const struct jit_ins *i)
{
	switch (i->op) {
	case J_CALL:
	case J_CALL_INDIRECT:
	case J_CALL_REF:
		return jit_is_float(i->type) ? XMM0 + 1 : RAX + 1;
	case J_DIVS:
	case J_DIVU:
		return RAX + 1;
	case J_REMS:
	case J_REMU:
	case J_MULHU:
		return RDX + 1;
	default:
		return 0;
	}
}

static bool number_block(struct jit_fn *f, uint32_t b, uint32_t *pos)
{
	struct jit_block *x = &f->blocks[b];
	x->from = *pos;
	*pos += 2;
	for (uint32_t n = x->first; n; n = f->ins[n].next) {
		struct jit_ins *i = &f->ins[n];
		i->pos = *pos;
		if (i->flags & JF_FOLDED)
			continue;
		if (i->op == J_PHI || i->op == J_PARAM)
			i->pos = x->from;
		else
			*pos += 2;
		if (!(jit_op_bits[i->op] & (JB_CALLS | JB_TAKES)))
			continue;
		i->reg_hint = hint(i);
		if (!note_lost(f, i))
			return false;
	}
	x->to = *pos;
	return *pos <= UINT32_MAX / 4 || jit_fail(f, JIT_TOO_LARGE);
}

bool jit_number(struct jit_fn *f)
{
	struct jit_alloc *a = f->alloc;
	uint32_t pos = 0;
	a->order = jit_alloc(f, f->block_count, sizeof *a->order);
	if (!a->order)
		return false;
	for (uint32_t b = 0; b < f->block_count; b++) {
		if (!f->blocks[b].reached)
			continue;
		a->order[a->order_count++] = b;
		if (!number_block(f, b, &pos))
			return false;
	}
	a->block_at = jit_alloc(f, pos / 2 + 1, sizeof *a->block_at);
	if (!a->block_at)
		return false;
	for (uint32_t k = 0; k < a->order_count; k++)
		for (uint32_t p = f->blocks[a->order[k]].from / 2;
			p < f->blocks[a->order[k]].to / 2; p++)
			a->block_at[p] = k;
	a->block_at[pos / 2] = a->order_count - 1;
	return true;
}
