/* SPDX-License-Identifier: Apache-2.0 */
/* The launch digest of a Keep of ours under SEV-SNP: docs/tee/snp.md. */
#ifndef ATTEST_MEASURE_KEEP_H
#define ATTEST_MEASURE_KEEP_H

#include "attest/measure_snp.h"

/* What is not in the images, and still in the digest. */
struct attest_keep_launch {
	uint32_t c_bit;	   /* 51 on every processor that there is */
	uint64_t features; /* SVM_FEATURE_* that the host's kernel turns on */
	/* Told of each page, when it is there. */
	attest_snp_told *page;
	void *ctx;
};

/* Of the files, whole, under each of `count` launches; those with the same
 * c_bit, side by side, cost little more than one. */
MUST_USE bool attest_measure_keep(struct bytes shim, struct bytes exec,
	const struct attest_keep_launch *how, size_t count, uint8_t (*out)[48],
	struct err *e);

#endif
