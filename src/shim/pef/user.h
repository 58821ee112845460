/* SPDX-License-Identifier: Apache-2.0 */
/* exec below the shim: its image, its memory, its faults. */
#ifndef SHIM_PEF_USER_H
#define SHIM_PEF_USER_H

#include "shim/common/personality.h"
#include "shim/pef/paging.h"
#include "shim/pef/traps.h"

struct user {
	struct paging *paging;
	struct space space;
	struct clock clock;
	struct random_source random;
	struct personality personality;
	uint64_t base, end;	       /* of exec's image */
	uint64_t entry, stack_pointer; /* to start with */
	uint8_t key[PEF_KEY_BYTES];    /* the owner's; exec's, once it runs */
};

extern struct user shim_user;

/* This is a debug Keep, which the measured head says: it hides nothing. */
bool shim_debug(void);
/* The window is the host's: it can be told. */
bool shim_booted(void);

/* Loads exec's file; the rest of `u` is ready. */
void user_load(struct user *u);
/* A page fault of exec's; false: it had no right. */
bool user_fault(struct user *u, uint64_t at, uint64_t error);
/* exec's memory, for its calls. */
bool user_copy_out(struct user *u, uint64_t to, const void *from, size_t n);
bool user_copy_in(struct user *u, void *to, uint64_t from, size_t n);
/* In words, without an address: "exec+0x1234", "heap", ... */
void user_place(const struct user *u, uint64_t at, char out[48]);

#endif
