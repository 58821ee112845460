/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/pef/user.h"

#include "base/fmt.h"
#include "shim/common/copy.h"
#include "shim/common/elf.h"
#include "shim/common/stack.h"

enum { EM_PPC64 = 21 };

/* What every POWER9 has, for libraries that choose their code by it (Linux,
 * arch/powerpc/include/uapi/asm/cputable.h): 64 bits, Altivec, floating point,
 * an MMU, ISA 2.06, VSX, little-endian mode; ISA 2.07, DSCR, isel, TAR, AES and
 * its like, ISA 3.0, IEEE 128, darn.  No transactions, and no `scv`. */
#define HWCAP  0xdc000182u
#define HWCAP2 0xaee00000u

/* Where things lie, each at a random page of so many: an attacker inside exec
 * has to find them. */
#define IMAGE_PAGES (1ull << 28)
#define OTHER_PAGES (1ull << 24)
#define IMAGE_LOW   0x550000000000u
#define STACK_HIGH  0x7fff00000000u
#define STACK_BYTES 0x800000u
#define MMAP_LOW    0x10000u

/* Pages that one fault maps, where they lie in one range. */
#define FAULT_PAGES 16u

static uint64_t random_offset(struct user *u, uint64_t pages)
{
	uint64_t word;
	if (!random_word(&u->random, &word))
		shim_crash("boot: random generator failed");
	return word % pages * PAGE_BYTES;
}

/* --- loading ---------------------------------------------------------------
 */

static struct bytes file_of(const struct paging *p)
{
	return bytes_of(paging_at(p->exec_gpa), p->exec_bytes);
}

/* A page of a writable segment: the file's bytes, zeros behind them. */
static void copy_page(struct user *u, const struct elf_segment *s, uint64_t at)
{
	uint8_t *to = paging_map_new(u->paging, u->base + at, s->prot);
	if (!to)
		shim_crash("boot: out of memory for exec");
	uint64_t end = s->start + s->file_bytes;
	uint64_t from = at < s->start ? s->start : at;
	if (end > at + PAGE_BYTES)
		end = at + PAGE_BYTES;
	if (from < end)
		memcpy(to + (from - at),
			file_of(u->paging).ptr + s->offset + (from - s->start),
			end - from);
}

/* What exec only reads or runs stays where it was measured. */
static void load_page(struct user *u, const struct elf_segment *s, uint64_t at)
{
	uint64_t in_file = s->offset - s->start + at;
	bool in_place =
		!(s->prot & SPACE_WRITE) && s->end - s->start == s->file_bytes;
	if (!in_place)
		copy_page(u, s, at);
	else if (!paging_map(u->paging, u->base + at,
			 u->paging->exec_gpa + in_file, s->prot, false))
		shim_crash("boot: out of memory for tables");
}

static void load_segment(struct user *u, const struct elf_segment *s)
{
	uint64_t at = s->start & ~(uint64_t)(PAGE_BYTES - 1);
	uint64_t end = (s->end + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
	if (!space_add(&u->space, u->base + at, u->base + end, s->prot,
		    SPACE_IMAGE))
		shim_crash("boot: no room for exec");
	for (; at < end; at += PAGE_BYTES)
		load_page(u, s, at);
}

static void load_stack(struct user *u, const struct elf_program *p)
{
	struct stack_facts f = {
		.base = u->base,
		.entry = p->entry,
		.headers = p->headers,
		.header_count = p->header_count,
		.hwcap = HWCAP,
		.hwcap2 = HWCAP2,
		.shim = { .version = 1, .tee = GATE_TEE_PEF },
	};
	uint8_t start[STACK_START_BYTES];
	memcpy(f.shim.key, u->key, sizeof u->key);
	explicit_bzero(u->key, sizeof u->key);
	uint64_t top = STACK_HIGH - random_offset(u, OTHER_PAGES);
	for (size_t i = 0; i < sizeof f.random; i += 8) {
		uint64_t word;
		if (!random_word(&u->random, &word))
			shim_crash("boot: random generator failed");
		memcpy(f.random + i, &word, sizeof word);
	}
	if (!space_add(&u->space, top - STACK_BYTES, top,
		    SPACE_READ | SPACE_WRITE, SPACE_STACK))
		shim_crash("boot: no room for the stack");
	u->stack_pointer = stack_start(&f, top, start);
	if (!user_copy_out(u, top - sizeof start, start, sizeof start))
		shim_crash("boot: no memory for the stack");
	explicit_bzero(start, sizeof start);
	explicit_bzero(&f, sizeof f);
	/* mmap begins well below the stack, and leaves a hole. */
	u->space.high = top - 2 * STACK_BYTES - random_offset(u, OTHER_PAGES);
}

void user_load(struct user *u)
{
	struct elf_program p;
	struct err e = { 0 };
	if (!elf_parse(file_of(u->paging), EM_PPC64, &p, &e))
		shim_crash("boot: %s", e.text);
	/* Where a debugger's symbols are, when there may be one. */
	u->base = IMAGE_LOW;
	if (!shim_debug())
		u->base += random_offset(u, IMAGE_PAGES);
	u->end = u->base + p.end;
	u->entry = u->base + p.entry;
	u->space.low = MMAP_LOW;
	for (size_t i = 0; i < p.count; i++)
		load_segment(u, &p.segment[i]);
	u->space.brk_start = u->space.brk =
		u->end + PAGE_BYTES + random_offset(u, OTHER_PAGES);
	load_stack(u, &p);
}

/* --- faults ----------------------------------------------------------------
 */

static bool touchable(const struct space_range *r, uint64_t error)
{
	uint8_t want = error & FAULT_WRITE ? SPACE_WRITE : SPACE_READ;
	return r && r->prot & want && r->kind != SPACE_IMAGE &&
		r->kind != SPACE_GATE;
}

bool user_fault(struct user *u, uint64_t at, uint64_t error)
{
	const struct space_range *r = space_find(&u->space, at);
	if (!(error & FAULT_MISSING) || !touchable(r, error))
		return false;
	at &= ~(uint64_t)(PAGE_BYTES - 1);
	if (paging_has(u->paging, at))
		return false;
	if (!paging_map_new(u->paging, at, r->prot))
		shim_crash("out of memory");
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
	uint64_t gpa;
	if (!paging_find(u->paging, at, write, &gpa) &&
		(!user_fault(u, at,
			 FAULT_MISSING | (write ? FAULT_WRITE : 0)) ||
			!paging_find(u->paging, at, write, &gpa)))
		return NULL;
	return (uint8_t *)paging_at(gpa) + at % PAGE_BYTES;
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
	static const char *const kinds[] = { "memory", "heap", "stack", "image",
		"gate" };
	const struct space_range *r = space_find(&u->space, at);
	if (at >= u->base && at < u->end)
		fmt(out, 48, "exec+0x%llx", (unsigned long long)(at - u->base));
	else if (at < PAGE_BYTES)
		fmt(out, 48, "the null page");
	else
		fmt(out, 48, "%s", r ? kinds[r->kind] : "no memory");
}
