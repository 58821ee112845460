/* SPDX-License-Identifier: Apache-2.0 */
#include "net/response.h"

#include <strings.h>

enum { MAX_INTERIM = 8 };

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* RFC 9110 §5.6.2 */
static bool is_token(uint8_t c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') ||
		(c >= 'A' && c <= 'Z') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool name_is(struct bytes b, const char *name)
{
	return b.len == strlen(name) &&
		!strncasecmp((const char *)b.ptr, name, b.len);
}

static struct bytes trim(struct bytes b)
{
	while (b.len && (b.ptr[0] == ' ' || b.ptr[0] == '\t'))
		b = bytes_from(b, 1);
	while (b.len && (b.ptr[b.len - 1] == ' ' || b.ptr[b.len - 1] == '\t'))
		b.len--;
	return b;
}

/* RFC 9112 §4: "HTTP/1.1 200 OK". */
static bool parse_status(struct net_response *r, struct bytes line,
	struct err *e)
{
	if (line.len < 12 || memcmp(line.ptr, "HTTP/1.", 7) ||
		(line.ptr[7] != '0' && line.ptr[7] != '1') ||
		line.ptr[8] != ' ' || !is_digit(line.ptr[9]) ||
		!is_digit(line.ptr[10]) || !is_digit(line.ptr[11]) ||
		(line.len > 12 && line.ptr[12] != ' '))
		return err_fail(e, ERR_HOST, "answer: not HTTP/1.1");
	r->status = (unsigned)(line.ptr[9] - '0') * 100 +
		(unsigned)(line.ptr[10] - '0') * 10 +
		(unsigned)(line.ptr[11] - '0');
	if (r->status < 100 || r->status > 599)
		return err_fail(e, ERR_HOST, "answer: status %u", r->status);
	r->http10 = line.ptr[7] == '0';
	r->has_length = r->chunked = r->close = false;
	r->left = 0;
	r->upgrade[0] = '\0';
	r->state = NET_RESPONSE_HEADER;
	return true;
}

static bool parse_length(struct net_response *r, struct bytes value,
	struct err *e)
{
	uint64_t n = 0;
	if (r->has_length || !value.len || value.len > 18)
		return err_fail(e, ERR_HOST, "answer: bad Content-Length");
	for (size_t i = 0; i < value.len; i++) {
		if (!is_digit(value.ptr[i]))
			return err_fail(e, ERR_HOST,
				"answer: bad Content-Length");
		n = n * 10 + (uint64_t)(value.ptr[i] - '0');
	}
	r->has_length = true;
	r->left = n;
	return true;
}

/* One of a comma-separated list. */
static bool list_has(struct bytes list, const char *word)
{
	for (size_t from = 0, i = 0; i <= list.len; i++) {
		if (i < list.len && list.ptr[i] != ',')
			continue;
		if (name_is(trim(bytes_of(list.ptr + from, i - from)), word))
			return true;
		from = i + 1;
	}
	return false;
}

static bool parse_header(struct net_response *r, struct bytes line,
	struct err *e)
{
	size_t n = 0;
	while (n < line.len && is_token(line.ptr[n]))
		n++;
	if (!n || n == line.len || line.ptr[n] != ':')
		return err_fail(e, ERR_HOST, "answer: bad header line");
	struct bytes name = bytes_of(line.ptr, n);
	struct bytes value = trim(bytes_from(line, n + 1));
	if (name_is(name, "content-length"))
		return parse_length(r, value, e);
	if (name_is(name, "transfer-encoding")) {
		if (r->chunked || !name_is(value, "chunked"))
			return err_fail(e, ERR_HOST,
				"answer: bad Transfer-Encoding");
		r->chunked = true;
	} else if (name_is(name, "connection")) {
		r->close = r->close || list_has(value, "close");
	} else if (name_is(name, "upgrade")) {
		if (value.len >= sizeof r->upgrade)
			return err_fail(e, ERR_HOST, "answer: bad Upgrade");
		memcpy(r->upgrade, value.ptr, value.len);
		r->upgrade[value.len] = '\0';
	}
	return true;
}

static bool body_fits(const struct net_response *r, uint64_t more,
	struct err *e)
{
	if (more > r->body.limit - r->body.len)
		return err_fail(e, ERR_LIMIT, "answer: more than %zu bytes",
			r->body.limit);
	return true;
}

/* What follows the head: RFC 9112 §6.3. */
static bool head_done(struct net_response *r, struct err *e)
{
	if (r->status < 200 && r->status != 101) {
		if (++r->interim > MAX_INTERIM)
			return err_fail(e, ERR_HOST,
				"answer: too many interim ones");
		r->state = NET_RESPONSE_STATUS;
		return true;
	}
	if (r->chunked && (r->has_length || r->http10))
		return err_fail(e, ERR_HOST, "answer: two lengths");
	r->keep_alive = !r->close && !r->http10;
	if (r->status == 101 || r->status == 204 || r->status == 304 ||
		r->head_only) {
		r->state = NET_RESPONSE_DONE;
	} else if (r->chunked) {
		r->state = NET_RESPONSE_CHUNK_SIZE;
	} else if (r->has_length) {
		if (!body_fits(r, r->left, e))
			return false;
		r->state = r->left ? NET_RESPONSE_LENGTH : NET_RESPONSE_DONE;
	} else {
		r->keep_alive = false;
		r->state = NET_RESPONSE_REST;
	}
	return true;
}

static int hex_digit(uint8_t c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_chunk_size(struct net_response *r, struct bytes line,
	struct err *e)
{
	size_t i = 0;
	r->left = 0;
	for (; i < line.len && hex_digit(line.ptr[i]) >= 0; i++) {
		if (i == 8)
			return err_fail(e, ERR_LIMIT, "answer: huge chunk");
		r->left = r->left << 4 | (uint64_t)hex_digit(line.ptr[i]);
	}
	/* Chunk extensions are allowed, and mean nothing to us. */
	if (!i || (i < line.len && line.ptr[i] != ';' && line.ptr[i] != ' '))
		return err_fail(e, ERR_HOST, "answer: bad chunk size");
	if (!body_fits(r, r->left, e))
		return false;
	r->state = r->left ? NET_RESPONSE_CHUNK : NET_RESPONSE_TRAILER;
	return true;
}

static bool take_line(struct net_response *r, struct bytes line, struct err *e)
{
	switch (r->state) {
	case NET_RESPONSE_STATUS:
		return parse_status(r, line, e);
	case NET_RESPONSE_HEADER:
		return line.len ? parse_header(r, line, e) : head_done(r, e);
	case NET_RESPONSE_CHUNK_SIZE:
		return parse_chunk_size(r, line, e);
	case NET_RESPONSE_CHUNK_END:
		if (line.len)
			return err_fail(e, ERR_HOST, "answer: bad chunk end");
		r->state = NET_RESPONSE_CHUNK_SIZE;
		return true;
	default: /* a trailer: ignored */
		if (!line.len)
			r->state = NET_RESPONSE_DONE;
		return true;
	}
}

/* Gathers one line, CRLF (or, leniently, LF) at its end. */
static bool feed_line(struct net_response *r, struct bytes in, size_t *used,
	struct err *e)
{
	const uint8_t *nl = in.len ? memchr(in.ptr, '\n', in.len) : NULL;
	size_t n = nl ? (size_t)(nl - in.ptr) + 1 : in.len;
	if (n > NET_RESPONSE_MAX_HEAD - r->head_bytes)
		return err_fail(e, ERR_LIMIT, "answer: head too long");
	r->head_bytes += n;
	*used = n;
	if (!buf_put(&r->line, bytes_of(in.ptr, nl ? n - 1 : n)))
		return err_fail(e, ERR_LIMIT, "answer: no memory");
	if (!nl)
		return true;
	struct bytes line = buf_bytes(&r->line);
	if (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	for (size_t i = 0; i < line.len; i++)
		if (line.ptr[i] == '\r' || !line.ptr[i])
			return err_fail(e, ERR_HOST, "answer: bad line");
	bool ok = take_line(r, line, e);
	buf_clear(&r->line);
	return ok;
}

static bool feed_body(struct net_response *r, struct bytes in, size_t *used,
	struct err *e)
{
	size_t n = in.len;
	if (r->state == NET_RESPONSE_REST) {
		if (!body_fits(r, n, e))
			return false;
	} else if (n > r->left) {
		n = (size_t)r->left;
	}
	if (n && !buf_put(&r->body, bytes_of(in.ptr, n)))
		return err_fail(e, ERR_LIMIT, "answer: no memory");
	*used = n;
	if (r->state == NET_RESPONSE_REST)
		return true;
	r->left -= n;
	if (r->left)
		return true;
	if (r->state == NET_RESPONSE_CHUNK) {
		r->state = NET_RESPONSE_CHUNK_END;
		/* Chunk heads are counted for themselves, not as one head. */
		r->head_bytes = 0;
	} else {
		r->state = NET_RESPONSE_DONE;
	}
	return true;
}

bool net_response_feed(struct net_response *r, struct bytes in, size_t *used,
	struct err *e)
{
	size_t at = 0;
	while (at < in.len && r->state != NET_RESPONSE_DONE) {
		size_t n = 0;
		bool body = r->state == NET_RESPONSE_LENGTH ||
			r->state == NET_RESPONSE_REST ||
			r->state == NET_RESPONSE_CHUNK;
		struct bytes rest = bytes_from(in, at);
		if (!(body ? feed_body(r, rest, &n, e) :
			     feed_line(r, rest, &n, e)))
			return false;
		at += n;
	}
	*used = at;
	return true;
}

bool net_response_end(struct net_response *r, struct err *e)
{
	if (r->state == NET_RESPONSE_REST)
		r->state = NET_RESPONSE_DONE;
	if (r->state != NET_RESPONSE_DONE)
		return err_fail(e, ERR_HOST,
			"answer: connection closed in the middle");
	return true;
}

void net_response_fini(struct net_response *r)
{
	buf_wipe(&r->line);
	buf_fini(&r->body);
	*r = (struct net_response){ .body = { .limit = r->body.limit } };
}
