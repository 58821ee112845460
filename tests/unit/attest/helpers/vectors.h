/* SPDX-License-Identifier: Apache-2.0 */
/* Real public evidence: DONJON_SHARED/vectors, ../shared by default. */
#ifndef TESTS_UNIT_ATTEST_VECTORS_H
#define TESTS_UNIT_ATTEST_VECTORS_H

#include "attest/attest.h"
#include "attest/bundle.h"

/* False when there is no such file. */
bool vectors_read(const char *name, struct buf *out);
/* Evidence with the files that endorse it, NULL at the end. */
void vectors_bundle(struct attest_bundle *b, const char *report,
	const char *const *files);
/* Accepts the report's own measurement; `more`: further lines of [snp]. */
struct attest_policy *vectors_snp_policy(const struct attest_bundle *b,
	const char *more);
/* The same for a quote: [sgx] or [tdx], whatever it is. */
struct attest_policy *vectors_quote_policy(const struct attest_bundle *b,
	const char *more);
/* The files of a set of Intel's collateral, NULL at the end. */
enum { VECTORS_SET = 7 };
void vectors_set(const char *folder, char paths[VECTORS_SET][128],
	const char *files[VECTORS_SET + 1]);
/* How far it is to the next bit to flip in text: all of them are tried when
 * DONJON_ALL is set, else one of each byte, in turn, or fewer. */
size_t vectors_text_step(size_t otherwise);
/* The names of the checks that failed, each followed by a blank. */
void vectors_failed(const struct attest_verdict *v, struct buf *out);

#endif
