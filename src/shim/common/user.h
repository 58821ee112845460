/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec below a shim that is more privileged: its image, its memory, its
 * faults.  What differs with the ISA is in struct user_isa and in paging.h.  An
 * enclave's exec is beside its shim, and has a loader of its own (shim/sgx).
 */
#ifndef SHIM_COMMON_USER_H
#define SHIM_COMMON_USER_H

#include "abi/vm.h"
#include "base/err.h"
#include "shim/common/personality.h"
#include "shim/common/stack.h"

struct paging;

struct user_isa {
	uint16_t machine; /* of exec's file: ELF's e_machine */
	/* Where things lie, each at a random page of so many. */
	uint64_t image_low, image_pages;
	uint64_t stack_high, other_pages;
	/* What exec finds on its stack: hwcap, hwcap2, shim. */
	void (*tell)(struct stack_facts *f);
};
extern const struct user_isa user_isa;

struct user {
	struct paging *paging;
	struct space space;
	struct clock clock;
	struct random_source random;
	struct personality personality;
	bool fixed;	    /* a debug Keep: the image's place, too */
	uint64_t base, end; /* of exec's image */
	uint64_t entry, stack_pointer; /* to start with */
};

/* The one that a shim runs (boot.c). */
extern struct user shim_user;

/* exec in its memory, ready to be entered; page frames are.  Ends the Keep by
 * name. */
void user_boot(struct user *u, struct paging *p, const struct vm_hints *h);
/* Of that: loads exec's file; all else is ready. */
MUST_USE bool user_load(struct user *u, struct err *e);
/* exec needs a page that is not there; want: one of enum space_prot.  False: it
 * has no such right, or the page is there. */
bool user_touch(struct user *u, uint64_t at, uint8_t want);
/* exec's memory, for its calls. */
bool user_copy_out(struct user *u, uint64_t to, const void *from, size_t n);
bool user_copy_in(struct user *u, void *to, uint64_t from, size_t n);
/* In words, without an address: "exec+0x1234", "heap", ... */
void user_place(const struct user *u, uint64_t at, char out[48]);

#endif
