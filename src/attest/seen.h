/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures that were verified before: who judges much evidence of few
 * vendors need not check the same certificates again.  Only what held is
 * remembered, by a digest over key, message and signature as they stood, so
 * that it can't say yes to anything that was not verified to the last bit.
 * Dates, names and lists are judged anew each time.
 */
#ifndef ATTEST_SEEN_H
#define ATTEST_SEEN_H

#include "base/bytes.h"
#include "base/err.h"

enum { ATTEST_SEEN_MAX = 64 };

/* All-zero is empty; the oldest make room for the newest. */
struct attest_seen {
	uint8_t digest[ATTEST_SEEN_MAX][32];
	size_t count, next;
};

/* s may be NULL: nothing was seen, nothing is kept. */
bool attest_seen_has(const struct attest_seen *s, const uint8_t digest[32]);
void attest_seen_add(struct attest_seen *s, const uint8_t digest[32]);
/* ECDSA P-256 with SHA-256 of a key (SubjectPublicKeyInfo, DER), r || s. */
MUST_USE bool attest_seen_p256(struct attest_seen *s, struct bytes spki,
	struct bytes message, struct bytes sig, struct err *e);
/* False when it can't be computed. */
MUST_USE bool attest_seen_digest(struct bytes key, struct bytes message,
	struct bytes sig, uint8_t out[32]);

#endif
