/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts the donjon-keep process of one Keep with as little as it needs: its
 * own session and process group, no descriptor but standard error and its
 * control socket, no new privileges, small limits, and the kernel's promise
 * to kill it when donjond dies.  It leaves its user itself, once it has
 * opened what the Keep needs (docs/donjond.md, "Privileges").
 */
#ifndef HOST_SPAWN_H
#define HOST_SPAWN_H

#include <sys/types.h>

#include "base/err.h"

/* *sock: donjond's end of the control socket, non-blocking. */
MUST_USE bool spawn_keep(const char *program, pid_t *pid, int *sock,
	struct err *e);

/* Kills what the process group of a donjon-keep still holds. */
void spawn_kill(pid_t pid);

/*
 * The next child that ended, its process group killed first so that the
 * number cannot have been given to another.  False when none has.
 */
bool spawn_reap(pid_t *pid, int *status);

/* Makes orphans of a donjon-keep children of ours, to be reaped. */
void spawn_adopt(void);

#endif
