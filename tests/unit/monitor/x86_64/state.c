/* SPDX-License-Identifier: Apache-2.0 */
#include "../../test.h"
#include "helpers/memory.h"

static struct svm_save long_mode(void)
{
	return (struct svm_save){ .cr0 = 0x80010033,
		.cr4 = 0x20,
		.efer = 0x1d01,
		.dr6 = 0xffff0ff0,
		.dr7 = 0x400,
		.cs.attributes = 0xa9b };
}

TEST(state_of_a_guest_in_long_mode_is_legal)
{
	struct svm_save s = long_mode();
	CHECK(state_is_legal(&s));
}

TEST(state_that_vmrun_refuses_is_not)
{
	enum { CASES = 11 };
	static struct svm_save s[CASES];
	for (int i = 0; i < CASES; i++)
		s[i] = long_mode();
	s[0].efer &= ~0x1000ull; /* no SVME */
	s[1].efer |= 1 << 20;
	s[2].cr0 |= 1ull << 32;
	s[3].cr0 |= 1 << 29; /* NW without CD */
	s[4].cr4 |= 1ull << 40;
	s[5].dr6 |= 1ull << 32;
	s[6].dr7 |= 1ull << 63;
	s[7].cr4 = 0;		       /* long mode without PAE */
	s[8].cr0 &= ~1ull;	       /* ...without protection */
	s[9].cs.attributes |= 1 << 10; /* 64 and 32 bits at once */
	s[10].efer = 0;
	for (int i = 0; i < CASES; i++)
		if (state_is_legal(&s[i]))
			fail_msg("case %d", i);
}
