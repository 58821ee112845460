/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading DER (X.690 §10): definite lengths in their shortest form, tags of
 * one byte.  As with reader.h, what does not fit sticks in the reader, and
 * spans borrow from the input.
 */
#ifndef CODEC_DER_H
#define CODEC_DER_H

#include "base/reader.h"

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_IA5_STRING = 0x16,
	DER_UTC_TIME = 0x17,
	DER_TIME = 0x18, /* GeneralizedTime */
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT_0 = 0xa0, /* constructed, context-specific */
	DER_CONTEXT_3 = 0xa3,
};

/* True when the next value has that tag; does not move. */
bool der_next_is(const struct reader *r, uint8_t tag);
/* The contents of the next value, which must have that tag. */
struct bytes der_take(struct reader *r, uint8_t tag);
/* The same with its tag and length. */
struct bytes der_whole(struct reader *r, uint8_t tag);
/* The contents of the next value, whatever it is. */
struct bytes der_any(struct reader *r, uint8_t *tag);
/* A reader of the contents of the next value. */
struct reader der_enter(struct reader *r, uint8_t tag);

/* An INTEGER's contents in their shortest form, negative ones refused. */
struct bytes der_unsigned(struct reader *r);
/* The same as a number below 2^64. */
uint64_t der_uint(struct reader *r);
/* A BIT STRING of whole bytes. */
struct bytes der_bits(struct reader *r);
/* UTCTime or GeneralizedTime as RFC 5280 §4.1.2.5 has them (Zulu, whole
 * seconds), in seconds since 1970. */
int64_t der_time(struct reader *r);

#endif
