/* SPDX-License-Identifier: Apache-2.0 */
/* AES-256-GCM (NIST SP 800-38D) with IVs of 96 and tags of 128 bits. */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include "base/bytes.h"
#include "base/err.h"

enum {
	CRYPTO_GCM_KEY_BYTES = 32,
	CRYPTO_GCM_IV_BYTES = 12,
	CRYPTO_GCM_TAG_BYTES = 16
};

struct crypto_gcm {
	const uint8_t *key; /* all borrowed for the call */
	const uint8_t *iv;
	struct bytes aad;
};

/* out: in.len bytes, which may be those of in. */
MUST_USE bool crypto_gcm_seal(const struct crypto_gcm *g, struct bytes in,
	uint8_t *out, uint8_t tag[CRYPTO_GCM_TAG_BYTES], struct err *e);
/* ERR_DENIED, and out wiped, when the tag is not that of key, IV, aad, in. */
MUST_USE bool crypto_gcm_open(const struct crypto_gcm *g, struct bytes in,
	uint8_t *out, const uint8_t tag[CRYPTO_GCM_TAG_BYTES], struct err *e);

#endif
