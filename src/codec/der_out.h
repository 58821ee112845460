/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing DER (X.690 §10), from the inside out: contents first, in a buffer
 * of their own.  All append to `out`; check once, with buf_ok.
 */
#ifndef CODEC_DER_OUT_H
#define CODEC_DER_OUT_H

#include "base/buf.h"
#include "codec/der.h"

bool der_put(struct buf *out, uint8_t tag, struct bytes contents);
/* The same of a buffer, which is emptied. */
bool der_wrap(struct buf *out, uint8_t tag, struct buf *contents);
/* A non-negative INTEGER: big-endian, leading zeros allowed. */
bool der_put_unsigned(struct buf *out, struct bytes number);
bool der_put_uint(struct buf *out, uint64_t number);
/* A BIT STRING of whole bytes. */
bool der_put_bits(struct buf *out, struct bytes bits);
/* UTCTime or GeneralizedTime, as RFC 5280 §4.1.2.5 wants it. */
bool der_put_time(struct buf *out, int64_t seconds);

#endif
