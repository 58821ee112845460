/* SPDX-License-Identifier: Apache-2.0 */
/* The classes of mistakes that other engines made, one test for each. */
#include <stdlib.h>

#include "../test.h"
#include "helpers/build.h"

#define GET(i) 0x20, i
#define SET(i) 0x21, i
#define TEE(i) 0x22, i
#define I32(i) 0x41, i /* -64 to 63 */
#define ADD    0x6a
#define END    0x0b

TEST(an_index_with_its_top_bit_set_is_not_negative)
{
	struct build b = { 0 };
	struct made x;
	build_memory(&b, 1, 1);
	/* Through a local, the stack and a call: always 32 bits, unsigned. */
	uint32_t id = build_func(&b, NULL, "i:i", "", B(GET(0)));
	build_func(&b, "load", "i:i", "i",
		B(GET(0), 0x10, (uint8_t)id, TEE(1), I32(0), ADD, 0x2d, 0, 0));
	build_func(&b, "wide", "i:I", "", B(GET(0), 0xad));
	made_init(&x, &b);
	CHECK_INT(made_trap(&x, "load", "i", 0x80000000u), WASM_TRAP_MEMORY);
	CHECK_INT(made_trap(&x, "load", "i", 0xffffffffu), WASM_TRAP_MEMORY);
	CHECK_INT(made_call(&x, "load", "i", 0xffffu), 0);
	CHECK_INT(made_call(&x, "wide", "i", 0x80000000u), 0x80000000u);
	made_fini(&x);
}

TEST(an_address_and_an_offset_may_add_up_beyond_32_bits)
{
	struct build b = { 0 };
	struct made x;
	build_memory(&b, 1, 1);
	/* offset 0xffffffff */
	build_func(&b, "far", "i:i", "",
		B(GET(0), 0x28, 2, 0xff, 0xff, 0xff, 0xff, 0x0f));
	build_func(&b, "near", "i:i", "", B(GET(0), 0x28, 2, 0xfc, 0xff, 3));
	build_func(&b, "folded", ":i", "", B(I32(0x7f), 0x28, 2, 4));
	made_init(&x, &b);
	CHECK_INT(made_trap(&x, "far", "i", 1u), WASM_TRAP_MEMORY);
	CHECK_INT(made_trap(&x, "far", "i", 0xffffffffu), WASM_TRAP_MEMORY);
	CHECK_INT(made_call(&x, "near", "i", 0u), 0);
	CHECK_INT(made_trap(&x, "near", "i", 1u), WASM_TRAP_MEMORY);
	CHECK_INT(made_trap(&x, "near", "i", 0xffffffffu), WASM_TRAP_MEMORY);
	CHECK_INT(made_trap(&x, "folded", ""), WASM_TRAP_MEMORY);
	made_fini(&x);
}

TEST(growing_gives_32_bits_whatever_happens)
{
	struct build b = { 0 };
	struct made x;
	build_memory(&b, 1, 2);
	build_table(&b, 1, 2);
	build_func(&b, "memory", "i:I", "", B(GET(0), 0x40, 0, 0xad));
	build_func(&b, "table", "i:I", "",
		B(0xd0, 0x70, GET(0), 0xfc, 15, 0, 0xad));
	made_init(&x, &b);
	CHECK_INT(made_call(&x, "memory", "i", 1u), 1);
	CHECK_INT(made_call(&x, "memory", "i", 1u), 0xffffffffu);
	CHECK_INT(made_call(&x, "memory", "i", 0xffffffffu), 0xffffffffu);
	CHECK_INT(made_call(&x, "memory", "i", 0u), 2);
	CHECK_INT(made_call(&x, "table", "i", 1u), 1);
	CHECK_INT(made_call(&x, "table", "i", 1u), 0xffffffffu);
	CHECK_INT(made_call(&x, "table", "i", 0xffffffffu), 0xffffffffu);
	made_fini(&x);
}

TEST(memory_that_has_grown_is_zero_and_usable_at_once)
{
	struct build b = { 0 };
	struct made x;
	build_memory(&b, 1, 3);
	build_func(&b, "f", ":i", "",
		B(I32(1), 0x40, 0, 0x1a, 0x41, 0xf8, 0xff, 7, 0x28, 2, 0, 0x41,
			0xf8, 0xff, 7, I32(5), 0x36, 2, 0, 0x41, 0xf8, 0xff, 7,
			0x28, 2, 0, ADD));
	made_init(&x, &b);
	CHECK_INT(made_call(&x, "f", ""), 5);
	made_fini(&x);
}

TEST(a_new_instance_knows_nothing_of_the_one_before)
{
	struct build b = { 0 };
	struct made x;
	struct wasm_instance *second;
	static const uint8_t first[] = { 0 };
	build_memory(&b, 1, 1);
	build_table(&b, 4, 4);
	build_global(&b, 'i', true, 7);
	build_elem(&b, 1, first, 1);
	build_func(&b, "set", "i:i", "",
		B(I32(0), GET(0), 0x36, 2, 0, GET(0), 0x24, 0, I32(2), 0xd2, 0,
			0x26, 0, I32(0)));
	build_func(&b, "get", ":i", "",
		B(I32(0), 0x28, 2, 0, 0x23, 0, ADD, I32(2), 0x25, 0, 0xd1,
			ADD));
	made_init(&x, &b);
	CHECK_INT(made_call(&x, "set", "i", 100u), 0);
	CHECK_INT(made_call(&x, "get", ""), 200);
	CHECK(wasm_instance_new(x.m, NULL, 0, NULL, &second, NULL, &x.e));
	wasm_instance_free(x.i);
	x.i = second;
	CHECK_INT(made_call(&x, "get", ""), 8);
	made_fini(&x);
}

TEST(a_branch_table_takes_its_default_for_any_large_index)
{
	struct build b = { 0 };
	struct made x;
	build_func(&b, "f", "i:i", "",
		B(0x02, 0x40, 0x02, 0x40, GET(0), 0x0e, 1, 0, 1, END, I32(10),
			0x0f, END, I32(20)));
	made_init(&x, &b);
	CHECK_INT(made_call(&x, "f", "i", 0u), 10);
	CHECK_INT(made_call(&x, "f", "i", 1u), 20);
	CHECK_INT(made_call(&x, "f", "i", 0x7fffffffu), 20);
	CHECK_INT(made_call(&x, "f", "i", 0x80000000u), 20);
	CHECK_INT(made_call(&x, "f", "i", 0xffffffffu), 20);
	made_fini(&x);
}

TEST(a_branch_table_that_claims_four_billion_labels_is_refused)
{
	struct build b = { 0 };
	build_func(&b, "f", "i:", "",
		B(GET(0), 0x0e, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0));
	refused(&b, "unexpected end");
}

TEST(bulk_operations_stop_at_the_edge_before_they_write)
{
	struct build b = { 0 };
	struct made x;
	build_memory(&b, 1, 1);
	build_data(&b, true, 0, BYTES_LIT("abcd"));
	b.data_count_section = true;
	build_func(&b, "fill", "iii:i", "",
		B(GET(0), GET(1), GET(2), 0xfc, 11, 0, I32(0)));
	build_func(&b, "copy", "iii:i", "",
		B(GET(0), GET(1), GET(2), 0xfc, 10, 0, 0, I32(0)));
	build_func(&b, "init", "iii:i", "",
		B(GET(0), GET(1), GET(2), 0xfc, 8, 0, 0, I32(0)));
	build_func(&b, "at", "i:i", "", B(GET(0), 0x2d, 0, 0));
	made_init(&x, &b);
	CHECK_INT(made_call(&x, "fill", "iii", 65535u, 7u, 1u), 0);
	CHECK_INT(made_call(&x, "fill", "iii", 65536u, 7u, 0u), 0);
	CHECK_INT(made_trap(&x, "fill", "iii", 65537u, 7u, 0u),
		WASM_TRAP_MEMORY);
	CHECK_INT(made_trap(&x, "fill", "iii", 65000u, 9u, 537u),
		WASM_TRAP_MEMORY);
	CHECK_INT(made_call(&x, "at", "i", 65000u), 0);
	CHECK_INT(made_trap(&x, "fill", "iii", 1u, 9u, 0xffffffffu),
		WASM_TRAP_MEMORY);
	CHECK_INT(made_trap(&x, "copy", "iii", 0u, 1u, 65536u),
		WASM_TRAP_MEMORY);
	CHECK_INT(made_call(&x, "copy", "iii", 0u, 65535u, 1u), 0);
	CHECK_INT(made_call(&x, "at", "i", 0u), 7);
	CHECK_INT(made_trap(&x, "init", "iii", 65533u, 0u, 4u),
		WASM_TRAP_MEMORY);
	CHECK_INT(made_trap(&x, "init", "iii", 0u, 1u, 4u), WASM_TRAP_MEMORY);
	CHECK_INT(made_call(&x, "init", "iii", 65532u, 0u, 4u), 0);
	CHECK_INT(made_call(&x, "at", "i", 65535u), 'd');
	made_fini(&x);
}

TEST(overlapping_copies_move_in_the_right_direction)
{
	struct build b = { 0 };
	struct made x;
	build_memory(&b, 64, 64);
	build_data(&b, false, 0, BYTES_LIT("0123456789"));
	build_func(&b, "copy", "iii:i", "",
		B(GET(0), GET(1), GET(2), 0xfc, 10, 0, 0, I32(0)));
	build_func(&b, "at", "i:i", "", B(GET(0), 0x2d, 0, 0));
	made_init(&x, &b);
	made_call(&x, "copy", "iii", 2u, 0u, 10u);
	CHECK_INT(made_call(&x, "at", "i", 11u), '9');
	CHECK_INT(made_call(&x, "at", "i", 2u), '0');
	made_call(&x, "copy", "iii", 1u, 2u, 10u);
	CHECK_INT(made_call(&x, "at", "i", 10u), '9');
	/* Longer than the pieces in which it is done. */
	made_call(&x, "copy", "iii", 1u, 0u, 3000000u);
	CHECK_INT(made_call(&x, "at", "i", 11u), '9');
	CHECK_INT(made_call(&x, "at", "i", 2u), '0');
	made_fini(&x);
}

TEST(a_bulk_operation_costs_fuel_by_its_length)
{
	struct build b = { 0 };
	struct made x;
	uint64_t in[1] = { 4 << 20 }, out;
	build_memory(&b, 64, 64);
	build_func(&b, "fill", "i:i", "",
		B(I32(0), I32(1), GET(0), 0xfc, 11, 0, I32(0)));
	made_init(&x, &b);
	wasm_instance_fuel(x.i, 30000);
	CHECK(wasm_call(x.i, "fill", in, 1, &out, 1, &x.r, &x.e));
	CHECK_INT(x.r.end, WASM_STOPPED);
	wasm_instance_fuel(x.i, 70000);
	CHECK(wasm_call(x.i, "fill", in, 1, &out, 1, &x.r, &x.e));
	CHECK_INT(x.r.end, WASM_RETURNED);
	made_fini(&x);
}

TEST(code_that_is_never_reached_may_do_as_it_likes_with_the_stack)
{
	struct build b = { 0 };
	struct made x;
	build_func(&b, "f", ":i", "",
		B(0x02, 0x7f, I32(9), 0x0c, 0, ADD, 0x1b, 0x1a, 0x45, END));
	build_func(&b, "g", ":i", "",
		B(I32(1), 0x0f, 0x02, 0x40, 0x03, 0x7f, 0x00, 0xa7, END, 0x1a,
			END, 0x6a));
	made_init(&x, &b);
	CHECK_INT(made_call(&x, "f", ""), 9);
	CHECK_INT(made_call(&x, "g", ""), 1);
	made_fini(&x);
}

TEST(code_that_is_never_reached_still_has_types)
{
	struct build b = { 0 };
	build_func(&b, "f", ":i", "", B(0x00, 0x42, 0, 0x45));
	refused(&b, "type mismatch");
}

TEST(a_local_keeps_its_old_value_for_who_has_read_it)
{
	struct build b = { 0 };
	struct made x;
	/* get 0; (set 0 = 5); get 0; sub */
	build_func(&b, "set", "i:i", "",
		B(GET(0), I32(5), SET(0), GET(0), 0x6b));
	build_func(&b, "tee", "i:i", "",
		B(GET(0), GET(0), I32(1), ADD, TEE(0), 0x6b));
	/* only one way through the block writes it */
	build_func(&b, "block", "ii:i", "",
		B(GET(0), GET(1), 0x04, 0x40, I32(50), SET(0), END, GET(0),
			ADD));
	build_func(&b, "loop", "i:i", "",
		B(GET(0), 0x03, 0x40, GET(0), I32(1), 0x6b, TEE(0), 0x0d, 0,
			END, GET(0), ADD));
	made_init(&x, &b);
	CHECK_INT(made_call(&x, "set", "i", 8u), 3);
	CHECK_INT(made_call(&x, "tee", "i", 8u), 0xffffffffu);
	CHECK_INT(made_call(&x, "block", "ii", 3u, 0u), 6);
	CHECK_INT(made_call(&x, "block", "ii", 3u, 1u), 53);
	CHECK_INT(made_call(&x, "loop", "i", 9u), 9);
	made_fini(&x);
}

TEST(results_that_swap_places_do_not_overwrite_each_other)
{
	struct build b = { 0 };
	struct made x;
	uint64_t in[2] = { 1, 2 }, out[2];
	build_func(&b, "swap", "ii:ii", "", B(GET(1), GET(0)));
	uint32_t t = build_type(&b, "ii:ii");
	/* a loop whose parameters swap at each turn */
	build_func(&b, "loop", "ii:ii", "i",
		B(I32(3), SET(2), GET(0), GET(1), 0x03, (uint8_t)t, SET(0),
			SET(1), GET(0), GET(1), GET(2), I32(1), 0x6b, TEE(2),
			0x0d, 0, END));
	made_init(&x, &b);
	CHECK(wasm_call(x.i, "swap", in, 2, out, 2, &x.r, &x.e));
	CHECK(out[0] == 2 && out[1] == 1);
	CHECK(wasm_call(x.i, "loop", in, 2, out, 2, &x.r, &x.e));
	CHECK(out[0] == 2 && out[1] == 1);
	made_fini(&x);
}

TEST(a_conditional_branch_with_a_value_leaves_it_for_those_who_stay)
{
	struct build b = { 0 };
	struct made x;
	build_func(&b, "f", "ii:i", "",
		B(0x02, 0x7f, I32(1), I32(2), GET(0), GET(1), 0x0d, 0, ADD, ADD,
			END));
	build_func(&b, "ret", "ii:i", "",
		B(I32(1), GET(0), GET(1), 0x0d, 0, ADD));
	made_init(&x, &b);
	CHECK_INT(made_call(&x, "f", "ii", 40u, 0u), 43);
	CHECK_INT(made_call(&x, "f", "ii", 40u, 1u), 40);
	CHECK_INT(made_call(&x, "ret", "ii", 40u, 0u), 41);
	CHECK_INT(made_call(&x, "ret", "ii", 40u, 1u), 40);
	made_fini(&x);
}

TEST(a_loop_that_jumps_to_itself_can_be_stopped)
{
	struct build b = { 0 };
	struct made x;
	build_func(&b, "f", ":", "", B(0x03, 0x40, 0x0c, 0, END));
	build_func(&b, "g", "i:", "", B(0x03, 0x40, GET(0), 0x0d, 0, END));
	made_init(&x, &b);
	wasm_instance_fuel(x.i, 1000);
	CHECK(wasm_call(x.i, "f", NULL, 0, NULL, 0, &x.r, &x.e));
	CHECK_INT(x.r.end, WASM_STOPPED);
	uint64_t one = 1;
	wasm_instance_fuel(x.i, 1000);
	CHECK(wasm_call(x.i, "g", &one, 1, NULL, 0, &x.r, &x.e));
	CHECK_INT(x.r.end, WASM_STOPPED);
	made_fini(&x);
}
