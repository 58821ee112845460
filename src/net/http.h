/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP/1.1 client that talks to host agents: JSON requests over one kept
 * connection, and that connection upgraded to a byte stream.  The agent is
 * untrusted: its answers are bounded in size, and a wait without any progress
 * ends.  For documents from the web there is repository/.
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "net/response.h"

struct net_http;

struct net_http_config {
	const char *url;     /* http://, https://, unix:///PATH */
	const char *ca_file; /* PEM for https; NULL: the system's */
	const char *token;   /* bearer token; NULL: none */
	const char *name;    /* in messages; NULL: the address */
	int timeout_ms;	     /* longest wait without progress; 0: 60 s */
	int cancel_fd;	     /* give up when it becomes readable; -1: none */
};

/*
 * Checks the address; connects when first needed, and again when the agent
 * closed the kept connection.  A token goes in clear to loopback and Unix
 * sockets only: elsewhere ERR_INPUT.
 */
MUST_USE bool net_http_open(const struct net_http_config *cfg,
	struct net_http **out, struct err *e);
void net_http_close(struct net_http *h);
/* How the address reads in messages: "host:7443", "/run/donjond.sock". */
const char *net_http_name(const struct net_http *h);

/* Connects now, so that a later request finds it done. */
MUST_USE bool net_http_connect(struct net_http *h, struct err *e);

/*
 * One request and its answer; `body` (JSON) may be empty.  response->body.limit
 * bounds the answer.  Any status is a success here.
 */
MUST_USE bool net_http_call(struct net_http *h, const char *method,
	const char *path, struct bytes body, struct net_response *response,
	struct err *e);
/* The same in two halves, for who has something to do meanwhile. */
MUST_USE bool net_http_send(struct net_http *h, const char *method,
	const char *path, struct bytes body, struct err *e);
MUST_USE bool net_http_receive(struct net_http *h,
	struct net_response *response, struct err *e);

/*
 * GET path with an Upgrade to `protocol`.  When response->status is 101 the
 * connection is a byte stream from here on; otherwise it is not, and the
 * response says why.
 */
MUST_USE bool net_http_upgrade(struct net_http *h, const char *path,
	const char *protocol, struct net_response *response, struct err *e);

/* --- the byte stream, after an upgrade; never blocks -------------------- */

int net_http_fd(const struct net_http *h); /* to poll */
/* May be 0 bytes: not now. */
MUST_USE bool net_http_write(struct net_http *h, struct bytes in, size_t *n,
	struct err *e);
/*
 * *n 0 and not *end: nothing now.  A layer below may hold bytes that poll
 * does not see: read until 0 before polling.
 */
MUST_USE bool net_http_read(struct net_http *h, uint8_t *to, size_t room,
	size_t *n, bool *end, struct err *e);

#endif
