/* SPDX-License-Identifier: Apache-2.0 */
/* Plain files of the web.  One whose digest is pinned goes through the cache
 * and can go on where it was interrupted; another is fetched each time. */
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "repository/package.h"
#include "repository/reference.h"

struct fetch {
	struct repository *r;
	const struct repository_reference *ref;
	char shown[256];
	struct repository_partial p; /* when pinned */
	int fd;			     /* else */
	uint64_t from, done, total;
	struct net_web_answer a;
};

static bool on_begin(void *ctx, unsigned status, struct err *e)
{
	struct fetch *f = ctx;
	const char *length = net_web_header(&f->a, "content-length");
	f->total = length ? strtoull(length, NULL, 10) : 0;
	if (status == 206) {
		char want[48];
		const char *range = net_web_header(&f->a, "content-range");
		fmt(want, sizeof want, "bytes %llu-",
			(unsigned long long)f->from);
		if (!range || strncmp(range, want, strlen(want)) != 0)
			return err_fail(e, ERR_HOST,
				"not the range that was asked for");
		f->total += f->from;
		return true;
	}
	if (status != 200)
		return err_fail(e, ERR_HOST, "status %u", status);
	f->done = 0;
	if (!f->ref->pinned)
		return (!ftruncate(f->fd, 0) && !lseek(f->fd, 0, SEEK_SET)) ||
			err_fail(e, ERR_HOST, "temporary file");
	return !f->p.bytes || repository_partial_restart(&f->p, e);
}

static bool on_data(void *ctx, struct bytes in, struct err *e)
{
	struct fetch *f = ctx;
	struct repository_tar_writer w = { .fd = f->fd };
	f->done += in.len;
	if (f->done > REPOSITORY_MAX_DATA)
		return err_fail(e, ERR_LIMIT, "larger than %llu bytes",
			(unsigned long long)REPOSITORY_MAX_DATA);
	repository_tell(f->r, "pull", f->shown, f->done, f->total, false);
	return f->ref->pinned ? repository_partial_add(&f->p, in, e) :
				repository_tar_data(&w, in, e);
}

static bool refused(const struct fetch *f, struct err *e)
{
	const struct net_web_answer *a = &f->a;
	return err_fail(e,
		a->status == 404 || a->status == 410 ? ERR_INPUT : ERR_HOST,
		"%s: the server answered with status %u", f->shown, a->status);
}

static bool request(struct fetch *f, bool *again, struct err *e)
{
	struct net_web_request q = { .method = "GET",
		.url = f->ref->where,
		.range_from = f->p.bytes,
		.max_bytes = REPOSITORY_MAX_DATA,
		.begin = on_begin,
		.sink = on_data,
		.ctx = f };
	f->from = f->done = f->p.bytes;
	*again = false;
	if (!net_web_do(f->r->web, &q, &f->a, e)) {
		*again = f->a.transient;
		return false;
	}
	unsigned s = f->a.status;
	if (s == 200 || s == 206)
		return true;
	*again = (s == 416 && f->from) || s == 429 || s >= 502;
	if (s == 416 && f->from && !repository_partial_restart(&f->p, e))
		return false;
	return refused(f, e);
}

static bool persist(struct fetch *f, struct err *e)
{
	for (unsigned n = 1;; n++) {
		bool again;
		if (request(f, &again, e))
			break;
		if (!again || n == REPOSITORY_TRIES ||
			!repository_pause(f->r, n))
			return false;
	}
	repository_tell(f->r, "pull", f->shown, f->done, f->done, true);
	return true;
}

static bool get_pinned(struct fetch *f, int *fd, uint64_t *size, struct err *e)
{
	const struct repository_cache *c = &f->r->cache;
	const uint8_t *digest = f->ref->digest;
	bool have;
	if (!repository_cache_get(c, digest, UINT64_MAX, fd, e))
		return false;
	if (*fd < 0) {
		struct err why = { 0 };
		if (!repository_partial_open(c, digest, REPOSITORY_MAX_DATA,
			    repository_is_cancelled, f->r, &f->p, &have, e))
			return false;
		bool ok = have ||
			(persist(f, &why) &&
				(repository_partial_done(&f->p, digest,
					 f->p.bytes, &why) ||
					err_wrap(&why, "%s", f->shown)));
		if (!have)
			repository_partial_close(&f->p,
				!ok && why.kind != ERR_HOST);
		if (!ok && e)
			*e = why;
		if (!ok || !repository_cache_get(c, digest, UINT64_MAX, fd, e))
			return false;
	}
	off_t end = *fd >= 0 ? lseek(*fd, 0, SEEK_END) : -1;
	if (end < 0)
		return err_fail(e, ERR_HOST, "cache: loses what is put there");
	*size = (uint64_t)end;
	return true;
}

bool repository_web_get(struct repository *r,
	const struct repository_reference *ref, int *out, uint64_t *size,
	struct err *e)
{
	struct fetch *f = calloc(1, sizeof *f);
	if (!f)
		return err_fail(e, ERR_LIMIT, "no memory");
	*f = (struct fetch){ .r = r, .ref = ref, .fd = -1 };
	f->p.fd = -1;
	net_web_show(ref->where, f->shown);
	bool ok = repository_need_cache(r, e);
	if (ok && ref->pinned) {
		ok = get_pinned(f, out, size, e);
	} else if (ok) {
		ok = repository_temporary(r, &f->fd, e) && persist(f, e);
		*out = f->fd;
		*size = f->done;
		if (!ok)
			cleanup_fd(&f->fd);
	}
	net_web_answer_fini(&f->a);
	free(f);
	return ok;
}
