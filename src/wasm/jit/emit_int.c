/* SPDX-License-Identifier: Apache-2.0 */
/* Integer instructions, comparisons, choices. */
#include "wasm/jit/emit_priv.h"

static uint32_t w_of(uint32_t type)
{
	return type == JT_I32 || type == JT_ANY32 ? 0 : X64_W;
}

/* Byte registers beyond the first four want a prefix. */
static uint32_t byte_flag(uint32_t reg)
{
	return reg >= 4 ? X64_BYTE : 0;
}

static bool small(const struct jit_emit *e, uint32_t v, bool wide, int32_t *imm)
{
	*imm = (int32_t)(uint32_t)jit_ins_of(e, v)->imm;
	return jit_fits32(e->f, v, wide ? JT_I64 : JT_I32);
}

void jit_alu(struct jit_emit *e, uint32_t op, uint32_t imm_op, bool wide,
	uint32_t reg, uint32_t v)
{
	uint32_t at = jit_place(e, v), w = wide ? X64_W : 0;
	int32_t imm;
	if (jit_is_fused(jit_ins_of(e, v))) {
		x64_rm(&e->a, op, w, reg, jit_address(e, jit_ins_of(e, v)));
	} else if (at < XMM0) {
		x64_rr(&e->a, op, w, reg, at);
	} else if (at == LOC_STACK) {
		x64_rm(&e->a, op, w, reg, jit_slot(e, v));
	} else if (small(e, v, wide, &imm)) {
		x64_alu_ri(&e->a, imm_op, w, reg, imm);
	} else {
		x64_mov_ri(&e->a, SCRATCH, jit_ins_of(e, v)->imm);
		x64_rr(&e->a, op, w, reg, SCRATCH);
	}
}

/* As jit_alu for a unary operation: op reg, r/m */
static void unary_rm(struct jit_emit *e, uint32_t op, uint32_t flags,
	uint32_t reg, uint32_t v)
{
	if (jit_is_fused(jit_ins_of(e, v)))
		x64_rm(&e->a, op, flags, reg, jit_address(e, jit_ins_of(e, v)));
	else if (jit_place(e, v) == LOC_STACK)
		x64_rm(&e->a, op, flags, reg, jit_slot(e, v));
	else
		x64_rr(&e->a, op, flags, reg, jit_reg(e, v));
}

/* --- comparisons -------------------------------------------------------------
 */

struct jit_cond jit_not(struct jit_cond c)
{
	c.cc ^= 1;
	c.parity = c.parity == CC_P ? CC_NP : c.parity == CC_NP ? CC_P : 0;
	return c;
}

/* test [load], constant */
static void test_fused(struct jit_emit *e, const struct jit_ins *load,
	const struct jit_ins *k, bool wide)
{
	struct x64_mem m = jit_address(e, load);
	if (load->cc == ACC_U8) {
		x64_rm(&e->a, X64(0, 0, 0xf6), 0, 0, m);
		x64_u8(&e->a, (uint32_t)k->imm);
		return;
	}
	x64_rm(&e->a, X_GROUP3, wide ? X64_W : 0, 0, m);
	x64_u32(&e->a, (uint32_t)k->imm);
}

/* cmp [load], constant: a byte's comparison is one without sign. */
static uint8_t compare_fused(struct jit_emit *e, const struct jit_ins *i,
	const struct jit_ins *load)
{
	static const uint8_t plain[16] = { [CC_E] = CC_E,
		[CC_NE] = CC_NE,
		[CC_L] = CC_B,
		[CC_GE] = CC_AE,
		[CC_LE] = CC_BE,
		[CC_G] = CC_A,
		[CC_B] = CC_B,
		[CC_AE] = CC_AE,
		[CC_BE] = CC_BE,
		[CC_A] = CC_A };
	struct x64_mem m = jit_address(e, load);
	uint32_t k = (uint32_t)jit_ins_of(e, i->b)->imm;
	if (load->cc != ACC_U8) {
		x64_alu_mi(&e->a, ALU_CMP, i->in == JT_I64 ? X64_W : 0, m,
			(int32_t)k);
		return i->cc;
	}
	x64_rm(&e->a, X64(0, 0, 0x80), 0, ALU_CMP, m);
	x64_u8(&e->a, k);
	return plain[i->cc];
}

static void test(struct jit_emit *e, const struct jit_ins *and, bool wide)
{
	if (jit_is_fused(jit_ins_of(e, and->a))) {
		test_fused(e, jit_ins_of(e, and->a), jit_ins_of(e, and->b),
			wide);
		return;
	}
	uint32_t w = wide ? X64_W : 0, reg = jit_reg(e, and->a);
	int32_t imm;
	if (jit_place(e, and->b) == LOC_CONST) {
		if (small(e, and->b, wide, &imm)) {
			if (imm >= 0 && imm < 128) {
				x64_rr(&e->a, X64(0, 0, 0xf6), byte_flag(reg),
					0, reg);
				x64_u8(&e->a, (uint32_t)imm);
				return;
			}
			x64_rr(&e->a, X_GROUP3, w, 0, reg);
			x64_u32(&e->a, (uint32_t)imm);
			return;
		}
		/* Two constants, of which only one fits an instruction. */
		if (reg == SCRATCH) {
			jit_pool_op(e, X_TEST, w, reg, 8,
				jit_ins_of(e, and->b)->imm, 0);
			return;
		}
	}
	if (jit_place(e, and->b) == LOC_STACK)
		x64_rm(&e->a, X_TEST, w, reg, jit_slot(e, and->b));
	else
		x64_rr(&e->a, X_TEST, w, reg, jit_reg(e, and->b));
}

static struct jit_cond compare(struct jit_emit *e, const struct jit_ins *i)
{
	bool wide = i->in == JT_I64;
	uint32_t w = wide ? X64_W : 0;
	struct jit_cond c = { i->cc, 0 };
	const struct jit_ins *a = jit_ins_of(e, i->a);
	int32_t imm;
	if (a->flags & JF_FOLDED && a->op == J_VEC) {
		jit_emit_any(e, a);
		return c;
	}
	if (a->flags & JF_FOLDED && a->op == J_AND) {
		test(e, a, wide);
		return c;
	}
	if (jit_is_fused(a)) {
		c.cc = compare_fused(e, i, a);
		return c;
	}
	bool constant =
		jit_place(e, i->b) == LOC_CONST && small(e, i->b, wide, &imm);
	if (constant && jit_place(e, i->a) == LOC_STACK) {
		x64_alu_mi(&e->a, ALU_CMP, w, jit_slot(e, i->a), imm);
		return c;
	}
	uint32_t reg = jit_reg(e, i->a);
	if (constant && !imm)
		x64_rr(&e->a, X_TEST, w, reg, reg);
	else if (reg == SCRATCH && jit_place(e, i->b) == LOC_CONST && !constant)
		jit_pool_op(e, X_CMP, w, reg, 8, jit_ins_of(e, i->b)->imm, 0);
	else
		jit_alu(e, X_CMP, ALU_CMP, wide, reg, i->b);
	return c;
}

/* The condition that v is not zero: v is folded, or an integer. */
struct jit_cond jit_emit_cond(struct jit_emit *e, uint32_t v)
{
	const struct jit_ins *i = jit_ins_of(e, v);
	if (i->flags & JF_FOLDED)
		return i->op == J_FCMP ? jit_emit_float_compare(e, i) :
					 compare(e, i);
	if (jit_place(e, v) == LOC_STACK) {
		x64_alu_mi(&e->a, ALU_CMP, 0, jit_slot(e, v), 0);
	} else {
		uint32_t reg = jit_reg(e, v);
		x64_rr(&e->a, X_TEST, 0, reg, reg);
	}
	return (struct jit_cond){ CC_NE, 0 };
}

static void setcc(struct jit_emit *e, uint32_t reg, uint32_t cc)
{
	x64_rr(&e->a, X64(0, 1, 0x90 | cc), byte_flag(reg), 0, reg);
}

static void emit_compare(struct jit_emit *e, const struct jit_ins *i)
{
	struct jit_cond c =
		i->op == J_FCMP ? jit_emit_float_compare(e, i) : compare(e, i);
	uint32_t d = jit_def(e);
	setcc(e, d, c.cc);
	if (c.parity) {
		setcc(e, SCRATCH, c.parity);
		x64_rr(&e->a, c.parity == CC_P ? X_OR : X_AND, 0, d, SCRATCH);
	}
	x64_rr(&e->a, X_MOVZX8, byte_flag(d), d, d);
}

static void cmov(struct jit_emit *e, uint32_t cc, uint32_t d, uint32_t v)
{
	unary_rm(e, X64(0, 1, 0x40 | cc), X64_W, d, v);
}

/* Two conditions that both have to hold, or one of which is enough. */
static void select_parity(struct jit_emit *e, const struct jit_ins *i,
	struct jit_cond c, uint32_t d)
{
	bool either = c.parity == CC_P;
	uint32_t start = either ? i->c : i->b, other = either ? i->b : i->c;
	jit_mov(e, SCRATCH, other, true);
	if (jit_place(e, start) != d)
		jit_mov(e, d, start, true);
	if (!either)
		c = jit_not(c);
	x64_rr(&e->a, X64(0, 1, 0x40 | c.cc), X64_W, d, SCRATCH);
	x64_rr(&e->a, X64(0, 1, 0x40 | c.parity), X64_W, d, SCRATCH);
}

static void select_int(struct jit_emit *e, const struct jit_ins *i)
{
	struct jit_cond c = jit_emit_cond(e, i->a);
	uint32_t d = jit_def(e);
	if (c.parity) {
		select_parity(e, i, c, d);
		return;
	}
	if (jit_place(e, i->b) == d) {
		cmov(e, c.cc ^ 1u, d, i->c);
		return;
	}
	if (jit_place(e, i->c) != d)
		jit_mov(e, d, i->c, true);
	cmov(e, c.cc, d, i->b);
}

/* --- arithmetic
 * ----------------------------------------------------------------
 */

static void add_scaled(struct jit_emit *e, const struct jit_ins *i, uint32_t d)
{
	const struct jit_ins *s = jit_ins_of(e, i->b);
	uint32_t scale = (uint32_t)jit_ins_of(e, s->b)->imm, w = w_of(i->type);
	uint32_t base = jit_place(e, i->a), index = jit_place(e, s->a);
	int32_t imm;
	if (base < XMM0 && index < XMM0) {
		x64_rm(&e->a, X_LEA, w, d, x64_sum(base, index, scale, 0));
		return;
	}
	if (base == LOC_CONST && index < XMM0 && small(e, i->a, w != 0, &imm)) {
		x64_rm(&e->a, X_LEA, w, d, x64_sum(NO_REG, index, scale, imm));
		return;
	}
	jit_mov(e, SCRATCH, s->a, w != 0);
	x64_shift_ri(&e->a, 4, w, SCRATCH, scale);
	if (base != d)
		jit_mov(e, d, i->a, w != 0);
	x64_rr(&e->a, X_ADD, w, d, SCRATCH);
}

static void add(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t d = jit_def(e), w = w_of(i->type);
	uint32_t a = jit_place(e, i->a), b = jit_place(e, i->b);
	int32_t imm;
	if (jit_ins_of(e, i->b)->flags & JF_FOLDED &&
		!jit_is_fused(jit_ins_of(e, i->b))) {
		add_scaled(e, i, d);
	} else if (b == d) {
		jit_alu(e, X_ADD, ALU_ADD, w != 0, d, i->a);
	} else if (a < XMM0 && a != d && b < XMM0) {
		x64_rm(&e->a, X_LEA, w, d, x64_sum(a, b, 0, 0));
	} else if (a < XMM0 && a != d && b == LOC_CONST &&
		small(e, i->b, w != 0, &imm)) {
		x64_rm(&e->a, X_LEA, w, d, x64_at(a, imm));
	} else {
		if (a != d)
			jit_mov(e, d, i->a, w != 0);
		jit_alu(e, X_ADD, ALU_ADD, w != 0, d, i->b);
	}
}

static void multiply(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t d = jit_def(e), w = w_of(i->type);
	int32_t imm;
	if (jit_place(e, i->b) == LOC_CONST && small(e, i->b, w != 0, &imm)) {
		bool tiny = imm >= -128 && imm < 128;
		unary_rm(e, tiny ? X_IMUL8 : X_IMUL32, w, d, i->a);
		if (tiny)
			x64_u8(&e->a, (uint32_t)imm);
		else
			x64_u32(&e->a, (uint32_t)imm);
		return;
	}
	uint32_t v = i->b;
	if (jit_place(e, i->b) == d)
		v = i->a;
	else if (jit_place(e, i->a) != d)
		jit_mov(e, d, i->a, w != 0);
	unary_rm(e, X_IMUL, w, d, v);
}

static void logic(struct jit_emit *e, const struct jit_ins *i, uint32_t op,
	uint32_t imm_op)
{
	uint32_t d = jit_def(e), w = w_of(i->type), v = i->b;
	if (jit_place(e, i->b) == d && i->op != J_SUB)
		v = i->a;
	else if (jit_place(e, i->a) != d)
		jit_mov(e, d, i->a, w != 0);
	jit_alu(e, op, imm_op, w != 0, d, v);
}

static void shift_cl(struct jit_emit *e, const struct jit_ins *i, uint32_t n,
	uint32_t w)
{
	uint32_t d = jit_def(e);
	jit_mov(e, SCRATCH, i->a, w != 0);
	if (jit_place(e, i->b) != RCX)
		jit_mov(e, RCX, i->b, false);
	x64_rr(&e->a, X_SHIFT_CL, w, n, SCRATCH);
	x64_rr(&e->a, X_MOV, w, d, SCRATCH);
}

/* To another register: a rotation need not move its operand there first. */
static void rotate_to(struct jit_emit *e, const struct jit_ins *i, uint32_t d,
	uint32_t n)
{
	uint32_t w = w_of(i->type), bits = w ? 64 : 32;
	n = i->op == J_ROL ? (bits - n) & (bits - 1) : n;
	if (jit_place(e, i->a) == LOC_STACK)
		x64_vrm(&e->a, X_RORX, w, d, 0, jit_slot(e, i->a));
	else
		x64_vrr(&e->a, X_RORX, w, d, 0, jit_reg(e, i->a));
	x64_u8(&e->a, n);
}

static void shift(struct jit_emit *e, const struct jit_ins *i)
{
	/* shl sar shr rol ror */
	static const uint8_t numbers[] = { 4, 7, 5, 0, 1 };
	static const uint32_t bmi[] = { X_SHLX, X_SARX, X_SHRX };
	uint32_t d = jit_def(e), w = w_of(i->type), k = i->op - J_SHL;
	if (jit_place(e, i->b) == LOC_CONST) {
		uint32_t n = (uint32_t)jit_ins_of(e, i->b)->imm & (w ? 63 : 31);
		if (i->op > J_SHR && e->j->bmi2 && jit_place(e, i->a) != d) {
			rotate_to(e, i, d, n);
			return;
		}
		if (jit_place(e, i->a) != d)
			jit_mov(e, d, i->a, w != 0);
		x64_shift_ri(&e->a, numbers[k], w, d, n);
		return;
	}
	if (i->op > J_SHR || !e->j->bmi2) {
		shift_cl(e, i, numbers[k], w);
		return;
	}
	uint32_t at = jit_place(e, i->b), count = at;
	if (at >= XMM0) {
		/* Not in a register after all: d is free until the end. */
		jit_mov(e, SCRATCH, i->b, false);
		count = SCRATCH;
		if (jit_place(e, i->a) == LOC_CONST) {
			jit_mov(e, d, i->a, w != 0);
			x64_vrr(&e->a, bmi[k], w, d, count, d);
			return;
		}
	}
	if (jit_place(e, i->a) == LOC_STACK)
		x64_vrm(&e->a, bmi[k], w, d, count, jit_slot(e, i->a));
	else
		x64_vrr(&e->a, bmi[k], w, d, count, jit_reg(e, i->a));
}

/* --- division
 * ------------------------------------------------------------------
 */

/* Compares the divisor with a constant. */
static void compare_divisor(struct jit_emit *e, uint32_t v, uint32_t w,
	int32_t with)
{
	if (jit_place(e, v) == LOC_STACK)
		x64_alu_mi(&e->a, ALU_CMP, w, jit_slot(e, v), with);
	else if (with)
		x64_alu_ri(&e->a, ALU_CMP, w, jit_place(e, v), with);
	else
		x64_rr(&e->a, X_TEST, w, jit_place(e, v), jit_place(e, v));
}

/* A divisor of -1: the least number has no quotient, and the remainder is 0
 * although the instruction would fault.  Returns a jump to the end. */
static uint32_t minus_one(struct jit_emit *e, const struct jit_ins *i,
	uint32_t w)
{
	uint32_t end = 0;
	compare_divisor(e, i->b, w, -1);
	uint32_t over = x64_jcc(&e->a, CC_NE);
	if (i->op == J_DIVS) {
		x64_rr(&e->a, X_MOV, w, RDX, RAX);
		x64_alu_ri(&e->a, ALU_SUB, w, RDX, 1);
		jit_trap_if(e, CC_O, WASM_TRAP_OVERFLOW);
	} else {
		x64_rr(&e->a, X_XOR, 0, RDX, RDX);
		end = x64_jmp(&e->a);
	}
	x64_patch_here(&e->a, over);
	return end;
}

static void divide(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t d = jit_def(e), w = w_of(i->type), end = 0;
	bool is_signed = i->op == J_DIVS || i->op == J_REMS;
	bool constant = jit_place(e, i->b) == LOC_CONST;
	uint64_t k = jit_ins_of(e, i->b)->imm;
	if (constant && !(w ? k : (uint32_t)k)) {
		jit_trap_always(e, WASM_TRAP_DIVIDE);
		return;
	}
	bool minus = is_signed &&
		(!constant ||
			(w ? k == UINT64_MAX : (uint32_t)k == UINT32_MAX));
	if (jit_place(e, i->a) != RAX)
		jit_mov(e, RAX, i->a, w != 0);
	if (constant && !minus)
		x64_mov_ri(&e->a, SCRATCH, k);
	if (!constant) {
		compare_divisor(e, i->b, w, 0);
		jit_trap_if(e, CC_E, WASM_TRAP_DIVIDE);
	} else if (minus) {
		x64_mov_ri(&e->a, SCRATCH, w ? UINT64_MAX : UINT32_MAX);
	}
	if (minus && !constant) {
		end = minus_one(e, i, w);
	} else if (minus && i->op == J_DIVS) {
		x64_rr(&e->a, X_MOV, w, RDX, RAX);
		x64_alu_ri(&e->a, ALU_SUB, w, RDX, 1);
		jit_trap_if(e, CC_O, WASM_TRAP_OVERFLOW);
	} else if (minus) {
		x64_rr(&e->a, X_XOR, 0, d, d);
		return;
	}
	if (is_signed) {
		x64_rr(&e->a, X_MOV, w, RDX, RAX);
		x64_shift_ri(&e->a, 7, w, RDX, w ? 63 : 31);
	} else {
		x64_rr(&e->a, X_XOR, 0, RDX, RDX);
	}
	uint32_t n = is_signed ? 7 : 6;
	if (constant)
		x64_rr(&e->a, X_GROUP3, w, n, SCRATCH);
	else if (jit_place(e, i->b) == LOC_STACK)
		x64_rm(&e->a, X_GROUP3, w, n, jit_slot(e, i->b));
	else
		x64_rr(&e->a, X_GROUP3, w, n, jit_place(e, i->b));
	if (end)
		x64_patch_here(&e->a, end);
	uint32_t from = i->op <= J_DIVU ? RAX : RDX;
	if (d != from)
		x64_rr(&e->a, X_MOV, w, d, from);
}

static void multiply_high(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t d = jit_def(e);
	x64_mov_ri(&e->a, RAX, i->imm);
	unary_rm(e, X_GROUP3, X64_W, 4, i->a);
	if (d != RDX)
		x64_rr(&e->a, X_MOV, X64_W, d, RDX);
}

/* --- bits
 * ----------------------------------------------------------------------
 */

/* Without lzcnt and tzcnt: of zero these leave nothing defined. */
static void scan_bits(struct jit_emit *e, const struct jit_ins *i, bool leading)
{
	uint32_t d = jit_def(e), w = w_of(i->type), bits = w ? 64 : 32;
	unary_rm(e, leading ? X_BSR : X_BSF, w, SCRATCH, i->a);
	/* mov leaves the flags alone */
	x64_mov_ri(&e->a, d, leading ? bits * 2 - 1 : bits);
	x64_rr(&e->a, X64(0, 1, 0x40 | CC_NE), 0, d, SCRATCH);
	if (leading)
		x64_alu_ri(&e->a, ALU_XOR, 0, d, (int32_t)bits - 1);
}

static void count_bits(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t w = w_of(i->type);
	if (i->op == J_CLZ && !e->j->lzcnt)
		scan_bits(e, i, true);
	else if (i->op == J_CTZ && !e->j->bmi1)
		scan_bits(e, i, false);
	else
		unary_rm(e,
			i->op == J_CLZ	       ? X_LZCNT :
				i->op == J_CTZ ? X_TZCNT :
						 X_POPCNT,
			w, jit_def(e), i->a);
}

static void extend8(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t w = w_of(i->type), d = jit_def(e);
	if (jit_place(e, i->a) == LOC_STACK) {
		x64_rm(&e->a, X_MOVSX8, w, d, jit_slot(e, i->a));
		return;
	}
	uint32_t reg = jit_reg(e, i->a);
	x64_rr(&e->a, X_MOVSX8, w | byte_flag(reg), d, reg);
}

bool jit_emit_int(struct jit_emit *e, const struct jit_ins *i)
{
	switch (i->op) {
	case J_ADD:
		add(e, i);
		return true;
	case J_SUB:
		logic(e, i, X_SUB, ALU_SUB);
		return true;
	case J_AND:
		logic(e, i, X_AND, ALU_AND);
		return true;
	case J_OR:
		logic(e, i, X_OR, ALU_OR);
		return true;
	case J_XOR:
		logic(e, i, X_XOR, ALU_XOR);
		return true;
	case J_MUL:
		multiply(e, i);
		return true;
	case J_MULHU:
		multiply_high(e, i);
		return true;
	case J_DIVS:
	case J_DIVU:
	case J_REMS:
	case J_REMU:
		divide(e, i);
		return true;
	case J_SHL:
	case J_SAR:
	case J_SHR:
	case J_ROL:
	case J_ROR:
		shift(e, i);
		return true;
	case J_ICMP:
	case J_FCMP:
		emit_compare(e, i);
		return true;
	case J_CLZ:
	case J_CTZ:
	case J_POPCNT:
		count_bits(e, i);
		return true;
	case J_EXT8S:
		extend8(e, i);
		return true;
	case J_EXT16S:
		unary_rm(e, X_MOVSX16, w_of(i->type), jit_def(e), i->a);
		return true;
	case J_EXT32S:
		unary_rm(e, X_MOVSXD, X64_W, jit_def(e), i->a);
		return true;
	case J_WRAP:
		unary_rm(e, X_MOV, 0, jit_def(e), i->a);
		return true;
	case J_SELECT:
		if (jit_is_float(i->type))
			return false;
		select_int(e, i);
		return true;
	default:
		return false;
	}
}
