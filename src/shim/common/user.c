/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/user.h"

#include "base/fmt.h"
#include "shim/common/boot.h"
#include "shim/common/copy.h"
#include "shim/common/elf.h"
#include "shim/common/end.h"
#include "shim/common/paging.h"

#define STACK_BYTES 0x800000u
#define MMAP_LOW    0x10000u
#define PAGE_MASK   ((uint64_t)PAGE_BYTES - 1)

/* exec does not start with fewer. */
#define PAGES_LEAST 1024u

/* Pages that one fault maps, where they lie in one range. */
#define FAULT_PAGES 16u

/* --- loading ------------------------------------------------------------ */

/* An attacker inside exec has to find things. */
static bool random_offset(struct user *u, uint64_t pages, uint64_t *out,
	struct err *e)
{
	uint64_t word;
	if (!random_word(&u->random, &word))
		return err_fail(e, ERR_HOST, "random generator failed");
	*out = word % pages * PAGE_BYTES;
	return true;
}

/* A page of a writable segment: the file's bytes, zeros behind them. */
static bool copy_page(struct user *u, const struct elf_segment *s, uint64_t at,
	struct err *e)
{
	uint8_t *to = paging_map_new(u->paging, u->base + at, s->prot);
	if (!to)
		return err_fail(e, ERR_LIMIT, "out of memory for exec");
	uint64_t end = s->start + s->file_bytes;
	uint64_t from = at < s->start ? s->start : at;
	if (end > at + PAGE_BYTES)
		end = at + PAGE_BYTES;
	if (from < end)
		memcpy(to + (from - at),
			paging_file(u->paging).ptr + s->offset +
				(from - s->start),
			end - from);
	return true;
}

/* What exec only reads or runs stays where it was measured. */
static bool load_page(struct user *u, const struct elf_segment *s, uint64_t at,
	struct err *e)
{
	uint64_t in_file = s->offset - s->start + at;
	bool in_place =
		!(s->prot & SPACE_WRITE) && s->end - s->start == s->file_bytes;
	if (!in_place)
		return copy_page(u, s, at, e);
	if (!paging_map_file(u->paging, u->base + at, in_file, s->prot))
		return err_fail(e, ERR_LIMIT, "out of memory for tables");
	return true;
}

static bool load_segment(struct user *u, const struct elf_segment *s,
	struct err *e)
{
	uint64_t at = s->start & ~PAGE_MASK;
	uint64_t end = (s->end + PAGE_MASK) & ~PAGE_MASK;
	if (!space_add(&u->space, u->base + at, u->base + end, s->prot,
		    SPACE_IMAGE))
		return err_fail(e, ERR_LIMIT, "no room for exec");
	for (; at < end; at += PAGE_BYTES)
		if (!load_page(u, s, at, e))
			return false;
	return true;
}

static bool load_image(struct user *u, const struct elf_program *p,
	struct err *e)
{
	uint64_t image = 0, heap;
	/* Where a debugger's symbols are, when there may be one. */
	if (!u->fixed && !random_offset(u, user_isa.image_pages, &image, e))
		return false;
	if (!random_offset(u, user_isa.other_pages, &heap, e))
		return false;
	u->base = user_isa.image_low + image;
	u->end = u->base + p->end;
	u->entry = u->base + p->entry;
	for (size_t i = 0; i < p->count; i++)
		if (!load_segment(u, &p->segment[i], e))
			return false;
	u->space.brk_start = u->space.brk = u->end + PAGE_BYTES + heap;
	return true;
}

static bool write_stack(struct user *u, struct stack_facts *f, uint64_t top,
	struct err *e)
{
	uint8_t start[STACK_START_BYTES];
	for (size_t i = 0; i < sizeof f->random; i += 8) {
		uint64_t word;
		if (!random_word(&u->random, &word))
			return err_fail(e, ERR_HOST, "random generator failed");
		memcpy(f->random + i, &word, sizeof word);
	}
	u->stack_pointer = stack_start(f, top, start);
	bool ok = user_copy_out(u, top - sizeof start, start, sizeof start);
	explicit_bzero(start, sizeof start);
	return ok || err_fail(e, ERR_LIMIT, "no memory for the stack");
}

static bool load_stack(struct user *u, const struct elf_program *p,
	struct err *e)
{
	struct stack_facts f = {
		.base = u->base,
		.entry = p->entry,
		.headers = p->headers,
		.header_count = p->header_count,
	};
	uint64_t below, hole;
	if (!random_offset(u, user_isa.other_pages, &below, e) ||
		!random_offset(u, user_isa.other_pages, &hole, e))
		return false;
	uint64_t top = user_isa.stack_high - below;
	if (!space_add(&u->space, top - STACK_BYTES, top,
		    SPACE_READ | SPACE_WRITE, SPACE_STACK))
		return err_fail(e, ERR_LIMIT, "no room for the stack");
	/* mmap begins well below the stack, and leaves a hole. */
	u->space.high = top - 2 * STACK_BYTES - hole;
	user_isa.tell(&f);
	bool ok = write_stack(u, &f, top, e);
	explicit_bzero(&f, sizeof f);
	return ok;
}

bool user_load(struct user *u, struct err *e)
{
	struct elf_program p;
	u->space.low = MMAP_LOW;
	return elf_parse(paging_file(u->paging), user_isa.machine, &p, e) &&
		load_image(u, &p, e) && load_stack(u, &p, e);
}

void user_boot(struct user *u, struct paging *p, const struct vm_hints *h)
{
	struct err e = { 0 };
	uint64_t pages = p->frames.count - p->frames.used;
	if (pages < PAGES_LEAST)
		shim_crash("boot: %llu pages of RAM",
			(unsigned long long)pages);
	u->paging = p;
	u->fixed = shim_debug();
	u->space.ops = &paging_space_ops;
	u->space.ctx = p;
	/* Tables take one page of 512, and a few more. */
	u->space.pages_max = pages - pages / 256 - 64;
	u->personality.space = &u->space;
	u->personality.clock = &u->clock;
	u->personality.random = &u->random;
	boot_calls(&u->personality, h);
	if (!user_load(u, &e))
		shim_crash("boot: %s", e.text);
}

/* --- faults ------------------------------------------------------------- */

static bool touchable(const struct space_range *r, uint8_t want)
{
	return r && r->prot & want && want != SPACE_EXEC &&
		r->kind != SPACE_IMAGE && r->kind != SPACE_GATE;
}

bool user_touch(struct user *u, uint64_t at, uint8_t want)
{
	const struct space_range *r = space_find(&u->space, at);
	at &= ~PAGE_MASK;
	if (!touchable(r, want) || paging_has(u->paging, at))
		return false;
	if (!paging_map_new(u->paging, at, r->prot))
		u->personality.ops->crash("out of memory");
	for (uint64_t i = 1; i < FAULT_PAGES; i++) {
		uint64_t next = at + i * PAGE_BYTES;
		if (next >= r->end || next % (FAULT_PAGES * PAGE_BYTES) == 0 ||
			paging_has(u->paging, next) ||
			!paging_map_new(u->paging, next, r->prot))
			break;
	}
	return true;
}

static void *reach(void *ctx, uint64_t at, bool write)
{
	struct user *u = ctx;
	void *there = paging_find(u->paging, at, write);
	if (!there && user_touch(u, at, write ? SPACE_WRITE : SPACE_READ))
		there = paging_find(u->paging, at, write);
	return there;
}

bool user_copy_out(struct user *u, uint64_t to, const void *from, size_t n)
{
	return copy_out(reach, u, to, from, n);
}

bool user_copy_in(struct user *u, void *to, uint64_t from, size_t n)
{
	return copy_in(reach, u, to, from, n);
}

void user_place(const struct user *u, uint64_t at, char out[48])
{
	if (at >= u->base && at < u->end)
		fmt(out, 48, "exec+0x%llx", (unsigned long long)(at - u->base));
	else
		space_place(&u->space, at, out);
}
