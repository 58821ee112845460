/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intel's Quote Generation Service (docs/tee/tdx.md), or another service that
 * speaks as it does.  What it says is a host's word: a lie makes evidence that
 * nobody accepts.
 *
 * A connection carries one request.  The loader may connect to nothing any
 * more once it is confined: the one for the quote is made before.
 */
#ifndef HAL_QGS_H
#define HAL_QGS_H

#include "base/buf.h"
#include "base/err.h"

#define QGS_SOCKET "/var/run/tdx-qgs/qgs.socket"

enum { QGS_QUOTE_MAX = 64 << 10 };

/* Connects to a Unix socket, or to "vsock:CID:PORT"; *fd is the caller's. */
MUST_USE bool qgs_open(const char *where, int *fd, struct err *e);
/* Quotes a report of 1024 bytes; appended. */
MUST_USE bool qgs_quote(int fd, struct bytes report, struct buf *quote,
	struct err *e);
/* What it answers, without its length before it; quote: a span of it. */
MUST_USE bool qgs_answer_parse(struct bytes in, struct bytes *quote,
	struct err *e);

#endif
