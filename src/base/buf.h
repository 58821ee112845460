/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer that owns its memory (heap; not for shims).
 * All-zero is an empty buffer without a limit.  With .limit set (bytes), an
 * append beyond it fails, and so does one that finds no memory: the buffer
 * is then unchanged and `failed` sticks, so that a writer may append many
 * fields and check once with buf_ok.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/bytes.h"

struct buf {
	uint8_t *ptr;
	size_t len, cap, limit;
	bool failed;
};

/* Makes room for n more bytes and returns where they go, without counting
 * them (buf_commit does); NULL on failure. */
uint8_t *buf_reserve(struct buf *b, size_t n);
void buf_commit(struct buf *b, size_t n);

bool buf_put(struct buf *b, struct bytes in);
bool buf_u8(struct buf *b, uint8_t v);
bool buf_u16le(struct buf *b, uint16_t v);
bool buf_u32le(struct buf *b, uint32_t v);
bool buf_u64le(struct buf *b, uint64_t v);
bool buf_str(struct buf *b, const char *s);
bool buf_fmt(struct buf *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Drops the first n bytes (n <= len), moving the rest down. */
void buf_consume(struct buf *b, size_t n);
/* Empties it and keeps its memory. */
void buf_clear(struct buf *b);
/* Frees; _wipe also overwrites first.  Both leave an all-zero buffer. */
void buf_fini(struct buf *b);
void buf_wipe(struct buf *b);

static inline bool buf_ok(const struct buf *b)
{
	return !b->failed;
}

static inline struct bytes buf_bytes(const struct buf *b)
{
	return bytes_of(b->ptr, b->len);
}

/* The contents as a C string, valid until the next change; "" on failure. */
const char *buf_cstr(struct buf *b);

#define auto_buf      __attribute__((cleanup(buf_fini))) struct buf
#define auto_wipe_buf __attribute__((cleanup(buf_wipe))) struct buf

#endif
