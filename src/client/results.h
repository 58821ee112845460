/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that come back from a Keep into the tenant's directories.  A program
 * chose their names and contents, and may have chosen them with care: paths
 * stay below their directory, no link on the way is followed, and a file
 * appears whole, under its name, or not at all.
 */
#ifndef CLIENT_RESULTS_H
#define CLIENT_RESULTS_H

#include "client/workload.h"
#include "crypto/hash.h"

struct client_results {
	const struct client_workload *w; /* borrowed; NULL: drop all */
	size_t files;
	uint64_t bytes;
	/* the file under way */
	int dir_fd, fd; /* -1: none */
	char temporary[32], name[256];
	uint8_t sha256[CRYPTO_SHA256_BYTES];
	uint64_t left, mtime_ns;
	struct crypto_hash *hash;
};

void client_results_init(struct client_results *r,
	const struct client_workload *w);
/* Removes what is incomplete. */
void client_results_fini(struct client_results *r);

/* FILE's and DATA's payloads, in the order that frame_step allows. */
MUST_USE bool client_results_file(struct client_results *r,
	struct bytes payload, struct err *e);
MUST_USE bool client_results_data(struct client_results *r,
	struct bytes payload, struct err *e);

#endif
