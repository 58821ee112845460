/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate that a TLS server shows, for who judges it himself. */
#ifndef NET_PEER_H
#define NET_PEER_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Connects to HOST:PORT, shakes hands (TLS 1.2 or newer), leaves.  Appends the
 * server's own certificate as PEM.  The handshake shows that the server has
 * the key; nothing else about it was checked.
 */
MUST_USE bool net_peer_certificate(const char *address, unsigned timeout_s,
	struct buf *pem, struct err *e);
/* Does a text read like HOST:PORT, [v6]:PORT? */
bool net_peer_is_address(const char *text);

#endif
