/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/riscv64/pmp.h"

#include "../../test.h"

TEST(pmp_ranges_are_pairs_of_which_the_first_matches_nothing)
{
	struct pmp p = { 0 };
	pmp_add(&p, 0x80200000, 0x200000, PMP_R | PMP_W | PMP_X);
	pmp_add(&p, 0x400001000, 0x1000, PMP_R | PMP_W);
	CHECK_INT(p.address[0], 0x80200000 >> 2);
	CHECK_INT(p.address[1], 0x80400000 >> 2);
	CHECK_INT(p.address[2], 0x400001000 >> 2);
	CHECK_INT(p.address[3], 0x400002000 >> 2);
	/* OFF, then TOR with its rights (§3.7.1). */
	CHECK_INT(p.config, 0x0b000f00);
}
