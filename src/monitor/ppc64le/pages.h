/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose each page of 64 KiB of the guest's is, and the tables that say so.  A
 * plain guest's are all the host's.  A secure one's are secure, in memory that
 * only the monitor and QEMU have, unless the guest shared them; what the host
 * put into a page comes along when it is first used (UV_PAGE_IN).
 */
#ifndef MONITOR_PPC64LE_PAGES_H
#define MONITOR_PPC64LE_PAGES_H

#include "abi/monitor.h"
#include "monitor/ppc64le/radix.h"

enum page_state {
	PAGE_NORMAL, /* the host's, not used since the guest is secure */
	PAGE_SECURE,
	PAGE_SHARED,
};

/*
 * The page in which the guest's interrupt vectors are can't be executed where
 * it is: each of its interrupts is a hypervisor's first, and goes on at this
 * alias of it.  So `sc 2`, which QEMU takes for `sc`, arrives.
 */
#define PAGES_ALIAS (1ull << 45)

struct pages {
	struct radix radix;
	struct monitor_slot slots[MONITOR_SLOTS];
	uint64_t shared_hpa; /* where the shared file begins */
	uint64_t secure_hpa; /* where secure memory begins */
	uint8_t *states;     /* enum page_state, for each page of that */
	bool secure;
	uint64_t process_asked; /* the table that the guest itself wants */
};

enum page_turn {
	PAGE_MAPPED,  /* go on */
	PAGE_NOWHERE, /* no memory there */
	PAGE_REFUSED, /* there is, but not for that */
	PAGE_FULL,    /* no memory for tables */
};

/* `states`: zeroed. */
MUST_USE bool pages_init(struct pages *p, const struct monitor_box *box,
	uint64_t shared_hpa, uint8_t *states);
/* The guest used what is not mapped, or not for that. */
enum page_turn pages_fault(struct pages *p, uint64_t gra, bool execute);
/* Pages from gra on become secure with what is at `from`. */
enum monitor_result pages_in(struct pages *p, uint64_t gra, uint64_t count,
	const uint8_t *from);
/* From now on nothing is the host's, but what is shared. */
void pages_secure(struct pages *p);
/* All is the host's again, and what was secure is wiped. */
void pages_abort(struct pages *p);
/* Shares (zeroed), or takes back (zeroed), `count` pages from number `first`
 * on; false: not all of them are memory. */
MUST_USE bool pages_share(struct pages *p, uint64_t first, uint64_t count,
	bool shared);
void pages_unshare_all(struct pages *p);
/* The slot has changed: what it was is gone.  Of a secure guest no more than
 * where the host's half is. */
enum monitor_result pages_take_slot(struct pages *p, uint32_t n,
	const struct monitor_slot *slot);

#endif
