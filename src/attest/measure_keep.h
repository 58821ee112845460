/* SPDX-License-Identifier: Apache-2.0 */
/* The launch digest of a Keep of ours under SEV-SNP: docs/tee/snp.md. */
#ifndef ATTEST_MEASURE_KEEP_H
#define ATTEST_MEASURE_KEEP_H

#include "base/bytes.h"
#include "base/err.h"

/* What is not in the images, and still in the digest. */
struct attest_keep_launch {
	uint32_t c_bit;	   /* 51 on every processor that there is */
	uint64_t features; /* SVM_FEATURE_* that the host's kernel turns on */
};

/* Of the files, whole. */
MUST_USE bool attest_measure_keep(struct bytes shim, struct bytes exec,
	const struct attest_keep_launch *how, uint8_t out[48], struct err *e);

#endif
