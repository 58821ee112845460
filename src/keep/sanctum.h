/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence of an enclave's, by its shim, from the security monitor. */
#ifndef KEEP_SANCTUM_H
#define KEEP_SANCTUM_H

#include "base/bytes.h"
#include "base/err.h"
#include "spec/sanctum.h"

/* ERR_HOST: there is none, or it is for other data. */
MUST_USE bool keep_sanctum_report(const uint8_t report_data[64],
	struct sanctum_evidence *out, struct err *e);

#endif
