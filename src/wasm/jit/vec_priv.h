/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vectors.  WebAssembly's vector instructions become one or several of the
 * machine's while values are made (build_vec.c, vec*.c), so that these
 * are numbered and shared like others; each J_VEC is one of this table.
 * `in` is the type of operand a, `spare` that of b (0: there is none), `imm`
 * the immediate of those that have one.
 */
#ifndef WASM_JIT_VEC_PRIV_H
#define WASM_JIT_VEC_PRIV_H

#include "wasm/jit/x64_priv.h"

/* What a machine has; each has the ones before. */
enum jit_level { SSE2, SSSE3, SSE41, SSE42, AVX };

enum jit_vec_form {
	VF_BIN,	  /* d = a op b */
	VF_SAME,  /* the same with a and b exchanged */
	VF_BIN_I, /* with an immediate */
	VF_UN,	  /* d = op a */
	VF_UN_I,
	VF_SHIFT,  /* b: the count */
	VF_FROM,   /* a: a general register */
	VF_INSERT, /* b: a general register */
	VF_TO,	   /* to a general register */
	VF_EXTRACT,
	VF_LOW, /* the first lane as a float */
	VF_ANY, /* a bit that is set anywhere? */
};

/* X(name, prefix, map, opcode, form, level) */
/* clang-format off */
#define JIT_VECS(X) \
	X(PADDB, 0x66, 1, 0xfc, SAME, SSE2) \
	X(PADDW, 0x66, 1, 0xfd, SAME, SSE2) \
	X(PADDD, 0x66, 1, 0xfe, SAME, SSE2) \
	X(PADDQ, 0x66, 1, 0xd4, SAME, SSE2) \
	X(PADDSB, 0x66, 1, 0xec, SAME, SSE2) \
	X(PADDSW, 0x66, 1, 0xed, SAME, SSE2) \
	X(PADDUSB, 0x66, 1, 0xdc, SAME, SSE2) \
	X(PADDUSW, 0x66, 1, 0xdd, SAME, SSE2) \
	X(PSUBB, 0x66, 1, 0xf8, BIN, SSE2) \
	X(PSUBW, 0x66, 1, 0xf9, BIN, SSE2) \
	X(PSUBD, 0x66, 1, 0xfa, BIN, SSE2) \
	X(PSUBQ, 0x66, 1, 0xfb, BIN, SSE2) \
	X(PSUBSB, 0x66, 1, 0xe8, BIN, SSE2) \
	X(PSUBSW, 0x66, 1, 0xe9, BIN, SSE2) \
	X(PSUBUSB, 0x66, 1, 0xd8, BIN, SSE2) \
	X(PSUBUSW, 0x66, 1, 0xd9, BIN, SSE2) \
	X(PAND, 0x66, 1, 0xdb, SAME, SSE2) \
	X(PANDN, 0x66, 1, 0xdf, BIN, SSE2) \
	X(POR, 0x66, 1, 0xeb, SAME, SSE2) \
	X(PXOR, 0x66, 1, 0xef, SAME, SSE2) \
	X(PCMPEQB, 0x66, 1, 0x74, SAME, SSE2) \
	X(PCMPEQW, 0x66, 1, 0x75, SAME, SSE2) \
	X(PCMPEQD, 0x66, 1, 0x76, SAME, SSE2) \
	X(PCMPEQQ, 0x66, 2, 0x29, SAME, SSE41) \
	X(PCMPGTB, 0x66, 1, 0x64, BIN, SSE2) \
	X(PCMPGTW, 0x66, 1, 0x65, BIN, SSE2) \
	X(PCMPGTD, 0x66, 1, 0x66, BIN, SSE2) \
	X(PCMPGTQ, 0x66, 2, 0x37, BIN, SSE42) \
	X(PMINUB, 0x66, 1, 0xda, SAME, SSE2) \
	X(PMAXUB, 0x66, 1, 0xde, SAME, SSE2) \
	X(PMINSW, 0x66, 1, 0xea, SAME, SSE2) \
	X(PMAXSW, 0x66, 1, 0xee, SAME, SSE2) \
	X(PMINSB, 0x66, 2, 0x38, SAME, SSE41) \
	X(PMINSD, 0x66, 2, 0x39, SAME, SSE41) \
	X(PMINUW, 0x66, 2, 0x3a, SAME, SSE41) \
	X(PMINUD, 0x66, 2, 0x3b, SAME, SSE41) \
	X(PMAXSB, 0x66, 2, 0x3c, SAME, SSE41) \
	X(PMAXSD, 0x66, 2, 0x3d, SAME, SSE41) \
	X(PMAXUW, 0x66, 2, 0x3e, SAME, SSE41) \
	X(PMAXUD, 0x66, 2, 0x3f, SAME, SSE41) \
	X(PAVGB, 0x66, 1, 0xe0, SAME, SSE2) \
	X(PAVGW, 0x66, 1, 0xe3, SAME, SSE2) \
	X(PMULLW, 0x66, 1, 0xd5, SAME, SSE2) \
	X(PMULHW, 0x66, 1, 0xe5, SAME, SSE2) \
	X(PMULHUW, 0x66, 1, 0xe4, SAME, SSE2) \
	X(PMULLD, 0x66, 2, 0x40, SAME, SSE41) \
	X(PMULUDQ, 0x66, 1, 0xf4, SAME, SSE2) \
	X(PMULDQ, 0x66, 2, 0x28, SAME, SSE41) \
	X(PMADDWD, 0x66, 1, 0xf5, SAME, SSE2) \
	X(PMADDUBSW, 0x66, 2, 0x04, BIN, SSSE3) \
	X(PMULHRSW, 0x66, 2, 0x0b, SAME, SSSE3) \
	X(PACKSSWB, 0x66, 1, 0x63, BIN, SSE2) \
	X(PACKUSWB, 0x66, 1, 0x67, BIN, SSE2) \
	X(PACKSSDW, 0x66, 1, 0x6b, BIN, SSE2) \
	X(PACKUSDW, 0x66, 2, 0x2b, BIN, SSE41) \
	X(PUNPCKLBW, 0x66, 1, 0x60, BIN, SSE2) \
	X(PUNPCKLWD, 0x66, 1, 0x61, BIN, SSE2) \
	X(PUNPCKLDQ, 0x66, 1, 0x62, BIN, SSE2) \
	X(PUNPCKLQDQ, 0x66, 1, 0x6c, BIN, SSE2) \
	X(PUNPCKHBW, 0x66, 1, 0x68, BIN, SSE2) \
	X(PUNPCKHWD, 0x66, 1, 0x69, BIN, SSE2) \
	X(PUNPCKHDQ, 0x66, 1, 0x6a, BIN, SSE2) \
	X(PUNPCKHQDQ, 0x66, 1, 0x6d, BIN, SSE2) \
	X(PSHUFB, 0x66, 2, 0x00, BIN, SSSE3) \
	X(PALIGNR, 0x66, 3, 0x0f, BIN_I, SSSE3) \
	X(SHUFPS, 0, 1, 0xc6, BIN_I, SSE2) \
	X(PBLENDW, 0x66, 3, 0x0e, BIN_I, SSE41) \
	X(INSERTPS, 0x66, 3, 0x21, BIN_I, SSE41) \
	X(PSHUFD, 0x66, 1, 0x70, UN_I, SSE2) \
	X(PSHUFLW, 0xf2, 1, 0x70, UN_I, SSE2) \
	X(PSHUFHW, 0xf3, 1, 0x70, UN_I, SSE2) \
	X(ADDPS, 0, 1, 0x58, BIN, SSE2) \
	X(SUBPS, 0, 1, 0x5c, BIN, SSE2) \
	X(MULPS, 0, 1, 0x59, BIN, SSE2) \
	X(DIVPS, 0, 1, 0x5e, BIN, SSE2) \
	X(MINPS, 0, 1, 0x5d, BIN, SSE2) \
	X(MAXPS, 0, 1, 0x5f, BIN, SSE2) \
	X(CMPPS, 0, 1, 0xc2, BIN_I, SSE2) \
	X(SQRTPS, 0, 1, 0x51, UN, SSE2) \
	X(ROUNDPS, 0x66, 3, 0x08, UN_I, SSE41) \
	X(ADDPD, 0x66, 1, 0x58, BIN, SSE2) \
	X(SUBPD, 0x66, 1, 0x5c, BIN, SSE2) \
	X(MULPD, 0x66, 1, 0x59, BIN, SSE2) \
	X(DIVPD, 0x66, 1, 0x5e, BIN, SSE2) \
	X(MINPD, 0x66, 1, 0x5d, BIN, SSE2) \
	X(MAXPD, 0x66, 1, 0x5f, BIN, SSE2) \
	X(CMPPD, 0x66, 1, 0xc2, BIN_I, SSE2) \
	X(SQRTPD, 0x66, 1, 0x51, UN, SSE2) \
	X(ROUNDPD, 0x66, 3, 0x09, UN_I, SSE41) \
	X(CVTDQ2PS, 0, 1, 0x5b, UN, SSE2) \
	X(CVTTPS2DQ, 0xf3, 1, 0x5b, UN, SSE2) \
	X(CVTDQ2PD, 0xf3, 1, 0xe6, UN, SSE2) \
	X(CVTTPD2DQ, 0x66, 1, 0xe6, UN, SSE2) \
	X(CVTPS2PD, 0, 1, 0x5a, UN, SSE2) \
	X(CVTPD2PS, 0x66, 1, 0x5a, UN, SSE2) \
	X(PABSB, 0x66, 2, 0x1c, UN, SSSE3) \
	X(PABSW, 0x66, 2, 0x1d, UN, SSSE3) \
	X(PABSD, 0x66, 2, 0x1e, UN, SSSE3) \
	X(PMOVSXBW, 0x66, 2, 0x20, UN, SSE41) \
	X(PMOVSXWD, 0x66, 2, 0x23, UN, SSE41) \
	X(PMOVSXDQ, 0x66, 2, 0x25, UN, SSE41) \
	X(PMOVZXBW, 0x66, 2, 0x30, UN, SSE41) \
	X(PMOVZXWD, 0x66, 2, 0x33, UN, SSE41) \
	X(PMOVZXDQ, 0x66, 2, 0x35, UN, SSE41) \
	X(PSLLW, 0x66, 1, 0xf1, SHIFT, SSE2) \
	X(PSRLW, 0x66, 1, 0xd1, SHIFT, SSE2) \
	X(PSRAW, 0x66, 1, 0xe1, SHIFT, SSE2) \
	X(PSLLD, 0x66, 1, 0xf2, SHIFT, SSE2) \
	X(PSRLD, 0x66, 1, 0xd2, SHIFT, SSE2) \
	X(PSRAD, 0x66, 1, 0xe2, SHIFT, SSE2) \
	X(PSLLQ, 0x66, 1, 0xf3, SHIFT, SSE2) \
	X(PSRLQ, 0x66, 1, 0xd3, SHIFT, SSE2) \
	X(MOVD, 0x66, 1, 0x6e, FROM, SSE2) \
	X(PINSRB, 0x66, 3, 0x20, INSERT, SSE41) \
	X(PINSRW, 0x66, 1, 0xc4, INSERT, SSE2) \
	X(PINSRD, 0x66, 3, 0x22, INSERT, SSE41) \
	X(PMOVMSKB, 0x66, 1, 0xd7, TO, SSE2) \
	X(MOVMSKPS, 0, 1, 0x50, TO, SSE2) \
	X(MOVMSKPD, 0x66, 1, 0x50, TO, SSE2) \
	X(PEXTRB, 0x66, 3, 0x14, EXTRACT, SSE41) \
	X(PEXTRW, 0x66, 3, 0x15, EXTRACT, SSE41) \
	X(PEXTRD, 0x66, 3, 0x16, EXTRACT, SSE41) \
	X(LOW, 0, 1, 0x28, LOW, SSE2) \
	X(PTEST, 0x66, 2, 0x17, ANY, SSE2)
/* clang-format on */

enum jit_vec {
#define JIT_VEC_ENUM(name, prefix, map, op, form, level) V_##name,
	JIT_VECS(JIT_VEC_ENUM)
#undef JIT_VEC_ENUM
		V_COUNT
};

struct jit_vec_entry {
	const char *name;
	uint32_t op;
	uint8_t form, level;
};
extern const struct jit_vec_entry jit_vecs[V_COUNT];

struct jit_fn;
struct jit_ins;

/* --- vec.c ------------------------------------------------------------------
 */
uint64_t jit_k128_high(const struct jit_ins *k);
void jit_k128_bytes(const struct jit_ins *k, uint8_t bytes[16]);
bool jit_is_any(const struct jit_ins *i);
/* The largest number that comes out of it into a general register. */
uint64_t jit_vec_most(const struct jit_ins *i);

/* --- x64_vec.c --------------------------------------------------------------
 */
/*
 * Vector instructions in the old encoding, where the first source is also
 * where the result goes, or in the one with three operands (vex).
 * d = s op rm; without vex d may be rm only when it is s, too.
 */
void x64_v3(struct jit_asm *a, bool vex, uint32_t op, uint32_t flags,
	uint32_t d, uint32_t s, uint32_t rm);
uint32_t x64_v3m(struct jit_asm *a, bool vex, uint32_t op, uint32_t flags,
	uint32_t d, uint32_t s, struct x64_mem m);
void x64_v2(struct jit_asm *a, bool vex, uint32_t op, uint32_t flags,
	uint32_t reg, uint32_t rm);
uint32_t x64_v2m(struct jit_asm *a, bool vex, uint32_t op, uint32_t flags,
	uint32_t reg, struct x64_mem m);
/* A shift by a constant; op is that of the shift by a register. */
void x64_vshift(struct jit_asm *a, bool vex, uint32_t op, uint32_t d,
	uint32_t s, uint32_t count);

#endif
