/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elliptic-curve keys (P-256, P-384), ECDSA signatures as r || s big-endian
 * (IEEE P1363), and keys in files (PKCS#8 PEM, mode 0600).
 */
#ifndef CRYPTO_KEY_H
#define CRYPTO_KEY_H

#include "base/buf.h"
#include "base/err.h"

enum crypto_curve { CRYPTO_P256, CRYPTO_P384 };

struct crypto_key; /* private or public */

MUST_USE bool crypto_key_generate(enum crypto_curve c, struct crypto_key **out,
	struct err *e);
void crypto_key_free(struct crypto_key *k);

/* SubjectPublicKeyInfo, DER. */
MUST_USE bool crypto_key_spki(const struct crypto_key *k, struct buf *out,
	struct err *e);
MUST_USE bool crypto_key_from_spki(struct bytes der, struct crypto_key **out,
	struct err *e);
/* SHA-256 of the SPKI: how donjon names keys. */
MUST_USE bool crypto_key_fingerprint(const struct crypto_key *k,
	uint8_t out[32], struct err *e);

/* A P-256 key of its private number, big-endian, and back. */
enum { CRYPTO_SCALAR_BYTES = 32 };
MUST_USE bool crypto_key_from_scalar(const uint8_t in[CRYPTO_SCALAR_BYTES],
	struct crypto_key **out, struct err *e);
MUST_USE bool crypto_key_scalar(const struct crypto_key *k,
	uint8_t out[CRYPTO_SCALAR_BYTES], struct err *e);

/*
 * Reads the private key at path; with `create` makes a new P-256 key when
 * there is none (atomically: two who race get the same key), and the folders
 * above it (mode 0700).  Refuses a file that others may read or that is
 * another user's (ERR_DENIED), a key that is not P-256 or P-384.
 */
MUST_USE bool crypto_key_file(const char *path, bool create,
	struct crypto_key **out, struct err *e);
/* Reads a private key from an open descriptor (PEM, at most 16 KiB). */
MUST_USE bool crypto_key_read(int fd, struct crypto_key **out, struct err *e);

/* sig: 64 bytes for P-256 (SHA-256), 96 for P-384 (SHA-384). */
MUST_USE bool crypto_sign(const struct crypto_key *k, struct bytes message,
	struct buf *sig, struct err *e);
/* False with ERR_DENIED when the signature is not of that key. */
MUST_USE bool crypto_verify(const struct crypto_key *k, struct bytes message,
	struct bytes sig, struct err *e);

#endif
