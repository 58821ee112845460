/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A symmetric key wrapped for one machine: RSAES-OAEP with SHA-256 (RFC 8017
 * §7.1), no label, by a key of 2048 to 4096 bits.
 */
#ifndef CRYPTO_WRAP_H
#define CRYPTO_WRAP_H

#include "base/buf.h"
#include "base/err.h"

struct crypto_wrap; /* an RSA key, private or public */

MUST_USE bool crypto_wrap_generate(struct crypto_wrap **out, struct err *e);
/* PEM: PKCS#8 (private) or SubjectPublicKeyInfo. */
MUST_USE bool crypto_wrap_read(struct bytes pem, struct crypto_wrap **out,
	struct err *e);
MUST_USE bool crypto_wrap_write(const struct crypto_wrap *k, bool private,
	struct buf *pem, struct err *e);
void crypto_wrap_free(struct crypto_wrap *k);

MUST_USE bool crypto_wrap_seal(const struct crypto_wrap *k, struct bytes in,
	struct buf *out, struct err *e);
/* ERR_DENIED: not for this machine.  Appended; the caller wipes it. */
MUST_USE bool crypto_wrap_open(const struct crypto_wrap *k, struct bytes in,
	struct buf *out, struct err *e);

#endif
