/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exceptions and tail calls among compiled and interpreted functions: every
 * mixture of them does what the interpreter alone does.
 */
#include "../test.h"
#include "helpers/build.h"
#include "helpers/pair.h"

#if defined(__x86_64__)
#define GET(i)	   0x20, i
#define SET(i)	   0x21, i
#define I32(i)	   0x41, i /* -64 to 63 */
#define I64(i)	   0x42, i
#define CALL(i)	   0x10, i
#define TAIL(i)	   0x12, i
#define THROW(tag) 0x08, tag
#define IF(type)   0x04, type
#define BLOCK(t)   0x02, t
#define BR(i)	   0x0c, i
/* try_table with that many clauses. */
#define TRY(type, n)	0x1f, type, n
#define CATCH(tag, to)	0x00, tag, to
#define CATCH_ALL(to)	0x02, to
#define CATCH_REF(to)	0x03, to /* any, with the exception */
#define OLD_TRY(type)	0x06, type
#define OLD_CATCH(tag)	0x07, tag
#define OLD_CATCH_ALL	0x19
#define DELEGATE(label) 0x18, label
#define RETHROW(label)	0x09, label
#define ELSE		0x05
#define END		0x0b
#define RETURN		0x0f
#define DROP		0x1a
#define EQZ		0x45
#define EQ		0x46
#define ADD		0x6a
#define SUB		0x6b
#define AND		0x71
#define SHR		0x76
#define WRAP		0xa7
#define EXTEND		0xac
#define ADD64		0x7c
#define SUB64		0x7d
#define MUL64		0x7e

enum { VOID = 0x40, INT = 0x7f, LONG = 0x7e, EXN = 0x69 };

/* The calls `name`(x) for x below `to`, with every mixture of the first
 * `functions` functions. */
static void mixtures(void (*make)(struct build *b), uint32_t functions,
	const char *name, uint64_t to, struct wasm_limits l)
{
	bool returned = false;
	for (uint32_t mask = 0; mask < 1u << functions; mask++) {
		struct build b = { 0 };
		struct pair p;
		make(&b);
		pair_limited(&p, &b, l);
		pair_interpret(&p, mask);
		for (uint64_t x = 0; x < to; x++) {
			both(&p, name, x);
			returned |= p.ri.end == WASM_RETURNED;
		}
		pair_fini(&p);
	}
	CHECK(returned);
}

/* --- exceptions -------------------------------------------------------------
 */

static void add_tag(struct build *b, const char *sig)
{
	buf_u8(&b->tags, 0);
	leb(&b->tags, build_type(b, sig));
	b->tag_count++;
}

static void throwers(struct build *b)
{
	add_tag(b, "i:");
	add_tag(b, "I:");
	build_func(b, NULL, "i:i", "",
		B(GET(0), I32(1), EQ, IF(VOID), GET(0), I32(10), ADD, THROW(0),
			END, GET(0), I32(2), EQ, IF(VOID), I64(5), THROW(1),
			END, GET(0), I32(3), EQ, IF(VOID), 0x00, END, GET(0)));
	/* Keeps something across the call. */
	build_func(b, NULL, "i:i", "I",
		B(GET(0), EXTEND, I64(3), MUL64, SET(1), GET(0), CALL(0),
			GET(1), WRAP, ADD));
}

/* Two calls in one try, and a local that changes between them. */
static void make_tables(struct build *b)
{
	throwers(b);
	build_func(b, "f", "i:i", "i",
		B(GET(0), I32(1), ADD, SET(1), BLOCK(INT), BLOCK(LONG),
			TRY(INT, 2), CATCH(0, 1), CATCH(1, 0), GET(0), I32(3),
			SHR, CALL(1), GET(1), I32(5), ADD, SET(1), GET(0),
			I32(7), AND, CALL(1), ADD, END, BR(1), END, WRAP, END,
			GET(1), ADD));
}

TEST(a_handler_finds_locals_as_they_were_at_the_call)
{
	mixtures(make_tables, 3, "f", 64, (struct wasm_limits){ 0 });
	mixtures(make_tables, 3, "f", 64,
		(struct wasm_limits){ .jit_registers = 4 });
}

/* A call, and one in a try right behind it. */
static void make_before(struct build *b)
{
	throwers(b);
	build_func(b, "f", "i:i", "i",
		B(GET(0), CALL(0), SET(1), BLOCK(VOID), TRY(INT, 1),
			CATCH_ALL(0), I32(0), CALL(0), END, GET(1), ADD, RETURN,
			END, I32(33)));
}

TEST(a_call_in_front_of_a_try_is_not_in_it)
{
	mixtures(make_before, 3, "f", 4, (struct wasm_limits){ 0 });
}

/* Function 2 hands on what is not a 1, function 3 delegates, function 4
 * catches the exception itself and throws it again. */
static void make_old(struct build *b)
{
	throwers(b);
	build_func(b, NULL, "i:i", "",
		B(OLD_TRY(INT), GET(0), CALL(1), OLD_CATCH(1), WRAP,
			OLD_CATCH_ALL, RETHROW(0), END));
	build_func(b, NULL, "i:i", "",
		B(OLD_TRY(INT), OLD_TRY(INT), GET(0), CALL(2), DELEGATE(0),
			OLD_CATCH(0), I32(20), ADD, END));
	build_func(b, NULL, "i:i", "",
		B(BLOCK(EXN), TRY(VOID, 1), CATCH_REF(0), GET(0), CALL(0), DROP,
			END, GET(0), RETURN, END, 0x0a));
	build_func(b, "f", "i:i", "",
		B(GET(0), CALL(3), BLOCK(INT), TRY(INT, 1), CATCH(0, 0), GET(0),
			CALL(4), END, END, ADD));
}

TEST(exceptions_find_their_way_through_every_mixture_of_frames)
{
	mixtures(make_old, 6, "f", 6, (struct wasm_limits){ 0 });
	mixtures(make_old, 6, "f", 6,
		(struct wasm_limits){ .collect_always = true });
}

/* Throws in a loop, so that what is left on a stack piles up. */
static void make_loop(struct build *b)
{
	throwers(b);
	build_func(b, "f", "i:i", "ii",
		B(I32(0), SET(1), 0x03, VOID, BLOCK(VOID), TRY(VOID, 1),
			CATCH_ALL(0), GET(0), CALL(1), DROP, END, END, GET(1),
			I32(1), ADD, SET(1), GET(1), 0x41, 0xa0, 0x8d, 0x06,
			0x48, 0x0d, 0, END, GET(1)));
}

TEST(a_hundred_thousand_exceptions_leave_no_frames_behind)
{
	mixtures(make_loop, 3, "f", 3,
		(struct wasm_limits){ .call_depth = 50,
			.stack_bytes = 1 << 16 });
}

TEST(exceptions_take_as_much_fuel_as_in_the_interpreter)
{
	struct build b = { 0 };
	struct pair p;
	make_old(&b);
	pair_init(&p, &b);
	both(&p, "f", 1);
	for (uint64_t fuel = 1; fuel < 40; fuel++) {
		wasm_instance_fuel(p.interp, fuel);
		wasm_instance_fuel(p.jit, fuel);
		both(&p, "f", 1 + fuel % 2);
	}
	pair_fini(&p);
}

/* --- tail calls -------------------------------------------------------------
 */

#define SMALL ((struct wasm_limits){ .call_depth = 40, .stack_bytes = 1 << 16 })

static void make_even(struct build *b)
{
	build_func(b, "even", "i:i", "",
		B(GET(0), EQZ, IF(INT), I32(1), ELSE, GET(0), I32(1), SUB,
			TAIL(1), END));
	build_func(b, "odd", "i:i", "",
		B(GET(0), EQZ, IF(INT), I32(0), ELSE, GET(0), I32(1), SUB,
			TAIL(0), END));
}

TEST(ten_million_tail_calls_need_one_frame)
{
	for (uint32_t mask = 0; mask < 4; mask++) {
		struct build b = { 0 };
		struct pair p;
		make_even(&b);
		pair_limited(&p, &b, SMALL);
		pair_interpret(&p, mask);
		CHECK_INT(both(&p, "even", mask ? 100001 : 10000000), !mask);
		pair_fini(&p);
	}
}

/* Between functions whose arguments lie on the stack, more and less of
 * them: twelve, twenty, and the one that began. */
static void make_wide(struct build *b)
{
	auto_buf few = { 0 }, many = { 0 }, sum = { 0 };
	buf_put(&few, B(GET(0), EQZ, IF(VOID)));
	for (uint8_t k = 1; k < 12; k++)
		buf_put(&sum, B(GET(k), I64(k), MUL64));
	for (uint8_t k = 1; k < 11; k++)
		buf_put(&sum, B(SUB64));
	buf_put(&few, buf_bytes(&sum));
	buf_put(&few, B(RETURN, END, GET(0), I32(1), SUB));
	for (uint8_t k = 2; k < 12; k++)
		buf_put(&few, B(GET(k)));
	for (uint8_t k = 1; k < 10; k++)
		buf_put(&few, B(GET(k)));
	buf_put(&few, B(TAIL(2)));
	buf_put(&many,
		B(GET(0), EQZ, IF(VOID), GET(1), GET(19), SUB64, RETURN, END,
			GET(0), I32(1), SUB));
	for (uint8_t k = 19; k > 8; k--)
		buf_put(&many, B(GET(k)));
	buf_put(&many, B(TAIL(1)));
	build_func(b, "f", "i:I", "",
		B(GET(0), I64(3), I64(5), I64(7), I64(11), I64(13), I64(17),
			I64(19), I64(23), I64(29), I64(31), I64(37), TAIL(1)));
	build_func(b, NULL, "iIIIIIIIIIII:I", "", buf_bytes(&few));
	build_func(b, NULL, "iIIIIIIIIIIIIIIIIIII:I", "", buf_bytes(&many));
	/* Somebody waits for the result. */
	build_func(b, "g", "i:I", "", B(GET(0), CALL(0), I64(1), ADD64));
}

TEST(tail_calls_bring_more_arguments_than_their_caller_had)
{
	mixtures(make_wide, 4, "f", 8, SMALL);
	mixtures(make_wide, 4, "g", 8, SMALL);
	for (uint32_t mask = 0; mask < 8; mask++) {
		struct build b = { 0 };
		struct pair p;
		make_wide(&b);
		pair_limited(&p, &b, SMALL);
		pair_interpret(&p, mask);
		both(&p, "g", 10000);
		pair_fini(&p);
	}
}

/* Through a table with a hole, and by reference. */
static void make_table(struct build *b)
{
	static const uint8_t funcs[] = { 0, 1, 2 };
	uint8_t t = (uint8_t)build_type(b, "i:i");
	build_table(b, 5, 5);
	build_func(b, "f", "i:i", "",
		B(GET(0), I32(2), 0x49, IF(INT), GET(0), ELSE, GET(0), I32(3),
			SUB, GET(0), I32(5), 0x70, 0x13, t, 0, END));
	build_func(b, NULL, "i:i", "",
		B(GET(0), I32(1), SUB, GET(0), I32(6), 0x70, 0x13, t, 0));
	build_func(b, NULL, "i:i", "",
		B(GET(0), I32(2), 0x49, IF(INT), I32(9), ELSE, GET(0), I32(2),
			SUB, 0xd2, 0, 0x15, t, END));
	build_elem(b, 0, funcs, sizeof funcs);
}

TEST(tail_calls_by_table_and_by_reference_trap_alike)
{
	mixtures(make_table, 3, "f", 60, SMALL);
}

static bool weigh(struct wasm_caller *c, uint64_t *slots, void *ctx)
{
	uint64_t sum = 0;
	(void)c;
	(void)ctx;
	for (uint64_t k = 0; k < 12; k++)
		sum = sum * 3 + slots[k];
	slots[0] = sum;
	return true;
}

/* The host's function has more arguments than its caller, or fewer. */
TEST(tail_calls_of_the_host_bring_all_arguments)
{
	const struct wasm_import im = { "m", "weigh", "IIIIIIIIIIII:I", weigh,
		NULL };
	const enum wasm_engine engines[] = { WASM_ENGINE_INTERP,
		WASM_ENGINE_JIT };
	uint64_t found[2][2] = { { 0 } }, x = 7;
	for (int k = 0; k < 2; k++) {
		struct build b = { 0 };
		struct wasm_module *m;
		struct wasm_instance *i;
		struct wasm_result r;
		struct err e = { 0 };
		struct wasm_limits l = { .engine = engines[k] };
		auto_buf out = { 0 }, code = { 0 };
		for (uint8_t n = 0; n < 12; n++)
			buf_put(&code, B(GET(0), I64(n), ADD64));
		buf_put(&code, B(TAIL(0)));
		build_import(&b, "weigh", "IIIIIIIIIIII:I");
		build_func(&b, "f", "I:I", "", buf_bytes(&code));
		build_func(&b, NULL, "IIIIIIIIIIIII:I", "", buf_bytes(&code));
		code.len = 0;
		for (uint8_t n = 0; n < 13; n++)
			buf_put(&code, B(GET(0), I64(n), MUL64));
		buf_put(&code, B(CALL(2), I64(1), ADD64));
		build_func(&b, "g", "I:I", "", buf_bytes(&code));
		build_done(&b, &out);
		CHECK(wasm_module_new(buf_bytes(&out), NULL, &m, &e));
		CHECK(wasm_instance_new(m, &im, 1, &l, &i, &r, &e));
		CHECK(wasm_call(i, "f", &x, 1, &found[k][0], 1, &r, &e));
		CHECK(wasm_call(i, "g", &x, 1, &found[k][1], 1, &r, &e));
		wasm_instance_free(i);
		wasm_module_free(m);
	}
	CHECK(found[0][0] != found[0][1]);
	CHECK_INT(found[1][0], found[0][0]);
	CHECK_INT(found[1][1], found[0][1]);
}

TEST(tail_calls_take_as_much_fuel_as_in_the_interpreter)
{
	struct build b = { 0 };
	struct pair p;
	make_wide(&b);
	pair_init(&p, &b);
	both(&p, "g", 9);
	for (uint64_t fuel = 1; fuel < 30; fuel++) {
		wasm_instance_fuel(p.interp, fuel);
		wasm_instance_fuel(p.jit, fuel);
		both(&p, "g", 9);
	}
	pair_fini(&p);
}
#endif
