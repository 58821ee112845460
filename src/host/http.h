/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP side of the host agent (docs/protocol.md, "HTTP API") over
 * libmicrohttpd, in the caller's event loop.  It takes connections that
 * somebody else accepted, all of them plain: a TLS listener hands in one end
 * of a socketpair.  Bodies, tokens and queries never reach the log.
 */
#ifndef HOST_HTTP_H
#define HOST_HTTP_H

#include "base/log.h"
#include "hal/hal.h"
#include "host/keeps.h"
#include "host/loop.h"
#include "host/token.h"

enum { HTTP_STATUSES = 14 };
extern const unsigned http_statuses[HTTP_STATUSES]; /* 0 at its end: other */

struct http_totals {
	uint64_t answers[HTTP_STATUSES];
	uint64_t evicted;
	unsigned connections;
};

struct http_config {
	struct loop *loop; /* all are borrowed */
	const struct log *log;
	struct keeps *keeps;
	const struct hal_config *hal;
	const struct token *token; /* empty: no access control */
};

struct http;

MUST_USE bool http_open(const struct http_config *cfg, struct http **out,
	struct err *e);
/* Only when no request waits and no channel is open. */
void http_close(struct http *h);

/* Takes over the connected socket fd. */
void http_add(struct http *h, int fd);
/* Before each turn of the loop: true when it has more to do at once. */
bool http_run(struct http *h);
/* From now on new Keeps and channels are refused with 503. */
void http_stopping(struct http *h);
/* A request is being answered. */
bool http_busy(const struct http *h);

#endif
