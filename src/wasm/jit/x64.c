/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/jit/x64_priv.h"

/* No instruction of ours is longer. */
enum { LONGEST = 16 };

static bool room(struct jit_asm *a)
{
	if (a->cap - a->len >= LONGEST)
		return true;
	if (!a->full && a->more(a, LONGEST))
		return true;
	a->full = true;
	a->len = 0;
	return a->cap >= LONGEST;
}

/* An instruction is written from `at` on, which is told when it ends. */
static uint8_t *put(uint8_t *at, uint32_t v)
{
	*at = (uint8_t)v;
	return at + 1;
}

static uint8_t *put32(uint8_t *at, uint32_t v)
{
	memcpy(at, &v, 4);
	return at + 4;
}

static uint8_t *here(const struct jit_asm *a)
{
	return a->buf + a->len;
}

static void end(struct jit_asm *a, const uint8_t *at)
{
	a->len = (uint32_t)(at - a->buf);
}

void x64_u8(struct jit_asm *a, uint32_t v)
{
	if (room(a))
		end(a, put(here(a), v));
}

void x64_u32(struct jit_asm *a, uint32_t v)
{
	if (room(a))
		end(a, put32(here(a), v));
}

void x64_u64(struct jit_asm *a, uint64_t v)
{
	x64_u32(a, (uint32_t)v);
	x64_u32(a, (uint32_t)(v >> 32));
}

static uint32_t prefix_of(uint32_t op)
{
	return op >> 16 & 0xff;
}

static uint32_t map_of(uint32_t op)
{
	return op >> 8 & 0xff;
}

/* Prefixes, REX when needed, opcode. */
static uint8_t *head(uint8_t *at, uint32_t op, uint32_t flags, uint32_t reg,
	uint32_t index, uint32_t base)
{
	uint32_t rex = (flags & X64_W ? 8u : 0) | (reg >> 3 & 1) << 2 |
		(index >> 3 & 1) << 1 | (base >> 3 & 1);
	if (prefix_of(op))
		at = put(at, prefix_of(op));
	if (rex || (flags & X64_BYTE))
		at = put(at, 0x40 | rex);
	if (map_of(op))
		at = put(at, 0x0f);
	if (map_of(op) == 2)
		at = put(at, 0x38);
	else if (map_of(op) == 3)
		at = put(at, 0x3a);
	return put(at, op & 0xff);
}

/* Three bytes of VEX, L=0, and the opcode. */
static uint8_t *vex(uint8_t *at, uint32_t op, uint32_t flags, uint32_t reg,
	uint32_t vvvv, uint32_t index, uint32_t base)
{
	static const uint8_t pp[256] = { [0x66] = 1, [0xf3] = 2, [0xf2] = 3 };
	uint32_t r = ~reg >> 3 & 1, x = ~index >> 3 & 1, b = ~base >> 3 & 1;
	uint32_t last = (~vvvv & 15) << 3 | pp[prefix_of(op)];
	if (x && b && map_of(op) == 1 && !(flags & X64_W)) {
		at = put(at, 0xc5);
		at = put(at, r << 7 | last);
	} else {
		at = put(at, 0xc4);
		at = put(at, r << 7 | x << 6 | b << 5 | map_of(op));
		at = put(at, (flags & X64_W ? 0x80u : 0) | last);
	}
	return put(at, op & 0xff);
}

static uint8_t *modrm(uint8_t *at, uint32_t mod, uint32_t reg, uint32_t rm)
{
	return put(at, mod << 6 | (reg & 7) << 3 | (rm & 7));
}

/* ModRM, SIB and displacement of a memory operand. */
static uint8_t *address(uint8_t *at, uint32_t reg, struct x64_mem m)
{
	if (m.base == NO_REG && m.index != NO_REG) {
		at = modrm(at, 0, reg, RSP);
		at = put(at,
			(uint32_t)m.scale << 6 | (m.index & 7u) << 3 | RBP);
		return put32(at, (uint32_t)m.disp);
	}
	if (m.base == NO_REG)
		return put32(modrm(at, 0, reg, 5), (uint32_t)m.disp);
	uint32_t mod = m.disp == 0 && (m.base & 7) != RBP ? 0 :
		m.disp >= -128 && m.disp < 128		  ? 1 :
							    2;
	if (m.index == NO_REG && (m.base & 7) != RSP) {
		at = modrm(at, mod, reg, m.base);
	} else {
		uint32_t index = m.index == NO_REG ? (uint32_t)RSP : m.index;
		at = modrm(at, mod, reg, RSP);
		at = put(at,
			(uint32_t)m.scale << 6 | (index & 7) << 3 |
				(m.base & 7u));
	}
	if (mod == 1)
		return put(at, (uint32_t)m.disp);
	return mod == 2 ? put32(at, (uint32_t)m.disp) : at;
}

/* Where the displacement to patch is, if the operand is one; ends it. */
static uint32_t end_address(struct jit_asm *a, const uint8_t *at,
	struct x64_mem m)
{
	end(a, at);
	return m.base == NO_REG && m.index == NO_REG ? a->len - 4 : 0;
}

static uint32_t high_index(struct x64_mem m)
{
	return m.index == NO_REG ? 0 : m.index;
}

static uint32_t high_base(struct x64_mem m)
{
	return m.base == NO_REG ? 0 : m.base;
}

void x64_rr(struct jit_asm *a, uint32_t op, uint32_t flags, uint32_t reg,
	uint32_t rm)
{
	if (room(a))
		end(a, modrm(head(here(a), op, flags, reg, 0, rm), 3, reg, rm));
}

uint32_t x64_rm(struct jit_asm *a, uint32_t op, uint32_t flags, uint32_t reg,
	struct x64_mem m)
{
	if (!room(a))
		return 0;
	uint8_t *at =
		head(here(a), op, flags, reg, high_index(m), high_base(m));
	return end_address(a, address(at, reg, m), m);
}

void x64_vrr(struct jit_asm *a, uint32_t op, uint32_t flags, uint32_t reg,
	uint32_t vvvv, uint32_t rm)
{
	if (room(a))
		end(a,
			modrm(vex(here(a), op, flags, reg, vvvv, 0, rm), 3, reg,
				rm));
}

uint32_t x64_vrm(struct jit_asm *a, uint32_t op, uint32_t flags, uint32_t reg,
	uint32_t vvvv, struct x64_mem m)
{
	if (!room(a))
		return 0;
	uint8_t *at =
		vex(here(a), op, flags, reg, vvvv, high_index(m), high_base(m));
	return end_address(a, address(at, reg, m), m);
}

static bool fits8(int32_t v)
{
	return v >= -128 && v < 128;
}

static void immediate(struct jit_asm *a, int32_t imm)
{
	if (room(a))
		end(a,
			fits8(imm) ? put(here(a), (uint32_t)imm) :
				     put32(here(a), (uint32_t)imm));
}

void x64_alu_ri(struct jit_asm *a, uint32_t n, uint32_t flags, uint32_t reg,
	int32_t imm)
{
	x64_rr(a, fits8(imm) ? X_ALU8 : X_ALU32, flags, n, reg);
	immediate(a, imm);
}

void x64_alu_mi(struct jit_asm *a, uint32_t n, uint32_t flags, struct x64_mem m,
	int32_t imm)
{
	x64_rm(a, fits8(imm) ? X_ALU8 : X_ALU32, flags, n, m);
	immediate(a, imm);
}

void x64_mov_ri(struct jit_asm *a, uint32_t reg, uint64_t v)
{
	uint32_t op = 0xb8 | (reg & 7);
	if (v <= UINT32_MAX) {
		if (reg >= 8)
			x64_u8(a, 0x41);
		x64_u8(a, op);
		x64_u32(a, (uint32_t)v);
	} else if ((int64_t)v >= INT32_MIN && (int64_t)v < 0) {
		x64_rr(a, X_MOV_IMM, X64_W, 0, reg);
		x64_u32(a, (uint32_t)v);
	} else {
		x64_u8(a, reg >= 8 ? 0x49 : 0x48);
		x64_u8(a, op);
		x64_u64(a, v);
	}
}

void x64_shift_ri(struct jit_asm *a, uint32_t n, uint32_t flags, uint32_t reg,
	uint32_t count)
{
	x64_rr(a, X_SHIFT, flags, n, reg);
	x64_u8(a, count);
}

/* An opcode and a distance to patch. */
static uint32_t jump(struct jit_asm *a, uint32_t first, uint32_t second)
{
	if (!room(a))
		return 0;
	uint8_t *at = put(here(a), first);
	end(a, put32(second ? put(at, second) : at, 0));
	return a->len - 4;
}

uint32_t x64_jcc(struct jit_asm *a, uint32_t cc)
{
	return jump(a, 0x0f, 0x80 | cc);
}

uint32_t x64_jmp(struct jit_asm *a)
{
	return jump(a, 0xe9, 0);
}

uint32_t x64_call(struct jit_asm *a)
{
	return jump(a, 0xe8, 0);
}

void x64_patch(struct jit_asm *a, uint32_t at, uint32_t to)
{
	if (a->full || at + 4 > a->len)
		return;
	uint32_t rel = to - (at + 4);
	memcpy(a->buf + at, &rel, 4);
}

void x64_patch_here(struct jit_asm *a, uint32_t at)
{
	x64_patch(a, at, a->len);
}

void x64_ret(struct jit_asm *a)
{
	x64_u8(a, 0xc3);
}

/* Instructions of 1 to 9 bytes that do nothing (volume 2, NOP). */
void x64_nops(struct jit_asm *a, uint32_t n)
{
	static const uint8_t nop[9][9] = { { 0x90 }, { 0x66, 0x90 },
		{ 0x0f, 0x1f, 0 }, { 0x0f, 0x1f, 0x40, 0 },
		{ 0x0f, 0x1f, 0x44, 0, 0 }, { 0x66, 0x0f, 0x1f, 0x44, 0, 0 },
		{ 0x0f, 0x1f, 0x80, 0, 0, 0, 0 },
		{ 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0 },
		{ 0x66, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0 } };
	while (n) {
		uint32_t k = n < 9 ? n : 9;
		for (uint32_t i = 0; i < k; i++)
			x64_u8(a, nop[k - 1][i]);
		n -= k;
	}
}
