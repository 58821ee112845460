/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 (RFC 8032): what the RISC-V monitors sign with. */
#ifndef CRYPTO_ED25519_H
#define CRYPTO_ED25519_H

#include "base/bytes.h"
#include "base/err.h"

enum { CRYPTO_ED25519_KEY = 32, CRYPTO_ED25519_SIG = 64 };

/* ERR_DENIED when the signature is not of that key. */
MUST_USE bool crypto_ed25519_verify(const uint8_t key[CRYPTO_ED25519_KEY],
	struct bytes message, const uint8_t sig[CRYPTO_ED25519_SIG],
	struct err *e);
/* seed: the private key of RFC 8032. */
MUST_USE bool crypto_ed25519_public(const uint8_t seed[CRYPTO_ED25519_KEY],
	uint8_t key[CRYPTO_ED25519_KEY], struct err *e);
MUST_USE bool crypto_ed25519_sign(const uint8_t seed[CRYPTO_ED25519_KEY],
	struct bytes message, uint8_t sig[CRYPTO_ED25519_SIG], struct err *e);

#endif
