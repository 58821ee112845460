/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/mac.h"

#include <openssl/core_names.h>

#include "crypto/openssl.h"

static bool compute(const char *name, const OSSL_PARAM *params,
	struct bytes key, struct bytes message, uint8_t *out, size_t bytes,
	struct err *e)
{
	size_t len = 0;
	crypto_init();
	EVP_MAC *mac = EVP_MAC_fetch(NULL, name, NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
	bool ok = ctx && EVP_MAC_init(ctx, key.ptr, key.len, params) == 1 &&
		EVP_MAC_update(ctx, message.ptr, message.len) == 1 &&
		EVP_MAC_final(ctx, out, &len, bytes) == 1 && len == bytes;
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	return ok || crypto_fail(e, ERR_LIMIT, name);
}

bool crypto_cmac(const uint8_t key[CRYPTO_CMAC_BYTES], struct bytes message,
	uint8_t out[CRYPTO_CMAC_BYTES], struct err *e)
{
	char cipher[] = "AES-128-CBC";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, cipher,
			0),
		OSSL_PARAM_construct_end()
	};
	return compute("CMAC", params, bytes_of(key, CRYPTO_CMAC_BYTES),
		message, out, CRYPTO_CMAC_BYTES, e);
}

bool crypto_hmac(struct bytes key, struct bytes message,
	uint8_t out[CRYPTO_HMAC_BYTES], struct err *e)
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest,
			0),
		OSSL_PARAM_construct_end()
	};
	return compute("HMAC", params, key, message, out, CRYPTO_HMAC_BYTES, e);
}
