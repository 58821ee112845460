/* SPDX-License-Identifier: Apache-2.0 */
/* Long operations: fuel and interruption within them. */
#include "../test.h"
#include "helpers/build.h"

#define GET(i) 0x20, i
#define I32(i) 0x41, i
#define DROP   0x1a
/* What operations of 4 MiB and more take as their length. */
#define MANY 0x41, 0x80, 0x80, 0xc0, 2 /* 5 Mi */
#define HALF 0x41, 0x80, 0x80, 0x28    /* 640 Ki */

enum { NUMBERS, BYTES };

static bool two_more(void *ctx)
{
	unsigned *left = ctx;
	return *left && --*left;
}

/* Everything there is that takes long, without parameters. */
static void make(struct made *x)
{
	struct build b = { 0 };
	auto_buf data = { 0 };
	buf_put(&b.types, B(0x5e, 0x7e, 1, 0x5e, 0x78, 1));
	b.type_count += 2;
	uint8_t *zeros = buf_reserve(&data, 5 << 20);
	memset(zeros, 0, 5 << 20);
	buf_commit(&data, 5 << 20);
	build_memory(&b, 160, 400);
	buf_put(&b.tables, B(0x70, 1, 0x80, 0x80, 0x50, 0x80, 0x80, 0x50));
	b.table_count++;
	build_data(&b, true, 0, buf_bytes(&data));
	b.data_count_section = true;
	build_func(&b, "memory.fill", ":", "",
		B(I32(0), I32(7), MANY, 0xfc, 11, 0));
	build_func(&b, "memory.copy up", ":", "",
		B(MANY, I32(0), MANY, 0xfc, 10, 0, 0));
	build_func(&b, "memory.copy down", ":", "",
		B(I32(0), MANY, MANY, 0xfc, 10, 0, 0));
	build_func(&b, "memory.init", ":", "",
		B(I32(0), I32(0), MANY, 0xfc, 8, 0, 0));
	build_func(&b, "memory.grow", ":", "", B(0x41, 0xc8, 1, 0x40, 0, DROP));
	build_func(&b, "table.fill", ":", "",
		B(I32(0), 0xd0, 0x70, HALF, 0xfc, 17, 0));
	build_func(&b, "table.copy", ":", "",
		B(HALF, I32(0), HALF, 0xfc, 14, 0, 0));
	build_func(&b, "array.new", ":", "",
		B(0x42, 1, HALF, 0xfb, 6, NUMBERS, DROP));
	build_func(&b, "array.new_data", ":", "",
		B(I32(0), MANY, 0xfb, 9, BYTES, 0, DROP));
	build_func(&b, "array.fill", ":", "",
		B(HALF, 0xfb, 7, NUMBERS, I32(0), 0x42, 3, HALF, 0xfb, 16,
			NUMBERS));
	build_func(&b, "array.copy", ":", "",
		B(MANY, 0xfb, 7, BYTES, I32(0), MANY, 0xfb, 7, BYTES, I32(0),
			MANY, 0xfb, 17, BYTES, BYTES));
	build_func(&b, "size", ":i", "", B(0x3f, 0));
	build_func(&b, "at", "i:i", "", B(GET(0), 0x2d, 0, 0));
	made_init(x, &b);
}

static const char *const names[] = { "memory.fill", "memory.copy up",
	"memory.copy down", "memory.init", "memory.grow", "table.fill",
	"table.copy", "array.new", "array.new_data", "array.fill",
	"array.copy" };

static void run(struct made *x, const char *name, enum wasm_end want)
{
	uint64_t none;
	CHECK(wasm_call(x->i, name, NULL, 0, &none, 0, &x->r, &x->e));
	if (x->r.end != want)
		fail_msg("%s: end %d, not %d: %s", name, x->r.end, want,
			x->r.text);
}

TEST(every_long_operation_can_be_interrupted_within)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct made x;
		unsigned left = 3;
		make(&x);
		/* The function alone takes one unit, the operation 80,000; so
		 * the third time is amid it. */
		wasm_instance_tick(x.i, 10000, two_more, &left);
		run(&x, names[i], WASM_STOPPED);
		CHECK_INT(left, 0);
		left = 1000;
		run(&x, names[i], WASM_RETURNED);
		made_fini(&x);
	}
}

TEST(every_long_operation_costs_fuel_by_its_length)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct made x;
		make(&x);
		wasm_instance_fuel(x.i, 70000);
		run(&x, names[i], WASM_STOPPED);
		wasm_instance_fuel(x.i, 300000);
		run(&x, names[i], WASM_RETURNED);
		made_fini(&x);
	}
}

TEST(fuel_that_ends_amid_a_fill_at_the_edge_leaves_the_instance_whole)
{
	struct build b = { 0 };
	struct made x;
	uint64_t in[2] = { (64 - 48) << 16, 48 << 16 }, out;
	build_memory(&b, 64, 64);
	build_func(&b, "fill", "ii:i", "",
		B(GET(0), I32(9), GET(1), 0xfc, 11, 0, I32(1)));
	build_func(&b, "at", "i:i", "", B(GET(0), 0x2d, 0, 0));
	made_init(&x, &b);
	/* the last 3 MiB; enough for the first of them, and some */
	wasm_instance_fuel(x.i, 20000);
	CHECK(wasm_call(x.i, "fill", in, 2, &out, 1, &x.r, &x.e));
	CHECK_INT(x.r.end, WASM_STOPPED);
	wasm_instance_fuel(x.i, UINT64_MAX);
	CHECK_INT(made_call(&x, "at", "i", 16u << 16), 9);
	CHECK_INT(made_call(&x, "at", "i", (64u << 16) - 1), 0);
	CHECK_INT(made_call(&x, "fill", "ii", 16u << 16, 48u << 16), 1);
	CHECK_INT(made_call(&x, "at", "i", (64u << 16) - 1), 9);
	made_fini(&x);
}

TEST(memory_whose_growing_was_interrupted_has_not_grown)
{
	struct made x;
	make(&x);
	wasm_instance_fuel(x.i, 40000);
	run(&x, "memory.grow", WASM_STOPPED);
	wasm_instance_fuel(x.i, UINT64_MAX);
	CHECK_INT(made_call(&x, "size", ""), 160);
	CHECK_INT(made_trap(&x, "at", "i", 160u << 16), WASM_TRAP_MEMORY);
	run(&x, "memory.grow", WASM_RETURNED);
	CHECK_INT(made_call(&x, "size", ""), 360);
	CHECK_INT(made_call(&x, "at", "i", (360u << 16) - 1), 0);
	made_fini(&x);
}
