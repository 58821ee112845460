/* SPDX-License-Identifier: Apache-2.0 */
/* How commands talk to people: on standard error, in colour on terminals that
 * have it, unless $NO_COLOR is set. */
#ifndef CLI_SAY_H
#define CLI_SAY_H

#include "base/buf.h"
#include "base/err.h"
#include "cli/command.h"

bool cli_colour(void);
/* "donjon: TEXT"; returns the exit status for it. */
int cli_fail(const struct err *e);
/* "donjon COMMAND: TEXT" and where to look; returns 2. */
int cli_misuse(const char *command, const char *text);
/* To standard output, whole; the exit status. */
int cli_print(struct bytes text);
/* To a file that is not there yet, or by --force in its place, or, as "-", to
 * standard output; says so; the exit status. */
int cli_write_new(const struct cli_args *a, const char *path,
	struct bytes text);
/* The signals that end a command in order, as a descriptor; -1: failed. */
int cli_signals(void);

#endif
