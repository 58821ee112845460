/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks names up for a Keep's gate, in a process of its own: it may wait as
 * long as a name server takes, it parses what strangers answer, and it has
 * neither the Keep nor anything of the host agent's.  Ends with its parent.
 */
#ifndef HOST_NAMES_H
#define HOST_NAMES_H

#include <sys/types.h>

#include "base/err.h"
#include "host/gate_serve.h"

struct names {
	int fd; /* readable when an answer waits; -1: there is no process */
	pid_t pid;
};

/* All descriptors but the standard ones are closed in the process. */
MUST_USE bool names_start(struct names *n, struct err *e);
void names_stop(struct names *n);

/* False when too many wait already. */
bool names_ask(const struct names *n, uint32_t id, const char *name);
/* False when no answer waits.  A process that is gone answers nothing more:
 * *gone. */
bool names_take(const struct names *n, struct gate_answer *out, bool *gone);

#endif
