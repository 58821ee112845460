/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/stack.h"

#include "base/must.h"

/* include/uapi/linux/auxvec.h */
enum {
	AT_NULL = 0,
	AT_PHDR = 3,
	AT_PHENT = 4,
	AT_PHNUM = 5,
	AT_PAGESZ = 6,
	AT_BASE = 7,
	AT_FLAGS = 8,
	AT_ENTRY = 9,
	AT_UID = 11,
	AT_EUID = 12,
	AT_GID = 13,
	AT_EGID = 14,
	AT_HWCAP = 16,
	AT_SECURE = 23,
	AT_RANDOM = 25,
	AT_HWCAP2 = 26
};

static const char name[16] = "exec";

uint64_t stack_start(const struct stack_facts *f, uint64_t top,
	uint8_t out[STACK_START_BYTES])
{
	uint64_t low = top - STACK_START_BYTES;
	uint64_t at_name = top - sizeof name;
	uint64_t at_random = at_name - sizeof f->random;
	uint64_t at_shim = at_random - sizeof f->shim;
	const uint64_t words[] = { 1, at_name, 0, /* argc, argv */
		0,				  /* environment */
		AT_PHDR, f->base + f->headers, AT_PHENT, 56, AT_PHNUM,
		f->header_count, AT_PAGESZ, PAGE_BYTES, AT_BASE, 0, AT_FLAGS, 0,
		AT_ENTRY, f->base + f->entry, AT_UID, 0, AT_EUID, 0, AT_GID, 0,
		AT_EGID, 0, AT_HWCAP, f->hwcap, AT_HWCAP2, f->hwcap2, AT_SECURE,
		0, AT_RANDOM, at_random, GATE_AUX_SHIM, at_shim, AT_NULL, 0 };
	uint64_t sp = (at_shim - sizeof words) & ~15ull;
	must(top % 16 == 0 && sp >= low);
	memset(out, 0, STACK_START_BYTES);
	memcpy(out + (at_name - low), name, sizeof name);
	memcpy(out + (at_random - low), f->random, sizeof f->random);
	memcpy(out + (at_shim - low), &f->shim, sizeof f->shim);
	memcpy(out + (sp - low), words, sizeof words);
	return sp;
}
