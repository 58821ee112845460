/* SPDX-License-Identifier: Apache-2.0 */
#include "wasi/wasi_priv.h"

uint8_t *wasi_view(struct wasi_call *k, uint64_t at, uint64_t len)
{
	static uint8_t nothing;
	return len ? wasm_caller_memory(k->caller, at, len) : &nothing;
}

/* Bytes of a well-formed UTF-8 sequence at p; 0: there is none. */
static size_t utf8_step(const uint8_t *p, size_t left)
{
	static const struct {
		uint8_t mask, lead;
		uint32_t least;
	} forms[] = { { 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 },
		{ 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 } };
	for (size_t n = 0; n < ARRAY_LEN(forms); n++) {
		if ((p[0] & forms[n].mask) != forms[n].lead)
			continue;
		uint32_t c = p[0] & (uint8_t)~forms[n].mask;
		if (left < n + 1)
			return 0;
		for (size_t i = 1; i <= n; i++) {
			if ((p[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (p[i] & 0x3f);
		}
		if (c < forms[n].least || c > 0x10ffff ||
			(c >= 0xd800 && c < 0xe000))
			return 0;
		return n + 1;
	}
	return 0;
}

int wasi_path_text(struct wasi_call *k, uint32_t at, uint32_t len,
	struct bytes *out)
{
	const uint8_t *p = wasi_view(k, at, len);
	if (!p)
		return WASI_FAULT;
	if (len == 0)
		return WASI_NOENT;
	if (len > WASI_PATH_MAX)
		return WASI_NAMETOOLONG;
	for (size_t i = 0, n; i < len; i += n) {
		if (p[i] == 0)
			return WASI_INVAL;
		n = utf8_step(p + i, len - i);
		if (n == 0)
			return WASI_ILSEQ;
	}
	*out = bytes_of(p, len);
	return WASI_OK;
}

int wasi_text(struct wasi_call *k, uint32_t at, size_t max, struct bytes *out)
{
	uint64_t size = wasm_caller_memory_size(k->caller);
	uint64_t left = size > at ? size - at : 0;
	size_t room = left <= max ? (size_t)left : max + 1;
	const uint8_t *p = room ? wasi_view(k, at, room) : NULL;
	const uint8_t *end = p ? memchr(p, 0, room) : NULL;
	if (!end)
		return room > max ? WASI_NAMETOOLONG : WASI_FAULT;
	*out = bytes_of(p, (size_t)(end - p));
	return WASI_OK;
}

int wasi_iovs_get(struct wasi_call *k, uint32_t at, uint32_t count,
	struct wasi_iovs *out)
{
	const uint8_t *list = wasi_view(k, at, (uint64_t)count * IOVEC_BYTES);
	if (!list)
		return WASI_FAULT;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *one = list + i * IOVEC_BYTES;
		if (!wasi_view(k, get_le(one, 4), get_le(one + 4, 4)))
			return WASI_FAULT;
	}
	*out = (struct wasi_iovs){ k, at, count, WASI_MOVE_MAX };
	return WASI_OK;
}

bool wasi_iovs_next(struct wasi_iovs *v, uint8_t **ptr, size_t *len)
{
	while (v->left && v->room) {
		const uint8_t *one = wasi_view(v->k, v->at, IOVEC_BYTES);
		if (!one)
			return false;
		size_t n = (size_t)get_le(one + 4, 4);
		*ptr = wasi_view(v->k, get_le(one, 4), n);
		if (!*ptr)
			return false;
		v->at += IOVEC_BYTES;
		v->left--;
		*len = size_min(n, v->room);
		v->room -= *len;
		if (*len)
			return true;
	}
	return false;
}
