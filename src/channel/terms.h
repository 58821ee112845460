/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terms on which TLS 1.3 is spoken under a program's sockets: who we are
 * to the peer, and how we know the peer.  A peer that none of the ways given
 * here knows is refused; a client may go unknown where it is asked for no
 * certificate.
 */
#ifndef CHANNEL_TERMS_H
#define CHANNEL_TERMS_H

#include "base/bytes.h"
#include "base/err.h"
#include "crypto/key.h"

struct channel_terms;

/* All spans are borrowed for the call of channel_terms_new only. */
struct channel_terms_config {
	/* Ours: a key and its certificate (DER), or a chain of certificates
	 * (DER, u32 length each, the leaf first) and its key (PKCS#8). */
	const struct crypto_key *key;
	struct bytes cert;
	struct bytes chain, pkcs8;
	/* The peer's chain must end in one of these (DER, u32 length each) and
	 * name the host that we connect to. */
	bool trusting;
	struct bytes trust;
	/* SHA-256 of its SPKI, 32 bytes each, must be one of these. */
	struct bytes pins;
	/* It must be what this says it is; its leaf is given, DER. */
	bool (*judge)(void *ctx, struct bytes leaf, struct err *e);
	void *judge_ctx;
	bool request, require; /* of clients: a certificate */
	struct bytes alpn;     /* u8 length and name, each, best first */
	/* ns since 1970: what dates of certificates are compared with. */
	uint64_t (*now)(void *ctx);
	void *now_ctx;
};

MUST_USE bool channel_terms_new(const struct channel_terms_config *cfg,
	struct channel_terms **out, struct err *e);
/* Its streams keep what they need of it. */
void channel_terms_free(struct channel_terms *t);

#endif
