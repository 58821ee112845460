/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest for tests of the software platform: does one thing, tells in the
 * window what came of it, halts.
 */
#ifndef TESTS_SOFT_GUEST_H
#define TESTS_SOFT_GUEST_H

#include "abi/vm.h"

#define GUEST_C_BIT 47

/* Guest-physical memory: the image at VM_RAM_GPA, then... */
#define GUEST_FREE_GPA	0x00400000 /* 2 MiB that nobody launched */
#define GUEST_LARGE_GPA 0x00600000 /* the same, mapped by a large page */
#define GUEST_PAGES_GPA                                      \
	0x00800000 /* 2 MiB of which some pages are launched \
		    */
#define GUEST_END_GPA 0x00a00000

/* In the window. */
#define GUEST_RESULT_AT 0x2000
#define GUEST_SHARED_AT 0x3000

#define GUEST_MARK 0x5ec2e7a1b2c3d4e5ull

enum guest_do {
	GUEST_NOTHING,
	GUEST_EXCEPTIONS,   /* instructions that are #VC, or #UD */
	GUEST_UNVALIDATED,  /* read, write, run what was not validated */
	GUEST_VALIDATE,	    /* PVALIDATE once, twice, back */
	GUEST_SIZES,	    /* PVALIDATE of 2 MiB, here and there */
	GUEST_ADJUST,	    /* RMPADJUST */
	GUEST_USER,	    /* PVALIDATE outside ring 0 */
	GUEST_SHARED_VIEW,  /* C=0 where C=1 is due */
	GUEST_PRIVATE_VIEW, /* C=1 where C=0 is due */
	GUEST_WRITE_VMSA,
	GUEST_HOLD,	   /* a page, over a port's access by the GHCB */
	GUEST_NOWHERE,	   /* beyond all memory */
	GUEST_STATE,	   /* page state changes, both ways */
	GUEST_PROTOCOL,	   /* the MSR's answers */
	GUEST_PORTS,	   /* by the GHCB, in and out */
	GUEST_LONG,	   /* runs until it is kicked */
	GUEST_SECRETS,	   /* the pages that the firmware filled in */
	GUEST_RANDOM_GHCB, /* a GHCB of random bytes, again and again */
	GUEST_PLAIN,	   /* what a guest without SNP does */
	GUEST_WATCH,	   /* until an exception comes from outside */
	GUEST_TRIPLE,	   /* a fault without a handler */
};

struct guest_result {
	uint64_t magic; /* GUEST_MARK, at the end */
	uint64_t count;
	uint64_t values[256];
};

/* A probe's outcome: 0, or an exception. */
#define GUEST_EXCEPTION(vector, error) \
	((uint64_t)1 << 63 | (uint64_t)(vector) << 32 | (error))

#endif
