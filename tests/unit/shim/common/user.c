/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/user.h"

#include <elf.h>
#include <setjmp.h>
#include <stdlib.h>

#include "../../test.h"
#include "base/fmt.h"
#include "base/must.h"
#include "shim/common/boot.h"
#include "shim/common/end.h"
#include "shim/common/paging.h"

/* --- an ISA: its pages are in a list ------------------------------------- */

#define IMAGE_LOW  0x100000000u
#define STACK_HIGH 0x900000000u

enum { PAGES = 64, RANDOM_PAGES = 16 };

struct page {
	uint64_t va;
	uint8_t prot;
	bool of_file;
	uint8_t *data;
};

/* A program of code, of constants with zeros behind them, and of data. */
static struct {
	Elf64_Ehdr h;
	Elf64_Phdr p[3];
	uint8_t rest[3 * PAGE_BYTES];
} __attribute__((aligned(PAGE_BYTES))) file;

static struct {
	size_t count, room;
	struct page page[PAGES];
	uint8_t memory[PAGES][PAGE_BYTES];
} list;
static struct paging paging;
struct user shim_user;
static jmp_buf crashed;
static uint64_t told;
static bool random_ends;

static struct page *page_of(uint64_t va)
{
	for (size_t i = 0; i < list.count; i++)
		if (list.page[i].va == (va & ~(uint64_t)(PAGE_BYTES - 1)))
			return &list.page[i];
	return NULL;
}

static struct page page_with(uint64_t va, uint8_t prot, bool of_file)
{
	const struct page *p = page_of(va);
	if (!p)
		fail_msg("nothing at 0x%llx", (unsigned long long)va);
	struct page found = p ? *p : (struct page){ 0 };
	CHECK_INT(found.prot, prot);
	CHECK_INT(found.of_file, of_file);
	return found;
}

static uint8_t *add(const struct paging *p, uint64_t va, uint8_t prot,
	uint8_t *file_at)
{
	CHECK(p == &paging);
	CHECK(!page_of(va));
	CHECK_INT(va % PAGE_BYTES, 0);
	if (list.count == list.room)
		return NULL;
	struct page *new = &list.page[list.count];
	*new = (struct page){ va, prot, file_at,
		file_at ? file_at : list.memory[list.count] };
	list.count++;
	return new->data;
}

struct bytes paging_file(UNUSED const struct paging *p)
{
	return bytes_of(&file, sizeof file);
}

bool paging_map_file(struct paging *p, uint64_t va, uint64_t offset,
	uint8_t prot)
{
	CHECK_INT(offset % PAGE_BYTES, 0);
	CHECK(offset < sizeof file);
	return add(p, va, prot, (uint8_t *)&file + offset);
}

void *paging_map_new(struct paging *p, uint64_t va, uint8_t prot)
{
	return add(p, va, prot, NULL);
}

void *paging_find(UNUSED struct paging *p, uint64_t va, bool write)
{
	const struct page *found = page_of(va);
	if (!found || !(found->prot & (write ? SPACE_WRITE : SPACE_READ)))
		return NULL;
	return found->data + va % PAGE_BYTES;
}

bool paging_has(UNUSED struct paging *p, uint64_t va)
{
	return page_of(va);
}

static void tell(struct stack_facts *f)
{
	told++;
	f->hwcap = 0x1234;
	f->shim.tee = GATE_TEE_SNP;
}

const struct user_isa user_isa = {
	.machine = EM_X86_64,
	.image_low = IMAGE_LOW,
	.image_pages = RANDOM_PAGES,
	.stack_high = STACK_HIGH,
	.other_pages = RANDOM_PAGES,
	.tell = tell,
};

NORETURN static void crash(const char *why)
{
	CHECK_STR(why, "out of memory");
	longjmp(crashed, 1);
}

static const struct personality_ops ops = { .crash = crash };

/* xorshift64*, so that every run is the same. */
static bool draw(uint64_t *out)
{
	static uint64_t s = 88172645463325252;
	s ^= s << 13;
	s ^= s >> 7;
	s ^= s << 17;
	*out = s * 2685821657736338717;
	return !random_ends;
}

/* --- and its shim -------------------------------------------------------- */

const struct space_ops paging_space_ops = { 0 };
static char why[256];
static bool debug;
static uint32_t khz;

bool shim_debug(void)
{
	return debug;
}

uint64_t shim_counter(void)
{
	return 1000;
}

uint32_t shim_counter_khz(const struct vm_hints *h)
{
	return h->tsc_khz;
}

bool shim_random(struct random_source *r, struct err *e)
{
	return random_init(r, NULL, draw, e);
}

void shim_bell(void)
{
}

void shim_exit(UNUSED int status, UNUSED uint32_t unknown_calls)
{
	longjmp(crashed, 1);
}

void shim_crash(const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	fmt_v(why, sizeof why, format, ap);
	va_end(ap);
	longjmp(crashed, 1);
}

static void make_file(void)
{
	memset(&file, 0, sizeof file);
	file.h = (Elf64_Ehdr){ .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64,
				       ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_entry = 0x200,
		.e_phoff = sizeof file.h,
		.e_phentsize = sizeof file.p[0],
		.e_phnum = 3 };
	file.p[0] = (Elf64_Phdr){ .p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_filesz = 0x1300,
		.p_memsz = 0x1300 };
	file.p[1] = (Elf64_Phdr){ .p_type = PT_LOAD,
		.p_flags = PF_R,
		.p_offset = 0x1400,
		.p_vaddr = 0x2400,
		.p_filesz = 0x10,
		.p_memsz = 0x20 };
	file.p[2] = (Elf64_Phdr){ .p_type = PT_LOAD,
		.p_flags = PF_R | PF_W,
		.p_offset = 0x1480,
		.p_vaddr = 0x4480,
		.p_filesz = 0x1000,
		.p_memsz = 0x2000 };
	for (size_t i = 0; i < sizeof file.rest; i++)
		file.rest[i] = (uint8_t)(i * 7 % 255 + 1);
}

static struct user *start(void)
{
	struct user *u = &shim_user;
	struct err e = { 0 };
	make_file();
	memset(&list, 0, sizeof list);
	list.room = PAGES;
	random_ends = false;
	told = 0;
	*u = (struct user){ .paging = &paging };
	u->space.pages_max = 1 << 20;
	u->personality.ops = &ops;
	CHECK(random_init(&u->random, NULL, draw, &e));
	return u;
}

static struct user *load(void)
{
	struct user *u = start();
	struct err e = { 0 };
	if (!user_load(u, &e))
		fail_msg("%s", e.text);
	return u;
}

/* A range beside them, as exec asks for it. */
static uint64_t map_range(struct user *u, uint64_t pages, uint8_t prot)
{
	uint64_t at = STACK_HIGH + 0x100000000;
	CHECK(space_add(&u->space, at, at + pages * PAGE_BYTES, prot,
		SPACE_ANON));
	return at;
}

/* --- loading ------------------------------------------------------------ */

TEST(what_exec_only_runs_stays_where_it_was_measured)
{
	const struct user *u = load();
	for (uint64_t at = 0; at < 2 * PAGE_BYTES; at += PAGE_BYTES) {
		struct page p =
			page_with(u->base + at, SPACE_READ | SPACE_EXEC, true);
		CHECK(p.data == (uint8_t *)&file + at);
	}
}

TEST(pages_that_are_written_or_end_in_zeros_are_copies)
{
	static const uint8_t zeros[PAGE_BYTES];
	const struct user *u = load();
	const uint8_t *f = (const uint8_t *)&file;
	struct page p = page_with(u->base + 0x2000, SPACE_READ, false);
	CHECK_MEM(p.data, zeros, 0x400);
	CHECK_MEM(p.data + 0x400, f + 0x1400, 0x10);
	CHECK_MEM(p.data + 0x410, zeros, PAGE_BYTES - 0x410);
	p = page_with(u->base + 0x4000, SPACE_READ | SPACE_WRITE, false);
	CHECK_MEM(p.data, zeros, 0x480);
	CHECK_MEM(p.data + 0x480, f + 0x1480, PAGE_BYTES - 0x480);
	p = page_with(u->base + 0x5000, SPACE_READ | SPACE_WRITE, false);
	CHECK_MEM(p.data, f + 0x2000, 0x480);
	CHECK_MEM(p.data + 0x480, zeros, PAGE_BYTES - 0x480);
	p = page_with(u->base + 0x6000, SPACE_READ | SPACE_WRITE, false);
	CHECK_MEM(p.data, zeros, PAGE_BYTES);
	CHECK(!page_of(u->base + 0x3000));
}

TEST(exec_finds_on_its_stack_what_the_isa_tells)
{
	struct user *u = load();
	uint64_t word[64];
	CHECK_INT(told, 1);
	CHECK_INT(u->entry, u->base + 0x200);
	CHECK_INT(u->stack_pointer % 16, 0);
	CHECK(user_copy_in(u, word, u->stack_pointer, 8));
	CHECK_INT(word[0], 1);
	uint64_t at = u->stack_pointer + 32;
	unsigned seen = 0;
	do {
		CHECK(user_copy_in(u, word, at, 16));
		seen += word[0] == AT_HWCAP && word[1] == 0x1234;
		seen += word[0] == AT_ENTRY && word[1] == u->entry;
		at += 16;
	} while (word[0] != AT_NULL);
	CHECK_INT(seen, 2);
}

TEST(all_places_are_random_but_a_debug_keeps_image)
{
	uint64_t base = 0, stack = 0, heap = 0, mmap = 0;
	for (size_t i = 0; i < 200; i++) {
		const struct user *u = load();
		uint64_t b = u->base - IMAGE_LOW;
		uint64_t h = u->space.brk - u->end - PAGE_BYTES;
		CHECK(b < RANDOM_PAGES * PAGE_BYTES);
		CHECK(h < RANDOM_PAGES * PAGE_BYTES);
		CHECK(u->stack_pointer < STACK_HIGH);
		CHECK(u->space.high < u->stack_pointer - 0x800000);
		base |= 1u << b / PAGE_BYTES;
		heap |= 1u << h / PAGE_BYTES;
		stack |= 1u << (STACK_HIGH - u->stack_pointer) / PAGE_BYTES;
		mmap |= 1u << (u->stack_pointer - u->space.high) / PAGE_BYTES %
				RANDOM_PAGES;
	}
	CHECK_INT(base, 0xffff);
	CHECK_INT(heap, 0xffff);
	CHECK_INT(stack, 0xffff);
	CHECK_INT(mmap, 0xffff);
	struct user *u = start();
	struct err e = { 0 };
	u->fixed = true;
	CHECK(user_load(u, &e));
	CHECK_INT(u->base, IMAGE_LOW);
}

TEST(loading_ends_with_a_sentence_when_memory_does)
{
	size_t needs, n;
	load();
	needs = list.count;
	for (n = 0; n < needs; n++) {
		struct user *u = start();
		struct err e = { 0 };
		list.room = n;
		/* The stack's page is touched, as exec would. */
		if (setjmp(crashed))
			continue;
		CHECK(!user_load(u, &e));
		CHECK_INT(e.kind, ERR_LIMIT);
		CHECK_HAS(e.text, "out of memory for");
		CHECK(n < 6);
	}
}

TEST(nothing_is_loaded_without_randomness_or_for_another_isa)
{
	struct user *u = start();
	struct err e = { 0 };
	random_ends = true;
	CHECK(!user_load(u, &e));
	CHECK_HAS(e.text, "random generator failed");
	CHECK_INT(list.count, 0);
	u = start();
	file.h.e_machine = EM_RISCV;
	e = (struct err){ 0 };
	CHECK(!user_load(u, &e));
	CHECK_HAS(e.text, "static-PIE");
}

/* NULL: exec is ready; else why it is not. */
static const char *boot(uint64_t frames, uint64_t used)
{
	const struct vm_hints h = { .tsc_khz = khz, .real_ns = 5000 };
	paging.frames.count = frames;
	paging.frames.used = used;
	why[0] = 0;
	if (!setjmp(crashed))
		user_boot(&shim_user, &paging, &h);
	return why[0] ? why : NULL;
}

TEST(a_boot_makes_exec_ready_and_promises_it_what_there_is)
{
	const struct user *u = start();
	khz = 1000000;
	debug = false;
	CHECK(!boot(10000, 500));
	CHECK_INT(u->space.pages_max, 9500 - 9500 / 256 - 64);
	CHECK(u->space.ops == &paging_space_ops && u->space.ctx == &paging);
	CHECK(u->entry == u->base + 0x200 && page_of(u->base));
	CHECK_INT(clock_real(&shim_user.clock, 1000 + 1000), 6000);
	CHECK(u->personality.space == &u->space);
	CHECK(u->personality.clock == &u->clock);
	CHECK(u->personality.random == &u->random);
	CHECK(!u->fixed);
	start();
	debug = true;
	CHECK(!boot(10000, 500));
	CHECK_INT(u->base, IMAGE_LOW);
	debug = false;
}

TEST(a_boot_ends_with_a_sentence_where_something_is_missing)
{
	khz = 1000000;
	start();
	CHECK_STR(boot(2000, 977), "boot: 1023 pages of RAM");
	CHECK_INT(list.count, 0);
	start();
	khz = 1;
	CHECK_STR(boot(2000, 0), "boot: a counter of 1 kHz");
	khz = 1000000;
	start();
	random_ends = true;
	CHECK_HAS(boot(2000, 0), "boot: ");
	CHECK_INT(list.count, 0);
	start();
	file.h.e_machine = EM_RISCV;
	CHECK_HAS(boot(2000, 0), "static-PIE");
}

/* --- faults ------------------------------------------------------------- */

TEST(a_touch_brings_pages_of_its_range_up_to_a_border)
{
	struct user *u = load();
	uint64_t at = map_range(u, 40, SPACE_READ | SPACE_WRITE);
	size_t before = list.count;
	CHECK(user_touch(u, at + 3 * PAGE_BYTES + 5, SPACE_WRITE));
	CHECK_INT(list.count - before, 13);
	CHECK(!page_of(at + 2 * PAGE_BYTES));
	CHECK(page_of(at + 15 * PAGE_BYTES));
	CHECK(!page_of(at + 16 * PAGE_BYTES));
	/* It is there: whoever faults has another reason. */
	CHECK(!user_touch(u, at + 4 * PAGE_BYTES, SPACE_WRITE));
	/* Up to what is there, and up to the range's end. */
	CHECK(user_touch(u, at, SPACE_READ));
	CHECK_INT(list.count - before, 16);
	CHECK(user_touch(u, at + 36 * PAGE_BYTES, SPACE_READ));
	CHECK_INT(list.count - before, 20);
}

TEST(a_touch_needs_the_right_and_brings_no_code)
{
	struct user *u = load();
	uint64_t at = map_range(u, 1, SPACE_READ);
	CHECK(!user_touch(u, at, SPACE_WRITE));
	CHECK(!user_touch(u, at, SPACE_EXEC));
	CHECK(space_add(&u->space, at + 0x10000, at + 0x11000,
		SPACE_READ | SPACE_EXEC, SPACE_ANON));
	CHECK(!user_touch(u, at + 0x10000, SPACE_EXEC));
	CHECK(!user_touch(u, at + PAGE_BYTES, SPACE_READ));
	CHECK(!user_touch(u, 0, SPACE_READ));
	/* The image's pages are there from the start, or never. */
	list.count = 0;
	CHECK(!user_touch(u, u->base + 0x4000, SPACE_WRITE));
	CHECK(user_touch(u, at, SPACE_READ));
	CHECK_INT(list.count, 1);
}

TEST(a_touch_without_memory_ends_the_keep)
{
	struct user *u = load();
	uint64_t at = map_range(u, 8, SPACE_READ | SPACE_WRITE);
	/* A page ahead is none that was asked for. */
	list.room = list.count + 1;
	CHECK(user_touch(u, at, SPACE_READ));
	if (!setjmp(crashed)) {
		(void)user_touch(u, at + PAGE_BYTES, SPACE_READ);
		fail_msg("went on");
	}
}

TEST(calls_reach_what_exec_may_use_and_no_more)
{
	struct user *u = load();
	uint64_t at = map_range(u, 2, SPACE_READ | SPACE_WRITE);
	uint8_t in[64], out[64];
	memset(out, 0x5a, sizeof out);
	CHECK(user_copy_out(u, at + PAGE_BYTES - 32, out, 64));
	CHECK(user_copy_in(u, in, at + PAGE_BYTES - 32, 64));
	CHECK_MEM(in, out, 64);
	CHECK(!user_copy_out(u, at + 2 * PAGE_BYTES - 32, out, 64));
	CHECK(user_copy_in(u, in, u->base + 0x200, 64));
	CHECK_MEM(in, (const uint8_t *)&file + 0x200, 64);
	CHECK(!user_copy_out(u, u->base + 0x200, out, 64));
}

TEST(a_place_is_told_without_an_address)
{
	const struct user *u = load();
	char text[48];
	user_place(u, u->base + 0x123, text);
	CHECK_STR(text, "exec+0x123");
	user_place(u, 8, text);
	CHECK_STR(text, "the null page");
	user_place(u, u->stack_pointer, text);
	CHECK_STR(text, "stack");
	user_place(u, STACK_HIGH + PAGE_BYTES, text);
	CHECK_STR(text, "no memory");
}
