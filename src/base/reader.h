/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounded cursor for untrusted bytes.  A read past the end yields zeros
 * and sticks, so that a parser is a plain list of fields with one check,
 * reader_done, at its end.  Spans it hands out borrow from the input.
 */
#ifndef BASE_READER_H
#define BASE_READER_H

#include "base/bytes.h"

struct reader {
	struct bytes in;
	size_t at;
	bool failed;
};

/* The next n bytes; an empty span when there are fewer. */
static inline struct bytes reader_take(struct reader *r, size_t n)
{
	if (r->failed || n > r->in.len - r->at) {
		r->failed = true;
		return BYTES_NONE;
	}
	struct bytes b = bytes_of(r->in.ptr ? r->in.ptr + r->at : NULL, n);
	r->at += n;
	return b;
}

static inline uint64_t reader_le(struct reader *r, size_t n)
{
	struct bytes b = reader_take(r, n);
	uint64_t v = 0;
	for (size_t i = b.ptr ? b.len : 0; i-- > 0;)
		v = v << 8 | b.ptr[i];
	return v;
}

static inline uint64_t reader_be(struct reader *r, size_t n)
{
	struct bytes b = reader_take(r, n);
	uint64_t v = 0;
	for (size_t i = 0; b.ptr && i < b.len; i++)
		v = v << 8 | b.ptr[i];
	return v;
}

static inline uint8_t reader_u8(struct reader *r)
{
	return (uint8_t)reader_le(r, 1);
}

static inline uint16_t reader_u16le(struct reader *r)
{
	return (uint16_t)reader_le(r, 2);
}

static inline uint32_t reader_u32le(struct reader *r)
{
	return (uint32_t)reader_le(r, 4);
}

static inline uint64_t reader_u64le(struct reader *r)
{
	return reader_le(r, 8);
}

static inline uint16_t reader_u16be(struct reader *r)
{
	return (uint16_t)reader_be(r, 2);
}

static inline uint32_t reader_u32be(struct reader *r)
{
	return (uint32_t)reader_be(r, 4);
}

/* Copies n bytes out; zeros on failure. */
static inline void reader_copy(struct reader *r, void *to, size_t n)
{
	struct bytes b = reader_take(r, n);
	if (b.ptr && b.len == n)
		memcpy(to, b.ptr, n);
	else
		memset(to, 0, n);
}

static inline size_t reader_left(const struct reader *r)
{
	return r->failed ? 0 : r->in.len - r->at;
}

/* Nothing failed and nothing is left over. */
MUST_USE static inline bool reader_done(const struct reader *r)
{
	return !r->failed && r->at == r->in.len;
}

#endif
