/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/aead.h"

#include <limits.h>

#include "crypto/hash.h"
#include "crypto/openssl.h"

static bool start(EVP_CIPHER_CTX *c, const struct crypto_gcm *g, int encrypt)
{
	int n;
	return EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, g->key, g->iv,
		       encrypt) == 1 &&
		(!g->aad.len ||
			EVP_CipherUpdate(c, NULL, &n, g->aad.ptr,
				(int)g->aad.len) == 1);
}

static bool run(EVP_CIPHER_CTX *c, struct bytes in, uint8_t *out)
{
	int n = 0, last = 0;
	if (in.len && EVP_CipherUpdate(c, out, &n, in.ptr, (int)in.len) != 1)
		return false;
	return EVP_CipherFinal_ex(c, out + n, &last) == 1;
}

static bool fits(const struct crypto_gcm *g, struct bytes in, struct err *e)
{
	return (in.len <= INT_MAX && g->aad.len <= INT_MAX) ||
		err_fail(e, ERR_LIMIT, "gcm: %zu bytes", in.len);
}

bool crypto_gcm_seal(const struct crypto_gcm *g, struct bytes in, uint8_t *out,
	uint8_t tag[CRYPTO_GCM_TAG_BYTES], struct err *e)
{
	crypto_init();
	if (!fits(g, in, e))
		return false;
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	bool ok = c && start(c, g, 1) && run(c, in, out) &&
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG,
			CRYPTO_GCM_TAG_BYTES, tag) == 1;
	EVP_CIPHER_CTX_free(c);
	return ok || crypto_fail(e, ERR_LIMIT, "gcm");
}

bool crypto_gcm_open(const struct crypto_gcm *g, struct bytes in, uint8_t *out,
	const uint8_t tag[CRYPTO_GCM_TAG_BYTES], struct err *e)
{
	uint8_t copy[CRYPTO_GCM_TAG_BYTES];
	crypto_init();
	if (!fits(g, in, e))
		return false;
	memcpy(copy, tag, sizeof copy);
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	bool made = c && start(c, g, 0) &&
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG,
			CRYPTO_GCM_TAG_BYTES, copy) == 1;
	bool ok = made && run(c, in, out);
	EVP_CIPHER_CTX_free(c);
	if (ok)
		return true;
	if (in.len)
		crypto_zero(out, in.len);
	return crypto_fail(e, made ? ERR_DENIED : ERR_LIMIT,
		"gcm: not authentic");
}
