/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions in both encodings, and the collector. */
#include "../test.h"
#include "helpers/build.h"

#define GET(i) 0x20, i
#define SET(i) 0x21, i
#define I32(i) 0x41, i
#define END    0x0b

static void build_tag(struct build *b, const char *sig)
{
	buf_u8(&b->tags, 0);
	leb(&b->tags, build_type(b, sig));
	b->tag_count++;
}

/* throws (tag 0 with i32 and i64) when its parameter is not zero */
static void thrower(struct build *b)
{
	build_tag(b, "iI:");
	build_tag(b, ":");
	build_func(b, NULL, "i:", "",
		B(GET(0), 0x04, 0x40, GET(0), 0x42, 7, 0x08, 0, END));
}

TEST(an_old_style_catch_gets_the_values_and_the_block_its_result)
{
	struct build b = { 0 };
	struct made x;
	thrower(&b);
	build_func(&b, "f", "ii:i", "I",
		B(GET(1), 0x06, 0x7f, GET(0), 0x10, 0, I32(1), 0x07, 0, SET(2),
			GET(2), 0xa7, 0x6a, 0x19, I32(2), END, 0x6a));
	made_init(&x, &b);
	CHECK_INT(made_call(&x, "f", "ii", 0u, 100u), 101);
	CHECK_INT(made_call(&x, "f", "ii", 30u, 100u), 137);
	made_fini(&x);
}

TEST(an_old_style_try_takes_parameters)
{
	struct build b = { 0 };
	struct made x;
	thrower(&b);
	uint32_t t = build_type(&b, "ii:i");
	build_func(&b, "f", "i:i", "",
		B(I32(20), GET(0), 0x06, (uint8_t)t, 0x10, 0, 0x19, I32(3),
			END));
	made_init(&x, &b);
	CHECK_INT(made_call(&x, "f", "i", 0u), 20);
	CHECK_INT(made_call(&x, "f", "i", 1u), 3);
	made_fini(&x);
}

TEST(an_exception_thrown_again_is_the_same)
{
	struct build b = { 0 };
	struct made x;
	thrower(&b);
	build_func(&b, "f", "i:i", "",
		B(0x06, 0x7f, 0x06, 0x40, GET(0), 0x10, 0, 0x19, 0x09, 0, END,
			I32(0), 0x07, 0, 0x1a, END));
	made_init(&x, &b);
	CHECK_INT(made_call(&x, "f", "i", 0u), 0);
	CHECK_INT(made_call(&x, "f", "i", 55u), 55);
	made_fini(&x);
}

TEST(delegating_skips_the_handlers_in_between)
{
	struct build b = { 0 };
	struct made x;
	thrower(&b);
	/* try (try (try throw delegate 1) catch_all 1) catch_all 2 */
	build_func(&b, "outer", "i:i", "",
		B(0x06, 0x7f, 0x06, 0x7f, 0x06, 0x40, GET(0), 0x10, 0, 0x18, 1,
			I32(0), 0x19, I32(1), END, 0x19, I32(2), END));
	/* delegate 0 is the handler right around */
	build_func(&b, "inner", "i:i", "",
		B(0x06, 0x7f, 0x06, 0x7f, 0x06, 0x40, GET(0), 0x10, 0, 0x18, 0,
			I32(0), 0x19, I32(1), END, 0x19, I32(2), END));
	/* beyond the function */
	build_func(&b, NULL, "i:", "",
		B(0x06, 0x40, 0x06, 0x40, GET(0), 0x10, 0, 0x18, 1, 0x19, END));
	build_func(&b, "caller", "i:i", "",
		B(0x06, 0x7f, GET(0), 0x10, 3, I32(0), 0x19, I32(9), END));
	made_init(&x, &b);
	CHECK_INT(made_call(&x, "outer", "i", 1u), 2);
	CHECK_INT(made_call(&x, "inner", "i", 1u), 1);
	CHECK_INT(made_call(&x, "caller", "i", 1u), 9);
	CHECK_INT(made_call(&x, "caller", "i", 0u), 0);
	made_fini(&x);
}

TEST(a_local_written_before_the_throw_is_seen_by_the_handler)
{
	struct build b = { 0 };
	struct made x;
	thrower(&b);
	build_func(&b, "f", "i:i", "i",
		B(GET(1), 0x06, 0x40, I32(40), SET(1), I32(1), 0x10, 0, I32(9),
			SET(1), 0x19, END, GET(1), 0x6a));
	made_init(&x, &b);
	CHECK_INT(made_call(&x, "f", "i", 0u), 40);
	made_fini(&x);
}

TEST(an_exception_that_nobody_catches_ends_the_call_and_says_where)
{
	struct build b = { 0 };
	struct made x;
	thrower(&b);
	build_func(&b, "f", "i:", "", B(GET(0), 0x10, 0));
	made_init(&x, &b);
	CHECK_INT(made_trap(&x, "f", "i", 1u), WASM_TRAP_EXCEPTION);
	CHECK_STR(x.r.text,
		"uncaught exception\n    at function 0\n"
		"    at function 1");
	made_fini(&x);
}

TEST(many_exceptions_do_not_pile_up)
{
	struct build b = { 0 };
	struct made x;
	struct wasm_limits l = { .module_bytes = 8 << 20 };
	thrower(&b);
	build_func(&b, "f", "i:i", "",
		B(0x03, 0x40, 0x06, 0x40, I32(1), 0x10, 0, 0x19, END, GET(0),
			I32(1), 0x6b, 0x22, 0, 0x0d, 0, END, I32(5)));
	made_limited(&x, &b, &l);
	CHECK_INT(made_call(&x, "f", "i", 500000u), 5);
	CHECK(wasm_instance_footprint(x.i) < 4 << 20);
	made_fini(&x);
}

/* struct { mut i32, mut (ref null 0) } as type 0 */
static void list_type(struct build *b)
{
	buf_put(&b->types, B(0x5f, 2, 0x7f, 1, 0x63, 0, 1));
	b->type_count++;
}

TEST(what_is_reachable_survives_and_what_is_not_is_freed)
{
	struct build b = { 0 };
	struct made x;
	struct wasm_limits l = { .module_bytes = 16 << 20 };
	list_type(&b);
	buf_put(&b.globals, B(0x63, 0, 1, 0xd0, 0, END));
	b.global_count++;
	/* keeps a list of n in the global, and makes n * 100 others */
	build_func(&b, "make", "i:i", "i",
		B(0x03, 0x40, GET(0), 0x23, 0, 0xfb, 0, 0, 0x24, 0, 0x41, 0xe4,
			0, SET(1), 0x03, 0x40, I32(1), 0xd0, 0, 0xfb, 0, 0,
			0x1a, GET(1), I32(1), 0x6b, 0x22, 1, 0x0d, 0, END,
			GET(0), I32(1), 0x6b, 0x22, 0, 0x0d, 0, END, I32(0)));
	/* adds the list up */
	build_func(&b, "sum", ":i", "i",
		B(0x02, 0x40, 0x03, 0x40, 0x23, 0, 0xd1, 0x0d, 1, GET(0), 0x23,
			0, 0xfb, 2, 0, 0, 0x6a, SET(0), 0x23, 0, 0xfb, 2, 0, 1,
			0x24, 0, 0x0c, 0, END, END, GET(0)));
	made_limited(&x, &b, &l);
	made_call(&x, "make", "i", 10000u);
	CHECK(wasm_instance_footprint(x.i) < 8 << 20);
	CHECK_INT(made_call(&x, "sum", ""), 50005000);
	made_fini(&x);
}

TEST(a_long_list_is_collected_without_recursion)
{
	struct build b = { 0 };
	struct made x;
	list_type(&b);
	buf_put(&b.globals, B(0x63, 0, 1, 0xd0, 0, END));
	b.global_count++;
	build_func(&b, "make", "i:i", "",
		B(0x03, 0x40, GET(0), 0x23, 0, 0xfb, 0, 0, 0x24, 0, GET(0),
			I32(1), 0x6b, 0x22, 0, 0x0d, 0, END, I32(3)));
	made_init(&x, &b);
	CHECK_INT(made_call(&x, "make", "i", 1000000u), 3);
	made_fini(&x);
}

TEST(an_array_larger_than_memory_allows_is_a_trap)
{
	struct build b = { 0 };
	struct made x;
	struct wasm_limits l = { .module_bytes = 1 << 20 };
	buf_put(&b.types, B(0x5e, 0x7e, 1));
	b.type_count++;
	build_func(&b, "f", "i:i", "", B(GET(0), 0xfb, 7, 0, 0xfb, 15));
	made_limited(&x, &b, &l);
	CHECK_INT(made_call(&x, "f", "i", 1000u), 1000);
	CHECK_INT(made_trap(&x, "f", "i", 1000000u), WASM_TRAP_LIMIT);
	CHECK_INT(made_trap(&x, "f", "i", 0xffffffffu), WASM_TRAP_LIMIT);
	CHECK_INT(made_call(&x, "f", "i", 1000u), 1000);
	made_fini(&x);
}
