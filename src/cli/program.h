/* SPDX-License-Identifier: Apache-2.0 */
/* What `run` and `deploy` share: workload from configuration and command
 * line, the transcript of the steps, the end. */
#ifndef CLI_PROGRAM_H
#define CLI_PROGRAM_H

#include "cli/command.h"

/* url: NULL for an agent of our own. */
int cli_program(const struct cli_args *a, const char *url);
/* --host or $DONJON_HOST; NULL when there is neither. */
const char *cli_host(const struct cli_args *a);

#endif
