/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is under one socket of a program, TLS 1.3 or nothing, as a machine
 * without I/O.  Bytes of the network go in and out on one side, the program's
 * on the other; whoever owns the socket carries the former.  Nothing blocks,
 * nothing calls back but the terms' own functions.  Both ways it holds so much
 * and takes no more; what is empty has no memory.
 *
 * With TLS the end of what the peer says is its close_notify.  A connection
 * that ends without it was cut, and says so after all that came before was
 * read.
 */
#ifndef CHANNEL_STREAM_H
#define CHANNEL_STREAM_H

#include "channel/terms.h"

struct channel_stream;

/* Without TLS: the bytes are the same on both sides. */
MUST_USE bool channel_stream_plain(struct channel_stream **out, struct err *e);
/* As the server. */
MUST_USE bool channel_stream_accept(struct channel_terms *t,
	struct channel_stream **out, struct err *e);
/* As the client of `host`, a name or an address; the first bytes are in the
 * output then. */
MUST_USE bool channel_stream_connect(struct channel_terms *t, const char *host,
	struct channel_stream **out, struct err *e);
void channel_stream_free(struct channel_stream *s); /* wipes */

/* --- the network's side -------------------------------------------------- */

/* Bytes that channel_stream_input takes now. */
size_t channel_stream_room(const struct channel_stream *s);
/* What goes wrong is told by channel_stream_state; the output may then hold
 * an alert that is worth sending. */
void channel_stream_input(struct channel_stream *s, struct bytes in);
/* The network has no more. */
void channel_stream_input_end(struct channel_stream *s);
struct bytes channel_stream_output(const struct channel_stream *s);
void channel_stream_output_done(struct channel_stream *s, size_t n);

/* --- the program's side --------------------------------------------------- */

enum channel_stream_state {
	CHANNEL_STREAM_HANDSHAKE,
	CHANNEL_STREAM_OPEN,
	CHANNEL_STREAM_BROKEN, /* what was read before is still there */
};
enum channel_stream_state channel_stream_state(const struct channel_stream *s);
/* Why it is broken. */
const struct err *channel_stream_why(const struct channel_stream *s);

/* Bytes that can be read now. */
size_t channel_stream_pending(const struct channel_stream *s);
/* Nothing more will come: end, or broken. */
bool channel_stream_at_end(const struct channel_stream *s);
/* How many bytes were read; 0: none now. */
size_t channel_stream_read(struct channel_stream *s, uint8_t *to, size_t n);
/* How many bytes were taken; 0: the output is full, or it is over. */
size_t channel_stream_write(struct channel_stream *s, struct bytes in);
/* A write would take bytes. */
bool channel_stream_writable(const struct channel_stream *s);
/* Nothing can be written from then on; TLS says close_notify. */
void channel_stream_shutdown(struct channel_stream *s);

#endif
