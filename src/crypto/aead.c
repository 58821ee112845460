/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/aead.h"

#include <limits.h>

#include "crypto/openssl.h"

/* Key, IV, what is authenticated only, and the text itself. */
static bool run(EVP_CIPHER_CTX *c, bool seal, const uint8_t *key,
	const uint8_t *iv, struct bytes aad, struct bytes in, uint8_t *out)
{
	int n = 0;
	return EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key, iv, seal) &&
		(aad.len == 0 ||
			EVP_CipherUpdate(c, NULL, &n, aad.ptr, (int)aad.len)) &&
		(in.len == 0 ||
			EVP_CipherUpdate(c, out, &n, in.ptr, (int)in.len));
}

static bool begin(struct bytes aad, struct bytes in, EVP_CIPHER_CTX **c,
	struct err *e)
{
	crypto_init();
	if (aad.len > INT_MAX || in.len > INT_MAX)
		return err_fail(e, ERR_LIMIT, "aes-gcm: too long");
	*c = EVP_CIPHER_CTX_new();
	return *c || err_fail(e, ERR_LIMIT, "aes-gcm: no memory");
}

bool crypto_gcm_seal(const uint8_t key[CRYPTO_GCM_KEY_BYTES],
	const uint8_t iv[CRYPTO_GCM_IV_BYTES], struct bytes aad,
	struct bytes in, uint8_t *out, uint8_t tag[CRYPTO_GCM_TAG_BYTES],
	struct err *e)
{
	EVP_CIPHER_CTX *c;
	uint8_t rest[CRYPTO_GCM_TAG_BYTES];
	int n = 0;
	if (!begin(aad, in, &c, e))
		return false;
	bool ok = run(c, true, key, iv, aad, in, out) &&
		EVP_CipherFinal_ex(c, rest, &n) &&
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG,
			CRYPTO_GCM_TAG_BYTES, tag);
	EVP_CIPHER_CTX_free(c);
	return ok || crypto_fail(e, ERR_HOST, "aes-gcm");
}

bool crypto_gcm_open(const uint8_t key[CRYPTO_GCM_KEY_BYTES],
	const uint8_t iv[CRYPTO_GCM_IV_BYTES], struct bytes aad,
	struct bytes in, const uint8_t tag[CRYPTO_GCM_TAG_BYTES], uint8_t *out,
	struct err *e)
{
	EVP_CIPHER_CTX *c;
	uint8_t rest[CRYPTO_GCM_TAG_BYTES], copy[CRYPTO_GCM_TAG_BYTES];
	int n = 0;
	if (!begin(aad, in, &c, e))
		return false;
	memcpy(copy, tag, sizeof copy);
	bool ok = run(c, false, key, iv, aad, in, out) &&
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, sizeof copy,
			copy) &&
		EVP_CipherFinal_ex(c, rest, &n) > 0;
	EVP_CIPHER_CTX_free(c);
	if (ok)
		return true;
	if (in.len)
		memset(out, 0, in.len);
	return crypto_fail(e, ERR_DENIED, "aes-gcm");
}
