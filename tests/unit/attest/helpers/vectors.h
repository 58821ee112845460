/* SPDX-License-Identifier: Apache-2.0 */
/* Real public evidence: DONJON_SHARED/vectors, ../shared by default. */
#ifndef TESTS_UNIT_ATTEST_VECTORS_H
#define TESTS_UNIT_ATTEST_VECTORS_H

#include "attest/attest.h"
#include "attest/bundle.h"

/* False when there is no such file. */
bool vectors_read(const char *name, struct buf *out);
/* An SNP report with the files that endorse it, NULL at the end. */
void vectors_bundle(struct attest_bundle *b, const char *report,
	const char *const *files);
/* Accepts the report's own measurement; `more`: further lines of [snp]. */
struct attest_policy *vectors_snp_policy(const struct attest_bundle *b,
	const char *more);
/* The names of the checks that failed, each followed by a blank. */
void vectors_failed(const struct attest_verdict *v, struct buf *out);

#endif
