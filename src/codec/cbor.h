/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deterministic CBOR (RFC 8949 §4.2.1): unsigned integers, byte and text
 * strings, arrays, maps, tags; shortest heads, definite lengths.  Reading
 * refuses everything else, so that a value has one encoding only.
 */
#ifndef CODEC_CBOR_H
#define CODEC_CBOR_H

#include "base/buf.h"
#include "base/reader.h"

enum cbor_major {
	CBOR_UINT = 0,
	CBOR_BYTES = 2,
	CBOR_TEXT = 3,
	CBOR_ARRAY = 4,
	CBOR_MAP = 5,
	CBOR_TAG = 6,
};

bool cbor_put_head(struct buf *b, enum cbor_major major, uint64_t value);
bool cbor_put_uint(struct buf *b, uint64_t value);
bool cbor_put_bytes(struct buf *b, struct bytes v);
bool cbor_put_text(struct buf *b, const char *s);

/* The head of the next item if it is of that major type; else the reader
 * fails (r->failed) and the result is 0.  Non-shortest heads fail too. */
uint64_t cbor_head(struct reader *r, enum cbor_major major);
struct bytes cbor_bytes(struct reader *r);
struct bytes cbor_text(struct reader *r);
/* True when the next item has that major type; does not move. */
bool cbor_next_is(const struct reader *r, enum cbor_major major);
/* Steps over one whole item, nested at most 16 deep; else fails. */
void cbor_skip(struct reader *r);

#endif
