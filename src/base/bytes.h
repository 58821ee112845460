/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A span of bytes that somebody else owns.  A pointer never travels without
 * its length.  Who keeps a span beyond a call says so in its header.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include "base/base.h"

struct bytes {
	const uint8_t *ptr;
	size_t len;
};

#define BYTES_NONE ((struct bytes){ NULL, 0 })
/* The characters of a string literal, without its NUL. */
#define BYTES_LIT(s) ((struct bytes){ (const uint8_t *)("" s), sizeof(s) - 1 })
/* The whole of an array. */
#define BYTES_ARRAY(a) ((struct bytes){ (const uint8_t *)(a), sizeof(a) })

static inline struct bytes bytes_of(const void *ptr, size_t len)
{
	return (struct bytes){ (const uint8_t *)ptr, len };
}

/* A NUL-terminated string as a span, NUL left out. */
static inline struct bytes bytes_str(const char *s)
{
	return bytes_of(s, strlen(s));
}

/* Not constant-time: for secrets use crypto_equal. */
static inline bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || !memcmp(a.ptr, b.ptr, a.len));
}

/* The part from `from` on; empty when `from` is past the end. */
static inline struct bytes bytes_from(struct bytes b, size_t from)
{
	if (from > b.len)
		from = b.len;
	return bytes_of(b.ptr ? b.ptr + from : NULL, b.len - from);
}

static inline bool bytes_all_zero(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.ptr[i])
			return false;
	return true;
}

#endif
