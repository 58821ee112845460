/* SPDX-License-Identifier: Apache-2.0 */
/* The sections that version 2 of CONFIG has behind those of version 1. */
#ifndef CHANNEL_NETWORK_PRIV_H
#define CHANNEL_NETWORK_PRIV_H

#include "channel/frame.h"

/* False beyond a limit or without memory. */
bool frame_network_put(const struct frame_config *c, struct buf *out);
/* Allocates arrays into *c, also when it fails. */
MUST_USE bool frame_network_take(struct reader *r, struct frame_config *c,
	struct err *e);

#endif
