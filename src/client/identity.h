/* SPDX-License-Identifier: Apache-2.0 */
/* The tenant's owner key: what Keeps of hers obey. */
#ifndef CLIENT_IDENTITY_H
#define CLIENT_IDENTITY_H

#include "channel/channel.h"

/* Loads the key, making it on first use.  owner: SHA-256 of its SPKI. */
MUST_USE bool client_identity_open(struct channel_identity **out,
	uint8_t owner[32], struct err *e);

#endif
