/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "base/fmt.h"
#include "repository/auth.h"

static bool is_token(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		(c >= 'A' && c <= 'Z') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static const char *blanks(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* A value, quoted or not, into out; where it ends, or NULL. */
static const char *value(const char *p, char *out, size_t size)
{
	size_t n = 0;
	bool quoted = *p == '"';
	if (quoted)
		p++;
	while (quoted ? *p && *p != '"' : is_token(*p)) {
		if (quoted && *p == '\\')
			p++;
		if ((unsigned char)*p < ' ' || *p == 0x7f || n + 1 >= size)
			return NULL;
		out[n++] = *p++;
	}
	out[n] = '\0';
	if (quoted && *p++ != '"')
		return NULL;
	return p;
}

static bool is(const char *p, size_t n, const char *word)
{
	return strlen(word) == n && !strncasecmp(p, word, n);
}

/* NAME=VALUE; NULL when the text cannot be read.  *done: it is no parameter,
 * but the next challenge's scheme. */
static const char *parameter(const char *p, struct repository_challenge *c,
	bool *done)
{
	char drop[1024];
	const char *name = p;
	while (is_token(*p))
		p++;
	size_t n = (size_t)(p - name);
	const char *eq = blanks(p);
	*done = !n || *eq != '=';
	if (*done)
		return name;
	p = blanks(eq + 1);
	if (is(name, n, "realm"))
		return value(p, c->realm, sizeof c->realm);
	if (is(name, n, "service"))
		return value(p, c->service, sizeof c->service);
	if (is(name, n, "scope"))
		return value(p, c->scope, sizeof c->scope);
	return value(p, drop, sizeof drop);
}

bool repository_challenge_parse(const char *p, struct repository_challenge *out,
	struct err *e)
{
	while (*(p = blanks(p))) {
		struct repository_challenge c = { 0 };
		const char *scheme = p;
		while (is_token(*p))
			p++;
		size_t n = (size_t)(p - scheme);
		bool known = is(scheme, n, "bearer") || is(scheme, n, "basic");
		bool done = !n;
		c.bearer = is(scheme, n, "bearer");
		while (!done && *(p = blanks(p))) {
			p = parameter(p, &c, &done);
			if (!p)
				return err_fail(e, ERR_HOST,
					"challenge: cannot be read");
			p = blanks(p);
			if (*p == ',')
				p++;
			else if (*p && !done)
				return err_fail(e, ERR_HOST,
					"challenge: cannot be read");
		}
		if (known && (!c.bearer || c.realm[0])) {
			*out = c;
			return true;
		}
		if (p == scheme)
			break;
	}
	return err_fail(e, ERR_HOST, "challenge: of no kind that is known");
}
