/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled code against the interpreter, which is right: the same module in
 * two instances, the same calls, the same ends.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "../test.h"
#include "helpers/pair.h"
#include "wasm/store_priv.h"

#if defined(__x86_64__)
#define GET(i)	 0x20, i
#define SET(i)	 0x21, i
#define I32(i)	 0x41, i /* -64 to 63 */
#define CALL(i)	 0x10, i
#define LOOP	 0x03, 0x40
#define BR_IF(i) 0x0d, i
#define ADD	 0x6a
#define SUB	 0x6b
#define END	 0x0b

/* --- addresses --------------------------------------------------------------
 */

/* Bytes and value type of the loads and stores 0x28 to 0x3e. */
static const struct {
	uint8_t size, type;
} accesses[] = { { 4, 'i' }, { 8, 'I' }, { 4, 'f' }, { 8, 'F' }, { 1, 'i' },
	{ 1, 'i' }, { 2, 'i' }, { 2, 'i' }, { 1, 'I' }, { 1, 'I' }, { 2, 'I' },
	{ 2, 'I' }, { 4, 'I' }, { 4, 'I' }, { 4, 'i' }, { 8, 'I' }, { 4, 'f' },
	{ 8, 'F' }, { 1, 'i' }, { 2, 'i' }, { 1, 'I' }, { 2, 'I' },
	{ 4, 'I' } };

/* x -> the value there; or x -> 0 with 77 stored there. */
static void put_access(struct build *b, const char *name, uint8_t op,
	uint64_t offset, uint8_t shift)
{
	static const char *const loads[] = { ['i'] = "i:i",
		['I'] = "i:I",
		['f'] = "i:f",
		['F'] = "i:F" };
	auto_buf code = { 0 };
	uint8_t type = accesses[op - 0x28].type;
	buf_put(&code, B(GET(0), I32(0), ADD));
	if (shift)
		buf_put(&code, B(I32(shift), 0x74));
	if (op >= 0x36) {
		buf_put(&code, B(I32(55)));
		if (type == 'I')
			buf_put(&code, B(0xad));
		else if (type == 'f')
			buf_put(&code, B(0xb3));
		else if (type == 'F')
			buf_put(&code, B(0xb8));
	}
	buf_put(&code, B(op, 0));
	leb(&code, offset);
	if (op >= 0x36)
		buf_put(&code, B(I32(0)));
	build_func(b, name, op < 0x36 ? loads[type] : "i:i", "",
		buf_bytes(&code));
}

static void access_at(struct pair *p, uint64_t x)
{
	both(p, "access", x);
	CHECK_MEM(p->interp->memories[0]->data, p->jit->memories[0]->data,
		p->jit->memories[0]->len);
}

TEST(every_access_ends_at_the_last_byte_of_memory)
{
	/* Around what one comparison can hold, and beyond 31 and 32 bits. */
	static const uint64_t offsets[] = { 0, 1, 56, 57, 60, 61, 63, 64, 65,
		0xfff8, 0xffff, 0x10000, 0x7ffffff8, 0x7fffffff, 0x80000000,
		0xfffffff8, 0xffffffff };
	for (uint8_t op = 0x28; op <= 0x3e; op++) {
		uint64_t size = accesses[op - 0x28].size;
		for (size_t k = 0; k < ARRAY_LEN(offsets); k++) {
			struct build b = { 0 };
			struct fenced fi, fj;
			struct pair p;
			build_memory(&b, 1, 1);
			put_access(&b, "access", op, offsets[k], 0);
			pair_init(&p, &b);
			fence(p.interp, &fi);
			fence(p.jit, &fj);
			uint64_t last = 0x10000 - size - offsets[k];
			for (uint64_t x = last - 2; x != last + 3; x++)
				access_at(&p, (uint32_t)x);
			access_at(&p, 0x80000000u);
			access_at(&p, 0xffffffffu);
			CHECK_INT(compiled(&p), 1);
			unfence(p.interp, &fi);
			unfence(p.jit, &fj);
			pair_fini(&p);
		}
	}
}

TEST(a_scaled_index_wraps_before_it_is_an_address)
{
	for (uint8_t shift = 1; shift < 4; shift++) {
		struct build b = { 0 };
		struct pair p;
		build_memory(&b, 1, 1);
		put_access(&b, "access", 0x28, 4, shift);
		pair_init(&p, &b);
		both(&p, "access", 0x80000000u);
		CHECK_INT(p.rj.end, WASM_RETURNED);
		both(&p, "access", (0x10000u - 8) >> shift);
		CHECK_INT(p.rj.end, WASM_RETURNED);
		both(&p, "access", 0x10000u >> shift);
		CHECK_INT(p.rj.end, WASM_TRAPPED);
		both(&p, "access", 0x7fffffffu);
		pair_fini(&p);
	}
}

TEST(compiled_code_finds_a_memory_that_moved)
{
	struct build b = { 0 };
	struct pair p;
	build_memory(&b, 1, 100);
	/* Store, grow, load what was stored, and at the new end. */
	build_func(&b, "grow", "i:i", "",
		B(I32(8), I32(42), 0x36, 2, 0, GET(0), 0x40, 0, 0x1a, I32(8),
			0x28, 2, 0, 0x3f, 0, I32(16), 0x74, I32(4), SUB, 0x28,
			2, 0, ADD));
	pair_init(&p, &b);
	CHECK_INT(both(&p, "grow", 1), 42);
	CHECK_INT(both(&p, "grow", 50), 42);
	CHECK_INT(both(&p, "grow", 200), 42);
	CHECK_INT(compiled(&p), 1);
	pair_fini(&p);
}

/* --- loops -------------------------------------------------------------------
 */

struct counting {
	uint32_t first, step, limit, offset;
	uint8_t test;  /* i32.ne, or one of the orders 0x48 to 0x4f */
	bool next;     /* what is tested is the next value */
	bool early;    /* and before the access */
	uint8_t width; /* of a second counter, which is the address; 0: none */
};

static void put_const(struct buf *b, uint32_t v)
{
	buf_u8(b, 0x41);
	sleb(b, (int32_t)v);
}

/* i = first; do { mem[i * width + offset]++; i += step } while (i test limit)
 * or the same with the test in front. */
static void put_counting(struct build *b, const struct counting *c)
{
	auto_buf code = { 0 };
	put_const(&code, c->first);
	buf_put(&code, B(SET(0), LOOP));
	buf_put(&code, B(0x02, 0x40));
	if (c->early) {
		buf_put(&code, B(GET(0)));
		put_const(&code, c->limit);
		buf_put(&code, B(c->test, 0x45, BR_IF(0)));
	}
	buf_put(&code, B(GET((uint8_t)(c->width ? 1 : 0))));
	buf_put(&code, B(GET((uint8_t)(c->width ? 1 : 0)), 0x2d, 0));
	leb(&code, c->offset);
	buf_put(&code, B(I32(1), ADD, 0x3a, 0));
	leb(&code, c->offset);
	buf_put(&code, B(GET(1)));
	put_const(&code, c->width);
	buf_put(&code, B(ADD, SET(1)));
	if (!c->next && !c->early)
		buf_put(&code, B(GET(0), SET(2)));
	buf_put(&code, B(GET(0)));
	put_const(&code, c->step);
	buf_put(&code, B(ADD, SET(0)));
	if (c->early) {
		buf_put(&code, B(0x0c, 1));
	} else {
		buf_put(&code, B(GET((uint8_t)(c->next ? 0 : 2))));
		put_const(&code, c->limit);
		buf_put(&code, B(c->test, BR_IF(1)));
	}
	buf_put(&code, B(END, END, GET(0)));
	build_func(b, "run", "i:i", "ii", buf_bytes(&code));
}

static void check_counting(const struct counting *c)
{
	struct build b = { 0 };
	struct fenced fi, fj;
	struct pair p;
	build_memory(&b, 1, 1);
	put_counting(&b, c);
	pair_init(&p, &b);
	fence(p.interp, &fi);
	fence(p.jit, &fj);
	wasm_instance_fuel(p.interp, 70000);
	wasm_instance_fuel(p.jit, 70000);
	both(&p, "run", 0);
	CHECK_INT(compiled(&p), 1);
	CHECK_MEM(fi.map, fj.map, fi.len);
	unfence(p.interp, &fi);
	unfence(p.jit, &fj);
	pair_fini(&p);
}

/* Around both ends of memory and of the numbers, in every direction. */
TEST(a_loop_that_counts_stays_within_memory)
{
	static const uint8_t tests[] = { 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c,
		0x4d, 0x4e, 0x4f };
	static const uint32_t ends[] = { 0, 1, 8, 100, 65528, 65535, 65536,
		65537, 0x7ffffff8, 0x80000000, 0xfffffff0, 0xffffffff };
	static const uint32_t steps[] = { 1, 3, 8, 4096, (uint32_t)-1,
		(uint32_t)-3, (uint32_t)-8, 0x7fffffff };
	static const uint32_t offsets[] = { 0, 1, 8, 65000, 65535, 65536 };
	srand(9);
	for (int n = 0; n < 1500; n++) {
		uint32_t first = ends[(unsigned)rand() % ARRAY_LEN(ends)];
		uint32_t limit = ends[(unsigned)rand() % ARRAY_LEN(ends)];
		struct counting c = { .first = first + (uint32_t)rand() % 3,
			.limit = limit - (uint32_t)rand() % 3,
			.step = steps[(unsigned)rand() % ARRAY_LEN(steps)],
			.offset =
				offsets[(unsigned)rand() % ARRAY_LEN(offsets)],
			.test = tests[(unsigned)rand() % ARRAY_LEN(tests)],
			.next = rand() & 1,
			.early = rand() & 1,
			.width = (uint8_t)(rand() & 1 ? rand() % 9 : 0) };
		check_counting(&c);
	}
}

/* That a loop's variable is always 0 shows only when all is built: what is left
 * are comparisons of constants, of which one fits no instruction. */
TEST(two_constants_are_compared)
{
	enum { I64_ADD = 0x7c, I64_AND = 0x83, I64_EQ = 0x51, I64_EQZ = 0x50 };
	struct build b = { 0 };
	struct pair p;
	build_func(&b, "eq", "i:i", "I",
		B(LOOP, GET(1), 0x42, 0, I64_ADD, SET(1), GET(1), 0x42, 0x80,
			0x80, 0x80, 0x80, 0x70, I64_EQ, BR_IF(0), END, I32(7)));
	build_func(&b, "and", "i:i", "I",
		B(LOOP, GET(1), 0x42, 0, I64_ADD, SET(1), GET(1), 0x42, 0x80,
			0x80, 0x80, 0x80, 0x70, I64_AND, I64_EQZ, 0x45,
			BR_IF(0), END, I32(8)));
	pair_init(&p, &b);
	CHECK_INT(both(&p, "eq", 1), 7);
	CHECK_INT(both(&p, "and", 1), 8);
	CHECK_INT(compiled(&p), 2);
	pair_fini(&p);
}

/* --- ends --------------------------------------------------------------------
 */

TEST(a_trap_names_the_functions_that_called)
{
	struct build b = { 0 };
	struct pair p;
	build_memory(&b, 1, 1);
	build_func(&b, NULL, "i:i", "", B(GET(0), 0x28, 2, 0));
	build_func(&b, NULL, "i:i", "", B(GET(0), CALL(0), I32(1), ADD));
	build_func(&b, "run", "i:i", "", B(GET(0), CALL(1), I32(1), ADD));
	pair_init(&p, &b);
	both(&p, "run", 0x10000);
	CHECK_INT(p.rj.trap, WASM_TRAP_MEMORY);
	CHECK_INT(compiled(&p), 3);
	pair_fini(&p);
}

/* Where a trap is in the module: of several that look alike, which one. */
TEST(a_trap_says_where_it_was)
{
	static const char *const at[] = { "function 0 (0x", "function 1 (0x" };
	char texts[4][64] = { "" };
	struct build b = { 0 };
	struct pair p;
	build_memory(&b, 1, 1);
	build_func(&b, NULL, "i:i", "",
		B(GET(0), 0x28, 2, 0, GET(0), 0x28, 2, 4, ADD, GET(0), 0x28, 2,
			8, 0x6e));
	build_func(&b, "run", "i:i", "", B(GET(0), CALL(0), I32(1), ADD));
	pair_init(&p, &b);
	static const uint32_t xs[] = { 0x10000 - 3, 0x10000 - 7, 0x10000 - 11,
		0 };
	for (size_t k = 0; k < ARRAY_LEN(xs); k++) {
		both(&p, "run", xs[k]);
		CHECK_INT(p.rj.end, WASM_TRAPPED);
		for (size_t n = 0; n < ARRAY_LEN(at); n++)
			CHECK(strstr(p.rj.text, at[n]));
		memcpy(texts[k], strstr(p.rj.text, at[0]) + strlen(at[0]), 2);
		for (size_t n = 0; n < k; n++)
			CHECK(strcmp(texts[k], texts[n]) != 0);
	}
	CHECK_INT(compiled(&p), 2);
	pair_fini(&p);
}

TEST(recursion_without_end_runs_out_of_stack)
{
	struct build b = { 0 };
	struct pair p;
	uint64_t out;
	build_func(&b, "run", "i:i", "", B(GET(0), CALL(0), I32(1), ADD));
	pair_init(&p, &b);
	call(p.jit, "run", 1, &out, &p.rj);
	CHECK_INT(p.rj.end, WASM_TRAPPED);
	CHECK_INT(p.rj.trap, WASM_TRAP_STACK);
	/* And once more from the start. */
	call(p.jit, "run", 1, &out, &p.rj);
	CHECK_INT(p.rj.trap, WASM_TRAP_STACK);
	pair_fini(&p);
}

/* n turns of a loop with a call in each */
static void put_turns(struct build *b)
{
	build_func(b, NULL, "i:i", "", B(GET(0), I32(1), SUB));
	build_func(b, "run", "i:i", "",
		B(LOOP, GET(0), CALL(0), SET(0), GET(0), BR_IF(0), END,
			GET(0)));
}

TEST(fuel_lasts_as_long_as_in_the_interpreter)
{
	bool returned = false, stopped = false;
	for (uint64_t fuel = 0; fuel < 50; fuel++) {
		struct build b = { 0 };
		struct pair p;
		put_turns(&b);
		pair_init(&p, &b);
		wasm_instance_fuel(p.interp, fuel);
		wasm_instance_fuel(p.jit, fuel);
		both(&p, "run", 10);
		returned |= p.rj.end == WASM_RETURNED;
		stopped |= p.rj.end == WASM_STOPPED;
		pair_fini(&p);
	}
	CHECK(returned && stopped);
}

static bool enough(void *ctx)
{
	uint32_t *ticks = ctx;
	return ++*ticks < 5;
}

TEST(a_loop_without_end_is_interrupted)
{
	struct build b = { 0 };
	struct pair p;
	uint32_t ticks = 0;
	uint64_t out;
	build_func(&b, "run", "i:i", "", B(LOOP, 0x0c, 0, END, GET(0)));
	pair_init(&p, &b);
	wasm_instance_tick(p.jit, 1000, enough, &ticks);
	call(p.jit, "run", 0, &out, &p.rj);
	CHECK_INT(p.rj.end, WASM_STOPPED);
	CHECK_INT(ticks, 5);
	pair_fini(&p);
}

TEST(nans_are_made_the_same_when_asked_for)
{
	struct build b = { 0 };
	struct pair p;
	/* 0 / 0 with the sign of x, as bits: i32.reinterpret (f32.div) */
	build_func(&b, "run", "i:i", "",
		B(GET(0), 0xbe, 0x43, 0, 0, 0, 0, 0x95, 0xbc));
	build_func(&b, "wide", "i:I", "",
		B(GET(0), 0xbe, 0xbb, 0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0xa3,
			0xbd));
	pair_limited(&p, &b, (struct wasm_limits){ .canonical_nans = true });
	CHECK_INT(both(&p, "run", 0), 0x7fc00000);
	CHECK_INT(both(&p, "run", 0x80000000), 0x7fc00000);
	CHECK_INT(both(&p, "run", 0xffc12345), 0x7fc00000);
	CHECK_INT(both(&p, "run", 0x3f800000), 0x7f800000);
	CHECK_INT(both(&p, "wide", 0), 0x7ff8000000000000);
	CHECK_INT(both(&p, "wide", 0xffc12345), 0x7ff8000000000000);
	CHECK_INT(compiled(&p), 2);
	pair_fini(&p);
}

/* --- bits --------------------------------------------------------------------
 */

/* The value is needed afterwards, so that it can't be rotated where it is. */
static void rotate_by(uint8_t k, struct wasm_limits l)
{
	struct build b = { 0 };
	struct pair p;
	build_func(&b, "l", "i:i", "", B(GET(0), I32(k), 0x77, GET(0), SUB));
	build_func(&b, "r", "i:i", "", B(GET(0), I32(k), 0x78, GET(0), SUB));
	build_func(&b, "L", "I:I", "", B(GET(0), 0x42, k, 0x89, GET(0), 0x7d));
	build_func(&b, "R", "I:I", "", B(GET(0), 0x42, k, 0x8a, GET(0), 0x7d));
	pair_limited(&p, &b, l);
	CHECK_INT(both(&p, "l", 0x80000001),
		(uint32_t)((0x80000001u << (k & 31) |
				   (uint64_t)0x80000001 >> (32 - (k & 31))) -
			0x80000001));
	both(&p, "r", 0x12345678);
	both(&p, "L", 0x123456789abcdef0);
	both(&p, "R", 0x8000000000000001);
	pair_fini(&p);
}

TEST(rotations_by_constants_leave_their_operand_alone)
{
	for (uint8_t k = 0; k < 64; k++) {
		rotate_by(k, (struct wasm_limits){ 0 });
		/* Also without newer instructions, and from the stack. */
		for (uint64_t seed = 1; seed < 5; seed++)
			rotate_by(k,
				(struct wasm_limits){ .jit_stress = seed });
	}
}

/* --- limits ------------------------------------------------------------------
 */

TEST(what_finds_no_room_for_its_code_is_interpreted)
{
	struct build b = { 0 };
	struct pair p;
	for (uint8_t n = 0; n < 100; n++)
		build_func(&b, n == 99 ? "run" : NULL, "i:i", "",
			n ? B(GET(0), CALL((uint8_t)(n - 1)), I32(1), ADD,
				    I32(3), 0x6c, I32(7), 0x73) :
			    B(GET(0)));
	pair_limited(&p, &b, (struct wasm_limits){ .code_bytes = 8192 });
	both(&p, "run", 5);
	CHECK_INT(p.rj.end, WASM_RETURNED);
	struct wasm_jit_stats s = wasm_instance_jit_stats(p.jit);
	CHECK(s.compiled > 0 && s.refused > 0);
	CHECK_INT(s.compiled + s.refused, 100);
	both(&p, "run", 6);
	pair_fini(&p);
}

/* As a shim does it: whole pages, which nothing was in. */
static struct {
	const uint8_t *last;
	unsigned calls;
	bool refuse;
} pages;

static bool put_code(void *to, const void *code, size_t len)
{
	uint8_t *at = to;
	CHECK((uintptr_t)at % PAGE_BYTES == 0 && at >= pages.last);
	pages.last = at + len;
	pages.calls++;
	if (pages.refuse || mprotect(at, len, PROT_READ | PROT_WRITE))
		return false;
	memcpy(at, code, len);
	return mprotect(at, len, PROT_READ | PROT_EXEC) == 0;
}

static void put_chain(struct build *b)
{
	build_func(b, NULL, "i:i", "", B(GET(0), I32(3), ADD));
	build_func(b, NULL, "i:i", "", B(GET(0), CALL(0), CALL(0)));
	build_func(b, "run", "i:i", "", B(GET(0), CALL(1), CALL(0)));
}

TEST(code_is_put_where_the_embedder_says_and_never_changed)
{
	struct build b = { 0 };
	struct pair p;
	put_chain(&b);
	memset(&pages, 0, sizeof pages);
	pair_limited(&p, &b, (struct wasm_limits){ .put_code = put_code });
	CHECK_INT(both(&p, "run", 5), 14);
	CHECK_INT(both(&p, "run", 6), 15);
	CHECK_INT(compiled(&p), 3);
	/* The stubs, and each function once. */
	CHECK_INT(pages.calls, 4);
	pair_fini(&p);
}

TEST(code_that_the_embedder_does_not_take_is_interpreted)
{
	struct build b = { 0 };
	struct pair p;
	put_chain(&b);
	memset(&pages, 0, sizeof pages);
	pair_limited(&p, &b, (struct wasm_limits){ .put_code = put_code });
	pages.refuse = true;
	CHECK_INT(both(&p, "run", 5), 14);
	CHECK_INT(compiled(&p), 0);
	CHECK_INT(wasm_instance_jit_stats(p.jit).refused, 3);
	pair_fini(&p);
}

/* How much work each of these costs, for twice as much of it. */
static uint64_t work_of(struct build *b)
{
	struct pair p;
	pair_init(&p, b);
	both(&p, "run", 1);
	uint64_t work = wasm_instance_jit_stats(p.jit).work;
	pair_fini(&p);
	return work;
}

static void put_deep(struct build *b, uint32_t n)
{
	auto_buf code = { 0 };
	for (uint32_t k = 0; k < n; k++)
		buf_put(&code, B(0x02, 0x40));
	for (uint32_t k = 0; k < n; k++)
		buf_put(&code, B(GET(0), BR_IF(0), END));
	buf_put(&code, B(GET(0)));
	build_func(b, "run", "i:i", "", buf_bytes(&code));
}

static void put_table(struct build *b, uint32_t n)
{
	auto_buf code = { 0 };
	buf_put(&code, B(0x02, 0x40, 0x02, 0x40, GET(0), 0x0e));
	leb(&code, n);
	for (uint32_t k = 0; k <= n; k++)
		buf_u8(&code, k & 1);
	buf_put(&code, B(END, END, GET(0)));
	build_func(b, "run", "i:i", "", buf_bytes(&code));
}

static void put_long(struct build *b, uint32_t n)
{
	auto_buf code = { 0 };
	for (uint32_t k = 0; k < n; k++)
		buf_put(&code,
			B(GET(0), I32((uint8_t)(k % 64)), ADD, I32(5), 0x6c,
				SET(0), GET(0), 0x04, 0x40, GET(0), I32(1),
				0x73, SET(0), END));
	buf_put(&code, B(GET(0)));
	build_func(b, "run", "i:i", "", buf_bytes(&code));
}

TEST(work_grows_with_the_size_of_a_function_and_no_faster)
{
	static void (*const puts[])(struct build *, uint32_t) = { put_deep,
		put_table, put_long };
	for (size_t k = 0; k < ARRAY_LEN(puts); k++) {
		struct build small = { 0 }, large = { 0 };
		puts[k](&small, 200);
		puts[k](&large, 800);
		uint64_t a = work_of(&small), b = work_of(&large);
		if (b > a * 5)
			fail_msg("case %zu: %llu then %llu", k,
				(unsigned long long)a, (unsigned long long)b);
	}
}

TEST(few_registers_are_enough_for_every_operation)
{
	for (uint32_t registers = 4; registers < 12; registers++) {
		struct build b = { 0 };
		struct pair p;
		auto_buf code = { 0 };
		/* Many values at once, across a call. */
		build_func(&b, NULL, "i:i", "", B(GET(0), I32(3), 0x6c));
		for (uint8_t k = 0; k < 30; k++)
			buf_put(&code, B(GET(0), I32(k), ADD, I32(5), 0x70));
		buf_put(&code, B(GET(0), CALL(0)));
		for (uint8_t k = 0; k < 30; k++)
			buf_put(&code,
				k % 2 ? B(0x77) : B(0x6c, I32(63), 0x6a));
		build_func(&b, "run", "i:i", "", buf_bytes(&code));
		pair_limited(&p, &b,
			(struct wasm_limits){ .jit_registers = registers });
		for (uint64_t x = 0; x < 5; x++)
			both(&p, "run", x * 0x12345);
		CHECK_INT(compiled(&p), 2);
		pair_fini(&p);
	}
}
#else
TEST(the_compiler_is_for_x86_64)
{
	struct wasm_store *s = NULL;
	struct wasm_limits l = { .engine = WASM_ENGINE_JIT };
	struct err e = { 0 };
	CHECK(!wasm_store_new(&l, &s, &e));
	l.engine = WASM_ENGINE_AUTO;
	CHECK(wasm_store_new(&l, &s, &e));
	wasm_store_free(s);
}
#endif
