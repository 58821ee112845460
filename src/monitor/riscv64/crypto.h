/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's seam over OpenSSL's SHA-512 and Ed25519. */
#ifndef MONITOR_RISCV64_CRYPTO_H
#define MONITOR_RISCV64_CRYPTO_H

#include "base/base.h"

enum { HASH_BYTES = 64, KEY_BYTES = 32, SIGNATURE_BYTES = 64 };

/* Room for OpenSSL's state, which holds no pointer. */
struct hash {
	uint64_t state[28];
};

/* First of all. */
void crypto_init(uint64_t random);

void hash_init(struct hash *h);
void hash_add(struct hash *h, const void *from, size_t n);
void hash_end(struct hash *h, uint8_t out[HASH_BYTES]);

/* RFC 8032; false: OpenSSL could not. */
MUST_USE bool ed25519_public(const uint8_t seed[KEY_BYTES],
	uint8_t out[KEY_BYTES]);
MUST_USE bool ed25519_sign(const uint8_t seed[KEY_BYTES],
	const uint8_t public[KEY_BYTES], const void *message, size_t n,
	uint8_t out[SIGNATURE_BYTES]);

#endif
