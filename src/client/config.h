/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Donjon.toml: how a program wants to be run.  Unknown keys are errors that
 * name FILE:LINE:COLUMN.
 *
 *	module = "app.wasm"	# of a package; see repository/package.h
 *	args = ["--verbose"]
 *	[env]
 *	GREETING = "hello"
 *	[[files]]		# descriptors 0, 1, 2 in this order
 *	kind = "stdin"		# or "null"
 *	[[mounts]]		# folders of the package
 *	host = "data"		# below its root; without it: an empty one
 *	guest = "/data"
 *	mode = "ro"		# or "rw"
 *	[limits]
 *	memory = "64 MiB"	# or bytes
 *	time = 10		# seconds
 *	fuel = 1000000000	# instructions
 */
#ifndef CLIENT_CONFIG_H
#define CLIENT_CONFIG_H

#include "base/bytes.h"
#include "client/workload.h"

/* Adds to an empty workload; on failure it is in pieces, to be freed. */
MUST_USE bool client_config_parse(struct bytes toml, const char *file,
	struct client_workload *w, struct err *e);
MUST_USE bool client_config_read(const char *path, struct client_workload *w,
	struct err *e);

/* What `donjon config init` writes. */
const char *client_config_template(void);

#endif
