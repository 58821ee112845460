/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are to a registry: its challenges (RFC 9110 §11.6.1; Docker's token
 * specification), and logins as Docker keeps them: $DOCKER_CONFIG/config.json
 * or ~/.docker/config.json, and its credential helpers.
 *
 * A secret lives here, in requests, and where Docker keeps it; never in
 * messages, arguments of processes or the cache.
 */
#ifndef REPOSITORY_AUTH_H
#define REPOSITORY_AUTH_H

#include "base/buf.h"
#include "base/err.h"

enum { REPOSITORY_MAX_SECRET = 8 << 10 };

struct repository_login {
	char user[256];
	char *secret;  /* owned; a password, or an identity token */
	bool is_token; /* the latter */
};

void repository_login_fini(struct repository_login *l);

struct repository_challenge {
	bool bearer; /* else basic */
	char realm[1024], service[256], scope[1024];
};

/* The first challenge of a WWW-Authenticate header that we can answer. */
MUST_USE bool repository_challenge_parse(const char *header,
	struct repository_challenge *out, struct err *e);
/* "Basic ..." appended. */
MUST_USE bool repository_login_basic(const struct repository_login *l,
	struct buf *out, struct err *e);

/* What Docker knows of a registry; *found. */
MUST_USE bool repository_login_find(const char *host,
	struct repository_login *out, bool *found, struct err *e);
/* Remembers; through a helper when Docker's configuration names one. */
MUST_USE bool repository_login_store(const char *host,
	const struct repository_login *l, struct err *e);
MUST_USE bool repository_login_erase(const char *host, bool *found,
	struct err *e);

/* docker-credential-NAME ACTION with `in` as its input; *ok: it said yes. */
MUST_USE bool repository_helper(const char *name, const char *action,
	struct bytes in, struct buf *out, bool *ok, struct err *e);
/* The key under which Docker knows a registry. */
const char *repository_login_key(const char *host);

#endif
