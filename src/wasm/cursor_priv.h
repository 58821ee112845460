/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounded reader, with WebAssembly's LEB128 (WebAssembly 2.0 §5.2.2).
 * The first thing that is wrong sticks in `why`; from then on every read
 * yields zero.
 */
#ifndef WASM_CURSOR_PRIV_H
#define WASM_CURSOR_PRIV_H

#include "base/bytes.h"

struct wasm_cursor {
	const uint8_t *at, *end;
	const uint8_t *start; /* of the whole module, for places in texts */
	const char *why;
	const uint8_t *bad; /* where it went wrong */
};

static inline void wasm_cursor_fail(struct wasm_cursor *c, const char *why)
{
	if (!c->why) {
		c->why = why;
		c->bad = c->at;
	}
	c->at = c->end;
}

static inline size_t wasm_cursor_left(const struct wasm_cursor *c)
{
	return (size_t)(c->end - c->at);
}

static inline uint8_t wasm_u8(struct wasm_cursor *c)
{
	if (c->at == c->end) {
		wasm_cursor_fail(c, "unexpected end");
		return 0;
	}
	return *c->at++;
}

/* The longer encodings; bits is the width of the value. */
uint64_t wasm_leb_u(struct wasm_cursor *c, unsigned bits);
int64_t wasm_leb_s(struct wasm_cursor *c, unsigned bits);

static inline uint32_t wasm_u32(struct wasm_cursor *c)
{
	if (c->at != c->end && *c->at < 0x80)
		return *c->at++;
	if (wasm_cursor_left(c) >= 2 && c->at[1] < 0x80) {
		c->at += 2;
		return (c->at[-2] & 0x7fu) | (uint32_t)c->at[-1] << 7;
	}
	return (uint32_t)wasm_leb_u(c, 32);
}

static inline uint64_t wasm_u64(struct wasm_cursor *c)
{
	if (c->at != c->end && *c->at < 0x80)
		return *c->at++;
	return wasm_leb_u(c, 64);
}

static inline int64_t wasm_signed(struct wasm_cursor *c, unsigned bits)
{
	if (c->at != c->end && *c->at < 0x80)
		return (int64_t)(*c->at++ ^ 0x40) - 0x40;
	if (wasm_cursor_left(c) >= 2 && c->at[1] < 0x80) {
		c->at += 2;
		uint32_t v = (c->at[-2] & 0x7fu) | (uint32_t)c->at[-1] << 7;
		return (int64_t)(v ^ 0x2000) - 0x2000;
	}
	return wasm_leb_s(c, bits);
}

static inline int32_t wasm_s32(struct wasm_cursor *c)
{
	return (int32_t)wasm_signed(c, 32);
}

static inline int64_t wasm_s33(struct wasm_cursor *c)
{
	return wasm_signed(c, 33);
}

static inline int64_t wasm_s64(struct wasm_cursor *c)
{
	return wasm_signed(c, 64);
}

/* n raw bytes, or an empty span. */
static inline struct bytes wasm_take(struct wasm_cursor *c, size_t n)
{
	if (n > wasm_cursor_left(c)) {
		wasm_cursor_fail(c, "unexpected end");
		return BYTES_NONE;
	}
	struct bytes b = bytes_of(c->at, n);
	c->at += n;
	return b;
}

static inline uint64_t wasm_le(struct wasm_cursor *c, size_t n)
{
	struct bytes b = wasm_take(c, n);
	uint64_t v = 0;
	for (size_t i = b.len; i-- > 0;)
		v = v << 8 | b.ptr[i];
	return v;
}

/* A name: a length and well-formed UTF-8. */
struct bytes wasm_name(struct wasm_cursor *c);

#endif
