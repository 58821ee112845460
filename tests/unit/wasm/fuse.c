/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instructions that become part of others: loads as operands, sums, halving.
 * Compiled beside the interpreter, which is right.
 */
#include "../test.h"
#include "helpers/pair.h"

#if defined(__x86_64__)
#define GET(i)	  0x20, i
#define SET(i)	  0x21, i
#define I32(i)	  0x41, i
#define LOAD(at)  0x28, 0, at
#define LOAD8(at) 0x2d, 0, at
#define STORE(at) 0x36, 0, at
#define ADD	  0x6a
#define END	  0x0b
#define WRAP	  0xa7
#define EXTEND	  0xad

/* Eight bytes at 16 that are all different, 1.5 at 32, 2.25 at 40. */
static void start(struct build *b)
{
	build_memory(b, 1, 1);
	build_data(b, false, 16,
		B(0x81, 0x12, 0xf3, 0x24, 0x75, 0x86, 0x97, 0xe8));
	build_data(b, false, 32,
		B(0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 2, 0x40));
}

static void run(struct build *b, const uint64_t *values, size_t n)
{
	struct pair p;
	pair_init(&p, b);
	for (size_t k = 0; k < n; k++)
		both(&p, "f", values[k]);
	CHECK_INT(compiled(&p), 1);
	pair_fini(&p);
}

static void check(const char *sig, const char *locals, struct bytes code,
	const uint64_t *values, size_t n)
{
	struct build b = { 0 };
	start(&b);
	build_func(&b, "f", sig, locals, code);
	run(&b, values, n);
}

static const uint64_t numbers[] = { 0, 1, 2, 3, 5, 16, 127, 128, 255, 256,
	0x7fffffff, 0x80000000, 0x80000001, 0xfffffffd, 0xffffffff };

TEST(operations_take_their_operands_from_memory)
{
	/* add sub mul and or xor, then eq to ge_u */
	static const uint8_t ops[] = { 0x6a, 0x6b, 0x6c, 0x71, 0x72, 0x73, 0x46,
		0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f };
	for (size_t k = 0; k < sizeof ops; k++) {
		check("i:i", "", B(GET(0), I32(0), LOAD(16), ops[k]), numbers,
			ARRAY_LEN(numbers));
		check("i:i", "", B(I32(0), LOAD(16), GET(0), ops[k]), numbers,
			ARRAY_LEN(numbers));
		check("i:i", "",
			B(GET(0), GET(0), I32(63), 0x71, LOAD(16), ops[k]),
			numbers, ARRAY_LEN(numbers));
	}
}

TEST(float_operations_take_their_operands_from_memory)
{
	/* add sub mul div; eq to ge */
	static const uint8_t ops[] = { 0xa0, 0xa1, 0xa2, 0xa3 },
			     tests[] = { 0x61, 0x62, 0x63, 0x64, 0x65, 0x66 };
	for (size_t k = 0; k < sizeof ops; k++)
		check("i:F", "",
			B(GET(0), 0xb7, I32(0), 0x2b, 0, 32, ops[k], I32(0),
				0x2b, 0, 40, ops[k]),
			numbers, ARRAY_LEN(numbers));
	for (size_t k = 0; k < sizeof tests; k++) {
		check("i:i", "", B(GET(0), 0xb7, I32(0), 0x2b, 0, 40, tests[k]),
			numbers, ARRAY_LEN(numbers));
		check("i:i", "", B(I32(0), 0x2b, 0, 40, GET(0), 0xb7, tests[k]),
			numbers, ARRAY_LEN(numbers));
	}
}

TEST(bytes_are_compared_where_they_lie)
{
	/* eq to ge_u of a byte that is 0x81, 0x12, 0x75 with constants */
	static const uint8_t at[] = { 16, 17, 20 };
	static const uint8_t with[][3] = { { 0x41, 0x81, 1 }, { 0x41, 0x12, 1 },
		{ 0x41, 0xf5, 0 }, { 0x41, 0xff, 1 }, { 0x41, 0x80, 2 } };
	for (size_t a = 0; a < sizeof at; a++)
		for (size_t k = 0; k < ARRAY_LEN(with); k++)
			for (uint8_t op = 0x46; op <= 0x4f; op++)
				check("i:i", "",
					B(I32(0), LOAD8(at[a]), with[k][0],
						with[k][1], with[k][2], op,
						0x04, 0x7f, I32(3), 0x05,
						I32(4), END),
					numbers, 1);
}

TEST(a_load_is_done_before_the_store_that_follows_it)
{
	check("i:i", "ii",
		B(I32(0), LOAD(16), SET(1), I32(0), GET(0), STORE(18), I32(0),
			LOAD(16), SET(2), GET(1), GET(2), ADD),
		numbers, ARRAY_LEN(numbers));
	check("i:i", "i",
		B(GET(0), I32(63), 0x71, LOAD(0), SET(1), GET(0), I32(63), 0x71,
			GET(0), STORE(0), GET(0), GET(1), 0x6b),
		numbers, ARRAY_LEN(numbers));
}

TEST(a_load_traps_before_what_follows_it)
{
	/* the load, then a division by zero, then who reads the load */
	static const uint64_t values[] = { 0, 0xffffff00 };
	check("i:i", "ii",
		B(GET(0), LOAD(0), SET(1), I32(7), GET(0), GET(0), 0x73, 0x6d,
			SET(2), GET(1), GET(2), ADD),
		values, 2);
	/* an access that counts on the check of the load before it */
	check("i:i", "ii",
		B(GET(0), LOAD(0), SET(1), GET(0), I32(1), STORE(0), GET(0),
			GET(1), ADD),
		values, 2);
	check("i:i", "ii",
		B(GET(0), LOAD(0), SET(1), GET(0), LOAD(0), SET(2), GET(2),
			I32(3), 0x6c, GET(1), ADD),
		values, 2);
}

TEST(halves_are_rounded_towards_zero)
{
	static const int8_t by[] = { 1, 2, 4, 32, -1, -2, -4, -64 };
	for (size_t k = 0; k < sizeof by; k++) {
		uint8_t d = (uint8_t)by[k] & 0x7f;
		check("i:i", "", B(GET(0), I32(d), 0x6d), numbers,
			ARRAY_LEN(numbers));
		check("i:i", "", B(GET(0), I32(d), 0x6f), numbers,
			ARRAY_LEN(numbers));
	}
}

TEST(what_cancels_out_leaves_the_lower_half)
{
	static const uint64_t values[] = { 5, 0x100000005, ~0ull };
	check("I:I", "", B(GET(0), WRAP, I32(1), ADD, I32(0x7f), ADD, EXTEND),
		values, 3);
}

TEST(sums_with_a_scaled_operand_and_a_constant)
{
	for (uint8_t shift = 0; shift <= 4; shift++)
		check("i:i", "",
			B(GET(0), I32(shift), 0x74, 0x41, 0xd0, 0x9c, 0x01,
				ADD),
			numbers, ARRAY_LEN(numbers));
}

#endif
