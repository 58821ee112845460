/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to a host agent as a non-blocking byte stream: TCP, TLS
 * over TCP, or a Unix socket, by libcurl.  That TLS guards the access token
 * and the operator's bookkeeping; nothing of the tenant's rests on it.
 */
#ifndef NET_CONNECTION_H
#define NET_CONNECTION_H

#include "base/err.h"
#include "net/url.h"

struct net_connection;

struct net_connection_config {
	struct net_url url;
	const char *ca_file; /* PEM; NULL: the system's */
	int timeout_ms;	     /* to connect */
	int cancel_fd;	     /* give up when it becomes readable; -1 */
};

MUST_USE bool net_connection_open(const struct net_connection_config *cfg,
	struct net_connection **out, struct err *e);
void net_connection_close(struct net_connection *c);

/* To poll. */
int net_connection_fd(const struct net_connection *c);
/* Moves what can be moved now; *n may be 0.  recv: *end at end of file. */
MUST_USE bool net_connection_send(struct net_connection *c, struct bytes in,
	size_t *n, struct err *e);
MUST_USE bool net_connection_recv(struct net_connection *c, uint8_t *to,
	size_t room, size_t *n, bool *end, struct err *e);

#endif
