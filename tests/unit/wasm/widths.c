/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is 32 bits wide, used as 64: register code keeps zeros above it, so
 * that i64.load32_u, i64.extend_i32_u and reinterpretations cost nothing; in a
 * vector register there may be anything above it.
 */
#include "../test.h"
#include "helpers/pair.h"

#if defined(__x86_64__)
#define GET(i)	      0x20, i
#define SET(i)	      0x21, i
#define TEE(i)	      0x22, i
#define GLOBAL_GET(i) 0x23, i
#define GLOBAL_SET(i) 0x24, i
#define I32(i)	      0x41, i
#define I64_WIDE      0x42, 0x89, 0xaf, 0xd1, 0xac, 0x92, 0x13 /* 41 bits */
#define F64_1_5	      0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f
#define AND	      0x71
#define SELECT	      0x1b
#define END	      0x0b
#define ELSE	      0x05
#define IF	      0x04, 0x40
#define LOAD32_U      0x35, 2, 0 /* i64.load32_u */
#define I64_LOAD(at)  0x29, 3, at
#define I64_STORE     0x37, 3, 8
#define F64_STORE     0x39, 3, 8
#define AS_F64	      0xbf
#define AS_I64	      0xbd
#define AS_I32	      0xbc
#define EXTEND_U      0xad
#define I64_ADD	      0x7c
#define F64_EQ	      0x61
/* The root of x as an f32, made where an f64 was. */
#define ROOT GET(0), 0xb7, 0x9f, 0xb6
/* [0] is x, and behind it are ones. */
#define PUT_X I32(0), GET(0), 0x36, 2, 0, I32(4), I32(0x7f), 0x36, 2, 0
#define SHORT I32(0), LOAD32_U, AS_F64
/* Local i wants to be a float. */
#define EQUAL(i) GET(i), GET(i), F64_EQ
#define ODD	 GET(0), I32(1), AND

enum { A_DOUBLE, A_LONG };

static void choices(struct build *b)
{
	build_func(b, "choose_global", "i:I", "F",
		B(PUT_X, SHORT, TEE(1), F64_1_5, EQUAL(1), ODD, AND, SELECT,
			GLOBAL_SET(A_DOUBLE), GLOBAL_GET(A_DOUBLE), AS_I64));
	build_func(b, "choose_memory", "i:I", "F",
		B(PUT_X, I32(0), SHORT, TEE(1), F64_1_5, EQUAL(1), ODD, AND,
			SELECT, F64_STORE, I32(0), I64_LOAD(8)));
	build_func(b, "join_global", "i:I", "F",
		B(PUT_X, ODD, IF, SHORT, SET(1), ELSE, F64_1_5, SET(1), END,
			GET(1), GLOBAL_SET(A_DOUBLE), GLOBAL_GET(A_DOUBLE),
			AS_I64, EQUAL(1), EXTEND_U, I64_ADD));
	build_func(b, "join_short", "i:I", "F",
		B(PUT_X, ODD, IF, SHORT, SET(1), ELSE, F64_1_5, SET(1), END,
			EQUAL(1), EXTEND_U, I32(0), GET(1), F64_STORE, I32(0),
			I64_LOAD(8), I64_ADD));
}

static void extensions(struct build *b)
{
	build_func(b, "extend_memory", "i:I", "",
		B(I32(0), ROOT, AS_I32, EXTEND_U, I64_STORE, I32(0),
			I64_LOAD(8)));
	build_func(b, "extend_global", "i:I", "",
		B(ROOT, AS_I32, EXTEND_U, GLOBAL_SET(A_LONG),
			GLOBAL_GET(A_LONG)));
	build_func(b, "extend_result", "i:I", "", B(ROOT, AS_I32, EXTEND_U));
	build_func(b, "extend_join", "i:I", "I",
		B(ODD, IF, ROOT, AS_I32, EXTEND_U, SET(1), ELSE, I64_WIDE,
			SET(1), END, GET(1), AS_F64, GET(1), AS_F64, F64_EQ,
			EXTEND_U, GET(1), GLOBAL_SET(A_LONG),
			GLOBAL_GET(A_LONG), I64_ADD));
	build_func(b, "extend_choice", "i:I", "I",
		B(ROOT, AS_I32, EXTEND_U, TEE(1), I64_WIDE, GET(1), AS_F64,
			GET(1), AS_F64, F64_EQ, ODD, AND, SELECT,
			GLOBAL_SET(A_LONG), GLOBAL_GET(A_LONG)));
}

static void widths(struct wasm_limits l)
{
	static const char *const names[] = { "choose_global", "choose_memory",
		"join_global", "join_short", "extend_memory", "extend_global",
		"extend_result", "extend_join", "extend_choice" };
	struct build b = { 0 };
	struct pair p;
	build_memory(&b, 1, 1);
	buf_put(&b.globals, B(0x7c, 1, F64_1_5, END));
	b.global_count++;
	build_global(&b, 'I', true, -1);
	choices(&b);
	extensions(&b);
	pair_limited(&p, &b, l);
	for (size_t k = 0; k < ARRAY_LEN(names); k++)
		for (uint64_t x = 0; x < 8; x++)
			both(&p, names[k], x * 0x01234567);
	if (!l.jit_stress)
		CHECK_INT(compiled(&p), ARRAY_LEN(names));
	pair_fini(&p);
}

TEST(what_is_32_bits_wide_has_zeros_above_where_64_are_used)
{
	widths((struct wasm_limits){ 0 });
}

TEST(so_it_has_with_few_registers_and_on_the_stack)
{
	for (uint64_t seed = 1; seed < 60; seed++)
		widths((struct wasm_limits){ .jit_stress = seed });
}
#else
TEST(the_compiler_is_for_x86_64)
{
	SKIP("no x86-64");
}
#endif
