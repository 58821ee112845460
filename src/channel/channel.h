/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The channel: attested TLS 1.3 and its frames, as a machine without I/O.
 * Whoever owns a transport (exec: the gate; client: a socket) carries bytes
 * in and out; the channel never blocks and never calls back.
 *
 * TLS 1.3 only, mutual, no resumption, no early data, no renegotiation.  The
 * client knows the Keep's key by its attested SPKI hash; the Keep knows its
 * owner by the owner key hash in its claims.  Whoever else answers is
 * refused during the handshake: no application byte is sent or taken.
 */
#ifndef CHANNEL_CHANNEL_H
#define CHANNEL_CHANNEL_H

#include "base/bytes.h"
#include "base/err.h"
#include "channel/frame.h"
#include "crypto/key.h"

struct channel;
struct channel_identity; /* a key and its certificate, ready for handshakes */

MUST_USE bool channel_identity_new(const struct crypto_key *key,
	struct bytes cert_der, struct channel_identity **out, struct err *e);
/* Its channels keep what they need of it. */
void channel_identity_free(struct channel_identity *id);

/* The Keep's end.  owner: SHA-256 of the SPKI a client must have. */
MUST_USE bool channel_accept(struct channel_identity *id,
	const uint8_t owner[32], struct channel **out, struct err *e);
/* The tenant's end.  keep: SHA-256 of the SPKI the Keep must have. */
MUST_USE bool channel_connect(struct channel_identity *id,
	const uint8_t keep[32], struct channel **out, struct err *e);
void channel_free(struct channel *c);

/* --- ciphertext, carried by the owner of the transport ------------------ */

/*
 * Takes all of `in`, at most channel_input_room bytes (more: ERR_LIMIT,
 * nothing taken, channel unharmed).  False else: the channel is broken
 * (handshake refused, bad record); *e says why, with the peer's alert; what
 * channel_output still holds (an alert) is worth sending.
 */
MUST_USE bool channel_input(struct channel *c, struct bytes in, struct err *e);
/*
 * The peer closed the transport.  False when that cut the conversation short:
 * without close_notify, before the last frame.  Whole frames that came before
 * are still handed out, then channel_next is false.
 */
MUST_USE bool channel_input_end(struct channel *c, struct err *e);
/* Bytes to send; after sending n of them say so. */
struct bytes channel_output(struct channel *c);
void channel_output_done(struct channel *c, size_t n);

/* --- frames ------------------------------------------------------------- */

enum channel_state {
	CHANNEL_HANDSHAKE,
	CHANNEL_OPEN,
	CHANNEL_CLOSED, /* by the peer, in order, and all frames are taken */
	CHANNEL_BROKEN,
};
enum channel_state channel_state(const struct channel *c);

struct frame {
	unsigned type;
	struct bytes payload; /* borrowed until the next channel_next/_input */
};

/*
 * The next whole frame from the peer, checked against the state table.
 * *got false: none yet.  Frames decrypted but not taken stay inside: when it
 * is not asked, channel_input_room shrinks to 0, and who then reads no more
 * lets back-pressure reach the peer.  False: an illegal head or frame (the
 * peer is told by an ERROR frame, worth sending), or the channel broke and
 * what came before is taken.  After an ERROR of ours went out, what the peer
 * says is dropped.
 */
MUST_USE bool channel_next(struct channel *c, struct frame *out, bool *got,
	struct err *e);
/* Bytes of ciphertext that channel_input takes now; 0: take frames first.
 * Never 0 when channel_next has nothing. */
size_t channel_input_room(const struct channel *c);
#define CHANNEL_INPUT_MAX 0x80000u /* 512 KiB */

/*
 * Encrypts one frame into the output; its legality is checked against the
 * table.  Refused with ERR_LIMIT when more than CHANNEL_OUTPUT_MAX bytes wait
 * already (check channel_output_room first); a frame begun below that bound
 * is taken whole.  A frame that is illegal now is refused with ERR_INPUT and
 * the channel stays as it was.
 */
MUST_USE bool channel_send(struct channel *c, enum frame_type type,
	struct bytes payload, struct err *e);
size_t channel_output_room(const struct channel *c);
#define CHANNEL_OUTPUT_MAX 0x80000u

/* Sends close_notify. */
void channel_close(struct channel *c);

/* The conversation, to look at (credit, state). */
const struct frame_talk *channel_talk(const struct channel *c);
/* The peer's certificate, DER, once the handshake has seen it; borrowed. */
struct bytes channel_peer_cert(const struct channel *c);

#endif
