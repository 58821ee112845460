/* SPDX-License-Identifier: Apache-2.0 */
/* What the shim takes as exec lies inside the file, in order, and is never
 * writable and executable. */
#include "shim/common/elf.h"

#include <stdlib.h>

#include "shim/common/space.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct elf_program p;
	if (!elf_parse(bytes_of(data, len), 62, &p, NULL))
		return 0;
	uint64_t end = 0;
	for (size_t i = 0; i < p.count; i++) {
		const struct elf_segment *s = &p.segment[i];
		check(s->start >= end && s->end > s->start);
		check(s->offset + s->file_bytes <= len);
		check(s->file_bytes <= s->end - s->start);
		check((s->prot & 6) != 6);
		end = s->end;
	}
	check(p.end >= end && p.end - end < 4096);
	return 0;
}
