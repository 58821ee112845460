/* SPDX-License-Identifier: Apache-2.0 */
/* Floating point and conversions. */
#include "wasm/jit/emit_priv.h"

#define SIGN32 0x80000000u
#define SIGN64 (1ull << 63)

/* The scalar operation's prefix for the type. */
static uint32_t scalar(uint32_t type, uint32_t op)
{
	return X64(type == JT_F32 ? 0xf3 : 0xf2, 1, op);
}

void jit_xop(struct jit_emit *e, uint32_t op, uint32_t xmm, uint32_t v,
	uint32_t type)
{
	uint32_t at = jit_place(e, v);
	const struct jit_ins *i = jit_ins_of(e, v);
	if (jit_is_fused(i))
		x64_rm(&e->a, op, 0, xmm, jit_address(e, i));
	else if (at == LOC_STACK)
		x64_rm(&e->a, op, 0, xmm, jit_slot(e, v));
	else if (at == LOC_CONST)
		jit_pool_op(e, op, 0, xmm, type == JT_F32 ? 4 : 8, i->imm, 0);
	else
		x64_rr(&e->a, op, 0, xmm, at - XMM0);
}

/* Bits of all lanes with a constant. */
static void mask(struct jit_emit *e, uint32_t op, uint32_t xmm, uint32_t type,
	uint64_t bits)
{
	if (type == JT_F32)
		bits |= bits << 32;
	jit_pool_op(e, op, 0, xmm, 16, bits, bits);
}

static void to_def(struct jit_emit *e, uint32_t d, uint32_t v, uint32_t type)
{
	if (jit_place(e, v) != d + XMM0)
		jit_xmov(e, d, v, type);
}

static uint32_t xdef(const struct jit_emit *e)
{
	return jit_def(e) - XMM0;
}

static void binary(struct jit_emit *e, const struct jit_ins *i, uint32_t op)
{
	uint32_t d = xdef(e), v = i->b;
	bool commutes = i->op == J_FADD || i->op == J_FMUL;
	if (commutes && jit_place(e, i->b) == d + XMM0)
		v = i->a;
	else
		to_def(e, d, i->a, i->type);
	jit_xop(e, scalar(i->type, op), d, v, i->type);
}

static void compare(struct jit_emit *e, uint32_t type, uint32_t xmm, uint32_t v)
{
	jit_xop(e, type == JT_F32 ? X_UCOMIS : X_UCOMIS | 0x66 << 16, xmm, v,
		type);
}

struct jit_cond jit_emit_float_compare(struct jit_emit *e,
	const struct jit_ins *i)
{
	uint32_t cc = i->cc & (FC_NOT - 1u);
	bool swap = cc == FC_LT || cc == FC_LE;
	uint32_t a = swap ? i->b : i->a, b = swap ? i->a : i->b;
	compare(e, i->in, jit_xreg(e, a, i->in), b);
	struct jit_cond c = { CC_A, 0 };
	if (cc == FC_EQ)
		c = (struct jit_cond){ CC_E, CC_NP };
	else if (cc == FC_NE)
		c = (struct jit_cond){ CC_NE, CC_P };
	else if (cc == FC_LE || cc == FC_GE)
		c.cc = CC_AE;
	return i->cc & FC_NOT ? jit_not(c) : c;
}

/* The machine's min and max take the second operand when they are equal or
 * one is no number. */
static void min_max(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t d = xdef(e), b = jit_xreg(e, i->b, i->type);
	bool min = i->op == J_FMIN;
	to_def(e, d, i->a, i->type);
	x64_rr(&e->a, i->type == JT_F32 ? X_UCOMIS : X_UCOMIS | 0x66 << 16, 0,
		d, b);
	uint32_t differ = x64_jcc(&e->a, CC_NE);
	uint32_t none = x64_jcc(&e->a, CC_P);
	x64_rr(&e->a, min ? X_ORPS : X_ANDPS, 0, d, b);
	uint32_t end = x64_jmp(&e->a);
	x64_patch_here(&e->a, none);
	x64_rr(&e->a, scalar(i->type, 0x58), 0, d, b);
	uint32_t end2 = x64_jmp(&e->a);
	x64_patch_here(&e->a, differ);
	x64_rr(&e->a, scalar(i->type, min ? 0x5d : 0x5f), 0, d, b);
	x64_patch_here(&e->a, end);
	x64_patch_here(&e->a, end2);
}

static void copy_sign(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t d = xdef(e);
	uint64_t sign = i->type == JT_F32 ? SIGN32 : SIGN64;
	jit_xmov(e, 15, i->b, i->type);
	mask(e, X_ANDPS, 15, i->type, sign);
	to_def(e, d, i->a, i->type);
	mask(e, X_ANDPS, d, i->type, i->type == JT_F32 ? ~SIGN32 : ~SIGN64);
	x64_rr(&e->a, X_ORPS, 0, d, 15);
}

static void sign(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t d = xdef(e);
	uint64_t bit = i->type == JT_F32 ? SIGN32 : SIGN64;
	to_def(e, d, i->a, i->type);
	if (i->op == J_FNEG)
		mask(e, X_XORPS, d, i->type, bit);
	else
		mask(e, X_ANDPS, d, i->type,
			i->type == JT_F32 ? ~SIGN32 : ~SIGN64);
}

static void round_to(struct jit_emit *e, const struct jit_ins *i)
{
	/* nearest even 0, down 1, up 2, to zero 3; ceil floor trunc nearest */
	static const uint8_t mode[] = { 2, 1, 3, 0 };
	uint32_t d = xdef(e), v = i->a;
	if (jit_place(e, v) == LOC_STACK || jit_place(e, v) == LOC_CONST)
		jit_xmov(e, d, v, i->type);
	uint32_t from =
		jit_place(e, v) < LOC_STACK ? jit_place(e, v) - XMM0 : d;
	x64_rr(&e->a, X64(0x66, 3, i->type == JT_F32 ? 0x0a : 0x0b), 0, d,
		from);
	x64_u8(&e->a, 8u | mode[i->op - J_FCEIL]);
}

static void square_root(struct jit_emit *e, const struct jit_ins *i)
{
	jit_xop(e, scalar(i->type, 0x51), xdef(e), i->a, i->type);
}

/* --- integers to floats
 * ---------------------------------------------------------
 */

static void from_unsigned64(struct jit_emit *e, const struct jit_ins *i,
	uint32_t d)
{
	uint32_t op = scalar(i->type, 0x2a);
	jit_mov(e, SCRATCH, i->a, true);
	x64_rr(&e->a, X_TEST, X64_W, SCRATCH, SCRATCH);
	uint32_t large = x64_jcc(&e->a, CC_S);
	x64_rr(&e->a, op, X64_W, d, SCRATCH);
	uint32_t end = x64_jmp(&e->a);
	x64_patch_here(&e->a, large);
	/* Half of it, the last bit kept sticky, then doubled. */
	x64_shift_ri(&e->a, 5, X64_W, SCRATCH, 1);
	uint32_t even = x64_jcc(&e->a, CC_AE);
	x64_alu_ri(&e->a, ALU_OR, X64_W, SCRATCH, 1);
	x64_patch_here(&e->a, even);
	x64_rr(&e->a, op, X64_W, d, SCRATCH);
	x64_rr(&e->a, scalar(i->type, 0x58), 0, d, d);
	x64_patch_here(&e->a, end);
}

static void int_to_float(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t d = xdef(e), op = scalar(i->type, 0x2a);
	bool wide = i->in == JT_I64;
	x64_rr(&e->a, X_XORPS, 0, d, d);
	if (i->cc && wide) {
		from_unsigned64(e, i, d);
		return;
	}
	uint32_t w = wide || i->cc ? X64_W : 0;
	if (i->cc) {
		jit_mov(e, SCRATCH, i->a, false);
		x64_rr(&e->a, op, w, d, SCRATCH);
	} else if (jit_place(e, i->a) == LOC_STACK) {
		x64_rm(&e->a, op, w, d, jit_slot(e, i->a));
	} else {
		x64_rr(&e->a, op, w, d, jit_reg(e, i->a));
	}
}

/* --- floats to integers
 * ---------------------------------------------------------
 */

/*
 * The common case is checked with one comparison, whatever is not it goes out
 * of line: a conversion that is too large gives the least integer.
 */
static void float_to_int(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t d = jit_def(e), x = jit_xreg(e, i->a, i->in), at;
	uint32_t op = scalar(i->in, 0x2c);
	bool unsigned_ = i->cc & CVT_UNSIGNED;
	if (i->type == JT_I32) {
		x64_rr(&e->a, op, X64_W, SCRATCH, x);
		if (unsigned_)
			x64_rr(&e->a, X_MOV, 0, d, SCRATCH);
		else
			x64_rr(&e->a, X_MOVSXD, X64_W, d, SCRATCH);
		x64_rr(&e->a, X_CMP, X64_W, d, SCRATCH);
		at = x64_jcc(&e->a, CC_NE);
	} else {
		x64_rr(&e->a, op, X64_W, d, x);
		if (unsigned_) {
			x64_rr(&e->a, X_TEST, X64_W, d, d);
			at = x64_jcc(&e->a, CC_S);
		} else {
			x64_alu_ri(&e->a, ALU_CMP, X64_W, d, 1);
			at = x64_jcc(&e->a, CC_O);
		}
	}
	struct jit_far *s = jit_far_away(e, SLOW_TO_INT, at, e->n);
	if (s) {
		s->back = e->a.len;
		s->imm = (uint64_t)x << 8 | d;
	}
	/* What is above 32 bits has to be zero. */
	if (i->type == JT_I32 && !unsigned_)
		x64_rr(&e->a, X_MOV, 0, d, d);
}

static void far_back(struct jit_emit *e, const struct jit_far *s)
{
	x64_patch(&e->a, x64_jmp(&e->a), s->back);
}

/* The result that a saturating conversion has there, then back. */
static void saturated(struct jit_emit *e, const struct jit_far *s, uint32_t d,
	uint64_t v)
{
	x64_mov_ri(&e->a, d, v);
	far_back(e, s);
}

/* 2^63 and above, as unsigned. */
static void large_unsigned(struct jit_emit *e, const struct jit_far *s,
	uint32_t x, uint32_t d)
{
	const struct jit_ins *i = jit_ins_of(e, s->n);
	bool narrow = i->in == JT_F32;
	if (x != 15)
		x64_rr(&e->a, X_MOVAPS, 0, 15, x);
	jit_pool_op(e, scalar(i->in, 0x5c), 0, 15, narrow ? 4 : 8,
		narrow ? 0x5f000000u : 0x43e0000000000000u, 0);
	x64_rr(&e->a, scalar(i->in, 0x2c), X64_W, d, 15);
	x64_rr(&e->a, X_TEST, X64_W, d, d);
	uint32_t bad = x64_jcc(&e->a, CC_S);
	x64_mov_ri(&e->a, SCRATCH, SIGN64);
	x64_rr(&e->a, X_XOR, X64_W, d, SCRATCH);
	far_back(e, s);
	x64_patch_here(&e->a, bad);
	/* x itself is still there unless it was a constant. */
	if (x == 15)
		jit_xmov(e, 15, i->a, i->in);
}

/* Exactly -2^63 is in range. */
static void least_signed(struct jit_emit *e, const struct jit_far *s,
	uint32_t x)
{
	const struct jit_ins *i = jit_ins_of(e, s->n);
	bool narrow = i->in == JT_F32;
	jit_pool_op(e, narrow ? X_UCOMIS : X_UCOMIS | 0x66 << 16, 0, x,
		narrow ? 4 : 8, narrow ? 0xdf000000u : 0xc3e0000000000000u, 0);
	uint32_t nan = x64_jcc(&e->a, CC_P);
	uint32_t other = x64_jcc(&e->a, CC_NE);
	far_back(e, s);
	x64_patch_here(&e->a, nan);
	x64_patch_here(&e->a, other);
}

void jit_emit_to_int_far(struct jit_emit *e, const struct jit_far *s)
{
	const struct jit_ins *i = jit_ins_of(e, s->n);
	uint32_t d = s->imm & 0xff, x = s->imm >> 8 & 0xff;
	bool wide = i->type == JT_I64, unsigned_ = i->cc & CVT_UNSIGNED;
	uint32_t ucomis = i->in == JT_F32 ? X_UCOMIS : X_UCOMIS | 0x66 << 16;
	if (wide && unsigned_)
		large_unsigned(e, s, x, d);
	else if (wide)
		least_signed(e, s, x);
	x64_rr(&e->a, ucomis, 0, x, x);
	if (!(i->cc & CVT_SATURATE)) {
		jit_trap_if(e, CC_P, WASM_TRAP_CONVERT);
		jit_trap_always(e, WASM_TRAP_OVERFLOW);
		return;
	}
	uint32_t nan = x64_jcc(&e->a, CC_P);
	/* x = 15 may have been a constant: its sign is wanted only. */
	x64_rr(&e->a, X_MOVD_FROM, X64_W, x, SCRATCH);
	x64_rr(&e->a, X_TEST, i->in == JT_F32 ? 0 : X64_W, SCRATCH, SCRATCH);
	uint32_t negative = x64_jcc(&e->a, CC_S);
	saturated(e, s, d,
		wide ? (unsigned_ ? UINT64_MAX : INT64_MAX) :
		       (unsigned_ ? UINT32_MAX : INT32_MAX));
	x64_patch_here(&e->a, negative);
	saturated(e, s, d, unsigned_ ? 0 : wide ? SIGN64 : SIGN32);
	x64_patch_here(&e->a, nan);
	saturated(e, s, d, 0);
}

/* --- others
 * ----------------------------------------------------------------------
 */

static void float_to_float(struct jit_emit *e, const struct jit_ins *i)
{
	jit_xop(e, i->in == JT_F32 ? X_CVTSS2SD : X_CVTSD2SS, xdef(e), i->a,
		i->in);
}

static void reinterpret(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t d = jit_def(e), at = jit_place(e, i->a);
	bool narrow = i->in == JT_F32 || i->in == JT_I32 || i->type == JT_I32 ||
		i->type == JT_F32;
	uint32_t w = narrow ? 0 : X64_W;
	struct x64_mem slot;
	if (at == LOC_STACK) {
		slot = jit_slot(e, i->a);
		if (d >= XMM0)
			x64_rm(&e->a, narrow ? X_MOVSS : X_MOVSD, 0, d - XMM0,
				slot);
		else
			x64_rm(&e->a, X_MOV, w, d, slot);
		return;
	}
	if (d < XMM0) {
		x64_rr(&e->a, X_MOVD_FROM, w, at - XMM0, d);
		return;
	}
	if (at >= XMM0) {
		x64_rr(&e->a, X_MOVD_FROM, w, at - XMM0, SCRATCH);
		at = SCRATCH;
	}
	x64_rr(&e->a, X_MOVD_TO, w, d - XMM0, at);
}

static void select_float(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t d = xdef(e);
	/* Constants first: loading one leaves the flags alone anyway. */
	struct jit_cond c = jit_emit_cond(e, i->a);
	uint32_t yes = i->b, no = i->c, skip, skip2 = 0;
	bool other = jit_place(e, yes) == d + XMM0;
	if (other) {
		/* d = yes already: no takes its place unless c. */
		uint32_t t = yes;
		yes = no;
		no = t;
		c = jit_not(c);
	}
	if (jit_place(e, no) != d + XMM0)
		jit_xmov(e, d, no, i->type);
	/* Now d = no: yes when c holds. */
	if (c.parity == CC_P) {
		uint32_t take = x64_jcc(&e->a, CC_P);
		skip = x64_jcc(&e->a, c.cc ^ 1u);
		x64_patch_here(&e->a, take);
	} else {
		skip = x64_jcc(&e->a, c.cc ^ 1u);
		if (c.parity)
			skip2 = x64_jcc(&e->a, CC_P);
	}
	jit_xmov(e, d, yes, i->type);
	x64_patch_here(&e->a, skip);
	if (skip2)
		x64_patch_here(&e->a, skip2);
}

bool jit_emit_float(struct jit_emit *e, const struct jit_ins *i)
{
	/* add sub mul div */
	static const uint8_t binaries[] = { 0x58, 0x5c, 0x59, 0x5e };
	switch (i->op) {
	case J_FADD:
	case J_FSUB:
	case J_FMUL:
	case J_FDIV:
		binary(e, i, binaries[i->op - J_FADD]);
		return true;
	case J_FMIN:
	case J_FMAX:
		min_max(e, i);
		return true;
	case J_FCOPYSIGN:
		copy_sign(e, i);
		return true;
	case J_FABS:
	case J_FNEG:
		sign(e, i);
		return true;
	case J_FCEIL:
	case J_FFLOOR:
	case J_FTRUNC:
	case J_FNEAREST:
		round_to(e, i);
		return true;
	case J_FSQRT:
		square_root(e, i);
		return true;
	case J_INT_TO_FLOAT:
		int_to_float(e, i);
		return true;
	case J_FLOAT_TO_INT:
		float_to_int(e, i);
		return true;
	case J_FLOAT_TO_FLOAT:
		float_to_float(e, i);
		return true;
	case J_REINTERPRET:
		reinterpret(e, i);
		return true;
	case J_SELECT:
		select_float(e, i);
		return true;
	default:
		return false;
	}
}
