/* SPDX-License-Identifier: Apache-2.0 */
/* A channel on its transport: attested TLS carried by an upgraded connection
 * of the host agent.  Never blocks. */
#ifndef CLIENT_LINK_H
#define CLIENT_LINK_H

#include "channel/channel.h"
#include "net/http.h"

struct client_link {
	struct net_http *http; /* borrowed, upgraded */
	struct channel *channel;
	uint8_t *block;
	bool ended; /* the transport's end came */
};

/* Begins the handshake.  keep: SHA-256 of the key it must have. */
MUST_USE bool client_link_open(struct client_link *l, struct net_http *http,
	struct channel_identity *id, const uint8_t keep[32], struct err *e);
void client_link_close(struct client_link *l);

/* Carries what can be carried now.  *moved is set when some bytes were; fill
 * reads at most one block, and nothing when the channel has no room. */
MUST_USE bool client_link_flush(struct client_link *l, bool *moved,
	struct err *e);
MUST_USE bool client_link_fill(struct client_link *l, bool *moved,
	struct err *e);
/* What to poll for: POLLIN when it has room, POLLOUT when bytes wait. */
short client_link_events(const struct client_link *l);

#endif
