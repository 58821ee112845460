/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Donjon.toml: how a program wants to be run (docs/config.md).  What is wrong
 * is an error that names FILE:LINE:COLUMN and says what was expected; unknown
 * keys are errors.  Nothing that it names is opened here.
 */
#ifndef CLIENT_CONFIG_H
#define CLIENT_CONFIG_H

#include "base/bytes.h"
#include "client/workload.h"

/*
 * Adds to an empty workload; on failure it is in pieces, to be freed.
 * Relative paths begin at the file's folder.  packaged: it came with a
 * package, whose paths are those of the package and whose author is nobody
 * the tenant's files are for.
 */
MUST_USE bool client_config_parse(struct bytes toml, const char *file,
	bool packaged, struct client_workload *w, struct err *e);
MUST_USE bool client_config_read(const char *path, struct client_workload *w,
	struct err *e);

/* "limits.files=\"1 GiB\"": one key more, or in place of what was said. */
MUST_USE bool client_config_set(const char *text, struct client_workload *w,
	struct err *e);

/* What `donjon config init` writes. */
const char *client_config_template(void);

#endif
