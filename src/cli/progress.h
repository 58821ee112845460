/* SPDX-License-Identifier: Apache-2.0 */
/* How far a transfer is: a bar with rate and time left on a terminal, one
 * line when it is done elsewhere, nothing when asked to be quiet. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "repository/repository.h"

struct cli_progress {
	bool quiet;
	/* ours */
	bool drawn;	 /* there is a bar to be wiped */
	uint64_t begin;	 /* ns; 0: nothing under way */
	uint64_t last;	 /* when it was drawn */
	uint64_t before; /* bytes that were there at the beginning */
};

/* A repository_config's progress; ctx is a struct cli_progress. */
void cli_progress(void *ctx, const struct repository_progress *p);

#endif
