/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ed25519.h"

#include <openssl/err.h>

#include "crypto/openssl.h"

bool crypto_ed25519_verify(const uint8_t key[CRYPTO_ED25519_KEY],
	struct bytes message, const uint8_t sig[CRYPTO_ED25519_SIG],
	struct err *e)
{
	crypto_init();
	EVP_PKEY *k = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key,
		CRYPTO_ED25519_KEY);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = k && ctx &&
		EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, k) == 1 &&
		EVP_DigestVerify(ctx, sig, CRYPTO_ED25519_SIG, message.ptr,
			message.len) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(k);
	ERR_clear_error();
	return ok || err_fail(e, ERR_DENIED, "signature of another key");
}

static EVP_PKEY *private_key(const uint8_t seed[CRYPTO_ED25519_KEY])
{
	crypto_init();
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed,
		CRYPTO_ED25519_KEY);
}

bool crypto_ed25519_public(const uint8_t seed[CRYPTO_ED25519_KEY],
	uint8_t key[CRYPTO_ED25519_KEY], struct err *e)
{
	size_t n = CRYPTO_ED25519_KEY;
	EVP_PKEY *k = private_key(seed);
	bool ok = k && EVP_PKEY_get_raw_public_key(k, key, &n) == 1 &&
		n == CRYPTO_ED25519_KEY;
	EVP_PKEY_free(k);
	return ok || crypto_fail(e, ERR_HOST, "ed25519 key");
}

bool crypto_ed25519_sign(const uint8_t seed[CRYPTO_ED25519_KEY],
	struct bytes message, uint8_t sig[CRYPTO_ED25519_SIG], struct err *e)
{
	size_t n = CRYPTO_ED25519_SIG;
	EVP_PKEY *k = private_key(seed);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = k && ctx &&
		EVP_DigestSignInit(ctx, NULL, NULL, NULL, k) == 1 &&
		EVP_DigestSign(ctx, sig, &n, message.ptr, message.len) == 1 &&
		n == CRYPTO_ED25519_SIG;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(k);
	return ok || crypto_fail(e, ERR_HOST, "ed25519 sign");
}
