/* SPDX-License-Identifier: Apache-2.0 */
/* X.509 leaves, as far as attested TLS needs them. */
#ifndef CRYPTO_X509_H
#define CRYPTO_X509_H

#include "crypto/key.h"

struct crypto_ext {
	const char *oid;    /* dotted */
	struct bytes value; /* of extnValue */
};

/*
 * A self-signed v3 leaf: CN=cn, random serial, valid from `from` to `to`
 * (seconds since 1970), the extensions non-critical.  DER is appended.
 */
MUST_USE bool crypto_cert_make(const struct crypto_key *k, const char *cn,
	int64_t from, int64_t to, const struct crypto_ext *exts,
	size_t ext_count, struct buf *der, struct err *e);

/* The subject's SPKI (DER) of a certificate; appended. */
MUST_USE bool crypto_cert_spki(struct bytes der, struct buf *spki,
	struct err *e);
/* An extension's value; ERR_INPUT when it is absent or there twice. */
MUST_USE bool crypto_cert_ext(struct bytes der, const char *oid,
	struct buf *value, struct err *e);

/* Of any certificate, whatever its key. */
struct crypto_cert_facts {
	int64_t from, to;	       /* seconds since 1970 */
	bool self_issued, self_signed; /* names agree; the signature does */
};
MUST_USE bool crypto_cert_facts(struct bytes der, struct crypto_cert_facts *out,
	struct err *e);

/* Requests for a certificate (PKCS#10, RFC 2986), DER. */
MUST_USE bool crypto_request_spki(struct bytes der, struct buf *spki,
	struct err *e);
/* The value of an extension that is asked for; ERR_INPUT as above. */
MUST_USE bool crypto_request_ext(struct bytes der, const char *oid,
	struct buf *value, struct err *e);
/* Signed by the key that it is for; ERR_DENIED. */
MUST_USE bool crypto_request_signed(struct bytes der, struct err *e);

#endif
