/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rights of the memory for code: what the kernel says of each page, while
 * functions are compiled one by one and all at once.
 */
#include <stdio.h>

#include "../test.h"
#include "helpers/pair.h"
#include "wasm/jit/jit_priv.h"
#include "wasm/store_priv.h"

#if defined(__x86_64__)
#define GET(i)	0x20, i
#define I32(i)	0x41, i
#define CALL(i) 0x10, i
#define ADD	0x6a

/* Bytes of the code memory that are writable, and that can be run. */
struct rights {
	size_t writable, executable, both;
};

static struct rights look(const struct wasm_jit *j)
{
	struct rights r = { 0 };
	char line[512], w, x;
	unsigned long from, to, begin = (unsigned long)j->memory;
	FILE *f = fopen("/proc/self/maps", "r");
	CHECK(f != NULL);
	while (fgets(line, sizeof line, f)) {
		if (sscanf(line, "%lx-%lx %*c%c%c", &from, &to, &w, &x) != 4 ||
			to <= begin || from >= begin + j->size)
			continue;
		r.writable += w == 'w' ? to - from : 0;
		r.executable += x == 'x' ? to - from : 0;
		r.both += w == 'w' && x == 'x' ? to - from : 0;
	}
	fclose(f);
	return r;
}

enum { FUNCS = 2000 };

static void put_funcs(struct build *b)
{
	build_func(b, "run", "i:i", "", B(GET(0), CALL(1), CALL(2)));
	for (int n = 1; n < FUNCS; n++)
		build_func(b, NULL, "i:i", "", B(GET(0), I32(3), ADD));
}

static size_t in_pages(const struct wasm_jit *j)
{
	return (j->used + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
}

TEST(code_can_be_run_and_not_be_written_after_each_function)
{
	struct build b = { 0 };
	struct pair p;
	put_funcs(&b);
	pair_init(&p, &b);
	const struct wasm_jit *j = p.jit->store->jit;
	size_t stubs = j->used;
	both(&p, "run", 5);
	CHECK_INT(compiled(&p), 3);
	CHECK(j->used > stubs);
	struct rights r = look(j);
	CHECK_INT(r.writable, 0);
	CHECK_INT(r.executable, in_pages(j));
	pair_fini(&p);
}

static bool look_on(void *ctx, uint32_t done, uint32_t all)
{
	const struct wasm_jit *j = ctx;
	struct rights r = look(j);
	CHECK_INT(all, FUNCS);
	CHECK(r.writable > 0);
	CHECK_INT(r.both, 0);
	/* What is written ahead is more than this, and much less than all. */
	CHECK(r.writable < j->size / 2);
	return done < FUNCS / 2;
}

TEST(code_is_never_both_while_all_is_compiled_and_sealed_when_that_stops)
{
	struct build b = { 0 };
	struct pair p;
	put_funcs(&b);
	pair_init(&p, &b);
	struct wasm_jit *j = p.jit->store->jit;
	wasm_instance_jit_all(p.jit, look_on, j);
	CHECK_INT(compiled(&p), FUNCS / 2);
	struct rights r = look(j);
	CHECK_INT(r.writable, 0);
	CHECK_INT(r.executable, in_pages(j));
	both(&p, "run", 5);
	wasm_instance_jit_all(p.jit, NULL, NULL);
	CHECK_INT(compiled(&p), FUNCS);
	r = look(j);
	CHECK_INT(r.writable, 0);
	CHECK_INT(r.executable, in_pages(j));
	both(&p, "run", 6);
	pair_fini(&p);
}

TEST(all_that_has_room_is_compiled_when_code_memory_ends)
{
	struct build b = { 0 };
	struct pair p;
	put_funcs(&b);
	pair_limited(&p, &b, (struct wasm_limits){ .code_bytes = 20000 });
	struct wasm_jit *j = p.jit->store->jit;
	wasm_instance_jit_all(p.jit, NULL, NULL);
	struct wasm_jit_stats s = wasm_instance_jit_stats(p.jit);
	CHECK(s.compiled > 100 && s.refused > 100);
	CHECK(!j->broken);
	struct rights r = look(j);
	CHECK_INT(r.writable, 0);
	CHECK_INT(r.executable, in_pages(j));
	both(&p, "run", 5);
	pair_fini(&p);
}
#else
TEST(code_memory_is_for_x86_64)
{
	SKIP("no x86-64");
}
#endif
