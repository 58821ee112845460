/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where workloads come from.  A reference is a file's path, file:// and an
 * absolute path, or https:// and a location; `#sha256=HEX` behind a location
 * pins its contents.  Everything is bounded in size; what the web sends is
 * untrusted, https only, through redirects as well.
 */
#ifndef REPOSITORY_REPOSITORY_H
#define REPOSITORY_REPOSITORY_H

#include "base/buf.h"
#include "base/err.h"

struct repository_config {
	size_t max_bytes;    /* of one document */
	const char *ca_file; /* PEM for https; NULL: $SSL_CERT_FILE or the
			      * system's */
	int cancel_fd;	     /* give up when it becomes readable; -1 */
};

/* Appends the whole document to `out`. */
MUST_USE bool repository_fetch(const struct repository_config *cfg,
	const char *reference, struct buf *out, struct err *e);

/* The same for a plain file, "-" being standard input. */
MUST_USE bool repository_read_file(const char *path, size_t max_bytes,
	struct buf *out, struct err *e);

/* How a reference reads in messages: its last component, nothing behind '#'
 * or '?'.  Borrows from it. */
struct bytes repository_name(const char *reference);

#endif
