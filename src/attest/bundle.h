/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence in a file, for `donjon verify FILE`.  A file is one of these:
 *
 *	evidence alone, as its technology writes it, or its hexadecimal digits
 *	a Keep as the host agent describes it: JSON with claims, evidence,
 *	  endorsements and certificate in base64
 *	a certificate (PEM or DER) with evidence in an extension: interoperable
 *	  RA-TLS (ours too), or Gramine's older one
 *	a request for a certificate (PKCS#10, PEM or DER) as Enarx made them
 *
 * At most 1 MiB; judges nothing.
 */
#ifndef ATTEST_BUNDLE_H
#define ATTEST_BUNDLE_H

#include "attest/attest.h"
#include "base/buf.h"
#include "base/err.h"

#define ATTEST_BUNDLE_MAX (1u << 20)

/* All owned; empty when the file has no such part. */
struct attest_bundle {
	struct buf claims, evidence, endorsements;
	struct buf certificate; /* DER; or a request for one */
	struct buf spki;	/* of it: what claims must bind */
	bool request;
	enum attest_binding binding;
};

MUST_USE bool attest_bundle_read(struct bytes file, struct attest_bundle *out,
	struct err *e);
/* What the verifier is to judge, but time, policy's wishes, nonce and owner;
 * borrows from the bundle. */
struct attest_input attest_bundle_input(const struct attest_bundle *b);

/*
 * Makes endorsements out of the vendor's files, whatever their order and
 * number: certificates, chains and revocation lists in DER or PEM, Intel's
 * signed JSON, a key of a software root or a sealed key (DER).  Of several
 * that would do, those of this evidence are taken, then those that are
 * current at `now`; what belongs to other evidence is left out.  What the
 * bundle had before fills gaps, and so do AMD's public certificates.
 */
MUST_USE bool attest_bundle_endorse(struct attest_bundle *b,
	const struct bytes *files, size_t count, int64_t now, struct err *e);
/* Is it a file that attest_bundle_endorse could use? */
bool attest_bundle_is_endorsement(struct bytes file);
void attest_bundle_fini(struct attest_bundle *b);

#endif
