/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <strings.h>

#include "base/fmt.h"
#include "net/web.h"

struct origin {
	char scheme[16], host[256], port[8];
};

bool net_web_loopback(const char *host)
{
	char name[256];
	struct in_addr a;
	struct in6_addr a6;
	size_t n = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	if (n >= sizeof name || n > strlen(host))
		return false;
	if (host[0] == '[') {
		memcpy(name, host + 1, n - 2);
		name[n - 2] = '\0';
		return inet_pton(AF_INET6, name, &a6) == 1 &&
			IN6_IS_ADDR_LOOPBACK(&a6);
	}
	memcpy(name, host, n);
	name[n] = '\0';
	if (!strcasecmp(name, "localhost"))
		return true;
	return inet_pton(AF_INET, name, &a) == 1 &&
		ntohl(a.s_addr) >> 24 == 127;
}

void net_web_show(const char *url, char out[256])
{
	const char *p = strstr(url, "://");
	size_t n = 0;
	p = p ? p + 3 : url;
	/* A name before '@' is nobody's business either. */
	size_t host = strcspn(p, "/?#");
	const char *at = memchr(p, '@', host);
	if (at)
		p = at + 1;
	for (; *p && *p != '?' && *p != '#' && n < 255; p++)
		out[n++] = *p > ' ' && *p < 0x7f ? *p : '?';
	out[n] = '\0';
}

static bool part(CURLU *u, CURLUPart what, unsigned flags, char *out,
	size_t room)
{
	char *text = NULL;
	if (curl_url_get(u, what, &text, flags))
		return false;
	size_t n = strlen(text);
	bool ok = n < room;
	if (ok)
		memcpy(out, text, n + 1);
	curl_free(text);
	return ok;
}

static bool has(CURLU *u, CURLUPart what)
{
	char *text = NULL;
	bool there = !curl_url_get(u, what, &text, 0);
	curl_free(text);
	return there;
}

static bool get_origin(CURLU *u, struct origin *o)
{
	return part(u, CURLUPART_SCHEME, 0, o->scheme, sizeof o->scheme) &&
		part(u, CURLUPART_HOST, 0, o->host, sizeof o->host) &&
		part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT, o->port,
			sizeof o->port);
}

static bool same(const struct origin *a, const struct origin *b)
{
	return !strcasecmp(a->scheme, b->scheme) &&
		!strcasecmp(a->host, b->host) && !strcmp(a->port, b->port);
}

/* What a server may not send us to. */
static bool judge(const struct origin *from, const struct origin *to,
	bool plain_http, struct err *e)
{
	bool https = !strcmp(to->scheme, "https");
	if (!https && strcmp(to->scheme, "http") != 0)
		return err_fail(e, ERR_DENIED, "redirect to scheme %s",
			to->scheme);
	if (!https && !strcmp(from->scheme, "https"))
		return err_fail(e, ERR_DENIED,
			"redirect from https to plain http");
	if (!https && !plain_http && !net_web_loopback(to->host))
		return err_fail(e, ERR_DENIED, "redirect to plain http");
	if (net_web_loopback(to->host) && !net_web_loopback(from->host))
		return err_fail(e, ERR_DENIED,
			"redirect to this machine itself");
	return true;
}

static bool resolve(CURLU *u, const char *base, const char *to, bool plain_http,
	char out[NET_WEB_MAX_URL], bool *same_origin, struct err *e)
{
	struct origin from, next;
	for (const char *p = to; *p; p++)
		if (*p <= ' ' || *p >= 0x7f)
			return err_fail(e, ERR_HOST,
				"redirect: a blank or control character in it");
	if (curl_url_set(u, CURLUPART_URL, base, 0) || !get_origin(u, &from))
		return err_fail(e, ERR_INPUT, "not an address");
	CURLUcode r =
		curl_url_set(u, CURLUPART_URL, to, CURLU_NON_SUPPORT_SCHEME);
	if (r)
		return err_fail(e, ERR_HOST, "redirect: not an address");
	if (!part(u, CURLUPART_SCHEME, 0, next.scheme, sizeof next.scheme))
		return err_fail(e, ERR_HOST, "redirect: not an address");
	if (strcmp(next.scheme, "https") != 0 &&
		strcmp(next.scheme, "http") != 0)
		return judge(&from, &next, plain_http, e);
	if (!get_origin(u, &next))
		return err_fail(e, ERR_HOST, "redirect: not an address");
	if (has(u, CURLUPART_USER) || has(u, CURLUPART_PASSWORD))
		return err_fail(e, ERR_DENIED,
			"redirect to an address with a user's name in it");
	if (!judge(&from, &next, plain_http, e))
		return false;
	*same_origin = same(&from, &next);
	curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
	return part(u, CURLUPART_URL, 0, out, NET_WEB_MAX_URL) ||
		err_fail(e, ERR_LIMIT, "redirect: address too long");
}

bool net_web_resolve(const char *base, const char *to, bool plain_http,
	char out[NET_WEB_MAX_URL], bool *same_origin, struct err *e)
{
	CURLU *u = curl_url();
	if (!u)
		return err_fail(e, ERR_LIMIT, "no memory");
	bool ok = resolve(u, base, to, plain_http, out, same_origin, e);
	curl_url_cleanup(u);
	return ok;
}
