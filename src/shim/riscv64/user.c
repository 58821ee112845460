/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/riscv64/user.h"

#include "arch/riscv64/csr.h"
#include "shim/common/calls_riscv64.h"

enum { EM_RISCV = 243 };

/* What this release's exec is compiled for: the letters IMAFDC (Linux,
 * Documentation/riscv/uabi). */
#define HWCAP 0x112dull

static void tell(struct stack_facts *f)
{
	f->hwcap = HWCAP;
	platform_shim(&f->shim);
}

/* exec's half of Sv39 has 38 bits. */
const struct user_isa user_isa = {
	.machine = EM_RISCV,
	.image_low = 0x1000000000,
	.image_pages = 1ull << 24,
	.stack_high = 0x3fff000000,
	.other_pages = 1ull << 22,
	.tell = tell,
};

static uint8_t wants(enum cause cause)
{
	return cause == CAUSE_FETCH_PAGE  ? SPACE_EXEC :
		cause == CAUSE_STORE_PAGE ? SPACE_WRITE :
					    SPACE_READ;
}

bool user_fault(struct user *u, uint64_t at, enum cause cause)
{
	uint8_t want = wants(cause);
	/* An entry that was not valid a moment ago may still be in the TLB
	 * (§4.2.1). */
	if (paging_allows(u->paging, at, want)) {
		cpu_fence_table_at(at & ~(uint64_t)(PAGE_BYTES - 1));
		return true;
	}
	return user_touch(u, at, want);
}

int64_t user_call(struct user *u, uint64_t number, const uint64_t args[6])
{
	int64_t own;
	if (platform_call(number, args, &own))
		return own;
	return personality_call(&u->personality, calls_riscv64(number), args);
}
