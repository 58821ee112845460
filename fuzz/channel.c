/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A channel with a hostile peer.  The first byte chooses: raw bytes to the
 * Keep's end (0) or to the client's (1); a handshake whose bytes from the
 * client (2) or from the Keep (3) are changed: pairs of u16 offset, u8 xor;
 * or a true handshake and then the rest as plaintext inside TLS, to the
 * Keep's end (4) or the client's (5).
 */
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "channel/channel.h"
#include "crypto/openssl.h"
#include "crypto/x509.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct end {
	struct crypto_key *key;
	struct channel_identity *id;
	uint8_t hash[32];
	struct buf cert;
};

static struct end ends[2];

static void must_ok(bool ok)
{
	if (!ok)
		abort();
}

static void make_ends(void)
{
	for (int i = 0; i < 2 && !ends[1].id; i++) {
		struct end *x = &ends[i];
		must_ok(crypto_key_generate(CRYPTO_P256, &x->key, NULL));
		must_ok(crypto_key_fingerprint(x->key, x->hash, NULL));
		must_ok(crypto_cert_make(x->key, "x", 0, 1, NULL, 0, &x->cert,
			NULL));
		must_ok(channel_identity_new(x->key, buf_bytes(&x->cert),
			&x->id, NULL));
	}
}

static struct channel *make(bool keep)
{
	struct channel *c = NULL;
	if (keep)
		must_ok(channel_accept(ends[1].id, ends[0].hash, &c, NULL));
	else
		must_ok(channel_connect(ends[0].id, ends[1].hash, &c, NULL));
	return c;
}

static void take_all(struct channel *c)
{
	struct frame f;
	bool got = true;
	while (got)
		if (!channel_next(c, &f, &got, NULL))
			return;
}

static bool feed(struct channel *c, struct bytes in)
{
	bool ok = true;
	while (ok && in.len) {
		size_t n = size_min(in.len, channel_input_room(c));
		must_ok(n > 0);
		ok = channel_input(c, bytes_of(in.ptr, n), NULL);
		in = bytes_from(in, n);
		take_all(c);
	}
	return ok;
}

static void raw(bool keep, struct bytes in)
{
	struct channel *c = make(keep);
	if (feed(c, in))
		(void)!channel_input_end(c, NULL);
	take_all(c);
	must_ok(channel_state(c) != CHANNEL_OPEN);
	channel_free(c);
}

/* Changes what `from` has to say, as far as the pairs reach into it. */
static bool carry_changed(struct channel *from, struct channel *to,
	struct reader *changes, size_t *at)
{
	struct bytes out = channel_output(from);
	uint8_t *copy = malloc(out.len ? out.len : 1);
	must_ok(copy != NULL);
	if (out.len)
		memcpy(copy, out.ptr, out.len);
	struct reader r = *changes;
	while (reader_left(&r) >= 3) {
		size_t where = reader_u16le(&r);
		uint8_t x = reader_u8(&r);
		if (where >= *at && where - *at < out.len)
			copy[where - *at] ^= x;
	}
	bool ok = feed(to, bytes_of(copy, out.len));
	free(copy);
	*at += out.len;
	channel_output_done(from, out.len);
	return ok;
}

static void changed(bool from_keep, struct bytes in)
{
	struct channel *c = make(false), *k = make(true);
	struct reader changes = { .in = in }, none = { 0 };
	size_t at = 0, at_other = 0;
	for (int i = 0; i < 4; i++) {
		carry_changed(c, k, from_keep ? &none : &changes,
			from_keep ? &at_other : &at);
		carry_changed(k, c, from_keep ? &changes : &none,
			from_keep ? &at : &at_other);
	}
	channel_free(c);
	channel_free(k);
}

static void shake_hands(struct channel *c, SSL *ssl, BIO *in, BIO *out)
{
	for (int i = 0; i < 3; i++) {
		uint8_t buf[4096];
		int n;
		SSL_do_handshake(ssl);
		while ((n = BIO_read(out, buf, sizeof buf)) > 0)
			must_ok(feed(c, bytes_of(buf, (size_t)n)));
		struct bytes b = channel_output(c);
		BIO_write(in, b.ptr, (int)b.len);
		channel_output_done(c, b.len);
	}
	must_ok(channel_state(c) == CHANNEL_OPEN);
}

static int any_certificate(X509_STORE_CTX *store, void *arg)
{
	(void)store, (void)arg;
	return 1;
}

static void inside(bool to_keep, struct bytes in)
{
	struct end *x = &ends[to_keep ? 0 : 1];
	struct channel *c = make(to_keep);
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	must_ok(SSL_CTX_use_certificate_ASN1(ctx, (int)x->cert.len,
		x->cert.ptr));
	must_ok(SSL_CTX_use_PrivateKey(ctx, crypto_key_evp(x->key)));
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, any_certificate, NULL);
	SSL *ssl = SSL_new(ctx);
	BIO *from = BIO_new(BIO_s_mem()), *to = BIO_new(BIO_s_mem());
	SSL_set_bio(ssl, from, to);
	if (to_keep)
		SSL_set_connect_state(ssl);
	else
		SSL_set_accept_state(ssl);
	shake_hands(c, ssl, from, to);
	char *text;
	if (in.len && SSL_write(ssl, in.ptr, (int)in.len) > 0) {
		long n = BIO_get_mem_data(to, &text);
		feed(c, bytes_of(text, (size_t)n));
	}
	(void)!channel_input_end(c, NULL);
	take_all(c);
	must_ok(channel_state(c) != CHANNEL_OPEN);
	channel_free(c);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	ERR_clear_error();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	make_ends();
	if (!size)
		return 0;
	struct bytes in = bytes_of(data + 1, size - 1);
	switch (data[0] % 6) {
	case 0:
	case 1:
		raw(data[0] % 6 == 0, in);
		break;
	case 2:
	case 3:
		changed(data[0] % 6 == 3, in);
		break;
	default:
		inside(data[0] % 6 == 4, in);
		break;
	}
	return 0;
}
