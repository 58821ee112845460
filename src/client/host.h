/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to a host agent from what the command line says. */
#ifndef CLIENT_HOST_H
#define CLIENT_HOST_H

#include "client/run.h"
#include "net/http.h"

/* The token comes from token_file or $DONJON_TOKEN; none is fine. */
MUST_USE bool client_host_open(const struct client_host *host, int cancel_fd,
	struct net_http **out, struct err *e);

#endif
