/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MRTD out of the calls by which a TD is built (Intel TDX module, TDH.MEM.PAGE
 * .ADD and TDH.MR.EXTEND), and the run-time registers out of an event log
 * (TCG PC Client Platform Firmware Profile; the CCEL of ACPI).
 */
#ifndef ATTEST_MEASURE_TDX_H
#define ATTEST_MEASURE_TDX_H

#include "base/bytes.h"
#include "base/err.h"

struct attest_td_build;

MUST_USE bool attest_td_create(struct attest_td_build **out, struct err *e);
/* TDH.MEM.PAGE.ADD of one page. */
MUST_USE bool attest_td_add(struct attest_td_build *b, uint64_t gpa,
	struct err *e);
/* TDH.MR.EXTEND of all of a page (4096 bytes), 256 at a time. */
MUST_USE bool attest_td_extend(struct attest_td_build *b, uint64_t gpa,
	struct bytes page, struct err *e);
MUST_USE bool attest_td_end(struct attest_td_build *b, uint8_t mrtd[48],
	struct err *e);
void attest_td_free(struct attest_td_build *b);

enum { ATTEST_RTMRS = 4 };

/* One event of a log: its register (0 to 3), type, digest and data. */
typedef void attest_ccel_told(void *ctx, unsigned rtmr, uint32_t type,
	const uint8_t digest[48], struct bytes data);
/* Replays a log; what stands behind its end (0xff) is padding. */
MUST_USE bool attest_ccel_replay(struct bytes log, attest_ccel_told *told,
	void *ctx, uint8_t rtmr[ATTEST_RTMRS][48], struct err *e);

#endif
