/* SPDX-License-Identifier: Apache-2.0 */
/* Where the host agent listens: TCP addresses and one Unix socket. */
#ifndef HOST_LISTEN_H
#define HOST_LISTEN_H

#include "base/err.h"

/*
 * A listening TCP socket at "HOST:PORT" or "[V6]:PORT"; port 0 lets the
 * kernel choose.  *loopback: only this machine can reach it.  `bound` gets
 * the address as numbers.
 */
MUST_USE bool listen_tcp(const char *address, int *fd, bool *loopback,
	char *bound, size_t size, struct err *e);

/* A Unix socket of mode 0600.  Takes over the path from an agent that died,
 * never from one that answers, and never from what is no socket. */
MUST_USE bool listen_unix(const char *path, int *fd, struct err *e);
/* Closes it and removes its name. */
void listen_unix_end(const char *path, int fd);

#endif
