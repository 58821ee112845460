/* SPDX-License-Identifier: Apache-2.0 */
/* RSA signatures, as far as vendors' certificates need them. */
#ifndef CRYPTO_RSA_H
#define CRYPTO_RSA_H

#include "base/bytes.h"
#include "base/err.h"

/*
 * RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt of 48 bytes, by a
 * key of 4096 bits (spki: SubjectPublicKeyInfo, DER).  ERR_DENIED when the
 * signature is not of that key, ERR_INPUT when that is no such key.
 */
MUST_USE bool crypto_rsa_pss_verify(struct bytes spki, struct bytes message,
	struct bytes sig, struct err *e);

#endif
