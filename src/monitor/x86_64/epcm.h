/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enclave page cache map (SDM, volume 3D, §33.5.3 and the "Operation" of
 * each instruction): for each page of the enclave, where it is and what may
 * be done to it.  No access goes to such a page that epcm_check does not
 * allow.  One enclave; a second set of tables finds a page by its address.
 */
#ifndef MONITOR_X86_64_EPCM_H
#define MONITOR_X86_64_EPCM_H

#include "base/base.h"
#include "monitor/x86_64/npt.h"
#include "spec/sgx_enclave.h"

struct epcm_entry {
	uint64_t address;
	uint8_t valid;
	uint8_t type;	/* enum sgx_page_type */
	uint8_t rights; /* SGX_PAGE_R ... */
	uint8_t pending, modified, restricted;
	uint8_t reserved_0e[2];
};
LAYOUT_SIZE(struct epcm_entry, 16);

struct epcm {
	struct epcm_entry *entries;
	uint64_t begin, end;  /* physical addresses of the pages */
	uint64_t hint;	      /* no page below it is free */
	struct npt *tables;   /* whose memory tables are made of */
	uint64_t root;	      /* addresses to pages */
	uint64_t base, bytes; /* the enclave's range */
};

/* False: no memory for tables. */
MUST_USE bool epcm_init(struct epcm *m, struct npt *tables);
/* The entry of the page at that address, NULL: none. */
struct epcm_entry *epcm_find(const struct epcm *m, uint64_t address);
/* Where an entry's page is. */
uint64_t epcm_page(const struct epcm *m, const struct epcm_entry *p);

/* --- the kernel's: ENCLS ------------------------------------------------- */

enum epcm_added { EPCM_ADDED, EPCM_THERE, EPCM_FULL, EPCM_WRONG };

/* EADD: *page gets where it is.  flags: SECINFO. */
enum epcm_added epcm_add(struct epcm *m, uint64_t address, uint64_t flags,
	uint64_t *page);
/* EAUG. */
enum epcm_added epcm_augment(struct epcm *m, uint64_t address, uint64_t *page);
/* EMODPR, EMODT, EREMOVE: an enum sgx_error. */
enum sgx_error epcm_restrict(struct epcm *m, uint64_t address, uint64_t rights);
enum sgx_error epcm_retype(struct epcm *m, uint64_t address,
	enum sgx_page_type type);
enum sgx_error epcm_remove(struct epcm *m, uint64_t address);

/* --- the enclave's ------------------------------------------------------- */

/* An access with those rights to an ordinary page. */
bool epcm_check(const struct epcm_entry *p, uint64_t rights);
/* EACCEPT of what epcm_accept_legal allows. */
enum sgx_error epcm_accept(struct epcm_entry *p, uint64_t flags);
/* What EACCEPT may be asked for at all; else #GP. */
bool epcm_accept_legal(uint64_t flags);
/* EMODPE; false: #PF. */
bool epcm_extend(struct epcm_entry *p, uint64_t flags);
/* EACCEPTCOPY's target. */
enum sgx_error epcm_accept_copy(struct epcm_entry *p, uint64_t flags);

#endif
