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

/* In the window.  A domain's registers are nobody's to set: it reads what it
 * shall do. */
#define GUEST_ASK_AT	0x1000
#define GUEST_RESULT_AT 0x2000
#define GUEST_SHARED_AT 0x3000

#define GUEST_MARK 0x5ec2e7a1b2c3d4e5ull
/* What a domain tells VM_PORT when it is done. */
#define GUEST_END_EVENT 0x7fu

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

/* A trust domain's (td.c). */
enum td_do {
	TD_NOTHING,
	TD_INFO,	 /* TDG.VP.INFO */
	TD_EXCEPTIONS,	 /* instructions that are #VE, or #UD */
	TD_VE_TWICE,	 /* #VE, while the last one's reason was not asked */
	TD_ACCEPT,	 /* once, twice, of other sizes, of what is none */
	TD_SIZES,	 /* 2 MiB, here and there */
	TD_PENDING,	 /* a page that was not accepted, and is used */
	TD_SHARED_VIEW,	 /* the shared half of a private page */
	TD_PRIVATE_VIEW, /* the private half of a shared one */
	TD_NOWHERE,	 /* shared addresses where nothing is */
	TD_USER,	 /* TDCALL outside ring 0 */
	TD_HOLD,	 /* a page, over a port's access */
	TD_HOLD_AGAIN,	 /* the same, accepted again after it */
	TD_MAP,		 /* MapGPA, both ways */
	TD_CALLS,	 /* what a host answers itself, or refuses */
	TD_PORTS,
	TD_REPORT, /* into the window, too */
	TD_EXTEND, /* a register, then a report */
	TD_QUOTE,  /* a call to userspace */
	TD_END,	   /* ReportFatalError */
	TD_RANDOM, /* calls with random registers */
	TD_WATCH,  /* until an exception comes from outside */
	TD_LONG,
	TD_TRIPLE,
};

struct td_ask {
	uint64_t what, number;
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
