/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vector instructions of compiled code beside the interpreter: all of them,
 * with edges of every kind of lane as operands, for each level of what
 * machines have.
 */
#include "wasm/jit/vec_priv.h"

#include <stdlib.h>

#include "../test.h"
#include "helpers/pair.h"
#include "wasm/interp/ops_priv.h"
#include "wasm/store_priv.h"

#if defined(__x86_64__)
#define GET(i)	  0x20, i
#define SET(i)	  0x21, i
#define VLOAD(at) GET(0), 0xfd, 0, 0, at

enum shape {
	NOTHING,
	UNARY,
	BINARY,
	TERNARY,
	SHIFT,
	TEST,
	SPLAT,
	EXTRACT_I32,
	EXTRACT_I64,
	EXTRACT_F32,
	EXTRACT_F64,
	REPLACE_I32,
	REPLACE_I64,
	REPLACE_F32,
	REPLACE_F64,
	LOAD,
	STORE,
	LOAD_LANE,
	STORE_LANE,
};

/* clang-format off */
static const struct {
	const char *name;
	uint8_t shape, aux;
} ops[0x114] = {
#define ENTRY(code, n, shape, aux) [code] = { #n, shape, aux },
	WASM_SIMD_PLAIN(ENTRY)
	WASM_SIMD_SAME(ENTRY)
	WASM_SIMD_MEMORY(ENTRY)
};
/* clang-format on */

/* Where operands come from. */
enum form {
	REGISTERS,
	FIRST_CONSTANT,
	SECOND_CONSTANT,
	CONSTANTS,
	SAME, /* all the same */
	MEMORY,
	FORMS,
};

/* One operation in one form, a function of its own. */
struct probe {
	uint16_t code;
	uint8_t lane, form;
};

enum { MAX_PROBES = 3000, OPERANDS = 64, RESULTS = 64 };

struct probes {
	struct probe at[MAX_PROBES];
	uint32_t count;
	uint8_t constants[OPERANDS];
};

/* --- operands
 * -----------------------------------------------------------------
 */

static const uint32_t edges32[] = { 0, 1, 0xffffffff, 0x7fffffff, 0x80000000,
	0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001, 0x7f800001, 0xffa00000,
	0x3f800000, 0xbf800000, 0x3f000000, 0xbf000000, 0x3fc00000, 0xc0200000,
	0x4f000000, 0xcf000000, 0x4f800000, 0x4effffff, 0x4b000001, 0x00000001,
	0x00008000, 0x80008000, 0x7fff7fff, 0x7f80ff81, 0x80808080 };
static const uint64_t edges64[] = { 0, 1, UINT64_MAX, INT64_MAX, 1ull << 63,
	0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000,
	0xfff8000000000001, 0x7ff0000000000001, 0x3ff0000000000000,
	0xbfe0000000000000, 0x41dfffffffc00000, 0x41e0000000000000,
	0xc1e0000000000000, 0xc1e0000000200000, 0x41efffffffe00000,
	0x41f0000000000000, 0x4330000000000001, 0x4340000000000000,
	0x3ff8000000000000, 0xc004000000000000, 0x0000000000000001,
	0x36a0000000000000, 0x47efffffe0000000, 0x00000000ffffffff,
	0xffffffff00000000 };

static uint64_t any64(void)
{
	return (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^
		(uint64_t)rand();
}

static void fill(uint8_t *to, size_t n)
{
	for (size_t k = 0; k < n; k += 8) {
		uint64_t v = any64();
		uint32_t half[2];
		switch (rand() % 6) {
		case 0:
		case 1:
			v = edges64[(size_t)rand() % ARRAY_LEN(edges64)];
			break;
		case 2:
		case 3:
			half[0] = edges32[(size_t)rand() % ARRAY_LEN(edges32)];
			half[1] = edges32[(size_t)rand() % ARRAY_LEN(edges32)];
			memcpy(&v, half, 8);
			break;
		case 4:
			v &= 0x1f1f1f1f1f1f1f1f; /* lanes' numbers */
			break;
		default:
			break;
		}
		memcpy(to + k, &v, 8);
	}
}

/* --- functions
 * ----------------------------------------------------------------
 */

static void put_simd(struct buf *b, uint32_t code)
{
	buf_u8(b, 0xfd);
	leb(b, code);
}

static void put_vector(struct buf *b, const struct probes *p, uint32_t form,
	uint8_t n)
{
	bool constant = form == CONSTANTS ||
		(form == FIRST_CONSTANT && n == 0) ||
		(form == SECOND_CONSTANT && n == 1);
	if (constant) {
		put_simd(b, 0x0c);
		buf_put(b, bytes_of(p->constants + n * 16, 16));
	} else if (form == MEMORY) {
		buf_put(b, B(VLOAD((uint8_t)(n * 16))));
	} else {
		buf_put(b, B(GET((uint8_t)(form == SAME ? 1 : 1 + n))));
	}
}

/* type: 0 i32, 1 i64, 2 f32, 3 f64 */
static void put_scalar(struct buf *b, const struct probes *p, uint32_t form,
	uint8_t type)
{
	uint64_t v;
	memcpy(&v, p->constants + 48, 8);
	if (form != CONSTANTS && form != SECOND_CONSTANT) {
		buf_put(b, B(GET(0), (uint8_t)(0x28 + type), 0, 48));
		return;
	}
	buf_u8(b, (uint8_t)(0x41 + type));
	if (type == 0)
		sleb(b, (int32_t)(uint32_t)v);
	else if (type == 1)
		sleb(b, (int64_t)v);
	else
		buf_put(b, bytes_of((const uint8_t *)&v, type == 2 ? 4 : 8));
}

static uint8_t scalar_of(uint32_t wasm_type)
{
	return (uint8_t)(0x7f - wasm_type);
}

static void put_operands(struct buf *b, const struct probes *p,
	const struct probe *x)
{
	uint32_t shape = ops[x->code].shape;
	if (shape == SPLAT) {
		put_scalar(b, p,
			x->form == FIRST_CONSTANT ? CONSTANTS : x->form,
			scalar_of(ops[x->code].aux));
		return;
	}
	put_vector(b, p, x->form, 0);
	if (shape == BINARY || shape == TERNARY)
		put_vector(b, p, x->form, 1);
	if (shape == TERNARY)
		put_vector(b, p, x->form, 2);
	if (shape == SHIFT)
		put_scalar(b, p, x->form, 0);
	if (shape >= REPLACE_I32 && shape <= REPLACE_F64)
		put_scalar(b, p, x->form, (uint8_t)(shape - REPLACE_I32));
}

static void put_probe(struct build *b, const struct probes *p, uint32_t n)
{
	const struct probe *x = &p->at[n];
	uint32_t shape = ops[x->code].shape;
	auto_buf code = { 0 };
	if (x->form != MEMORY)
		buf_put(&code,
			B(VLOAD(0), SET(1), VLOAD(16), SET(2), VLOAD(32),
				SET(3)));
	buf_put(&code, B(GET(0)));
	put_operands(&code, p, x);
	put_simd(&code, x->code);
	if (shape >= EXTRACT_I32 && shape <= REPLACE_F64)
		buf_u8(&code, x->lane);
	if (shape == TEST)
		buf_put(&code, B(0x36, 0));
	else if (shape >= EXTRACT_I32 && shape <= EXTRACT_F64)
		buf_put(&code, B((uint8_t)(0x36 + shape - EXTRACT_I32), 0));
	else
		buf_put(&code, B(0xfd, 11, 0));
	leb(&code, OPERANDS + n * 16);
	buf_put(&code, B(0x41, 0));
	build_func(b, NULL, "i:i", "VVV", buf_bytes(&code));
}

static void add_probes(struct probes *p, uint16_t code)
{
	uint32_t shape = ops[code].shape, lanes = 1;
	if (shape == NOTHING || shape >= LOAD)
		return;
	if (shape >= EXTRACT_I32)
		lanes = ops[code].aux;
	for (uint8_t lane = 0; lane < lanes; lane++)
		for (uint8_t form = 0; form < FORMS; form++) {
			assert_true(p->count < MAX_PROBES);
			p->at[p->count++] = (struct probe){ code, lane, form };
		}
}

/* All of them, and `run`, which calls one after another. */
static void put_all(struct build *b, struct probes *p)
{
	auto_buf code = { 0 };
	fill(p->constants, sizeof p->constants);
	build_memory(b, 2, 2);
	for (uint32_t n = 0; n < p->count; n++) {
		put_probe(b, p, n);
		buf_put(&code, B(GET(0), 0x10));
		leb(&code, n);
		buf_put(&code, B(0x1a));
	}
	buf_put(&code, B(0x41, 0));
	build_func(b, "run", "i:i", "", buf_bytes(&code));
}

/* --- results
 * ------------------------------------------------------------------
 */

/* Bits of the lanes of what does arithmetic on floats, whose NaNs may have
 * any; 0: everything counts. */
static uint32_t float_lanes(uint32_t code)
{
	const char *name = ops[code].name;
	bool whole = strstr(name, "_abs") || strstr(name, "_neg") ||
		strstr(name, "splat") || strstr(name, "lane");
	if (whole || ops[code].shape < UNARY || ops[code].shape > TERNARY)
		return 0;
	return !strncmp(name, "f32x4", 5)  ? 32 :
		!strncmp(name, "f64x2", 5) ? 64 :
					     0;
}

static bool both_nan(const uint8_t *a, const uint8_t *b, uint32_t bits)
{
	float f[2];
	double d[2];
	if (bits == 32) {
		memcpy(&f[0], a, 4);
		memcpy(&f[1], b, 4);
		return f[0] != f[0] && f[1] != f[1];
	}
	memcpy(&d[0], a, 8);
	memcpy(&d[1], b, 8);
	return d[0] != d[0] && d[1] != d[1];
}

static bool agree(const uint8_t *a, const uint8_t *b, uint32_t bits, bool exact)
{
	if (!memcmp(a, b, 16))
		return true;
	if (exact || !bits)
		return false;
	for (uint32_t k = 0; k < 16; k += bits / 8)
		if (memcmp(a + k, b + k, bits / 8) &&
			!both_nan(a + k, b + k, bits))
			return false;
	return true;
}

static void check_results(const struct pair *p, const struct probes *ps,
	bool exact, uint32_t level)
{
	const uint8_t *want = p->interp->memories[0]->data + OPERANDS;
	const uint8_t *got = p->jit->memories[0]->data + OPERANDS;
	for (uint32_t n = 0; n < ps->count; n++) {
		const struct probe *x = &ps->at[n];
		if (agree(want + n * 16, got + n * 16, float_lanes(x->code),
			    exact))
			continue;
		uint64_t w[2], g[2];
		memcpy(w, want + n * 16, 16);
		memcpy(g, got + n * 16, 16);
		fail_msg("%s, lane %u, form %u, level %u: %016llx_%016llx "
			 "instead of %016llx_%016llx",
			ops[x->code].name, x->lane, x->form, level,
			(unsigned long long)g[1], (unsigned long long)g[0],
			(unsigned long long)w[1], (unsigned long long)w[0]);
	}
}

static void check_all(struct probes *ps, struct wasm_limits l, int rounds)
{
	struct build b = { 0 };
	struct pair p;
	put_all(&b, ps);
	pair_limited(&p, &b, l);
	for (int k = 0; k < rounds; k++) {
		uint8_t operands[OPERANDS];
		fill(operands, sizeof operands);
		memcpy(p.interp->memories[0]->data, operands, sizeof operands);
		memcpy(p.jit->memories[0]->data, operands, sizeof operands);
		both(&p, "run", 0);
		check_results(&p, ps, l.canonical_nans, l.jit_vectors);
	}
	CHECK_INT(compiled(&p), ps->count + 1);
	CHECK_INT(wasm_instance_jit_stats(p.jit).refused, 0);
	uint32_t steps = wasm_instance_jit_stats(p.jit).vector_steps;
	if (l.jit_vectors > SSE42 && __builtin_cpu_supports("sse4.2"))
		CHECK_INT(steps, 0);
	if (l.jit_vectors == SSE2 + 1)
		CHECK(steps > 0);
	pair_fini(&p);
}

TEST(every_vector_instruction_does_what_the_interpreter_does)
{
	static struct probes ps;
	srand(12);
	for (uint16_t code = 0; code < ARRAY_LEN(ops); code++)
		add_probes(&ps, code);
	CHECK(ps.count > 1500);
	for (uint32_t level = SSE2; level <= AVX; level++)
		for (uint32_t registers = 0; registers <= 4; registers += 4)
			check_all(&ps,
				(struct wasm_limits){ .jit_vectors = level + 1,
					.jit_registers = registers,
					.canonical_nans = registers != 0 },
				12);
}

/* --- shuffles
 * -----------------------------------------------------------------
 */

enum { SHUFFLES = 1200 };

/* Lanes that one of the machine's instructions may do, or two. */
static void choose_lanes(uint8_t lanes[16])
{
	uint8_t from = (uint8_t)(rand() % 32), pick[16];
	uint32_t size = 1u << rand() % 4, kind = (uint32_t)rand() % 7;
	uint32_t half = (uint32_t)rand() % 2 * 8, ab = (uint32_t)rand() & 1;
	for (uint8_t k = 0; k < 16; k++)
		pick[k] = (uint8_t)(rand() % 32);
	for (uint8_t k = 0; k < 16; k++) {
		uint32_t part = k / size, within = k % size;
		uint32_t lane = pick[k];
		if (kind == 1) /* halves in turn */
			lane = half + part / 2 * size + within +
				((part & 1) ^ ab) * 16;
		else if (kind == 2) /* a window */
			lane = from + k;
		else if (kind == 3) /* whole parts, from anywhere */
			lane = pick[part] / size * size + within;
		else if (kind == 4) /* parts that stay in their place */
			lane = k + (pick[part] & 16u);
		else if (kind == 5) /* one half stays */
			lane = (k & 8) == half ?
				k :
				(k & 8) + pick[part] % 8 / size * size + within;
		else if (kind == 6) /* two of one, two of the other */
			lane = ((k & 8) == half ? 0u : 16u) +
				pick[part] % 16 / size * size + within;
		lanes[k] = lane & 31;
	}
}

/* form: 0 two registers, 1 one of them twice, 2 and 3 one is zero, 4 other
 * constant */
static void put_shuffle(struct build *b, uint32_t n, const uint8_t lanes[16])
{
	auto_buf code = { 0 };
	uint8_t zero[16] = { 0 };
	buf_put(&code, B(GET(0)));
	for (uint32_t k = 0; k < 2; k++) {
		if (n % 5 == 2 + k || (n % 5 == 4 && k)) {
			put_simd(&code, 0x0c);
			buf_put(&code, bytes_of(n % 5 == 4 ? lanes : zero, 16));
		} else {
			buf_put(&code,
				B(VLOAD((uint8_t)(n % 5 == 1 ? 0 : k * 16))));
		}
	}
	put_simd(&code, 0x0d);
	buf_put(&code, bytes_of(lanes, 16));
	buf_put(&code, B(0xfd, 11, 0));
	leb(&code, OPERANDS + n * 16);
	buf_put(&code, B(0x41, 0));
	build_func(b, NULL, "i:i", "", buf_bytes(&code));
}

static void check_shuffles(uint32_t level)
{
	static uint8_t lanes[SHUFFLES][16];
	struct build b = { 0 };
	struct pair p;
	auto_buf code = { 0 };
	build_memory(&b, 1, 1);
	for (uint32_t n = 0; n < SHUFFLES; n++) {
		choose_lanes(lanes[n]);
		put_shuffle(&b, n, lanes[n]);
		buf_put(&code, B(GET(0), 0x10));
		leb(&code, n);
		buf_put(&code, B(0x1a));
	}
	buf_put(&code, B(0x41, 0));
	build_func(&b, "run", "i:i", "", buf_bytes(&code));
	pair_limited(&p, &b, (struct wasm_limits){ .jit_vectors = level + 1 });
	for (uint8_t k = 0; k < 32; k++)
		p.interp->memories[0]->data[k] = p.jit->memories[0]->data[k] =
			(uint8_t)(k + 0x80);
	both(&p, "run", 0);
	for (uint32_t n = 0; n < SHUFFLES; n++)
		CHECK_MEM(p.jit->memories[0]->data + OPERANDS + n * 16,
			p.interp->memories[0]->data + OPERANDS + n * 16, 16);
	uint32_t steps = wasm_instance_jit_stats(p.jit).vector_steps;
	if (level >= SSSE3 && __builtin_cpu_supports("ssse3"))
		CHECK_INT(steps, 0);
	pair_fini(&p);
}

TEST(a_shuffle_finds_its_bytes_whatever_instruction_does_it)
{
	srand(7);
	for (uint32_t level = SSE2; level <= AVX; level++)
		check_shuffles(level);
}

/* --- memory
 * ------------------------------------------------------------------
 */

/* x -> 0, with what was loaded stored at 0. */
static void put_access(struct build *b, uint16_t op, uint8_t lane,
	uint64_t offset)
{
	auto_buf code = { 0 };
	uint32_t shape = ops[op].shape;
	bool lanes = shape == LOAD_LANE || shape == STORE_LANE;
	if (shape == LOAD || shape == LOAD_LANE)
		buf_put(&code, B(0x41, 0));
	buf_put(&code, B(GET(0)));
	if (shape != LOAD)
		buf_put(&code, B(0x41, 0, 0xfd, 0, 0, 32));
	put_simd(&code, op);
	buf_u8(&code, 0);
	leb(&code, offset);
	if (lanes)
		buf_u8(&code, lane);
	if (shape == LOAD || shape == LOAD_LANE)
		buf_put(&code, B(0xfd, 11, 0, 0));
	buf_put(&code, B(0x41, 0));
	build_func(b, "access", "i:i", "", buf_bytes(&code));
}

static void check_access(uint16_t op, uint8_t lane, uint64_t offset,
	struct wasm_limits l)
{
	struct build b = { 0 };
	struct fenced fi, fj;
	struct pair p;
	uint64_t size = 1ull << ops[op].aux;
	build_memory(&b, 1, 1);
	put_access(&b, op, lane, offset);
	pair_limited(&p, &b, l);
	fence(p.interp, &fi);
	fence(p.jit, &fj);
	uint64_t last = 0x10000 - size - offset;
	for (uint64_t x = last - 2; x != last + 3; x++) {
		both(&p, "access", (uint32_t)x);
		CHECK_MEM(fi.map, fj.map, fi.len);
	}
	both(&p, "access", 0x80000000u);
	both(&p, "access", 0xffffffffu);
	CHECK_INT(compiled(&p), 1);
	unfence(p.interp, &fi);
	unfence(p.jit, &fj);
	pair_fini(&p);
}

TEST(every_vector_access_ends_at_the_last_byte_of_memory)
{
	static const uint64_t offsets[] = { 0, 1, 48, 49, 56, 57, 63, 64,
		0xfff0, 0xffff, 0x10000, 0x7ffffff0, 0xfffffff0, 0xffffffff };
	for (uint16_t op = 0; op < ARRAY_LEN(ops); op++) {
		uint32_t shape = ops[op].shape, lanes = 1;
		if (shape < LOAD)
			continue;
		if (shape >= LOAD_LANE)
			lanes = 16u >> ops[op].aux;
		for (size_t k = 0; k < ARRAY_LEN(offsets); k++)
			check_access(op, (uint8_t)(k % lanes), offsets[k],
				(struct wasm_limits){ .jit_mask = k & 1,
					.jit_vectors = k % 4 + 2 });
	}
}

/* --- around them
 * -------------------------------------------------------------
 */

/* Whether any lane is set, or all are, as a value, in a branch, the other way
 * round and where something is chosen. */
TEST(tests_of_lanes_decide_branches)
{
	static const uint16_t tests[] = { 0x53, 0x63, 0x83, 0xa3, 0xc3 };
	for (size_t k = 0; k < ARRAY_LEN(tests) * 2; k++) {
		struct build b = { 0 };
		struct pair p;
		auto_buf test = { 0 }, code = { 0 };
		buf_put(&test, B(VLOAD(0)));
		put_simd(&test, tests[k / 2]);
		build_memory(&b, 1, 1);
		/* (test << 3) | (eqz << 2) | (if << 1) | select */
		buf_put(&code, buf_bytes(&test));
		buf_put(&code, B(0x41, 3, 0x74));
		buf_put(&code, buf_bytes(&test));
		buf_put(&code, B(0x45, 0x41, 2, 0x74, 0x72));
		buf_put(&code, buf_bytes(&test));
		buf_put(&code,
			B(0x04, 0x7f, 0x41, 2, 0x05, 0x41, 0, 0x0b, 0x72));
		buf_put(&code, B(0x41, 1, 0x41, 0));
		buf_put(&code, buf_bytes(&test));
		buf_put(&code, B(0x45, 0x1b, 0x72));
		build_func(&b, "run", "i:i", "", buf_bytes(&code));
		pair_limited(&p, &b,
			(struct wasm_limits){ .jit_vectors = k & 1 ? 1 : 5 });
		for (uint32_t n = 0; n < 48; n++) {
			uint8_t v[16];
			memset(v, n < 16 ? 0 : n < 32 ? 0xff : 1, sizeof v);
			v[n % 16] ^= n & 1 ? 1 : 0xff;
			memcpy(p.interp->memories[0]->data, v, sizeof v);
			memcpy(p.jit->memories[0]->data, v, sizeof v);
			both(&p, "run", 0);
		}
		CHECK_INT(compiled(&p), 1);
		pair_fini(&p);
	}
}

/* Ten vectors and ten numbers in turn, and all come back: through registers,
 * on the stack, and in the results. */
TEST(vectors_are_passed_to_and_fro)
{
	for (uint32_t registers = 0; registers <= 4; registers += 4) {
		struct build b = { 0 };
		struct pair p;
		auto_buf sum = { 0 }, code = { 0 };
		build_memory(&b, 1, 1);
		build_global(&b, 'i', true, 0);
		for (uint8_t k = 0; k < 10; k++)
			buf_put(&sum,
				B(GET((uint8_t)(k * 2 + 1)),
					GET((uint8_t)(k * 2)), 0xfd, 0x11, 0xfd,
					0xae, 1));
		build_func(&b, NULL, "iViViViViViViViViViV:VVVVVVVVVV", "",
			buf_bytes(&sum));
		for (uint8_t k = 0; k < 10; k++)
			buf_put(&code, B(0x41, k, VLOAD((uint8_t)(k * 4))));
		buf_put(&code, B(0x10, 0));
		for (uint8_t k = 0; k < 9; k++)
			buf_put(&code,
				B(0x41, k, 0xfd, 0x11, 0xfd, 0xb5, 1, 0xfd,
					0xae, 1));
		buf_put(&code, B(SET(1), VLOAD(0), SET(2)));
		/* Two that change places, as often as x says, with a call. */
		buf_put(&code,
			B(0x03, 0x40, GET(1), GET(2), SET(1), SET(2), GET(0),
				0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b));
		buf_put(&code,
			B(GET(1), 0xfd, 0x1b, 0, GET(2), 0xfd, 0x1b, 3, 0x73));
		build_func(&b, "run", "i:i", "VV", buf_bytes(&code));
		pair_limited(&p, &b,
			(struct wasm_limits){ .jit_registers = registers });
		for (uint8_t k = 0; k < 64; k++)
			p.interp->memories[0]->data[k] =
				p.jit->memories[0]->data[k] =
					(uint8_t)(k * 37 + 11);
		for (uint64_t x = 1; x < 4; x++)
			both(&p, "run", x);
		CHECK_INT(p.rj.end, WASM_RETURNED);
		CHECK_INT(compiled(&p), 2);
		CHECK_INT(wasm_instance_jit_stats(p.jit).vector_steps, 0);
		pair_fini(&p);
	}
}
#endif
