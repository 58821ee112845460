/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/pef/paging.h"

#include "arch/ppc64le/cpu.h"
#include "base/must.h"
#include "shim/pef/traps.h"

/* Words of the tables are big-endian; here they are not. */
#define PTE_VALID    (1ull << 63)
#define PTE_LEAF     (1ull << 62)
#define PTE_SHARED   0x400ull /* ours: not memory, never freed */
#define PTE_BORROWED 0x200ull /* ours: of exec's image, never freed */
#define PTE_USED     0x180ull /* referenced, changed */
#define PTE_PRIVATE  0x008ull /* the shim's */
#define PTE_READ     0x004ull
#define PTE_WRITE    0x002ull
#define PTE_EXECUTE  0x001ull
#define PTE_ADDRESS  0x01fffffffffff000ull
#define TABLE_PLACE  0x0fffffffffffff00ull

/* A process' entry: addresses of 52 bits (less 31, in two parts), its root's
 * place and size. */
#define PROCESS_SIZE (2ull << 61 | 5ull << 5)

enum { LEVELS = 4, ROOT_BITS = 13, BITS = 9 };
static const unsigned shifts[LEVELS] = { 39, 30, 21, 12 };

#define LARGE	   0x200000ull
#define LARGE_MASK (LARGE - 1)
#define PAGE_MASK  ((uint64_t)PAGE_BYTES - 1)

/* More pages than this: all that is known of exec goes. */
#define FLUSH_ONE_BY_ONE 32u

typedef uint64_t root[1 << ROOT_BITS] __attribute__((aligned(0x10000)));
typedef uint64_t table[1 << BITS] __attribute__((aligned(PAGE_BYTES)));

/* No part of the image: shim.ld. */
#define SCRATCH __attribute__((section(".scratch")))

/* RAM ends below this. */
enum { RAM_GIBS = 16 };

SCRATCH static root shim_root, exec_root;
SCRATCH static table shim_1, ram_2[RAM_GIBS], window_2, image_3, window_3;
SCRATCH static struct {
	uint64_t root, reserved;
} processes[PAGE_BYTES / 16] __attribute__((aligned(PAGE_BYTES)));

/* The image's parts, and what is behind it. */
extern uint8_t scratch[], scratch_end[];
extern uint8_t image_text_end[], image_rodata_end[], image_end[];
extern uint8_t guard_main[], guard_fault[];

static uint64_t get(const uint64_t *e)
{
	return __builtin_bswap64(*e);
}

static void put(uint64_t *e, uint64_t value)
{
	*e = __builtin_bswap64(value);
}

static uint64_t gpa_of(const void *at)
{
	return (uint64_t)at - PEF_SHIM_VA;
}

static void link(uint64_t *e, const void *to)
{
	put(e, PTE_VALID | gpa_of(to) | BITS);
}

static uint64_t leaf(uint64_t gpa, uint64_t rights)
{
	return PTE_VALID | PTE_LEAF | PTE_USED | PTE_READ | gpa | rights;
}

/* --- the shim's --------------------------------------------------------- */

static uint64_t image_rights(const uint8_t *at)
{
	/* Vectors are never used by their address here. */
	if (at < (uint8_t *)PEF_SHIM_VA + PEF_UNIT)
		return PTE_PRIVATE;
	if (at < image_text_end)
		return PTE_PRIVATE | PTE_EXECUTE;
	if (at < image_rodata_end)
		return PTE_PRIVATE;
	return PTE_PRIVATE | PTE_WRITE;
}

static void map_image(void)
{
	uint8_t *at = (uint8_t *)PEF_SHIM_VA;
	for (size_t i = 0; at < image_end; i++, at += PAGE_BYTES)
		if (at != guard_main && at != guard_fault)
			put(&image_3[i], leaf(gpa_of(at), image_rights(at)));
	link(&shim_root[0], shim_1);
	for (size_t i = 0; i < RAM_GIBS; i++)
		link(&shim_1[i], ram_2[i]);
	link(&ram_2[0][0], image_3);
}

static void map_window(void)
{
	link(&shim_1[PEF_WINDOW_GPA >> shifts[1]], window_2);
	link(&window_2[0], window_3);
	for (uint64_t i = 0; i < VM_WINDOW_BYTES / PAGE_BYTES; i++)
		put(&window_3[i],
			leaf(PEF_WINDOW_GPA + i * PAGE_BYTES,
				PTE_PRIVATE | PTE_WRITE));
}

static void map_large(uint64_t from, uint64_t to, uint64_t rights)
{
	for (uint64_t at = from; at < to; at += LARGE)
		put(&ram_2[at >> shifts[1]][at >> shifts[2] & 511],
			leaf(at, PTE_PRIVATE | rights));
}

uint64_t paging_init(struct paging *p, const struct vm_image_head *head)
{
	*p = (struct paging){ .exec_gpa = VM_IMAGE_ALIGN,
		.exec_bytes = head->exec_bytes };
	p->free_gpa = (p->exec_gpa + p->exec_bytes + LARGE_MASK) & ~LARGE_MASK;
	if (p->free_gpa > 1ull << shifts[1])
		shim_crash("boot: exec is too large");
	memset(scratch, 0, (size_t)(scratch_end - scratch));
	map_image();
	map_window();
	/* exec's file, which nobody writes to. */
	map_large(p->exec_gpa, p->free_gpa, 0);
	put(&processes[0].root, PROCESS_SIZE | gpa_of(shim_root) | ROOT_BITS);
	put(&processes[1].root, PROCESS_SIZE | gpa_of(exec_root) | ROOT_BITS);
	cpu_mtspr(SPR_PIDR, 1);
	return gpa_of(processes);
}

/* The page frames' bitmaps are the first thing behind the images. */
static void init_frames(struct paging *p, uint64_t end)
{
	uint64_t pages = (end - p->free_gpa) / PAGE_BYTES;
	uint64_t own =
		(FRAMES_BITMAP_BYTES(pages) + PAGE_BYTES - 1) / PAGE_BYTES;
	uint64_t first = p->free_gpa / PAGE_BYTES;
	if (own >= pages)
		shim_crash("boot: RAM of %llu pages",
			(unsigned long long)pages);
	memset(paging_at(p->free_gpa), 0, own * PAGE_BYTES);
	frames_init(&p->frames, first + own, pages - own, pages - own,
		paging_at(p->free_gpa));
}

void paging_add_ram(struct paging *p, uint64_t ram_bytes)
{
	if (ram_bytes % LARGE || ram_bytes <= p->free_gpa ||
		ram_bytes > (uint64_t)RAM_GIBS << shifts[1])
		shim_crash("boot: the host offers %llu bytes of RAM",
			(unsigned long long)ram_bytes);
	map_large(p->free_gpa, ram_bytes, PTE_WRITE);
	cpu_sync();
	init_frames(p, ram_bytes);
}

/* --- exec's ------------------------------------------------------------- */

/* Nothing that was translated for exec is remembered: all, or one page. */
static void forget_all(void)
{
	cpu_sync();
	__asm__ volatile("tlbie %0, %1, 2, 1, 1\n\teieio\n\ttlbsync\n\tptesync"
			 :
			 : "r"(0x400ull), "r"(1ull << 32)
			 : "memory");
}

static void flush(uint64_t start, uint64_t end)
{
	if ((end - start) / PAGE_BYTES > FLUSH_ONE_BY_ONE) {
		forget_all();
		return;
	}
	cpu_sync();
	for (; start < end; start += PAGE_BYTES)
		__asm__ volatile("tlbie %0, %1, 0, 1, 1"
				 :
				 : "r"(start), "r"(1ull << 32)
				 : "memory");
	__asm__ volatile("eieio\n\ttlbsync\n\tptesync" ::: "memory");
}

static void *new_page(struct paging *p, uint64_t *gpa)
{
	uint64_t page;
	if (!frames_take(&p->frames, &page))
		return NULL;
	*gpa = page * PAGE_BYTES;
	memset(paging_at(*gpa), 0, PAGE_BYTES);
	return paging_at(*gpa);
}

/* The entry of va in the last table; NULL: there is no table, or it is no
 * address of exec's. */
static uint64_t *entry_of(struct paging *p, uint64_t va, bool make)
{
	uint64_t *t = exec_root, mask = (1 << ROOT_BITS) - 1;
	if (va >> 52)
		return NULL;
	for (unsigned i = 0; i < LEVELS - 1; i++) {
		uint64_t gpa, *e = &t[va >> shifts[i] & mask];
		if (!(get(e) & PTE_VALID)) {
			if (!make || !new_page(p, &gpa))
				return NULL;
			put(e, PTE_VALID | gpa | BITS);
		}
		t = paging_at(get(e) & TABLE_PLACE);
		mask = (1 << BITS) - 1;
	}
	return &t[va >> shifts[LEVELS - 1] & mask];
}

#define RIGHTS (PTE_VALID | PTE_READ | PTE_WRITE | PTE_EXECUTE)

/* A page whose range has no right at all keeps its frame, not present. */
static uint64_t rights(uint8_t prot)
{
	must(!(prot & SPACE_WRITE && prot & SPACE_EXEC));
	return (prot ? PTE_VALID | PTE_READ : 0) |
		(prot & SPACE_WRITE ? PTE_WRITE : 0) |
		(prot & SPACE_EXEC ? PTE_EXECUTE : 0);
}

static bool map(struct paging *p, uint64_t va, uint64_t bits, uint8_t prot)
{
	uint64_t *e = entry_of(p, va, true);
	if (!e)
		return false;
	must(!*e);
	put(e, bits | rights(prot) | PTE_LEAF | PTE_USED);
	cpu_sync();
	return true;
}

struct bytes paging_file(const struct paging *p)
{
	return bytes_of(paging_at(p->exec_gpa), p->exec_bytes);
}

bool paging_map_file(struct paging *p, uint64_t va, uint64_t offset,
	uint8_t prot)
{
	return map(p, va, (p->exec_gpa + offset) | PTE_BORROWED, prot);
}

void *paging_map_new(struct paging *p, uint64_t va, uint8_t prot)
{
	uint64_t gpa;
	void *page = new_page(p, &gpa);
	if (!page)
		return NULL;
	if (map(p, va, gpa, prot))
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
	const uint64_t *at = entry_of(p, va, false);
	uint64_t e = at ? get(at) : 0, want = PTE_VALID | PTE_READ;
	want |= write ? PTE_WRITE : 0;
	if ((e & want) != want || e & PTE_SHARED)
		return NULL;
	return paging_at((e & PTE_ADDRESS) + va % PAGE_BYTES);
}

static void drop(struct paging *p, uint64_t entry)
{
	if (entry && !(entry & (PTE_SHARED | PTE_BORROWED)))
		frames_give(&p->frames, (entry & PTE_ADDRESS) / PAGE_BYTES);
}

/* The next address whose last table is another one. */
static uint64_t next_table(uint64_t va)
{
	return (va | LARGE_MASK) + 1;
}

static void space_unmap(void *ctx, uint64_t start, uint64_t end)
{
	struct paging *p = ctx;
	for (uint64_t va = start, next; va < end; va = next) {
		uint64_t *e = entry_of(p, va, false);
		next = next_table(va) < end ? next_table(va) : end;
		for (uint64_t at = va; e && at < next; at += PAGE_BYTES, e++) {
			drop(p, get(e));
			*e = 0;
		}
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
			put(e, (get(e) & ~RIGHTS) | rights(prot));
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
			    (PEF_WINDOW_GPA + VM_AREA_AT + at) | PTE_SHARED,
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
