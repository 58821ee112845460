/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/stack.h"

#include <elf.h>
#include <sys/auxv.h>

#include "../../test.h"

static uint64_t word(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

TEST(stack_is_what_a_static_program_reads)
{
	uint8_t out[STACK_START_BYTES];
	const uint64_t top = 0x7f0000001000;
	struct stack_facts f = { .base = 0x555500000000,
		.entry = 0x4800,
		.headers = 64,
		.header_count = 12,
		.hwcap = 0xbfebfbff };
	memset(f.random, 0x5a, sizeof f.random);
	f.shim = (struct gate_shim){ .version = 1, .tee = GATE_TEE_SNP };
	memset(f.shim.key, 0xa5, sizeof f.shim.key);
	uint64_t sp = stack_start(&f, top, out);
	CHECK_INT(sp % 16, 0);
	const uint8_t *p = out + (sp - (top - sizeof out));
	CHECK_INT(word(p), 1);
	uint64_t name = word(p + 8);
	CHECK_STR((const char *)out + (name - (top - sizeof out)), "exec");
	CHECK_INT(word(p + 16), 0); /* end of the arguments */
	CHECK_INT(word(p + 24), 0); /* no environment */
	unsigned seen = 0;
	for (p += 32; word(p) != AT_NULL; p += 16) {
		uint64_t v = word(p + 8);
		switch (word(p)) {
		case AT_PHDR:
			CHECK_INT(v, f.base + 64);
			break;
		case AT_PHNUM:
			CHECK_INT(v, 12);
			break;
		case AT_ENTRY:
			CHECK_INT(v, f.base + 0x4800);
			break;
		case AT_HWCAP:
			CHECK_INT(v, f.hwcap);
			break;
		case AT_RANDOM:
			CHECK_MEM(out + (v - (top - sizeof out)), f.random, 16);
			break;
		case GATE_AUX_SHIM:
			CHECK_MEM(out + (v - (top - sizeof out)), &f.shim,
				sizeof f.shim);
			break;
		case AT_SYSINFO_EHDR:
			fail_msg("there is no vDSO");
		default:
			continue;
		}
		seen++;
	}
	CHECK_INT(seen, 6);
	CHECK(p + 16 <= out + sizeof out);
}
