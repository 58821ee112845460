/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/cbor.h"

/* Additional information of the initial byte (RFC 8949 §3): up to 23 the
 * value itself, 24..27 a value of 1, 2, 4, 8 bytes. */
enum { INFO_1 = 24, INFO_2 = 25, INFO_4 = 26, INFO_8 = 27 };
enum { MAX_DEPTH = 16 };

bool cbor_put_head(struct buf *b, enum cbor_major major, uint64_t value)
{
	uint8_t info = INFO_8;
	size_t n = 8;
	if (value < INFO_1) {
		info = (uint8_t)value;
		n = 0;
	} else if (value <= UINT8_MAX) {
		info = INFO_1;
		n = 1;
	} else if (value <= UINT16_MAX) {
		info = INFO_2;
		n = 2;
	} else if (value <= UINT32_MAX) {
		info = INFO_4;
		n = 4;
	}
	uint8_t raw[9] = { (uint8_t)((unsigned)major << 5 | info) };
	for (size_t i = 0; i < n; i++)
		raw[1 + i] = (uint8_t)(value >> (8 * (n - 1 - i)));
	return buf_put(b, bytes_of(raw, 1 + n));
}

bool cbor_put_uint(struct buf *b, uint64_t value)
{
	return cbor_put_head(b, CBOR_UINT, value);
}

bool cbor_put_bytes(struct buf *b, struct bytes v)
{
	return cbor_put_head(b, CBOR_BYTES, v.len) && buf_put(b, v);
}

bool cbor_put_text(struct buf *b, const char *s)
{
	struct bytes v = bytes_str(s);
	return cbor_put_head(b, CBOR_TEXT, v.len) && buf_put(b, v);
}

/* Any head; the shortest form only, so 0..23 may not use a further byte. */
static uint64_t cbor_any_head(struct reader *r, unsigned *major)
{
	uint8_t first = reader_u8(r);
	unsigned info = first & 31u;
	*major = first >> 5;
	if (info < INFO_1)
		return r->failed ? 0 : info;
	if (info > INFO_8) {
		r->failed = true; /* reserved, or of indefinite length */
		return 0;
	}
	size_t n = (size_t)1 << (info - INFO_1);
	uint64_t v = reader_be(r, n);
	uint64_t least = n == 1 ? INFO_1 : (uint64_t)1 << (4 * n);
	if (v < least)
		r->failed = true;
	return r->failed ? 0 : v;
}

uint64_t cbor_head(struct reader *r, enum cbor_major major)
{
	unsigned found;
	uint64_t v = cbor_any_head(r, &found);
	if (found != (unsigned)major)
		r->failed = true;
	return r->failed ? 0 : v;
}

static struct bytes cbor_take(struct reader *r, uint64_t n)
{
	if (r->failed || n > reader_left(r)) {
		r->failed = true;
		return BYTES_NONE;
	}
	return reader_take(r, (size_t)n);
}

struct bytes cbor_bytes(struct reader *r)
{
	return cbor_take(r, cbor_head(r, CBOR_BYTES));
}

/* The length of the UTF-8 sequence at p, 0 when it is not one: no overlong
 * forms, no surrogates, nothing above U+10FFFF (RFC 3629 §4). */
static size_t utf8_len(const uint8_t *p, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t c = p[0];
	if (c < 0x80)
		return 1;
	size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0;
	if (!n || n > left || c > 0xf4)
		return 0;
	uint32_t v = c & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (p[i] & 0x3fu);
	}
	if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
		return 0;
	return n;
}

struct bytes cbor_text(struct reader *r)
{
	struct bytes t = cbor_take(r, cbor_head(r, CBOR_TEXT));
	for (size_t i = 0, n; i < t.len; i += n) {
		n = utf8_len(t.ptr + i, t.len - i);
		if (!n) {
			r->failed = true;
			return BYTES_NONE;
		}
	}
	return t;
}

bool cbor_next_is(const struct reader *r, enum cbor_major major)
{
	return reader_left(r) && r->in.ptr[r->at] >> 5 == (unsigned)major;
}

/* Map keys stand in bytewise order of their encodings, each once. */
static bool key_in_order(struct bytes before, struct bytes key)
{
	int c = memcmp(before.ptr, key.ptr, size_min(before.len, key.len));
	return c ? c < 0 : before.len < key.len;
}

/* What is left to read at one level of nesting. */
struct level {
	uint64_t items; /* of a map: keys and values */
	bool map;
	size_t key_at; /* where the key that is being read begins */
	struct bytes last_key;
};

/* An item just ended: closes every level that it completes. */
static size_t item_ended(struct reader *r, struct level *l, size_t depth)
{
	while (depth) {
		struct level *top = &l[depth - 1];
		if (top->map && top->items % 2 == 0) {
			struct bytes key = bytes_of(r->in.ptr + top->key_at,
				r->at - top->key_at);
			if (top->last_key.ptr &&
				!key_in_order(top->last_key, key))
				r->failed = true;
			top->last_key = key;
		}
		top->items--;
		top->key_at = r->at;
		if (top->items)
			break;
		depth--;
	}
	return depth;
}

/* Opens a level with n items; false when it has none and so has ended. */
static bool open_level(struct reader *r, struct level *l, size_t *depth,
	uint64_t n, bool map)
{
	/* Each item needs a byte: a count beyond that is a lie. */
	if (n > reader_left(r) / (map ? 2 : 1) || *depth == MAX_DEPTH) {
		r->failed = true;
		return false;
	}
	if (!n)
		return false;
	l[(*depth)++] = (struct level){ .items = map ? 2 * n : n,
		.map = map,
		.key_at = r->at };
	return true;
}

void cbor_skip(struct reader *r)
{
	struct level l[MAX_DEPTH];
	size_t depth = 0;
	do {
		unsigned major;
		bool opened = false;
		size_t at = r->at;
		uint64_t v = cbor_any_head(r, &major);
		switch (r->failed ? 7 : major) {
		case CBOR_UINT:
			break;
		case CBOR_BYTES:
			cbor_take(r, v);
			break;
		case CBOR_TEXT:
			r->at = at;
			cbor_text(r);
			break;
		case CBOR_ARRAY:
			opened = open_level(r, l, &depth, v, false);
			break;
		case CBOR_MAP:
			opened = open_level(r, l, &depth, v, true);
			break;
		case CBOR_TAG:
			opened = open_level(r, l, &depth, 1, false);
			break;
		default: /* negative, simple and floating: not ours */
			r->failed = true;
		}
		if (!opened && !r->failed)
			depth = item_ended(r, l, depth);
	} while (depth && !r->failed);
}
