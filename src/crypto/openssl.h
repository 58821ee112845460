/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seam under the seam: OpenSSL's own handles, for src/crypto and for the
 * channel, which hands keys to OpenSSL's TLS.  Nobody else includes this.
 */
#ifndef CRYPTO_OPENSSL_H
#define CRYPTO_OPENSSL_H

#include <openssl/evp.h>

#include "base/err.h"
#include "crypto/key.h"

/* Makes sure that OpenSSL reads no configuration, loads no provider from disk
 * and no engine.  Cheap after the first call; first in every entry point. */
void crypto_init(void);

/* Borrowed: lives as long as the key. */
EVP_PKEY *crypto_key_evp(const struct crypto_key *k);

/* A key read from elsewhere, rebuilt from its numbers so that nothing but a
 * P-256 or P-384 pair remains of it.  `read` stays the caller's. */
MUST_USE bool crypto_key_adopt(EVP_PKEY *read, struct crypto_key **out,
	struct err *e);

/* Sets *e to `what` and OpenSSL's newest reason, empties OpenSSL's queue.
 * Always false. */
bool crypto_fail(struct err *e, enum err_kind kind, const char *what);

#endif
