/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/must.h"
#include "crypto/hash.h"
#include "crypto/openssl.h"

enum { SPKI_MAX = 120, DER_SIG_MAX = 112 };

struct crypto_key {
	EVP_PKEY *pkey;
	const struct curve *curve;
	bool private;
	uint8_t spki[SPKI_MAX];
};

/*
 * SubjectPublicKeyInfo of a named curve with an uncompressed point (RFC 5480
 * §2) has one encoding only: a constant prefix, then the point.  Comparing
 * the prefix is the whole parser, and a key has exactly one fingerprint.
 */
static const struct curve {
	enum crypto_curve id;
	const char *name, *md;
	size_t prefix_len, point_len, scalar_len;
	uint8_t prefix[26];
} curves[] = {
	{ CRYPTO_P256, SN_X9_62_prime256v1, "SHA256", 26, 65, 32,
		{ 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
			0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
			0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00 } },
	{ CRYPTO_P384, SN_secp384r1, "SHA384", 23, 97, 48,
		{ 0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
			0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00,
			0x22, 0x03, 0x62, 0x00 } },
};

static struct bytes spki_of(const struct crypto_key *k)
{
	return bytes_of(k->spki, k->curve->prefix_len + k->curve->point_len);
}

/* Takes the EVP_PKEY over, on failure too. */
static bool adopt(EVP_PKEY *pkey, const struct curve *c, bool private,
	struct crypto_key **out, struct err *e)
{
	struct crypto_key *k = OPENSSL_zalloc(sizeof *k);
	if (!k) {
		EVP_PKEY_free(pkey);
		return err_fail(e, ERR_LIMIT, "key: no memory");
	}
	*k = (struct crypto_key){ pkey, c, private, { 0 } };
	size_t n = 0;
	memcpy(k->spki, c->prefix, c->prefix_len);
	if (!EVP_PKEY_get_octet_string_param(pkey,
		    OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, k->spki + c->prefix_len,
		    c->point_len, &n) ||
		n != c->point_len) {
		crypto_key_free(k);
		return crypto_fail(e, ERR_INPUT, "key: public point");
	}
	*out = k;
	return true;
}

void crypto_key_free(struct crypto_key *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->pkey);
	OPENSSL_free(k);
}

bool crypto_key_generate(enum crypto_curve c, struct crypto_key **out,
	struct err *e)
{
	crypto_init();
	must((size_t)c < ARRAY_LEN(curves) && curves[c].id == c);
	EVP_PKEY *pkey = EVP_EC_gen(curves[c].name);
	if (!pkey)
		return crypto_fail(e, ERR_HOST, "key: generate");
	return adopt(pkey, &curves[c], true, out, e);
}

EVP_PKEY *crypto_key_evp(const struct crypto_key *k)
{
	return k->pkey;
}

bool crypto_key_spki(const struct crypto_key *k, struct buf *out, struct err *e)
{
	if (!buf_put(out, spki_of(k)))
		return err_fail(e, ERR_LIMIT, "key: no memory");
	return true;
}

bool crypto_key_fingerprint(const struct crypto_key *k, uint8_t out[32],
	struct err *e)
{
	return crypto_digest(CRYPTO_SHA256, spki_of(k), out, e);
}

/* The key of these numbers; priv may be NULL.  NULL on failure. */
static EVP_PKEY *from_numbers(const struct curve *c, struct bytes point,
	const BIGNUM *priv)
{
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM *params = NULL;
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	int selection = priv ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;

	if (b && ctx &&
		OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME,
			c->name, 0) &&
		OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY,
			point.ptr, point.len) &&
		(!priv ||
			OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY,
				priv)))
		params = OSSL_PARAM_BLD_to_param(b);
	if (params && EVP_PKEY_fromdata_init(ctx) > 0 &&
		EVP_PKEY_fromdata(ctx, &pkey, selection, params) <= 0)
		pkey = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	EVP_PKEY_CTX_free(ctx);
	return pkey;
}

bool crypto_key_from_spki(struct bytes der, struct crypto_key **out,
	struct err *e)
{
	crypto_init();
	const struct curve *c = NULL;
	for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
		size_t n = curves[i].prefix_len;
		if (der.len == n + curves[i].point_len &&
			!memcmp(der.ptr, curves[i].prefix, n))
			c = &curves[i];
	}
	if (!c || der.ptr[c->prefix_len] != POINT_CONVERSION_UNCOMPRESSED)
		return err_fail(e, ERR_INPUT,
			"public key: not an uncompressed P-256 or P-384 key");
	EVP_PKEY *pkey = from_numbers(c, bytes_from(der, c->prefix_len), NULL);
	if (!pkey)
		return crypto_fail(e, ERR_INPUT, "public key");
	return adopt(pkey, c, false, out, e);
}

bool crypto_key_adopt(EVP_PKEY *read, struct crypto_key **out, struct err *e)
{
	const struct curve *c = NULL;
	char name[32] = "";
	uint8_t point[97];
	size_t n = 0;
	BIGNUM *priv = NULL;

	if (EVP_PKEY_is_a(read, "EC") &&
		!EVP_PKEY_get_group_name(read, name, sizeof name, NULL))
		name[0] = 0;
	for (size_t i = 0; i < ARRAY_LEN(curves); i++)
		if (!strcmp(name, curves[i].name))
			c = &curves[i];
	if (!c) {
		ERR_clear_error();
		return err_fail(e, ERR_INPUT,
			"private key: not P-256 or P-384");
	}
	EVP_PKEY *pkey = NULL;
	if (EVP_PKEY_get_octet_string_param(read,
		    OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, sizeof point,
		    &n) &&
		n == c->point_len &&
		EVP_PKEY_get_bn_param(read, OSSL_PKEY_PARAM_PRIV_KEY, &priv))
		pkey = from_numbers(c, bytes_of(point, n), priv);
	BN_clear_free(priv);
	EVP_PKEY_CTX *check =
		pkey ? EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL) : NULL;
	bool matched = check && EVP_PKEY_pairwise_check(check) > 0;
	EVP_PKEY_CTX_free(check);
	if (!matched) {
		EVP_PKEY_free(pkey);
		return crypto_fail(e, ERR_INPUT, "private key");
	}
	return adopt(pkey, c, true, out, e);
}

/* ECDSA-Sig-Value (DER) to r || s. */
static bool sig_from_der(struct bytes der, size_t scalar_len, struct buf *sig)
{
	const uint8_t *p = der.ptr;
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &p, (long)der.len);
	uint8_t *to = s ? buf_reserve(sig, 2 * scalar_len) : NULL;
	int n = (int)scalar_len;
	bool ok = to && BN_bn2binpad(ECDSA_SIG_get0_r(s), to, n) == n &&
		BN_bn2binpad(ECDSA_SIG_get0_s(s), to + n, n) == n;
	if (ok)
		buf_commit(sig, 2 * scalar_len);
	ECDSA_SIG_free(s);
	return ok;
}

/* r || s to DER in out; the length, 0 on failure. */
static size_t sig_to_der(struct bytes sig, uint8_t out[DER_SIG_MAX])
{
	int n = (int)sig.len / 2;
	ECDSA_SIG *s = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(sig.ptr, n, NULL);
	BIGNUM *t = BN_bin2bn(sig.ptr + n, n, NULL);
	int len = 0;
	if (s && r && t && ECDSA_SIG_set0(s, r, t)) {
		r = t = NULL;
		uint8_t *p = out;
		len = i2d_ECDSA_SIG(s, &p);
		must(len <= DER_SIG_MAX);
	}
	BN_free(r);
	BN_free(t);
	ECDSA_SIG_free(s);
	return len > 0 ? (size_t)len : 0;
}

bool crypto_sign(const struct crypto_key *k, struct bytes message,
	struct buf *sig, struct err *e)
{
	must(k->private);
	uint8_t der[DER_SIG_MAX];
	size_t n = sizeof der;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx &&
		EVP_DigestSignInit_ex(ctx, NULL, k->curve->md, NULL, NULL,
			k->pkey, NULL) > 0 &&
		EVP_DigestSign(ctx, der, &n, message.ptr, message.len) > 0 &&
		sig_from_der(bytes_of(der, n), k->curve->scalar_len, sig);
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return crypto_fail(e, ERR_HOST, "sign");
	return true;
}

bool crypto_verify(const struct crypto_key *k, struct bytes message,
	struct bytes sig, struct err *e)
{
	if (sig.len != 2 * k->curve->scalar_len)
		return err_fail(e, ERR_DENIED,
			"signature: %zu bytes instead of %zu", sig.len,
			2 * k->curve->scalar_len);
	uint8_t der[DER_SIG_MAX];
	size_t n = sig_to_der(sig, der);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = n && ctx &&
		EVP_DigestVerifyInit_ex(ctx, NULL, k->curve->md, NULL, NULL,
			k->pkey, NULL) > 0 &&
		EVP_DigestVerify(ctx, der, n, message.ptr, message.len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	if (!ok)
		return err_fail(e, ERR_DENIED,
			"signature: not made by that key");
	return true;
}
