/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vendors' certificates and revocation lists (RFC 5280), exactly as far as
 * evidence needs them, for the verifiers in this folder.  Everything is a
 * span of the input.  Refused: what is not DER, unknown signature algorithms,
 * an extension twice, a critical extension that nobody here understands.
 */
#ifndef ATTEST_CERT_H
#define ATTEST_CERT_H

#include "attest/seen.h"
#include "base/bytes.h"
#include "base/err.h"

enum attest_sig {
	ATTEST_SIG_PSS_SHA384,	/* RSA-4096 */
	ATTEST_SIG_P256_SHA256, /* ECDSA */
};

struct attest_cert {
	struct bytes tbs, serial, issuer, subject, spki, exts, sig;
	enum attest_sig alg;
	int64_t from, to; /* seconds since 1970 */
	bool ca;	  /* basicConstraints and keyCertSign say so */
};

struct attest_crl {
	struct bytes tbs, issuer, revoked, sig;
	enum attest_sig alg;
	int64_t from, to;
};

MUST_USE bool attest_cert_parse(struct bytes der, struct attest_cert *out,
	struct err *e);
MUST_USE bool attest_crl_parse(struct bytes der, struct attest_crl *out,
	struct err *e);

/* The value of an extension; oid: its encoding, without tag and length. */
bool attest_cert_ext(const struct attest_cert *c, struct bytes oid,
	struct bytes *value);
/* Names agree, the issuer is an authority, the signature is its own.  seen:
 * NULL, or what was verified before. */
MUST_USE bool attest_cert_signed_by(const struct attest_cert *c,
	const struct attest_cert *issuer, struct attest_seen *seen,
	struct err *e);
MUST_USE bool attest_crl_signed_by(const struct attest_crl *l,
	const struct attest_cert *issuer, struct attest_seen *seen,
	struct err *e);
bool attest_crl_has(const struct attest_crl *l, struct bytes serial);
/* The common name of a distinguished name; empty when there is none. */
struct bytes attest_cert_cn(struct bytes name);

#endif
