/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON between the agents: a door over jansson that refuses what a careless
 * reader would let pass: duplicate keys, more than 64 levels, more than about
 * a hundred thousand values (so that memory stays a few times the text), a NUL
 * in a string, trailing bytes, documents above the caller's limit, and, on
 * json_no_more, members that nobody asked for.
 */
#ifndef CODEC_JSON_H
#define CODEC_JSON_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

/* Before anything else, where files may not be opened: jansson would ask the
 * system for a seed of its own.  Any number; only the first one counts. */
void json_seed(uint64_t seed);
/* The caller owns *out (json_decref). */
MUST_USE bool json_parse(struct bytes in, size_t max, json_t **out,
	struct err *e);
/*
 * The bytes of one member's value in an object's text, exactly as they stand
 * (what a signature over a part of a document covers).  The text must be one
 * that json_parse accepts.  False when there is no such member.
 */
bool json_span(struct bytes object, const char *key, struct bytes *value);
/* Compact, one line, keys in insertion order.  What json_parse reads from it
 * equals v, numbers with a fraction too. */
MUST_USE bool json_print(const json_t *v, struct buf *out, struct err *e);

/*
 * Members of an object.  Each sets *out and returns true, or fails naming the
 * key: missing, wrong type, out of range.  The _opt kind leaves *out alone
 * when the key is absent.
 */
MUST_USE bool json_member_str(const json_t *o, const char *key, size_t max,
	const char **out, struct err *e);
MUST_USE bool json_member_str_opt(const json_t *o, const char *key, size_t max,
	const char **out, struct err *e);
MUST_USE bool json_member_u64(const json_t *o, const char *key, uint64_t min,
	uint64_t max, uint64_t *out, struct err *e);
MUST_USE bool json_member_u64_opt(const json_t *o, const char *key,
	uint64_t min, uint64_t max, uint64_t *out, struct err *e);
MUST_USE bool json_member_bool_opt(const json_t *o, const char *key, bool *out,
	struct err *e);
/* A hexadecimal string of exactly len bytes. */
MUST_USE bool json_member_hex(const json_t *o, const char *key, uint8_t *out,
	size_t len, struct err *e);
/* A base64 string of at most max bytes, appended to out. */
MUST_USE bool json_member_base64(const json_t *o, const char *key, size_t max,
	struct buf *out, struct err *e);
/* Fails naming the first member that is not in the NULL-terminated list. */
MUST_USE bool json_no_more(const json_t *o, const char *const *known,
	struct err *e);

#endif
