/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chain as AMD's: a root ("ARK-Milan"), an intermediate ("SEV-Milan"), a
 * leaf ("SEV-VCEK") with the extensions that name chip and TCB, and the
 * root's empty revocation list.  The root's key is the software root's, so
 * no verifier accepts it that was not told to.
 */
#ifndef SOFT_CERTS_H
#define SOFT_CERTS_H

#include "crypto/key.h"
#include "soft/root.h"

struct soft_chip {
	uint8_t id[64];
	uint8_t tcb[8]; /* TCB_VERSION, Milan's layout */
};

/* Appends endorsements as the verifier reads them (attest/snp_chain.c): CBOR
 * [[leaf, intermediate, root], [revocation list]], all DER. */
MUST_USE bool soft_certs_make(const struct soft_root *root,
	const struct soft_chip *chip, const struct crypto_key *vcek,
	int64_t now, struct buf *endorsements, struct err *e);

#endif
