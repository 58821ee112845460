/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fmt.h"

enum { MAX_REGISTRIES = 8, MAX_TOKEN_ANSWER = 64 << 10 };

#define HUB "docker.io"

/* --- who ---------------------------------------------------------------- */

bool repository_registry_find(struct repository *r,
	const struct repository_reference *ref,
	struct repository_registry **out, struct err *e)
{
	for (size_t i = 0; i < r->registry_count; i++)
		if (!strcmp(r->registries[i].host, ref->host)) {
			*out = &r->registries[i];
			return true;
		}
	/* Pointers into the array live on: it never moves. */
	if (!r->registries)
		r->registries = calloc(MAX_REGISTRIES, sizeof *r->registries);
	if (!r->registries || r->registry_count == MAX_REGISTRIES)
		return err_fail(e, ERR_LIMIT, "too many registries");
	bool local = net_web_loopback(ref->host);
	bool plain = ref->plain || r->cfg.plain_http;
	if (ref->plain && !local && !r->cfg.plain_http)
		return err_fail(e, ERR_DENIED,
			"%s: plain http beyond loopback needs --plain-http",
			ref->host);
	struct repository_registry *g = &r->registries[r->registry_count++];
	*g = (struct repository_registry){ .r = r, .known = plain || !local };
	fmt(g->host, sizeof g->host, "%s", ref->host);
	fmt(g->base, sizeof g->base, "%s://%s", plain ? "http" : "https",
		strcmp(ref->host, HUB) ? ref->host : "registry-1.docker.io");
	*out = g;
	return true;
}

static void set_authorization(struct repository_registry *g, char *text)
{
	if (g->authorization)
		explicit_bzero(g->authorization, strlen(g->authorization));
	free(g->authorization);
	g->authorization = text;
}

void repository_registry_fini(struct repository_registry *g)
{
	set_authorization(g, NULL);
	repository_login_fini(&g->login);
}

bool repository_registry_login(struct repository_registry *g,
	const struct repository_login *l, struct err *e)
{
	repository_login_fini(&g->login);
	set_authorization(g, NULL);
	g->login.is_token = l->is_token;
	fmt(g->login.user, sizeof g->login.user, "%s", l->user);
	g->login.secret = strdup(l->secret);
	g->looked = g->has_login = true;
	return g->login.secret || err_fail(e, ERR_LIMIT, "no memory");
}

/* --- being let in ------------------------------------------------------- */

static bool is_local_http(const char *url)
{
	char shown[256];
	net_web_show(url, shown);
	return !strncmp(url, "http://", 7) && net_web_loopback(shown);
}

/* Percent-encodes what is not unreserved (RFC 3986 §2.3). */
static void put_escaped(struct buf *b, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			(c >= 'A' && c <= 'Z') || strchr("-._~", c))
			buf_u8(b, c);
		else
			buf_fmt(b, "%%%02X", c);
	}
}

/* One scope parameter for each of them: they are separated by blanks. */
static void put_scopes(struct buf *b, const char *scope)
{
	char one[1024];
	while (*scope) {
		size_t n = strcspn(scope, " ");
		if (n) {
			fmt(one, sizeof one, "%.*s", (int)n, scope);
			buf_str(b, "&scope=");
			put_escaped(b, one);
		}
		scope += n;
		while (*scope == ' ')
			scope++;
	}
}

static bool take_token(const struct net_web_answer *a,
	struct repository_registry *g, struct err *e)
{
	json_t *o = NULL;
	auto_wipe_buf bearer = { 0 };
	if (!json_parse(buf_bytes(&a->body), MAX_TOKEN_ANSWER, &o, NULL))
		return err_fail(e, ERR_HOST, "token: not JSON");
	const char *t = json_string_value(json_object_get(o, "token"));
	if (!t)
		t = json_string_value(json_object_get(o, "access_token"));
	bool ok = t != NULL && t[0];
	/* It becomes a header. */
	for (const char *p = t; ok && *p; p++)
		ok = *p > ' ' && *p < 0x7f;
	if (ok)
		buf_fmt(&bearer, "Bearer %s", t);
	json_decref(o);
	if (!ok)
		return err_fail(e, ERR_HOST, "token: none in the answer");
	char *copy = buf_ok(&bearer) ? strdup(buf_cstr(&bearer)) : NULL;
	if (!copy)
		return err_fail(e, ERR_LIMIT, "no memory");
	set_authorization(g, copy);
	return true;
}

/* Docker's token specification: "Requesting a Token"; OAuth2 for identity
 * tokens. */
static bool ask_token(struct repository_registry *g,
	const struct repository_challenge *c, struct err *e)
{
	auto_wipe_buf url = { 0 }, form = { 0 }, basic = { 0 };
	bool oauth = g->has_login && g->login.is_token;
	struct buf *q = oauth ? &form : &url;
	static const char *const headers[] = {
		"Content-Type: application/x-www-form-urlencoded", NULL
	};
	buf_str(&url, c->realm);
	if (oauth)
		buf_str(&form, "grant_type=refresh_token&client_id=donjon");
	else
		buf_fmt(&url, "%sclient_id=donjon",
			strchr(c->realm, '?') ? "&" : "?");
	buf_str(q, "&service=");
	put_escaped(q, c->service);
	put_scopes(q, c->scope);
	if (oauth) {
		buf_str(&form, "&refresh_token=");
		put_escaped(&form, g->login.secret);
	} else if (g->has_login &&
		!repository_login_basic(&g->login, &basic, e)) {
		return false;
	}
	if (!buf_ok(&url) || !buf_ok(&form))
		return err_fail(e, ERR_LIMIT, "no memory");
	struct net_web_request r = { .method = oauth ? "POST" : "GET",
		.url = buf_cstr(&url),
		.headers = oauth ? headers : NULL,
		.authorization = basic.len ? buf_cstr(&basic) : NULL,
		.body = buf_bytes(&form),
		.no_redirects = true,
		.max_bytes = MAX_TOKEN_ANSWER };
	struct net_web_answer a = { 0 };
	bool ok = net_web_do(g->r->web, &r, &a, e);
	if (ok && a.status != 200)
		ok = repository_registry_refused(&a, "token", e);
	ok = ok && take_token(&a, g, e);
	net_web_answer_fini(&a);
	return ok;
}

/* Looks for a login once, when it is asked for. */
static bool need_login(struct repository_registry *g, struct err *e)
{
	if (g->looked)
		return true;
	g->looked = true;
	return repository_login_find(g->host, &g->login, &g->has_login, e);
}

/* *again: it is worth asking again. */
static bool answer_challenge(struct repository_registry *g,
	const struct net_web_answer *a, bool *again, struct err *e)
{
	struct repository_challenge *c = calloc(1, sizeof *c);
	const char *header = net_web_header(a, "www-authenticate");
	bool ok = c && need_login(g, e);
	*again = false;
	if (!c)
		return err_fail(e, ERR_LIMIT, "no memory");
	if (ok && header)
		ok = repository_challenge_parse(header, c, e);
	if (ok && header && c->bearer) {
		/* Secrets go there: in clear to loopback only. */
		if (strncmp(c->realm, "https://", 8) != 0 &&
			!(is_local_http(c->realm) && is_local_http(g->base)))
			ok = err_fail(e, ERR_DENIED,
				"token: the registry wants it fetched from an "
				"address that is not https");
		ok = ok && ask_token(g, c, e);
		*again = ok;
	} else if (ok && header && g->has_login && !g->login.is_token) {
		auto_wipe_buf basic = { 0 };
		ok = repository_login_basic(&g->login, &basic, e);
		char *copy = ok ? strdup(buf_cstr(&basic)) : NULL;
		*again = copy != NULL;
		set_authorization(g, copy);
	}
	free(c);
	return ok;
}

/* --- requests ----------------------------------------------------------- */

/* Codes of the specification, §"Error Codes", and no other text: it could
 * repeat what we sent. */
static const char *known_code(const struct net_web_answer *a, char out[40])
{
	static const char *const codes[] = { "BLOB_UNKNOWN",
		"BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DIGEST_INVALID",
		"MANIFEST_BLOB_UNKNOWN", "MANIFEST_INVALID", "MANIFEST_UNKNOWN",
		"NAME_INVALID", "NAME_UNKNOWN", "SIZE_INVALID", "UNAUTHORIZED",
		"DENIED", "UNSUPPORTED", "TOOMANYREQUESTS", "TAG_INVALID",
		"RANGE_INVALID", "UNAVAILABLE" };
	json_t *o = NULL;
	out[0] = '\0';
	if (!json_parse(buf_bytes(&a->body), a->body.len, &o, NULL))
		return out;
	const char *code = json_string_value(
		json_object_get(json_array_get(json_object_get(o, "errors"), 0),
			"code"));
	for (size_t i = 0; code && i < ARRAY_LEN(codes); i++)
		if (!strcmp(code, codes[i]))
			fmt(out, 40, " (%s)", codes[i]);
	json_decref(o);
	return out;
}

bool repository_registry_refused(const struct net_web_answer *a,
	const char *what, struct err *e)
{
	char code[40], where[256];
	net_web_show(a->url, where);
	where[strcspn(where, "/")] = '\0';
	known_code(a, code);
	switch (a->status) {
	case 401:
		return err_fail(e, ERR_DENIED,
			"%s: %s wants a login that has access: donjon package "
			"login",
			what, where);
	case 403:
		return err_fail(e, ERR_DENIED, "%s: %s: no access%s", what,
			where, code);
	case 404:
		return err_fail(e, ERR_INPUT, "%s: not on %s%s", what, where,
			code);
	case 429:
		return err_fail(e, ERR_LIMIT, "%s: %s: too many requests", what,
			where);
	default:
		return err_fail(e, ERR_HOST, "%s: %s answered with status %u%s",
			what, where, a->status, code);
	}
}

bool repository_is_cancelled(void *ctx)
{
	const struct repository *r = ctx;
	return net_web_cancelled(r->web);
}

bool repository_pause(struct repository *r, unsigned attempt)
{
	for (unsigned left = 10u << attempt; left; left--) {
		if (repository_is_cancelled(r))
			return false;
		usleep(10000);
	}
	return true;
}

static bool worth_again(unsigned status)
{
	return status == 429 || status == 502 || status == 503 || status == 504;
}

/* With pauses, as long as the trouble looks like passing. */
static bool patient(struct repository_registry *g, struct net_web_request *q,
	struct net_web_answer *a, struct err *e)
{
	for (unsigned attempt = 0;; attempt++) {
		bool ok = net_web_do(g->r->web, q, a, e);
		bool again = ok ? worth_again(a->status) : a->transient;
		/* What moved in part, either way, is its owner's to resume. */
		if (!again || q->sink || !strcmp(q->method, "PATCH") ||
			attempt + 1 == REPOSITORY_TRIES ||
			!repository_pause(g->r, attempt))
			return ok;
	}
}

static bool let_in(struct repository_registry *g, struct net_web_request *q,
	struct net_web_answer *a, struct err *e)
{
	bool again = false;
	q->authorization = g->authorization;
	if (!patient(g, q, a, e))
		return false;
	if (a->status != 401)
		return true;
	if (!answer_challenge(g, a, &again, e))
		return err_wrap(e, "%s", g->host);
	if (!again)
		return true;
	q->authorization = g->authorization;
	return patient(g, q, a, e);
}

/* On loopback TLS comes first, and what does not speak it is plain. */
static bool settle(struct repository_registry *g, struct err *e)
{
	char url[320];
	struct net_web_request q = { .method = "GET",
		.url = url,
		.no_redirects = true,
		.max_bytes = MAX_TOKEN_ANSWER };
	struct net_web_answer a = { 0 };
	if (g->known)
		return true;
	fmt(url, sizeof url, "%s/v2/", g->base);
	bool tls = net_web_do(g->r->web, &q, &a, e);
	net_web_answer_fini(&a);
	if (!tls) {
		fmt(url, sizeof url, "http://%s/v2/", g->host);
		/* The first error tells more, when it is neither. */
		if (!net_web_do(g->r->web, &q, &a, NULL)) {
			net_web_answer_fini(&a);
			return false;
		}
		/* What does TLS answers plain requests with 400. */
		bool plain = a.status != 400;
		net_web_answer_fini(&a);
		if (!plain)
			return false;
		fmt(g->base, sizeof g->base, "http://%s", g->host);
	}
	g->known = true;
	return true;
}

bool repository_registry_do(struct repository_registry *g, const char *path,
	struct net_web_request *q, struct net_web_answer *a, struct err *e)
{
	char url[1024];
	if (!settle(g, e))
		return false;
	if (path) {
		fmt(url, sizeof url, "%s/v2/%s", g->base, path);
		q->url = url;
	}
	return let_in(g, q, a, e);
}

bool repository_registry_ping(struct repository_registry *g, struct err *e)
{
	struct net_web_request q = { .method = "GET",
		.max_bytes = MAX_TOKEN_ANSWER };
	struct net_web_answer a = { 0 };
	bool ok = repository_registry_do(g, "", &q, &a, e);
	if (ok && a.status != 200)
		ok = repository_registry_refused(&a, "login", e);
	net_web_answer_fini(&a);
	return ok;
}
