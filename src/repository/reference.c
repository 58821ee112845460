/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/reference.h"

#include "base/fmt.h"
#include "codec/hex.h"
#include "net/web.h"

static const char sha256[] = "sha256:";
enum { SHA256_LEN = sizeof sha256 - 1, HEX_LEN = 64 };

static bool starts(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static bool lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool word(char c)
{
	return lower(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool copy(char *to, size_t room, const char *from, size_t n)
{
	if (n >= room)
		return false;
	memcpy(to, from, n);
	to[n] = '\0';
	return true;
}

/* OCI distribution, "Pulling manifests": components of [a-z0-9]+ with single
 * '.', '_', double '_' or any number of '-' between. */
bool repository_is_name(const char *p)
{
	if (strlen(p) > 255 || !lower(*p))
		return false;
	while (*p) {
		while (lower(*p))
			p++;
		if (!*p)
			return true;
		if (*p == '-')
			while (*p == '-')
				p++;
		else if (p[0] == '_' && p[1] == '_')
			p += 2;
		else if (*p == '.' || *p == '_' || *p == '/')
			p++;
		if (!lower(*p))
			return false;
	}
	return true;
}

bool repository_is_tag(const char *p)
{
	if (!word(*p) || strlen(p) > 128)
		return false;
	for (; *p; p++)
		if (!word(*p) && *p != '.' && *p != '-')
			return false;
	return true;
}

static bool is_port(const char *p)
{
	unsigned n = 0;
	if (!*p)
		return false;
	for (; *p; p++) {
		if (*p < '0' || *p > '9' || n > 65535)
			return false;
		n = n * 10 + (unsigned)(*p - '0');
	}
	return n && n <= 65535;
}

bool repository_is_host(const char *p)
{
	if (strlen(p) > 255)
		return false;
	if (*p == '[') {
		size_t n = strspn(p + 1, "0123456789abcdefABCDEF:.");
		if (!n || p[n + 1] != ']')
			return false;
		p += n + 2;
	} else {
		const char *begin = p;
		while (lower(*p) || (*p >= 'A' && *p <= 'Z') || *p == '.' ||
			*p == '-')
			p++;
		if (p == begin || *begin == '-' || *begin == '.')
			return false;
	}
	return !*p || (*p == ':' && is_port(p + 1));
}

bool repository_digest_parse(const char *text, uint8_t out[32], struct err *e)
{
	if (!starts(text, sha256))
		return err_fail(e, ERR_INPUT,
			"a digest is sha256: and 64 hexadecimal digits");
	const char *hex = text + SHA256_LEN;
	if (strlen(hex) != HEX_LEN ||
		strspn(hex, "0123456789abcdef") != HEX_LEN)
		return err_fail(e, ERR_INPUT,
			"a digest is sha256: and 64 hexadecimal digits");
	return hex_decode(bytes_str(hex), out, 32, e);
}

void repository_digest_show(const uint8_t digest[32],
	char out[REPOSITORY_DIGEST_TEXT])
{
	memcpy(out, sha256, SHA256_LEN);
	hex_encode(bytes_of(digest, 32), out + SHA256_LEN);
}

/* Takes "@sha256:HEX" off the end.  What else stands behind the last '@' is
 * a part of the location, unless it wants to be a digest. */
static bool take_pin(const char *text, size_t *len,
	struct repository_reference *r, struct err *e)
{
	const char *at = strrchr(text, '@');
	if (!at || (!starts(at + 1, "sha") && r->kind == REPOSITORY_WEB))
		return true;
	r->pinned = true;
	*len = (size_t)(at - text);
	return repository_digest_parse(at + 1, r->digest, e);
}

static bool parse_web(const char *text, struct repository_reference *r,
	struct err *e)
{
	size_t n = strlen(text), host;
	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || strchr("\\\"<>^`{|}", *p))
			return err_fail(e, ERR_INPUT,
				"a location has no blank, control or special "
				"characters");
	if (strchr(text, '#'))
		return err_fail(e, ERR_INPUT,
			"a location has no '#': pin contents with "
			"@sha256:HEX");
	r->kind = REPOSITORY_WEB;
	if (!take_pin(text, &n, r, e))
		return false;
	const char *begin = strstr(text, "://") + 3;
	host = strcspn(begin, "/?@");
	if (begin[host] == '@')
		return err_fail(e, ERR_INPUT,
			"a location has no user's name in it");
	if (!copy(r->where, sizeof r->where, text, n))
		return err_fail(e, ERR_LIMIT, "location too long");
	if (!copy(r->host, sizeof r->host, begin, host) ||
		!repository_is_host(r->host) || begin + host >= text + n ||
		begin[host] != '/')
		return err_fail(e, ERR_INPUT,
			"want https://host[:port]/path[@sha256:HEX]");
	return true;
}

static bool bad_oci(struct err *e, const char *what)
{
	return err_fail(e, ERR_INPUT,
		"%s; want oci://host[:port]/name[:tag][@sha256:HEX]", what);
}

static bool parse_oci(const char *text, const char *rest,
	struct repository_reference *r, struct err *e)
{
	size_t n = strlen(rest), host = strcspn(rest, "/");
	r->kind = REPOSITORY_OCI;
	if (n >= sizeof r->where)
		return err_fail(e, ERR_LIMIT, "reference too long");
	if (!take_pin(rest, &n, r, e))
		return false;
	if (host >= n || !copy(r->host, sizeof r->host, rest, host) ||
		!repository_is_host(r->host))
		return bad_oci(e, "not a registry's address");
	size_t colon = host;
	while (colon < n && rest[colon] != ':')
		colon++;
	if (!copy(r->name, sizeof r->name, rest + host + 1, colon - host - 1) ||
		!repository_is_name(r->name))
		return bad_oci(e, "not a repository's name");
	if (colon < n &&
		(!copy(r->tag, sizeof r->tag, rest + colon + 1,
			 n - colon - 1) ||
			!repository_is_tag(r->tag)))
		return bad_oci(e, "not a tag");
	if (!r->pinned && !r->tag[0])
		memcpy(r->tag, "latest", sizeof "latest");
	copy(r->where, sizeof r->where, text, strlen(text));
	return true;
}

static bool parse_path(const char *text, struct repository_reference *r,
	struct err *e)
{
	r->kind = REPOSITORY_PATH;
	if (!*text)
		return err_fail(e, ERR_INPUT, "an empty reference");
	return copy(r->where, sizeof r->where, text, strlen(text)) ||
		err_fail(e, ERR_LIMIT, "path too long");
}

static bool parse(const char *text, struct repository_reference *r,
	struct err *e)
{
	if (starts(text, "oci://"))
		return parse_oci(text, text + 6, r, e);
	if (starts(text, "oci+http://")) {
		r->plain = true;
		return parse_oci(text, text + 11, r, e);
	}
	if (starts(text, "https://"))
		return parse_web(text, r, e);
	if (starts(text, "http://")) {
		r->plain = true;
		return parse_web(text, r, e);
	}
	if (starts(text, "file:///"))
		return parse_path(text + 7, r, e);
	if (strstr(text, "://"))
		return err_fail(e, ERR_INPUT,
			"want a path, https:// or oci://, not %.*s",
			(int)(strstr(text, "://") + 3 - text), text);
	return parse_path(text, r, e);
}

bool repository_reference_parse(const char *text,
	struct repository_reference *out, struct err *e)
{
	struct repository_reference r = { 0 };
	if (!parse(text, &r, e)) {
		/* Locations may have secrets in them: net/web.h. */
		char shown[256];
		net_web_show(text, shown);
		return err_wrap(e, "%.120s",
			strstr(text, "://") ? shown : text);
	}
	*out = r;
	return true;
}

void repository_reference_show(const struct repository_reference *r, char *out,
	size_t size)
{
	char digest[REPOSITORY_DIGEST_TEXT] = "";
	if (r->pinned)
		repository_digest_show(r->digest, digest);
	const char *at = r->pinned ? "@" : "";
	if (r->kind == REPOSITORY_OCI)
		fmt(out, size, "%s/%s%s%s%s%s", r->host, r->name,
			r->tag[0] ? ":" : "", r->tag, at, digest);
	else if (r->kind == REPOSITORY_WEB) {
		char shown[256];
		net_web_show(r->where, shown);
		fmt(out, size, "%s%s%s", shown, at, digest);
	} else
		fmt(out, size, "%s%s%s", r->where, at, digest);
}
