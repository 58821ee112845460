/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/x86_64_vm/paging.h"

#include "arch/x86_64/cpu.h"
#include "base/must.h"
#include "shim/x86_64_vm/platform.h"

#define PTE_PRESENT  0x001ull
#define PTE_WRITE    0x002ull
#define PTE_USER     0x004ull
#define PTE_ACCESSED 0x020ull
#define PTE_DIRTY    0x040ull
#define PTE_LARGE    0x080ull
#define PTE_SHARED   0x200ull /* ours: not memory, never freed */
#define PTE_BORROWED 0x400ull /* ours: of exec's image, never freed */
#define PTE_NX	     (1ull << 63)
#define PTE_ADDRESS  0x000ffffffffff000ull

#define ENTRIES	   512u
#define LARGE	   0x200000ull
#define LARGE_MASK (LARGE - 1)

/* More pages than this: the whole TLB goes. */
#define FLUSH_ONE_BY_ONE 32u

typedef uint64_t table[ENTRIES] __attribute__((aligned(PAGE_BYTES)));

/* The shim's half; the tables of exec's half come out of RAM. */
static table level4, top3, top2, image1, ram3, ram2;

/* The image's parts: shim.ld. */
extern uint8_t image_text_end[], image_rodata_end[], image_end[];
extern uint8_t boot_4[], boot_3[], boot_2[]; /* entry.S: guard the stacks */

static uint64_t image_gpa(const void *at)
{
	return (uint64_t)at - VM_SHIM_VA + VM_RAM_GPA;
}

static uint64_t image_rights(const uint8_t *at)
{
	if (at < image_text_end)
		return PTE_PRESENT;
	if (at < image_rodata_end)
		return PTE_PRESENT | PTE_NX;
	if (at == boot_4 || at == boot_3 || at == boot_2)
		return 0;
	return PTE_PRESENT | PTE_WRITE | PTE_NX;
}

static uint64_t link(const struct paging *p, const void *image)
{
	return image_gpa(image) | p->encrypted | PTE_PRESENT | PTE_WRITE;
}

static void map_image(struct paging *p)
{
	uint8_t *at = (uint8_t *)VM_SHIM_VA;
	for (size_t i = 0; at < image_end; i++, at += PAGE_BYTES) {
		uint64_t rights = image_rights(at);
		image1[i] = rights ? image_gpa(at) | p->encrypted | rights : 0;
	}
	level4[511] = link(p, top3);
	top3[510] = link(p, top2);
	top2[0] = link(p, image1);
	/* Of this page only the window is there. */
	top2[1] = (VM_WINDOW_GPA & ~LARGE_MASK) | p->shared | PTE_PRESENT |
		PTE_WRITE | PTE_NX | PTE_LARGE;
	level4[256] = link(p, ram3);
	ram3[0] = link(p, ram2);
}

/* exec's file, which nobody writes to. */
static void map_exec(struct paging *p)
{
	uint64_t end = p->free_gpa;
	for (uint64_t at = p->exec_gpa; at < end; at += LARGE)
		ram2[at / LARGE] =
			at | p->encrypted | PTE_PRESENT | PTE_NX | PTE_LARGE;
}

void paging_init(struct paging *p, const struct vm_image_head *head)
{
	uint64_t gib = (uint64_t)ENTRIES * LARGE;
	*p = (struct paging){
		.encrypted = head->c_bit ? 1ull << head->c_bit : 0,
		.shared = platform_shared_bit(),
		.exec_gpa = VM_RAM_GPA + VM_IMAGE_ALIGN,
		.exec_bytes = head->exec_bytes,
	};
	p->free_gpa = (p->exec_gpa + p->exec_bytes + LARGE_MASK) & ~LARGE_MASK;
	if (p->free_gpa > gib)
		shim_crash("boot: exec is too large");
	map_image(p);
	map_exec(p);
	cpu_write_cr3(image_gpa(level4) | p->encrypted);
}

/* --- RAM -------------------------------------------------------------------
 */

static bool accept(void *ctx, uint64_t from, uint64_t to, bool again)
{
	(void)ctx;
	return platform_accept(from, to, again);
}

static void release(void *ctx, uint64_t from, uint64_t to)
{
	(void)ctx;
	platform_release(from, to);
}

static const struct frames_ops frames_ops = { accept, release };

static void map_large(struct paging *p, uint64_t *level2, uint64_t from,
	uint64_t to)
{
	for (uint64_t at = from; at < to; at += LARGE)
		level2[at / LARGE % ENTRIES] = at | p->encrypted | PTE_PRESENT |
			PTE_WRITE | PTE_NX | PTE_LARGE;
}

/* The page frames' bitmaps are the first thing behind the images. */
static void init_frames(struct paging *p, uint64_t end)
{
	uint64_t pages = (end - p->free_gpa) / PAGE_BYTES;
	uint64_t own =
		(FRAMES_BITMAP_BYTES(pages) + PAGE_BYTES - 1) / PAGE_BYTES;
	uint64_t first = p->free_gpa / PAGE_BYTES;
	/* Whole large pages, so that later ones begin at a boundary. */
	uint64_t ready = (own + ENTRIES - 1) / ENTRIES * ENTRIES;
	if (own >= pages || ready > pages || ready > ENTRIES * 128)
		shim_crash("boot: RAM of %llu pages",
			(unsigned long long)pages);
	if (!platform_accept(first, first + ready, false))
		shim_crash("boot: the host gave no memory");
	cpu_store_bytes(paging_at(p->free_gpa), 0, own * PAGE_BYTES);
	frames_init(&p->frames, first + own, pages - own, ready - own,
		paging_at(p->free_gpa));
	p->frames.ops = &frames_ops;
	frames_reserve(&p->frames, platform_hole() / PAGE_BYTES);
}

void paging_add_ram(struct paging *p, uint64_t ram_bytes)
{
	uint64_t gib = (uint64_t)ENTRIES * LARGE;
	uint64_t end = VM_RAM_GPA + ram_bytes;
	if (ram_bytes % LARGE || ram_bytes > gib * ENTRIES - VM_RAM_GPA ||
		end <= p->free_gpa)
		shim_crash("boot: the host offers %llu bytes of RAM",
			(unsigned long long)ram_bytes);
	map_large(p, ram2, p->free_gpa, end < gib ? end : gib);
	init_frames(p, end);
	for (uint64_t at = gib; at < end; at += gib) {
		uint64_t page;
		if (!frames_take(&p->frames, &page))
			shim_crash("boot: no page for tables");
		uint64_t gpa = page * PAGE_BYTES;
		cpu_store_bytes(paging_at(gpa), 0, PAGE_BYTES);
		map_large(p, paging_at(gpa), at,
			end - at < gib ? end : at + gib);
		ram3[at / gib] = gpa | p->encrypted | PTE_PRESENT | PTE_WRITE;
	}
}

/* --- exec's half -----------------------------------------------------------
 */

static void flush(uint64_t start, uint64_t end)
{
	if ((end - start) / PAGE_BYTES > FLUSH_ONE_BY_ONE) {
		cpu_write_cr3(cpu_read_cr3());
		return;
	}
	for (; start < end; start += PAGE_BYTES)
		cpu_invlpg(start);
}

static void *new_page(struct paging *p, uint64_t *gpa)
{
	uint64_t page;
	if (!frames_take(&p->frames, &page))
		return NULL;
	*gpa = page * PAGE_BYTES;
	cpu_store_bytes(paging_at(*gpa), 0, PAGE_BYTES);
	return paging_at(*gpa);
}

enum { SHIFT_4 = 39, SHIFT_2 = 21, SHIFT_1 = 12 };

/* The entry of va in the table of that shift; NULL: there is no table, or it is
 * the shim's half. */
static uint64_t *walk(struct paging *p, uint64_t va, unsigned last, bool make)
{
	uint64_t *t = level4;
	if (va >> 47)
		return NULL;
	for (unsigned shift = SHIFT_4; shift > last; shift -= 9) {
		uint64_t *e = &t[va >> shift & (ENTRIES - 1)];
		if (!(*e & PTE_PRESENT)) {
			uint64_t gpa;
			if (!make || !new_page(p, &gpa))
				return NULL;
			*e = gpa | p->encrypted | PTE_PRESENT | PTE_WRITE |
				PTE_USER;
		}
		t = paging_at(*e & PTE_ADDRESS & ~p->encrypted);
	}
	return &t[va >> last & (ENTRIES - 1)];
}

static uint64_t *entry_of(struct paging *p, uint64_t va, bool make)
{
	return walk(p, va, SHIFT_1, make);
}

/* A page whose range has no right at all keeps its frame, not present. */
static uint64_t rights(uint8_t prot)
{
	must(!(prot & SPACE_WRITE && prot & SPACE_EXEC));
	return (prot ? PTE_PRESENT : 0) | PTE_USER |
		(prot & SPACE_WRITE ? PTE_WRITE : 0) |
		(prot & SPACE_EXEC ? 0 : PTE_NX);
}

#define RIGHTS (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_NX)

static bool map(struct paging *p, uint64_t va, uint64_t bits, uint8_t prot)
{
	uint64_t *e = entry_of(p, va, true);
	if (!e)
		return false;
	must(!*e);
	*e = bits | rights(prot) | PTE_ACCESSED | PTE_DIRTY;
	return true;
}

struct bytes paging_file(const struct paging *p)
{
	return bytes_of(paging_at(p->exec_gpa), p->exec_bytes);
}

bool paging_map_file(struct paging *p, uint64_t va, uint64_t offset,
	uint8_t prot)
{
	uint64_t gpa = p->exec_gpa + offset;
	return map(p, va, gpa | PTE_BORROWED | p->encrypted, prot);
}

void *paging_map_new(struct paging *p, uint64_t va, uint8_t prot)
{
	uint64_t gpa;
	void *page = new_page(p, &gpa);
	if (!page)
		return NULL;
	if (map(p, va, gpa | p->encrypted, prot))
		return page;
	frames_give(&p->frames, gpa / PAGE_BYTES);
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
	uint64_t want = PTE_PRESENT | PTE_USER | (write ? PTE_WRITE : 0);
	if (!e || (*e & want) != want || *e & PTE_SHARED)
		return NULL;
	return paging_at((*e & PTE_ADDRESS & ~p->encrypted) + va % PAGE_BYTES);
}

bool paging_allows(struct paging *p, uint64_t va, uint64_t error)
{
	const uint64_t *e = entry_of(p, va, false);
	uint64_t want =
		PTE_PRESENT | PTE_USER | (error & PF_WRITE ? PTE_WRITE : 0);
	return e && (*e & want) == want && !(error & PF_FETCH && *e & PTE_NX);
}

static void drop(struct paging *p, uint64_t entry)
{
	if (entry && !(entry & (PTE_SHARED | PTE_BORROWED)))
		frames_give(&p->frames,
			(entry & PTE_ADDRESS & ~p->encrypted) / PAGE_BYTES);
}

/* The next address whose last-level table is another one. */
static uint64_t next_table(uint64_t va)
{
	return (va | LARGE_MASK) + 1;
}

/* A table in which nothing is: it would keep its block from the host. */
static void drop_table(struct paging *p, uint64_t va)
{
	uint64_t *up = walk(p, va, SHIFT_2, false);
	if (!up || !(*up & PTE_PRESENT))
		return;
	const uint64_t *t = paging_at(*up & PTE_ADDRESS & ~p->encrypted);
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
		for (uint64_t at = va; e && at < next; at += PAGE_BYTES, e++) {
			drop(p, *e);
			*e = 0;
		}
		drop_table(p, va);
	}
	flush(start, end);
	frames_trim(&p->frames);
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
		if (!map(p, start + at,
			    (VM_WINDOW_GPA + VM_AREA_AT + at) | PTE_SHARED |
				    p->shared,
			    SPACE_READ | SPACE_WRITE))
			return false;
	return true;
}

const struct space_ops paging_space_ops = {
	.unmap = space_unmap,
	.protect = space_protect,
	.move = space_move,
	.gate = space_gate,
};
