/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/shim/common/paging.c, with an ISA's own format: a program for each.  What
 * it wrote is read here as the manual says that the processor does.
 */
#include "shim/common/paging.h"

#include <setjmp.h>
#include <stdlib.h>

#include "../test.h"
#include "abi/vm.h"
#include "base/fmt.h"
#include "base/must.h"
#include "shim/common/end.h"

#define MIB    0x100000ull
#define GIB    0x40000000ull
#define TABLE  (2 * MIB) /* what one table of pages is for */
#define MEMORY (16 * MIB)

#define PHYSICAL 0x10080000000ull
#define WINDOW	 0x20000100000ull
#define EXEC_AT	 (2 * MIB)
#define HIGH	 (1ull << 37)

#define R  SPACE_READ
#define RW (SPACE_READ | SPACE_WRITE)
#define RX (SPACE_READ | SPACE_EXEC)

static uint8_t memory[MEMORY] __attribute__((aligned(PAGE_BYTES)));
static uint64_t first[8192], rams[512], gib[512];
static struct paging paging;
static const struct space_ops *const space = &paging_space_ops;

/* --- what an ISA and a shim give ----------------------------------------- */

static jmp_buf ended;
static bool may_end;
static char why[256];
static unsigned all_forgotten;
static uint64_t one_from, one_to;

void paging_forget(uint64_t start, uint64_t end)
{
	one_from = start;
	one_to = end;
}

void paging_forget_all(void)
{
	all_forgotten++;
}

void shim_crash(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	fmt_v(why, sizeof why, format, ap);
	va_end(ap);
	if (!may_end)
		fail_msg("%s", why);
	longjmp(ended, 1);
}

void must_failed(const char *what, UNUSED const char *file, UNUSED int line)
{
	shim_crash("must: %s", what);
}

/* `what` ends the Keep, with these words. */
#define ENDS(what, words)                  \
	do {                               \
		may_end = true;            \
		if (!setjmp(ended)) {      \
			what;              \
			fail_msg("lives"); \
		}                          \
		may_end = false;           \
		CHECK_HAS(why, words);     \
	} while (0)

/* --- a processor ---------------------------------------------------------- */

struct word {
	enum { NOTHING, LINK, PAGE } kind;
	uint64_t physical;
	uint8_t prot;
	bool user;
};

/* AMD64 manual, volume 2, §5.4. */
static struct word read_x86_64(uint64_t e, unsigned shift)
{
	struct word w = { .physical = e & 0x000ffffffffff000,
		.user = e & 4,
		.prot = R };
	w.prot |= e & 2 ? SPACE_WRITE : 0;
	w.prot |= e >> 63 ? 0 : SPACE_EXEC;
	w.kind = !(e & 1) ? NOTHING : shift == 12 || e & 0x80 ? PAGE : LINK;
	CHECK_INT(e & 0x7ff0000000000118, 0);
	/* No write to the tables for a page's first use. */
	if (w.kind == PAGE)
		CHECK_INT(e & 0x60, 0x60);
	return w;
}

/* RISC-V privileged architecture, §4.3.2 and §4.4. */
static struct word read_riscv64(uint64_t e, unsigned shift)
{
	struct word w = { .physical = (e << 10 >> 20) * PAGE_BYTES,
		.user = e & 0x10,
		.prot = (e >> 1 & 1 ? SPACE_READ : 0) |
			(e >> 2 & 1 ? SPACE_WRITE : 0) |
			(e >> 3 & 1 ? SPACE_EXEC : 0) };
	w.kind = !(e & 1) ? NOTHING : e & 0xe ? PAGE : LINK;
	/* Links have no other bits; pages no fault for their first use. */
	if (w.kind == LINK)
		CHECK(shift > 12 && !(e & 0xf0));
	if (w.kind == PAGE)
		CHECK_INT(e & 0xc0, 0xc0);
	CHECK_INT(e >> 54, 0);
	return w;
}

/* Power ISA 3.0B, book III, §5.7.10.2. */
static struct word read_ppc64le(uint64_t word, unsigned shift)
{
	uint64_t e = __builtin_bswap64(word);
	struct word w = { .physical = e & 0x01fffffffffff000,
		.user = !(e & 8),
		.prot = (e & 4 ? SPACE_READ : 0) | (e & 2 ? SPACE_WRITE : 0) |
			(e & 1 ? SPACE_EXEC : 0) };
	w.kind = !(e >> 63) ? NOTHING : e >> 62 & 1 ? PAGE : LINK;
	if (w.kind == LINK) {
		CHECK_INT(e & 0x1f, 9);
		CHECK(shift > 12);
		w.physical = e & 0x0fffffffffffff00;
	}
	if (w.kind == PAGE)
		CHECK_INT(e & 0x180, 0x180);
	return w;
}

static struct word read_word(uint64_t e, unsigned shift)
{
	struct word w = { .kind = NOTHING };
	if (!e)
		return w;
	switch (paging_format.user_end) {
	case 1ull << 47:
		return read_x86_64(e, shift);
	case 1ull << 38:
		return read_riscv64(e, shift);
	case 1ull << 52:
		return read_ppc64le(e, shift);
	default:
		fail_msg("no processor of that kind");
	}
	return w;
}

/* What exec finds at va; a page that it may not use is none. */
static struct word look(uint64_t va)
{
	const bool limits = paging_format.exec_link != paging_format.link;
	unsigned shift = paging_format.top;
	struct word w = read_word(first[va >> shift], shift);
	while (w.kind == LINK) {
		CHECK(!limits || (w.user && w.prot & SPACE_WRITE));
		uint64_t at = w.physical - PHYSICAL;
		CHECK(at < MEMORY && at % PAGE_BYTES == 0);
		shift -= 9;
		const uint64_t *t = (const uint64_t *)(memory + at);
		w = read_word(t[va >> shift & 511], shift);
	}
	if (w.kind == PAGE) {
		CHECK_INT(shift, 12);
		CHECK(w.user);
		CHECK((w.prot & (SPACE_WRITE | SPACE_EXEC)) !=
			(SPACE_WRITE | SPACE_EXEC));
	}
	return w;
}

static void check_page(uint64_t va, const void *data, uint8_t prot)
{
	struct word w = look(va);
	CHECK_INT(w.kind, PAGE);
	CHECK_INT(w.prot, prot);
	CHECK(memory + (w.physical - PHYSICAL) == data);
	CHECK(paging_find(&paging, va + 5, false) == (const uint8_t *)data + 5);
	CHECK_INT(paging_allows(&paging, va, SPACE_READ), 1);
	CHECK_INT(paging_allows(&paging, va, SPACE_WRITE),
		!!(prot & SPACE_WRITE));
	CHECK_INT(paging_allows(&paging, va, SPACE_EXEC),
		!!(prot & SPACE_EXEC));
	CHECK_INT(!!paging_find(&paging, va, true), !!(prot & SPACE_WRITE));
}

static void check_none(uint64_t va)
{
	CHECK_INT(look(va).kind, NOTHING);
	CHECK(!paging_has(&paging, va));
	CHECK(!paging_find(&paging, va, false));
	CHECK(!paging_allows(&paging, va, SPACE_READ));
}

/* --- set-up ----------------------------------------------------------------
 */

static void start(void)
{
	memset(memory, 0x5a, sizeof memory);
	memset(first, 0, sizeof first);
	memset(rams, 0, sizeof rams);
	memset(gib, 0, sizeof gib);
	paging = (struct paging){
		.ram = memory,
		.physical = PHYSICAL,
		.window = WINDOW,
		.exec = first,
		.ram_table = rams,
		.first_gib = gib,
		.ram_max = 8 * GIB,
		.exec_at = EXEC_AT,
		.exec_bytes = 3 * PAGE_BYTES + 100,
	};
	paging_init(&paging);
}

static uint64_t ready(void)
{
	start();
	paging_add_ram(&paging, MEMORY, NULL);
	all_forgotten = 0;
	one_from = one_to = 0;
	return paging.frames.used;
}

static uint8_t *map_new(uint64_t va, uint8_t prot)
{
	uint8_t *page = paging_map_new(&paging, va, prot);
	if (!page)
		fail_msg("no memory");
	return page;
}

static uint64_t held[MEMORY / PAGE_BYTES];
static size_t holds;

static void leave_free(uint64_t pages)
{
	holds = 0;
	while (paging.frames.count - paging.frames.used > pages)
		CHECK(frames_take(&paging.frames, &held[holds++]));
}

/* Tables from the first to that of pages: what one address costs. */
static uint64_t levels(void)
{
	return (paging_format.top - 12u) / 9;
}

/* --- the shim's half ------------------------------------------------------ */

static void check_shims(uint64_t word, uint64_t physical, uint8_t prot,
	unsigned shift)
{
	struct word w = read_word(word, shift);
	CHECK_INT(w.kind, PAGE);
	CHECK_INT(w.prot, prot);
	CHECK(!w.user);
	CHECK(w.physical == physical);
}

TEST(the_image_is_mapped_each_part_with_its_rights)
{
	const uint8_t *at = memory;
	const struct paging_image image = { at, at + 2 * PAGE_BYTES,
		at + 3 * PAGE_BYTES, at + 6 * PAGE_BYTES };
	uint64_t t[8] = { 0 };
	paging_map_image(t, &image, PHYSICAL);
	for (unsigned i = 0; i < 6; i++)
		check_shims(t[i], PHYSICAL + i * PAGE_BYTES,
			i < 2	      ? RX :
				i < 3 ? R :
					RW,
			12);
	CHECK(!t[6]);
	struct word w = read_word(paging_link(PHYSICAL), 21);
	CHECK(w.kind == LINK && w.physical == PHYSICAL);
}

TEST(the_shim_reads_execs_file_and_writes_what_is_behind_it)
{
	uint64_t used = ready();
	CHECK_INT(used, 0);
	CHECK(!gib[0]);
	check_shims(gib[1], PHYSICAL + EXEC_AT, R, 21);
	for (unsigned i = 2; i < 8; i++)
		check_shims(gib[i], PHYSICAL + i * TABLE, RW, 21);
	CHECK(!gib[8]);
	struct bytes file = paging_file(&paging);
	CHECK(file.ptr == memory + EXEC_AT);
	CHECK_INT(file.len, 3 * PAGE_BYTES + 100);
}

TEST(memory_beyond_a_gib_has_tables_of_its_own)
{
	start();
	paging_add_ram(&paging, 2 * GIB + TABLE, NULL);
	CHECK_INT(paging.frames.used, 2);
	check_shims(gib[511], PHYSICAL + GIB - TABLE, RW, 21);
	for (unsigned i = 1; i < 3; i++) {
		struct word w = read_word(rams[i], 30);
		CHECK_INT(w.kind, LINK);
		const uint64_t *t =
			(uint64_t *)(memory + (w.physical - PHYSICAL));
		check_shims(t[0], PHYSICAL + i * GIB, RW, 21);
		CHECK_INT(!!t[1], i == 1);
	}
	CHECK(!rams[3] && all_forgotten);
}

TEST(memory_that_can_not_be_ends_the_keep)
{
	start();
	ENDS(paging_add_ram(&paging, MEMORY + PAGE_BYTES, NULL), "RAM up to");
	ENDS(paging_add_ram(&paging, 2 * TABLE, NULL), "RAM up to");
	ENDS(paging_add_ram(&paging, TABLE, NULL), "RAM up to");
	ENDS(paging_add_ram(&paging, 0, NULL), "RAM up to");
	ENDS(paging_add_ram(&paging, 8 * GIB + TABLE, NULL), "RAM up to");
	ENDS(paging_add_ram(&paging, 0 - TABLE, NULL), "RAM up to");
	/* The bitmaps lie in the first GiB. */
	paging.exec_bytes = GIB - EXEC_AT - TABLE;
	paging.ram_max = 128 * GIB;
	paging_init(&paging);
	ENDS(paging_add_ram(&paging, 100 * GIB, NULL), "RAM of");
	paging.exec_bytes = GIB;
	ENDS(paging_init(&paging), "too large");
}

static uint64_t accepted_to;
static bool accepts;

static bool accept(UNUSED void *ctx, uint64_t from, uint64_t to,
	UNUSED bool again)
{
	CHECK_INT(from % FRAMES_BLOCK, 0);
	accepted_to = to;
	return accepts;
}

TEST(memory_is_accepted_before_it_is_used)
{
	static const struct frames_ops ops = { accept, NULL };
	uint64_t block = paging.free_at / PAGE_BYTES + FRAMES_BLOCK;
	start();
	accepts = false;
	ENDS(paging_add_ram(&paging, MEMORY, &ops), "gave no memory");
	CHECK_INT(memory[paging.free_at], 0x5a);
	start();
	accepts = true;
	paging_add_ram(&paging, MEMORY, &ops);
	block = paging.free_at / PAGE_BYTES + FRAMES_BLOCK;
	CHECK_INT(accepted_to, block);
	while (paging.frames.used < FRAMES_BLOCK - 1)
		CHECK(frames_take(&paging.frames, &block));
	CHECK_INT(accepted_to, paging.free_at / PAGE_BYTES + FRAMES_BLOCK);
	CHECK(frames_take(&paging.frames, &block));
	CHECK(block < accepted_to);
}

static uint64_t released;

static void release(UNUSED void *ctx, uint64_t from, uint64_t to)
{
	released += to - from;
	CHECK(all_forgotten);
}

TEST(memory_goes_back_to_the_host_once_it_is_forgotten)
{
	static const struct frames_ops ops = { accept, release };
	enum { PAGES = 3000 };
	start();
	accepts = true;
	paging_add_ram(&paging, MEMORY, &ops);
	for (uint64_t i = 0; i < PAGES; i++)
		map_new(HIGH + i * PAGE_BYTES, RW);
	all_forgotten = 0;
	released = 0;
	space->unmap(&paging, HIGH, HIGH + PAGES * PAGE_BYTES);
	CHECK_INT(released, FRAMES_BLOCK);
}

/* --- exec's pages ----------------------------------------------------------
 */

TEST(a_new_page_is_zero_and_where_the_processor_finds_it)
{
	static const uint8_t zeros[PAGE_BYTES];
	const uint8_t prots[] = { R, RW, RX };
	uint64_t used = ready();
	for (unsigned i = 0; i < 3; i++) {
		uint64_t va = HIGH + i * TABLE - PAGE_BYTES;
		check_none(va);
		const uint8_t *page = map_new(va, prots[i]);
		CHECK_MEM(page, zeros, PAGE_BYTES);
		check_page(va, page, prots[i]);
		check_none(va + PAGE_BYTES);
	}
	/* HIGH is a border of tables of all levels but the first. */
	CHECK(paging.frames.used - used <= 3 + 2 * levels() + 1);
	CHECK(!paging_has(&paging, paging_format.user_end));
	CHECK(!paging_map_new(&paging, paging_format.user_end, R));
	CHECK(!paging_map_new(&paging, UINT64_MAX - PAGE_BYTES + 1, R));
}

TEST(a_page_without_rights_keeps_what_is_in_it)
{
	ready();
	uint8_t *page = map_new(HIGH, RW);
	page[7] = 7;
	space->protect(&paging, HIGH, HIGH + PAGE_BYTES, 0);
	CHECK_INT(look(HIGH).kind, NOTHING);
	CHECK(paging_has(&paging, HIGH));
	CHECK(!paging_find(&paging, HIGH, false));
	CHECK(!paging_allows(&paging, HIGH, SPACE_READ));
	space->protect(&paging, HIGH, HIGH + PAGE_BYTES, RX);
	check_page(HIGH, page, RX);
	CHECK_INT(page[7], 7);
}

TEST(nothing_is_writable_and_executable_or_there_twice)
{
	ready();
	map_new(HIGH, RW);
	ENDS(map_new(HIGH, R), "must");
	ENDS(map_new(HIGH + PAGE_BYTES, RW | SPACE_EXEC), "must");
	ENDS(space->protect(&paging, HIGH, HIGH + PAGE_BYTES, RW | SPACE_EXEC),
		"must");
}

TEST(pages_of_execs_file_are_lent)
{
	uint64_t used = ready();
	CHECK(paging_map_file(&paging, HIGH, PAGE_BYTES, RX));
	CHECK_INT(paging.frames.used, used + levels());
	check_page(HIGH, memory + EXEC_AT + PAGE_BYTES, RX);
	space->protect(&paging, HIGH, HIGH + PAGE_BYTES, R);
	check_page(HIGH, memory + EXEC_AT + PAGE_BYTES, R);
	space->unmap(&paging, HIGH, HIGH + PAGE_BYTES);
	check_none(HIGH);
	CHECK_INT(paging.frames.used, used + levels() - 1);
}

TEST(the_gate_is_the_hosts_and_no_call_writes_to_it)
{
	uint64_t va = HIGH + TABLE - 3 * PAGE_BYTES, used = ready();
	CHECK(space->gate(&paging, va, GATE_AREA_BYTES));
	for (uint64_t i = 0; i < GATE_AREA_BYTES; i += PAGE_BYTES) {
		struct word w = look(va + i);
		CHECK_INT(w.kind, PAGE);
		CHECK_INT(w.prot, RW);
		CHECK(w.physical == WINDOW + VM_AREA_AT + i);
		CHECK(!paging_find(&paging, va + i, false));
		CHECK(paging_has(&paging, va + i));
	}
	check_none(va + GATE_AREA_BYTES);
	space->unmap(&paging, va, va + GATE_AREA_BYTES);
	check_none(va);
	CHECK_INT(paging.frames.used, used + levels() - 1);
}

/* --- taking away -----------------------------------------------------------
 */

TEST(rights_change_over_the_borders_of_tables_and_holes)
{
	ready();
	const uint8_t *a = map_new(HIGH, RW), *b = map_new(HIGH + TABLE, RW);
	const uint8_t *c = map_new(HIGH + 5 * TABLE - PAGE_BYTES, RW);
	const uint8_t *d = map_new(HIGH + 5 * TABLE, RW);
	space->protect(&paging, HIGH + PAGE_BYTES, HIGH + 5 * TABLE, R);
	check_page(HIGH, a, RW);
	check_page(HIGH + TABLE, b, R);
	check_page(HIGH + 5 * TABLE - PAGE_BYTES, c, R);
	check_page(HIGH + 5 * TABLE, d, RW);
	check_none(HIGH + PAGE_BYTES);
	CHECK_INT(all_forgotten, 1);
	space->protect(&paging, HIGH, HIGH + PAGE_BYTES, R);
	CHECK(one_from == HIGH && one_to == HIGH + PAGE_BYTES);
	CHECK_INT(all_forgotten, 1);
}

TEST(pages_that_go_are_free_and_so_are_tables_that_they_leave)
{
	uint64_t va = HIGH + TABLE, used = ready();
	map_new(va - PAGE_BYTES, RW);
	uint64_t one = paging.frames.used - used;
	for (unsigned i = 0; i < 3; i++)
		map_new(va + i * PAGE_BYTES, RW);
	map_new(va + 3 * TABLE, RW);
	CHECK_INT(paging.frames.used - used, one + 4 + 2);
	/* Not the last of its table: one page is forgotten, no table is. */
	space->unmap(&paging, va, va + PAGE_BYTES);
	CHECK_INT(paging.frames.used - used, one + 3 + 2);
	CHECK(one_from == va && one_to == va + PAGE_BYTES);
	CHECK_INT(all_forgotten, 0);
	/* With a table goes all that is known of tables. */
	space->unmap(&paging, va + PAGE_BYTES, va + 3 * PAGE_BYTES);
	CHECK_INT(paging.frames.used - used, one + 1 + 1);
	CHECK_INT(all_forgotten, 1);
	space->unmap(&paging, HIGH, va + 4 * TABLE);
	CHECK_INT(paging.frames.used - used, one - 2);
	for (uint64_t at = HIGH; at < va + 4 * TABLE; at += PAGE_BYTES)
		check_none(at);
	/* Where nothing is, nothing happens. */
	space->unmap(&paging, 0, HIGH + GIB);
	CHECK_INT(paging.frames.used - used, one - 2);
}

TEST(pages_move_over_the_borders_of_tables)
{
	enum { PAGES = 1030 };
	uint64_t from = HIGH + 7 * PAGE_BYTES, to = HIGH + 9 * TABLE + 0x1ff000;
	static uint8_t *page[PAGES];
	uint64_t used = ready();
	map_new(HIGH, RW);
	for (unsigned i = 0; i < PAGES; i += i % 3 + 1)
		page[i] = map_new(from + i * PAGE_BYTES, i % 2 ? R : RW);
	space->protect(&paging, from, from + PAGE_BYTES, 0);
	uint64_t before = paging.frames.used;
	CHECK(space->move(&paging, from, to, PAGES * PAGE_BYTES));
	CHECK(paging_has(&paging, to) && look(to).kind == NOTHING);
	for (unsigned i = 1; i < PAGES; i++) {
		check_none(from + i * PAGE_BYTES);
		if (page[i])
			check_page(to + i * PAGE_BYTES, page[i],
				i % 2 ? R : RW);
		else
			check_none(to + i * PAGE_BYTES);
	}
	/* Two tables left behind, four at the other place; the first has
	 * another page. */
	CHECK_INT(paging.frames.used, before - 2 + 4);
	CHECK(all_forgotten);
	space->unmap(&paging, to, to + PAGES * PAGE_BYTES);
	space->unmap(&paging, HIGH, from);
	CHECK_INT(paging.frames.used, used + levels() - 1);
}

TEST(a_move_makes_no_table_for_a_hole)
{
	const uint64_t from = HIGH, to = HIGH + 8 * TABLE;
	ready();
	map_new(from, RW);
	const uint8_t *page = map_new(from + 3 * TABLE, RW);
	uint64_t used = paging.frames.used;
	/* The first page's table stays without it; three have nothing. */
	space->unmap(&paging, from, from + PAGE_BYTES);
	map_new(from + TABLE - PAGE_BYTES, RW);
	CHECK_INT(paging.frames.used, used);
	CHECK(space->move(&paging, from, to, 4 * TABLE));
	CHECK_INT(paging.frames.used, used);
	check_page(to + 3 * TABLE, page, RW);
	CHECK(space->move(&paging, to, from, TABLE - PAGE_BYTES));
	CHECK_INT(paging.frames.used, used);
}

/* --- no memory -------------------------------------------------------------
 */

TEST(a_page_without_memory_is_not_there_and_costs_nothing_later)
{
	for (uint64_t n = 0; n <= levels(); n++) {
		uint64_t used = ready();
		leave_free(n);
		CHECK(!paging_map_new(&paging, HIGH, RW));
		check_none(HIGH);
		if (n < levels())
			CHECK(!paging_map_file(&paging, HIGH, 0, R));
		/* Tables that were made are used when there is memory. */
		while (holds)
			frames_give(&paging.frames, held[--holds]);
		check_page(HIGH, map_new(HIGH, RW), RW);
		CHECK_INT(paging.frames.used - used, levels() + 1);
	}
}

TEST(a_move_without_memory_leaves_everything_in_place)
{
	const uint64_t from = HIGH, to = HIGH + 8 * TABLE;
	for (uint64_t n = 0; n < 3; n++) {
		const uint8_t *page[3];
		ready();
		for (unsigned i = 0; i < 3; i++)
			page[i] = map_new(from + i * TABLE, RW);
		leave_free(n);
		uint64_t used = paging.frames.used;
		CHECK(!space->move(&paging, from, to, 3 * TABLE));
		CHECK_INT(paging.frames.used, used);
		for (unsigned i = 0; i < 3; i++) {
			check_page(from + i * TABLE, page[i], RW);
			check_none(to + i * TABLE);
		}
	}
}

TEST(a_gate_without_memory_is_not_there_in_part)
{
	const uint64_t va = HIGH + TABLE - 3 * PAGE_BYTES;
	ready();
	map_new(HIGH, RW);
	leave_free(0);
	uint64_t used = paging.frames.used;
	CHECK(!space->gate(&paging, va, GATE_AREA_BYTES));
	CHECK_INT(paging.frames.used, used);
	for (uint64_t i = 0; i < GATE_AREA_BYTES; i += PAGE_BYTES)
		check_none(va + i);
}

/* --- all of it --------------------------------------------------------------
 */

enum { SPAN = 1600 }; /* pages: over four tables */

static uint8_t *there[2 * SPAN], prot_at[2 * SPAN];

static uint64_t va_of(unsigned i)
{
	return HIGH - 100 * PAGE_BYTES + (uint64_t)i * PAGE_BYTES;
}

static void move_some(unsigned n)
{
	unsigned from = (unsigned)rand() % (SPAN - n);
	unsigned to = SPAN + (unsigned)rand() % (SPAN - n);
	space->unmap(&paging, va_of(to), va_of(to + n));
	CHECK(space->move(&paging, va_of(from), va_of(to),
		n * (uint64_t)PAGE_BYTES));
	for (unsigned i = 0; i < n; i++) {
		there[to + i] = there[from + i];
		prot_at[to + i] = prot_at[from + i];
		there[from + i] = NULL;
	}
}

static void change_some(unsigned from, unsigned n)
{
	static const uint8_t prots[] = { R, RW, RX };
	uint8_t prot = prots[rand() % 3];
	bool gone = rand() % 2;
	if (gone)
		space->unmap(&paging, va_of(from), va_of(from + n));
	else
		space->protect(&paging, va_of(from), va_of(from + n), prot);
	for (; n--; from++) {
		there[from] = gone ? NULL : there[from];
		prot_at[from] = prot;
	}
}

static void map_some(unsigned from, unsigned n)
{
	for (; n-- && paging.frames.used + 16 < paging.frames.count; from++)
		if (!there[from]) {
			there[from] = map_new(va_of(from), RW);
			prot_at[from] = RW;
		}
}

TEST(random_traffic_loses_no_page_and_no_table)
{
	uint64_t used = ready();
	memset(there, 0, sizeof there);
	srand(11);
	for (unsigned round = 0; round < 3000; round++) {
		unsigned n = 1 + (unsigned)rand() % 80;
		unsigned from = (unsigned)rand() % (2 * SPAN - n);
		switch (rand() % 4) {
		case 0:
			change_some(from, n);
			break;
		case 1:
			move_some(n * 4);
			break;
		default:
			map_some(from, n);
		}
		unsigned i = (unsigned)rand() % (2 * SPAN);
		if (there[i])
			check_page(va_of(i), there[i], prot_at[i]);
		else
			check_none(va_of(i));
	}
	for (unsigned i = 0; i < 2 * SPAN; i++)
		if (there[i])
			check_page(va_of(i), there[i], prot_at[i]);
	space->unmap(&paging, va_of(0), va_of(2 * SPAN));
	/* Only tables of tables are left: of two branches. */
	CHECK(paging.frames.used - used <= 2 * (levels() - 1));
}
