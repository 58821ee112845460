/* SPDX-License-Identifier: Apache-2.0 */
#include "../test.h"
#include "helpers/build.h"

#define GET(i) 0x20, i
#define I32(i) 0x41, i

/* A memory of one page that says it is shared. */
static void shared_memory(struct build *b)
{
	buf_put(&b->memories, B(3, 1, 1));
	b->memory_count++;
}

TEST(every_read_modify_write_gives_the_old_value_and_writes_the_new)
{
	static const struct {
		uint8_t op;
		uint32_t becomes; /* of 0xf0 and 0x3c */
	} cases[] = { { 0x1e, 0x12c }, { 0x25, 0xb4 }, { 0x2c, 0x30 },
		{ 0x33, 0xfc }, { 0x3a, 0xcc }, { 0x41, 0x3c } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct build b = { 0 };
		struct made x;
		build_memory(&b, 1, 1);
		build_func(&b, "init", "i:i", "",
			B(I32(8), GET(0), 0xfe, 0x17, 2, 0, I32(0)));
		build_func(&b, "rmw", "i:i", "",
			B(I32(0), GET(0), 0xfe, cases[i].op, 2, 8));
		build_func(&b, "narrow", "i:i", "",
			B(I32(8), GET(0), 0xfe, (uint8_t)(cases[i].op + 2), 0,
				0));
		build_func(&b, "get", ":i", "", B(I32(8), 0xfe, 0x10, 2, 0));
		made_init(&x, &b);
		made_call(&x, "init", "i", 0xf0u);
		CHECK_INT(made_call(&x, "rmw", "i", 0x3cu), 0xf0);
		CHECK_INT(made_call(&x, "get", ""), cases[i].becomes);
		made_call(&x, "init", "i", 0xaaf0u);
		CHECK_INT(made_call(&x, "narrow", "i", 0x3cu), 0xf0);
		CHECK_INT(made_call(&x, "get", ""),
			0xaa00 | (cases[i].becomes & 0xff));
		made_fini(&x);
	}
}

TEST(compare_and_exchange_compares_the_whole_expected_value)
{
	struct build b = { 0 };
	struct made x;
	build_memory(&b, 1, 1);
	build_func(&b, "xchg", "ii:i", "",
		B(I32(4), GET(0), GET(1), 0xfe, 0x48, 2, 0));
	build_func(&b, "narrow", "ii:i", "",
		B(I32(4), GET(0), GET(1), 0xfe, 0x4a, 0, 0));
	build_func(&b, "get", ":i", "", B(I32(4), 0x28, 2, 0));
	made_init(&x, &b);
	CHECK_INT(made_call(&x, "xchg", "ii", 1u, 9u), 0);
	CHECK_INT(made_call(&x, "get", ""), 0);
	CHECK_INT(made_call(&x, "xchg", "ii", 0u, 0x109u), 0);
	CHECK_INT(made_call(&x, "narrow", "ii", 0x109u, 7u), 9);
	CHECK_INT(made_call(&x, "get", ""), 0x109);
	CHECK_INT(made_call(&x, "narrow", "ii", 9u, 7u), 9);
	CHECK_INT(made_call(&x, "get", ""), 0x107);
	made_fini(&x);
}

TEST(an_atomic_access_has_to_be_aligned_and_within_memory)
{
	struct build b = { 0 };
	struct made x;
	build_memory(&b, 1, 1);
	build_func(&b, "f", "i:I", "", B(GET(0), 0xfe, 0x11, 3, 0));
	made_init(&x, &b);
	CHECK_INT(made_trap(&x, "f", "i", 4u), WASM_TRAP_UNALIGNED);
	CHECK_INT(made_call(&x, "f", "i", 65528u), 0);
	CHECK_INT(made_trap(&x, "f", "i", 65536u), WASM_TRAP_MEMORY);
	made_fini(&x);
	build_memory(&b, 1, 1);
	build_func(&b, "f", "i:I", "", B(GET(0), 0xfe, 0x11, 2, 0));
	refused(&b, "atomic alignment must be natural");
}

TEST(waiting_ends_at_once_and_waiting_for_ever_is_a_trap)
{
	struct build b = { 0 };
	struct made x;
	shared_memory(&b);
	build_func(&b, "wait", "iI:i", "",
		B(I32(0), GET(0), GET(1), 0xfe, 1, 2, 0));
	build_func(&b, "notify", ":i", "", B(I32(0), I32(1), 0xfe, 0, 2, 0));
	build_func(&b, "fence", ":i", "", B(0xfe, 3, 0, I32(1)));
	made_init(&x, &b);
	CHECK_INT(made_call(&x, "wait", "iI", 1u, (uint64_t)5), 1);
	CHECK_INT(made_call(&x, "wait", "iI", 0u, (uint64_t)5), 2);
	CHECK_INT(made_trap(&x, "wait", "iI", 0u, UINT64_MAX),
		WASM_TRAP_DEADLOCK);
	CHECK_INT(made_call(&x, "notify", ""), 0);
	CHECK_INT(made_call(&x, "fence", ""), 1);
	made_fini(&x);
}

TEST(waiting_needs_a_shared_memory)
{
	struct build b = { 0 };
	struct made x;
	build_memory(&b, 1, 1);
	build_func(&b, "wait", "i:i", "",
		B(I32(0), GET(0), 0x42, 0, 0xfe, 1, 2, 0));
	made_init(&x, &b);
	CHECK_INT(made_trap(&x, "wait", "i", 0u), WASM_TRAP_NOT_SHARED);
	made_fini(&x);
}
