/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates and revocation lists of the software platform, in the shape
 * that vendors' have: signed by the software root or by a key that it
 * certified, ECDSA P-256 with SHA-256.
 */
#ifndef SOFT_X509_H
#define SOFT_X509_H

#include "crypto/key.h"
#include "soft/root.h"

/* Who signs: the software root, or a key that it certified. */
struct soft_signer {
	const struct soft_root *root;
	const struct crypto_key *key; /* NULL: the root */
	const char *name;
};

struct soft_subject {
	const char *name;
	struct bytes spki;
	struct bytes extensions; /* one behind the other */
};

void soft_x509_extension(struct buf *out, struct bytes oid, bool critical,
	struct bytes value);
/* What makes an authority; a leaf that signs. */
void soft_x509_ca(struct buf *out);
void soft_x509_leaf(struct buf *out);
/* Valid from an hour ago for thirty days; appended. */
MUST_USE bool soft_x509_cert(const struct soft_signer *issuer,
	const struct soft_subject *s, int64_t now, struct buf *out,
	struct err *e);
/* revoked: a certificate's serial number; empty: nobody is revoked. */
MUST_USE bool soft_x509_crl(const struct soft_signer *issuer,
	struct bytes revoked, int64_t now, struct buf *out, struct err *e);

#endif
