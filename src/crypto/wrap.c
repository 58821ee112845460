/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/wrap.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "crypto/openssl.h"

enum { LEAST_BITS = 2048, MOST_BITS = 4096, PEM_MAX = 16 << 10 };

struct crypto_wrap {
	EVP_PKEY *pkey;
};

/* An encrypted key must not make OpenSSL ask on the terminal. */
static int no_password(char *to, int size, int writing, void *user)
{
	(void)to, (void)size, (void)writing, (void)user;
	return -1;
}

/* Takes the EVP_PKEY over, on failure too. */
static bool adopt(EVP_PKEY *pkey, struct crypto_wrap **out, struct err *e)
{
	struct crypto_wrap *k = NULL;
	int bits = pkey && EVP_PKEY_is_a(pkey, "RSA") ?
		EVP_PKEY_get_bits(pkey) :
		0;
	if (bits >= LEAST_BITS && bits <= MOST_BITS)
		k = OPENSSL_zalloc(sizeof *k);
	if (!k) {
		EVP_PKEY_free(pkey);
		return crypto_fail(e, ERR_INPUT,
			"not an RSA key of 2048 to 4096 bits");
	}
	k->pkey = pkey;
	*out = k;
	return true;
}

bool crypto_wrap_generate(struct crypto_wrap **out, struct err *e)
{
	crypto_init();
	return adopt(EVP_RSA_gen(LEAST_BITS), out, e);
}

bool crypto_wrap_read(struct bytes pem, struct crypto_wrap **out, struct err *e)
{
	EVP_PKEY *k = NULL;
	crypto_init();
	if (pem.len > PEM_MAX)
		return err_fail(e, ERR_INPUT, "key of %zu bytes", pem.len);
	BIO *in = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	if (in)
		k = PEM_read_bio_PrivateKey(in, NULL, no_password, NULL);
	BIO_free(in);
	in = k ? NULL : BIO_new_mem_buf(pem.ptr, (int)pem.len);
	if (in)
		k = PEM_read_bio_PUBKEY(in, NULL, no_password, NULL);
	BIO_free(in);
	ERR_clear_error();
	return adopt(k, out, e);
}

bool crypto_wrap_write(const struct crypto_wrap *k, bool private,
	struct buf *pem, struct err *e)
{
	char *text = NULL;
	BIO *out = BIO_new(BIO_s_mem());
	bool ok = out &&
		(private ? PEM_write_bio_PKCS8PrivateKey(out, k->pkey, NULL,
				   NULL, 0, NULL, NULL) :
			   PEM_write_bio_PUBKEY(out, k->pkey)) == 1;
	long n = ok ? BIO_get_mem_data(out, &text) : 0;
	ok = n > 0 && buf_put(pem, bytes_of(text, (size_t)n));
	BIO_free(out);
	return ok || crypto_fail(e, ERR_LIMIT, "key: write");
}

void crypto_wrap_free(struct crypto_wrap *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->pkey);
	OPENSSL_free(k);
}

static bool pad(EVP_PKEY_CTX *c)
{
	return EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_OAEP_PADDING) == 1 &&
		EVP_PKEY_CTX_set_rsa_oaep_md(c, EVP_sha256()) == 1 &&
		EVP_PKEY_CTX_set_rsa_mgf1_md(c, EVP_sha256()) == 1;
}

bool crypto_wrap_seal(const struct crypto_wrap *k, struct bytes in,
	struct buf *out, struct err *e)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	size_t n = (size_t)EVP_PKEY_get_size(k->pkey);
	uint8_t *to = buf_reserve(out, n);
	bool ok = c && to && EVP_PKEY_encrypt_init(c) == 1 && pad(c) &&
		EVP_PKEY_encrypt(c, to, &n, in.ptr, in.len) == 1;
	EVP_PKEY_CTX_free(c);
	if (!ok)
		return crypto_fail(e, ERR_LIMIT, "wrap");
	buf_commit(out, n);
	return true;
}

bool crypto_wrap_open(const struct crypto_wrap *k, struct bytes in,
	struct buf *out, struct err *e)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	size_t n = (size_t)EVP_PKEY_get_size(k->pkey);
	uint8_t *to = buf_reserve(out, n);
	bool ok = c && to && EVP_PKEY_decrypt_init(c) == 1 && pad(c) &&
		EVP_PKEY_decrypt(c, to, &n, in.ptr, in.len) == 1;
	EVP_PKEY_CTX_free(c);
	ERR_clear_error();
	if (!ok)
		return err_fail(e, ERR_DENIED,
			"what is wrapped is for another machine");
	buf_commit(out, n);
	return true;
}
