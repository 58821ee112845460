/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/pem.h"

#include "base/fmt.h"
#include "codec/hex.h"

enum { MAX_LINE = 64 };

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct reader after_space(const struct reader *text)
{
	struct reader r = *text;
	while (reader_left(&r) && is_space(r.in.ptr[r.at]))
		r.at++;
	return r;
}

/* Takes `-----WHAT LABEL-----`. */
static bool take_line(struct reader *r, const char *what, const char *label)
{
	char line[MAX_LINE];
	size_t n = fmt(line, sizeof line, "-----%s %s-----", what, label);
	return bytes_equal(reader_take(r, n), bytes_of(line, n));
}

bool pem_next_is(const struct reader *text, const char *label)
{
	struct reader r = after_space(text);
	return take_line(&r, "BEGIN", label);
}

bool pem_done(const struct reader *text)
{
	struct reader r = after_space(text);
	return reader_done(&r);
}

bool pem_next(struct reader *text, const char *label, struct buf *der,
	struct err *e)
{
	struct reader r = after_space(text);
	auto_buf body = { 0 };
	if (!take_line(&r, "BEGIN", label))
		return err_fail(e, ERR_INPUT, "pem: no %s", label);
	while (reader_left(&r) && r.in.ptr[r.at] != '-') {
		uint8_t c = reader_u8(&r);
		if (!is_space(c) && !buf_u8(&body, c))
			return err_fail(e, ERR_LIMIT, "pem: out of memory");
	}
	if (!take_line(&r, "END", label))
		return err_fail(e, ERR_INPUT, "pem: %s does not end", label);
	if (!base64_decode(buf_bytes(&body), der, e))
		return err_wrap(e, "pem");
	*text = r;
	return true;
}

bool pem_put(struct buf *out, const char *label, struct bytes der)
{
	auto_buf text = { 0 };
	base64_encode(der, &text);
	if (!buf_ok(&text))
		out->failed = true;
	buf_fmt(out, "-----BEGIN %s-----\n", label);
	for (size_t i = 0; i < text.len; i += MAX_LINE) {
		buf_put(out,
			bytes_of(text.ptr + i,
				size_min(MAX_LINE, text.len - i)));
		buf_str(out, "\n");
	}
	buf_fmt(out, "-----END %s-----\n", label);
	return buf_ok(out);
}
