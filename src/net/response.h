/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answers of an HTTP/1.1 server, parsed as they come in.  Who sends them
 * is untrusted: heads and bodies are bounded, and what could be read in two
 * ways (two lengths, folded headers, odd chunks) is refused.
 */
#ifndef NET_RESPONSE_H
#define NET_RESPONSE_H

#include "base/buf.h"
#include "base/err.h"

enum { NET_RESPONSE_MAX_HEAD = 16 << 10 };

enum net_response_state {
	NET_RESPONSE_STATUS,
	NET_RESPONSE_HEADER,
	NET_RESPONSE_LENGTH, /* a body of `left` more bytes */
	NET_RESPONSE_REST,   /* a body up to the end of the connection */
	NET_RESPONSE_CHUNK_SIZE,
	NET_RESPONSE_CHUNK,
	NET_RESPONSE_CHUNK_END,
	NET_RESPONSE_TRAILER,
	NET_RESPONSE_DONE,
};

struct net_response {
	unsigned status;
	bool keep_alive;  /* the connection may carry another request */
	struct buf body;  /* set body.limit before the first byte; 0: none */
	char upgrade[64]; /* of a 101 */
	/* the parser's own */
	enum net_response_state state;
	struct buf line;
	size_t head_bytes;
	unsigned interim;
	uint64_t left;
	bool head_only; /* set by who asked with HEAD */
	bool has_length, chunked, close, http10;
};

/*
 * Takes bytes until the answer is complete; *used says how many.  After a 101
 * the rest belongs to the new protocol.
 */
MUST_USE bool net_response_feed(struct net_response *r, struct bytes in,
	size_t *used, struct err *e);
/* The server closed the connection: fails unless that ends the answer. */
MUST_USE bool net_response_end(struct net_response *r, struct err *e);

static inline bool net_response_done(const struct net_response *r)
{
	return r->state == NET_RESPONSE_DONE;
}

void net_response_fini(struct net_response *r);
#define auto_net_response \
	__attribute__((cleanup(net_response_fini))) struct net_response

#endif
