/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The launch digest of an SEV-SNP Keep, as the firmware chains it (AMD 56860,
 * "LD"): the pages in the order of the launch (docs/tee/snp.md), then the
 * state of its one processor.
 */
#ifndef ATTEST_MEASURE_SNP_H
#define ATTEST_MEASURE_SNP_H

#include "base/bytes.h"
#include "base/err.h"

/* What is not in the images, and still in the digest. */
struct attest_snp_launch {
	uint32_t c_bit;	   /* 51 on every processor that there is */
	uint64_t features; /* SVM_FEATURE_* that the host's kernel turns on */
};

#define ATTEST_SNP_LAUNCHES 4u /* most at a time */

/* Of the files, whole, for each of `count` launches. */
MUST_USE bool attest_measure_snp(struct bytes shim, struct bytes exec,
	const struct attest_snp_launch *how, size_t count, uint8_t out[][48],
	struct err *e);

#endif
