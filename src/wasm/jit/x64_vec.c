/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/jit/vec_priv.h"

static void to_first(struct jit_asm *a, uint32_t d, uint32_t s)
{
	if (d != s)
		x64_rr(a, X_MOVAPS, 0, d, s);
}

void x64_v3(struct jit_asm *a, bool vex, uint32_t op, uint32_t flags,
	uint32_t d, uint32_t s, uint32_t rm)
{
	if (vex) {
		x64_vrr(a, op, flags, d, s, rm);
		return;
	}
	to_first(a, d, s);
	x64_rr(a, op, flags, d, rm);
}

uint32_t x64_v3m(struct jit_asm *a, bool vex, uint32_t op, uint32_t flags,
	uint32_t d, uint32_t s, struct x64_mem m)
{
	if (vex)
		return x64_vrm(a, op, flags, d, s, m);
	to_first(a, d, s);
	return x64_rm(a, op, flags, d, m);
}

void x64_v2(struct jit_asm *a, bool vex, uint32_t op, uint32_t flags,
	uint32_t reg, uint32_t rm)
{
	if (vex)
		x64_vrr(a, op, flags, reg, 0, rm);
	else
		x64_rr(a, op, flags, reg, rm);
}

uint32_t x64_v2m(struct jit_asm *a, bool vex, uint32_t op, uint32_t flags,
	uint32_t reg, struct x64_mem m)
{
	return vex ? x64_vrm(a, op, flags, reg, 0, m) :
		     x64_rm(a, op, flags, reg, m);
}

void x64_vshift(struct jit_asm *a, bool vex, uint32_t op, uint32_t d,
	uint32_t s, uint32_t count)
{
	/* f1 f2 f3, d1 d2 d3, e1 e2: left, right, right with the sign; words,
	 * double words, quad words. */
	uint32_t n = (op & 0xf0) == 0xf0 ? 6 : (op & 0xf0) == 0xd0 ? 2 : 4;
	uint32_t group = X64(0x66, 1, 0x70 | (op & 3));
	if (vex) {
		x64_vrr(a, group, 0, n, d, s);
	} else {
		to_first(a, d, s);
		x64_rr(a, group, 0, n, d);
	}
	x64_u8(a, count);
}
