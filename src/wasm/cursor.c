/* SPDX-License-Identifier: Apache-2.0 */
#include "wasm/cursor_priv.h"

uint64_t wasm_leb_u(struct wasm_cursor *c, unsigned bits)
{
	uint64_t v = 0;
	for (unsigned shift = 0;; shift += 7) {
		uint8_t b = wasm_u8(c);
		if (c->why)
			return 0;
		unsigned room = bits - shift;
		if (room < 7 && (b & 0x7f) >> room) {
			wasm_cursor_fail(c,
				b & 0x80 ? "integer representation too long" :
					   "integer too large");
			return 0;
		}
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return v;
		if (room <= 7) {
			wasm_cursor_fail(c, "integer representation too long");
			return 0;
		}
	}
}

int64_t wasm_leb_s(struct wasm_cursor *c, unsigned bits)
{
	uint64_t v = 0;
	for (unsigned shift = 0;; shift += 7) {
		uint8_t b = wasm_u8(c);
		if (c->why)
			return 0;
		unsigned room = bits - shift;
		if (room <= 7 && (b & 0x80)) {
			wasm_cursor_fail(c, "integer representation too long");
			return 0;
		}
		if (room < 7) {
			/* The bits above the value repeat its sign. */
			unsigned top = (b & 0x7fu) >> (room - 1);
			if (top != 0 && top != 0x7fu >> (room - 1)) {
				wasm_cursor_fail(c, "integer too large");
				return 0;
			}
		}
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80)) {
			if (shift + 7 < 64 && (b & 0x40))
				v |= UINT64_MAX << (shift + 7);
			return (int64_t)v;
		}
	}
}

/* The length of the sequence that starts at p, 0 when it is not UTF-8. */
static size_t utf8_len(const uint8_t *p, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = p[0] < 0x80	      ? 1 :
		(p[0] & 0xe0) == 0xc0 ? 2 :
		(p[0] & 0xf0) == 0xe0 ? 3 :
		(p[0] & 0xf8) == 0xf0 ? 4 :
					0;
	if (!n || n > left)
		return 0;
	if (n == 1)
		return 1;
	uint32_t v = p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (p[i] & 0x3f);
	}
	if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
		return 0;
	return n;
}

struct bytes wasm_name(struct wasm_cursor *c)
{
	struct bytes b = wasm_take(c, wasm_u32(c));
	for (size_t i = 0; i < b.len;) {
		size_t n = utf8_len(b.ptr + i, b.len - i);
		if (!n) {
			wasm_cursor_fail(c, "malformed UTF-8 encoding");
			return BYTES_NONE;
		}
		i += n;
	}
	return b;
}
