/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads exec's file: a static-PIE ELF program of 64 bits.  It is measured, so
 * it is no enemy's; it is judged all the same, so that a wrong build ends with
 * a sentence.
 */
#ifndef SHIM_COMMON_ELF_H
#define SHIM_COMMON_ELF_H

#include "base/bytes.h"
#include "base/err.h"

#define ELF_MAX_SEGMENTS 8u

struct elf_segment {
	uint64_t offset, file_bytes; /* in the file */
	uint64_t start, end;	     /* in memory, from the program's base on */
	uint8_t prot;		     /* enum space_prot */
};

struct elf_program {
	uint64_t entry; /* from the base on, as all of these */
	uint64_t headers, header_count;
	uint64_t end; /* of the last segment, in whole pages */
	size_t count;
	struct elf_segment segment[ELF_MAX_SEGMENTS];
};

/* Segments lie in ascending order on pages of their own, none is writable and
 * executable, and file and memory agree modulo the page. */
MUST_USE bool elf_parse(struct bytes file, uint16_t machine,
	struct elf_program *out, struct err *e);

#endif
