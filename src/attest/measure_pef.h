/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an ultravisor compares a Keep with (esm/blob.h), of its images: RTAS is
 * the one hypercall, the kernel the shim as its loader leaves it, the initrd
 * exec, and there is no command line.
 */
#ifndef ATTEST_MEASURE_PEF_H
#define ATTEST_MEASURE_PEF_H

#include "base/buf.h"
#include "esm/blob.h"

/* told: a line for each part, appended; or NULL. */
MUST_USE bool attest_measure_pef(struct bytes shim, struct bytes exec,
	struct buf *told, struct esm_digests *out, struct err *e);

#endif
