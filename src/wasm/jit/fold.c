/* SPDX-License-Identifier: Apache-2.0 */
/* Constants and identities. */
#include "wasm/jit/ir_priv.h"
#include "wasm/jit/x64_priv.h"

static uint64_t narrow(uint32_t type, uint64_t v)
{
	return type == JT_I32 ? (uint32_t)v : v;
}

static int64_t widen(uint32_t type, uint64_t v)
{
	return type == JT_I32 ? (int32_t)(uint32_t)v : (int64_t)v;
}

static bool compare(uint32_t cc, uint32_t type, uint64_t a, uint64_t b)
{
	int64_t sa = widen(type, a), sb = widen(type, b);
	a = narrow(type, a);
	b = narrow(type, b);
	switch (cc) {
	case CC_E:
		return a == b;
	case CC_NE:
		return a != b;
	case CC_L:
		return sa < sb;
	case CC_GE:
		return sa >= sb;
	case CC_LE:
		return sa <= sb;
	case CC_G:
		return sa > sb;
	case CC_B:
		return a < b;
	case CC_AE:
		return a >= b;
	case CC_BE:
		return a <= b;
	default:
		return a > b;
	}
}

static uint64_t shift(uint32_t op, uint32_t type, uint64_t a, uint64_t b)
{
	uint32_t bits = type == JT_I32 ? 32 : 64, k = (uint32_t)b & (bits - 1);
	switch (op) {
	case J_SHL:
		return a << k;
	case J_SAR:
		return (uint64_t)(widen(type, a) >> k);
	case J_SHR:
		return narrow(type, a) >> k;
	case J_ROR:
		k = (bits - k) & (bits - 1);
		break;
	default:
		break;
	}
	a = narrow(type, a);
	return k ? a << k | a >> (bits - k) : a;
}

/* False: not known, or it traps. */
static bool evaluate(const struct jit_ins *i, uint64_t a, uint64_t b,
	uint64_t *out)
{
	int64_t sa = widen(i->type, a), sb = widen(i->type, b);
	uint64_t ua = narrow(i->type, a), ub = narrow(i->type, b);
	bool bad = !ub || (sb == -1 && (i->op == J_DIVS || i->op == J_REMS));
	switch (i->op) {
	case J_ADD:
		*out = a + b;
		return true;
	case J_SUB:
		*out = a - b;
		return true;
	case J_MUL:
		*out = a * b;
		return true;
	case J_AND:
		*out = a & b;
		return true;
	case J_OR:
		*out = a | b;
		return true;
	case J_XOR:
		*out = a ^ b;
		return true;
	case J_DIVS:
		*out = bad ? 0 : (uint64_t)(sa / sb);
		return !bad;
	case J_DIVU:
		*out = bad ? 0 : ua / ub;
		return !bad;
	case J_REMS:
		*out = bad ? 0 : (uint64_t)(sa % sb);
		return !bad;
	case J_REMU:
		*out = bad ? 0 : ua % ub;
		return !bad;
	case J_SHL:
	case J_SAR:
	case J_SHR:
	case J_ROL:
	case J_ROR:
		*out = shift(i->op, i->type, a, b);
		return true;
	case J_ICMP:
		*out = compare(i->cc, i->in, a, b);
		return true;
	default:
		return false;
	}
}

static bool evaluate_unary(const struct jit_ins *i, uint64_t a, uint64_t *out)
{
	switch (i->op) {
	case J_WRAP:
		*out = (uint32_t)a;
		return true;
	case J_EXT8S:
		*out = narrow(i->type, (uint64_t)(int64_t)(int8_t)a);
		return true;
	case J_EXT16S:
		*out = narrow(i->type, (uint64_t)(int64_t)(int16_t)a);
		return true;
	case J_EXT32S:
		*out = (uint64_t)(int64_t)(int32_t)a;
		return true;
	default:
		return false;
	}
}

static bool commutes(uint32_t op)
{
	return op == J_ADD || op == J_MUL || op == J_AND || op == J_OR ||
		op == J_XOR;
}

/* A comparison with its operands exchanged. */
uint8_t jit_mirrored(uint8_t cc)
{
	static const uint8_t to[16] = { [CC_E] = CC_E,
		[CC_NE] = CC_NE,
		[CC_L] = CC_G,
		[CC_G] = CC_L,
		[CC_LE] = CC_GE,
		[CC_GE] = CC_LE,
		[CC_B] = CC_A,
		[CC_A] = CC_B,
		[CC_BE] = CC_AE,
		[CC_AE] = CC_BE };
	return to[cc];
}

/* Is the value one whose register has nothing above 32 bits?  (Any value of
 * 32-bit type has.) */
static bool is_narrow(const struct jit_fn *f, uint32_t v)
{
	return f->ins[v].type == JT_I32 || jit_most(f, v, 4) <= UINT32_MAX;
}

/* x op k where that is x or a constant: 0 when it is not. */
static uint32_t identity(struct jit_fn *f, const struct jit_ins *i, uint64_t k)
{
	uint64_t ones = i->type == JT_I32 ? UINT32_MAX : UINT64_MAX;
	k = narrow(i->type, k);
	switch (i->op) {
	case J_ADD:
	case J_SUB:
	case J_OR:
	case J_XOR:
		if (i->op == J_OR && k == ones)
			return jit_const(f, ones);
		return k ? 0 : i->a;
	case J_SHL:
	case J_SAR:
	case J_SHR:
	case J_ROL:
	case J_ROR:
		return k & (i->type == JT_I32 ? 31 : 63) ? 0 : i->a;
	case J_MUL:
		return k == 0 ? jit_const(f, 0) : k == 1 ? i->a : 0;
	case J_DIVU:
	case J_DIVS:
		return k == 1 ? i->a : 0;
	case J_AND:
		if (!k)
			return jit_const(f, 0);
		return k == ones || (~k & jit_most(f, i->a, 4)) == 0 ? i->a : 0;
	default:
		return 0;
	}
}

static bool power_of_2(uint64_t k, uint64_t *log)
{
	*log = k ? (uint64_t)__builtin_ctzll(k) : 0;
	return k && !(k & (k - 1));
}

/* Cheaper operations for a constant on the right. */
static void reduce(struct jit_fn *f, struct jit_ins *i, uint64_t k)
{
	uint64_t log;
	k = narrow(i->type, k);
	if (!power_of_2(k, &log))
		return;
	if (i->op == J_MUL) {
		i->op = J_SHL;
		i->b = jit_const(f, log);
	} else if (i->op == J_DIVU) {
		i->op = J_SHR;
		i->b = jit_const(f, log);
	} else if (i->op == J_REMU) {
		i->op = J_AND;
		i->b = jit_const(f, k - 1);
	}
}

static uint32_t pure2(struct jit_fn *f, uint32_t op, uint32_t type, uint32_t a,
	uint32_t b)
{
	return jit_pure(f,
		&(struct jit_ins){ .op = (uint8_t)op,
			.type = (uint8_t)type,
			.a = a,
			.b = b });
}

/*
 * x / d for 32-bit x as a product: unsigned by the upper half of
 * x * ceil(2^64 / d) (Lemire, Kaser, Kurz 2019), signed by a multiplier below
 * 2^32 (Granlund, Montgomery 1994, §5).
 */
static uint32_t quotient_unsigned(struct jit_fn *f, uint32_t x, uint64_t d)
{
	uint64_t c = UINT64_MAX / d + 1;
	return jit_pure(f,
		&(struct jit_ins){ .op = J_MULHU,
			.type = JT_I32,
			.a = x,
			.imm = c });
}

/* The shift has to round towards zero: add 2^log - 1 to what is negative. */
static uint32_t quotient_shift(struct jit_fn *f, uint32_t x, uint64_t log)
{
	uint32_t t = x;
	if (log > 1)
		t = pure2(f, J_SAR, JT_I32, x, jit_const(f, 31));
	t = pure2(f, J_SHR, JT_I32, t, jit_const(f, 32 - log));
	t = pure2(f, J_ADD, JT_I32, x, t);
	return pure2(f, J_SAR, JT_I32, t, jit_const(f, log));
}

static uint32_t quotient_signed(struct jit_fn *f, uint32_t x, int64_t d)
{
	uint64_t k;
	if (power_of_2((uint64_t)(d < 0 ? -d : d), &k)) {
		uint32_t q = quotient_shift(f, x, k);
		return d < 0 ? pure2(f, J_SUB, JT_I32, jit_const(f, 0), q) : q;
	}
	uint64_t ad = (uint64_t)(d < 0 ? -d : d), log = 1;
	while (1ull << log < ad)
		log++;
	uint64_t m = (1ull << (31 + log)) / ad + 1;
	uint32_t t = pure2(f, J_EXT32S, JT_I64, x, 0);
	t = pure2(f, J_MUL, JT_I64, t, jit_const(f, m));
	t = pure2(f, J_SAR, JT_I64, t, jit_const(f, 31 + log));
	t = pure2(f, J_SUB, JT_I32, t,
		pure2(f, J_SAR, JT_I32, x, jit_const(f, 31)));
	return d < 0 ? pure2(f, J_SUB, JT_I32, jit_const(f, 0), t) : t;
}

static uint32_t divide(struct jit_fn *f, const struct jit_ins *i, uint64_t k)
{
	int64_t d = widen(i->type, k);
	uint64_t log;
	uint32_t q = 0;
	if (i->type != JT_I32 || f->ins[i->a].type != JT_I32)
		return 0;
	if (i->op == J_DIVU || i->op == J_REMU)
		q = (uint32_t)k > 1 && !power_of_2((uint32_t)k, &log) ?
			quotient_unsigned(f, i->a, (uint32_t)k) :
			0;
	else if ((d > 1 || d < -1) && d != INT32_MIN)
		q = quotient_signed(f, i->a, d);
	if (!q || i->op == J_DIVU || i->op == J_DIVS)
		return q;
	uint32_t back = pure2(f, J_MUL, JT_I32, q, jit_const(f, (uint32_t)d));
	return pure2(f, J_SUB, JT_I32, i->a, back);
}

/* (x + k1) + k2; x itself when they cancel out, else 0. */
static uint32_t reassociate(struct jit_fn *f, struct jit_ins *i, uint64_t k)
{
	const struct jit_ins *x = &f->ins[i->a];
	uint64_t k1;
	if (i->op != J_ADD || x->op != J_ADD || x->type != i->type ||
		!jit_is_const(f, x->b, &k1))
		return 0;
	k = narrow(i->type, k + k1);
	i->a = x->a;
	if (!k)
		return i->type == JT_I32 ? pure2(f, J_WRAP, JT_I32, x->a, 0) :
					   x->a;
	i->b = jit_const(f, k);
	return 0;
}

/* A comparison with zero of a comparison is that one or its opposite. */
static uint32_t compare_zero(struct jit_fn *f, const struct jit_ins *i)
{
	const struct jit_ins *x = &f->ins[i->a];
	if (i->cc != CC_E && i->cc != CC_NE)
		return 0;
	if (x->op != J_ICMP && x->op != J_FCMP)
		return 0;
	if (i->cc == CC_NE)
		return i->a;
	struct jit_ins n = *x;
	n.cc ^= x->op == J_ICMP ? 1 : FC_NOT;
	n.uses = 0;
	return jit_pure(f, &n);
}

static uint32_t fold_binary(struct jit_fn *f, struct jit_ins *i)
{
	uint64_t a, b, k;
	bool ka = jit_is_const(f, i->a, &a), kb = jit_is_const(f, i->b, &b);
	if (ka && kb)
		return evaluate(i, a, b, &k) ?
			jit_const(f, i->op == J_ICMP ? k : narrow(i->type, k)) :
			0;
	if (ka && (commutes(i->op) || i->op == J_ICMP)) {
		uint32_t t = i->a;
		i->a = i->b;
		i->b = t;
		b = a;
		kb = true;
		if (i->op == J_ICMP)
			i->cc = jit_mirrored(i->cc);
	}
	if (!kb)
		return 0;
	if (i->op == J_ICMP)
		return b ? 0 : compare_zero(f, i);
	if (i->op == J_SUB) {
		i->op = J_ADD;
		b = narrow(i->type, -b);
		i->b = jit_const(f, b);
	}
	uint32_t v = identity(f, i, b);
	if (v)
		return v;
	if (i->op >= J_DIVS && i->op <= J_REMU) {
		v = divide(f, i, b);
		if (v)
			return v;
	}
	reduce(f, i, b);
	return reassociate(f, i, b);
}

static uint32_t fold_select(struct jit_fn *f, const struct jit_ins *i)
{
	uint64_t k;
	if (jit_is_const(f, i->a, &k))
		return (uint32_t)k ? i->b : i->c;
	return i->b == i->c ? i->b : 0;
}

uint32_t jit_fold(struct jit_fn *f, struct jit_ins *i)
{
	uint64_t a, k;
	if ((i->op >= J_ADD && i->op <= J_ROR) || i->op == J_ICMP)
		return fold_binary(f, i);
	if (i->op == J_SELECT)
		return fold_select(f, i);
	if (i->op < J_CLZ || i->op > J_WRAP)
		return 0;

	if (jit_is_const(f, i->a, &a) && evaluate_unary(i, a, &k))
		return jit_const(f, k);
	if (i->op == J_WRAP && is_narrow(f, i->a))
		return i->a;
	return 0;
}
