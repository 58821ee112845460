/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first code of exec where the C library has none for a static-PIE program
 * (Debian's of riscv64 and ppc64le; docs/adr/0022).  It does what the library's
 * own does elsewhere: the program's addresses become those of where it lies,
 * and the library learns where that is.  Nothing else runs before; what is
 * called here needs no thread pointer and no stack guard.
 */
#include <elf.h>
#include <link.h>

#include "keep/start.h"

#define HIDDEN __attribute__((visibility("hidden")))

/* The C library's list of programs, of which there is one. */
struct start_space {
	struct link_map *program;
};
extern HIDDEN struct start_space _dl_ns[];

/* Addresses that functions choose by the processor's features: the library asks
 * them when it is far enough.  Room for them is in start_ISA.S. */
extern HIDDEN Elf64_Rela __rela_iplt_start[], __rela_iplt_end[];

/* What is to be relocated, as the linker wrote it. */
struct start_tables {
	uint64_t rela, rela_bytes;
	uint64_t relr, relr_bytes; /* RELATIVE ones, packed */
};

static struct start_tables tables(const Elf64_Dyn *d)
{
	struct start_tables t = { .rela = 0 };
	for (; d->d_tag != DT_NULL; d++) {
		if (d->d_tag == DT_RELA)
			t.rela = d->d_un.d_ptr;
		else if (d->d_tag == DT_RELASZ)
			t.rela_bytes = d->d_un.d_val;
		else if (d->d_tag == DT_RELR)
			t.relr = d->d_un.d_ptr;
		else if (d->d_tag == DT_RELRSZ)
			t.relr_bytes = d->d_un.d_val;
	}
	return t;
}

/* System V ABI, "Relative Relocation Table": an even word is the address of
 * one, an odd word has a bit for each of the 63 behind. */
static void unpack(uint64_t base, const struct start_tables *t)
{
	const uint64_t *word = (const uint64_t *)(base + t->relr);
	uint64_t *at = NULL;
	for (size_t i = 0; i < t->relr_bytes / sizeof *word; i++) {
		if (!(word[i] & 1)) {
			at = (uint64_t *)(base + word[i]);
			*at++ += base;
			continue;
		}
		uint64_t bits = word[i];
		for (uint64_t *p = at; bits >>= 1; p++)
			if (bits & 1)
				*p += base;
		at += 63;
	}
}

static void relocate(uint64_t base, const struct start_tables *t)
{
	const Elf64_Rela *r = (const Elf64_Rela *)(base + t->rela);
	const Elf64_Rela *end = r + t->rela_bytes / sizeof *r;
	Elf64_Rela *chosen = __rela_iplt_start;
	const struct start_kinds *k = &start_kinds;
	for (; r < end; r++) {
		int64_t *at = (int64_t *)(base + r->r_offset);
		int64_t moved = (int64_t)base + r->r_addend;
		int64_t type = (int64_t)ELF64_R_TYPE(r->r_info);
		if (type == k->relative)
			*at = moved;
		else if (type == k->thread && !ELF64_R_SYM(r->r_info))
			*at = r->r_addend;
		else if (type == k->indirect && chosen < __rela_iplt_end)
			*chosen++ =
				(Elf64_Rela){ (uint64_t)at, r->r_info, moved };
		else if (type != k->nothing)
			__builtin_trap();
	}
	/* The table is full or there is nothing to choose: the last of them is
	 * chosen as often as there is room. */
	for (; chosen < __rela_iplt_end; chosen++)
		*chosen = chosen[-1];
}

/* base: where the program's first byte lies. */
HIDDEN void keep_start_relocate(uint64_t base, const Elf64_Dyn *dynamic);
HIDDEN void keep_start_relocate(uint64_t base, const Elf64_Dyn *dynamic)
{
	struct start_tables t = tables(dynamic);
	unpack(base, &t);
	relocate(base, &t);
	_dl_ns[0].program->l_addr = base;
}
