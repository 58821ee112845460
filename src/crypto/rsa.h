/* SPDX-License-Identifier: Apache-2.0 */
/* RSA signatures, as far as vendors' formats need them. */
#ifndef CRYPTO_RSA_H
#define CRYPTO_RSA_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

/*
 * RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt of 48 bytes, by a
 * key of 4096 bits with the exponent 65537 (spki: SubjectPublicKeyInfo, DER).
 * ERR_DENIED when the signature is not of that key, ERR_INPUT when that is
 * no such key.
 */
MUST_USE bool crypto_rsa_pss_verify(struct bytes spki, struct bytes message,
	struct bytes sig, struct err *e);

/*
 * SGX's enclave signatures: 3072 bits, exponent 3, PKCS#1 v1.5 with SHA-256.
 * Modulus and signature are big-endian here.
 */
enum { CRYPTO_RSA3_BYTES = 384 };
MUST_USE bool crypto_rsa3_verify(const uint8_t modulus[CRYPTO_RSA3_BYTES],
	struct bytes message, const uint8_t sig[CRYPTO_RSA3_BYTES],
	struct err *e);

struct crypto_rsa3; /* a private key */
MUST_USE bool crypto_rsa3_generate(struct crypto_rsa3 **out, struct err *e);
/* PKCS#8 or PKCS#1, PEM. */
MUST_USE bool crypto_rsa3_read(struct bytes pem, struct crypto_rsa3 **out,
	struct err *e);
MUST_USE bool crypto_rsa3_write(const struct crypto_rsa3 *k, struct buf *pem,
	struct err *e);
MUST_USE bool crypto_rsa3_modulus(const struct crypto_rsa3 *k,
	uint8_t out[CRYPTO_RSA3_BYTES], struct err *e);
MUST_USE bool crypto_rsa3_sign(const struct crypto_rsa3 *k,
	struct bytes message, uint8_t sig[CRYPTO_RSA3_BYTES], struct err *e);
void crypto_rsa3_free(struct crypto_rsa3 *k);

/*
 * Helpers of SGX's launch check: q1 = floor(s^2 / n), q2 = floor((s^2 -
 * q1 n) s / n); all big-endian.
 */
MUST_USE bool crypto_rsa3_quotients(const uint8_t modulus[CRYPTO_RSA3_BYTES],
	const uint8_t sig[CRYPTO_RSA3_BYTES], uint8_t q1[CRYPTO_RSA3_BYTES],
	uint8_t q2[CRYPTO_RSA3_BYTES], struct err *e);

#endif
