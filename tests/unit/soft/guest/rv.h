/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A robot in S-mode of the software platform's RISC-V machine (rv.S), as an
 * operating system and in an enclave: does one thing after the other that a
 * test asks for, and tells what came of it.
 */
#ifndef TESTS_SOFT_GUEST_RV_H
#define TESTS_SOFT_GUEST_RV_H

/* Where the system's image is linked to: the first memory that a device gives.
 */
#define RV_AT	   0x400200000
#define RV_BYTES   0x4000
#define RV_COMMAND 0x1000 /* in the image: struct rv_command */
#define RV_ENCLAVE 0x2000 /* in the image: an enclave's one page */

#define RV_LOAD	 1  /* value: what is at a[0] */
#define RV_STORE 2  /* a[1] to a[0] */
#define RV_JUMP	 3  /* to a[0]; value: 1 */
#define RV_ECALL 4  /* a[0]: number, then arguments; value, more */
#define RV_SATP	 5  /* a[0] */
#define RV_MCSR	 6  /* reads one of M-mode's */
#define RV_KEEP	 7  /* a[0] into S3, FT0 and SSCRATCH */
#define RV_SHOW	 8  /* value: S3; more: FT0; third: SSCRATCH */
#define RV_SEED	 9  /* reads the entropy source */
#define RV_CYCLE 11 /* reads a counter that tells of others */
#define RV_SPIN	 10 /* for ever; value counts from a[0] on */

#define RV_ASKED 0
#define RV_DONE	 8
#define RV_OP	 16
#define RV_ARGS	 24
#define RV_CAUSE 80
#define RV_VALUE 88
#define RV_MORE	 96
#define RV_THIRD 104

#ifndef __ASSEMBLER__
#include "base/base.h"

struct rv_command {
	uint64_t asked, done; /* the system's: numbers */
	uint64_t op;
	uint64_t a[7];
	uint64_t cause; /* of the trap that ended it; 0: none did */
	uint64_t value, more, third;
};
LAYOUT(struct rv_command, a, RV_ARGS);
LAYOUT(struct rv_command, cause, RV_CAUSE);
LAYOUT(struct rv_command, third, RV_THIRD);
#endif
#endif
