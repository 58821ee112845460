/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hash.h"

#include <limits.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/must.h"
#include "crypto/openssl.h"

struct crypto_hash {
	EVP_MD_CTX *ctx;
	enum crypto_alg alg;
};

void crypto_init(void)
{
	/* Later default initialisations find the configuration settled. */
	must(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL));
}

bool crypto_fail(struct err *e, enum err_kind kind, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	/* Reasons cost a thousand insertions: only who fails pays. */
	OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
	const char *reason = code ? ERR_reason_error_string(code) : NULL;
	if (reason)
		err_put(e, kind, "%s: %s", what, reason);
	else
		err_put(e, kind, "%s", what);
	ERR_clear_error();
	return false;
}

static const struct alg {
	const EVP_MD *(*md)(void);
	size_t len;
} algs[] = {
	[CRYPTO_SHA256] = { EVP_sha256, CRYPTO_SHA256_BYTES },
	[CRYPTO_SHA384] = { EVP_sha384, CRYPTO_SHA384_BYTES },
	[CRYPTO_SHA512] = { EVP_sha512, CRYPTO_SHA512_BYTES },
	[CRYPTO_SHA3_512] = { EVP_sha3_512, CRYPTO_SHA512_BYTES },
};

static const EVP_MD *md_of(enum crypto_alg alg)
{
	must((size_t)alg < ARRAY_LEN(algs));
	return algs[alg].md();
}

size_t crypto_digest_len(enum crypto_alg alg)
{
	must((size_t)alg < ARRAY_LEN(algs));
	return algs[alg].len;
}

bool crypto_digest(enum crypto_alg alg, struct bytes in, uint8_t *out,
	struct err *e)
{
	crypto_init();
	unsigned n = 0;
	if (!EVP_Digest(in.ptr, in.len, out, &n, md_of(alg), NULL))
		return crypto_fail(e, ERR_LIMIT, "digest");
	must(n == crypto_digest_len(alg));
	return true;
}

bool crypto_hash_new(enum crypto_alg alg, struct crypto_hash **out,
	struct err *e)
{
	crypto_init();
	struct crypto_hash *h = OPENSSL_zalloc(sizeof *h);
	if (!h)
		return err_fail(e, ERR_LIMIT, "digest: no memory");
	h->alg = alg;
	h->ctx = EVP_MD_CTX_new();
	if (!h->ctx || !EVP_DigestInit_ex(h->ctx, md_of(alg), NULL)) {
		crypto_hash_free(h);
		return crypto_fail(e, ERR_LIMIT, "digest");
	}
	*out = h;
	return true;
}

bool crypto_hash_add(struct crypto_hash *h, struct bytes in, struct err *e)
{
	if (!EVP_DigestUpdate(h->ctx, in.ptr, in.len))
		return crypto_fail(e, ERR_LIMIT, "digest");
	return true;
}

bool crypto_hash_end(struct crypto_hash *h, uint8_t *out, struct err *e)
{
	unsigned n = 0;
	if (!EVP_DigestFinal_ex(h->ctx, out, &n))
		return crypto_fail(e, ERR_LIMIT, "digest");
	must(n == crypto_digest_len(h->alg));
	return true;
}

void crypto_hash_free(struct crypto_hash *h)
{
	if (!h)
		return;
	EVP_MD_CTX_free(h->ctx);
	OPENSSL_free(h);
}

bool crypto_random(uint8_t *out, size_t len, struct err *e)
{
	crypto_init();
	while (len) {
		int n = len > INT_MAX ? INT_MAX : (int)len;
		if (RAND_bytes(out, n) != 1)
			return crypto_fail(e, ERR_HOST, "randomness");
		out += n;
		len -= (size_t)n;
	}
	return true;
}

bool crypto_equal(struct bytes a, struct bytes b)
{
	if (a.len != b.len)
		return false;
	return a.len == 0 || CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0;
}

void crypto_zero(void *p, size_t len)
{
	if (len)
		OPENSSL_cleanse(p, len);
}
