/* SPDX-License-Identifier: Apache-2.0 */
/* What the guest of tests/unit/soft/power.c does; it tells values by its
 * terminal, and ends with PEF_GUEST_DONE. */
#ifndef TESTS_UNIT_SOFT_GUEST_PEF_H
#define TESTS_UNIT_SOFT_GUEST_PEF_H

enum pef_guest {
	PEF_GUEST_ENTER = 1, /* nothing but UV_ESM */
	PEF_GUEST_PLAIN,     /* stays the hypervisor's, and asks */
	PEF_GUEST_TWICE,
	PEF_GUEST_CALLS,
	PEF_GUEST_SHARE,
	PEF_GUEST_HOLD,	  /* a marker in memory, across a call */
	PEF_GUEST_RUN,	  /* jumps into a shared page */
	PEF_GUEST_BEYOND, /* looks where no memory is */
	PEF_GUEST_FILE,
	PEF_GUEST_TABLES,
	PEF_GUEST_SPIN,
};

#define PEF_GUEST_DONE	0x646f6e65u  /* "done" */
#define PEF_GUEST_PAGE	0x00800000u  /* memory that is nobody's yet */
#define PEF_GUEST_WIDE	0x1000000000 /* a slot of 64 KiB */
#define PEF_GUEST_MARK	0x5ec4e7b17e5a11adu
#define PEF_GUEST_TABLE 0x00a00000u

#endif
