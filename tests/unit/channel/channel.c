/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/channel.h"

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "../test.h"
#include "crypto/openssl.h"
#include "crypto/x509.h"
#include "helpers/pair.h"

static const uint8_t nobody[32] = { 0xde, 0xad, 0xbe, 0xef };

static bool took_a_frame(struct channel *c)
{
	struct frame f;
	struct err e;
	bool got = false;
	return channel_next(c, &f, &got, &e) && got;
}

/* --- handshakes --------------------------------------------------------- */

TEST(a_pair_opens_and_each_sees_the_certificate_of_the_other)
{
	struct pair p;
	auto_buf spki = { 0 };
	auto_buf want = { 0 };
	struct err e;
	pair_open(&p);
	CHECK(crypto_cert_spki(channel_peer_cert(p.c), &spki, &e));
	CHECK(crypto_key_spki(p.keep.key, &want, &e));
	CHECK(bytes_equal(buf_bytes(&spki), buf_bytes(&want)));
	buf_clear(&spki);
	buf_clear(&want);
	CHECK(crypto_cert_spki(channel_peer_cert(p.k), &spki, &e));
	CHECK(crypto_key_spki(p.client.key, &want, &e));
	CHECK(bytes_equal(buf_bytes(&spki), buf_bytes(&want)));
	pair_fini(&p);
}

TEST(p384_keys_work_at_both_ends)
{
	struct pair p = { 0 };
	struct err e;
	struct end *ends[] = { &p.client, &p.keep };
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		auto_buf der = { 0 };
		CHECK(crypto_key_generate(CRYPTO_P384, &ends[i]->key, &e));
		CHECK(crypto_key_fingerprint(ends[i]->key, ends[i]->hash, &e));
		CHECK(crypto_cert_make(ends[i]->key, "x", 0, 1, NULL, 0, &der,
			&e));
		CHECK(channel_identity_new(ends[i]->key, buf_bytes(&der),
			&ends[i]->id, &e));
	}
	CHECK(channel_connect(p.client.id, p.keep.hash, &p.c, &e));
	CHECK(channel_accept(p.keep.id, p.client.hash, &p.k, &e));
	pair_carry(&p);
	CHECK_STR(p.client_err.text, "");
	CHECK_STR(p.keep_err.text, "");
	CHECK_INT(channel_state(p.c), CHANNEL_OPEN);
	CHECK_INT(channel_state(p.k), CHANNEL_OPEN);
	pair_hello(&p, FRAME_ROLE_STOP);
	pair_fini(&p);
}

TEST(a_keep_with_another_key_is_refused_on_both_ends)
{
	struct pair p;
	pair_make_expecting(&p, nobody, NULL);
	pair_carry(&p);
	CHECK_INT(p.client_err.kind, ERR_DENIED);
	CHECK_HAS(p.client_err.text, "the Keep's key is not the attested one");
	CHECK_HAS(p.client_err.text, "instead of deadbeef");
	CHECK_INT(p.keep_err.kind, ERR_DENIED);
	CHECK_HAS(p.keep_err.text, "the client refuses our key");
	CHECK_INT(channel_state(p.c), CHANNEL_BROKEN);
	CHECK_INT(channel_state(p.k), CHANNEL_BROKEN);
	pair_fini(&p);
}

TEST(a_client_with_another_key_is_refused_on_both_ends_unheard)
{
	struct pair p;
	struct err e = { 0 };
	auto_buf hello = { 0 };
	pair_make_expecting(&p, NULL, nobody);
	/* The client is done first in TLS 1.3 and may speak already. */
	CHECK(pair_carry_one(&p, p.c, p.k, &e));
	CHECK(pair_carry_one(&p, p.k, p.c, &e));
	CHECK_INT(channel_state(p.c), CHANNEL_OPEN);
	CHECK(frame_hello_encode(FRAME_ROLE_DEPLOY, &hello));
	CHECK(channel_send(p.c, FRAME_HELLO, buf_bytes(&hello), &e));
	pair_carry(&p);
	CHECK_INT(p.keep_err.kind, ERR_DENIED);
	CHECK_HAS(p.keep_err.text, "the client's key is not the owner's");
	CHECK_INT(p.client_err.kind, ERR_DENIED);
	CHECK_HAS(p.client_err.text, "the Keep refuses our key");
	CHECK(!took_a_frame(p.k));
	CHECK(!took_a_frame(p.c));
	CHECK(!channel_send(p.k, FRAME_HELLO, buf_bytes(&hello), &e));
	CHECK(!channel_send(p.c, FRAME_CONFIG, buf_bytes(&hello), &e));
	pair_fini(&p);
}

TEST(an_identity_may_go_before_its_channels)
{
	struct pair p;
	pair_open(&p);
	end_fini(&p.client);
	end_fini(&p.keep);
	p.client = p.keep = (struct end){ 0 };
	pair_hello(&p, FRAME_ROLE_STOP);
	pair_fini(&p);
}

TEST(an_identity_needs_a_certificate_of_its_own_key)
{
	struct end a = { 0 };
	struct crypto_key *other;
	struct channel_identity *id;
	auto_buf der = { 0 };
	struct err e = { 0 };
	end_make(&a);
	CHECK(crypto_key_generate(CRYPTO_P256, &other, &e));
	CHECK(crypto_cert_make(other, "x", 0, 1, NULL, 0, &der, &e));
	CHECK(!channel_identity_new(a.key, buf_bytes(&der), &id, &e));
	CHECK_HAS(e.text, "own certificate and key");
	CHECK(!channel_identity_new(a.key, BYTES_LIT("garbage"), &id, &e));
	crypto_key_free(other);
	end_fini(&a);
}

TEST(nothing_is_sent_before_the_handshake_is_over)
{
	struct pair p;
	struct err e = { 0 };
	auto_buf hello = { 0 };
	pair_make(&p);
	CHECK(frame_hello_encode(FRAME_ROLE_DEPLOY, &hello));
	CHECK(!channel_send(p.c, FRAME_HELLO, buf_bytes(&hello), &e));
	CHECK_HAS(e.text, "handshake not done");
	CHECK(!channel_send(p.k, FRAME_HELLO, buf_bytes(&hello), &e));
	CHECK_INT(channel_output(p.k).len, 0);
	pair_fini(&p);
}

/* --- foreign TLS peers -------------------------------------------------- */

/* Plain OpenSSL in memory, against one of our ends. */
struct plain {
	struct end us;
	struct end them;
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *in, *out;
	struct channel *c;
	struct err e;
};

static void plain_make(struct plain *x, bool we_are_keep, int version,
	bool with_cert)
{
	auto_buf der = { 0 };
	struct err e;
	*x = (struct plain){ 0 };
	end_make(&x->us);
	end_make(&x->them);
	x->ctx = SSL_CTX_new(TLS_method());
	SSL_CTX_set_max_proto_version(x->ctx, version);
	SSL_CTX_set_verify(x->ctx, SSL_VERIFY_NONE, NULL);
	CHECK(crypto_cert_make(x->them.key, "x", 0, 1, NULL, 0, &der, &e));
	if (with_cert) {
		CHECK(SSL_CTX_use_certificate_ASN1(x->ctx, (int)der.len,
			der.ptr));
		CHECK(SSL_CTX_use_PrivateKey(x->ctx,
			crypto_key_evp(x->them.key)));
	}
	x->ssl = SSL_new(x->ctx);
	x->in = BIO_new(BIO_s_mem());
	x->out = BIO_new(BIO_s_mem());
	SSL_set_bio(x->ssl, x->in, x->out);
	if (we_are_keep) {
		CHECK(channel_accept(x->us.id, x->them.hash, &x->c, &e));
		SSL_set_connect_state(x->ssl);
	} else {
		CHECK(channel_connect(x->us.id, x->them.hash, &x->c, &e));
		SSL_set_accept_state(x->ssl);
	}
}

/* Rounds of carrying; true when our end broke. */
static bool plain_carry(struct plain *x)
{
	uint8_t buf[4096], scrap[64];
	for (int i = 0; i < 20; i++) {
		SSL_do_handshake(x->ssl);
		/* Reads tickets and alerts. */
		SSL_read(x->ssl, scrap, sizeof scrap);
		int n;
		while ((n = BIO_read(x->out, buf, sizeof buf)) > 0)
			if (!channel_input(x->c, bytes_of(buf, (size_t)n),
				    &x->e))
				return true;
		struct bytes out = channel_output(x->c);
		if (out.len)
			BIO_write(x->in, out.ptr, (int)out.len);
		channel_output_done(x->c, out.len);
	}
	return false;
}

static void plain_fini(struct plain *x)
{
	ERR_clear_error();
	channel_free(x->c);
	SSL_free(x->ssl);
	SSL_CTX_free(x->ctx);
	end_fini(&x->us);
	end_fini(&x->them);
}

TEST(a_plain_tls_1_3_client_with_the_owners_key_is_accepted)
{
	struct plain x;
	plain_make(&x, true, TLS1_3_VERSION, true);
	CHECK(!plain_carry(&x));
	CHECK_INT(channel_state(x.c), CHANNEL_OPEN);
	CHECK_STR(SSL_get_cipher_name(x.ssl), "TLS_AES_128_GCM_SHA256");
	/* No tickets: nothing could be resumed. */
	CHECK(!SSL_SESSION_is_resumable(SSL_get0_session(x.ssl)));
	plain_fini(&x);
}

TEST(a_client_without_a_certificate_is_refused)
{
	struct plain x;
	plain_make(&x, true, TLS1_3_VERSION, false);
	CHECK(plain_carry(&x));
	CHECK_INT(x.e.kind, ERR_DENIED);
	CHECK_HAS(x.e.text, "the client has no certificate");
	/* The alert is worth sending. */
	CHECK(channel_output(x.c).len > 0);
	plain_fini(&x);
}

TEST(tls_1_2_is_refused_at_both_ends)
{
	for (int keep = 0; keep < 2; keep++) {
		struct plain x;
		plain_make(&x, keep, TLS1_2_VERSION, true);
		CHECK(plain_carry(&x));
		CHECK_INT(x.e.kind, ERR_HOST);
		CHECK_HAS(x.e.text, "TLS handshake");
		CHECK_HAS(x.e.text, "protocol");
		CHECK_INT(channel_state(x.c), CHANNEL_BROKEN);
		plain_fini(&x);
	}
}

TEST(what_is_not_tls_is_refused_at_once)
{
	static const char *const inputs[] = { "GET / HTTP/1.1\r\nHost: x\r\n",
		"\x16\x03\x01\xff\xff\x01\xff\xff\xff",
		"SSH-2.0-OpenSSH_9.2p1 Debian\r\n" };
	for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
		struct pair p;
		struct err e = { 0 };
		pair_make(&p);
		CHECK(!channel_input(p.k, bytes_str(inputs[i]), &e));
		CHECK_INT(e.kind, ERR_HOST);
		CHECK_INT(channel_state(p.k), CHANNEL_BROKEN);
		/* It stays broken, and says why again. */
		struct err e2 = { 0 };
		CHECK(!channel_input(p.k, BYTES_LIT("x"), &e2));
		CHECK_STR(e.text, e2.text);
		pair_fini(&p);
	}
}

TEST(a_flood_of_key_updates_is_cut_off)
{
	struct plain x;
	bool broke = false;
	plain_make(&x, true, TLS1_3_VERSION, true);
	CHECK(!plain_carry(&x));
	for (int i = 0; i < 4 && !broke; i++) {
		for (int k = 0; k < 1000; k++) {
			CHECK(SSL_key_update(x.ssl, SSL_KEY_UPDATE_REQUESTED));
			SSL_do_handshake(x.ssl);
		}
		broke = plain_carry(&x);
	}
	CHECK(broke);
	CHECK_INT(x.e.kind, ERR_LIMIT);
	CHECK_HAS(x.e.text, "too many key updates");
	/* Answers to the few that were taken. */
	CHECK(channel_output(x.c).len < 2000);
	plain_fini(&x);
}

TEST(a_few_key_updates_are_fine)
{
	struct plain x;
	uint8_t hello[FRAME_HEAD + 16];
	auto_buf payload = { 0 };
	plain_make(&x, true, TLS1_3_VERSION, true);
	CHECK(!plain_carry(&x));
	for (int k = 0; k < 3; k++) {
		CHECK(SSL_key_update(x.ssl, SSL_KEY_UPDATE_REQUESTED));
		CHECK(!plain_carry(&x));
	}
	CHECK(frame_hello_encode(FRAME_ROLE_STOP, &payload));
	frame_head_put(hello, FRAME_HELLO, payload.len);
	memcpy(hello + FRAME_HEAD, payload.ptr, payload.len);
	CHECK(SSL_write(x.ssl, hello, sizeof hello) == sizeof hello);
	CHECK(!plain_carry(&x));
	CHECK(took_a_frame(x.c));
	plain_fini(&x);
}

/* What the peer reads of our end's answer: an ERROR frame naming `part`. */
static void check_error_frame(struct plain *x, const char *part)
{
	uint8_t buf[1024];
	struct err what = { 0 }, e = { 0 };
	unsigned type = 0;
	size_t len = 0;
	struct bytes out = channel_output(x->c);
	BIO_write(x->in, out.ptr, (int)out.len);
	channel_output_done(x->c, out.len);
	int n = SSL_read(x->ssl, buf, sizeof buf);
	CHECK(n > (int)FRAME_HEAD);
	CHECK(frame_head_parse(bytes_of(buf, FRAME_HEAD), &type, &len, &e));
	CHECK_INT(type, FRAME_ERROR);
	CHECK_INT(len + FRAME_HEAD, (size_t)n);
	CHECK(frame_error_parse(bytes_of(buf + FRAME_HEAD, len), &what, &e));
	CHECK_HAS(what.text, part);
	CHECK(SSL_read(x->ssl, buf, sizeof buf) <= 0);
	CHECK(SSL_get_shutdown(x->ssl) & SSL_RECEIVED_SHUTDOWN);
}

TEST(an_illegal_head_is_refused_at_once_and_the_peer_hears_why)
{
	static const struct {
		uint8_t head[8];
		const char *says;
	} cases[] = {
		/* 10 GB does not even fit; 4 GiB - 1 and one too many do. */
		{ { 5, 0, 0, 0, 0xff, 0xff, 0xff, 0xff },
			"DATA: payload of 4294967295 bytes" },
		{ { 2, 0, 0, 0, 0x01, 0x00, 0x02, 0 },
			"CONFIG: payload of 131073 bytes" },
		{ { 0, 0, 0, 0, 0, 0, 0, 0 }, "unknown type 0" },
		{ { 21, 0, 0, 0, 0, 0, 0, 0 }, "unknown type 21" },
		{ { 255, 0, 0, 0, 0, 0, 0, 0 }, "unknown type 255" },
		{ { 8, 1, 0, 0, 0, 0, 0, 0 }, "STDIN: reserved bits" },
		{ { 8, 0, 0, 1, 0, 0, 0, 0 }, "STDIN: reserved bits" },
		{ { 7, 0, 0, 0, 0, 0, 0, 0 },
			"START from the client is illegal now (client new" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct plain x;
		struct frame f;
		struct err e = { 0 };
		bool got = true;
		plain_make(&x, true, TLS1_3_VERSION, true);
		CHECK(!plain_carry(&x));
		CHECK_INT(SSL_write(x.ssl, cases[i].head, 8), 8);
		CHECK(!plain_carry(&x));
		CHECK(!channel_next(x.c, &f, &got, &e));
		CHECK(!got);
		CHECK_INT(e.kind, ERR_INPUT);
		CHECK_HAS(e.text, cases[i].says);
		CHECK_INT(channel_state(x.c), CHANNEL_BROKEN);
		check_error_frame(&x, cases[i].says);
		plain_fini(&x);
	}
}

/* --- transfer ----------------------------------------------------------- */

TEST(bytes_that_arrive_one_by_one_are_enough)
{
	struct pair p;
	pair_make(&p);
	p.step = 1;
	pair_carry(&p);
	CHECK_STR(p.client_err.text, "");
	CHECK_STR(p.keep_err.text, "");
	CHECK_INT(channel_state(p.c), CHANNEL_OPEN);
	CHECK_INT(channel_state(p.k), CHANNEL_OPEN);
	pair_start(&p);
	static uint8_t data[20000];
	memset(data, 0x5a, sizeof data);
	pair_say(&p, FRAME_FROM_KEEP, FRAME_STDOUT, BYTES_ARRAY(data));
	pair_fini(&p);
}

TEST(payloads_of_every_size_around_a_record_arrive)
{
	static const size_t sizes[] = { 0, 1, 16375, 16376, 16377, 16384, 16385,
		32752, 32760, 32761, 65536, FRAME_MAX_PAYLOAD - 1,
		FRAME_MAX_PAYLOAD };
	struct pair p;
	uint8_t *data = malloc(FRAME_MAX_PAYLOAD);
	CHECK(data != NULL);
	for (size_t i = 0; i < FRAME_MAX_PAYLOAD; i++)
		data[i] = (uint8_t)(i * 131 >> 3);
	pair_open(&p);
	pair_start(&p);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		pair_say(&p, FRAME_FROM_KEEP, FRAME_STDOUT,
			bytes_of(data, sizes[i]));
	free(data);
	pair_fini(&p);
}

/* A stream whose byte at any offset is known. */
static uint8_t byte_at(uint64_t at)
{
	return (uint8_t)(at * 0x9e3779b97f4a7c15u >> 56);
}

TEST(sixty_four_mebibytes_arrive_intact_under_back_pressure)
{
	const uint64_t total = 64 << 20;
	uint64_t sent = 0, taken = 0;
	uint32_t seed = 1;
	size_t most_out = 0;
	static uint8_t data[FRAME_DATA_CHUNK];
	struct pair p;
	struct err e = { 0 };
	pair_open(&p);
	pair_start(&p);
	while (taken < total) {
		while (sent < total && channel_output_room(p.k)) {
			seed = seed * 1664525u + 1013904223u;
			size_t n = size_min(seed % sizeof data + 1,
				(size_t)(total - sent));
			for (size_t i = 0; i < n; i++)
				data[i] = byte_at(sent + i);
			CHECK(channel_send(p.k, FRAME_STDOUT, bytes_of(data, n),
				&e));
			sent += n;
		}
		most_out = channel_output(p.k).len > most_out ?
			channel_output(p.k).len :
			most_out;
		if (!channel_output_room(p.k)) {
			CHECK(!channel_send(p.k, FRAME_STDOUT, BYTES_LIT("x"),
				&e));
			CHECK_INT(e.kind, ERR_LIMIT);
		}
		CHECK(pair_carry_one(&p, p.k, p.c, &e));
		struct frame f;
		bool got = true;
		/* The owner of the client takes a few at a time. */
		for (int k = 0; k < 5 && got && taken < total; k++) {
			CHECK(channel_next(p.c, &f, &got, &e));
			for (size_t i = 0; got && i < f.payload.len; i++)
				if (f.payload.ptr[i] != byte_at(taken + i))
					fail_msg("byte %llu",
						(unsigned long long)taken + i);
			taken += got ? f.payload.len : 0;
		}
	}
	CHECK_INT(taken, total);
	/* One frame beyond the bound, and its records' overhead. */
	CHECK(most_out > CHANNEL_OUTPUT_MAX);
	CHECK(most_out < CHANNEL_OUTPUT_MAX + FRAME_DATA_CHUNK + 1024);
	pair_fini(&p);
}

TEST(more_input_than_there_is_room_for_is_refused_and_nothing_lost)
{
	static uint8_t data[FRAME_DATA_CHUNK];
	struct pair p;
	struct err e = { 0 };
	size_t frames = 0;
	pair_open(&p);
	pair_start(&p);
	for (size_t i = 0; i < 16; i++) {
		if (channel_output_room(p.k))
			CHECK(channel_send(p.k, FRAME_STDOUT, BYTES_ARRAY(data),
				&e));
		CHECK(pair_carry_one(&p, p.k, p.c, &e));
	}
	/* Room is counted in ciphertext, which is a little longer. */
	CHECK(channel_input_room(p.c) < 2048);
	struct bytes out = channel_output(p.k);
	CHECK(out.len > channel_input_room(p.c));
	CHECK(!channel_input(p.c, out, &e));
	CHECK_INT(e.kind, ERR_LIMIT);
	CHECK_INT(channel_state(p.c), CHANNEL_OPEN);
	while (took_a_frame(p.c))
		frames++;
	CHECK(frames == 7 || frames == 8);
	while (channel_output(p.k).len) {
		CHECK(pair_carry_one(&p, p.k, p.c, &e));
		while (took_a_frame(p.c))
			frames++;
	}
	CHECK(frames >= 15);
	pair_fini(&p);
}

TEST(a_flipped_bit_breaks_the_channel_but_not_the_frames_before_it)
{
	struct pair p;
	struct err e = { 0 };
	struct frame f;
	bool got = false;
	pair_open(&p);
	pair_start(&p);
	CHECK(channel_send(p.k, FRAME_STDOUT, BYTES_LIT("good"), &e));
	CHECK(pair_carry_one(&p, p.k, p.c, &e));
	CHECK(channel_send(p.k, FRAME_STDOUT, BYTES_LIT("bad"), &e));
	uint8_t copy[256];
	struct bytes out = channel_output(p.k);
	CHECK(out.len < sizeof copy);
	memcpy(copy, out.ptr, out.len);
	copy[out.len - 1] ^= 1;
	CHECK(!channel_input(p.c, bytes_of(copy, out.len), &e));
	CHECK_INT(e.kind, ERR_HOST);
	CHECK_INT(channel_state(p.c), CHANNEL_BROKEN);
	CHECK(channel_next(p.c, &f, &got, &e));
	CHECK(got);
	CHECK(bytes_equal(f.payload, BYTES_LIT("good")));
	CHECK(!channel_next(p.c, &f, &got, &e));
	CHECK_HAS(e.text, "TLS");
	pair_fini(&p);
}

/* --- ends --------------------------------------------------------------- */

TEST(a_close_is_seen_after_the_frames_before_it)
{
	struct pair p;
	struct err e = { 0 };
	pair_open(&p);
	pair_start(&p);
	CHECK(channel_send(p.k, FRAME_STDOUT, BYTES_LIT("last"), &e));
	channel_close(p.k);
	channel_close(p.k);
	CHECK(!channel_send(p.k, FRAME_STDOUT, BYTES_LIT("x"), &e));
	CHECK_HAS(e.text, "closed already");
	pair_carry(&p);
	CHECK_INT(channel_state(p.c), CHANNEL_OPEN);
	CHECK(took_a_frame(p.c));
	CHECK_INT(channel_state(p.c), CHANNEL_CLOSED);
	CHECK(!took_a_frame(p.c));
	CHECK(channel_input_end(p.c, &e));
	CHECK_INT(channel_state(p.c), CHANNEL_CLOSED);
	CHECK(!channel_send(p.c, FRAME_SIGNAL, BYTES_LIT("\2\0\0\0"), &e));
	CHECK_HAS(e.text, "has hung up");
	/* The other direction may still carry what was under way. */
	CHECK_INT(channel_state(p.k), CHANNEL_OPEN);
	pair_fini(&p);
}

TEST(a_connection_that_is_cut_is_an_error_that_says_so)
{
	struct pair p;
	struct err e = { 0 };
	pair_make(&p);
	CHECK(!channel_input_end(p.k, &e));
	CHECK_STR(e.text,
		"TLS handshake: the connection to the client was "
		"cut");
	pair_fini(&p);
	pair_open(&p);
	pair_start(&p);
	CHECK(!channel_input_end(p.c, &e));
	CHECK_INT(e.kind, ERR_HOST);
	CHECK_STR(e.text, "TLS: the connection to the Keep was cut");
	CHECK_INT(channel_state(p.c), CHANNEL_BROKEN);
	pair_fini(&p);
}

TEST(frames_before_a_cut_are_still_taken_and_then_the_cut_is_told)
{
	struct pair p;
	struct frame f;
	struct err e = { 0 };
	bool got = false;
	pair_open(&p);
	pair_start(&p);
	CHECK(channel_send(p.k, FRAME_STDOUT, BYTES_LIT("a"), &e));
	pair_carry(&p);
	CHECK(channel_input_end(p.c, &e));
	CHECK(channel_next(p.c, &f, &got, &e));
	CHECK(got);
	CHECK(!channel_next(p.c, &f, &got, &e));
	CHECK_HAS(e.text, "was cut");
	pair_fini(&p);
}

TEST(a_cut_after_the_last_frame_is_a_close)
{
	struct frame_exit x = { .status = 3 };
	auto_buf payload = { 0 };
	struct pair p;
	struct err e = { 0 };
	CHECK(frame_exit_encode(&x, &payload));
	for (int taken = 0; taken < 2; taken++) {
		pair_open(&p);
		pair_start(&p);
		CHECK(channel_send(p.k, FRAME_EXIT, buf_bytes(&payload), &e));
		pair_carry(&p);
		if (taken)
			CHECK(took_a_frame(p.c));
		CHECK(channel_input_end(p.c, &e));
		if (!taken)
			CHECK(took_a_frame(p.c));
		struct frame f;
		bool got;
		CHECK(channel_next(p.c, &f, &got, &e));
		CHECK(!got);
		CHECK_INT(channel_state(p.c), CHANNEL_CLOSED);
		pair_fini(&p);
	}
}

TEST(a_close_in_the_middle_of_a_frame_is_an_error)
{
	struct plain x;
	struct frame f;
	struct err e = { 0 };
	bool got;
	static const uint8_t half[] = { 1, 0, 0, 0, 16, 0, 0, 0, 1, 0 };
	plain_make(&x, true, TLS1_3_VERSION, true);
	CHECK(!plain_carry(&x));
	CHECK_INT(SSL_write(x.ssl, half, sizeof half), sizeof half);
	SSL_shutdown(x.ssl);
	CHECK(!plain_carry(&x));
	CHECK(!channel_next(x.c, &f, &got, &e));
	CHECK_HAS(e.text, "in the middle of a frame");
	plain_fini(&x);
}

TEST(after_our_error_frame_nothing_the_peer_says_matters)
{
	struct pair p;
	struct err e = { 0 };
	struct frame f;
	bool got = false;
	auto_buf why = { 0 };
	pair_open(&p);
	pair_start(&p);
	uint8_t credit[4] = { 100, 0, 0, 0 };
	pair_say(&p, FRAME_FROM_KEEP, FRAME_CREDIT, BYTES_ARRAY(credit));
	CHECK(channel_send(p.c, FRAME_STDIN, BYTES_LIT("early"), &e));
	CHECK(frame_error_encode(ERR_LIMIT, "disk full", &why));
	CHECK(pair_carry_one(&p, p.c, p.k, &e));
	CHECK(channel_send(p.k, FRAME_ERROR, buf_bytes(&why), &e));
	channel_close(p.k);
	CHECK(channel_send(p.c, FRAME_STDIN, BYTES_LIT("late"), &e));
	pair_carry(&p);
	CHECK(channel_next(p.k, &f, &got, &e));
	CHECK(!got);
	CHECK(channel_next(p.c, &f, &got, &e));
	CHECK(got);
	CHECK_INT(f.type, FRAME_ERROR);
	struct err what = { 0 };
	CHECK(frame_error_parse(f.payload, &what, &e));
	CHECK_INT(what.kind, ERR_LIMIT);
	CHECK_STR(what.text, "disk full");
	CHECK_INT(channel_state(p.c), CHANNEL_CLOSED);
	CHECK(!channel_send(p.c, FRAME_STDIN, BYTES_LIT("x"), &e));
	CHECK(channel_input_end(p.k, &e));
	pair_fini(&p);
}

TEST(an_illegal_send_is_refused_and_leaves_the_channel_whole)
{
	struct pair p;
	struct err e = { 0 };
	pair_open(&p);
	CHECK(!channel_send(p.k, FRAME_STDOUT, BYTES_LIT("x"), &e));
	CHECK_HAS(e.text, "STDOUT from the Keep is illegal now");
	CHECK(!channel_send(p.c, FRAME_STDIN, BYTES_LIT("x"), &e));
	CHECK_INT(channel_output(p.k).len, 0);
	CHECK_INT(channel_output(p.c).len, 0);
	pair_start(&p);
	pair_fini(&p);
}

TEST(credit_is_counted_alike_at_both_ends)
{
	struct pair p;
	struct err e = { 0 };
	uint8_t credit[4] = { 10, 0, 0, 0 };
	pair_open(&p);
	pair_start(&p);
	pair_say(&p, FRAME_FROM_KEEP, FRAME_CREDIT, BYTES_ARRAY(credit));
	CHECK_INT(channel_talk(p.c)->credit, 10);
	pair_say(&p, FRAME_FROM_CLIENT, FRAME_STDIN, BYTES_LIT("123456"));
	CHECK_INT(channel_talk(p.c)->credit, 4);
	CHECK_INT(channel_talk(p.k)->credit, 4);
	CHECK(!channel_send(p.c, FRAME_STDIN, BYTES_LIT("12345"), &e));
	CHECK_STR(e.text, "frame STDIN: 5 bytes, credit is 4");
	pair_fini(&p);
}

TEST(all_zero_closes_and_frees)
{
	channel_free(NULL);
	channel_identity_free(NULL);
}
