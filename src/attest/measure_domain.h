/* SPDX-License-Identifier: Apache-2.0 */
/* MRTD of a Keep of ours under TDX: docs/tee/tdx.md. */
#ifndef ATTEST_MEASURE_DOMAIN_H
#define ATTEST_MEASURE_DOMAIN_H

#include "base/buf.h"
#include "base/err.h"

/* Of the files, whole; told: a line for each page, appended, or NULL. */
MUST_USE bool attest_measure_domain(struct bytes shim, struct bytes exec,
	struct buf *told, uint8_t mrtd[48], struct err *e);

#endif
