/* SPDX-License-Identifier: Apache-2.0 */
/* AES-256-GCM (NIST SP 800-38D), for messages whose format is not ours. */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include "base/bytes.h"
#include "base/err.h"

#define CRYPTO_GCM_KEY_BYTES 32u
#define CRYPTO_GCM_IV_BYTES  12u
#define CRYPTO_GCM_TAG_BYTES 16u

/* out: in.len bytes; it may be where `in` is. */
MUST_USE bool crypto_gcm_seal(const uint8_t key[CRYPTO_GCM_KEY_BYTES],
	const uint8_t iv[CRYPTO_GCM_IV_BYTES], struct bytes aad,
	struct bytes in, uint8_t *out, uint8_t tag[CRYPTO_GCM_TAG_BYTES],
	struct err *e);
/* ERR_DENIED: the tag is of something else; out is then zeros. */
MUST_USE bool crypto_gcm_open(const uint8_t key[CRYPTO_GCM_KEY_BYTES],
	const uint8_t iv[CRYPTO_GCM_IV_BYTES], struct bytes aad,
	struct bytes in, const uint8_t tag[CRYPTO_GCM_TAG_BYTES], uint8_t *out,
	struct err *e);

#endif
