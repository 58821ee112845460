/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The encoder: x86-64 instructions as bytes (Intel 64 manual, volume 2, §2).
 * Knows formats, not the compiler.  An opcode is written as one number:
 * mandatory prefix, map (0: one byte, 1: 0f, 2: 0f 38, 3: 0f 3a), byte.
 */
#ifndef WASM_JIT_X64_PRIV_H
#define WASM_JIT_X64_PRIV_H

#include "base/base.h"

enum {
	RAX,
	RCX,
	RDX,
	RBX,
	RSP,
	RBP,
	RSI,
	RDI,
	R8,
	R9,
	R10,
	R11,
	R12,
	R13,
	R14,
	R15,
	NO_REG = 0xff,
};

/* Conditions, as in jcc, setcc, cmovcc. */
enum {
	CC_O,
	CC_NO,
	CC_B,
	CC_AE,
	CC_E,
	CC_NE,
	CC_BE,
	CC_A,
	CC_S,
	CC_NS,
	CC_P,
	CC_NP,
	CC_L,
	CC_GE,
	CC_LE,
	CC_G,
};

#define X64(prefix, map, op) ((uint32_t)(prefix) << 16 | (map) << 8 | (op))

enum {
	X_ADD = X64(0, 0, 0x03), /* reg, r/m */
	X_OR = X64(0, 0, 0x0b),
	X_AND = X64(0, 0, 0x23),
	X_SUB = X64(0, 0, 0x2b),
	X_XOR = X64(0, 0, 0x33),
	X_CMP = X64(0, 0, 0x3b),
	X_TEST = X64(0, 0, 0x85),
	X_MOV = X64(0, 0, 0x8b),
	X_MOV_STORE = X64(0, 0, 0x89),
	X_MOV8_STORE = X64(0, 0, 0x88),
	X_MOV16_STORE = X64(0x66, 0, 0x89),
	X_LEA = X64(0, 0, 0x8d),
	X_MOVSXD = X64(0, 0, 0x63),
	X_MOVZX8 = X64(0, 1, 0xb6),
	X_MOVZX16 = X64(0, 1, 0xb7),
	X_MOVSX8 = X64(0, 1, 0xbe),
	X_MOVSX16 = X64(0, 1, 0xbf),
	X_IMUL = X64(0, 1, 0xaf),
	X_IMUL32 = X64(0, 0, 0x69), /* and imm32 */
	X_IMUL8 = X64(0, 0, 0x6b),  /* and imm8 */
	X_GROUP3 = X64(0, 0, 0xf7), /* /4 mul /5 imul /6 div /7 idiv, /3 neg */
	X_GROUP5 = X64(0, 0, 0xff), /* /2 call /4 jmp */
	X_ALU8 = X64(0, 0, 0x83),   /* /n with imm8 */
	X_ALU32 = X64(0, 0, 0x81),
	X_SHIFT = X64(0, 0, 0xc1), /* /4 shl /5 shr /7 sar /0 rol /1 ror imm8 */
	X_SHIFT_CL = X64(0, 0, 0xd3),
	X_MOV_IMM = X64(0, 0, 0xc7),
	X_MOV8_IMM = X64(0, 0, 0xc6),
	X_MOV16_IMM = X64(0x66, 0, 0xc7),
	X_BSF = X64(0, 1, 0xbc),
	X_BSR = X64(0, 1, 0xbd),
	X_TZCNT = X64(0xf3, 1, 0xbc),
	X_LZCNT = X64(0xf3, 1, 0xbd),
	X_POPCNT = X64(0xf3, 1, 0xb8),
	X_XCHG = X64(0, 0, 0x87),
	X_SHLX = X64(0x66, 2, 0xf7), /* VEX */
	X_SARX = X64(0xf3, 2, 0xf7),
	X_SHRX = X64(0xf2, 2, 0xf7),
	X_RORX = X64(0xf2, 3, 0xf0),
	X_MOVSS = X64(0xf3, 1, 0x10),
	X_MOVSS_STORE = X64(0xf3, 1, 0x11),
	X_MOVSD = X64(0xf2, 1, 0x10),
	X_MOVSD_STORE = X64(0xf2, 1, 0x11),
	X_MOVAPS = X64(0, 1, 0x28),
	X_MOVUPS = X64(0, 1, 0x10),
	X_MOVUPS_STORE = X64(0, 1, 0x11),
	X_MOVD_TO = X64(0x66, 1, 0x6e),	  /* xmm, r/m; W: movq */
	X_MOVD_FROM = X64(0x66, 1, 0x7e), /* r/m, xmm */
	X_MOVQ = X64(0xf3, 1, 0x7e),	  /* xmm, xmm/m64 */
	X_XORPS = X64(0, 1, 0x57),
	X_ANDPS = X64(0, 1, 0x54),
	X_ANDNPS = X64(0, 1, 0x55),
	X_ORPS = X64(0, 1, 0x56),
	X_UCOMIS = X64(0, 1, 0x2e), /* prefix 66 for double */
	X_CVTSS2SD = X64(0xf3, 1, 0x5a),
	X_CVTSD2SS = X64(0xf2, 1, 0x5a),
};

struct jit_asm {
	uint8_t *buf;
	uint32_t len, cap;
	bool full; /* the limit is reached: what is written is void */
	void *ctx;
	bool (*more)(struct jit_asm *a, uint32_t n);
};

/* A memory operand; index NO_REG: none; base NO_REG: none, and without an
 * index rip-relative: the displacement's place is noted by the caller. */
struct x64_mem {
	uint8_t base, index, scale; /* scale: log2 */
	int32_t disp;
};

static inline struct x64_mem x64_at(uint32_t base, int64_t disp)
{
	return (struct x64_mem){ (uint8_t)base, NO_REG, 0, (int32_t)disp };
}

static inline struct x64_mem x64_sum(uint32_t base, uint32_t index,
	uint32_t scale, int64_t disp)
{
	return (struct x64_mem){ (uint8_t)base, (uint8_t)index, (uint8_t)scale,
		(int32_t)disp };
}

enum { X64_W = 1, X64_BYTE = 2 }; /* flags: 64 bits; `reg` is a byte */

void x64_u8(struct jit_asm *a, uint32_t v);
void x64_u32(struct jit_asm *a, uint32_t v);
void x64_u64(struct jit_asm *a, uint64_t v);
/* op reg, rm (the rm of store forms is where it goes). */
void x64_rr(struct jit_asm *a, uint32_t op, uint32_t flags, uint32_t reg,
	uint32_t rm);
/* op reg, [m]; `after` bytes of immediate follow (for rip-relative ones).
 * Returns the offset of the displacement when rip-relative. */
uint32_t x64_rm(struct jit_asm *a, uint32_t op, uint32_t flags, uint32_t reg,
	struct x64_mem m);
/* VEX forms with a second source. */
void x64_vrr(struct jit_asm *a, uint32_t op, uint32_t flags, uint32_t reg,
	uint32_t vvvv, uint32_t rm);
uint32_t x64_vrm(struct jit_asm *a, uint32_t op, uint32_t flags, uint32_t reg,
	uint32_t vvvv, struct x64_mem m);

/* alu /n with an immediate: 0 add 1 or 4 and 5 sub 6 xor 7 cmp */
enum { ALU_ADD = 0, ALU_OR = 1, ALU_AND = 4, ALU_SUB = 5, ALU_XOR, ALU_CMP };
void x64_alu_ri(struct jit_asm *a, uint32_t n, uint32_t flags, uint32_t reg,
	int32_t imm);
void x64_alu_mi(struct jit_asm *a, uint32_t n, uint32_t flags, struct x64_mem m,
	int32_t imm);
/* The shortest way to a constant; touches no flags. */
void x64_mov_ri(struct jit_asm *a, uint32_t reg, uint64_t v);
void x64_shift_ri(struct jit_asm *a, uint32_t n, uint32_t flags, uint32_t reg,
	uint32_t count);
/* jcc and jmp with 32-bit displacements; return where it is. */
uint32_t x64_jcc(struct jit_asm *a, uint32_t cc);
uint32_t x64_jmp(struct jit_asm *a);
uint32_t x64_call(struct jit_asm *a);
/* Points the 32-bit displacement at `at` to `to` (offsets). */
void x64_patch(struct jit_asm *a, uint32_t at, uint32_t to);
void x64_patch_here(struct jit_asm *a, uint32_t at);
void x64_ret(struct jit_asm *a);
void x64_nops(struct jit_asm *a, uint32_t n);

#endif
