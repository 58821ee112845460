/* SPDX-License-Identifier: Apache-2.0 */
/* AES-128-CMAC (NIST SP 800-38B). */
#ifndef CRYPTO_MAC_H
#define CRYPTO_MAC_H

#include "base/bytes.h"
#include "base/err.h"

enum { CRYPTO_CMAC_BYTES = 16 };

MUST_USE bool crypto_cmac(const uint8_t key[CRYPTO_CMAC_BYTES],
	struct bytes message, uint8_t out[CRYPTO_CMAC_BYTES], struct err *e);

#endif
