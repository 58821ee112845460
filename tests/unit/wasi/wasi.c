/* SPDX-License-Identifier: Apache-2.0 */
#include "../test.h"
#include "helpers/guest.h"

TEST(all_46_functions_are_there_under_both_names)
{
	struct guest *g = guest_new();
	size_t count, old = 0;
	const struct wasm_import *f = wasi_imports(g->w, &count);
	for (size_t i = 0; i < 46; i++)
		CHECK_STR(f[i].module, "wasi_snapshot_preview1");
	for (size_t i = 0; i < count; i++)
		old += !strcmp(f[i].module, "wasi_unstable");
	CHECK_INT(old, 46);
	guest_free(g);
}

static const struct wasm_import *find(struct guest *g, const char *name,
	const char *sig)
{
	return wasi_import(g->w, BYTES_LIT("wasi_snapshot_preview1"),
		bytes_str(name), sig);
}

TEST(an_import_is_found_by_its_name_and_type)
{
	struct guest *g = guest_new();
	CHECK_STR(find(g, "sock_open", "iii:i")->sig, "iii:i");
	CHECK_STR(find(g, "sock_open", "iiii:i")->sig, "iiii:i");
	CHECK_STR(find(g, "sock_accept", "iii:i")->sig, "iii:i");
	CHECK_STR(find(g, "sock_accept", "ii:i")->sig, "ii:i");
	/* The engine refuses that one with both types in its message. */
	CHECK_STR(find(g, "fd_close", "I:i")->sig, "i:i");
	CHECK(!find(g, "fd_open", "i:i"));
	CHECK(!wasi_import(g->w, BYTES_LIT("wasi_unstable"),
		BYTES_LIT("sock_open"), "iii:i"));
	guest_free(g);
}

TEST(no_two_imports_are_the_same)
{
	struct guest *g = guest_new();
	size_t count;
	const struct wasm_import *f = wasi_imports(g->w, &count);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < i; k++)
			CHECK(strcmp(f[i].module, f[k].module) ||
				strcmp(f[i].name, f[k].name) ||
				strcmp(f[i].sig, f[k].sig));
	guest_free(g);
}

TEST(a_table_that_makes_no_sense_is_refused)
{
	struct err e;
	struct wasi *w;
	struct wasi_fd_config fd = { .kind = WASI_FD_PREOPEN, .name = "/" };
	struct wasi_config c = { .fds = &fd, .fd_count = 1 };
	CHECK(!wasi_new(&c, &w, &e));
	CHECK_STR(e.text, "wasi: preopen without a directory");
	struct wasi_fd_config many[3] = { { .kind = WASI_FD_NULL },
		{ .kind = WASI_FD_NULL }, { .kind = WASI_FD_NULL } };
	c = (struct wasi_config){ .fds = many, .fd_count = 3, .max_fds = 2 };
	CHECK(!wasi_new(&c, &w, &e));
	CHECK_STR(e.text, "wasi: too many descriptors");
}

TEST(nothing_configured_is_enough)
{
	struct wasi_config c = { 0 };
	struct wasi *w;
	CHECK(wasi_new(&c, &w, NULL));
	wasi_free(w);
	wasi_free(NULL);
}

/*
 * Every function, every argument in turn at values that hurt, the others at
 * values that work: an answer, no trap, nothing outside memory touched (the
 * sanitizer's build proves that), nothing before or after the run leaked.
 */
static void hostile_arguments(const uint64_t *good, size_t good_count)
{
	static const uint64_t values[] = { 0, 1, 7, 0x7fffffff, 0x80000000,
		0xfffffff8, 0xffffffff, GUEST_MEMORY - 1, GUEST_MEMORY,
		GUEST_MEMORY + 1, GUEST_MEMORY - 8, 1ull << 63, UINT64_MAX };
	struct guest *g = guest_new();
	size_t count;
	const struct wasm_import *all = wasi_imports(g->w, &count);
	for (size_t i = 0; i < count; i++) {
		const char *sig = all[i].sig;
		size_t n = (size_t)(strchr(sig, ':') - sig);
		if (!strcmp(all[i].name, "proc_exit") ||
			!strcmp(all[i].name, "proc_raise") ||
			!strcmp(all[i].name, "thread-spawn"))
			continue;
		for (size_t k = 0; k < n * ARRAY_LEN(values); k++) {
			uint64_t slots[16] = { 0 };
			memcpy(slots, good, good_count * sizeof *good);
			uint64_t v = values[k % ARRAY_LEN(values)];
			size_t at = k / ARRAY_LEN(values);
			slots[at] = sig[at] == 'i' ? (uint32_t)v : v;
			g->caller.kept = (struct wasm_kept){ 0 };
			if (all[i].call(&g->caller, slots, all[i].ctx))
				CHECK(slots[0] <= WASI_NOTCAPABLE);
		}
		/* The tree and the table are as they were for the next. */
		guest_free(g);
		g = guest_new();
		all = wasi_imports(g->w, &count);
	}
	guest_free(g);
}

TEST(hostile_arguments_get_an_errno)
{
	static const uint64_t good[] = { GUEST_DIR, 0x200, 2, 0x300, 0x400, 2,
		0x500, 1, 0x600 };
	hostile_arguments(good, ARRAY_LEN(good));
}

TEST(hostile_arguments_of_sockets_get_an_errno)
{
	static const uint64_t good[] = { GUEST_SOCKET, 0x200, 1, 0x300, 0x400,
		0x480, 0x500, 0x580 };
	hostile_arguments(good, ARRAY_LEN(good));
}
