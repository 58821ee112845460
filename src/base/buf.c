/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"

uint8_t *buf_reserve(struct buf *b, size_t n)
{
	size_t need;
	if (b->failed || !size_add(b->len, n, &need) ||
		(b->limit && need > b->limit)) {
		b->failed = true;
		return NULL;
	}
	if (need > b->cap || !b->ptr) {
		size_t cap = b->cap ? b->cap : 64;
		while (cap < need)
			cap = cap > SIZE_MAX / 2 ? need : cap * 2;
		uint8_t *p = realloc(b->ptr, cap);
		if (!p) {
			b->failed = true;
			return NULL;
		}
		b->ptr = p;
		b->cap = cap;
	}
	return b->ptr + b->len;
}

void buf_commit(struct buf *b, size_t n)
{
	must(n <= b->cap - b->len);
	b->len += n;
}

bool buf_put(struct buf *b, struct bytes in)
{
	uint8_t *p = buf_reserve(b, in.len);
	if (!p)
		return false;
	if (in.len)
		memcpy(p, in.ptr, in.len);
	b->len += in.len;
	return true;
}

static bool put_le(struct buf *b, uint64_t v, size_t n)
{
	uint8_t raw[8];
	for (size_t i = 0; i < n; i++)
		raw[i] = (uint8_t)(v >> (8 * i));
	return buf_put(b, bytes_of(raw, n));
}

bool buf_u8(struct buf *b, uint8_t v)
{
	return put_le(b, v, 1);
}

bool buf_u16le(struct buf *b, uint16_t v)
{
	return put_le(b, v, 2);
}

bool buf_u32le(struct buf *b, uint32_t v)
{
	return put_le(b, v, 4);
}

bool buf_u64le(struct buf *b, uint64_t v)
{
	return put_le(b, v, 8);
}

bool buf_str(struct buf *b, const char *s)
{
	return buf_put(b, bytes_str(s));
}

bool buf_fmt(struct buf *b, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return false;
	}
	uint8_t *p = buf_reserve(b, (size_t)n + 1);
	if (!p)
		return false;
	va_start(ap, format);
	vsnprintf((char *)p, (size_t)n + 1, format, ap);
	va_end(ap);
	b->len += (size_t)n;
	return true;
}

void buf_consume(struct buf *b, size_t n)
{
	must(n <= b->len);
	b->len -= n;
	if (b->len && n)
		memmove(b->ptr, b->ptr + n, b->len);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

void buf_fini(struct buf *b)
{
	free(b->ptr);
	*b = (struct buf){ .limit = b->limit };
}

void buf_wipe(struct buf *b)
{
	if (b->ptr)
		explicit_bzero(b->ptr, b->cap);
	buf_fini(b);
}

const char *buf_cstr(struct buf *b)
{
	uint8_t *p = buf_reserve(b, 1);
	if (!p)
		return "";
	*p = '\0';
	return (const char *)b->ptr;
}
