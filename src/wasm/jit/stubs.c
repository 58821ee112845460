/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Code that all functions share: the ways between the host's stack and ours.
 * Compiled code may leave at a call only, with the address it goes on at on
 * top of its stack.
 */
#include "wasm/jit/emit_priv.h"

static const uint8_t saved[] = { RBX, RBP, R12, R13, R14, R15 };
static const uint8_t general[JIT_ARGS] = { RDI, RSI, RDX, RCX, R8, R9, RBX };

static void push(struct jit_asm *a, uint32_t reg)
{
	if (reg >= 8)
		x64_u8(a, 0x41);
	x64_u8(a, 0x50 | (reg & 7));
}

static void pop(struct jit_asm *a, uint32_t reg)
{
	if (reg >= 8)
		x64_u8(a, 0x41);
	x64_u8(a, 0x58 | (reg & 7));
}

static struct x64_mem field(int64_t at)
{
	return x64_at(REG_EXEC, at);
}

static void load(struct jit_asm *a, uint32_t reg, int64_t at)
{
	x64_rm(a, X_MOV, X64_W, reg, field(at));
}

static void store(struct jit_asm *a, uint32_t reg, int64_t at)
{
	x64_rm(a, X_MOV_STORE, X64_W, reg, field(at));
}

/* Our registers, when coming from the host. */
static void load_fixed(struct jit_asm *a)
{
	load(a, REG_BUDGET, JIT_FIELD(budget));
	load(a, REG_MEM, JIT_FIELD(jit.base));
}

static void save_host(struct jit_asm *a)
{
	for (size_t k = 0; k < ARRAY_LEN(saved); k++)
		push(a, saved[k]);
	x64_alu_ri(a, ALU_SUB, X64_W, RSP, 8);
	x64_rr(a, X_MOV, X64_W, REG_EXEC, RDI);
	x64_rr(a, X_MOV, X64_W, RAX, RSI);
	store(a, RSP, JIT_FIELD(jit.host_rsp));
	load_fixed(a);
}

/* Back to the host with eax; the stack's top is as it is noted. */
static void put_out(struct jit_asm *a)
{
	store(a, REG_BUDGET, JIT_FIELD(budget));
	load(a, RSP, JIT_FIELD(jit.host_rsp));
	x64_alu_ri(a, ALU_ADD, X64_W, RSP, 8);
	for (size_t k = ARRAY_LEN(saved); k-- > 0;)
		pop(a, saved[k]);
	x64_ret(a);
}

static void args(struct jit_asm *a, bool in)
{
	for (uint32_t k = 0; k < JIT_ARGS; k++)
		x64_rm(a, in ? X_MOV : X_MOV_STORE, X64_W, general[k],
			field(JIT_FIELD(jit.general) + k * 8));
	for (uint32_t k = 0; k < JIT_FLOAT_ARGS; k++)
		x64_rm(a, in ? X_MOVUPS : X_MOVUPS_STORE, 0, k,
			field(JIT_FIELD(jit.vector) + k * 16));
}

static void jump_back(struct jit_asm *a, uint32_t to)
{
	x64_patch(a, x64_jmp(a), to);
}

static void leave_with(struct jit_asm *a, uint32_t event, uint32_t out)
{
	store(a, RSP, JIT_FIELD(jit.rsp));
	x64_mov_ri(a, RAX, event);
	jump_back(a, out);
}

/* enter(x, code): calls it; jump(x, code): goes there; what is on top of the
 * stack is where it returns. */
static void put_enter(struct wasm_jit *j, struct jit_asm *a, uint32_t out)
{
	j->enter = a->len;
	save_host(a);
	args(a, true);
	load(a, RSP, JIT_FIELD(jit.rsp));
	x64_rr(a, X_GROUP5, 0, 2, RAX);
	store(a, RAX, JIT_FIELD(jit.results));
	x64_rm(a, X_MOVUPS_STORE, 0, 0, field(JIT_FIELD(jit.result_vector)));
	x64_mov_ri(a, RAX, JIT_RETURNED);
	jump_back(a, out);
	j->jump = a->len;
	save_host(a);
	args(a, true);
	load(a, RSP, JIT_FIELD(jit.rsp));
	x64_rr(a, X_GROUP5, 0, 4, RAX);
	j->resume = a->len;
	save_host(a);
	load(a, RAX, JIT_FIELD(jit.results));
	x64_rm(a, X_MOVUPS, 0, 0, field(JIT_FIELD(jit.result_vector)));
	load(a, RSP, JIT_FIELD(jit.rsp));
	x64_ret(a);
}

/* rax: the callee; from *typed on, r10d: the type it has to have */
static void put_leave(struct jit_asm *a, uint32_t *any, uint32_t *typed,
	enum jit_event event, uint32_t out)
{
	*any = a->len;
	x64_mov_ri(a, R10, UINT32_MAX);
	*typed = a->len;
	x64_rm(a, X_MOV_STORE, 0, R10, field(JIT_FIELD(jit.want)));
	store(a, RAX, JIT_FIELD(callee));
	args(a, false);
	leave_with(a, event, out);
}

/* rax: which */
static void put_trap(struct wasm_jit *j, struct jit_asm *a, uint32_t out)
{
	j->trap = a->len;
	x64_rm(a, X_MOV_STORE, 0, RAX, field(JIT_FIELD(trap)));
	leave_with(a, JIT_TRAPS, out);
}

static void call_host(struct jit_asm *a, uint64_t func)
{
	store(a, REG_BUDGET, JIT_FIELD(budget));
	x64_rr(a, X_MOV, X64_W, RDI, REG_EXEC);
	load(a, RSP, JIT_FIELD(jit.host_rsp));
	x64_mov_ri(a, RAX, func);
	x64_rr(a, X_GROUP5, 0, 2, RAX);
	load_fixed(a);
}

/* Back to compiled code when al says so. */
static void finish_host(struct jit_asm *a, uint32_t out)
{
	load(a, RSP, JIT_FIELD(jit.rsp));
	x64_rr(a, X64(0, 0, 0x84), 0, RAX, RAX);
	uint32_t halted = x64_jcc(a, CC_E);
	x64_ret(a);
	x64_patch_here(a, halted);
	leave_with(a, JIT_HALTED, out);
}

/* rax: the words */
static void put_step(struct wasm_jit *j, struct jit_asm *a, uint32_t out)
{
	j->step = a->len;
	store(a, RSP, JIT_FIELD(jit.rsp));
	x64_rr(a, X_MOV, X64_W, RSI, RAX);
	x64_rm(a, X_LEA, X64_W, RDX, x64_at(RSP, 8));
	call_host(a, (uint64_t)(uintptr_t)wasm_jit_step);
	finish_host(a, out);
}

void jit_stub_host(struct jit_asm *a, uint64_t func, uint32_t out)
{
	store(a, RSP, JIT_FIELD(jit.rsp));
	call_host(a, func);
	finish_host(a, out);
}

/* rax: the words; or the exception */
static void put_throw(struct wasm_jit *j, struct jit_asm *a, uint32_t out)
{
	j->throw = a->len;
	store(a, RSP, JIT_FIELD(jit.rsp));
	x64_rr(a, X_MOV, X64_W, RSI, RAX);
	x64_rm(a, X_LEA, X64_W, RDX, x64_at(RSP, 8));
	call_host(a, (uint64_t)(uintptr_t)wasm_jit_throw);
	jump_back(a, out);
	j->throw_ref = a->len;
	store(a, RSP, JIT_FIELD(jit.rsp));
	x64_rr(a, X_MOV, X64_W, RSI, RAX);
	call_host(a, (uint64_t)(uintptr_t)wasm_jit_throw_ref);
	jump_back(a, out);
}

/* Every register stays as it is. */
static void put_refill(struct wasm_jit *j, struct jit_asm *a, uint32_t out)
{
	static const uint8_t regs[] = { RAX, RCX, RDX, RBX, RBP, RSI, RDI, R8,
		R9, R10, R12 };
	enum { XMMS = 15 };
	j->refill = a->len;
	store(a, RSP, JIT_FIELD(jit.rsp));
	for (size_t k = 0; k < ARRAY_LEN(regs); k++)
		push(a, regs[k]);
	x64_alu_ri(a, ALU_SUB, X64_W, RSP, XMMS * 16);
	for (uint32_t k = 0; k < XMMS; k++)
		x64_rm(a, X_MOVUPS_STORE, 0, k, x64_at(RSP, k * 16));
	store(a, RSP, JIT_FIELD(jit.saved_rsp));
	call_host(a, (uint64_t)(uintptr_t)wasm_jit_refill);
	x64_alu_ri(a, ALU_CMP, 0, RAX, JIT_REFILL_PAUSES);
	uint32_t pauses = x64_jcc(a, CC_E);
	uint32_t restore = a->len;
	load(a, RSP, JIT_FIELD(jit.saved_rsp));
	x64_rm(a, X_MOV_STORE, 0, RAX, field(JIT_FIELD(jit.want)));
	for (uint32_t k = 0; k < XMMS; k++)
		x64_rm(a, X_MOVUPS, 0, k, x64_at(RSP, k * 16));
	x64_alu_ri(a, ALU_ADD, X64_W, RSP, XMMS * 16);
	for (size_t k = ARRAY_LEN(regs); k-- > 0;)
		pop(a, regs[k]);
	x64_alu_mi(a, ALU_CMP, 0, field(JIT_FIELD(jit.want)), 0);
	uint32_t halted = x64_jcc(a, CC_E);
	x64_ret(a);
	x64_patch_here(a, halted);
	leave_with(a, JIT_HALTED, out);
	/* The registers stay where they are, below what jit.rsp says. */
	x64_patch_here(a, pauses);
	x64_mov_ri(a, RAX, JIT_HALTED);
	jump_back(a, out);
	j->refilled = a->len;
	save_host(a);
	x64_mov_ri(a, RAX, JIT_REFILL_GOES_ON);
	jump_back(a, restore);
}

static bool no_more(struct jit_asm *a UNUSED, uint32_t n UNUSED)
{
	return false;
}

bool jit_stubs_make(struct wasm_jit *j)
{
	uint8_t code[4096];
	struct jit_asm a = { .buf = code, .cap = sizeof code, .more = no_more };
	uint32_t out = 0;
	put_out(&a);
	put_enter(j, &a, out);
	put_leave(&a, &j->leave, &j->indirect, JIT_CALLS, out);
	put_leave(&a, &j->tail, &j->tail_typed, JIT_TAILS, out);
	put_trap(j, &a, out);
	put_throw(j, &a, out);
	jit_stubs_bulk(j, &a, out);
	put_step(j, &a, out);
	put_refill(j, &a, out);
	j->stubs_len = a.len;
	return !a.full && jit_memory_add(j, code, a.len) == 0;
}
