/* SPDX-License-Identifier: Apache-2.0 */
#include "net/url.h"

#include "base/fmt.h"

static bool plain(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (b.ptr[i] <= ' ' || b.ptr[i] >= 0x7f ||
			strchr("@?#\\\"<>%", b.ptr[i]))
			return false;
	return true;
}

static bool copy(char *to, size_t room, struct bytes b)
{
	if (b.len >= room)
		return false;
	if (b.len)
		memcpy(to, b.ptr, b.len);
	to[b.len] = '\0';
	return true;
}

static bool starts(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

/* "[::1]:7443", "localhost", "10.1.2.3:80": a name or address and a port. */
static bool host_ok(struct bytes b)
{
	size_t end = 0;
	if (b.len && b.ptr[0] == '[') {
		while (end < b.len && b.ptr[end] != ']')
			end++;
		end++;
	} else {
		while (end < b.len && b.ptr[end] != ':')
			end++;
	}
	if (!end || end > b.len)
		return false;
	if (end == b.len)
		return true;
	struct bytes port = bytes_from(b, end + 1);
	unsigned n = 0;
	for (size_t i = 0; i < port.len && n < 65536; i++) {
		if (port.ptr[i] < '0' || port.ptr[i] > '9')
			return false;
		n = n * 10 + (unsigned)(port.ptr[i] - '0');
	}
	return b.ptr[end] == ':' && n && n < 65536;
}

static bool is_loopback(const char *host)
{
	static const char *const names[] = { "localhost", "[::1]" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		size_t n = strlen(names[i]);
		if (!strncmp(host, names[i], n) && (!host[n] || host[n] == ':'))
			return true;
	}
	/* 127.0.0.0/8 in dotted form; a name that begins so is not meant. */
	if (!starts(host, "127."))
		return false;
	for (const char *p = host; *p && *p != ':'; p++)
		if (*p != '.' && (*p < '0' || *p > '9'))
			return false;
	return true;
}

static bool parse_unix(const char *path, struct net_url *u, struct err *e)
{
	if (path[0] != '/' || !path[1])
		return err_fail(e, ERR_INPUT,
			"unix:// wants an absolute path: unix:///run/x.sock");
	if (!copy(u->socket, sizeof u->socket, bytes_str(path)))
		return err_fail(e, ERR_INPUT, "socket path too long");
	u->local = true;
	fmt(u->host, sizeof u->host, "localhost");
	return true;
}

bool net_url_parse(const char *text, struct net_url *out, struct err *e)
{
	struct net_url u = { 0 };
	if (starts(text, "unix://")) {
		if (!parse_unix(text + 7, &u, e))
			return err_wrap(e, "%s", text);
		*out = u;
		return true;
	}
	u.https = starts(text, "https://");
	if (!u.https && !starts(text, "http://"))
		return err_fail(e, ERR_INPUT,
			"%s: want http://, https:// or unix:///PATH", text);
	struct bytes rest = bytes_str(text + (u.https ? 8 : 7));
	size_t n = 0;
	while (n < rest.len && rest.ptr[n] != '/')
		n++;
	struct bytes host = bytes_of(rest.ptr, n);
	struct bytes prefix = bytes_from(rest, n);
	while (prefix.len && prefix.ptr[prefix.len - 1] == '/')
		prefix.len--;
	if (!plain(rest) || !host_ok(host) ||
		!copy(u.host, sizeof u.host, host) ||
		!copy(u.prefix, sizeof u.prefix, prefix))
		return err_fail(e, ERR_INPUT, "%s: not a host's address", text);
	u.local = is_loopback(u.host);
	*out = u;
	return true;
}
