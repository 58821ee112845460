/* SPDX-License-Identifier: Apache-2.0 */
/* exec below the shim: its image, its memory, its faults. */
#ifndef SHIM_RISCV64_USER_H
#define SHIM_RISCV64_USER_H

#include "shim/common/personality.h"
#include "shim/riscv64/paging.h"

struct user {
	struct paging *paging;
	struct space space;
	struct clock clock;
	struct random_source random;
	struct personality personality;
	uint64_t base, end;	       /* of exec's image */
	uint64_t entry, stack_pointer; /* to start with */
};

extern struct user shim_user;

/* Loads exec's file; the rest of `u` is ready. */
void user_load(struct user *u);
/* A page fault of exec's; false: it had no right. */
bool user_fault(struct user *u, uint64_t at, enum cause cause);
/* exec's memory, for its calls. */
bool user_copy_out(struct user *u, uint64_t to, const void *from, size_t n);
bool user_copy_in(struct user *u, void *to, uint64_t from, size_t n);
/* In words, without an address: "exec+0x1234", "heap", ... */
void user_place(const struct user *u, uint64_t at, char out[48]);
/* The call with that number on riscv64. */
int64_t user_call(struct user *u, uint64_t number, const uint64_t args[6]);

#endif
