/* SPDX-License-Identifier: Apache-2.0 */
/* `donjon verify`: judges evidence from anywhere, now or at another time. */
#ifndef CLIENT_EXAMINE_H
#define CLIENT_EXAMINE_H

#include "base/buf.h"
#include "base/err.h"

struct client_examination {
	const char *subject; /* a file, "-", or HOST:PORT of a TLS server */
	const char *const *endorsements; /* files and folders */
	size_t endorsement_count;
	const char *policy, *images; /* NULL: the default ones */
	const char *time;	     /* RFC 3339; NULL: now */
	const char *report_data;     /* hexadecimal; NULL: none asked for */
	bool json, padded;
	/* Where endorsements are looked for that are missing; NULL: nowhere. */
	const char *cache;
};

/* Text or JSON is appended to `out`; *accepted is the verdict. */
MUST_USE bool client_examine(const struct client_examination *x,
	struct buf *out, bool *accepted, struct err *e);

#endif
