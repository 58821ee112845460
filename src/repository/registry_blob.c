/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs: down into the cache, up from a file; both can go on where they were
 * interrupted. */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "codec/hex.h"
#include "repository/registry.h"

enum {
	PATH_LEN = 512,
	SHORT_DIGEST = 19, /* "sha256:" and 12 digits */
	MAX_REQUESTS = 50, /* for one blob, whatever progress they make */
};
#define CHUNK (UINT64_C(16) << 20)

/* --- down --------------------------------------------------------------- */

struct download {
	struct repository_registry *g;
	const struct repository_descriptor *d;
	struct repository_partial p;
	struct net_web_answer a;
	char label[SHORT_DIGEST + 1];
	uint64_t from; /* what was asked for began there */
};

/* "bytes 100-199/200" (RFC 9110 §14.4) */
static bool range_ok(const char *header, uint64_t from, uint64_t size)
{
	char want[96];
	if (!header)
		return false;
	fmt(want, sizeof want, "bytes %llu-%llu/%llu", (unsigned long long)from,
		(unsigned long long)(size - 1), (unsigned long long)size);
	return !strcmp(header, want);
}

static bool length_ok(const struct net_web_answer *a, uint64_t want,
	struct err *e)
{
	const char *header = net_web_header(a, "content-length");
	char *end;
	if (!header)
		return true;
	unsigned long long n = strtoull(header, &end, 10);
	return n == want ||
		err_fail(e, ERR_DENIED, "%llu bytes, want %llu", n,
			(unsigned long long)want);
}

static bool on_begin(void *ctx, unsigned status, struct err *e)
{
	struct download *x = ctx;
	uint64_t size = x->d->size;
	if (status == 206) {
		if (!range_ok(net_web_header(&x->a, "content-range"), x->from,
			    size))
			return err_fail(e, ERR_HOST,
				"not the range that was asked for");
		return length_ok(&x->a, size - x->from, e);
	}
	if (status != 200)
		return err_fail(e, ERR_HOST, "status %u", status);
	return length_ok(&x->a, size, e) &&
		(!x->p.bytes || repository_partial_restart(&x->p, e));
}

static bool on_data(void *ctx, struct bytes in, struct err *e)
{
	struct download *x = ctx;
	if (in.len > x->d->size - x->p.bytes)
		return err_fail(e, ERR_DENIED, "more than %llu bytes",
			(unsigned long long)x->d->size);
	if (!repository_partial_add(&x->p, in, e))
		return false;
	repository_tell(x->g->r, "pull", x->label, x->p.bytes, x->d->size,
		false);
	return true;
}

/* One request; *again: the rest may come with another. */
static bool request(struct download *x, const char *path, bool *again,
	struct err *e)
{
	uint64_t had = x->p.bytes;
	struct net_web_request q = { .method = "GET",
		.range_from = had,
		.max_bytes = UINT64_MAX, /* on_data has the last word */
		.begin = on_begin,
		.sink = on_data,
		.ctx = x };
	x->from = had;
	*again = false;
	if (!repository_registry_do(x->g, path, &q, &x->a, e)) {
		*again = x->a.transient;
		return false;
	}
	unsigned status = x->a.status;
	if (status == 200 || status == 206)
		return true;
	*again = status == 416 || status == 429 || status >= 502;
	if (status == 416 && !repository_partial_restart(&x->p, e))
		return false;
	return repository_registry_refused(&x->a, x->label, e);
}

/* Pauses get longer while nothing comes. */
static bool download(struct download *x, const char *path, struct err *e)
{
	unsigned idle = 0;
	for (unsigned n = 0; x->p.bytes < x->d->size; n++) {
		uint64_t had = x->p.bytes;
		bool again;
		if (request(x, path, &again, e))
			break;
		idle = x->p.bytes > had ? 0 : idle + 1;
		if (!again || idle == REPOSITORY_TRIES || n == MAX_REQUESTS ||
			!repository_pause(x->g->r, idle))
			return false;
	}
	return true;
}

/* Keeps what is worth going on with: not what was refused.  *fd: what came, and
 * was judged on the way; -1 when somebody else fetched it. */
static bool pull(struct repository_registry *g, const char *name,
	const struct repository_descriptor *d, int *fd, struct err *e)
{
	char path[PATH_LEN], text[REPOSITORY_DIGEST_TEXT];
	struct download *x = calloc(1, sizeof *x);
	struct err why = { 0 };
	bool have;
	if (!x)
		return err_fail(e, ERR_LIMIT, "no memory");
	x->g = g;
	x->d = d;
	repository_digest_show(d->digest, text);
	fmt(x->label, sizeof x->label, "%s", text);
	fmt(path, sizeof path, "%s/blobs/%s", name, text);
	bool ok = repository_partial_open(&g->r->cache, d->digest, d->size,
		repository_is_cancelled, g->r, &x->p, &have, &why);
	if (ok && !have) {
		ok = download(x, path, &why) &&
			repository_partial_done(&x->p, d->digest, d->size,
				&why);
		if (ok)
			*fd = fd_move(&x->p.fd);
		repository_partial_close(&x->p, !ok && why.kind != ERR_HOST);
		repository_tell(g->r, "pull", x->label, ok ? d->size : 0,
			d->size, true);
	}
	net_web_answer_fini(&x->a);
	free(x);
	if (!ok && e) {
		*e = why;
		err_prefix(e, "%.*s...", SHORT_DIGEST, text);
	}
	return ok;
}

bool repository_blob_get(struct repository_registry *g, const char *name,
	const struct repository_descriptor *d, int *fd, struct err *e)
{
	struct repository *r = g->r;
	if (!repository_need_cache(r, e))
		return false;
	/* Somebody may evict it between the two steps; not again and again. */
	for (unsigned attempt = 0; attempt < REPOSITORY_TRIES; attempt++) {
		if (!repository_cache_get(&r->cache, d->digest, d->size, fd, e))
			return false;
		if (*fd >= 0)
			return true;
		if (!pull(g, name, d, fd, e))
			return false;
		if (*fd >= 0)
			return true;
	}
	return err_fail(e, ERR_HOST, "cache: loses what is put there");
}

bool repository_blob_read(struct repository_registry *g, const char *name,
	const struct repository_descriptor *d, struct buf *out, struct err *e)
{
	int got = -1;
	if (!repository_blob_get(g, name, d, &got, e))
		return false;
	auto_fd fd = got;
	size_t n = (size_t)d->size, begin = out->len;
	uint8_t *to = buf_reserve(out, n + 1);
	if (!to)
		return err_fail(e, ERR_LIMIT, "no memory");
	for (size_t at = 0; at < n;) {
		ssize_t k = pread(fd, to + at, n - at, (off_t)at);
		if (k <= 0)
			return err_fail(e, ERR_HOST, "cache: read: %s",
				strerror(errno));
		at += (size_t)k;
	}
	out->len = begin + n;
	return true;
}

/* --- up ----------------------------------------------------------------- */

struct upload {
	struct repository_registry *g;
	const uint8_t *digest;
	int fd;
	struct bytes bytes;
	uint64_t size, at;
	struct net_web_answer a;
	char label[SHORT_DIGEST + 1];
	char location[NET_WEB_MAX_URL];
	bool same; /* the location is the registry's own */
};

static void on_sent(void *ctx, uint64_t bytes)
{
	const struct upload *u = ctx;
	repository_tell(u->g->r, "push", u->label, u->at + bytes, u->size,
		false);
}

static bool take_location(struct upload *u, struct err *e)
{
	const char *to = net_web_header(&u->a, "location");
	bool same;
	if (!to)
		return err_fail(e, ERR_HOST,
			"upload: the registry names no location");
	if (!net_web_resolve(u->a.url, to, u->g->r->cfg.plain_http, u->location,
		    &same, e))
		return err_wrap(e, "upload");
	u->same = same;
	return true;
}

static bool begin_upload(struct upload *u, const char *name, struct err *e)
{
	char path[PATH_LEN];
	struct net_web_request q = { .method = "POST",
		.max_bytes = REPOSITORY_MAX_MANIFEST };
	fmt(path, sizeof path, "%s/blobs/uploads/", name);
	u->at = 0;
	if (!repository_registry_do(u->g, path, &q, &u->a, e))
		return false;
	if (u->a.status != 202)
		return repository_registry_refused(&u->a, "upload", e);
	return take_location(u, e);
}

/* Credentials are for the registry's own origin. */
static bool go(struct upload *u, struct net_web_request *q, struct err *e)
{
	q->no_redirects = true;
	q->max_bytes = REPOSITORY_MAX_MANIFEST;
	if (u->same)
		return repository_registry_do(u->g, NULL, q, &u->a, e);
	return net_web_do(u->g->r->web, q, &u->a, e);
}

/* Where the registry stands: "Range: 0-N". */
static bool ask_where(struct upload *u, struct err *e)
{
	struct net_web_request q = { .method = "GET", .url = u->location };
	char *end;
	if (!go(u, &q, e))
		return false;
	if (u->a.status != 204)
		return repository_registry_refused(&u->a, "upload", e);
	const char *range = net_web_header(&u->a, "range");
	if (!range || strncmp(range, "0-", 2) != 0)
		return err_fail(e, ERR_HOST, "upload: no range");
	unsigned long long last = strtoull(range + 2, &end, 10);
	if (*end || last >= u->size)
		return err_fail(e, ERR_HOST, "upload: bad range");
	/* "0-0" is what an empty upload says, too: send that byte again. */
	u->at = last ? last + 1 : 0;
	return !net_web_header(&u->a, "location") || take_location(u, e);
}

static bool send_chunk(struct upload *u, struct err *e)
{
	uint64_t n = u->size - u->at < CHUNK ? u->size - u->at : CHUNK;
	char range[64];
	const char *const headers[] = {
		"Content-Type: application/octet-stream", range, NULL
	};
	struct net_web_request q = { .method = "PATCH",
		.url = u->location,
		.headers = headers,
		.body_is_fd = u->fd >= 0,
		.body_fd = u->fd,
		.body_at = u->at,
		.body_len = n,
		.sent = on_sent,
		.ctx = u };
	if (u->fd < 0)
		q.body = bytes_of(u->bytes.ptr + u->at, (size_t)n);
	fmt(range, sizeof range, "Content-Range: %llu-%llu",
		(unsigned long long)u->at, (unsigned long long)(u->at + n - 1));
	if (!go(u, &q, e))
		return false;
	if (u->a.status != 202)
		return repository_registry_refused(&u->a, "upload", e);
	u->at += n;
	return take_location(u, e);
}

static bool finish_upload(struct upload *u, struct err *e)
{
	char text[REPOSITORY_DIGEST_TEXT];
	auto_buf url = { 0 };
	repository_digest_show(u->digest, text);
	buf_fmt(&url, "%s%cdigest=sha256%%3A%s", u->location,
		strchr(u->location, '?') ? '&' : '?', text + 7);
	if (!buf_ok(&url))
		return err_fail(e, ERR_LIMIT, "no memory");
	static const char *const headers[] = {
		"Content-Type: application/octet-stream", NULL
	};
	struct net_web_request q = { .method = "PUT",
		.url = buf_cstr(&url),
		.headers = headers };
	if (!go(u, &q, e))
		return false;
	return u->a.status == 201 ||
		repository_registry_refused(&u->a, "upload", e);
}

/* After trouble that looks like passing: where were we? */
static bool take_up(struct upload *u, const char *name, struct err *e)
{
	if (ask_where(u, e))
		return true;
	return begin_upload(u, name, e);
}

static bool upload(struct upload *u, const char *name, struct err *e)
{
	unsigned failures = 0;
	if (!begin_upload(u, name, e))
		return false;
	while (u->at < u->size) {
		if (send_chunk(u, e)) {
			failures = 0;
			continue;
		}
		unsigned s = u->a.status;
		bool again = u->a.transient || s == 416 || s == 404 || s >= 500;
		if (!again || ++failures == REPOSITORY_TRIES ||
			!repository_pause(u->g->r, failures) ||
			!take_up(u, name, e))
			return false;
	}
	return finish_upload(u, e);
}

static bool is_there(struct repository_registry *g, const char *name,
	const char *digest, bool *there, struct err *e)
{
	char path[PATH_LEN];
	struct net_web_request q = { .method = "HEAD" };
	struct net_web_answer a = { 0 };
	fmt(path, sizeof path, "%s/blobs/%s", name, digest);
	bool ok = repository_registry_do(g, path, &q, &a, e);
	*there = ok && a.status == 200;
	if (ok && !*there && a.status != 404)
		ok = repository_registry_refused(&a, "blob", e);
	net_web_answer_fini(&a);
	return ok;
}

bool repository_blob_put(struct repository_registry *g, const char *name,
	const uint8_t digest[32], int fd, struct bytes bytes, uint64_t size,
	struct err *e)
{
	char text[REPOSITORY_DIGEST_TEXT];
	bool there;
	repository_digest_show(digest, text);
	if (!is_there(g, name, text, &there, e))
		return false;
	struct upload *u = there ? NULL : calloc(1, sizeof *u);
	if (there)
		return true;
	if (!u)
		return err_fail(e, ERR_LIMIT, "no memory");
	u->g = g;
	u->digest = digest;
	u->fd = fd;
	u->bytes = bytes;
	u->size = size;
	fmt(u->label, sizeof u->label, "%s", text);
	bool ok = upload(u, name, e);
	repository_tell(g->r, "push", u->label, u->at, size, true);
	net_web_answer_fini(&u->a);
	free(u);
	return ok || err_wrap(e, "%.*s...", SHORT_DIGEST, text);
}
