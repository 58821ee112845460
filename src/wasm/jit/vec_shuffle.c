/* SPDX-License-Identifier: Apache-2.0 */
/* The cheapest of the machine's instructions for a choice of bytes. */
#include "wasm/jit/jit_priv.h"
#include "wasm/jit/vec_build_priv.h"

/* Four lanes of `size` bytes each from `at` on, as two bits each. */
static bool four(const uint8_t *lanes, uint32_t size, uint32_t base,
	uint32_t *imm)
{
	*imm = 0;
	for (uint32_t k = 0; k < 4; k++) {
		uint32_t first = lanes[k * size] - base;
		if (lanes[k * size] < base || first % size || first / size > 3)
			return false;
		for (uint32_t j = 1; j < size; j++)
			if (lanes[k * size + j] != lanes[k * size] + j)
				return false;
		*imm |= first / size << 2 * k;
	}
	return true;
}

static bool in_order(const uint8_t *lanes, uint32_t from, uint32_t to)
{
	for (uint32_t k = from; k < to; k++)
		if (lanes[k] != k)
			return false;
	return true;
}

/* lanes[k] = first + k, in numbers up to `mask`. */
static bool turned(const uint8_t lanes[16], uint32_t mask)
{
	for (uint32_t k = 1; k < 16; k++)
		if (lanes[k] != ((lanes[0] + k) & mask))
			return false;
	return true;
}

/* Lanes of one half of a and b in turn; V_COUNT: it is not that. */
static uint32_t unpack(const uint8_t lanes[16], uint32_t a, uint32_t b)
{
	static const uint8_t ops[2][4] = {
		{ V_PUNPCKLBW, V_PUNPCKLWD, V_PUNPCKLDQ, V_PUNPCKLQDQ },
		{ V_PUNPCKHBW, V_PUNPCKHWD, V_PUNPCKHDQ, V_PUNPCKHQDQ },
	};
	for (uint32_t half = 0; half < 2; half++)
		for (uint32_t log = 0; log < 4; log++) {
			uint32_t size = 1u << log, k;
			for (k = 0; k < 16; k++) {
				uint32_t from = (k >> log & 1 ? b : a) +
					half * 8 + (k >> (log + 1) << log) +
					(k & (size - 1));
				if (lanes[k] != from)
					break;
			}
			if (k == 16)
				return ops[half][log];
		}
	return V_COUNT;
}

static uint64_t half_of(const uint8_t lanes[16], uint32_t half)
{
	uint64_t v;
	memcpy(&v, lanes + half * 8, sizeof v);
	return v;
}

static uint32_t by_bytes(struct jit_fn *f, uint32_t a, const uint8_t lanes[16])
{
	return jit_vec(f, V_PSHUFB, a,
		jit_k128(f, half_of(lanes, 0), half_of(lanes, 1)), 0);
}

/* Lanes below 16 only. */
static uint32_t one(struct jit_fn *f, uint32_t a, const uint8_t lanes[16])
{
	uint32_t imm, op = unpack(lanes, 0, 0);
	if (in_order(lanes, 0, 16))
		return a;
	if (four(lanes, 4, 0, &imm))
		return jit_vec(f, V_PSHUFD, a, 0, imm);
	if (in_order(lanes, 8, 16) && four(lanes, 2, 0, &imm))
		return jit_vec(f, V_PSHUFLW, a, 0, imm);
	if (in_order(lanes, 0, 8) && four(lanes + 8, 2, 8, &imm))
		return jit_vec(f, V_PSHUFHW, a, 0, imm);
	if (op != V_COUNT)
		return jit_vec(f, op, a, a, 0);
	if (turned(lanes, 15))
		return jit_vec(f, V_PALIGNR, a, a, lanes[0]);
	return by_bytes(f, a, lanes);
}

/* Each word stays where it is: from one or the other. */
static bool blend(const uint8_t lanes[16], uint32_t *imm)
{
	*imm = 0;
	for (uint32_t k = 0; k < 16; k += 2) {
		if ((lanes[k] & 15) != k || lanes[k + 1] != lanes[k] + 1)
			return false;
		*imm |= (uint32_t)(lanes[k] >> 4) << k / 2;
	}
	return true;
}

/* Two double words of the first, then two of the second. */
static bool two_and_two(const uint8_t lanes[16], uint32_t *imm)
{
	uint8_t low[16];
	if ((lanes[0] ^ lanes[4]) >> 4 || (lanes[8] ^ lanes[12]) >> 4)
		return false;
	for (uint32_t k = 0; k < 16; k++)
		if ((lanes[k] ^ lanes[k & 12u]) >> 4)
			return false;
	for (uint32_t k = 0; k < 16; k++)
		low[k] = lanes[k] & 15;
	return four(low, 4, 0, imm);
}

static bool is_zero(const struct jit_fn *f, uint32_t v)
{
	const struct jit_ins *i = &f->ins[v];
	return i->op == J_K128 && !i->imm && !i->a && !i->b;
}

static uint32_t two(struct jit_fn *f, uint32_t a, uint32_t b,
	const uint8_t lanes[16])
{
	uint32_t imm, op = unpack(lanes, 0, 16);
	uint8_t first[16], second[16];
	if (op != V_COUNT)
		return jit_vec(f, op, a, b, 0);
	op = unpack(lanes, 16, 0);
	if (op != V_COUNT)
		return jit_vec(f, op, b, a, 0);
	if (two_and_two(lanes, &imm))
		return jit_vec(f, V_SHUFPS, lanes[0] < 16 ? a : b,
			lanes[8] < 16 ? a : b, imm);
	if (f->jit->level >= SSE41 && blend(lanes, &imm))
		return jit_vec(f, V_PBLENDW, a, b, imm);
	if (turned(lanes, 31))
		return lanes[0] < 16 ?
			jit_vec(f, V_PALIGNR, b, a, lanes[0]) :
			jit_vec(f, V_PALIGNR, a, b, lanes[0] & 15u);
	for (uint32_t k = 0; k < 16; k++) {
		first[k] = lanes[k] < 16 ? lanes[k] : 0x80;
		second[k] = lanes[k] < 16 ? 0x80 : lanes[k] & 15;
	}
	if (is_zero(f, b))
		return by_bytes(f, a, first);
	if (is_zero(f, a))
		return by_bytes(f, b, second);
	return jit_vec(f, V_POR, by_bytes(f, a, first), by_bytes(f, b, second),
		0);
}

uint32_t jit_shuffle(struct jit_fn *f, uint32_t a, uint32_t b,
	const uint8_t lanes[16])
{
	uint8_t low[16], of_a = 0, of_b = 0;
	for (uint32_t k = 0; k < 16; k++) {
		low[k] = lanes[k] & 15;
		if (lanes[k] < 16)
			of_a = 1;
		else
			of_b = 1;
	}
	if (a == b || !of_b)
		return one(f, a, low);
	if (!of_a)
		return one(f, b, low);
	return two(f, a, b, lanes);
}
