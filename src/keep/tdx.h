/* SPDX-License-Identifier: Apache-2.0 */
/* A trust domain's report, by the shim, and what of a quote a Keep can judge:
 * that it is one of that report. */
#ifndef KEEP_TDX_H
#define KEEP_TDX_H

#include "base/bytes.h"
#include "base/err.h"
#include "spec/tdx.h"

enum { KEEP_TDX_REPORT_BYTES = sizeof(struct tdx_report_struct) };

MUST_USE bool keep_tdx_report(const uint8_t report_data[64],
	uint8_t report[KEEP_TDX_REPORT_BYTES], struct err *e);
/* ERR_HOST: the quote is none, or says something else.  Its signature is for
 * verifiers. */
MUST_USE bool keep_tdx_check(struct bytes report, struct bytes quote,
	struct err *e);

#endif
