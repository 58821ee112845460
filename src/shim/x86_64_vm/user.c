/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/x86_64_vm/user.h"

#include "shim/x86_64_vm/platform.h"

enum { EM_X86_64 = 62 };

static void tell(struct stack_facts *f)
{
	f->hwcap = platform_cpuid(1, 0).edx;
	platform_shim(&f->shim);
}

const struct user_isa user_isa = {
	.machine = EM_X86_64,
	.image_low = 0x550000000000,
	.image_pages = 1ull << 28,
	.stack_high = 0x7fff00000000,
	.other_pages = 1ull << 24,
	.tell = tell,
};

static uint8_t wants(uint64_t error)
{
	return error & PF_FETCH	 ? SPACE_EXEC :
		error & PF_WRITE ? SPACE_WRITE :
				   SPACE_READ;
}

bool user_fault(struct user *u, uint64_t at, uint64_t error)
{
	/* One that was not, or no more: a host may inject any vector. */
	if (paging_allows(u->paging, at, wants(error)))
		return true;
	return !(error & PF_PRESENT) && user_touch(u, at, wants(error));
}
