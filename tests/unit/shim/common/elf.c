/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/elf.h"

#include <elf.h>
#include <stdlib.h>

#include "../../test.h"
#include "shim/common/space.h"

/* A program of two segments: code, then data with zeros behind it. */
struct program {
	Elf64_Ehdr h;
	Elf64_Phdr p[3];
	uint8_t rest[0x600];
};

static struct program make(void)
{
	struct program x = {
		.h = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64,
			       ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_DYN,
			.e_machine = EM_X86_64,
			.e_entry = 0x200,
			.e_phoff = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 3 },
		.p = { { .p_type = PT_LOAD,
			       .p_flags = PF_R | PF_X,
			       .p_filesz = 0x300,
			       .p_memsz = 0x300 },
			{ .p_type = PT_GNU_STACK },
			{ .p_type = PT_LOAD,
				.p_flags = PF_R | PF_W,
				.p_offset = 0x480,
				.p_vaddr = 0x1480,
				.p_filesz = 0x100,
				.p_memsz = 0x2000 } },
	};
	return x;
}

static bool parse(const struct program *x, struct elf_program *p, struct err *e)
{
	return elf_parse(bytes_of(x, sizeof *x), EM_X86_64, p, e);
}

TEST(elf_tells_where_a_program_lies)
{
	struct program x = make();
	struct elf_program p;
	struct err e = { 0 };
	if (!parse(&x, &p, &e))
		fail_msg("%s", e.text);
	CHECK_INT(p.count, 2);
	CHECK_INT(p.entry, 0x200);
	CHECK_INT(p.headers, 64);
	CHECK_INT(p.header_count, 3);
	CHECK_INT(p.segment[0].prot, SPACE_READ | SPACE_EXEC);
	CHECK_INT(p.segment[1].start, 0x1480);
	CHECK_INT(p.segment[1].end, 0x3480);
	CHECK_INT(p.segment[1].file_bytes, 0x100);
	CHECK_INT(p.end, 0x4000);
}

#define REFUSES(change, text_)                              \
	do {                                                \
		struct program x = make();                  \
		struct elf_program p;                       \
		struct err e = { 0 };                       \
		change;                                     \
		if (parse(&x, &p, &e))                      \
			fail_msg("took one with " #change); \
		CHECK_HAS(e.text, text_);                   \
	} while (0)

TEST(elf_refuses_by_name_what_it_will_not_load)
{
	REFUSES(x.h.e_ident[0] = 0, "not a 64-bit ELF file");
	REFUSES(x.h.e_ident[EI_CLASS] = ELFCLASS32, "not a 64-bit ELF file");
	REFUSES(x.h.e_ident[EI_DATA] = ELFDATA2MSB, "not a 64-bit ELF file");
	REFUSES(x.h.e_type = ET_EXEC, "static-PIE");
	REFUSES(x.h.e_machine = EM_RISCV, "static-PIE");
	REFUSES(x.h.e_phentsize = 32, "program headers");
	REFUSES(x.h.e_phoff = UINT64_MAX, "program headers");
	REFUSES(x.h.e_phnum = 0xffff, "truncated");
	REFUSES(x.p[1].p_type = PT_INTERP, "dynamic loader");
	REFUSES(x.p[2].p_flags = PF_R | PF_W | PF_X, "rights");
	REFUSES(x.p[2].p_flags = PF_W, "rights");
	REFUSES(x.p[2].p_offset = sizeof x, "size");
	REFUSES(x.p[2].p_offset = UINT64_MAX, "size");
	REFUSES(x.p[2].p_filesz = UINT64_MAX, "size");
	REFUSES(x.p[2].p_memsz = 0xff, "size");
	REFUSES(x.p[2].p_memsz = UINT64_MAX, "size");
	REFUSES(x.p[2].p_vaddr = UINT64_MAX - 0x7ff, "size");
	REFUSES(x.p[2].p_vaddr = 0x1481, "place");
	REFUSES(x.p[2].p_vaddr = 0x480, "place");
	REFUSES(x.h.e_entry = 0x1490, "entry is no code");
	REFUSES(x.h.e_entry = 0x300, "entry is no code");
	REFUSES((x.p[0].p_type = PT_NULL, x.h.e_entry = 0), "not loaded");
	REFUSES(x.p[0].p_filesz = x.p[0].p_memsz = 0x20, "not loaded");
}

TEST(elf_refuses_every_truncation_of_its_headers)
{
	struct program x = make();
	struct elf_program p;
	for (size_t n = 0; n < 64 + 3 * 56; n++)
		CHECK(!elf_parse(bytes_of(&x, n), EM_X86_64, &p, NULL));
}
