/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is remembered of a location of the web, so that its contents need not
 * be fetched again while they stay the same: their digest, and the validators
 * (RFC 9110 §8.8) that the server gave.  A note lies under the SHA-256 of the
 * location, which may be a secret; a validator is printable ASCII, so that it
 * can go into a request.
 */
#ifndef REPOSITORY_WEB_NOTE_H
#define REPOSITORY_WEB_NOTE_H

#include "net/web.h"

struct repository_web_note {
	uint8_t digest[32];
	char etag[256], modified[64]; /* "": none */
};

/* From an answer's head; false when it is not to be remembered. */
bool repository_web_note_take(const struct net_web_answer *a,
	struct repository_web_note *out);
MUST_USE bool repository_web_note_parse(struct bytes in,
	struct repository_web_note *out, struct err *e);
MUST_USE bool repository_web_note_print(const struct repository_web_note *n,
	struct buf *out, struct err *e);
/* The header that asks whether it is still so. */
void repository_web_note_header(const struct repository_web_note *n,
	char out[300]);

#endif
