/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS under frames.  OpenSSL sees a BIO of ours: it reads from the span given
 * to channel_input while that call runs, and writes to the end of `out`.
 * Ciphertext in is decrypted at once, so it is never buffered; plaintext
 * waits in `in` until channel_next hands its frames out in place.
 */
#include "channel/channel.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/must.h"
#include "channel/queue_priv.h"
#include "crypto/hash.h"
#include "crypto/openssl.h"

enum {
	RECORD = SSL3_RT_MAX_PLAIN_LENGTH,
	CERT_LIST_MAX = 256 << 10,
	/* Messages after the handshake (key updates): a few, and one more for
	 * each 16 MiB that came. */
	POST_HANDSHAKE_MAX = 8,
	POST_HANDSHAKE_SHIFT = 24,
	/* RFC 8446 §5.5 allows 2^24.5 records under one AES-GCM key. */
	RECORDS_PER_KEY = 1 << 22,
};

struct channel_identity {
	SSL_CTX *ctx;
	BIO_METHOD *bio;
	atomic_uint refs; /* the owner's, and one for each channel */
};

struct channel {
	struct channel_identity *id;
	SSL *ssl;
	bool keep; /* which end we are */
	uint8_t peer[32];
	struct bytes feed; /* what OpenSSL may read during channel_input */
	struct queue in, out;
	struct buf peer_cert;
	struct frame_talk talk;
	uint64_t bytes_in;
	unsigned post_handshake, records_out;
	bool open;	  /* the handshake is over */
	bool broken;	  /* `why` says why */
	bool silent;	  /* broken by what the peer said: take no frame more */
	bool peer_closed; /* close_notify came */
	bool ended;	  /* the transport's end came */
	bool closed;	  /* we sent close_notify */
	bool hung_up;	  /* we sent ERROR: what still comes is dropped */
	int alert;	  /* the peer's, or -1 */
	bool key_right;	  /* the certificate's check was made, and passed */
	bool key_wrong;	  /* `why` is set by the certificate's check */
	struct err why;
	uint8_t record[RECORD]; /* head and first bytes of a frame to send */
};

/* --- what OpenSSL calls ------------------------------------------------- */

static bool flooded(const struct channel *c)
{
	return c->post_handshake >
		POST_HANDSHAKE_MAX + (c->bytes_in >> POST_HANDSHAKE_SHIFT);
}

static int bio_read(BIO *b, char *to, size_t n, size_t *got)
{
	struct channel *c = BIO_get_data(b);
	BIO_clear_retry_flags(b);
	if (flooded(c))
		return 0;
	if (!c->feed.len) {
		BIO_set_retry_read(b);
		return 0;
	}
	*got = size_min(n, c->feed.len);
	memcpy(to, c->feed.ptr, *got);
	c->feed = bytes_from(c->feed, *got);
	return 1;
}

static int bio_write(BIO *b, const char *from, size_t n, size_t *put)
{
	struct channel *c = BIO_get_data(b);
	BIO_clear_retry_flags(b);
	uint8_t *to = queue_reserve(&c->out, n);
	if (!to)
		return 0;
	memcpy(to, from, n);
	c->out.end += n;
	*put = n;
	return 1;
}

static long bio_ctrl(BIO *b, int command, long n, void *p)
{
	(void)b, (void)n, (void)p;
	return command == BIO_CTRL_FLUSH;
}

static void on_message(int write, int version, int type, const void *buf,
	size_t len, SSL *ssl, void *arg)
{
	struct channel *c = arg;
	(void)version, (void)ssl;
	if (write)
		return;
	if (type == SSL3_RT_HANDSHAKE && c->open)
		c->post_handshake++;
	if (type == SSL3_RT_ALERT && len == 2)
		c->alert = ((const uint8_t *)buf)[1];
}

static const char *peer_name(const struct channel *c)
{
	return c->keep ? "client" : "Keep";
}

/* A key is named by the SHA-256 of its SPKI; nothing else in a certificate
 * counts here.  That the peer holds the key, TLS itself proves. */
static bool check_peer(struct channel *c, X509 *cert, struct err *e)
{
	uint8_t hash[32], *der = NULL, *spki = NULL;
	int der_len = i2d_X509(cert, &der);
	int spki_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);
	buf_clear(&c->peer_cert);
	bool ok = der_len > 0 && spki_len > 0 &&
		buf_put(&c->peer_cert, bytes_of(der, (size_t)der_len)) &&
		crypto_digest(CRYPTO_SHA256, bytes_of(spki, (size_t)spki_len),
			hash, NULL);
	OPENSSL_free(der);
	OPENSSL_free(spki);
	if (!ok)
		return err_fail(e, ERR_LIMIT, "TLS: the %s's certificate",
			peer_name(c));
	if (crypto_equal(BYTES_ARRAY(hash), BYTES_ARRAY(c->peer)))
		return true;
	return err_fail(e, ERR_DENIED,
		"TLS handshake: the %s's key is not %s (%02x%02x%02x%02x... "
		"instead of %02x%02x%02x%02x...)",
		peer_name(c), c->keep ? "the owner's" : "the attested one",
		hash[0], hash[1], hash[2], hash[3], c->peer[0], c->peer[1],
		c->peer[2], c->peer[3]);
}

static int on_certificate(X509_STORE_CTX *store, void *arg)
{
	(void)arg;
	SSL *ssl = X509_STORE_CTX_get_ex_data(store,
		SSL_get_ex_data_X509_STORE_CTX_idx());
	struct channel *c = SSL_get_app_data(ssl);
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	bool ok = false;
	if (sk_X509_num(X509_STORE_CTX_get0_untrusted(store)) != 1)
		err_put(&c->why, ERR_DENIED,
			"TLS handshake: the %s sent more than one certificate",
			peer_name(c));
	else
		ok = check_peer(c, leaf, &c->why);
	c->key_right = ok;
	c->key_wrong = !ok;
	X509_STORE_CTX_set_error(store,
		ok ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
	return ok;
}

/* --- identities --------------------------------------------------------- */

static bool settings(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx,
		SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
			SSL_OP_NO_RENEGOTIATION |
			SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_clear_options(ctx, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_cert_list(ctx, CERT_LIST_MAX);
	SSL_CTX_set_verify(ctx,
		SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, on_certificate, NULL);
	char suites[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
			"TLS_CHACHA20_POLY1305_SHA256";
	char groups[] = "X25519:P-256";
	char sigalgs[] = "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384";
	return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) &&
		SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) &&
		SSL_CTX_set_num_tickets(ctx, 0) &&
		SSL_CTX_set_ciphersuites(ctx, suites) &&
		SSL_CTX_set1_groups_list(ctx, groups) &&
		SSL_CTX_set1_sigalgs_list(ctx, sigalgs);
}

static bool make_bio_method(struct channel_identity *id)
{
	id->bio = BIO_meth_new(BIO_TYPE_SOURCE_SINK | 0x7f, "channel");
	return id->bio && BIO_meth_set_read_ex(id->bio, bio_read) &&
		BIO_meth_set_write_ex(id->bio, bio_write) &&
		BIO_meth_set_ctrl(id->bio, bio_ctrl);
}

bool channel_identity_new(const struct crypto_key *key, struct bytes cert_der,
	struct channel_identity **out, struct err *e)
{
	crypto_init();
	must(cert_der.len <= INT32_MAX);
	struct channel_identity *id = calloc(1, sizeof *id);
	if (!id)
		return err_fail(e, ERR_LIMIT, "TLS: no memory");
	atomic_init(&id->refs, 1);
	id->ctx = SSL_CTX_new(TLS_method());
	if (!id->ctx || !make_bio_method(id) || !settings(id->ctx)) {
		channel_identity_free(id);
		return crypto_fail(e, ERR_LIMIT, "TLS: set up");
	}
	if (SSL_CTX_use_certificate_ASN1(id->ctx, (int)cert_der.len,
		    cert_der.ptr) != 1 ||
		SSL_CTX_use_PrivateKey(id->ctx, crypto_key_evp(key)) != 1 ||
		SSL_CTX_check_private_key(id->ctx) != 1) {
		channel_identity_free(id);
		return crypto_fail(e, ERR_INPUT,
			"TLS: own certificate and key");
	}
	*out = id;
	return true;
}

void channel_identity_free(struct channel_identity *id)
{
	if (!id || atomic_fetch_sub(&id->refs, 1) != 1)
		return;
	SSL_CTX_free(id->ctx);
	BIO_meth_free(id->bio);
	free(id);
}

/* --- channels ----------------------------------------------------------- */

static bool open_ssl(struct channel *c)
{
	c->ssl = SSL_new(c->id->ctx);
	BIO *b = c->ssl ? BIO_new(c->id->bio) : NULL;
	if (!b)
		return false;
	BIO_set_data(b, c);
	BIO_set_init(b, 1);
	SSL_set_bio(c->ssl, b, b);
	SSL_set_msg_callback(c->ssl, on_message);
	SSL_set_msg_callback_arg(c->ssl, c);
	return SSL_set_app_data(c->ssl, c);
}

static struct channel *make(struct channel_identity *id, const uint8_t peer[32],
	bool keep, struct err *e)
{
	struct channel *c = calloc(1, sizeof *c);
	if (!c) {
		err_put(e, ERR_LIMIT, "TLS: no memory");
		return NULL;
	}
	atomic_fetch_add(&id->refs, 1);
	c->id = id;
	c->keep = keep;
	c->alert = -1;
	memcpy(c->peer, peer, sizeof c->peer);
	if (!open_ssl(c)) {
		channel_free(c);
		crypto_fail(e, ERR_LIMIT, "TLS: set up");
		return NULL;
	}
	return c;
}

bool channel_accept(struct channel_identity *id, const uint8_t owner[32],
	struct channel **out, struct err *e)
{
	struct channel *c = make(id, owner, true, e);
	if (!c)
		return false;
	SSL_set_accept_state(c->ssl);
	*out = c;
	return true;
}

void channel_free(struct channel *c)
{
	if (!c)
		return;
	SSL_free(c->ssl);
	queue_free(&c->in);
	queue_free(&c->out);
	buf_fini(&c->peer_cert);
	channel_identity_free(c->id);
	crypto_zero(c, sizeof *c);
	free(c);
}

/* --- breaking ----------------------------------------------------------- */

static bool again(const struct channel *c, struct err *e)
{
	return err_fail(e, c->why.kind, "%s", c->why.text);
}

static bool breaks(struct channel *c, struct err *e)
{
	c->broken = true;
	return again(c, e);
}

/* RFC 8446 §6.2: alerts that say no to our certificate. */
static bool alert_denies(int alert)
{
	switch (alert) {
	case SSL_AD_BAD_CERTIFICATE:
	case SSL_AD_UNSUPPORTED_CERTIFICATE:
	case SSL_AD_CERTIFICATE_REVOKED:
	case SSL_AD_CERTIFICATE_EXPIRED:
	case SSL_AD_CERTIFICATE_UNKNOWN:
	case SSL_AD_UNKNOWN_CA:
	case SSL_AD_ACCESS_DENIED:
	case TLS13_AD_CERTIFICATE_REQUIRED:
		return true;
	default:
		return false;
	}
}

/* OpenSSL gave up: find the reason that helps most. */
static bool breaks_tls(struct channel *c, struct err *e)
{
	const char *when = c->open ? "TLS" : "TLS handshake";
	int reason = ERR_GET_REASON(ERR_peek_last_error());
	if (c->key_wrong)
		ERR_clear_error();
	else if (c->alert >= 0)
		err_put(&c->why, alert_denies(c->alert) ? ERR_DENIED : ERR_HOST,
			"%s: the %s %s (alert: %s)", when, peer_name(c),
			alert_denies(c->alert) ? "refuses our key" : "hung up",
			SSL_alert_desc_string_long(c->alert));
	else if (flooded(c))
		err_put(&c->why, ERR_LIMIT, "%s: too many key updates", when);
	else if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
		err_put(&c->why, ERR_DENIED, "%s: the %s has no certificate",
			when, peer_name(c));
	else
		crypto_fail(&c->why, ERR_HOST, when);
	ERR_clear_error();
	return breaks(c, e);
}

static bool write_frame(struct channel *c, unsigned type, struct bytes p)
{
	size_t first = size_min(p.len, RECORD - FRAME_HEAD), n;
	frame_head_put(c->record, type, p.len);
	if (first)
		memcpy(c->record + FRAME_HEAD, p.ptr, first);
	ERR_clear_error();
	if (!SSL_write_ex(c->ssl, c->record, FRAME_HEAD + first, &n))
		return false;
	p = bytes_from(p, first);
	if (p.len && !SSL_write_ex(c->ssl, p.ptr, p.len, &n))
		return false;
	c->records_out += 2 + (unsigned)(p.len / RECORD);
	if (c->records_out < RECORDS_PER_KEY)
		return true;
	c->records_out = 0;
	return SSL_key_update(c->ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
}

/* The peer broke the rules of frames: tell it why and hang up. */
static bool breaks_frames(struct channel *c, struct err *e)
{
	auto_buf text = { 0 };
	c->silent = true;
	if (!c->closed && !c->hung_up && !c->peer_closed &&
		frame_error_encode(c->why.kind, c->why.text, &text) &&
		write_frame(c, FRAME_ERROR, buf_bytes(&text)))
		channel_close(c);
	ERR_clear_error();
	return breaks(c, e);
}

/* --- ciphertext --------------------------------------------------------- */

static bool handshake(struct channel *c, struct err *e)
{
	ERR_clear_error();
	int r = SSL_do_handshake(c->ssl);
	if (r == 1) {
		/* No handshake without certificates can be agreed on. */
		must(c->key_right);
		c->open = true;
	} else if (SSL_get_error(c->ssl, r) != SSL_ERROR_WANT_READ) {
		return breaks_tls(c, e);
	}
	return true;
}

/* One record at most into `in`; *more false when OpenSSL wants bytes. */
static bool read_record(struct channel *c, bool *more, struct err *e)
{
	size_t n = 0;
	uint8_t *to = queue_reserve(&c->in, RECORD);
	if (!to) {
		err_put(&c->why, ERR_LIMIT, "TLS: no memory");
		return breaks(c, e);
	}
	ERR_clear_error();
	*more = SSL_read_ex(c->ssl, to, c->in.cap - c->in.end, &n);
	if (*more) {
		c->bytes_in += n;
		if (!c->hung_up)
			c->in.end += n;
		return true;
	}
	switch (SSL_get_error(c->ssl, 0)) {
	case SSL_ERROR_WANT_READ:
		return true;
	case SSL_ERROR_ZERO_RETURN:
		c->peer_closed = true;
		return true;
	default:
		return breaks_tls(c, e);
	}
}

bool channel_connect(struct channel_identity *id, const uint8_t keep[32],
	struct channel **out, struct err *e)
{
	struct channel *c = make(id, keep, false, e);
	if (!c)
		return false;
	SSL_set_connect_state(c->ssl);
	if (!handshake(c, e)) {
		channel_free(c);
		return false;
	}
	*out = c;
	return true;
}

bool channel_input(struct channel *c, struct bytes in, struct err *e)
{
	if (c->broken)
		return again(c, e);
	if (in.len > channel_input_room(c))
		return err_fail(e, ERR_LIMIT,
			"TLS: %zu bytes given, room for %zu", in.len,
			channel_input_room(c));
	c->feed = in;
	bool ok = c->open || handshake(c, e);
	bool more = c->open;
	while (ok && more && !c->peer_closed)
		ok = read_record(c, &more, e);
	/* What follows a close_notify or a break is nobody's. */
	c->feed = BYTES_NONE;
	return ok;
}

size_t channel_input_room(const struct channel *c)
{
	size_t len = queue_len(&c->in);
	return len < CHANNEL_INPUT_MAX ? CHANNEL_INPUT_MAX - len : 0;
}

struct bytes channel_output(struct channel *c)
{
	return bytes_of(c->out.ptr ? c->out.ptr + c->out.begin : NULL,
		queue_len(&c->out));
}

void channel_output_done(struct channel *c, size_t n)
{
	queue_drop(&c->out, n);
}

/* --- frames ------------------------------------------------------------- */

enum channel_state channel_state(const struct channel *c)
{
	if (c->broken)
		return CHANNEL_BROKEN;
	if (!c->open)
		return CHANNEL_HANDSHAKE;
	if (c->peer_closed && !queue_len(&c->in))
		return CHANNEL_CLOSED;
	return CHANNEL_OPEN;
}

/* The frame at the front, if it is whole.  False: its head is illegal. */
static bool front(const struct channel *c, struct frame *out, bool *whole,
	struct err *e)
{
	size_t have = queue_len(&c->in), len;
	unsigned type;
	*whole = false;
	if (have < FRAME_HEAD)
		return true;
	const uint8_t *p = c->in.ptr + c->in.begin;
	if (!frame_head_parse(bytes_of(p, FRAME_HEAD), &type, &len, e))
		return false;
	*whole = have - FRAME_HEAD >= len;
	*out = (struct frame){ type, bytes_of(p + FRAME_HEAD, len) };
	return true;
}

/* No whole frame is left: was that the end, and a proper one? */
static bool at_end(struct channel *c, struct err *e)
{
	if (c->broken)
		return again(c, e);
	if (!c->peer_closed && !c->ended)
		return true;
	if (queue_len(&c->in)) {
		err_put(&c->why, ERR_HOST,
			"TLS: the %s hung up in the middle of a frame",
			peer_name(c));
		return breaks(c, e);
	}
	/* After the last frame a missing close_notify hides nothing. */
	if (!c->peer_closed && !c->hung_up && !frame_talk_over(&c->talk)) {
		err_put(&c->why, ERR_HOST,
			"%s: the connection to the %s was cut",
			c->open ? "TLS" : "TLS handshake", peer_name(c));
		return breaks(c, e);
	}
	c->peer_closed = true;
	return true;
}

bool channel_next(struct channel *c, struct frame *out, bool *got,
	struct err *e)
{
	struct frame f = { 0 };
	*got = false;
	if (c->silent)
		return again(c, e);
	bool whole;
	if (!front(c, &f, &whole, &c->why))
		return breaks_frames(c, e);
	if (!whole)
		return at_end(c, e);
	if (!frame_step(&c->talk, c->keep ? FRAME_FROM_CLIENT : FRAME_FROM_KEEP,
		    f.type, f.payload, &c->why))
		return breaks_frames(c, e);
	/* The bytes stay where they are until channel_input. */
	queue_drop(&c->in, FRAME_HEAD + f.payload.len);
	*out = f;
	*got = true;
	return true;
}

bool channel_input_end(struct channel *c, struct err *e)
{
	struct frame f;
	bool whole;
	c->ended = true;
	if (c->silent)
		return again(c, e);
	if (!front(c, &f, &whole, &c->why))
		return breaks_frames(c, e);
	/* Frames that came before are still good: channel_next goes on. */
	if (whole && !c->broken)
		return true;
	return at_end(c, e);
}

bool channel_send(struct channel *c, enum frame_type type, struct bytes payload,
	struct err *e)
{
	if (c->broken)
		return again(c, e);
	if (!c->open || c->closed)
		return err_fail(e, ERR_HOST, "TLS: %s",
			c->open ? "closed already" : "handshake not done");
	if (c->peer_closed || c->ended)
		return err_fail(e, ERR_HOST, "TLS: the %s has hung up",
			peer_name(c));
	if (!channel_output_room(c))
		return err_fail(e, ERR_LIMIT, "TLS: output is full");
	if (!frame_step(&c->talk, c->keep ? FRAME_FROM_KEEP : FRAME_FROM_CLIENT,
		    type, payload, e))
		return false;
	if (!write_frame(c, type, payload))
		return breaks_tls(c, e);
	if (type == FRAME_ERROR) {
		c->hung_up = true;
		queue_drop(&c->in, queue_len(&c->in));
	}
	return true;
}

size_t channel_output_room(const struct channel *c)
{
	size_t len = queue_len(&c->out);
	return len < CHANNEL_OUTPUT_MAX ? CHANNEL_OUTPUT_MAX - len : 0;
}

void channel_close(struct channel *c)
{
	if (!c->open || c->closed || c->broken)
		return;
	c->closed = true;
	ERR_clear_error();
	SSL_shutdown(c->ssl);
	ERR_clear_error();
}

const struct frame_talk *channel_talk(const struct channel *c)
{
	return &c->talk;
}

struct bytes channel_peer_cert(const struct channel *c)
{
	return buf_bytes(&c->peer_cert);
}
