/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/riscv64/paging.h"

#include "arch/riscv64/csr.h"
#include "base/must.h"

#define PTE_V	     0x001ull
#define PTE_R	     0x002ull
#define PTE_W	     0x004ull
#define PTE_X	     0x008ull
#define PTE_U	     0x010ull
#define PTE_A	     0x040ull
#define PTE_D	     0x080ull
#define PTE_WINDOW   0x100ull /* ours: the host's, never freed */
#define PTE_BORROWED 0x200ull /* ours: of exec's image, never freed */
#define PTE_SHIFT    10

#define SATP_SV39 (8ull << 60)

#define ENTRIES	   512u
#define LARGE	   0x200000ull
#define LARGE_MASK (LARGE - 1)
#define GIB	   (ENTRIES * LARGE)

/* More pages than this: the whole TLB goes. */
#define FLUSH_ONE_BY_ONE 32u

typedef uint64_t table[ENTRIES] __attribute__((aligned(PAGE_BYTES)));

/* The shim's half; the tables of exec's half come out of memory. */
static table root, image2, image1, window2, window1, ram2;

/* The image's parts: shim.ld. */
extern uint8_t image_text_end[], image_rodata_end[], image_end[];
extern uint8_t stack_guards[], stack_main[]; /* entry.S */

static uint64_t entry_for(uint64_t physical, uint64_t bits)
{
	return physical / PAGE_BYTES << PTE_SHIFT | PTE_V | bits;
}

static uint64_t leaf(const struct paging *p, uint64_t at, uint64_t bits)
{
	return entry_for(p->memory.base + at, bits | PTE_A);
}

/* What an entry leads to, from the memory's begin on. */
static uint64_t leads_to(const struct paging *p, uint64_t entry)
{
	return (entry >> PTE_SHIFT) * PAGE_BYTES - p->memory.base;
}

static uint64_t image_at(const struct paging *p, const void *at)
{
	return (uint64_t)at - SHIM_VA + p->memory.shim_at;
}

static uint64_t link(const struct paging *p, const void *image)
{
	return entry_for(p->memory.base + image_at(p, image), 0);
}

static uint64_t image_rights(const uint8_t *at)
{
	if (at < image_text_end)
		return PTE_R | PTE_X;
	if (at < image_rodata_end)
		return PTE_R;
	if (at == stack_guards || at == stack_main)
		return 0;
	return PTE_R | PTE_W | PTE_D;
}

static size_t index_of(uint64_t va, unsigned shift)
{
	return va >> shift & (ENTRIES - 1);
}

enum { SHIFT_3 = 30, SHIFT_2 = 21, SHIFT_1 = 12 };

static void map_image(struct paging *p)
{
	uint8_t *at = (uint8_t *)SHIM_VA;
	for (size_t i = 0; at < image_end; i++, at += PAGE_BYTES) {
		uint64_t rights = image_rights(at);
		image1[i] = rights ? leaf(p, image_at(p, at), rights) : 0;
	}
	image2[index_of(SHIM_VA, SHIFT_2)] = link(p, image1);
	root[index_of(SHIM_VA, SHIFT_3)] = link(p, image2);
}

static void map_window(struct paging *p)
{
	const struct platform_memory *m = &p->memory;
	for (uint64_t at = 0; at < m->window_bytes; at += PAGE_BYTES)
		window1[at / PAGE_BYTES] = entry_for(m->window_at + at,
			PTE_R | PTE_W | PTE_A | PTE_D);
	window2[index_of(PAGING_WINDOW_VA, SHIFT_2)] = link(p, window1);
	root[index_of(PAGING_WINDOW_VA, SHIFT_3)] = link(p, window2);
}

static void map_large(const struct paging *p, uint64_t *level2, uint64_t from,
	uint64_t to, uint64_t rights)
{
	for (uint64_t at = from; at < to; at += LARGE)
		level2[index_of(at, SHIFT_2)] = leaf(p, at, rights);
}

/* --- memory ------------------------------------------------------------- */

/* The page frames' bitmaps are the first thing behind the images. */
static void init_frames(struct paging *p)
{
	uint64_t pages = (p->memory.bytes - p->free_at) / PAGE_BYTES;
	uint64_t own =
		(FRAMES_BITMAP_BYTES(pages) + PAGE_BYTES - 1) / PAGE_BYTES;
	if (own >= pages || own * PAGE_BYTES > GIB - p->free_at)
		shim_crash("boot: %llu pages of memory",
			(unsigned long long)pages);
	memset(paging_at(p->free_at), 0, own * PAGE_BYTES);
	frames_init(&p->frames, p->free_at / PAGE_BYTES + own, pages - own,
		pages - own, paging_at(p->free_at));
}

/* What is beyond the first GiB, in tables of its own. */
static void map_rest(struct paging *p)
{
	uint64_t end = p->memory.bytes;
	for (uint64_t at = GIB; at < end; at += GIB) {
		uint64_t page;
		if (!frames_take(&p->frames, &page))
			shim_crash("boot: no page for tables");
		uint64_t *t = paging_at(page * PAGE_BYTES);
		memset(t, 0, PAGE_BYTES);
		map_large(p, t, at, end - at < GIB ? end : at + GIB,
			PTE_R | PTE_W | PTE_D);
		root[index_of(PAGING_RAM_VA + at, SHIFT_3)] =
			leaf(p, page * PAGE_BYTES, 0) & ~PTE_A;
	}
}

void paging_init(struct paging *p, const struct platform_memory *m)
{
	*p = (struct paging){ .memory = *m };
	p->free_at = (m->exec_at + m->exec_bytes + LARGE_MASK) & ~LARGE_MASK;
	if (p->free_at >= GIB || p->free_at >= m->bytes)
		shim_crash("boot: exec is too large");
	map_image(p);
	map_window(p);
	map_large(p, ram2, m->exec_at, p->free_at, PTE_R);
	map_large(p, ram2, p->free_at, m->bytes < GIB ? m->bytes : GIB,
		PTE_R | PTE_W | PTE_D);
	root[index_of(PAGING_RAM_VA, SHIFT_3)] = link(p, ram2);
	csr_write(satp, SATP_SV39 | (m->base + image_at(p, root)) / PAGE_BYTES);
	cpu_fence_tables();
	init_frames(p);
	map_rest(p);
	cpu_fence_tables();
}

/* --- exec's half -------------------------------------------------------- */

static void flush(uint64_t start, uint64_t end)
{
	if ((end - start) / PAGE_BYTES > FLUSH_ONE_BY_ONE) {
		cpu_fence_tables();
		return;
	}
	for (; start < end; start += PAGE_BYTES)
		cpu_fence_table_at(start);
}

static void *new_page(struct paging *p, uint64_t *at)
{
	uint64_t page;
	if (!frames_take(&p->frames, &page))
		return NULL;
	*at = page * PAGE_BYTES;
	memset(paging_at(*at), 0, PAGE_BYTES);
	return paging_at(*at);
}

/* The entry of va in the table of that shift; NULL: there is no table, or it is
 * the shim's half. */
static uint64_t *walk(struct paging *p, uint64_t va, unsigned last, bool make)
{
	uint64_t *t = root;
	if (va >= PAGING_USER_END)
		return NULL;
	for (unsigned shift = SHIFT_3; shift > last; shift -= 9) {
		uint64_t *e = &t[index_of(va, shift)];
		if (!*e) {
			uint64_t at;
			if (!make || !new_page(p, &at))
				return NULL;
			*e = entry_for(p->memory.base + at, 0);
		}
		t = paging_at(leads_to(p, *e));
	}
	return &t[index_of(va, last)];
}

static uint64_t *entry_of(struct paging *p, uint64_t va, bool make)
{
	return walk(p, va, SHIFT_1, make);
}

/* A page whose range has no right at all keeps its frame, not valid. */
static uint64_t rights(uint8_t prot)
{
	must(!(prot & SPACE_WRITE && prot & SPACE_EXEC));
	return (prot ? PTE_V | PTE_R : 0) | (prot & SPACE_WRITE ? PTE_W : 0) |
		(prot & SPACE_EXEC ? PTE_X : 0);
}

#define RIGHTS (PTE_V | PTE_R | PTE_W | PTE_X)

static bool map(struct paging *p, uint64_t va, uint64_t physical, uint64_t bits,
	uint8_t prot)
{
	uint64_t *e = entry_of(p, va, true);
	if (!e)
		return false;
	must(!*e);
	*e = (entry_for(physical, bits | PTE_U | PTE_A | PTE_D) & ~PTE_V) |
		rights(prot);
	return true;
}

struct bytes paging_file(const struct paging *p)
{
	return bytes_of(paging_at(p->memory.exec_at), p->memory.exec_bytes);
}

bool paging_map_file(struct paging *p, uint64_t va, uint64_t offset,
	uint8_t prot)
{
	return map(p, va, p->memory.base + p->memory.exec_at + offset,
		PTE_BORROWED, prot);
}

void *paging_map_new(struct paging *p, uint64_t va, uint8_t prot)
{
	uint64_t at;
	void *page = new_page(p, &at);
	if (!page)
		return NULL;
	if (map(p, va, p->memory.base + at, 0, prot))
		return page;
	frames_give(&p->frames, at / PAGE_BYTES);
	return NULL;
}

bool paging_has(struct paging *p, uint64_t va)
{
	const uint64_t *e = entry_of(p, va, false);
	return e && *e;
}

void *paging_find(struct paging *p, uint64_t va, bool write)
{
	const uint64_t *e = entry_of(p, va, false);
	uint64_t want = PTE_V | PTE_U | (write ? PTE_W : 0);
	if (!e || (*e & want) != want || *e & PTE_WINDOW)
		return NULL;
	return paging_at(leads_to(p, *e) + va % PAGE_BYTES);
}

bool paging_allows(struct paging *p, uint64_t va, uint8_t want)
{
	const uint64_t *e = entry_of(p, va, false);
	uint64_t bits = want & SPACE_WRITE ? PTE_W :
		want & SPACE_EXEC	   ? PTE_X :
					     PTE_R;
	return e && *e & PTE_V && *e & PTE_U && *e & bits;
}

static void drop(struct paging *p, uint64_t entry)
{
	if (entry && !(entry & (PTE_WINDOW | PTE_BORROWED)))
		frames_give(&p->frames, leads_to(p, entry) / PAGE_BYTES);
}

/* The next address whose last-level table is another one. */
static uint64_t next_table(uint64_t va)
{
	return (va | LARGE_MASK) + 1;
}

/* A table in which nothing is. */
static void drop_table(struct paging *p, uint64_t va)
{
	uint64_t *up = walk(p, va, SHIFT_2, false);
	if (!up || !*up)
		return;
	const uint64_t *t = paging_at(leads_to(p, *up));
	for (size_t i = 0; i < ENTRIES; i++)
		if (t[i])
			return;
	drop(p, *up);
	*up = 0;
}

static void space_unmap(void *ctx, uint64_t start, uint64_t end)
{
	struct paging *p = ctx;
	for (uint64_t va = start, next; va < end; va = next) {
		uint64_t *e = entry_of(p, va, false);
		next = next_table(va) < end ? next_table(va) : end;
		if (!e)
			continue;
		for (uint64_t at = va; at < next; at += PAGE_BYTES, e++) {
			drop(p, *e);
			*e = 0;
		}
		drop_table(p, va);
	}
	flush(start, end);
}

static void space_protect(void *ctx, uint64_t start, uint64_t end, uint8_t prot)
{
	struct paging *p = ctx;
	for (uint64_t va = start; va < end;) {
		uint64_t *e = entry_of(p, va, false);
		if (!e) {
			va = next_table(va);
			continue;
		}
		if (*e)
			*e = (*e & ~RIGHTS) | rights(prot);
		va += PAGE_BYTES;
	}
	flush(start, end);
	if (prot & SPACE_EXEC)
		cpu_fence_code();
}

static bool space_move(void *ctx, uint64_t from, uint64_t to, uint64_t bytes)
{
	struct paging *p = ctx;
	/* Tables first: a failure leaves everything in place. */
	for (uint64_t at = 0; at < bytes; at += PAGE_BYTES)
		if (entry_of(p, from + at, false) &&
			!entry_of(p, to + at, true))
			return false;
	for (uint64_t at = 0; at < bytes; at += PAGE_BYTES) {
		uint64_t *e = entry_of(p, from + at, false);
		if (!e || !*e)
			continue;
		*entry_of(p, to + at, false) = *e;
		*e = 0;
	}
	flush(from, from + bytes);
	return true;
}

static bool space_gate(void *ctx, uint64_t start, uint64_t bytes)
{
	struct paging *p = ctx;
	for (uint64_t at = 0; at < bytes; at += PAGE_BYTES)
		if (!map(p, start + at, p->memory.window_at + VM_AREA_AT + at,
			    PTE_WINDOW, SPACE_READ | SPACE_WRITE))
			return false;
	return true;
}

const struct space_ops paging_space_ops = {
	.unmap = space_unmap,
	.protect = space_protect,
	.move = space_move,
	.gate = space_gate,
};
