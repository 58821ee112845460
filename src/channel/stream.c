/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As in channel.c, OpenSSL sees a BIO of ours.  Ciphertext in is decrypted at
 * once into `in`, as far as that has room; what is written is encrypted at
 * once into `out`.
 */
#include "channel/stream.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/fmt.h"
#include "channel/queue_priv.h"
#include "channel/terms_priv.h"
#include "crypto/openssl.h"

enum {
	RECORD = SSL3_RT_MAX_PLAIN_LENGTH,
	/* Bytes that wait for the program, and for the network. */
	INPUT_MAX = 4 * RECORD,
	OUTPUT_MAX = 4 * RECORD,
	/* The same without TLS: what a queue begins with. */
	PLAIN_MAX = QUEUE_MIN,
	/* As in channel.c. */
	POST_HANDSHAKE_MAX = 8,
	POST_HANDSHAKE_SHIFT = 24,
	RECORDS_PER_KEY = 1 << 22,
};

struct channel_stream {
	struct channel_terms *terms; /* these two: NULL without TLS */
	SSL *ssl;
	struct bytes feed; /* what OpenSSL may read during input */
	struct queue in, out;
	uint64_t bytes_in;
	unsigned post_handshake, records_out;
	bool client;
	bool open;	  /* the handshake is over */
	bool broken;	  /* `why` says why */
	bool peer_closed; /* close_notify came */
	bool closed;	  /* ours went */
	bool refused;	  /* `why` is set by the certificate's check */
	int alert;	  /* the peer's, or -1 */
	struct err why;
};

static bool put(struct queue *q, struct bytes in)
{
	uint8_t *to = queue_reserve(q, in.len);
	if (!to)
		return false;
	memcpy(to, in.ptr, in.len);
	q->end += in.len;
	return true;
}

/* --- the BIO -------------------------------------------------------------- */

static bool flooded(const struct channel_stream *s)
{
	return s->post_handshake > POST_HANDSHAKE_MAX +
		(unsigned)(s->bytes_in >> POST_HANDSHAKE_SHIFT);
}

static int bio_read(BIO *b, char *to, size_t n, size_t *got)
{
	struct channel_stream *s = BIO_get_data(b);
	BIO_clear_retry_flags(b);
	if (flooded(s))
		return 0;
	if (!s->feed.len) {
		BIO_set_retry_read(b);
		return 0;
	}
	*got = size_min(n, s->feed.len);
	memcpy(to, s->feed.ptr, *got);
	s->feed = bytes_from(s->feed, *got);
	return 1;
}

static int bio_write(BIO *b, const char *from, size_t n, size_t *done)
{
	struct channel_stream *s = BIO_get_data(b);
	BIO_clear_retry_flags(b);
	*done = n;
	return put(&s->out, bytes_of(from, n));
}

static long bio_ctrl(BIO *b, int command, long n, void *p)
{
	(void)b, (void)n, (void)p;
	return command == BIO_CTRL_FLUSH;
}

bool stream_bio(BIO_METHOD *m)
{
	return BIO_meth_set_read_ex(m, bio_read) &&
		BIO_meth_set_write_ex(m, bio_write) &&
		BIO_meth_set_ctrl(m, bio_ctrl);
}

struct err *stream_why_of(SSL *ssl)
{
	struct channel_stream *s = SSL_get_app_data(ssl);
	/* Only a refusal is a reason; see breaks(). */
	s->refused = true;
	s->why = (struct err){ .kind = ERR_NONE };
	return &s->why;
}

static void on_message(int write, int version, int type, const void *buf,
	size_t len, SSL *ssl, void *arg)
{
	struct channel_stream *s = arg;
	(void)version, (void)ssl;
	if (write)
		return;
	if (type == SSL3_RT_HANDSHAKE && s->open)
		s->post_handshake++;
	if (type == SSL3_RT_ALERT && len == 2)
		s->alert = ((const uint8_t *)buf)[1];
}

/* --- life ------------------------------------------------------------------
 */

static bool open_ssl(struct channel_stream *s)
{
	s->ssl = SSL_new(s->terms->ctx);
	BIO *b = s->ssl ? BIO_new(s->terms->bio) : NULL;
	if (!b)
		return false;
	BIO_set_data(b, s);
	BIO_set_init(b, 1);
	SSL_set_bio(s->ssl, b, b);
	SSL_set_msg_callback(s->ssl, on_message);
	SSL_set_msg_callback_arg(s->ssl, s);
	return SSL_set_app_data(s->ssl, s);
}

bool channel_stream_plain(struct channel_stream **out, struct err *e)
{
	*out = calloc(1, sizeof **out);
	if (!*out)
		return err_fail(e, ERR_LIMIT, "connection: no memory");
	(*out)->open = true;
	return true;
}

static struct channel_stream *make(struct channel_terms *t, struct err *e)
{
	struct channel_stream *s = calloc(1, sizeof *s);
	if (!s) {
		err_put(e, ERR_LIMIT, "TLS: no memory");
		return NULL;
	}
	t->refs++;
	s->terms = t;
	s->alert = -1;
	if (!open_ssl(s)) {
		channel_stream_free(s);
		crypto_fail(e, ERR_LIMIT, "TLS: set up");
		return NULL;
	}
	return s;
}

void channel_stream_free(struct channel_stream *s)
{
	if (!s)
		return;
	SSL_free(s->ssl);
	queue_free(&s->in);
	queue_free(&s->out);
	channel_terms_free(s->terms);
	crypto_zero(s, sizeof *s);
	free(s);
}

/* --- breaking --------------------------------------------------------------
 */

static void breaks(struct channel_stream *s, enum err_kind kind,
	const char *text)
{
	if (!s->broken)
		err_put(&s->why, kind, "%s", text);
	s->broken = true;
}

/* OpenSSL gave up: find the reason that helps most. */
static void breaks_tls(struct channel_stream *s)
{
	const char *when = s->open ? "TLS" : "TLS handshake";
	if (s->broken)
		return;
	if (s->refused && s->why.kind != ERR_NONE)
		err_prefix(&s->why, "%s", when);
	else if (s->alert >= 0)
		err_put(&s->why, s->open ? ERR_HOST : ERR_DENIED,
			"%s: the peer hung up (alert: %s)", when,
			SSL_alert_desc_string_long(s->alert));
	else if (flooded(s))
		err_put(&s->why, ERR_LIMIT, "%s: too many key updates", when);
	else
		crypto_fail(&s->why, ERR_HOST, when);
	ERR_clear_error();
	s->broken = true;
}

/* --- the network's side ----------------------------------------------------
 */

static void handshake(struct channel_stream *s)
{
	ERR_clear_error();
	int r = SSL_do_handshake(s->ssl);
	if (r == 1)
		s->open = true;
	else if (SSL_get_error(s->ssl, r) != SSL_ERROR_WANT_READ)
		breaks_tls(s);
}

/* One record at most; false when there is none. */
static bool read_record(struct channel_stream *s)
{
	size_t n = 0;
	uint8_t *to = queue_reserve(&s->in, RECORD);
	if (!to) {
		breaks(s, ERR_LIMIT, "TLS: no memory");
		return false;
	}
	ERR_clear_error();
	if (SSL_read_ex(s->ssl, to, s->in.cap - s->in.end, &n)) {
		s->bytes_in += n;
		s->in.end += n;
		return true;
	}
	switch (SSL_get_error(s->ssl, 0)) {
	case SSL_ERROR_WANT_READ:
		break;
	case SSL_ERROR_ZERO_RETURN:
		s->peer_closed = true;
		break;
	default:
		breaks_tls(s);
	}
	return false;
}

size_t channel_stream_room(const struct channel_stream *s)
{
	size_t len = queue_len(&s->in), max = s->ssl ? INPUT_MAX : PLAIN_MAX;
	/* What comes after the end is nobody's. */
	if (s->broken || s->peer_closed)
		return max;
	return len < max ? max - len : 0;
}

static void input_tls(struct channel_stream *s, struct bytes in)
{
	s->feed = in;
	if (!s->open)
		handshake(s);
	while (s->open && !s->broken && !s->peer_closed && read_record(s))
		;
	s->feed = BYTES_NONE;
	/* A thousand idle connections have no buffers. */
	if (!queue_len(&s->in))
		queue_free(&s->in);
}

void channel_stream_input(struct channel_stream *s, struct bytes in)
{
	must(in.len <= channel_stream_room(s));
	if (s->broken || s->peer_closed)
		return;
	if (s->ssl)
		input_tls(s, in);
	else if (!put(&s->in, in))
		breaks(s, ERR_LIMIT, "connection: no memory");
}

void channel_stream_input_end(struct channel_stream *s)
{
	if (!s->ssl)
		s->peer_closed = true;
	if (s->peer_closed)
		return;
	breaks(s, ERR_HOST,
		s->open ? "TLS: the connection was cut" :
			  "TLS handshake: the connection was cut");
}

struct bytes channel_stream_output(const struct channel_stream *s)
{
	return bytes_of(s->out.ptr ? s->out.ptr + s->out.begin : NULL,
		queue_len(&s->out));
}

void channel_stream_output_done(struct channel_stream *s, size_t n)
{
	queue_drop(&s->out, n);
	if (!queue_len(&s->out))
		queue_free(&s->out);
}

/* --- the beginning ---------------------------------------------------------
 */

bool channel_stream_accept(struct channel_terms *t, struct channel_stream **out,
	struct err *e)
{
	struct channel_stream *s = make(t, e);
	if (!s)
		return false;
	SSL_set_accept_state(s->ssl);
	*out = s;
	return true;
}

/* RFC 6066 §3: addresses are no server names. */
static bool set_host(struct channel_stream *s, const char *host)
{
	X509_VERIFY_PARAM *p = SSL_get0_param(s->ssl);
	if (X509_VERIFY_PARAM_set1_ip_asc(p, host) == 1)
		return true;
	ERR_clear_error();
	X509_VERIFY_PARAM_set_hostflags(p,
		X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	char name[256]; /* OpenSSL's macro wants one that it could write to */
	return fmt(name, sizeof(name), "%s", host) == strlen(host) &&
		X509_VERIFY_PARAM_set1_host(p, name, 0) == 1 &&
		SSL_set_tlsext_host_name(s->ssl, name) == 1;
}

bool channel_stream_connect(struct channel_terms *t, const char *host,
	struct channel_stream **out, struct err *e)
{
	if (!terms_know_peers(t))
		return err_fail(e, ERR_INPUT,
			"TLS: nothing to know %.64s by: no authorities, pins "
			"or attestation",
			host);
	struct channel_stream *s = make(t, e);
	if (!s)
		return false;
	s->client = true;
	SSL_set_verify(s->ssl, SSL_VERIFY_PEER, NULL);
	SSL_set_connect_state(s->ssl);
	if (!set_host(s, host) ||
		(t->alpn_len &&
			SSL_set_alpn_protos(s->ssl, t->alpn,
				(unsigned)t->alpn_len) != 0)) {
		channel_stream_free(s);
		return crypto_fail(e, ERR_INPUT, "TLS: name of the host");
	}
	handshake(s);
	*out = s;
	return true;
}

/* --- the program's side ----------------------------------------------------
 */

enum channel_stream_state channel_stream_state(const struct channel_stream *s)
{
	if (s->broken)
		return CHANNEL_STREAM_BROKEN;
	return s->open ? CHANNEL_STREAM_OPEN : CHANNEL_STREAM_HANDSHAKE;
}

const struct err *channel_stream_why(const struct channel_stream *s)
{
	return &s->why;
}

size_t channel_stream_pending(const struct channel_stream *s)
{
	return queue_len(&s->in);
}

bool channel_stream_at_end(const struct channel_stream *s)
{
	return !queue_len(&s->in) && (s->broken || s->peer_closed);
}

size_t channel_stream_read(struct channel_stream *s, uint8_t *to, size_t n)
{
	n = size_min(n, queue_len(&s->in));
	if (!n)
		return 0;
	memcpy(to, s->in.ptr + s->in.begin, n);
	queue_drop(&s->in, n);
	if (!queue_len(&s->in))
		queue_free(&s->in);
	return n;
}

bool channel_stream_writable(const struct channel_stream *s)
{
	return s->open && !s->broken && !s->closed &&
		queue_len(&s->out) < (s->ssl ? OUTPUT_MAX : PLAIN_MAX);
}

static size_t write_tls(struct channel_stream *s, struct bytes in)
{
	size_t done = 0, n;
	while (done < in.len && channel_stream_writable(s)) {
		struct bytes rest = bytes_from(in, done);
		ERR_clear_error();
		if (!SSL_write_ex(s->ssl, rest.ptr, size_min(rest.len, RECORD),
			    &n)) {
			breaks_tls(s);
			return done;
		}
		done += n;
		if (++s->records_out < RECORDS_PER_KEY)
			continue;
		s->records_out = 0;
		if (!SSL_key_update(s->ssl, SSL_KEY_UPDATE_NOT_REQUESTED))
			breaks_tls(s);
	}
	return done;
}

size_t channel_stream_write(struct channel_stream *s, struct bytes in)
{
	if (s->ssl)
		return write_tls(s, in);
	if (!channel_stream_writable(s))
		return 0;
	in.len = size_min(in.len, PLAIN_MAX - queue_len(&s->out));
	if (put(&s->out, in))
		return in.len;
	breaks(s, ERR_LIMIT, "connection: no memory");
	return 0;
}

void channel_stream_shutdown(struct channel_stream *s)
{
	if (!s->open || s->closed || s->broken)
		return;
	s->closed = true;
	if (!s->ssl)
		return;
	ERR_clear_error();
	SSL_shutdown(s->ssl);
	ERR_clear_error();
}
