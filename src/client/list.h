/* SPDX-License-Identifier: Apache-2.0 */
/* What there is: `donjon ps` and `donjon platform info`. */
#ifndef CLIENT_LIST_H
#define CLIENT_LIST_H

#include "base/buf.h"
#include "client/run.h"

/*
 * The Keeps of a host, or, without host->url, one's own wherever they are.
 * Appends a table, or one line of JSON.  Own Keeps that have gone are
 * forgotten.
 */
MUST_USE bool client_list_keeps(const struct client_host *host, bool json,
	struct buf *out, struct err *e);

/* Of a host, or, without host->url, of this machine (images: NULL for the
 * installed ones). */
MUST_USE bool client_list_platform(const struct client_host *host,
	const char *images, bool json, struct buf *out, struct err *e);

#endif
