/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence in a file, for `donjon verify FILE`: a Keep as the host agent
 * describes it (JSON with claims, evidence, endorsements and certificate in
 * base64), or a Keep's certificate alone (PEM or DER), which carries the
 * same in its extensions; or evidence alone, as its technology writes it.
 * At most 1 MiB; judges nothing.
 */
#ifndef ATTEST_BUNDLE_H
#define ATTEST_BUNDLE_H

#include "base/buf.h"
#include "base/err.h"

#define ATTEST_BUNDLE_MAX (1u << 20)

/* All owned; empty when the file has no such part. */
struct attest_bundle {
	struct buf claims, evidence, endorsements;
	struct buf certificate; /* DER */
	struct buf spki;	/* of the certificate: what claims must bind */
	bool bare;		/* evidence alone: attest_input.bare */
};

MUST_USE bool attest_bundle_read(struct bytes file, struct attest_bundle *out,
	struct err *e);
/*
 * Makes endorsements of the vendor's files, in any order: certificates and
 * revocation lists in DER or PEM, for quotes also Intel's signed JSON and
 * its signers' chains.  Files of an Intel set that this quote does not need
 * are left out.
 */
MUST_USE bool attest_bundle_endorse(struct attest_bundle *b,
	const struct bytes *files, size_t count, struct err *e);
void attest_bundle_fini(struct attest_bundle *b);

#endif
