/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/terms.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/reader.h"
#include "channel/terms_priv.h"
#include "crypto/hash.h"
#include "crypto/openssl.h"

enum { HASH = 32, CERT_LIST_MAX = 256 << 10 };

/* --- the peer ------------------------------------------------------------ */

bool terms_know_peers(const struct channel_terms *t)
{
	return t->trusting || t->pin_count || t->judge;
}

static bool check_trust(const struct channel_terms *t, X509_STORE_CTX *store,
	struct err *e)
{
	uint64_t now = t->now(t->now_ctx);
	X509_STORE_CTX_set_time(store, 0, (time_t)(now / 1000000000));
	if (X509_verify_cert(store) == 1)
		return true;
	int why = X509_STORE_CTX_get_error(store);
	return err_fail(e, ERR_DENIED, "its certificate: %s",
		X509_verify_cert_error_string(why));
}

static bool check_pins(const struct channel_terms *t, X509 *leaf, struct err *e)
{
	uint8_t hash[HASH], *spki = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &spki);
	bool ok = len > 0 &&
		crypto_digest(CRYPTO_SHA256, bytes_of(spki, (size_t)len), hash,
			NULL);
	OPENSSL_free(spki);
	for (size_t i = 0; ok && i < t->pin_count; i++)
		if (crypto_equal(BYTES_ARRAY(hash),
			    bytes_of(t->pins + i * HASH, HASH)))
			return true;
	return err_fail(e, ERR_DENIED,
		"its key is none of the pinned ones (%02x%02x%02x%02x...)",
		ok ? hash[0] : 0, ok ? hash[1] : 0, ok ? hash[2] : 0,
		ok ? hash[3] : 0);
}

static bool check_judge(const struct channel_terms *t, X509 *leaf,
	struct err *e)
{
	uint8_t *der = NULL;
	int len = i2d_X509(leaf, &der);
	if (len <= 0)
		return err_fail(e, ERR_LIMIT, "its certificate: no memory");
	bool ok = t->judge(t->judge_ctx, bytes_of(der, (size_t)len), e);
	OPENSSL_free(der);
	return ok;
}

bool terms_check(const struct channel_terms *t, X509_STORE_CTX *store,
	struct err *e)
{
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	if (!terms_know_peers(t))
		return err_fail(e, ERR_DENIED, "nothing to know it by");
	return (!t->trusting || check_trust(t, store, e)) &&
		(!t->pin_count || check_pins(t, leaf, e)) &&
		(!t->judge || check_judge(t, leaf, e));
}

static int on_certificate(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store,
		SSL_get_ex_data_X509_STORE_CTX_idx());
	bool ok = terms_check(arg, store, stream_why_of(ssl));
	ERR_clear_error();
	X509_STORE_CTX_set_error(store,
		ok ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
	return ok;
}

/* RFC 7301 §3.2: the server chooses; without anything in common it hangs up. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *len,
	const unsigned char *in, unsigned in_len, void *arg)
{
	const struct channel_terms *t = arg;
	struct reader ours = { .in = bytes_of(t->alpn, t->alpn_len) };
	(void)ssl;
	while (reader_left(&ours)) {
		struct bytes want = reader_take(&ours, reader_u8(&ours));
		struct reader theirs = { .in = bytes_of(in, in_len) };
		while (reader_left(&theirs)) {
			struct bytes has =
				reader_take(&theirs, reader_u8(&theirs));
			if (has.len && bytes_equal(has, want)) {
				*out = has.ptr;
				*len = (unsigned char)has.len;
				return SSL_TLSEXT_ERR_OK;
			}
		}
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* --- ourselves ----------------------------------------------------------- */

static X509 *next_cert(struct reader *r)
{
	struct bytes der = reader_take(r, reader_u32le(r));
	const uint8_t *p = der.ptr;
	X509 *x = der.len ? d2i_X509(NULL, &p, (long)der.len) : NULL;
	if (x && p != der.ptr + der.len) {
		X509_free(x);
		return NULL;
	}
	return x;
}

static bool use_chain(SSL_CTX *ctx, struct bytes chain, struct bytes pkcs8,
	struct err *e)
{
	struct reader r = { .in = chain };
	const uint8_t *p = pkcs8.ptr;
	X509 *leaf = next_cert(&r);
	EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)pkcs8.len);
	bool ok = leaf && key && p == pkcs8.ptr + pkcs8.len &&
		SSL_CTX_use_certificate(ctx, leaf) == 1 &&
		SSL_CTX_use_PrivateKey(ctx, key) == 1;
	while (ok && reader_left(&r)) {
		X509 *x = next_cert(&r);
		ok = x && SSL_CTX_add1_chain_cert(ctx, x) == 1;
		X509_free(x);
	}
	X509_free(leaf);
	EVP_PKEY_free(key);
	ok = ok && !r.failed && SSL_CTX_check_private_key(ctx) == 1;
	if (!ok)
		return crypto_fail(e, ERR_INPUT,
			"TLS: own chain of certificates and key");
	return true;
}

static bool use_own(SSL_CTX *ctx, const struct channel_terms_config *cfg,
	struct err *e)
{
	if (cfg->chain.len)
		return use_chain(ctx, cfg->chain, cfg->pkcs8, e);
	if (SSL_CTX_use_certificate_ASN1(ctx, (int)cfg->cert.len,
		    cfg->cert.ptr) != 1 ||
		SSL_CTX_use_PrivateKey(ctx, crypto_key_evp(cfg->key)) != 1 ||
		SSL_CTX_check_private_key(ctx) != 1)
		return crypto_fail(e, ERR_INPUT,
			"TLS: own certificate and key");
	return true;
}

/* --- settings ------------------------------------------------------------ */

/* One that can't be read is left out, as browsers do with what they do not
 * know; none at all is an error. */
static bool use_trust(SSL_CTX *ctx, struct bytes trust, struct err *e)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	struct reader r = { .in = trust };
	size_t n = 0;
	while (reader_left(&r)) {
		X509 *x = next_cert(&r);
		if (x && X509_STORE_add_cert(store, x) == 1)
			n++;
		X509_free(x);
	}
	ERR_clear_error();
	if (r.failed || !n)
		return err_fail(e, ERR_INPUT,
			"TLS: no certificates of authorities");
	return true;
}

static bool settings(SSL_CTX *ctx)
{
	char suites[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
			"TLS_CHACHA20_POLY1305_SHA256";
	char groups[] = "X25519:P-256:P-384";
	SSL_CTX_set_options(ctx,
		SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
			SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(ctx,
		SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
			SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_cert_list(ctx, CERT_LIST_MAX);
	SSL_CTX_set_security_level(ctx, 2);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) &&
		SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) &&
		SSL_CTX_set_num_tickets(ctx, 0) &&
		SSL_CTX_set_ciphersuites(ctx, suites) &&
		SSL_CTX_set1_groups_list(ctx, groups);
}

static void use_peers(struct channel_terms *t,
	const struct channel_terms_config *cfg)
{
	int mode = SSL_VERIFY_NONE;
	if (cfg->request)
		mode = SSL_VERIFY_PEER;
	if (cfg->require)
		mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	/* A client always looks at the server's: stream.c. */
	SSL_CTX_set_verify(t->ctx, mode, NULL);
	SSL_CTX_set_cert_verify_callback(t->ctx, on_certificate, t);
	if (t->alpn_len)
		SSL_CTX_set_alpn_select_cb(t->ctx, on_alpn, t);
}

static bool copy(struct bytes from, uint8_t **to)
{
	*to = from.len ? malloc(from.len) : NULL;
	if (*to)
		memcpy(*to, from.ptr, from.len);
	return *to || !from.len;
}

static bool fill(struct channel_terms *t,
	const struct channel_terms_config *cfg, struct err *e)
{
	if (!copy(cfg->pins, &t->pins) || !copy(cfg->alpn, &t->alpn))
		return err_fail(e, ERR_LIMIT, "TLS: no memory");
	t->pin_count = cfg->pins.len / HASH;
	t->alpn_len = cfg->alpn.len;
	t->bio = BIO_meth_new(BIO_TYPE_SOURCE_SINK | 0x7e, "stream");
	t->ctx = SSL_CTX_new(TLS_method());
	if (!t->bio || !t->ctx || !stream_bio(t->bio) || !settings(t->ctx))
		return crypto_fail(e, ERR_LIMIT, "TLS: set up");
	if (!use_own(t->ctx, cfg, e) ||
		(cfg->trusting && !use_trust(t->ctx, cfg->trust, e)))
		return false;
	if (cfg->request && !terms_know_peers(t))
		return err_fail(e, ERR_INPUT,
			"TLS: clients are asked for certificates, but nothing "
			"says which are good");
	use_peers(t, cfg);
	return true;
}

bool channel_terms_new(const struct channel_terms_config *cfg,
	struct channel_terms **out, struct err *e)
{
	crypto_init();
	struct channel_terms *t = calloc(1, sizeof *t);
	if (!t)
		return err_fail(e, ERR_LIMIT, "TLS: no memory");
	*t = (struct channel_terms){ .refs = 1,
		.trusting = cfg->trusting,
		.judge = cfg->judge,
		.judge_ctx = cfg->judge_ctx,
		.now = cfg->now,
		.now_ctx = cfg->now_ctx };
	if (!fill(t, cfg, e)) {
		channel_terms_free(t);
		return false;
	}
	*out = t;
	return true;
}

void channel_terms_free(struct channel_terms *t)
{
	if (!t || --t->refs)
		return;
	SSL_CTX_free(t->ctx);
	BIO_meth_free(t->bio);
	free(t->pins);
	free(t->alpn);
	free(t);
}
