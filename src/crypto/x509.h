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

#endif
