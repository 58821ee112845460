/* SPDX-License-Identifier: Apache-2.0 */
/* Digests, randomness and comparison in constant time, by OpenSSL. */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include "base/bytes.h"
#include "base/err.h"

#define CRYPTO_SHA256_BYTES 32
#define CRYPTO_SHA384_BYTES 48
#define CRYPTO_SHA512_BYTES 64
#define CRYPTO_DIGEST_MAX   64

enum crypto_alg {
	CRYPTO_SHA256,
	CRYPTO_SHA384,
	CRYPTO_SHA512,
	CRYPTO_SHA3_512
};

struct crypto_hash; /* incremental */

size_t crypto_digest_len(enum crypto_alg alg);
/* out: crypto_digest_len(alg) bytes.  Fails only without memory. */
MUST_USE bool crypto_digest(enum crypto_alg alg, struct bytes in, uint8_t *out,
	struct err *e);

MUST_USE bool crypto_hash_new(enum crypto_alg alg, struct crypto_hash **out,
	struct err *e);
MUST_USE bool crypto_hash_add(struct crypto_hash *h, struct bytes in,
	struct err *e);
MUST_USE bool crypto_hash_end(struct crypto_hash *h, uint8_t *out,
	struct err *e);
void crypto_hash_free(struct crypto_hash *h);

MUST_USE bool crypto_random(uint8_t *out, size_t len, struct err *e);
/* In constant time for equal lengths. */
bool crypto_equal(struct bytes a, struct bytes b);
void crypto_zero(void *p, size_t len);

#endif
