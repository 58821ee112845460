/* SPDX-License-Identifier: Apache-2.0 */
/* Plain files of the web.  One whose digest is pinned goes through the cache
 * and can go on where it was interrupted; of another the server is asked each
 * time whether it is still what the cache has. */
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "crypto/hash.h"
#include "repository/package.h"
#include "repository/reference.h"
#include "repository/web_note.h"

struct fetch {
	struct repository *r;
	const struct repository_reference *ref;
	char shown[256];
	struct repository_partial p; /* when pinned */
	/* else */
	int fd, old_fd; /* what comes; what the cache has, or -1 */
	struct crypto_hash *hash;
	uint8_t key[32]; /* of the note */
	char condition[300];
	uint64_t from, done, total;
	struct net_web_answer a;
};

static bool begin_anew(struct fetch *f, struct err *e)
{
	crypto_hash_free(f->hash);
	f->hash = NULL;
	if (ftruncate(f->fd, 0) || lseek(f->fd, 0, SEEK_SET))
		return err_fail(e, ERR_HOST, "temporary file");
	return crypto_hash_new(CRYPTO_SHA256, &f->hash, e);
}

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
		return begin_anew(f, e);
	return !f->p.bytes || repository_partial_restart(&f->p, e);
}

static bool on_data(void *ctx, struct bytes in, struct err *e)
{
	struct fetch *f = ctx;
	struct repository_tar_writer w = { .fd = f->fd, .hash = f->hash };
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
	const char *const headers[] = { f->condition, NULL };
	struct net_web_request q = { .method = "GET",
		.url = f->ref->where,
		.headers = f->condition[0] ? headers : NULL,
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
	if (s == 200 || s == 206 || (s == 304 && f->old_fd >= 0))
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
	struct repository_cache_info info = { 0 };
	return repository_cache_evict(c, c->max_bytes, false, &info, e);
}

/* --- not pinned --------------------------------------------------------- */

/* What was there last time, if the cache still has it. */
static void find_old(struct fetch *f)
{
	const struct repository_cache *c = &f->r->cache;
	struct repository_web_note n;
	auto_buf text = { 0 };
	bool found;
	if (crypto_digest(CRYPTO_SHA256, bytes_str(f->ref->where), f->key,
		    NULL) &&
		repository_cache_note_get(c, f->key, &text, &found, NULL) &&
		found &&
		repository_web_note_parse(buf_bytes(&text), &n, NULL) &&
		repository_cache_get(c, n.digest, UINT64_MAX, &f->old_fd,
			NULL) &&
		f->old_fd >= 0)
		repository_web_note_header(&n, f->condition);
}

/* For the next time.  Who cannot remember fetches again. */
static void remember(struct fetch *f)
{
	const struct repository_cache *c = &f->r->cache;
	struct repository_web_note n;
	struct repository_cache_info info = { 0 };
	auto_buf text = { 0 };
	bool ok = f->hash && repository_web_note_take(&f->a, &n) &&
		crypto_hash_end(f->hash, n.digest, NULL) &&
		repository_web_note_print(&n, &text, NULL) &&
		repository_cache_adopt(c, n.digest, f->fd, NULL) &&
		repository_cache_note_put(c, f->key, buf_bytes(&text), NULL) &&
		repository_cache_evict(c, c->max_bytes, false, &info, NULL);
	(void)ok;
}

static bool get_latest(struct fetch *f, int *fd, uint64_t *size, struct err *e)
{
	find_old(f);
	if (!repository_temporary(f->r, &f->fd, e) || !persist(f, e))
		return false;
	bool same = f->a.status == 304;
	off_t end = lseek(same ? f->old_fd : f->fd, 0, SEEK_END);
	if (end < 0)
		return err_fail(e, ERR_HOST, "temporary file");
	if (!same)
		remember(f);
	*fd = fd_move(same ? &f->old_fd : &f->fd);
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
	*f = (struct fetch){ .r = r, .ref = ref, .fd = -1, .old_fd = -1 };
	f->p.fd = -1;
	net_web_show(ref->where, f->shown);
	bool ok = repository_need_cache(r, e) &&
		(ref->pinned ? get_pinned(f, out, size, e) :
			       get_latest(f, out, size, e));
	net_web_answer_fini(&f->a);
	crypto_hash_free(f->hash);
	cleanup_fd(&f->fd);
	cleanup_fd(&f->old_fd);
	free(f);
	return ok;
}
