/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/space.h"

#include <stdlib.h>

#include "../../test.h"
#include "abi/gate.h"
#include "shim/common/linux.h"

#define LOW  0x10000u
#define HIGH 0x40000000u
#define RW   (SPACE_READ | SPACE_WRITE)
#define ANON (LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS)
#define PAGE ((uint64_t)PAGE_BYTES)

/* What page tables would hold: a byte of rights for each page, 0xff: none.
 * Written pages are marked, so that moves and losses are seen. */
struct world {
	struct space s;
	uint8_t prot[HIGH / PAGE_BYTES];
	uint8_t mark[HIGH / PAGE_BYTES];
	unsigned moves;
	bool full;
};

static struct world w;

static void world_unmap(void *ctx, uint64_t start, uint64_t end)
{
	struct world *x = ctx;
	for (uint64_t at = start; at < end; at += PAGE)
		x->mark[at / PAGE] = 0;
}

static void world_protect(void *ctx, uint64_t start, uint64_t end, uint8_t prot)
{
	struct world *x = ctx;
	for (uint64_t at = start; at < end; at += PAGE)
		x->prot[at / PAGE] = prot;
}

static bool world_move(void *ctx, uint64_t from, uint64_t to, uint64_t bytes)
{
	struct world *x = ctx;
	if (x->full)
		return false;
	x->moves++;
	for (uint64_t at = 0; at < bytes; at += PAGE) {
		CHECK_INT(x->mark[(to + at) / PAGE], 0);
		x->mark[(to + at) / PAGE] = x->mark[(from + at) / PAGE];
		x->mark[(from + at) / PAGE] = 0;
	}
	return true;
}

static bool world_gate(void *ctx, uint64_t start, uint64_t bytes)
{
	struct world *x = ctx;
	(void)start;
	return !x->full && bytes == GATE_AREA_BYTES;
}

static const struct space_ops ops = { world_unmap, world_protect, world_move,
	world_gate };

static void world_open(uint64_t pages)
{
	memset(&w, 0, sizeof w);
	w.s = (struct space){
		.ops = &ops,
		.ctx = &w,
		.low = LOW,
		.high = HIGH - 0x1000000,
		.brk_start = 0x2000000,
		.brk = 0x2000000,
		.pages_max = pages,
	};
	/* An image, as exec's: code, constants, data. */
	CHECK(space_add(&w.s, 0x1000000, 0x1010000, SPACE_READ | SPACE_EXEC,
		SPACE_IMAGE));
	CHECK(space_add(&w.s, 0x1010000, 0x1020000, SPACE_READ, SPACE_IMAGE));
	CHECK(space_add(&w.s, 0x1020000, 0x1030000, RW, SPACE_IMAGE));
}

static int64_t map(uint64_t len, uint64_t prot)
{
	return space_mmap(&w.s, 0, len, prot, ANON, -1, 0);
}

/* Sorted, apart, page-aligned, and the pages add up. */
static void check_whole(void)
{
	uint64_t pages = 0;
	for (size_t i = 0; i < w.s.count; i++) {
		const struct space_range *r = &w.s.range[i];
		CHECK(r->start < r->end);
		CHECK_INT((r->start | r->end) % PAGE, 0);
		CHECK(i == 0 || w.s.range[i - 1].end <= r->start);
		CHECK(!(r->prot & SPACE_WRITE && r->prot & SPACE_EXEC));
		if ((r->prot & SPACE_WRITE && r->kind != SPACE_GATE) ||
			(r->prot & SPACE_EXEC && r->kind == SPACE_ANON))
			pages += (r->end - r->start) / PAGE;
	}
	CHECK_INT(pages, w.s.pages);
	CHECK(w.s.pages <= w.s.pages_max);
}

TEST(mmap_gives_ranges_that_do_not_touch)
{
	world_open(10000);
	int64_t a = map(3 * PAGE, RW), b = map(1, RW), c = map(PAGE, 0);
	CHECK(a > 0 && b > 0 && c > 0);
	CHECK(b + (int64_t)PAGE < a);
	CHECK(c + (int64_t)PAGE < b);
	check_whole();
	CHECK(space_find(&w.s, (uint64_t)a + 2 * PAGE));
	CHECK(!space_find(&w.s, (uint64_t)a + 3 * PAGE));
	CHECK(!space_find(&w.s, (uint64_t)a - 1));
}

TEST(mmap_takes_a_free_hint_and_no_other)
{
	world_open(10000);
	uint64_t at = 0x8000000;
	CHECK_INT(space_mmap(&w.s, at, PAGE, RW, ANON, -1, 0), at);
	int64_t other = space_mmap(&w.s, at, PAGE, RW, ANON, -1, 0);
	CHECK(other > 0 && other != (int64_t)at);
	check_whole();
}

TEST(mmap_refuses_what_it_must_not_give)
{
	static const struct {
		uint64_t at, len, prot, flags;
		int64_t fd;
		int error;
	} cases[] = {
		{ 0, 0, RW, ANON, -1, LINUX_EINVAL },
		{ 0, UINT64_MAX, RW, ANON, -1, LINUX_ENOMEM },
		{ 0, 1ull << 46, RW, ANON, -1, LINUX_ENOMEM },
		{ 0, PAGE_BYTES, SPACE_READ | SPACE_EXEC, ANON, -1,
			LINUX_EACCES },
		{ 0, PAGE_BYTES, RW | SPACE_EXEC, ANON, -1, LINUX_EACCES },
		{ 0, PAGE_BYTES, RW, LINUX_MAP_SHARED | LINUX_MAP_ANONYMOUS, -1,
			LINUX_EINVAL },
		{ 0, PAGE_BYTES, RW, LINUX_MAP_SHARED, 5, LINUX_EBADF },
		{ 0, PAGE_BYTES, RW, LINUX_MAP_SHARED, GATE_AREA_FD,
			LINUX_EINVAL },
		{ 0, GATE_AREA_BYTES, SPACE_READ, LINUX_MAP_SHARED,
			GATE_AREA_FD, LINUX_EINVAL },
		/* Over the image, below the lowest, beyond the highest. */
		{ 0x1000000, PAGE_BYTES, RW, ANON | LINUX_MAP_FIXED, -1,
			LINUX_EINVAL },
		{ 0, PAGE_BYTES, RW, ANON | LINUX_MAP_FIXED, -1, LINUX_EINVAL },
		{ (1ull << 47) - PAGE_BYTES, 2 * PAGE_BYTES, RW,
			ANON | LINUX_MAP_FIXED, -1, LINUX_EINVAL },
		{ 0x8000001, PAGE_BYTES, RW, ANON | LINUX_MAP_FIXED, -1,
			LINUX_EINVAL },
	};
	world_open(10000);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t n = space_mmap(&w.s, cases[i].at, cases[i].len,
			cases[i].prot, cases[i].flags, cases[i].fd, 0);
		if (n != -cases[i].error)
			fail_msg("case %zu: %lld", i, (long long)n);
	}
	CHECK_INT(w.s.count, 3);
	check_whole();
}

TEST(mmap_promises_no_more_pages_than_there_are)
{
	world_open(16 + 100);
	CHECK(map(100 * PAGE, RW) > 0);
	CHECK_INT(map(PAGE, RW), -LINUX_ENOMEM);
	/* What cannot be written costs nothing, until it can. */
	int64_t a = map(50 * PAGE, 0);
	CHECK(a > 0);
	CHECK_INT(space_mprotect(&w.s, (uint64_t)a, PAGE, RW), -LINUX_ENOMEM);
	check_whole();
}

TEST(munmap_splits_and_gives_pages_back)
{
	world_open(16 + 100);
	uint64_t a = (uint64_t)map(100 * PAGE, RW);
	CHECK_INT(space_munmap(&w.s, a + 10 * PAGE, 20 * PAGE), 0);
	check_whole();
	CHECK(space_find(&w.s, a + 9 * PAGE));
	CHECK(!space_find(&w.s, a + 10 * PAGE));
	CHECK(!space_find(&w.s, a + 29 * PAGE));
	CHECK(space_find(&w.s, a + 30 * PAGE));
	CHECK(map(20 * PAGE, RW) > 0);
	CHECK_INT(map(PAGE, RW), -LINUX_ENOMEM);
	CHECK_INT(space_munmap(&w.s, a, 100 * PAGE), 0);
	check_whole();
}

TEST(munmap_leaves_the_image_alone)
{
	world_open(1000);
	CHECK_INT(space_munmap(&w.s, 0x1000000, PAGE), -LINUX_EPERM);
	CHECK_INT(space_munmap(&w.s, 0xfff000, 0x40000), -LINUX_EPERM);
	CHECK_INT(space_munmap(&w.s, 1, PAGE), -LINUX_EINVAL);
	CHECK_INT(space_munmap(&w.s, 0x8000000, 0), -LINUX_EINVAL);
	CHECK_INT(space_munmap(&w.s, 0, UINT64_MAX - 4095), -LINUX_EINVAL);
	CHECK_INT(w.s.count, 3);
}

TEST(mprotect_only_takes_rights_from_an_image)
{
	world_open(1000);
	CHECK_INT(space_mprotect(&w.s, 0x1020000, 0x8000, SPACE_READ), 0);
	CHECK_INT(w.prot[0x1020000 / PAGE_BYTES], SPACE_READ);
	check_whole();
	CHECK_INT(space_mprotect(&w.s, 0x1020000, 0x8000, RW), -LINUX_EACCES);
	CHECK_INT(space_mprotect(&w.s, 0x1000000, PAGE, RW), -LINUX_EACCES);
	CHECK_INT(space_mprotect(&w.s, 0x1020000, PAGE,
			  SPACE_READ | SPACE_EXEC),
		-LINUX_EACCES);
	/* A hole. */
	CHECK_INT(space_mprotect(&w.s, 0x1028000, 0x10000, SPACE_READ),
		-LINUX_ENOMEM);
	check_whole();
}

TEST(what_is_executable_was_writable_and_is_not)
{
	world_open(100);
	int64_t a = map(16 * PAGE, 0);
	uint64_t at = (uint64_t)a, rx = SPACE_READ | SPACE_EXEC;
	CHECK(a > 0);
	uint64_t before = w.s.pages;
	CHECK_INT(space_mprotect(&w.s, at, 4 * PAGE, RW), 0);
	CHECK_INT(space_mprotect(&w.s, at, 4 * PAGE, rx), 0);
	CHECK_INT(w.prot[at / PAGE_BYTES], rx);
	/* It holds memory still. */
	CHECK_INT(w.s.pages, before + 4);
	check_whole();
	CHECK_INT(space_mprotect(&w.s, at, PAGE, RW | SPACE_EXEC),
		-LINUX_EACCES);
	CHECK_INT(space_mprotect(&w.s, at, PAGE, SPACE_EXEC), -LINUX_EACCES);
	CHECK_INT(space_mprotect(&w.s, at, 100 * PAGE, rx), -LINUX_ENOMEM);
	CHECK_INT(space_mmap(&w.s, 0, PAGE, rx, ANON, -1, 0), -LINUX_EACCES);
	/* Neither the stack nor the heap. */
	int64_t heap = space_brk(&w.s, w.s.brk_start + PAGE);
	CHECK_INT(space_mprotect(&w.s, (uint64_t)heap - PAGE, PAGE, rx),
		-LINUX_EACCES);
	CHECK_INT(space_mprotect(&w.s, at, 4 * PAGE, RW), 0);
	check_whole();
}

TEST(mprotect_joins_what_became_alike)
{
	world_open(1000);
	uint64_t a = (uint64_t)map(16 * PAGE, RW);
	size_t count = w.s.count;
	CHECK_INT(space_mprotect(&w.s, a + 4 * PAGE, 4 * PAGE, SPACE_READ), 0);
	CHECK_INT(w.s.count, count + 2);
	check_whole();
	CHECK_INT(space_mprotect(&w.s, a + 4 * PAGE, 4 * PAGE, RW), 0);
	CHECK_INT(w.s.count, count);
	check_whole();
}

TEST(mremap_grows_in_place_where_there_is_room)
{
	world_open(1000);
	uint64_t a = 0x8000000;
	CHECK(space_mmap(&w.s, a, 4 * PAGE, RW, ANON, -1, 0) > 0);
	CHECK_INT(space_mremap(&w.s, a, 4 * PAGE, 9 * PAGE, 0), a);
	CHECK_INT(w.moves, 0);
	CHECK(space_find(&w.s, a + 8 * PAGE));
	check_whole();
	CHECK_INT(space_mremap(&w.s, a, 9 * PAGE, 2 * PAGE, 0), a);
	CHECK(!space_find(&w.s, a + 2 * PAGE));
	check_whole();
}

TEST(mremap_moves_pages_with_what_is_in_them)
{
	world_open(1000);
	uint64_t a = 0x8000000;
	CHECK(space_mmap(&w.s, a, 4 * PAGE, RW, ANON, -1, 0) > 0);
	CHECK(space_mmap(&w.s, a + 4 * PAGE, PAGE, RW, ANON, -1, 0) > 0);
	CHECK_INT(space_mprotect(&w.s, a + 4 * PAGE, PAGE, SPACE_READ), 0);
	w.mark[a / PAGE] = 1;
	w.mark[a / PAGE + 3] = 4;
	CHECK_INT(space_mremap(&w.s, a, 4 * PAGE, 8 * PAGE, 0), -LINUX_ENOMEM);
	uint64_t b = (uint64_t)space_mremap(&w.s, a, 4 * PAGE, 8 * PAGE,
		LINUX_MREMAP_MAYMOVE);
	CHECK(b != a && (int64_t)b > 0);
	CHECK_INT(w.mark[b / PAGE], 1);
	CHECK_INT(w.mark[b / PAGE + 3], 4);
	CHECK(!space_find(&w.s, a));
	CHECK(space_find(&w.s, b + 7 * PAGE));
	check_whole();
}

TEST(mremap_that_fails_changes_nothing)
{
	world_open(16 + 20);
	uint64_t a = (uint64_t)map(8 * PAGE, RW);
	static struct space before;
	before = w.s;
	CHECK_INT(space_mremap(&w.s, a, 8 * PAGE, 60 * PAGE,
			  LINUX_MREMAP_MAYMOVE),
		-LINUX_ENOMEM);
	CHECK_INT(space_mremap(&w.s, a, 9 * PAGE, 10 * PAGE, 0), -LINUX_EFAULT);
	CHECK_INT(space_mremap(&w.s, a, 8 * PAGE, 10 * PAGE, 2), -LINUX_EINVAL);
	CHECK_INT(space_mremap(&w.s, 0x1020000, PAGE, 2 * PAGE,
			  LINUX_MREMAP_MAYMOVE),
		-LINUX_EINVAL);
	CHECK_MEM(&w.s, &before, sizeof before);
	w.full = true;
	CHECK_INT(space_mremap(&w.s, a, 4 * PAGE, 12 * PAGE,
			  LINUX_MREMAP_MAYMOVE),
		-LINUX_ENOMEM);
	CHECK_MEM(&w.s, &before, sizeof before);
}

TEST(brk_grows_and_shrinks_one_range)
{
	world_open(1000);
	uint64_t b = w.s.brk_start;
	CHECK_INT(space_brk(&w.s, 0), b);
	CHECK_INT(space_brk(&w.s, b + 100), b + 100);
	CHECK_INT(space_brk(&w.s, b + 3 * PAGE + 1), b + 3 * PAGE + 1);
	CHECK_INT(w.s.count, 4);
	check_whole();
	CHECK_INT(space_brk(&w.s, b + PAGE), b + PAGE);
	CHECK(!space_find(&w.s, b + PAGE));
	check_whole();
	CHECK_INT(space_brk(&w.s, b), b);
	CHECK_INT(w.s.count, 3);
	/* Not below its start, not beyond memory, not into another range. */
	CHECK_INT(space_brk(&w.s, b - PAGE), b);
	CHECK_INT(space_brk(&w.s, b + 2000 * PAGE), b);
	CHECK_INT(space_brk(&w.s, UINT64_MAX), b);
	check_whole();
}

TEST(madvise_frees_pages_and_keeps_the_range)
{
	world_open(1000);
	uint64_t a = (uint64_t)map(4 * PAGE, RW);
	w.mark[a / PAGE] = 9;
	CHECK_INT(space_madvise(&w.s, a, 4 * PAGE, 8), 0);
	CHECK_INT(w.mark[a / PAGE], 9);
	CHECK_INT(space_madvise(&w.s, a, 4 * PAGE, LINUX_MADV_DONTNEED), 0);
	CHECK_INT(w.mark[a / PAGE], 0);
	CHECK(space_find(&w.s, a));
	CHECK_INT(space_madvise(&w.s, 0x1020000, PAGE, LINUX_MADV_DONTNEED),
		-LINUX_EINVAL);
}

TEST(gate_is_mapped_whole_and_costs_nothing)
{
	world_open(16);
	int64_t a = space_mmap(&w.s, 0, GATE_AREA_BYTES, RW, LINUX_MAP_SHARED,
		GATE_AREA_FD, 0);
	CHECK(a > 0);
	check_whole();
	CHECK_INT(space_mprotect(&w.s, (uint64_t)a, PAGE, SPACE_READ),
		-LINUX_EACCES);
	CHECK_INT(space_munmap(&w.s, (uint64_t)a, GATE_AREA_BYTES), 0);
	w.full = true;
	CHECK_INT(space_mmap(&w.s, 0, GATE_AREA_BYTES, RW, LINUX_MAP_SHARED,
			  GATE_AREA_FD, 0),
		-LINUX_ENOMEM);
	check_whole();
}

TEST(ranges_run_out_by_name)
{
	world_open(1000000);
	int64_t n = 0;
	uint64_t at = 0x8000000;
	for (unsigned i = 0; i < 2 * SPACE_MAX && n >= 0; i++, at += 2 * PAGE)
		n = space_mmap(&w.s, at, PAGE, RW, ANON, -1, 0);
	CHECK_INT(n, -LINUX_ENOMEM);
	CHECK(w.s.count <= SPACE_MAX);
	/* What is there can still go. */
	CHECK_INT(space_munmap(&w.s, 0x8000000, PAGE), 0);
	check_whole();
}

/* Random calls with a fixed seed: after each one the books balance, and every
 * answer is one that Linux could give. */
TEST(no_sequence_of_calls_breaks_the_books)
{
	static const uint64_t flags[] = { ANON, ANON | LINUX_MAP_FIXED,
		LINUX_MAP_SHARED, ANON | LINUX_MAP_POPULATE };
	world_open(3000);
	srand(6);
	for (unsigned i = 0; i < 20000; i++) {
		uint64_t at = LOW + (uint64_t)rand() % 4096 * PAGE * 16;
		uint64_t len = (uint64_t)rand() % 64 * PAGE + 1;
		uint64_t arg = (uint64_t)rand();
		if (w.s.count && arg & 0x100)
			at = w.s.range[arg % w.s.count].start;
		switch (rand() % 6) {
		case 0:
			space_mmap(&w.s, at, len, arg & 7,
				flags[arg / 8 % ARRAY_LEN(flags)], GATE_AREA_FD,
				0);
			break;
		case 1:
			space_munmap(&w.s, at, len);
			break;
		case 2:
			space_mprotect(&w.s, at, len, arg & 7);
			break;
		case 3:
			space_mremap(&w.s, at, len,
				(uint64_t)rand() % 128 * PAGE, arg & 1);
			break;
		case 4:
			space_brk(&w.s, w.s.brk_start + arg % 0x100000);
			break;
		default:
			space_madvise(&w.s, at, len, arg & 15);
		}
		check_whole();
	}
	CHECK(w.moves > 0);
}
