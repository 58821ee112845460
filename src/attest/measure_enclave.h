/* SPDX-License-Identifier: Apache-2.0 */
/* MRENCLAVE of a Keep, out of its two images (enclave/pages.h). */
#ifndef ATTEST_MEASURE_ENCLAVE_H
#define ATTEST_MEASURE_ENCLAVE_H

#include "base/buf.h"
#include "base/err.h"

/* heap_bytes: memory that is there from the start (SGX1); 0: SGX2.  pages: gets
 * a line for each page; or NULL. */
MUST_USE bool attest_measure_enclave(struct bytes shim, struct bytes exec,
	uint32_t heap_bytes, struct buf *pages, uint8_t out[32], struct err *e);

#endif
