/* SPDX-License-Identifier: Apache-2.0 */
/* What a workload's kinds of TLS rest on: certificates of authorities, a
 * certificate of the tenant's own and its key, a policy for Keeps. */
#ifndef CLIENT_TRUST_H
#define CLIENT_TRUST_H

#include "client/verify.h"
#include "client/workload.h"

/*
 * Reads what each profile names; where servers are to be known and nothing
 * says how, this machine's own authorities ($SSL_CERT_FILE, or the system's).
 * images: for policies that say "release".
 */
MUST_USE bool client_trust_load(struct client_workload *w, const char *images,
	struct err *e);

#endif
