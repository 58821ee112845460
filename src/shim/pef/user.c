/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/pef/user.h"

#include "shim/pef/host.h"

enum { EM_PPC64 = 21 };

/* What every POWER9 has, for libraries that choose their code by it (Linux,
 * arch/powerpc/include/uapi/asm/cputable.h): 64 bits, Altivec, floating point,
 * an MMU, ISA 2.06, VSX, little-endian mode; ISA 2.07, DSCR, isel, TAR, AES and
 * its like, ISA 3.0, IEEE 128, darn.  No transactions, and no `scv`. */
#define HWCAP  0xdc000182u
#define HWCAP2 0xaee00000u

/* The owner's key goes to exec, and stays nowhere here. */
static void tell(struct stack_facts *f)
{
	f->hwcap = HWCAP;
	f->hwcap2 = HWCAP2;
	f->shim.version = 1;
	f->shim.tee = GATE_TEE_PEF;
	host_key(f->shim.key);
}

const struct user_isa user_isa = {
	.machine = EM_PPC64,
	.image_low = 0x550000000000,
	.image_pages = 1ull << 28,
	.stack_high = 0x7fff00000000,
	.other_pages = 1ull << 24,
	.tell = tell,
};

bool user_fault(struct user *u, uint64_t at, uint64_t error)
{
	return error & FAULT_MISSING &&
		user_touch(u, at,
			error & FAULT_WRITE ? SPACE_WRITE : SPACE_READ);
}
