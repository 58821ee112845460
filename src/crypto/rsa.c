/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/rsa.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "crypto/openssl.h"

enum { KEY_BITS = 4096, SALT_BYTES = 48, SPKI_MAX = 1024 };

/* NULL when it is no RSA key of that size, or there is more than a key. */
static EVP_PKEY *key_of(struct bytes spki)
{
	const uint8_t *p = spki.ptr;
	if (!spki.len || spki.len > SPKI_MAX)
		return NULL;
	EVP_PKEY *k = d2i_PUBKEY(NULL, &p, (long)spki.len);
	if (k &&
		(p != spki.ptr + spki.len || !EVP_PKEY_is_a(k, "RSA") ||
			EVP_PKEY_get_bits(k) != KEY_BITS)) {
		EVP_PKEY_free(k);
		k = NULL;
	}
	return k;
}

static bool verify(EVP_MD_CTX *ctx, EVP_PKEY *k, struct bytes message,
	struct bytes sig)
{
	EVP_PKEY_CTX *pk; /* owned by ctx */
	return EVP_DigestVerifyInit(ctx, &pk, EVP_sha384(), NULL, k) == 1 &&
		EVP_PKEY_CTX_set_rsa_padding(pk, RSA_PKCS1_PSS_PADDING) == 1 &&
		EVP_PKEY_CTX_set_rsa_mgf1_md(pk, EVP_sha384()) == 1 &&
		EVP_PKEY_CTX_set_rsa_pss_saltlen(pk, SALT_BYTES) == 1 &&
		EVP_DigestVerify(ctx, sig.ptr, sig.len, message.ptr,
			message.len) == 1;
}

bool crypto_rsa_pss_verify(struct bytes spki, struct bytes message,
	struct bytes sig, struct err *e)
{
	crypto_init();
	EVP_PKEY *k = key_of(spki);
	if (!k)
		return crypto_fail(e, ERR_INPUT, "not an RSA-4096 key");
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && verify(ctx, k, message, sig);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(k);
	ERR_clear_error();
	return ok || err_fail(e, ERR_DENIED, "signature of another key");
}
