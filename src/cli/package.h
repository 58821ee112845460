/* SPDX-License-Identifier: Apache-2.0 */
/* What the package commands share. */
#ifndef CLI_PACKAGE_H
#define CLI_PACKAGE_H

#include "cli/command.h"
#include "cli/progress.h"
#include "client/run.h"
#include "repository/sign.h"

struct cli_repository {
	struct repository *r;
	struct repository_trust trust;
	struct cli_progress progress;
	int signal_fd;
};

/* --ca, --plain-http, --net-timeout. */
MUST_USE bool cli_web(const struct cli_args *a, struct client_web *out,
	struct err *e);
MUST_USE bool cli_repository_open(const struct cli_args *a,
	struct cli_repository *out, struct err *e);
/* Closes it; the exit status: of e, or of the signal that ended it. */
int cli_repository_close(struct cli_repository *c, bool ok,
	const struct err *e);

#endif
