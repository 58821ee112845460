/* SPDX-License-Identifier: Apache-2.0 */
/* Hexadecimal and base64 (RFC 4648 §4, with padding, no line breaks).
 * Decoding is strict: any other character is an error that names its place.
 * Percent-encoding (RFC 3986 §2.1), where a '%' that begins none stays. */
#ifndef CODEC_HEX_H
#define CODEC_HEX_H

#include "base/buf.h"
#include "base/err.h"

/* Lower case, NUL-terminated; out has room for 2 * in.len + 1. */
void hex_encode(struct bytes in, char *out);
/* Exactly len bytes from 2 * len digits of either case. */
MUST_USE bool hex_decode(struct bytes text, uint8_t *out, size_t len,
	struct err *e);

bool base64_encode(struct bytes in, struct buf *out);
MUST_USE bool base64_decode(struct bytes text, struct buf *out, struct err *e);

bool percent_decode(const char *text, struct buf *out);

#endif
