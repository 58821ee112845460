/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/rsa.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "crypto/openssl.h"

enum { SALT_BYTES = 48, MODULUS_BYTES = 512 };

/* SubjectPublicKeyInfo of an RSA key of 4096 bits, up to its modulus and
 * behind it: comparing them is the whole parser. */
static const uint8_t spki_head[] = { 0x30, 0x82, 0x02, 0x22, 0x30, 0x0d, 0x06,
	0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
	0x03, 0x82, 0x02, 0x0f, 0x00, 0x30, 0x82, 0x02, 0x0a, 0x02, 0x82, 0x02,
	0x01, 0x00 };
static const uint8_t spki_tail[] = { 0x02, 0x03, 0x01, 0x00, 0x01 };

/* A public key of its numbers; NULL on failure. */
static EVP_PKEY *from_numbers(struct bytes modulus, unsigned exponent)
{
	EVP_PKEY *k = NULL;
	OSSL_PARAM *params = NULL;
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *n = BN_bin2bn(modulus.ptr, (int)modulus.len, NULL);
	if (b && ctx && n &&
		OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, n) &&
		OSSL_PARAM_BLD_push_uint(b, OSSL_PKEY_PARAM_RSA_E, exponent))
		params = OSSL_PARAM_BLD_to_param(b);
	if (params && EVP_PKEY_fromdata_init(ctx) > 0 &&
		EVP_PKEY_fromdata(ctx, &k, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		k = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	EVP_PKEY_CTX_free(ctx);
	BN_free(n);
	return k;
}

static EVP_PKEY *key_of(struct bytes spki)
{
	struct bytes modulus = bytes_from(spki, sizeof spki_head);
	if (spki.len != sizeof spki_head + MODULUS_BYTES + sizeof spki_tail ||
		memcmp(spki.ptr, spki_head, sizeof spki_head) != 0 ||
		!(modulus.ptr[0] & 0x80) ||
		memcmp(modulus.ptr + MODULUS_BYTES, spki_tail,
			sizeof spki_tail) != 0)
		return NULL;
	modulus.len = MODULUS_BYTES;
	return from_numbers(modulus, 65537);
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

/* --- 3072 bits, exponent 3 ---------------------------------------------- */

enum { RSA3_BITS = 8 * CRYPTO_RSA3_BYTES };

struct crypto_rsa3 {
	EVP_PKEY *pkey;
};

bool crypto_rsa3_verify(const uint8_t modulus[CRYPTO_RSA3_BYTES],
	struct bytes message, const uint8_t sig[CRYPTO_RSA3_BYTES],
	struct err *e)
{
	crypto_init();
	EVP_PKEY *k = modulus[0] & 0x80 ?
		from_numbers(bytes_of(modulus, CRYPTO_RSA3_BYTES), 3) :
		NULL;
	if (!k)
		return crypto_fail(e, ERR_INPUT, "not an RSA-3072 key");
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx &&
		EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, k) == 1 &&
		EVP_DigestVerify(ctx, sig, CRYPTO_RSA3_BYTES, message.ptr,
			message.len) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(k);
	ERR_clear_error();
	return ok || err_fail(e, ERR_DENIED, "signature of another key");
}

/* Takes the key over; NULL stands for a failure to make one. */
static bool rsa3_adopt(EVP_PKEY *pkey, struct crypto_rsa3 **out, struct err *e)
{
	BIGNUM *exponent = NULL;
	bool ok = pkey && EVP_PKEY_is_a(pkey, "RSA") &&
		EVP_PKEY_get_bits(pkey) == RSA3_BITS &&
		EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &exponent) &&
		BN_is_word(exponent, 3);
	BN_free(exponent);
	struct crypto_rsa3 *k = ok ? OPENSSL_zalloc(sizeof *k) : NULL;
	if (!k) {
		EVP_PKEY_free(pkey);
		return crypto_fail(e, ERR_INPUT,
			"not an RSA key of 3072 bits with the exponent 3");
	}
	k->pkey = pkey;
	*out = k;
	return true;
}

bool crypto_rsa3_generate(struct crypto_rsa3 **out, struct err *e)
{
	crypto_init();
	EVP_PKEY *k = NULL;
	BIGNUM *three = BN_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	if (!three || !ctx || !BN_set_word(three, 3) ||
		EVP_PKEY_keygen_init(ctx) <= 0 ||
		EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, RSA3_BITS) <= 0 ||
		EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, three) <= 0 ||
		EVP_PKEY_generate(ctx, &k) <= 0)
		k = NULL;
	BN_free(three);
	EVP_PKEY_CTX_free(ctx);
	return rsa3_adopt(k, out, e);
}

static int no_password(char *text, int size, int writing, void *ctx)
{
	(void)text, (void)size, (void)writing, (void)ctx;
	return -1;
}

bool crypto_rsa3_read(struct bytes pem, struct crypto_rsa3 **out, struct err *e)
{
	crypto_init();
	BIO *in = pem.len <= (16u << 10) ?
		BIO_new_mem_buf(pem.ptr, (int)pem.len) :
		NULL;
	EVP_PKEY *k = in ?
		PEM_read_bio_PrivateKey(in, NULL, no_password, NULL) :
		NULL;
	BIO_free(in);
	return rsa3_adopt(k, out, e);
}

bool crypto_rsa3_write(const struct crypto_rsa3 *k, struct buf *pem,
	struct err *e)
{
	char *text = NULL;
	BIO *out = BIO_new(BIO_s_mem());
	bool ok = out &&
		PEM_write_bio_PKCS8PrivateKey(out, k->pkey, NULL, NULL, 0, NULL,
			NULL) == 1;
	long n = ok ? BIO_get_mem_data(out, &text) : 0;
	ok = ok && n > 0 && buf_put(pem, bytes_of(text, (size_t)n));
	BIO_free(out);
	return ok || crypto_fail(e, ERR_LIMIT, "key: write");
}

bool crypto_rsa3_modulus(const struct crypto_rsa3 *k,
	uint8_t out[CRYPTO_RSA3_BYTES], struct err *e)
{
	BIGNUM *n = NULL;
	bool ok = EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_RSA_N, &n) &&
		BN_bn2binpad(n, out, CRYPTO_RSA3_BYTES) == CRYPTO_RSA3_BYTES;
	BN_free(n);
	return ok || crypto_fail(e, ERR_INPUT, "key: modulus");
}

bool crypto_rsa3_sign(const struct crypto_rsa3 *k, struct bytes message,
	uint8_t sig[CRYPTO_RSA3_BYTES], struct err *e)
{
	size_t n = CRYPTO_RSA3_BYTES;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx &&
		EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, k->pkey) ==
			1 &&
		EVP_DigestSign(ctx, sig, &n, message.ptr, message.len) == 1 &&
		n == CRYPTO_RSA3_BYTES;
	EVP_MD_CTX_free(ctx);
	return ok || crypto_fail(e, ERR_HOST, "sign");
}

void crypto_rsa3_free(struct crypto_rsa3 *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->pkey);
	OPENSSL_free(k);
}

/* q = floor(a b / n), *r (may be NULL) the rest. */
static bool divide(const BIGNUM *a, const BIGNUM *b, const BIGNUM *n, BIGNUM *q,
	BIGNUM *r, BN_CTX *ctx)
{
	BIGNUM *product = BN_CTX_get(ctx);
	return product && BN_mul(product, a, b, ctx) &&
		BN_div(q, r, product, n, ctx);
}

bool crypto_rsa3_quotients(const uint8_t modulus[CRYPTO_RSA3_BYTES],
	const uint8_t sig[CRYPTO_RSA3_BYTES], uint8_t q1[CRYPTO_RSA3_BYTES],
	uint8_t q2[CRYPTO_RSA3_BYTES], struct err *e)
{
	enum { N = CRYPTO_RSA3_BYTES };
	BN_CTX *ctx = BN_CTX_new();
	if (!ctx)
		return crypto_fail(e, ERR_LIMIT, "no memory");
	BN_CTX_start(ctx);
	BIGNUM *n = BN_CTX_get(ctx), *s = BN_CTX_get(ctx);
	BIGNUM *q = BN_CTX_get(ctx), *rest = BN_CTX_get(ctx);
	/* A quotient that does not fit is that of no signature. */
	bool ok = rest && BN_bin2bn(modulus, N, n) && BN_bin2bn(sig, N, s) &&
		divide(s, s, n, q, rest, ctx) && BN_bn2binpad(q, q1, N) == N &&
		divide(rest, s, n, q, NULL, ctx) && BN_bn2binpad(q, q2, N) == N;
	BN_CTX_end(ctx);
	BN_CTX_free(ctx);
	ERR_clear_error();
	return ok || err_fail(e, ERR_INPUT, "signature out of range");
}
