/* SPDX-License-Identifier: Apache-2.0 */
/* PEM (RFC 7468, strictly base64 between its lines), block by block. */
#ifndef CODEC_PEM_H
#define CODEC_PEM_H

#include "base/buf.h"
#include "base/err.h"
#include "base/reader.h"

/* True when the next block is a LABEL ("CERTIFICATE"); does not move. */
bool pem_next_is(const struct reader *text, const char *label);
/* Takes the next block, which must be a LABEL; its DER is appended. */
MUST_USE bool pem_next(struct reader *text, const char *label, struct buf *der,
	struct err *e);
/* Appends a block, in lines of 64 characters. */
bool pem_put(struct buf *out, const char *label, struct bytes der);
/* Nothing but white space is left. */
bool pem_done(const struct reader *text);

#endif
