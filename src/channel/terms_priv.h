/* SPDX-License-Identifier: Apache-2.0 */
/* What terms.c and stream.c share. */
#ifndef CHANNEL_TERMS_PRIV_H
#define CHANNEL_TERMS_PRIV_H

#include <openssl/ssl.h>

#include "channel/terms.h"

struct channel_terms {
	SSL_CTX *ctx;
	BIO_METHOD *bio;
	unsigned refs; /* the owner's, and one for each stream */
	bool trusting;
	uint8_t *pins; /* owned */
	size_t pin_count;
	uint8_t *alpn; /* owned */
	size_t alpn_len;
	bool (*judge)(void *ctx, struct bytes leaf, struct err *e);
	void *judge_ctx;
	uint64_t (*now)(void *ctx);
	void *now_ctx;
};

/* A peer can be known by them at all. */
bool terms_know_peers(const struct channel_terms *t);
/* The certificate's check, by everything that the terms say. */
bool terms_check(const struct channel_terms *t, X509_STORE_CTX *store,
	struct err *e);

/* stream.c: the functions of the BIO that lies under each stream. */
bool stream_bio(BIO_METHOD *m);
/* stream.c: where the check's reason goes. */
struct err *stream_why_of(SSL *ssl);

#endif
