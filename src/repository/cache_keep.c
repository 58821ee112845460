/* SPDX-License-Identifier: Apache-2.0 */
/* Housekeeping: how much there is, what goes. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "codec/hex.h"
#include "repository/cache_priv.h"

enum { MAX_NOTES = 256 };

struct item {
	char name[65];
	uint64_t bytes;
	int64_t used; /* ns since 1970 */
};

struct items {
	struct item *list;
	size_t count, room;
};

static bool is_item(const char *name, uint8_t digest[32])
{
	return strlen(name) == 64 &&
		hex_decode(bytes_str(name), digest, 32, NULL);
}

static bool add(struct items *all, int dir, const char *name, struct err *e)
{
	struct stat st;
	uint8_t digest[32];
	if (!is_item(name, digest) ||
		fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return true;
	if (all->count == all->room) {
		all->room = all->room ? 2 * all->room : 64;
		void *p = realloc(all->list, all->room * sizeof *all->list);
		if (!p)
			return err_fail(e, ERR_LIMIT, "no memory");
		all->list = p;
	}
	struct item *i = &all->list[all->count++];
	fmt(i->name, sizeof i->name, "%s", name);
	i->bytes = (uint64_t)st.st_size;
	i->used = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
	return true;
}

static bool list(int dir, struct items *all, struct err *e)
{
	auto_fd fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *x;
	bool ok = true;
	if (!d)
		return err_fail(e, ERR_HOST, "cache: %s", strerror(errno));
	fd_move(&fd);
	while (ok && (x = readdir(d)))
		ok = add(all, dir, x->d_name, e);
	closedir(d);
	return ok;
}

static void count(const struct items *all, uint64_t *n, uint64_t *bytes)
{
	*n = all->count;
	*bytes = 0;
	for (size_t i = 0; i < all->count; i++)
		*bytes += all->list[i].bytes;
}

bool repository_cache_stat(const struct repository_cache *c,
	struct repository_cache_info *out, struct err *e)
{
	struct items blobs = { 0 }, partials = { 0 };
	bool ok = list(c->blobs_fd, &blobs, e) &&
		list(c->partial_fd, &partials, e);
	if (ok) {
		count(&blobs, &out->blobs, &out->bytes);
		count(&partials, &out->partials, &out->partial_bytes);
		out->max_bytes = c->max_bytes;
		fmt(out->path, sizeof out->path, "%s", c->path);
	}
	free(blobs.list);
	free(partials.list);
	return ok;
}

static int by_use(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	return (x->used > y->used) - (x->used < y->used);
}

static void evict(const struct repository_cache *c, struct items *all,
	uint64_t max, struct repository_cache_info *out)
{
	uint64_t n, left;
	count(all, &n, &left);
	if (all->count)
		qsort(all->list, all->count, sizeof *all->list, by_use);
	for (size_t i = 0; i < all->count && left > max; i++) {
		if (unlinkat(c->blobs_fd, all->list[i].name, 0))
			continue;
		left -= all->list[i].bytes;
		out->removed++;
		out->removed_bytes += all->list[i].bytes;
	}
}

/* A partial file that nobody has locked. */
static void evict_partial(const struct repository_cache *c,
	const struct item *i, struct repository_cache_info *out)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	auto_fd fd =
		openat(c->partial_fd, i->name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fcntl(fd, F_OFD_SETLK, &lock) ||
		!repository_cache_is_named(c->partial_fd, i->name, fd) ||
		unlinkat(c->partial_fd, i->name, 0))
		return;
	out->removed++;
	out->removed_bytes += i->bytes;
}

/* The latest ones stay, unless all is to go. */
static void evict_notes(const struct repository_cache *c, struct items *all,
	uint64_t max_bytes)
{
	size_t max = max_bytes ? MAX_NOTES : 0;
	if (all->count <= max)
		return;
	qsort(all->list, all->count, sizeof *all->list, by_use);
	for (size_t i = 0; i < all->count - max; i++)
		unlinkat(c->web_fd, all->list[i].name, 0);
}

void repository_partial_forget(const struct repository_cache *c,
	const uint8_t digest[32])
{
	struct repository_cache_info ignored = { 0 };
	struct item i = { .bytes = 0 };
	hex_encode(bytes_of(digest, 32), i.name);
	evict_partial(c, &i, &ignored);
}

bool repository_cache_evict(const struct repository_cache *c,
	uint64_t max_bytes, bool partials, struct repository_cache_info *out,
	struct err *e)
{
	struct items all = { 0 }, parts = { 0 }, notes = { 0 };
	bool ok = list(c->blobs_fd, &all, e) && list(c->web_fd, &notes, e) &&
		(!partials || list(c->partial_fd, &parts, e));
	if (ok) {
		evict(c, &all, max_bytes, out);
		evict_notes(c, &notes, max_bytes);
	}
	for (size_t i = 0; ok && i < parts.count; i++)
		evict_partial(c, &parts.list[i], out);
	free(all.list);
	free(parts.list);
	free(notes.list);
	return ok && repository_cache_stat(c, out, e);
}

static bool check_one(const struct repository_cache *c, const struct item *i,
	struct repository_cache_info *out, struct err *e)
{
	uint8_t digest[32];
	bool good = false;
	auto_fd fd =
		openat(c->blobs_fd, i->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || !is_item(i->name, digest))
		return true;
	if (!repository_cache_verify(fd, i->bytes, digest, NULL, &good, e))
		return false;
	if (good || unlinkat(c->blobs_fd, i->name, 0))
		return true;
	out->damaged++;
	out->removed++;
	out->removed_bytes += i->bytes;
	return true;
}

bool repository_cache_check(const struct repository_cache *c,
	struct repository_cache_info *out, struct err *e)
{
	struct items all = { 0 };
	bool ok = list(c->blobs_fd, &all, e);
	for (size_t i = 0; ok && i < all.count; i++)
		ok = check_one(c, &all.list[i], out, e);
	free(all.list);
	return ok && repository_cache_stat(c, out, e);
}
