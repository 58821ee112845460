/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS below the HTTP API (GnuTLS, 1.2 and 1.3): ends it here and hands a
 * plain socket on.  It guards tokens and metadata on their way to the host
 * agent; what a tenant sends to her Keep is under the Keep's own TLS besides.
 * libmicrohttpd's own TLS is not used: a channel through it never hears that
 * its client is gone.
 */
#ifndef HOST_TLS_H
#define HOST_TLS_H

#include "base/log.h"
#include "host/loop.h"

struct tls;

/* Certificate chain and key in PEM. */
MUST_USE bool tls_open(const char *cert, const char *key, struct loop *loop,
	const struct log *log, struct tls **out, struct err *e);
/* Closes every connection. */
void tls_close(struct tls *t);

/*
 * Takes over the connection fd.  When its handshake is done, `ready` gets a
 * socket, to own, on which the plain bytes go both ways.
 */
void tls_accept(struct tls *t, int fd, void (*ready)(void *arg, int plain),
	void *arg);

/* Connections that are still to be closed. */
bool tls_busy(const struct tls *t);

#endif
