/* SPDX-License-Identifier: Apache-2.0 */
/* What `attach`, `logs` and `stop` share. */
#ifndef CLI_VISIT_H
#define CLI_VISIT_H

#include "cli/command.h"
#include "client/visit.h"

/* Returns the exit status; *end is set on success. */
int cli_visit(const struct cli_args *a, enum client_visit_kind kind,
	struct client_visit_end *end);

#endif
