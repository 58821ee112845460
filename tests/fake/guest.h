/* SPDX-License-Identifier: Apache-2.0 */
/* What the stand-in for exec below a shim does: the first byte of the nonce
 * says. */
#ifndef TESTS_FAKE_GUEST_H
#define TESTS_FAKE_GUEST_H

enum guest {
	GUEST_RING, /* asks for the time, three times, and checks the answers */
	GUEST_QUIT, /* exit status 7 */
	GUEST_WAIT, /* rings, and is never answered */
	GUEST_SPIN, /* never rings */
	GUEST_LIVE, /* memory, clocks, randomness, vector state: status 0 */
	GUEST_WALLS, /* tries what the shim must refuse: status 0 */
	GUEST_FULL, /* takes all memory there is, and gives it back: status 0 */
	GUEST_MARKS, /* rings with marks in all registers, three times */
	GUEST_QUOTE, /* tdx: has its report quoted, once: status 0 */
	GUEST_NULL,  /* from here on: faults, one each */
	GUEST_READ_SHIM,
	GUEST_WRITE_CODE,
	GUEST_WRITE_MADE,
	GUEST_RUN_DATA,
	GUEST_OVERFLOW,
	GUEST_UD,
	GUEST_DIVIDE,
	GUEST_HLT,
	GUEST_OUT,
	GUEST_RDMSR,
	GUEST_INT80,
	GUEST_NONE_LEFT,
};

/* Of GUEST_MARKS: eight bytes in all registers. */
#define GUEST_MARK 0x6d61726b5ec4e75eull

#endif
