/* SPDX-License-Identifier: Apache-2.0 */
/* What a Keep of ours measures in a Sanctum enclave: docs/tee/sanctum.md. */
#ifndef ATTEST_MEASURE_SANCTUM_H
#define ATTEST_MEASURE_SANCTUM_H

#include "base/buf.h"
#include "base/err.h"

/* Of the files, whole.  out: the enclave; monitor: the security monitor, as its
 * boot ROM measures it.  told: a line for each call, appended, or NULL. */
MUST_USE bool attest_measure_sanctum(struct bytes shim, struct bytes exec,
	struct bytes monitor_image, struct buf *told, uint8_t out[64],
	uint8_t monitor[64], struct err *e);

#endif
