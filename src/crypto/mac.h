/* SPDX-License-Identifier: Apache-2.0 */
/* AES-128-CMAC (NIST SP 800-38B), HMAC-SHA-256 (RFC 2104). */
#ifndef CRYPTO_MAC_H
#define CRYPTO_MAC_H

#include "base/bytes.h"
#include "base/err.h"

enum { CRYPTO_CMAC_BYTES = 16, CRYPTO_HMAC_BYTES = 32 };

MUST_USE bool crypto_cmac(const uint8_t key[CRYPTO_CMAC_BYTES],
	struct bytes message, uint8_t out[CRYPTO_CMAC_BYTES], struct err *e);
MUST_USE bool crypto_hmac(struct bytes key, struct bytes message,
	uint8_t out[CRYPTO_HMAC_BYTES], struct err *e);

#endif
