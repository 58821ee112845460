/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collateral on its way into a cache: what a file is, and whether a vendor
 * signed it, up to a pinned root.  Dates and revocation are for the verifier
 * to judge when it is used: an old list may be what a test needs.
 */
#ifndef ATTEST_VET_H
#define ATTEST_VET_H

#include "attest/bundle.h"

enum { ATTEST_VET_NAME = 192, ATTEST_WANTED_MAX = 16 };

struct attest_vetted {
	char name[ATTEST_VET_NAME]; /* of a file in a cache: unique, safe */
	const char *what;	    /* for people */
	int64_t from, to;	    /* seconds since 1970 */
	struct buf file;	    /* as it is to be kept */
};

/*
 * chain: certificates (PEM) that came with it; may be empty, where a vendor's
 * public ones will do.  ERR_DENIED: not signed by whom it must be; ERR_INPUT:
 * nothing that a cache keeps.
 */
MUST_USE bool attest_vet(struct bytes file, struct bytes chain,
	struct attest_vetted *out, struct err *e);
void attest_vetted_fini(struct attest_vetted *v);
/* When a file of a cache begins to hold, whoever signed it. */
bool attest_vet_begins(struct bytes file, int64_t *from);

/* Where a document is had from: a path below a vendor's service. */
enum attest_service { ATTEST_KDS, ATTEST_PCS };
struct attest_wanted {
	enum attest_service service;
	char path[512];
	/* Intel's own service has this one elsewhere: a whole address. */
	const char *elsewhere;
	const char *chain_header; /* in lower case; NULL: no chain comes */
};

/* What a verifier will want to judge this evidence. */
MUST_USE bool attest_wanted(const struct attest_bundle *b,
	struct attest_wanted out[ATTEST_WANTED_MAX], size_t *count,
	struct err *e);
/* The same by the name of a file in a cache; false when it is none. */
bool attest_wanted_again(const char *name, struct attest_wanted *out);

#endif
