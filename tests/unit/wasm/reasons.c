/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What functions are left to the interpreter for: the reason is told with the
 * number of functions, none of these is a gap in the compiler, and what they
 * do is what the interpreter says.
 */
#include "../test.h"
#include "helpers/pair.h"

#if defined(__x86_64__)
#define GET(i) 0x20, i
#define SET(i) 0x21, i
#define I32(i) 0x41, i
#define BR_IF  0x0d
#define ADD    0x6a
#define END    0x0b

/* How many were left out; checks that it was for that reason. */
static uint32_t left_for(struct pair *p, const char *why)
{
	struct wasm_jit_stats s = wasm_instance_jit_stats(p->jit);
	uint32_t count = 0;
	const char *told = wasm_instance_jit_reason(p->jit, 0, &count);
	CHECK_INT(s.gaps, 0);
	CHECK_INT(count, s.refused);
	if (s.refused)
		CHECK_STR(told, why);
	CHECK(!wasm_instance_jit_reason(p->jit, !!s.refused, &count));
	return s.refused;
}

static void put_long(struct build *b, const char *name, uint32_t n)
{
	auto_buf code = { 0 };
	while (n--)
		buf_put(&code,
			B(GET(0), I32(60), 0x71, 0x28, 2, 0, GET(0), ADD,
				SET(0)));
	buf_put(&code, B(GET(0)));
	if (!b->memory_count)
		build_memory(b, 1, 1);
	build_func(b, name, "i:i", "", buf_bytes(&code));
}

TEST(nothing_is_told_when_nothing_was_left_out)
{
	struct build b = { 0 };
	struct pair p;
	put_long(&b, "run", 5);
	pair_init(&p, &b);
	both(&p, "run", 5);
	CHECK_INT(compiled(&p), 1);
	CHECK_INT(left_for(&p, ""), 0);
	pair_fini(&p);
}

TEST(a_function_that_would_take_too_much_memory_is_interpreted)
{
	struct build b = { 0 };
	struct pair p;
	put_long(&b, "run", 20000);
	pair_limited(&p, &b, (struct wasm_limits){ .module_bytes = 4 << 20 });
	both(&p, "run", 5);
	CHECK_INT(left_for(&p, "out of memory"), 1);
	pair_fini(&p);
}

TEST(a_function_with_more_code_than_there_may_be_leaves_room_for_others)
{
	struct build b = { 0 };
	struct pair p;
	put_long(&b, "run", 20000);
	build_func(&b, "small", "i:i", "", B(GET(0)));
	pair_limited(&p, &b, (struct wasm_limits){ .code_bytes = 64 << 10 });
	both(&p, "run", 5);
	both(&p, "small", 5);
	CHECK_INT(compiled(&p), 1);
	CHECK_INT(left_for(&p, "no room for code"), 1);
	pair_fini(&p);
}

TEST(functions_that_find_no_room_any_more_are_interpreted)
{
	struct build b = { 0 };
	struct pair p;
	for (int k = 0; k < 4; k++)
		put_long(&b, NULL, 1000);
	pair_limited(&p, &b, (struct wasm_limits){ .code_bytes = 32 << 10 });
	wasm_instance_jit_all(p.jit, NULL, NULL);
	uint32_t n = left_for(&p, "no room for code");
	CHECK(n > 0 && n < 4);
	CHECK_INT(compiled(&p), 4 - n);
	pair_fini(&p);
}

/* An edge from each call to each handler around it. */
TEST(a_function_that_is_small_for_what_it_takes_is_interpreted)
{
	struct build b = { 0 };
	struct pair p;
	auto_buf code = { 0 };
	buf_u8(&b.tags, 0);
	leb(&b.tags, build_type(&b, ":"));
	b.tag_count++;
	for (uint32_t k = 0; k < 1000; k++)
		buf_put(&code, B(0x02, 0x40, 0x1f, 0x40, 1, 0, 0, 0));
	for (uint32_t k = 0; k < 1000; k++)
		buf_put(&code, B(GET(0), 0x10, 0, SET(0)));
	for (uint32_t k = 0; k < 1000; k++)
		buf_put(&code, B(END, END));
	buf_put(&code, B(GET(0)));
	build_func(&b, NULL, "i:i", "", B(GET(0), I32(1), ADD));
	build_func(&b, "run", "i:i", "", buf_bytes(&code));
	pair_init(&p, &b);
	both(&p, "run", 5);
	CHECK_INT(compiled(&p), 1);
	CHECK_INT(left_for(&p, "too much memory"), 1);
	pair_fini(&p);
}

/* Each block reads a variable that was written before all of them. */
TEST(too_many_variables_in_too_many_blocks_are_interpreted)
{
	enum { MANY = 20000 };
	static char locals[MANY + 1];
	struct build b = { 0 };
	struct pair p;
	auto_buf code = { 0 };
	memset(locals, 'i', MANY);
	buf_put(&code, B(0x02, 0x40));
	for (uint32_t k = 1; k <= MANY; k++) {
		buf_u8(&code, 0x20);
		leb(&code, k);
		buf_put(&code, B(BR_IF, 0));
	}
	buf_put(&code, B(END, GET(0)));
	build_func(&b, "run", "i:i", locals, buf_bytes(&code));
	pair_init(&p, &b);
	both(&p, "run", 5);
	CHECK_INT(left_for(&p, "too many variables and blocks"), 1);
	pair_fini(&p);
}

TEST(functions_are_drawn_by_lot_only_when_asked_for)
{
	uint32_t left = 0;
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct build b = { 0 };
		struct pair p;
		put_long(&b, "run", 5);
		pair_limited(&p, &b,
			(struct wasm_limits){ .jit_stress = seed });
		both(&p, "run", 5);
		uint32_t n = left_for(&p, "it was drawn by lot");
		CHECK(seed || !n);
		left += n;
		pair_fini(&p);
	}
	CHECK(left > 0 && left < 25);
}
#else
TEST(the_compiler_is_for_x86_64)
{
	SKIP("no x86-64");
}
#endif
