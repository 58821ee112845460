/* SPDX-License-Identifier: Apache-2.0 */
#include "helpers/guest.h"
#include "../test.h"
#include "wasi/wasi_priv.h"

TEST(views_end_where_memory_ends)
{
	struct guest *g = guest_new();
	struct wasi_call k = { .w = g->w, .caller = &g->caller };
	CHECK(wasi_view(&k, 0, GUEST_MEMORY) == g->caller.memory);
	CHECK(!wasi_view(&k, 0, GUEST_MEMORY + 1));
	CHECK(!wasi_view(&k, GUEST_MEMORY, 1));
	CHECK(!wasi_view(&k, UINT64_MAX, 2));
	CHECK(wasi_view(&k, UINT64_MAX, 0));
	guest_free(g);
}

TEST(a_program_without_memory_gets_faults)
{
	struct guest *g = guest_new();
	g->caller.size = 0;
	CHECK_INT(CALL(g, args_sizes_get, 0, 0), WASI_FAULT);
	CHECK_INT(CALL(g, random_get, 0, 0), 0);
	CHECK_INT(CALL(g, path_create_directory, GUEST_DIR, 0, 1), WASI_FAULT);
	guest_free(g);
}
