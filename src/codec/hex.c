/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/hex.h"

void hex_encode(struct bytes in, char *out)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < in.len; i++) {
		out[2 * i] = digits[in.ptr[i] >> 4];
		out[2 * i + 1] = digits[in.ptr[i] & 15];
	}
	out[2 * in.len] = '\0';
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(struct bytes text, uint8_t *out, size_t len, struct err *e)
{
	size_t digits;
	if (!size_mul(len, 2, &digits) || text.len != digits)
		return err_fail(e, ERR_INPUT,
			"hex: %zu characters, expected %zu digits", text.len,
			2 * len);
	for (size_t i = 0; i < text.len; i++)
		if (hex_digit(text.ptr[i]) < 0)
			return err_fail(e, ERR_INPUT,
				"hex: character %zu is not a digit", i + 1);
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(hex_digit(text.ptr[2 * i]) << 4 |
			hex_digit(text.ptr[2 * i + 1]));
	return true;
}

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool base64_encode(struct bytes in, struct buf *out)
{
	size_t groups = in.len / 3 + (in.len % 3 != 0), n;
	uint8_t *to = size_mul(groups, 4, &n) ? buf_reserve(out, n) : NULL;
	if (!to) {
		out->failed = true;
		return false;
	}
	for (size_t i = 0; i < in.len; i += 3) {
		size_t left = size_min(in.len - i, 3);
		uint32_t v = (uint32_t)in.ptr[i] << 16;
		if (left > 1)
			v |= (uint32_t)in.ptr[i + 1] << 8;
		if (left > 2)
			v |= in.ptr[i + 2];
		*to++ = (uint8_t)base64_digits[v >> 18];
		*to++ = (uint8_t)base64_digits[v >> 12 & 63];
		*to++ = left > 1 ? (uint8_t)base64_digits[v >> 6 & 63] : '=';
		*to++ = left > 2 ? (uint8_t)base64_digits[v & 63] : '=';
	}
	buf_commit(out, n);
	return true;
}

static int base64_digit(uint8_t c)
{
	static int8_t const from_plus[] = { 62, -1, -1, -1, 63, 52, 53, 54, 55,
		56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1, -1, -1, 0, 1, 2, 3,
		4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
		21, 22, 23, 24, 25, -1, -1, -1, -1, -1, -1, 26, 27, 28, 29, 30,
		31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46,
		47, 48, 49, 50, 51 };
	unsigned at = (unsigned)c - '+';
	return at < ARRAY_LEN(from_plus) ? from_plus[at] : -1;
}

/* How many of the last group's characters are padding; the bits that padding
 * cuts off must be zero, so that bytes have one encoding only. */
static bool base64_check(struct bytes text, size_t *pad, struct err *e)
{
	*pad = 0;
	if (text.len % 4)
		return err_fail(e, ERR_INPUT,
			"base64: length %zu is not a multiple of 4", text.len);
	while (*pad < 2 && *pad < text.len &&
		text.ptr[text.len - 1 - *pad] == '=')
		++*pad;
	for (size_t i = 0; i < text.len - *pad; i++)
		if (base64_digit(text.ptr[i]) < 0)
			return err_fail(e, ERR_INPUT,
				"base64: character %zu is not base64", i + 1);
	if (*pad) {
		int last = base64_digit(text.ptr[text.len - 1 - *pad]);
		if (last & (*pad == 1 ? 3 : 15))
			return err_fail(e, ERR_INPUT,
				"base64: bits under the padding are not zero");
	}
	return true;
}

bool base64_decode(struct bytes text, struct buf *out, struct err *e)
{
	size_t pad;
	if (!base64_check(text, &pad, e))
		return false;
	size_t n = text.len / 4 * 3 - pad;
	uint8_t *to = buf_reserve(out, n);
	if (!to)
		return err_fail(e, ERR_LIMIT,
			"base64: %zu bytes are more than allowed", n);
	for (size_t i = 0, at = 0; i < text.len; i += 4) {
		uint32_t v = 0;
		for (size_t k = 0; k < 4; k++) {
			uint8_t c = text.ptr[i + k];
			v = v << 6 | (c == '=' ? 0 : (uint32_t)base64_digit(c));
		}
		for (size_t k = 0; k < 3 && at < n; k++)
			to[at++] = (uint8_t)(v >> (16 - 8 * k));
	}
	buf_commit(out, n);
	return true;
}

bool percent_decode(const char *text, struct buf *out)
{
	uint8_t c;
	for (; *text; text++)
		if (*text == '%' && text[1] && text[2] &&
			hex_decode(bytes_of(text + 1, 2), &c, 1, NULL)) {
			buf_u8(out, c);
			text += 2;
		} else {
			buf_u8(out, (uint8_t)*text);
		}
	return buf_ok(out);
}
