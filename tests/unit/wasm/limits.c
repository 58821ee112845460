/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a module can make big: it works, or it is refused by name. */
#include "../test.h"
#include "helpers/build.h"

#define GET(i) 0x20, i
#define I32(i) 0x41, i
#define END    0x0b

TEST(blocks_may_nest_as_deep_as_a_body_is_long)
{
	struct build b = { 0 };
	struct made x;
	auto_buf code = { 0 };
	enum { DEPTH = 200000 };
	for (int i = 0; i < DEPTH; i++)
		buf_put(&code, B(0x02, 0x40));
	for (int i = 0; i < DEPTH; i++)
		buf_u8(&code, END);
	buf_put(&code, B(I32(3)));
	build_func(&b, "f", ":i", "", buf_bytes(&code));
	made_init(&x, &b);
	CHECK_INT(made_call(&x, "f", ""), 3);
	made_fini(&x);
}

TEST(a_function_may_have_fifty_thousand_locals)
{
	struct build b = { 0 };
	struct made x;
	struct wasm_limits l = { 0 };
	auto_buf code = { 0 };
	static const uint64_t counts[] = { 50000, 50001, 100000 };
	for (size_t k = 0; k < ARRAY_LEN(counts); k++) {
		uint64_t n = counts[k];
		struct buf body = { 0 };
		leb(&body, 1);
		leb(&body, n);
		buf_u8(&body, 0x7f);
		/* the last one: get, add 1, set, get */
		buf_u8(&body, 0x20);
		leb(&body, 49999);
		buf_put(&body, B(I32(1), 0x6a, 0x21));
		leb(&body, 49999);
		buf_u8(&body, 0x20);
		leb(&body, 49999);
		buf_u8(&body, END);
		leb(&b.funcs, build_type(&b, ":i"));
		b.func_count++;
		leb(&b.codes, body.len);
		buf_put(&b.codes, buf_bytes(&body));
		b.code_count++;
		build_export(&b, "f", 0, 0);
		buf_fini(&body);
		if (n > 50000) {
			refused(&b, "too many locals");
			continue;
		}
		made_limited(&x, &b, &l);
		CHECK_INT(made_call(&x, "f", ""), 1);
		CHECK_INT(made_call(&x, "f", ""), 1);
		made_fini(&x);
	}
	(void)code;
}

TEST(four_billion_locals_are_refused)
{
	struct build b = { 0 };
	build_func(&b, "f", ":", "", NONE);
	buf_fini(&b.codes);
	leb(&b.codes, 8);
	buf_put(&b.codes, B(1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x7f, END));
	refused(&b, "too many locals");
}

/* A function (param i32) of those bytes, which may end anywhere. */
static bool loads(const uint8_t *code, size_t n)
{
	struct wasm_module *m = NULL;
	struct err e = { 0 };
	auto_buf b = { 0 };
	buf_put(&b, BYTES_LIT("\0asm\1\0\0\0\1\5\1\x60\1\x7f\0\3\2\1\0"));
	buf_put(&b, BYTES_LIT("\5\3\1\0\1\x0a"));
	leb(&b, n + 2);
	buf_u8(&b, 1);
	leb(&b, n);
	buf_put(&b, bytes_of(code, n));
	bool ok = wasm_module_new(buf_bytes(&b), NULL, &m, &e);
	if (!ok)
		CHECK_INT(e.kind, ERR_INPUT);
	wasm_module_free(m);
	return ok;
}

TEST(a_body_cut_short_anywhere_is_refused)
{
	/* one of each kind of operand that an instruction has */
	static const uint8_t code[] = { 2, 3, 0x7f, 1, 0x7b, 0x41, 0xff, 0x7e,
		0x1a, 0x42, 0x80, 0x80, 1, 0x1a, 0x43, 0, 0, 0x80, 0x3f, 0x1a,
		0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x1a, 0xfd, 12, 0, 1, 2, 3,
		4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0x1a, 2, 0x40, 3,
		0x7f, 0x20, 0, 0x04, 0x7f, 0x20, 0, 0x05, 0x20, 1, 0x0b, 0x0b,
		0x0d, 0, 0x20, 0, 0x0e, 2, 0, 1, 0, 0x0b, 0x20, 0, 0x28, 2,
		0x80, 1, 0x1a, 0x20, 0, 0xfd, 0x5a, 2, 4, 3, 0x0b };
	CHECK(!loads(code, sizeof code)); /* the lane is of nothing */
	uint8_t good[sizeof code];
	memcpy(good, code, sizeof code);
	/* a v128 for it to store */
	static const uint8_t tail[] = { 0x20, 0, 0x20, 4, 0xfd, 0x5a, 2, 4, 3,
		0x0b };
	auto_buf b = { 0 };
	buf_put(&b, bytes_of(good, sizeof good - 8));
	buf_put(&b, bytes_of(tail, sizeof tail));
	CHECK(loads(b.ptr, b.len));
	for (size_t n = 0; n < b.len; n++)
		if (loads(b.ptr, n))
			fail_msg("%zu of %zu bytes are enough", n, b.len);
}

TEST(a_body_may_be_a_megabyte_long)
{
	struct build b = { 0 };
	struct made x;
	auto_buf code = { 0 };
	buf_put(&code, B(I32(0)));
	for (int i = 0; i < 400000; i++)
		buf_put(&code, B(I32(1), 0x6a));
	build_func(&b, "f", ":i", "", buf_bytes(&code));
	made_init(&x, &b);
	CHECK_INT(made_call(&x, "f", ""), 400000);
	made_fini(&x);
}

TEST(a_hundred_thousand_functions_call_each_other)
{
	struct build b = { 0 };
	struct made x;
	enum { N = 100000 };
	uint32_t t = build_type(&b, "i:i");
	for (uint32_t i = 0; i < N; i++) {
		struct buf body = { 0 };
		buf_put(&body, B(0, GET(0), I32(1), 0x6a));
		if (i % 100) {
			buf_u8(&body, 0x10);
			leb(&body, i - 1);
		}
		buf_u8(&body, END);
		leb(&b.funcs, t);
		leb(&b.codes, body.len);
		buf_put(&b.codes, buf_bytes(&body));
		buf_fini(&body);
	}
	b.func_count = b.code_count = N;
	build_export(&b, "f", 0, N - 1);
	made_init(&x, &b);
	CHECK_INT(made_call(&x, "f", "i", 0u), 100);
	CHECK(wasm_module_footprint(x.m) < 32u << 20);
	made_fini(&x);
}

TEST(values_piled_up_beyond_the_frame_are_refused)
{
	struct build b = { 0 };
	auto_buf code = { 0 };
	for (int i = 0; i < 70000; i++)
		buf_put(&code, B(I32(1)));
	for (int i = 0; i < 69999; i++)
		buf_u8(&code, 0x6a);
	build_func(&b, "f", ":i", "", buf_bytes(&code));
	refused(&b, "too many values");
}

TEST(endless_recursion_ends_in_a_trap_and_the_instance_lives_on)
{
	struct build b = { 0 };
	struct made x;
	build_func(&b, "f", ":i", "", B(0x10, 0));
	build_func(&b, "g", ":i", "", B(I32(4)));
	made_init(&x, &b);
	CHECK_INT(made_trap(&x, "f", ""), WASM_TRAP_STACK);
	CHECK_HAS(x.r.text, "call stack exhausted");
	CHECK_INT(made_call(&x, "g", ""), 4);
	made_fini(&x);
}

TEST(the_depth_of_calls_has_a_limit_of_its_own)
{
	struct build b = { 0 };
	struct made x;
	struct wasm_limits l = { .call_depth = 50, .stack_bytes = 1 << 20 };
	/* f(n) = n ? f(n - 1) : 7 */
	build_func(&b, "f", "i:i", "",
		B(GET(0), 0x04, 0x7f, GET(0), I32(1), 0x6b, 0x10, 0, 0x05,
			I32(7), END));
	made_limited(&x, &b, &l);
	CHECK_INT(made_call(&x, "f", "i", 45u), 7);
	CHECK_INT(made_trap(&x, "f", "i", 50u), WASM_TRAP_STACK);
	made_fini(&x);
}

TEST(frames_have_to_fit_the_stack)
{
	struct build b = { 0 };
	struct made x;
	struct wasm_limits l = { .stack_bytes = 4096 };
	build_func(&b, "f", "i:i", "",
		B(GET(0), 0x04, 0x7f, GET(0), I32(1), 0x6b, 0x10, 0, 0x05,
			I32(7), END));
	made_limited(&x, &b, &l);
	CHECK_INT(made_call(&x, "f", "i", 20u), 7);
	CHECK_INT(made_trap(&x, "f", "i", 1000u), WASM_TRAP_STACK);
	made_fini(&x);
}

TEST(memories_together_stay_below_the_limit)
{
	struct build b = { 0 };
	struct made x;
	struct wasm_limits l = { .memory_bytes = 3 * 65536 };
	build_memory(&b, 1, UINT64_MAX);
	build_memory(&b, 1, UINT64_MAX);
	build_func(&b, "grow", "i:i", "", B(GET(0), 0x40, 1));
	made_limited(&x, &b, &l);
	CHECK_INT(made_call(&x, "grow", "i", 2u), 0xffffffffu);
	CHECK_INT(made_call(&x, "grow", "i", 1u), 1);
	CHECK_INT(made_call(&x, "grow", "i", 1u), 0xffffffffu);
	CHECK(wasm_instance_footprint(x.i) >= 3 * 65536);
	made_fini(&x);
}

TEST(a_memory_larger_than_the_limit_is_refused_by_name)
{
	struct build b = { 0 };
	struct wasm_limits l = { .memory_bytes = 65536 };
	struct wasm_module *m;
	struct wasm_instance *i;
	struct err e = { 0 };
	auto_buf out = { 0 };
	build_memory(&b, 2, UINT64_MAX);
	build_done(&b, &out);
	CHECK(wasm_module_new(buf_bytes(&out), &l, &m, &e));
	CHECK(!wasm_instance_new(m, NULL, 0, &l, &i, NULL, &e));
	CHECK_HAS(e.text, "memory 0: 2 pages are too many");
	CHECK_INT(e.kind, ERR_LIMIT);
	wasm_module_free(m);
}

TEST(a_table_larger_than_the_limit_is_refused_by_name)
{
	struct build b = { 0 };
	struct wasm_limits l = { .table_elems = 100 };
	struct wasm_module *m;
	struct wasm_instance *i;
	struct err e = { 0 };
	auto_buf out = { 0 };
	build_table(&b, 60, 1000);
	build_table(&b, 60, 1000);
	build_done(&b, &out);
	CHECK(wasm_module_new(buf_bytes(&out), &l, &m, &e));
	CHECK(!wasm_instance_new(m, NULL, 0, &l, &i, NULL, &e));
	CHECK_HAS(e.text, "table 1: 60 elements are too many");
	wasm_module_free(m);
}

TEST(a_module_that_needs_more_memory_than_allowed_is_refused)
{
	struct build b = { 0 };
	struct wasm_limits l = { .module_bytes = 100000 };
	struct wasm_module *m;
	struct err e = { 0 };
	auto_buf code = { 0 }, out = { 0 };
	for (int i = 0; i < 30000; i++)
		buf_put(&code, B(0x20, 0, I32(1), 0x6a, 0x21, 0));
	build_func(&b, "f", "i:", "", buf_bytes(&code));
	build_done(&b, &out);
	CHECK(!wasm_module_new(buf_bytes(&out), &l, &m, &e));
	CHECK_HAS(e.text, "out of memory for the module");
	CHECK_INT(e.kind, ERR_LIMIT);
}

TEST(a_small_module_takes_little_memory)
{
	struct build b = { 0 };
	struct made x;
	build_memory(&b, 2, UINT64_MAX);
	build_func(&b, "f", ":i", "", B(I32(1)));
	made_init(&x, &b);
	CHECK(wasm_module_footprint(x.m) < 16384);
	CHECK(wasm_instance_footprint(x.i) < 2 * 65536 + 64 * 1024);
	made_fini(&x);
}

TEST(thirty_megabytes_of_functions_take_memory_in_proportion)
{
	struct build b = { 0 };
	auto_buf bytes = { 0 }, code = { 0 };
	struct wasm_module *m;
	struct err e = { 0 };
	build_memory(&b, 1, 1);
	while (code.len < 1680)
		buf_put(&code,
			B(0x20, 0, 0x20, 1, 0x28, 2, 8, 0x6a, 0x21, 1, 2, 0x40,
				0x20, 1, I32(5), 0x4a, 0x0d, 0, 0x20, 0, 0x20,
				1, I32(3), 0x6c, 0x36, 2, 16, END));
	for (int i = 0; i < 18000; i++)
		build_func(&b, NULL, "ii:", "", buf_bytes(&code));
	build_done(&b, &bytes);
	CHECK(bytes.len > 30000000);
	CHECK(wasm_module_new(buf_bytes(&bytes), NULL, &m, &e));
	CHECK(wasm_module_footprint(m) < 2 * bytes.len);
	wasm_module_free(m);
	/* and not a byte more than was allowed */
	struct wasm_limits l = { .module_bytes = 16 << 20 };
	CHECK(!wasm_module_new(buf_bytes(&bytes), &l, &m, &e));
	CHECK_INT(e.kind, ERR_LIMIT);
}
