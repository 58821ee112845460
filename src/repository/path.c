/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/path.h"

#include <locale.h>
#include <wctype.h>

/* One character of UTF-8 (RFC 3629 §4); 0 when it is none. */
static size_t decode(struct bytes b, size_t at, uint32_t *out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t c = b.ptr[at];
	size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	if ((c >= 0x80 && c < 0xc2) || c > 0xf4 || n > b.len - at)
		return 0;
	uint32_t v = n == 1 ? c : c & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((b.ptr[at + i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (b.ptr[at + i] & 0x3f);
	}
	if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*out = v;
	return n;
}

static bool component_ok(struct bytes c, struct err *e)
{
	if (!c.len)
		return err_fail(e, ERR_INPUT,
			"path: absolute, or an empty "
			"component");
	if (bytes_equal(c, BYTES_LIT(".")) || bytes_equal(c, BYTES_LIT("..")))
		return err_fail(e, ERR_INPUT, "path: \".\" or \"..\" in it");
	if (c.len > 255)
		return err_fail(e, ERR_LIMIT,
			"path: a component of more than "
			"255 bytes");
	return true;
}

static bool characters_ok(struct bytes path, struct err *e)
{
	for (size_t at = 0, n; at < path.len; at += n) {
		uint32_t c;
		n = decode(path, at, &c);
		if (!n)
			return err_fail(e, ERR_INPUT, "path: not UTF-8");
		/* C0, DEL, C1; marks that turn text around on a terminal. */
		if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == '\\' ||
			(c >= 0x202a && c <= 0x202e) ||
			(c >= 0x2066 && c <= 0x2069))
			return err_fail(e, ERR_INPUT,
				"path: a control character or backslash in "
				"it");
	}
	return true;
}

bool repository_path_ok(struct bytes path, struct err *e)
{
	if (path.len > REPOSITORY_PATH_MAX)
		return err_fail(e, ERR_LIMIT, "path: longer than %d bytes",
			REPOSITORY_PATH_MAX);
	if (!path.len)
		return err_fail(e, ERR_INPUT, "path: empty");
	if (!characters_ok(path, e))
		return false;
	for (size_t from = 0, i = 0; i <= path.len; i++) {
		if (i < path.len && path.ptr[i] != '/')
			continue;
		if (!component_ok(bytes_of(path.ptr + from, i - from), e))
			return false;
		from = i + 1;
	}
	return true;
}

static bool put_utf8(struct buf *out, uint32_t c)
{
	if (c < 0x80)
		return buf_u8(out, (uint8_t)c);
	if (c < 0x800)
		return buf_u8(out, (uint8_t)(0xc0 | c >> 6)) &&
			buf_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
	if (c < 0x10000)
		return buf_u8(out, (uint8_t)(0xe0 | c >> 12)) &&
			buf_u8(out, (uint8_t)(0x80 | (c >> 6 & 0x3f))) &&
			buf_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
	return buf_u8(out, (uint8_t)(0xf0 | c >> 18)) &&
		buf_u8(out, (uint8_t)(0x80 | (c >> 12 & 0x3f))) &&
		buf_u8(out, (uint8_t)(0x80 | (c >> 6 & 0x3f))) &&
		buf_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
}

bool repository_path_fold(struct bytes path, struct buf *out)
{
	bool plain = true, ok = true;
	for (size_t i = 0; i < path.len; i++)
		plain = plain && path.ptr[i] < 0x80;
	/* glibc has this locale built in: the same everywhere. */
	locale_t l = plain ? (locale_t)0 :
			     newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	for (size_t at = 0, n; ok && at < path.len; at += n) {
		uint32_t c;
		n = decode(path, at, &c);
		if (!n) {
			c = path.ptr[at];
			n = 1;
		}
		if (c < 0x80)
			c = c >= 'A' && c <= 'Z' ? c | 0x20 : c;
		else if (l)
			c = (uint32_t)towlower_l(towupper_l((wint_t)c, l), l);
		ok = put_utf8(out, c);
	}
	if (l)
		freelocale(l);
	return ok;
}
