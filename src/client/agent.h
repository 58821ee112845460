/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host agent of our own, for one run on this machine: donjond on a Unix
 * socket in a private directory.  It ends with us, whatever ends us.
 */
#ifndef CLIENT_AGENT_H
#define CLIENT_AGENT_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

#define CLIENT_AGENT_NAME "this machine"

struct client_agent {
	pid_t pid; /* 0: not running */
	int ready_fd, log_fd;
	char dir[100], socket[108], url[120];
};

/* Starts it and does not wait.  images: NULL for the installed ones. */
MUST_USE bool client_agent_start(struct client_agent *a, const char *images,
	struct err *e);
/* Until it listens at a->url; gives up when cancel_fd becomes readable. */
MUST_USE bool client_agent_wait(struct client_agent *a, int cancel_fd,
	struct err *e);
/* Takes its socket off the disk: whoever is connected stays so, and nothing is
 * left behind even when we are killed. */
void client_agent_hide(struct client_agent *a);
/* Ends it, waits for its end and removes what it left; accepts all-zero. */
void client_agent_stop(struct client_agent *a);
/* What it logged so far; at most a few KiB. */
bool client_agent_log(const struct client_agent *a, struct buf *out);

#endif
