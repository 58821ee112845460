/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to servers of the web, by libcurl: registries, files.  The server
 * is untrusted: heads and bodies are bounded, what is slower than a trickle
 * ends, encodings that nobody asked for are refused.
 *
 * Redirects are followed here, for GET and HEAD only, a few times, never from
 * https to anything else, from the network to loopback, or to an address with
 * a user's name in it.  Authorization is for the origin that was asked and is
 * not sent along to another.  Plain http goes to loopback, elsewhere when the
 * configuration says so.
 *
 * Messages name host and path; what follows a '?' may be a secret.
 */
#ifndef NET_WEB_H
#define NET_WEB_H

#include "base/buf.h"
#include "base/err.h"

enum {
	NET_WEB_MAX_HEAD = 64 << 10,
	NET_WEB_MAX_URL = 4 << 10,
	NET_WEB_MAX_REDIRECTS = 8,
};

struct net_web; /* one kept connection or more */

struct net_web_config {
	const char *ca_file; /* PEM; NULL: $SSL_CERT_FILE, the system's */
	bool plain_http;     /* allowed beyond loopback */
	unsigned timeout_s;  /* longest time under a trickle; 0: 60 */
	int cancel_fd;	     /* give up when it becomes readable; -1 */
};

struct net_web_request {
	const char *method; /* "GET", "HEAD", "POST", "PUT", "PATCH", ... */
	const char *url;
	const char *authorization;  /* the header's value; NULL: none */
	const char *const *headers; /* "Name: value", NULL-terminated */
	uint64_t range_from;	    /* ask for what follows; 0: all */
	bool no_redirects;
	/* The body: bytes, or `body_len` bytes of body_fd from body_at. */
	struct bytes body;
	bool body_is_fd;
	int body_fd;
	uint64_t body_at, body_len;
	/*
	 * Where a 2xx answer's body goes; NULL: answer->body.  `begin` is
	 * called before it with the answer's head and may refuse.
	 */
	uint64_t max_bytes; /* of a 2xx body */
	bool (*begin)(void *ctx, unsigned status, struct err *e);
	bool (*sink)(void *ctx, struct bytes part, struct err *e);
	/* Bytes of the request's body that are out; may be NULL. */
	void (*sent)(void *ctx, uint64_t bytes);
	void *ctx;
};

struct net_web_answer {
	unsigned status;
	struct buf head; /* "name\0value\0" and so on, names in lower case */
	struct buf body; /* of what went to no sink; errors are cut */
	bool transient;	 /* after a failure: trying again may help */
	char url[NET_WEB_MAX_URL]; /* who answered, after redirects */
};

MUST_USE bool net_web_open(const struct net_web_config *cfg,
	struct net_web **out, struct err *e);
void net_web_close(struct net_web *w);

/* Any status is a success here.  `a` is all-zero or of an earlier call. */
MUST_USE bool net_web_do(struct net_web *w, const struct net_web_request *r,
	struct net_web_answer *a, struct err *e);
void net_web_answer_fini(struct net_web_answer *a);

/* A header's value, of the first of that name (in lower case); NULL. */
const char *net_web_header(const struct net_web_answer *a, const char *name);
/* Has cancel_fd become readable? */
bool net_web_cancelled(const struct net_web *w);

/* --- addresses ---------------------------------------------------------- */

/* "host[:port]" is this machine itself. */
bool net_web_loopback(const char *host);
/* "https://host:8443/v2/x?sig=y" as "host:8443/v2/x", for messages. */
void net_web_show(const char *url, char out[256]);
/* Resolves `to` against `base` (RFC 3986 §5) and refuses what a redirect must
 * not do; *same_origin tells whether authorization may go along. */
MUST_USE bool net_web_resolve(const char *base, const char *to, bool plain_http,
	char out[NET_WEB_MAX_URL], bool *same_origin, struct err *e);

#endif
