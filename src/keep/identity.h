/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who this Keep is: a fresh P-256 key that never leaves it, claims that name
 * the key, the tenant's nonce and the owner, evidence for the claims, and a
 * certificate that carries all of it in the form of interoperable RA-TLS.
 */
#ifndef KEEP_IDENTITY_H
#define KEEP_IDENTITY_H

#include "channel/channel.h"
#include "crypto/key.h"
#include "keep/gate.h"

struct keep_identity {
	struct crypto_key *key;
	struct channel_identity *tls;
	struct buf cert;    /* DER */
	uint8_t owner[32];  /* SHA-256 of the SPKI that this Keep obeys */
	uint8_t claims[32]; /* SHA-256 of the claims */
};

/* Makes it and publishes it through the gate. */
MUST_USE bool keep_identity_init(struct keep_identity *id, struct keep_gate *g,
	struct err *e);
void keep_identity_fini(struct keep_identity *id); /* wipes the key */

#endif
