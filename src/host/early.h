/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client may send its first bytes before the answer to its upgrade: they
 * are then in our hands, not in its socket's, and must reach the Keep first.
 * In that rare case its connection is relayed.
 */
#ifndef HOST_EARLY_H
#define HOST_EARLY_H

#include "base/bytes.h"
#include "base/err.h"
#include "host/loop.h"

struct early;

struct earlies {
	struct early *first;
};

/* Relays sock, which is only borrowed; *fd: what to give the Keep instead,
 * the caller's to close. */
MUST_USE bool early_start(struct earlies *all, struct loop *loop, int sock,
	struct bytes bytes, int *fd, struct err *e);
void earlies_stop(struct earlies *all);

#endif
