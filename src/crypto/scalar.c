/* SPDX-License-Identifier: Apache-2.0 */
/* Private numbers of P-256 keys, for formats that hold nothing else. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>

#include "crypto/openssl.h"

/* The point that belongs to it, uncompressed; 0: it is no such number. */
static size_t point_of(const BIGNUM *n, uint8_t out[65])
{
	EC_GROUP *g = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	EC_POINT *p = g ? EC_POINT_new(g) : NULL;
	size_t len = 0;
	if (p && !BN_is_zero(n) && BN_cmp(n, EC_GROUP_get0_order(g)) < 0 &&
		EC_POINT_mul(g, p, n, NULL, NULL, NULL))
		len = EC_POINT_point2oct(g, p, POINT_CONVERSION_UNCOMPRESSED,
			out, 65, NULL);
	EC_POINT_free(p);
	EC_GROUP_free(g);
	return len;
}

static EVP_PKEY *pair_of(const BIGNUM *n)
{
	uint8_t point[65];
	EVP_PKEY *k = NULL;
	OSSL_PARAM *params = NULL;
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (b && ctx && point_of(n, point) == sizeof point &&
		OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME,
			SN_X9_62_prime256v1, 0) &&
		OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY,
			point, sizeof point) &&
		OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, n))
		params = OSSL_PARAM_BLD_to_param(b);
	if (params && EVP_PKEY_fromdata_init(ctx) > 0 &&
		EVP_PKEY_fromdata(ctx, &k, EVP_PKEY_KEYPAIR, params) <= 0)
		k = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	EVP_PKEY_CTX_free(ctx);
	return k;
}

bool crypto_key_from_scalar(const uint8_t in[CRYPTO_SCALAR_BYTES],
	struct crypto_key **out, struct err *e)
{
	crypto_init();
	BIGNUM *n = BN_secure_new();
	EVP_PKEY *k =
		n && BN_bin2bn(in, CRYPTO_SCALAR_BYTES, n) ? pair_of(n) : NULL;
	BN_clear_free(n);
	if (!k)
		return crypto_fail(e, ERR_INPUT, "private number of no key");
	bool ok = crypto_key_adopt(k, out, e);
	EVP_PKEY_free(k);
	return ok;
}

bool crypto_key_scalar(const struct crypto_key *k,
	uint8_t out[CRYPTO_SCALAR_BYTES], struct err *e)
{
	BIGNUM *n = NULL;
	bool ok = EVP_PKEY_get_bits(crypto_key_evp(k)) == 256 &&
		EVP_PKEY_get_bn_param(crypto_key_evp(k),
			OSSL_PKEY_PARAM_PRIV_KEY, &n) &&
		BN_bn2binpad(n, out, CRYPTO_SCALAR_BYTES) ==
			CRYPTO_SCALAR_BYTES;
	BN_clear_free(n);
	return ok || crypto_fail(e, ERR_INPUT, "not a private P-256 key");
}
