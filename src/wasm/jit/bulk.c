/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies and fills within the first memory: code that all functions share.
 * Checks the bounds, does what is short itself, and leaves the rest to the
 * host's routines without leaving the function.
 */
#include "wasm/interp/bulk_priv.h"
#include "wasm/jit/emit_priv.h"

enum { SHORT = 64, X_PUNPCKLQDQ = X64(0x66, 1, 0x6c) };

static bool move(struct wasm_exec *x, uint8_t *to, const uint8_t *from,
	uint64_t n)
{
	return wasm_bulk_move(x, to, from, n);
}

static bool set(struct wasm_exec *x, uint8_t *to, uint64_t v, uint64_t n)
{
	return wasm_bulk_set(x, to, (uint8_t)v, n);
}

/* A pair of pieces at both ends of [reg, reg + rdx): moved through a and b. */
struct ends {
	uint32_t load, store, flags, size, a, b;
};

static struct x64_mem first(uint32_t reg)
{
	return x64_at(reg, 0);
}

static struct x64_mem last(uint32_t reg, uint32_t size)
{
	return x64_sum(reg, RDX, 0, -(int64_t)size);
}

static void copy_ends(struct jit_asm *a, const struct ends *k)
{
	x64_rm(a, k->load, k->flags, k->a, first(RSI));
	x64_rm(a, k->load, k->flags, k->b, last(RSI, k->size));
	x64_rm(a, k->store, k->flags, k->a, first(RDI));
	x64_rm(a, k->store, k->flags, k->b, last(RDI, k->size));
	x64_ret(a);
}

static void fill_ends(struct jit_asm *a, const struct ends *k)
{
	x64_rm(a, k->store, k->flags, k->a, first(RDI));
	x64_rm(a, k->store, k->flags, k->a, last(RDI, k->size));
	x64_ret(a);
}

/* What is shorter than 16: two pieces of the largest size that fits. */
static void put_tiny(struct jit_asm *a, bool copy)
{
	static const struct ends ends[] = {
		{ X_MOV, X_MOV_STORE, X64_W, 8, RAX, RCX },
		{ X_MOV, X_MOV_STORE, 0, 4, RAX, RCX },
		{ X_MOVZX16, X_MOV16_STORE, 0, 2, RAX, RCX },
		{ X_MOVZX8, X_MOV8_STORE, 0, 1, RAX, RCX },
	};
	for (size_t k = 0; k < ARRAY_LEN(ends); k++) {
		x64_alu_ri(a, ALU_CMP, 0, RDX, (int32_t)ends[k].size);
		uint32_t less = x64_jcc(a, CC_B);
		if (copy)
			copy_ends(a, &ends[k]);
		else
			fill_ends(a, &ends[k]);
		x64_patch_here(a, less);
	}
	x64_ret(a);
}

/* 32 to 63 bytes. */
static void put_four(struct jit_asm *a, bool copy)
{
	const struct x64_mem from[] = { first(RSI), x64_at(RSI, 16),
		last(RSI, 32), last(RSI, 16) };
	const struct x64_mem to[] = { first(RDI), x64_at(RDI, 16),
		last(RDI, 32), last(RDI, 16) };
	for (uint32_t k = 0; copy && k < 4; k++)
		x64_rm(a, X_MOVUPS, 0, k, from[k]);
	for (uint32_t k = 0; k < 4; k++)
		x64_rm(a, X_MOVUPS_STORE, 0, copy ? k : 0, to[k]);
	x64_ret(a);
}

static void put_short(struct jit_asm *a, bool copy)
{
	static const struct ends two = { X_MOVUPS, X_MOVUPS_STORE, 0, 16, 0,
		1 };
	x64_alu_ri(a, ALU_CMP, 0, RDX, 16);
	uint32_t tiny = x64_jcc(a, CC_B);
	if (!copy) {
		x64_rr(a, X_MOVD_TO, X64_W, 0, RAX);
		x64_rr(a, X_PUNPCKLQDQ, 0, 0, 0);
	}
	x64_alu_ri(a, ALU_CMP, 0, RDX, 32);
	uint32_t four = x64_jcc(a, CC_A);
	if (copy)
		copy_ends(a, &two);
	else
		fill_ends(a, &two);
	x64_patch_here(a, four);
	put_four(a, copy);
	x64_patch_here(a, tiny);
	put_tiny(a, copy);
}

/* Where the place in `reg` and rdx bytes behind it are within memory it
 * becomes an address; rcx: the memory's length less rdx. */
static void check(struct wasm_jit *j, struct jit_asm *a, uint32_t reg,
	uint32_t trap)
{
	x64_rr(a, X_CMP, X64_W, reg, RCX);
	x64_patch(a, x64_jcc(a, CC_A), trap);
	if (j->mask)
		x64_rm(a, X64(0, 1, 0x40 | CC_A), X64_W, reg,
			x64_at(REG_EXEC, JIT_FIELD(jit.zero)));
	x64_rr(a, X_ADD, X64_W, reg, REG_MEM);
}

static void put_one(struct wasm_jit *j, struct jit_asm *a, bool copy,
	uint32_t out)
{
	uint32_t trap = a->len;
	x64_mov_ri(a, RAX, WASM_TRAP_MEMORY);
	x64_patch(a, x64_jmp(a), j->trap);
	if (copy)
		j->copy = a->len;
	else
		j->fill = a->len;
	x64_rm(a, X_MOV, X64_W, RCX, x64_at(REG_EXEC, JIT_FIELD(jit.bound)));
	x64_rr(a, X_SUB, X64_W, RCX, RDX);
	x64_patch(a, x64_jcc(a, CC_B), trap);
	check(j, a, RDI, trap);
	if (copy) {
		check(j, a, RSI, trap);
	} else {
		x64_rr(a, X_MOVZX8, X64_BYTE, RSI, RSI);
		x64_mov_ri(a, RAX, 0x0101010101010101);
		x64_rr(a, X_IMUL, X64_W, RAX, RSI);
	}
	x64_alu_ri(a, ALU_CMP, X64_W, RDX, SHORT);
	uint32_t more = x64_jcc(a, CC_AE);
	put_short(a, copy);
	x64_patch_here(a, more);
	x64_rr(a, X_MOV, X64_W, RCX, RDX);
	x64_rr(a, X_MOV, X64_W, RDX, RSI);
	x64_rr(a, X_MOV, X64_W, RSI, RDI);
	jit_stub_host(a,
		copy ? (uint64_t)(uintptr_t)move : (uint64_t)(uintptr_t)set,
		out);
}

void jit_stubs_bulk(struct wasm_jit *j, struct jit_asm *a, uint32_t out)
{
	put_one(j, a, true, out);
	put_one(j, a, false, out);
}

bool jit_emit_bulk(struct jit_emit *e, const struct jit_ins *i)
{
	static const uint8_t to[] = { RDI, RSI, RDX };
	struct jit_move m[ARRAY_LEN(to)];
	if (i->op != J_COPY && i->op != J_FILL)
		return false;
	for (uint32_t k = 0; k < ARRAY_LEN(to); k++) {
		uint32_t v = e->f->args[i->b + k];
		m[k] = (struct jit_move){ .v = v,
			.from = (uint8_t)jit_place(e, v),
			.to = to[k],
			.type = JT_I64 };
	}
	jit_move_all(e, m, ARRAY_LEN(to));
	jit_call_stub(e, i->op == J_COPY ? e->j->copy : e->j->fill);
	return true;
}
