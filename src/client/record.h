/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tenant keeps of a Keep that she verified, so that she can come back
 * to it: where it is and which key it has.  One JSON file for each, mode
 * 0600, in $XDG_STATE_HOME/donjon/keeps.
 */
#ifndef CLIENT_RECORD_H
#define CLIENT_RECORD_H

#include "base/err.h"
#include "client/paths.h"

struct client_record {
	char id[33];
	char tee[17];
	char host[CLIENT_PATH_MAX];	  /* an agent's address */
	char host_ca[CLIENT_PATH_MAX];	  /* absolute, or "" */
	char token_file[CLIENT_PATH_MAX]; /* absolute, or "" */
	char program[129];
	char measurement[129];
	uint8_t spki_hash[32];
	bool software;
	uint64_t created; /* seconds since 1970 */
	bool exited;	  /* its program has ended, with this status: */
	uint8_t status;
};

MUST_USE bool client_record_save(const struct client_record *r, struct err *e);
/* By id, or by at least four of its first digits when they are one Keep's. */
MUST_USE bool client_record_find(const char *id, struct client_record *out,
	struct err *e);
/* Notes how the program ended.  Nothing if there is no such record. */
void client_record_exit(const char *id, uint8_t status);
void client_record_forget(const char *id);
/* What else is kept of a Keep lies beside its record, goes with it, and has
 * another suffix than ".json". */
MUST_USE bool client_record_path(const char *id, const char *suffix,
	char out[CLIENT_PATH_MAX], struct err *e);
/* All of them, oldest first; free() the list.  Damaged files are left out. */
MUST_USE bool client_record_list(struct client_record **out, size_t *count,
	struct err *e);

#endif
