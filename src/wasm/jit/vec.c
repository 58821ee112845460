/* SPDX-License-Identifier: Apache-2.0 */
/* Making the machine's vector instructions, and what many of them begin with.
 */
#include "wasm/jit/build_priv.h"
#include "wasm/jit/jit_priv.h"
#include "wasm/jit/vec_build_priv.h"

/* clang-format off */
const struct jit_vec_entry jit_vecs[V_COUNT] = {
#define ENTRY(name, prefix, map, op, form, level) \
	[V_##name] = { #name, X64(prefix, map, op), VF_##form, level },
	JIT_VECS(ENTRY)
#undef ENTRY
};
/* clang-format on */

uint32_t jit_k128(struct jit_fn *f, uint64_t low, uint64_t high)
{
	return jit_pure(f,
		&(struct jit_ins){ .op = J_K128,
			.type = JT_V128,
			.imm = low,
			.a = (uint32_t)high,
			.b = (uint32_t)(high >> 32) });
}

uint64_t jit_k128_high(const struct jit_ins *k)
{
	return (uint64_t)k->b << 32 | k->a;
}

void jit_k128_bytes(const struct jit_ins *k, uint8_t bytes[16])
{
	uint64_t v[2] = { k->imm, jit_k128_high(k) };
	memcpy(bytes, v, sizeof v);
}

bool jit_is_any(const struct jit_ins *i)
{
	return i->op == J_VEC && i->cc == V_PTEST;
}

uint64_t jit_vec_most(const struct jit_ins *i)
{
	switch (i->cc) {
	case V_PTEST:
		return 1;
	case V_MOVMSKPD:
		return 3;
	case V_MOVMSKPS:
		return 15;
	case V_PEXTRB:
		return UINT8_MAX;
	case V_PEXTRW:
	case V_PMOVMSKB:
		return UINT16_MAX;
	default:
		return UINT64_MAX;
	}
}

uint32_t jit_vec_typed(struct jit_fn *f, struct jit_ins i)
{
	if (f->jit->level < jit_vecs[i.cc].level)
		f->lacking = true;
	i.op = J_VEC;
	return jit_pure(f, &i);
}

uint32_t jit_vec(struct jit_fn *f, uint32_t vec, uint32_t a, uint32_t b,
	uint64_t imm)
{
	/* Constants come second, where they may lie in memory. */
	bool turn = jit_vecs[vec].form == VF_SAME && f->ins[a].op == J_K128;
	return jit_vec_typed(f,
		(struct jit_ins){ .cc = (uint8_t)vec,
			.type = JT_V128,
			.in = JT_V128,
			.spare = b ? JT_V128 : JT_NONE,
			.a = turn ? b : a,
			.b = turn ? a : b,
			.imm = imm });
}

uint32_t jit_vec_all(struct jit_fn *f, uint64_t v)
{
	return jit_k128(f, v, v);
}

uint64_t jit_vec_times(uint64_t v, uint32_t bits)
{
	for (; bits < 64; bits *= 2)
		v |= v << bits;
	return v;
}

uint32_t jit_vec_zero(struct jit_fn *f)
{
	return jit_vec_all(f, 0);
}

uint32_t jit_vec_not(struct jit_fn *f, uint32_t v)
{
	return jit_vec(f, V_PXOR, v, jit_vec_all(f, UINT64_MAX), 0);
}

uint32_t jit_vec_pick(struct jit_fn *f, uint32_t mask, uint32_t a, uint32_t b)
{
	return jit_vec(f, V_POR, jit_vec(f, V_PAND, a, mask, 0),
		jit_vec(f, V_PANDN, mask, b, 0), 0);
}

uint32_t jit_vec_count(struct jit_fn *f, uint32_t n, uint32_t bits)
{
	return jit_pure2(f, J_AND, JT_I32, n, jit_const(f, bits - 1));
}

uint32_t jit_vec_shift(struct jit_fn *f, uint32_t vec, uint32_t a, uint32_t n)
{
	uint64_t k;
	if (jit_is_const(f, n, &k) && !k)
		return a;
	return jit_vec_typed(f,
		(struct jit_ins){ .cc = (uint8_t)vec,
			.type = JT_V128,
			.in = JT_V128,
			.spare = JT_I32,
			.a = a,
			.b = n });
}

uint32_t jit_vec_shift_by(struct jit_fn *f, uint32_t vec, uint32_t a,
	uint32_t n)
{
	return jit_vec_shift(f, vec, a, jit_const(f, n));
}
