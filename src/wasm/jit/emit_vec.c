/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vector instructions.  Both scratch registers may be used within one: 15 for
 * the first operand, 14 for the second.
 */
#include "wasm/jit/emit_priv.h"
#include "wasm/jit/vec_priv.h"

static bool vex(const struct jit_emit *e)
{
	return e->j->level >= AVX;
}

bool jit_vec_late(const struct jit_fn *f, const struct jit_ins *i)
{
	uint32_t form = jit_vecs[i->cc].form;
	return f->jit->level < AVX && (form == VF_BIN || form == VF_BIN_I);
}

/* --- operands
 * ---------------------------------------------------------------------
 */

void jit_xconst(struct jit_emit *e, uint32_t xmm, const struct jit_ins *k)
{
	uint64_t high = jit_k128_high(k);
	if (!k->imm && !high)
		x64_rr(&e->a, X_XORPS, 0, xmm, xmm);
	else if (k->imm == UINT64_MAX && high == UINT64_MAX)
		x64_rr(&e->a, jit_vecs[V_PCMPEQD].op, 0, xmm, xmm);
	else
		jit_pool_op(e, X_MOVAPS, 0, xmm, 16, k->imm, high);
}

static bool in_xmm(const struct jit_emit *e, uint32_t v)
{
	uint32_t at = jit_place(e, v);
	return at >= XMM0 && at < XMM0 + 16;
}

/* The register that holds it, filled if need be. */
static uint32_t source(struct jit_emit *e, uint32_t v, uint32_t type,
	uint32_t scratch)
{
	if (in_xmm(e, v))
		return jit_place(e, v) - XMM0;
	jit_xmov(e, scratch, v, type);
	return scratch;
}

static uint32_t wide(const struct jit_ins *i)
{
	return i->type == JT_I64 || i->in == JT_I64 || i->spare == JT_I64 ?
		X64_W :
		0;
}

static uint32_t xdef(const struct jit_emit *e)
{
	return jit_def(e) - XMM0;
}

static bool is_idiom(const struct jit_ins *k)
{
	uint64_t high = jit_k128_high(k);
	return k->imm == high && (!high || high == UINT64_MAX);
}

/* --- forms
 * ------------------------------------------------------------------------
 */

/* d = s op b, where the old encoding wants memory that is aligned. */
static void with_second(struct jit_emit *e, const struct jit_ins *i, uint32_t d,
	uint32_t s, uint32_t b)
{
	uint32_t op = jit_vecs[i->cc].op, at = jit_place(e, b);
	const struct jit_ins *k = jit_ins_of(e, b);
	bool whole = i->spare == JT_V128;
	if (at == LOC_STACK && vex(e) && whole) {
		x64_vrm(&e->a, op, 0, d, s, jit_slot(e, b));
	} else if (at == LOC_CONST && whole && !is_idiom(k) &&
		jit_vecs[i->cc].form != VF_BIN_I) {
		const uint64_t v[2] = { k->imm, jit_k128_high(k) };
		jit_pool_vector(e, vex(e), op, d, s, v);
	} else {
		x64_v3(&e->a, vex(e), op, 0, d, s, source(e, b, i->spare, 14));
	}
	if (jit_vecs[i->cc].form == VF_BIN_I)
		x64_u8(&e->a, (uint32_t)i->imm);
}

static void binary(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t d = xdef(e), a = i->a, b = i->b;
	if (jit_vecs[i->cc].form == VF_SAME &&
		(vex(e) ? !in_xmm(e, a) : jit_place(e, b) == d + XMM0)) {
		a = i->b;
		b = i->a;
	}
	if (vex(e)) {
		with_second(e, i, d, source(e, a, i->in, 15), b);
		return;
	}
	if (jit_place(e, a) != d + XMM0)
		jit_xmov(e, d, a, i->in);
	with_second(e, i, d, d, b);
}

static void unary(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t op = jit_vecs[i->cc].op, d = xdef(e);
	if (jit_place(e, i->a) == LOC_STACK && vex(e) && i->in == JT_V128)
		x64_vrm(&e->a, op, 0, d, 0, jit_slot(e, i->a));
	else
		x64_v2(&e->a, vex(e), op, 0, d, source(e, i->a, i->in, 15));
	if (jit_vecs[i->cc].form == VF_UN_I)
		x64_u8(&e->a, (uint32_t)i->imm);
}

static void shift(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t op = jit_vecs[i->cc].op, d = xdef(e), s;
	uint64_t k;
	if (jit_is_const(e->f, i->b, &k)) {
		x64_vshift(&e->a, vex(e), op, d, source(e, i->a, JT_V128, 15),
			(uint32_t)k);
		return;
	}
	if (jit_place(e, i->b) == LOC_STACK)
		x64_rm(&e->a, X_MOVD_TO, 0, 14, jit_slot(e, i->b));
	else
		x64_rr(&e->a, X_MOVD_TO, 0, 14, jit_reg(e, i->b));
	s = source(e, i->a, JT_V128, vex(e) ? 15 : d);
	x64_v3(&e->a, vex(e), op, 0, d, s, 14);
}

static void from_general(struct jit_emit *e, const struct jit_ins *i)
{
	if (jit_place(e, i->a) == LOC_STACK)
		x64_v2m(&e->a, vex(e), X_MOVD_TO, wide(i), xdef(e),
			jit_slot(e, i->a));
	else
		x64_v2(&e->a, vex(e), X_MOVD_TO, wide(i), xdef(e),
			jit_reg(e, i->a));
}

static void insert(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t d = xdef(e), s = source(e, i->a, JT_V128, vex(e) ? 15 : d);
	x64_v3(&e->a, vex(e), jit_vecs[i->cc].op, wide(i), d, s,
		jit_reg(e, i->b));
	x64_u8(&e->a, (uint32_t)i->imm);
}

/* From the first lane there is a shorter way. */
static void extract(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t x = source(e, i->a, JT_V128, 15), d = jit_def(e);
	if (i->cc == V_PEXTRD && !i->imm) {
		x64_v2(&e->a, vex(e), X_MOVD_FROM, wide(i), x, d);
		return;
	}
	x64_v2(&e->a, vex(e), jit_vecs[i->cc].op, wide(i), x, d);
	x64_u8(&e->a, (uint32_t)i->imm);
}

void jit_emit_any(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t x = source(e, i->a, JT_V128, 14);
	if (e->j->level >= SSE41) {
		x64_v2(&e->a, vex(e), jit_vecs[V_PTEST].op, 0, x, x);
		return;
	}
	x64_rr(&e->a, X_XORPS, 0, 15, 15);
	x64_rr(&e->a, jit_vecs[V_PCMPEQB].op, 0, 15, x);
	x64_rr(&e->a, jit_vecs[V_PMOVMSKB].op, 0, SCRATCH, 15);
	x64_alu_ri(&e->a, ALU_CMP, 0, SCRATCH, 0xffff);
}

static void any(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t d = jit_def(e), flag = d >= 4 ? X64_BYTE : 0;
	jit_emit_any(e, i);
	x64_rr(&e->a, X64(0, 1, 0x90 | CC_NE), flag, 0, d);
	x64_rr(&e->a, X_MOVZX8, flag, d, d);
}

bool jit_emit_vec(struct jit_emit *e, const struct jit_ins *i)
{
	if (i->op != J_VEC)
		return false;
	switch (jit_vecs[i->cc].form) {
	case VF_BIN:
	case VF_SAME:
	case VF_BIN_I:
		binary(e, i);
		break;
	case VF_UN:
	case VF_UN_I:
		unary(e, i);
		break;
	case VF_SHIFT:
		shift(e, i);
		break;
	case VF_FROM:
		from_general(e, i);
		break;
	case VF_INSERT:
		insert(e, i);
		break;
	case VF_TO:
		x64_v2(&e->a, vex(e), jit_vecs[i->cc].op, 0, jit_def(e),
			source(e, i->a, JT_V128, 15));
		break;
	case VF_EXTRACT:
		extract(e, i);
		break;
	case VF_LOW:
		if (jit_place(e, i->a) != jit_def(e))
			jit_xmov(e, xdef(e), i->a, JT_V128);
		break;
	default:
		any(e, i);
	}
	return true;
}
