/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads and stores.  Each address is checked before: x->jit.bound[n] is the
 * memory's length less n, so that for small n one comparison does it.  All
 * lengths are below 2^63, and a 32-bit address with its offset is below 2^33:
 * comparisons may be signed, and a bound below zero refuses every address.
 */
#include "wasm/jit/emit_priv.h"

static struct x64_mem bound(uint64_t n)
{
	return x64_at(REG_EXEC, JIT_FIELD(jit.bound) + (int64_t)n * 8);
}

/* After the comparison: a scratch register that is beyond leads to where it
 * does no harm, before the jump to the trap is decided. */
static void mask(struct jit_emit *e, uint32_t cc)
{
	if (e->j->mask)
		x64_rm(&e->a, X64(0, 1, 0x40 | cc), X64_W, SCRATCH,
			x64_at(REG_EXEC, JIT_FIELD(jit.safe)));
}

static struct x64_mem at_constant(struct jit_emit *e, const struct jit_ins *i,
	uint64_t k)
{
	uint64_t at, end;
	bool bad = __builtin_add_overflow(k, i->imm, &at) ||
		__builtin_add_overflow(at, i->spare, &end) || end > INT64_MAX;
	if (bad) {
		jit_trap_always(e, WASM_TRAP_MEMORY);
		return x64_at(REG_MEM, 0);
	}
	bool checked = i->flags & JF_CHECKED;
	if (end <= INT32_MAX && (checked || !e->j->mask)) {
		if (!checked) {
			x64_alu_mi(&e->a, ALU_CMP, X64_W, bound(0),
				(int32_t)end);
			jit_trap_if(e, CC_L, WASM_TRAP_MEMORY);
		}
		return x64_at(REG_MEM, (int64_t)at);
	}
	x64_mov_ri(&e->a, SCRATCH, end);
	if (!checked) {
		x64_rm(&e->a, X_CMP, X64_W, SCRATCH, bound(0));
		jit_trap_if(e, CC_G, WASM_TRAP_MEMORY);
		mask(e, CC_G);
	}
	return x64_sum(REG_MEM, SCRATCH, 0, -(int64_t)i->spare);
}

/* The general way: the end of the access in the scratch register. */
static struct x64_mem at_sum(struct jit_emit *e, const struct jit_ins *i,
	uint32_t reg, uint64_t end)
{
	bool wide = i->flags & JF_WIDE;
	if (end <= INT32_MAX && !wide) {
		x64_rm(&e->a, X_LEA, X64_W, SCRATCH, x64_at(reg, (int64_t)end));
	} else if (reg == SCRATCH) {
		jit_bug(e->f, "spilled operand");
	} else {
		x64_mov_ri(&e->a, SCRATCH, end);
		x64_rr(&e->a, X_ADD, X64_W, SCRATCH, reg);
		if (wide)
			jit_trap_if(e, CC_B, WASM_TRAP_MEMORY);
	}
	x64_rm(&e->a, X_CMP, X64_W, SCRATCH, bound(0));
	jit_trap_if(e, wide ? CC_A : CC_G, WASM_TRAP_MEMORY);
	mask(e, wide ? CC_A : CC_G);
	if (i->imm <= INT32_MAX && reg != SCRATCH && !e->j->mask)
		return x64_sum(REG_MEM, reg, 0, (int64_t)i->imm);
	return x64_sum(REG_MEM, SCRATCH, 0, -(int64_t)i->spare);
}

static struct x64_mem address(struct jit_emit *e, const struct jit_ins *i)
{
	uint64_t k, end;
	if (jit_is_const(e->f, i->a, &k))
		return at_constant(e, i, k);
	uint32_t reg = jit_reg(e, i->a);
	if (i->flags & JF_CHECKED) {
		if (i->imm <= INT32_MAX)
			return x64_sum(REG_MEM, reg, 0, (int64_t)i->imm);
		if (reg == SCRATCH)
			jit_bug(e->f, "spilled operand");
		x64_mov_ri(&e->a, SCRATCH, i->imm);
		x64_rr(&e->a, X_ADD, X64_W, SCRATCH, reg);
		return x64_sum(REG_MEM, SCRATCH, 0, 0);
	}
	if (__builtin_add_overflow(i->imm, i->spare, &end)) {
		jit_trap_always(e, WASM_TRAP_MEMORY);
		return x64_at(REG_MEM, 0);
	}
	if (end < WASM_JIT_BOUNDS && !(i->flags & JF_WIDE)) {
		if (e->j->mask && reg != SCRATCH)
			x64_rr(&e->a, X_MOV, X64_W, SCRATCH, reg);
		reg = e->j->mask ? (uint32_t)SCRATCH : reg;
		x64_rm(&e->a, X_CMP, X64_W, reg, bound(end));
		jit_trap_if(e, CC_G, WASM_TRAP_MEMORY);
		mask(e, CC_G);
		return x64_sum(REG_MEM, reg, 0, (int64_t)i->imm);
	}
	return at_sum(e, i, reg, end);
}

struct x64_mem jit_address(struct jit_emit *e, const struct jit_ins *i)
{
	/* A load that is an operand traps where it was, not where it is. */
	uint32_t word = e->word;
	e->word = i->word;
	struct x64_mem m = address(e, i);
	e->word = word;
	return m;
}

void jit_load_from(struct jit_emit *e, uint32_t kind, uint32_t d,
	struct x64_mem m)
{
	static const struct {
		uint32_t op, flags;
	} how[] = {
		[ACC_32] = { X_MOV, 0 },
		[ACC_64] = { X_MOV, X64_W },
		[ACC_S8_32] = { X_MOVSX8, 0 },
		[ACC_U8] = { X_MOVZX8, 0 },
		[ACC_S16_32] = { X_MOVSX16, 0 },
		[ACC_U16] = { X_MOVZX16, 0 },
		[ACC_S8_64] = { X_MOVSX8, X64_W },
		[ACC_S16_64] = { X_MOVSX16, X64_W },
		[ACC_S32_64] = { X_MOVSXD, X64_W },
	};
	if (d >= XMM0)
		x64_rm(&e->a,
			kind == ACC_V128			  ? X_MOVUPS :
				kind == ACC_32 || kind == ACC_V32 ? X_MOVSS :
								    X_MOVSD,
			0, d - XMM0, m);
	else
		x64_rm(&e->a, how[kind].op, how[kind].flags, d, m);
}

static void load(struct jit_emit *e, const struct jit_ins *i)
{
	struct x64_mem m = jit_address(e, i);
	jit_load_from(e, i->cc, jit_def(e), m);
}

static void store_constant(struct jit_emit *e, const struct jit_ins *i,
	struct x64_mem m, uint64_t k)
{
	int64_t v = (int64_t)k;
	switch (i->cc) {
	case ACC_STORE_8:
		x64_rm(&e->a, X_MOV8_IMM, 0, 0, m);
		x64_u8(&e->a, (uint32_t)k);
		return;
	case ACC_STORE_16:
		x64_rm(&e->a, X_MOV16_IMM, 0, 0, m);
		x64_u8(&e->a, (uint32_t)k);
		x64_u8(&e->a, (uint32_t)k >> 8);
		return;
	case ACC_STORE_32:
		x64_rm(&e->a, X_MOV_IMM, 0, 0, m);
		x64_u32(&e->a, (uint32_t)k);
		return;
	default:
		break;
	}
	if (v >= INT32_MIN && v <= INT32_MAX) {
		x64_rm(&e->a, X_MOV_IMM, X64_W, 0, m);
		x64_u32(&e->a, (uint32_t)k);
		return;
	}
	jit_pool_op(e, X_MOVSD, 0, 15, 8, k, 0);
	x64_rm(&e->a, X_MOVSD_STORE, 0, 15, m);
}

void jit_store_to(struct jit_emit *e, const struct jit_ins *i, struct x64_mem m)
{
	static const uint32_t ops[] = {
		[ACC_STORE_32] = X_MOV_STORE,
		[ACC_STORE_64] = X_MOV_STORE,
		[ACC_STORE_8] = X_MOV8_STORE,
		[ACC_STORE_16] = X_MOV16_STORE,
	};
	uint32_t at = jit_place(e, i->b);
	if (i->cc == ACC_STORE_V128) {
		x64_rm(&e->a, X_MOVUPS_STORE, 0, jit_xreg(e, i->b, JT_V128), m);
		return;
	}
	bool wide = i->cc == ACC_STORE_64, narrow = i->cc > ACC_STORE_64;
	if (at == LOC_CONST) {
		store_constant(e, i, m, jit_ins_of(e, i->b)->imm);
		return;
	}
	if (at == LOC_STACK && !narrow) {
		x64_rm(&e->a, wide ? X_MOVSD : X_MOVSS, 0, 15,
			jit_slot(e, i->b));
		at = XSCRATCH;
	} else if (at == LOC_STACK || (at >= XMM0 && narrow)) {
		jit_bug(e->f, "spilled operand");
		return;
	}
	if (at >= XMM0)
		x64_rm(&e->a, wide ? X_MOVSD_STORE : X_MOVSS_STORE, 0,
			at - XMM0, m);
	else
		x64_rm(&e->a, ops[i->cc],
			(wide ? X64_W : 0u) |
				(i->cc == ACC_STORE_8 && at >= 4 ? X64_BYTE :
								   0u),
			at, m);
}

static void store(struct jit_emit *e, const struct jit_ins *i)
{
	struct x64_mem m = jit_address(e, i);
	jit_store_to(e, i, m);
}

static void global_get(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t d = jit_def(e);
	x64_mov_ri(&e->a, SCRATCH, i->imm);
	struct x64_mem m = x64_at(SCRATCH, 0);
	if (d < XMM0)
		x64_rm(&e->a, X_MOV, i->type == JT_I32 ? 0 : X64_W, d, m);
	else
		x64_rm(&e->a,
			i->type == JT_V128	  ? X_MOVUPS :
				i->type == JT_F32 ? X_MOVSS :
						    X_MOVSD,
			0, d - XMM0, m);
}

static void global_set(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t at = jit_place(e, i->a);
	if (at == LOC_CONST || at == LOC_STACK) {
		jit_xmov(e, 15, i->a, i->in == JT_V128 ? JT_V128 : JT_F64);
		at = XSCRATCH;
	}
	x64_mov_ri(&e->a, SCRATCH, i->imm);
	struct x64_mem m = x64_at(SCRATCH, 0);
	if (at < XMM0) {
		x64_rm(&e->a, X_MOV_STORE, X64_W, at, m);
		return;
	}
	/* Above an f32 there may be anything. */
	bool narrow = i->in == JT_F32 || i->in == JT_I32;
	x64_rm(&e->a,
		i->in == JT_V128 ? X_MOVUPS_STORE :
			narrow	 ? X_MOVSS_STORE :
				   X_MOVSD_STORE,
		0, at - XMM0, m);
}

bool jit_emit_memory(struct jit_emit *e, const struct jit_ins *i)
{
	uint32_t d;
	switch (i->op) {
	case J_LOAD:
		load(e, i);
		return true;
	case J_STORE:
		store(e, i);
		return true;
	case J_GLOBAL_GET:
		global_get(e, i);
		return true;
	case J_GLOBAL_SET:
		global_set(e, i);
		return true;
	case J_MEMORY_SIZE:
		d = jit_def(e);
		x64_rm(&e->a, X_MOV, X64_W, d, bound(0));
		x64_shift_ri(&e->a, 5, X64_W, d, 16);
		return true;
	default:
		return false;
	}
}
