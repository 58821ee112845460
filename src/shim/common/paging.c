/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/paging.h"

#include "abi/vm.h"
#include "base/must.h"
#include "shim/common/end.h"

#define ENTRIES	   512u
#define LARGE	   0x200000ull
#define LARGE_MASK (LARGE - 1)
#define GIB	   (ENTRIES * LARGE)

/* Bits of an address: below the table of pages, of those of 2 MiB, and each
 * table's own. */
enum { SHIFT_1 = 12, SHIFT_2 = 21, BITS = 9 };

/* More pages than this: all that is known goes. */
#define FORGET_ONE_BY_ONE 32u

/* --- entries ------------------------------------------------------------ */

static uint64_t entry(uint64_t physical, uint64_t bits)
{
	return paging_word(physical >> paging_format.shift | bits);
}

/* What an entry leads to, from memory's begin on. */
static uint64_t place(const struct paging *p, uint64_t entry)
{
	const struct paging_format *f = &paging_format;
	return ((paging_word(entry) & f->address) << f->shift) - p->physical;
}

static uint64_t rights(uint8_t prot)
{
	const struct paging_format *f = &paging_format;
	must(!(prot & SPACE_WRITE && prot & SPACE_EXEC));
	return (prot ? f->read : 0) | (prot & SPACE_WRITE ? f->write : 0) |
		(prot & SPACE_EXEC ? f->execute : f->no_execute);
}

static uint8_t prot_of(uint64_t entry)
{
	const struct paging_format *f = &paging_format;
	uint64_t e = paging_word(entry);
	bool code = (e & f->execute) == f->execute && !(e & f->no_execute);
	if ((e & f->read) != f->read)
		return 0;
	return (uint8_t)(SPACE_READ | (e & f->write ? SPACE_WRITE : 0) |
		(code ? SPACE_EXEC : 0));
}

uint64_t paging_link(uint64_t physical)
{
	return entry(physical, paging_format.link);
}

uint64_t paging_page(uint64_t physical, uint8_t prot, bool large)
{
	const struct paging_format *f = &paging_format;
	return entry(physical,
		f->shim | f->page | (large ? f->large : 0) | rights(prot));
}

/* --- the shim's half ---------------------------------------------------- */

void paging_map_image(uint64_t *table, const struct paging_image *image,
	uint64_t physical)
{
	const uint8_t *at = image->start;
	for (; at < image->end; at += PAGE_BYTES, physical += PAGE_BYTES) {
		uint8_t prot = at < image->text_end ? SPACE_READ | SPACE_EXEC :
			at < image->rodata_end	    ? SPACE_READ :
						      SPACE_READ | SPACE_WRITE;
		*table++ = paging_page(physical, prot, false);
	}
}

static void *at(const struct paging *p, uint64_t offset)
{
	return p->ram + offset;
}

static void map_large(const struct paging *p, uint64_t *table, uint64_t from,
	uint64_t to, uint8_t prot)
{
	for (; from < to; from += LARGE)
		table[from / LARGE % ENTRIES] =
			paging_page(p->physical + from, prot, true);
}

void paging_init(struct paging *p)
{
	p->free_at = (p->exec_at + p->exec_bytes + LARGE_MASK) & ~LARGE_MASK;
	if (p->free_at >= GIB)
		shim_crash("boot: exec is too large");
	map_large(p, p->first_gib, p->exec_at, p->free_at, SPACE_READ);
}

/* The page frames' bitmaps are the first thing behind the images. */
static void init_frames(struct paging *p, uint64_t end,
	const struct frames_ops *ops)
{
	uint64_t pages = (end - p->free_at) / PAGE_BYTES;
	uint64_t own =
		(FRAMES_BITMAP_BYTES(pages) + PAGE_BYTES - 1) / PAGE_BYTES;
	uint64_t first = p->free_at / PAGE_BYTES, ready = pages;
	/* Whole blocks, as `pages` are: later ones begin at a boundary. */
	if (ops)
		ready = (own + FRAMES_BLOCK - 1) / FRAMES_BLOCK * FRAMES_BLOCK;
	if (own * PAGE_BYTES > GIB - p->free_at)
		shim_crash("boot: RAM of %llu pages",
			(unsigned long long)pages);
	if (ops && !ops->accept(NULL, first, first + ready, false))
		shim_crash("boot: the host gave no memory");
	memset(at(p, p->free_at), 0, own * PAGE_BYTES);
	frames_init(&p->frames, first + own, pages - own, ready - own,
		at(p, p->free_at));
	p->frames.ops = ops;
}

static void *new_page(struct paging *p, uint64_t *offset)
{
	uint64_t page;
	if (!frames_take(&p->frames, &page))
		return NULL;
	*offset = page * PAGE_BYTES;
	return memset(at(p, *offset), 0, PAGE_BYTES);
}

void paging_add_ram(struct paging *p, uint64_t end,
	const struct frames_ops *ops)
{
	const uint8_t rw = SPACE_READ | SPACE_WRITE;
	if (end % LARGE || end <= p->free_at || end > p->ram_max)
		shim_crash("boot: RAM up to 0x%llx", (unsigned long long)end);
	map_large(p, p->first_gib, p->free_at, end < GIB ? end : GIB, rw);
	paging_forget_all();
	init_frames(p, end, ops);
	for (uint64_t from = GIB; from < end; from += GIB) {
		uint64_t offset, *table = new_page(p, &offset);
		if (!table)
			shim_crash("boot: no page for tables");
		map_large(p, table, from, end - from < GIB ? end : from + GIB,
			rw);
		p->ram_table[from / GIB] = paging_link(p->physical + offset);
	}
	paging_forget_all();
}

/* --- exec's half -------------------------------------------------------- */

/* The entry of va in the table below which there are `last` bits; NULL: there
 * is no table, or it is no address of exec's. */
static uint64_t *walk(struct paging *p, uint64_t va, unsigned last, bool make)
{
	const struct paging_format *f = &paging_format;
	if (va >= f->user_end)
		return NULL;
	uint64_t *e = &p->exec[va >> f->top];
	for (unsigned shift = f->top; shift > last;) {
		uint64_t offset, *table;
		if (!*e) {
			if (!make || !new_page(p, &offset))
				return NULL;
			*e = entry(p->physical + offset, f->exec_link);
		}
		shift -= BITS;
		table = at(p, place(p, *e));
		e = &table[va >> shift & (ENTRIES - 1)];
	}
	return e;
}

static uint64_t *entry_of(struct paging *p, uint64_t va, bool make)
{
	return walk(p, va, SHIFT_1, make);
}

static bool map(struct paging *p, uint64_t va, uint64_t physical, uint64_t bits,
	uint8_t prot)
{
	const struct paging_format *f = &paging_format;
	uint64_t *e = entry_of(p, va, true);
	if (!e)
		return false;
	must(!*e);
	*e = entry(physical, bits | f->exec | f->page | rights(prot));
	return true;
}

struct bytes paging_file(const struct paging *p)
{
	return bytes_of(at(p, p->exec_at), p->exec_bytes);
}

bool paging_map_file(struct paging *p, uint64_t va, uint64_t offset,
	uint8_t prot)
{
	return map(p, va, p->physical + p->exec_at + offset, paging_format.file,
		prot);
}

void *paging_map_new(struct paging *p, uint64_t va, uint8_t prot)
{
	uint64_t offset;
	void *page = new_page(p, &offset);
	if (!page)
		return NULL;
	if (map(p, va, p->physical + offset, 0, prot))
		return page;
	frames_give(&p->frames, offset / PAGE_BYTES);
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
	uint8_t want = write ? SPACE_WRITE : SPACE_READ;
	if (!e || !(prot_of(*e) & want) ||
		paging_word(*e) & paging_format.window)
		return NULL;
	return at(p, place(p, *e) + va % PAGE_BYTES);
}

bool paging_allows(struct paging *p, uint64_t va, uint8_t want)
{
	const uint64_t *e = entry_of(p, va, false);
	return e && prot_of(*e) & want;
}

/* --- taking away -------------------------------------------------------- */

static void drop(struct paging *p, uint64_t *e)
{
	const uint64_t others = paging_format.file | paging_format.window;
	if (*e && !(paging_word(*e) & others))
		frames_give(&p->frames, place(p, *e) / PAGE_BYTES);
	*e = 0;
}

/* The next address whose table of pages is another one. */
static uint64_t next_table(uint64_t va)
{
	return (va | LARGE_MASK) + 1;
}

/* A table in which nothing is: it would keep its block from the host. */
static bool drop_table(struct paging *p, uint64_t va)
{
	uint64_t *up = walk(p, va, SHIFT_2, false);
	if (!up || !*up)
		return false;
	const uint64_t *t = at(p, place(p, *up));
	for (size_t i = 0; i < ENTRIES; i++)
		if (t[i])
			return false;
	drop(p, up);
	return true;
}

static void forget(uint64_t start, uint64_t end, bool tables)
{
	if (tables || (end - start) / PAGE_BYTES > FORGET_ONE_BY_ONE)
		paging_forget_all();
	else
		paging_forget(start, end);
}

/* Pages went: so do tables that they leave behind, and what is known of both,
 * before any of it is something else. */
static void settle(struct paging *p, uint64_t start, uint64_t end)
{
	bool tables = false;
	for (uint64_t va = start; va < end; va = next_table(va))
		tables |= drop_table(p, va);
	forget(start, end, tables);
	frames_trim(&p->frames);
}

/* --- struct space_ops --------------------------------------------------- */

static void space_unmap(void *ctx, uint64_t start, uint64_t end)
{
	struct paging *p = ctx;
	for (uint64_t va = start, next; va < end; va = next) {
		uint64_t *e = entry_of(p, va, false);
		next = next_table(va) < end ? next_table(va) : end;
		for (; e && va < next; va += PAGE_BYTES)
			drop(p, e++);
	}
	settle(p, start, end);
}

static void space_protect(void *ctx, uint64_t start, uint64_t end, uint8_t prot)
{
	const struct paging_format *f = &paging_format;
	const uint64_t all = f->read | f->write | f->execute | f->no_execute;
	const uint64_t bits = rights(prot);
	for (uint64_t va = start, next; va < end; va = next) {
		uint64_t *e = entry_of(ctx, va, false);
		next = next_table(va) < end ? next_table(va) : end;
		/* Without any right a page keeps its frame, not present. */
		for (; e && va < next; va += PAGE_BYTES, e++)
			if (*e)
				*e = paging_word(
					(paging_word(*e) & ~all) | bits);
	}
	forget(start, end, false);
}

static bool space_move(void *ctx, uint64_t from, uint64_t to, uint64_t bytes)
{
	struct paging *p = ctx;
	/* Tables first: a failure leaves everything in place. */
	for (uint64_t i = 0; i < bytes; i += PAGE_BYTES)
		if (paging_has(p, from + i) && !entry_of(p, to + i, true)) {
			settle(p, to, to + i);
			return false;
		}
	for (uint64_t i = 0; i < bytes; i += PAGE_BYTES) {
		uint64_t *e = entry_of(p, from + i, false);
		if (!e || !*e)
			continue;
		*entry_of(p, to + i, false) = *e;
		*e = 0;
	}
	settle(p, from, from + bytes);
	return true;
}

static bool space_gate(void *ctx, uint64_t start, uint64_t bytes)
{
	struct paging *p = ctx;
	for (uint64_t i = 0; i < bytes; i += PAGE_BYTES)
		if (!map(p, start + i, p->window + VM_AREA_AT + i,
			    paging_format.window, SPACE_READ | SPACE_WRITE)) {
			space_unmap(p, start, start + i);
			return false;
		}
	return true;
}

const struct space_ops paging_space_ops = {
	.unmap = space_unmap,
	.protect = space_protect,
	.move = space_move,
	.gate = space_gate,
};
