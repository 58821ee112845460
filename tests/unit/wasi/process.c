/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "../test.h"
#include "helpers/guest.h"

TEST(arguments_and_environment_are_laid_out)
{
	struct guest *g = guest_new();
	CHECK_INT(CALL(g, args_sizes_get, 0x100, 0x104), 0);
	CHECK_INT(guest_get(g, 0x100, 4), 3);
	CHECK_INT(guest_get(g, 0x104, 4), 10);
	CHECK_INT(CALL(g, args_get, 0x200, 0x300), 0);
	CHECK_INT(guest_get(g, 0x200, 4), 0x300);
	CHECK_INT(guest_get(g, 0x204, 4), 0x305);
	CHECK_INT(guest_get(g, 0x208, 4), 0x309);
	CHECK_MEM(g->caller.memory + 0x300, "prog\0one\0", 10);
	CHECK_INT(CALL(g, environ_sizes_get, 0x100, 0x104), 0);
	CHECK_INT(guest_get(g, 0x100, 4), 2);
	CHECK_INT(CALL(g, environ_get, 0x200, 0x300), 0);
	CHECK_MEM(g->caller.memory + 0x300, "A=b\0C=", 7);
	guest_free(g);
}

TEST(arguments_outside_memory_fault_and_write_nothing)
{
	struct guest *g = guest_new();
	CHECK_INT(CALL(g, args_get, 0x200, GUEST_MEMORY - 9), WASI_FAULT);
	CHECK_INT(CALL(g, args_get, GUEST_MEMORY - 11, 0x300), WASI_FAULT);
	CHECK_INT(CALL(g, args_sizes_get, 0x100, GUEST_MEMORY - 3), WASI_FAULT);
	CHECK_INT(CALL(g, args_sizes_get, 0xffffffff, 0x100), WASI_FAULT);
	CHECK(bytes_all_zero(bytes_of(g->caller.memory, GUEST_MEMORY)));
	guest_free(g);
}

TEST(clocks_tell_the_embedders_time)
{
	struct guest *g = guest_new();
	CHECK_INT(CALL(g, clock_time_get, 1, 0, 0x100), 0);
	CHECK_INT(guest_get(g, 0x100, 8), 1000);
	CHECK_INT(CALL(g, clock_time_get, 0, 0, 0x100), 0);
	CHECK(guest_get(g, 0x100, 8) >= 1700000000000000000);
	for (unsigned id = 0; id < 4; id++) {
		CHECK_INT(CALL(g, clock_res_get, id, 0x100), 0);
		CHECK(guest_get(g, 0x100, 8) > 0);
	}
	CHECK_INT(CALL(g, clock_res_get, 4, 0x100), WASI_INVAL);
	CHECK_INT(CALL(g, clock_time_get, 4, 0, 0x100), WASI_INVAL);
	CHECK_INT(CALL(g, clock_time_get, 1, 0, GUEST_MEMORY - 7), WASI_FAULT);
	CHECK_INT(CALL(g, clock_res_get, 1, 0xfffffff8), WASI_FAULT);
	guest_free(g);
}

TEST(random_bytes_fill_exactly_what_was_asked)
{
	struct guest *g = guest_new();
	CHECK_INT(CALL(g, random_get, 0x101, 0x55), 0);
	CHECK_INT(guest_get(g, 0x100, 1), 0);
	CHECK_INT(guest_get(g, 0x101, 1), 0x5a);
	CHECK_INT(guest_get(g, 0x155, 1), 0x5a);
	CHECK_INT(guest_get(g, 0x156, 1), 0);
	CHECK_INT(CALL(g, random_get, 0xffffffff, 0), 0);
	CHECK_INT(CALL(g, random_get, 0, GUEST_MEMORY), 0);
	CHECK_INT(CALL(g, random_get, 0, GUEST_MEMORY + 1), WASI_FAULT);
	CHECK_INT(CALL(g, random_get, 16, 0x80000000), WASI_FAULT);
	guest_free(g);
}

TEST(the_loss_of_randomness_ends_the_program)
{
	struct guest *g = guest_new();
	g->random = 76;
	CHECK_INT(CALL(g, random_get, 0x100, 8), -1);
	CHECK_INT(g->caller.end, WASM_TRAPPED);
	CHECK_STR(g->caller.text, "no randomness");
	guest_free(g);
}

static bool stop(struct guest *g)
{
	return g->waits < 3;
}

TEST(much_randomness_is_made_in_steps_that_can_be_stopped)
{
	struct guest *g = guest_new();
	free(g->caller.memory);
	g->caller.size = 64 << 20;
	g->caller.memory = calloc(1, g->caller.size);
	CHECK(g->caller.memory);
	g->on_wait = stop;
	CHECK_INT(CALL(g, random_get, 0, 64 << 20), -1);
	CHECK_INT(g->caller.end, WASM_STOPPED);
	CHECK(g->random <= 4);
	guest_free(g);
}

TEST(exit_ends_with_the_programs_status)
{
	struct guest *g = guest_new();
	CHECK_INT(CALL(g, proc_exit, 33), -1);
	CHECK_INT(g->caller.end, WASM_EXITED);
	CHECK_INT(g->caller.code, 33);
	guest_free(g);
}

TEST(signals_do_what_posix_does_by_default)
{
	struct guest *g = guest_new();
	CHECK_INT(CALL(g, proc_raise, 0), 0);
	CHECK_INT(CALL(g, proc_raise, 16), 0);
	CHECK_INT(CALL(g, proc_raise, 18), WASI_NOTSUP);
	CHECK_INT(CALL(g, proc_raise, 31), WASI_INVAL);
	CHECK_INT(CALL(g, proc_raise, 6), -1);
	CHECK_INT(g->caller.code, 134);
	guest_free(g);
}

TEST(yielding_gives_others_a_turn)
{
	struct guest *g = guest_new();
	CHECK_INT(guest_call(g, "wasi_unstable", "sched_yield", NULL, 0), 0);
	CHECK_INT(g->waits, 1);
	CHECK_INT(g->last_deadline, 0);
	guest_free(g);
}
