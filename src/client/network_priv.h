/* SPDX-License-Identifier: Apache-2.0 */
/* What workload.c, network.c and the readers of Donjon.toml share. */
#ifndef CLIENT_NETWORK_PRIV_H
#define CLIENT_NETWORK_PRIV_H

#include "client/workload.h"

void client_network_fini(struct client_workload *w);

/* Takes "tls://" or "tcp://" from the beginning. */
const char *client_network_scheme(const char *text, enum frame_prot *prot);
/* 1 to 65535, "*" or FIRST-LAST. */
bool client_network_ports(const char *text, uint16_t *first, uint16_t *last);
/* The profile of sockets that do not say: [tls], made when it is not there. */
MUST_USE bool client_network_default(struct client_workload *w, size_t *profile,
	struct err *e);

#endif
