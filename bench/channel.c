/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The channel alone, both ends in one process and one thread: what frames,
 * TLS and copying cost without any transport.  Prints `name value unit`
 * lines.  `plain` is OpenSSL over memory BIOs, the same cipher and sizes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/ssl.h>

#include "channel/channel.h"
#include "crypto/hash.h"
#include "crypto/openssl.h"
#include "crypto/x509.h"

enum { MEBI = 1 << 20, TOTAL = 512 * MEBI, HANDSHAKES = 200 };

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void ok(bool fine, const struct err *e)
{
	if (fine)
		return;
	fprintf(stderr, "bench channel: %s\n", e->text);
	exit(1);
}

struct end {
	struct crypto_key *key;
	struct buf cert;
	struct channel_identity *id;
	uint8_t hash[32];
};

static void make_end(struct end *x)
{
	struct err e = { 0 };
	ok(crypto_key_generate(CRYPTO_P256, &x->key, &e), &e);
	ok(crypto_key_fingerprint(x->key, x->hash, &e), &e);
	ok(crypto_cert_make(x->key, "bench", 0, 4102444800, NULL, 0, &x->cert,
		   &e),
		&e);
	ok(channel_identity_new(x->key, buf_bytes(&x->cert), &x->id, &e), &e);
}

static void free_end(struct end *x)
{
	channel_identity_free(x->id);
	crypto_key_free(x->key);
	buf_fini(&x->cert);
}

static size_t carry(struct channel *from, struct channel *to)
{
	struct err e = { 0 };
	struct bytes out = channel_output(from);
	size_t n = size_min(out.len, channel_input_room(to));
	if (n)
		ok(channel_input(to, bytes_of(out.ptr, n), &e), &e);
	channel_output_done(from, n);
	return n;
}

static void connect_pair(struct end *a, struct end *b, struct channel **c,
	struct channel **k)
{
	struct err e = { 0 };
	ok(channel_connect(a->id, b->hash, c, &e), &e);
	ok(channel_accept(b->id, a->hash, k, &e), &e);
	while (carry(*c, *k) + carry(*k, *c))
		;
	ok(channel_state(*k) == CHANNEL_OPEN, &e);
}

static size_t drain(struct channel *c)
{
	struct err e = { 0 };
	struct frame f;
	size_t sum = 0;
	bool got = true;
	while (true) {
		ok(channel_next(c, &f, &got, &e), &e);
		if (!got)
			return sum;
		sum += f.payload.len;
	}
}

static void say(struct channel *from, struct channel *to, enum frame_type t,
	struct bytes payload)
{
	struct err e = { 0 };
	ok(channel_send(from, t, payload, &e), &e);
	while (carry(from, to))
		drain(to);
}

static void start(struct channel *c, struct channel *k)
{
	struct buf b = { 0 };
	frame_hello_encode(FRAME_ROLE_ATTACH, &b);
	say(c, k, FRAME_HELLO, buf_bytes(&b));
	buf_clear(&b);
	frame_hello_encode(FRAME_ROLE_KEEP, &b);
	say(k, c, FRAME_HELLO, buf_bytes(&b));
	buf_clear(&b);
	frame_status_encode(&(struct frame_status){ 0 }, &b);
	say(k, c, FRAME_STATUS, buf_bytes(&b));
	buf_fini(&b);
}

/* Seconds to move TOTAL bytes from the Keep to the client. */
static double transfer(struct end *a, struct end *b, size_t chunk)
{
	struct channel *c, *k;
	struct err e = { 0 };
	uint8_t *data = calloc(1, chunk);
	ok(data != NULL, &e);
	connect_pair(a, b, &c, &k);
	start(c, k);
	/* Small frames are measured on less: they are slow. */
	size_t total = chunk < 4096 ? TOTAL / 16 : TOTAL, sent = 0, got = 0;
	double t = now();
	while (got < total) {
		for (; sent < total && channel_output_room(k) > MEBI / 4;
			sent += chunk)
			ok(channel_send(k, FRAME_STDOUT, bytes_of(data, chunk),
				   &e),
				&e);
		carry(k, c);
		got += drain(c);
	}
	t = now() - t;
	channel_free(c);
	channel_free(k);
	free(data);
	return t * (double)TOTAL / (double)total;
}

/* --- plain OpenSSL ------------------------------------------------------ */

static SSL *plain_ssl(struct end *x, SSL_CTX **ctx, bool server)
{
	*ctx = SSL_CTX_new(TLS_method());
	SSL_CTX_set_ciphersuites(*ctx, "TLS_AES_128_GCM_SHA256");
	SSL_CTX_use_certificate_ASN1(*ctx, (int)x->cert.len, x->cert.ptr);
	SSL_CTX_use_PrivateKey(*ctx, crypto_key_evp(x->key));
	SSL *s = SSL_new(*ctx);
	if (server)
		SSL_set_accept_state(s);
	else
		SSL_set_connect_state(s);
	return s;
}

static double plain(struct end *x)
{
	SSL_CTX *ca, *cb;
	SSL *a = plain_ssl(x, &ca, false), *b = plain_ssl(x, &cb, true);
	BIO *ab = BIO_new(BIO_s_mem()), *ba = BIO_new(BIO_s_mem());
	static uint8_t data[65536], to[65536];
	BIO_up_ref(ab);
	BIO_up_ref(ba);
	SSL_set_bio(a, ba, ab);
	SSL_set_bio(b, ab, ba);
	for (int i = 0; i < 4; i++) {
		SSL_do_handshake(a);
		SSL_do_handshake(b);
	}
	double t = now();
	for (size_t got = 0; got < TOTAL;) {
		size_t n;
		if (!SSL_write_ex(b, data, sizeof data, &n))
			exit(1);
		while (SSL_read_ex(a, to, sizeof to, &n))
			got += n;
	}
	t = now() - t;
	SSL_free(a);
	SSL_free(b);
	SSL_CTX_free(ca);
	SSL_CTX_free(cb);
	return t;
}

static void cold_start(void)
{
	struct err e = { 0 };
	struct end a = { 0 }, b = { 0 };
	struct channel *c, *k;
	uint8_t hash[32];
	double t0 = now();
	ok(crypto_digest(CRYPTO_SHA256, BYTES_LIT("x"), hash, &e), &e);
	double t1 = now();
	ok(crypto_key_generate(CRYPTO_P256, &a.key, &e), &e);
	double t2 = now();
	ok(crypto_cert_make(a.key, "x", 0, 1, NULL, 0, &a.cert, &e), &e);
	double t3 = now();
	ok(channel_identity_new(a.key, buf_bytes(&a.cert), &a.id, &e), &e);
	double t4 = now();
	ok(crypto_key_fingerprint(a.key, a.hash, &e), &e);
	make_end(&b);
	double t5 = now();
	connect_pair(&a, &b, &c, &k);
	double t6 = now();
	printf("cold.digest %.2f ms\ncold.key %.2f ms\ncold.cert %.2f ms\n"
	       "cold.identity %.2f ms\ncold.handshake_both_ends %.2f ms\n",
		(t1 - t0) * 1e3, (t2 - t1) * 1e3, (t3 - t2) * 1e3,
		(t4 - t3) * 1e3, (t6 - t5) * 1e3);
	channel_free(c);
	channel_free(k);
	free_end(&a);
	free_end(&b);
}

int main(void)
{
	static const size_t chunks[] = { 64, 1024, 16384, 65536, 131072 };
	struct end a = { 0 }, b = { 0 };
	cold_start();
	make_end(&a);
	make_end(&b);
	double t = now();
	for (int i = 0; i < HANDSHAKES; i++) {
		struct channel *c, *k;
		connect_pair(&a, &b, &c, &k);
		channel_free(c);
		channel_free(k);
	}
	printf("warm.handshake_both_ends %.3f ms\n",
		(now() - t) / HANDSHAKES * 1e3);
	double base = plain(&a);
	printf("plain.65536 %.0f MiB/s\n", TOTAL / base / MEBI);
	for (size_t i = 0; i < ARRAY_LEN(chunks); i++) {
		double s = transfer(&a, &b, chunks[i]);
		printf("channel.%zu %.0f MiB/s %.2f of plain\n", chunks[i],
			TOTAL / s / MEBI, base / s);
	}
	free_end(&a);
	free_end(&b);
	return 0;
}
