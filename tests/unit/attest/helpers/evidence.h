/* SPDX-License-Identifier: Apache-2.0 */
/* A software root, a Keep's key, and evidence that is right in all parts. */
#ifndef TESTS_UNIT_ATTEST_EVIDENCE_H
#define TESTS_UNIT_ATTEST_EVIDENCE_H

#include "attest/attest.h"
#include "crypto/key.h"
#include "soft/root.h"

struct sample {
	struct soft_root *root;
	struct crypto_key *key;
	uint8_t fingerprint[32];
	uint8_t nonce[32], owner[32];
	struct attest_reference ref;
	struct soft_facts facts;
	struct attest_claims claims;
	struct buf claims_cbor, evidence, spki;
	struct attest_policy *policy; /* this release, this root */
	struct attest_input in;	      /* refers to all of the above */
};

/* `in` refers to s: don't move it. */
void sample_init(struct sample *s);
void sample_fini(struct sample *s);
/* Signs facts and claims as they stand now. */
void sample_sign(struct sample *s);
/* Judges and returns the verdict's first failed check, "" when accepted. */
const char *sample_failed(struct sample *s, struct attest_verdict *v);

#endif
