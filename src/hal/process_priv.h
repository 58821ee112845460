/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Technology `process`: the parts behind process.c.  A Keep is a child of the
 * loader, run from a sealed copy of its image, so that what was measured is
 * what runs.
 *
 * HAL_SANITIZED: exec is built with a sanitizer, whose run time wants the
 * dynamic loader, terabytes of address space and most system calls.  Then
 * seccomp, the limit of address space and the empty root are left out.
 */
#ifndef HAL_PROCESS_PRIV_H
#define HAL_PROCESS_PRIV_H

#include <sys/types.h>

#include "base/err.h"

#ifndef HAL_SANITIZED
#define HAL_SANITIZED 0
#endif

/* --- the image (process_image.c) ---------------------------------------- */

/* <image_dir>/process/exec, checked to be a program of this machine, in a
 * sealed memfd that can be run and, without a capability, not be read. */
MUST_USE bool process_image_load(const char *image_dir, int *memfd,
	struct err *e);
/* SHA-384 over the bytes of the memfd. */
MUST_USE bool process_image_measure(int memfd, uint8_t out[48], struct err *e);

/* --- the child (process_spawn.c) ---------------------------------------- */

struct process_spawn {
	int image, bell, area; /* become what abi/gate.h says */
	uint64_t memory_bytes;
	bool debug;
};

struct process_child {
	pid_t pid;
	int report;	/* ends when the child runs exec, or tells why not */
	uid_t uid;	/* its user, and the loader's from confine on */
	bool change_id; /* uid is one of its own: the loader was root */
};

/* Starts the child and does not wait for it. */
MUST_USE bool process_spawn(const struct process_spawn *s,
	struct process_child *c, struct err *e);
/* Waits until it runs exec, or fails with the step that failed. */
MUST_USE bool process_spawned(struct process_child *c, struct err *e);
/* Kills and reaps it; *status as of waitpid.  Nothing happens twice. */
void process_reap(struct process_child *c, int *status);

/* --- identity (process_id.c) -------------------------------------------- */

/* A user for this loader and its Keep alone, when this process may become
 * one; *change false: it may not, and stays who it is. */
void process_pick_user(uid_t *uid, bool *change);
/* Becomes user and group `id`, without supplementary groups. */
MUST_USE bool process_become(uid_t id, struct err *e);
/* Gives up every capability. */
MUST_USE bool process_drop_caps(struct err *e);

#endif
