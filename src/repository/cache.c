/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "base/must.h"
#include "codec/hex.h"
#include "crypto/hash.h"
#include "repository/cache_priv.h"

enum { BLOCK = 256 << 10, DEFAULT_GIB = 4 };

static bool make(const char *path, struct err *e)
{
	char part[1100];
	for (const char *p = path + 1;; p++) {
		if (*p && *p != '/')
			continue;
		fmt(part, sizeof part, "%.*s", (int)(p - path), path);
		if (mkdir(part, 0700) && errno != EEXIST)
			return err_fail(e, ERR_HOST, "cache: %s: %s", part,
				strerror(errno));
		if (!*p)
			return true;
	}
}

static bool open_folder(const struct repository_cache *c, const char *below,
	int *out, struct err *e)
{
	char path[1100];
	fmt(path, sizeof path, "%s/%s", c->path, below);
	if (!make(path, e))
		return false;
	*out = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *out >= 0 ||
		err_fail(e, ERR_HOST, "cache: %s: %s", path, strerror(errno));
}

static bool default_path(char *out, size_t size, struct err *e)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	size_t n = 0;
	if (xdg && xdg[0] == '/')
		n = fmt(out, size, "%s/donjon", xdg);
	else if (home && home[0] == '/')
		n = fmt(out, size, "%s/.cache/donjon", home);
	else
		return err_fail(e, ERR_INPUT,
			"cache: neither XDG_CACHE_HOME nor HOME is set");
	return n < size - 32 || err_fail(e, ERR_LIMIT, "cache: path too long");
}

bool repository_cache_open(struct repository_cache *c, const char *path,
	uint64_t max_bytes, struct err *e)
{
	struct repository_cache n = { -1, -1, -1, max_bytes, "" };
	if (path)
		fmt(n.path, sizeof n.path - 32, "%s", path);
	else if (!default_path(n.path, sizeof n.path, e))
		return false;
	if (!open_folder(&n, "blobs/sha256", &n.blobs_fd, e) ||
		!open_folder(&n, "partial", &n.partial_fd, e) ||
		!open_folder(&n, "web", &n.web_fd, e)) {
		repository_cache_close(&n);
		return false;
	}
	*c = n;
	return true;
}

/* $DONJON_CACHE_MAX in MiB. */
static uint64_t cache_limit(void)
{
	const char *text = getenv("DONJON_CACHE_MAX");
	char *end;
	errno = 0;
	unsigned long long n = text ? strtoull(text, &end, 10) : 0;
	if (text && *text >= '0' && *text <= '9' && !*end && !errno &&
		n < UINT64_C(1) << 40)
		return (uint64_t)n << 20;
	return (uint64_t)DEFAULT_GIB << 30;
}

bool repository_cache_open_default(struct repository_cache *c, struct err *e)
{
	return repository_cache_open(c, NULL, cache_limit(), e);
}

void repository_cache_close(struct repository_cache *c)
{
	cleanup_fd(&c->blobs_fd);
	cleanup_fd(&c->partial_fd);
	cleanup_fd(&c->web_fd);
	c->blobs_fd = c->partial_fd = c->web_fd = -1;
}

/* Reads all of it, into hash and, unless it is NULL, into `out`. */
bool repository_cache_hash(int fd, uint64_t size, struct crypto_hash *h,
	struct buf *out, struct err *e)
{
	auto_buf own = { 0 };
	struct buf *b = out ? out : &own;
	for (uint64_t at = 0; at < size;) {
		uint8_t *to = buf_reserve(b, BLOCK);
		if (!to)
			return err_fail(e, ERR_LIMIT, "no memory");
		size_t want = size - at < BLOCK ? (size_t)(size - at) : BLOCK;
		ssize_t n = pread(fd, to, want, (off_t)at);
		if (n <= 0)
			return err_fail(e, ERR_HOST, "cache: read: %s",
				n ? strerror(errno) : "cut short");
		if (!crypto_hash_add(h, bytes_of(to, (size_t)n), e))
			return false;
		if (out)
			buf_commit(b, (size_t)n);
		at += (uint64_t)n;
	}
	return true;
}

bool repository_cache_verify(int fd, uint64_t size, const uint8_t digest[32],
	struct buf *out, bool *good, struct err *e)
{
	struct crypto_hash *h;
	uint8_t is[32];
	if (!crypto_hash_new(CRYPTO_SHA256, &h, e))
		return false;
	bool ok = repository_cache_hash(fd, size, h, out, e) &&
		crypto_hash_end(h, is, e);
	crypto_hash_free(h);
	*good = ok && !memcmp(is, digest, sizeof is);
	return ok;
}

/* Opens a blob; its size.  -1 when it is not there. */
static int open_blob(const struct repository_cache *c, const char *name,
	uint64_t *size)
{
	struct stat st;
	auto_fd fd =
		openat(c->blobs_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return -1;
	*size = (uint64_t)st.st_size;
	/* Its last use is the time of its last change. */
	futimens(fd, NULL);
	return fd_move(&fd);
}

bool repository_cache_get(const struct repository_cache *c,
	const uint8_t digest[32], uint64_t size, int *out, struct err *e)
{
	char name[65];
	uint64_t is;
	bool good = false;
	hex_encode(bytes_of(digest, 32), name);
	*out = -1;
	auto_fd fd = open_blob(c, name, &is);
	if (fd < 0)
		return true;
	if (size == UINT64_MAX)
		size = is;
	if (is == size &&
		!repository_cache_verify(fd, size, digest, NULL, &good, e))
		return false;
	if (good)
		*out = fd_move(&fd);
	else
		unlinkat(c->blobs_fd, name, 0);
	return true;
}

bool repository_cache_has(const struct repository_cache *c,
	const uint8_t digest[32])
{
	char name[65];
	struct stat st;
	hex_encode(bytes_of(digest, 32), name);
	return !fstatat(c->blobs_fd, name, &st, AT_SYMLINK_NOFOLLOW);
}

bool repository_cache_read(const struct repository_cache *c,
	const uint8_t digest[32], uint64_t max, struct buf *out, bool *found,
	struct err *e)
{
	char name[65];
	uint64_t size;
	size_t begin = out->len;
	hex_encode(bytes_of(digest, 32), name);
	*found = false;
	auto_fd fd = open_blob(c, name, &size);
	if (fd < 0)
		return true;
	if (size > max)
		return err_fail(e, ERR_LIMIT, "larger than %llu bytes",
			(unsigned long long)max);
	if (!repository_cache_verify(fd, size, digest, out, found, e))
		return false;
	if (!*found) {
		out->len = begin;
		unlinkat(c->blobs_fd, name, 0);
	}
	return true;
}

bool repository_cache_put(const struct repository_cache *c,
	const uint8_t digest[32], struct bytes in, struct err *e)
{
	struct repository_partial p;
	bool have;
	int fd;
	/* What is there and damaged goes by this. */
	if (!repository_cache_get(c, digest, in.len, &fd, e))
		return false;
	cleanup_fd(&fd);
	if (!repository_partial_open(c, digest, in.len, NULL, NULL, &p, &have,
		    e))
		return false;
	if (have)
		return true;
	bool ok = repository_partial_restart(&p, e) &&
		repository_partial_add(&p, in, e) &&
		repository_partial_done(&p, digest, in.len, e);
	repository_partial_close(&p, !ok);
	return ok;
}

bool repository_cache_adopt(const struct repository_cache *c,
	const uint8_t digest[32], int fd, struct err *e)
{
	char name[65], path[40];
	hex_encode(bytes_of(digest, 32), name);
	fmt(path, sizeof path, "/proc/self/fd/%d", fd);
	if (fchmod(fd, 0400) ||
		(linkat(AT_FDCWD, path, c->blobs_fd, name, AT_SYMLINK_FOLLOW) &&
			errno != EEXIST))
		return err_fail(e, ERR_HOST, "cache: link: %s",
			strerror(errno));
	return true;
}

/* --- notes -------------------------------------------------------------- */

enum { MAX_NOTE = 4 << 10 };

bool repository_cache_note_get(const struct repository_cache *c,
	const uint8_t key[32], struct buf *out, bool *found, struct err *e)
{
	char name[65];
	hex_encode(bytes_of(key, 32), name);
	auto_fd fd = openat(c->web_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	*found = fd >= 0;
	if (!*found)
		return true;
	uint8_t *to = buf_reserve(out, MAX_NOTE);
	if (!to)
		return err_fail(e, ERR_LIMIT, "no memory");
	ssize_t n = read(fd, to, MAX_NOTE);
	if (n < 0)
		return err_fail(e, ERR_HOST, "cache: read: %s",
			strerror(errno));
	buf_commit(out, (size_t)n);
	futimens(fd, NULL);
	return true;
}

bool repository_cache_note_put(const struct repository_cache *c,
	const uint8_t key[32], struct bytes note, struct err *e)
{
	char name[65], path[40];
	must(note.len <= MAX_NOTE);
	hex_encode(bytes_of(key, 32), name);
	auto_fd fd =
		openat(c->web_fd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	fmt(path, sizeof path, "/proc/self/fd/%d", fd);
	/* Between the two there is none: then it is fetched once more. */
	if (fd < 0 || write(fd, note.ptr, note.len) != (ssize_t)note.len ||
		(unlinkat(c->web_fd, name, 0) && errno != ENOENT) ||
		(linkat(AT_FDCWD, path, c->web_fd, name, AT_SYMLINK_FOLLOW) &&
			errno != EEXIST))
		return err_fail(e, ERR_HOST, "cache: note: %s",
			strerror(errno));
	return true;
}

/* --- downloads ---------------------------------------------------------- */

bool repository_cache_is_named(int folder, const char *name, int fd)
{
	struct stat mine, there;
	return !fstat(fd, &mine) &&
		!fstatat(folder, name, &there, AT_SYMLINK_NOFOLLOW) &&
		mine.st_ino == there.st_ino;
}

static int try_lock(const struct repository_cache *c, const char *name)
{
	auto_fd fd = openat(c->partial_fd, name,
		O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	/* Locks of the open file, not of the process: threads count too. */
	if (fd < 0 || fcntl(fd, F_OFD_SETLK, &lock))
		return -1;
	if (!repository_cache_is_named(c->partial_fd, name, fd)) {
		errno = EAGAIN;
		return -1;
	}
	return fd_move(&fd);
}

static bool is_there(const struct repository_cache *c, const char *name)
{
	struct stat st;
	return !fstatat(c->blobs_fd, name, &st, AT_SYMLINK_NOFOLLOW);
}

static bool wait_lock(const struct repository_cache *c, const char *name,
	repository_cancelled *cancelled, void *ctx, int *out, struct err *e)
{
	while ((*out = try_lock(c, name)) < 0) {
		if (errno != EAGAIN && errno != EACCES && errno != ENOENT)
			return err_fail(e, ERR_HOST, "cache: partial/%s: %s",
				name, strerror(errno));
		if (cancelled && cancelled(ctx))
			return err_fail(e, ERR_HOST, "interrupted");
		usleep(20000);
	}
	return true;
}

/* What an interrupted download left is hashed, not believed. */
static bool take_up(struct repository_partial *p, uint64_t size, struct err *e)
{
	struct stat st;
	if (fstat(p->fd, &st))
		return err_fail(e, ERR_HOST, "cache: %s", strerror(errno));
	p->bytes = (uint64_t)st.st_size;
	if (!repository_follower_new(p->fd, &p->hash, e))
		return false;
	if (p->bytes > size)
		return repository_partial_restart(p, e);
	repository_follower_tell(p->hash, p->bytes);
	return lseek(p->fd, 0, SEEK_END) >= 0 ||
		err_fail(e, ERR_HOST, "cache: %s", strerror(errno));
}

bool repository_partial_open(const struct repository_cache *c,
	const uint8_t digest[32], uint64_t size,
	repository_cancelled *cancelled, void *ctx,
	struct repository_partial *out, bool *have, struct err *e)
{
	struct repository_partial p = { .cache = c, .fd = -1 };
	hex_encode(bytes_of(digest, 32), p.name);
	*out = p;
	*have = is_there(c, p.name);
	if (*have)
		return true;
	if (!wait_lock(c, p.name, cancelled, ctx, &p.fd, e))
		return false;
	*have = is_there(c, p.name);
	if (*have) {
		repository_partial_close(&p, true);
		return true;
	}
	if (!take_up(&p, size, e)) {
		repository_partial_close(&p, false);
		return false;
	}
	*out = p;
	return true;
}

bool repository_partial_add(struct repository_partial *p, struct bytes in,
	struct err *e)
{
	while (in.len) {
		ssize_t n = write(p->fd, in.ptr, in.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_fail(e, ERR_HOST, "cache: write: %s",
				strerror(errno));
		p->bytes += (uint64_t)n;
		in = bytes_from(in, (size_t)n);
	}
	repository_follower_tell(p->hash, p->bytes);
	return true;
}

bool repository_partial_restart(struct repository_partial *p, struct err *e)
{
	repository_follower_free(p->hash);
	p->hash = NULL;
	p->bytes = 0;
	if (ftruncate(p->fd, 0) || lseek(p->fd, 0, SEEK_SET) < 0)
		return err_fail(e, ERR_HOST, "cache: %s", strerror(errno));
	return repository_follower_new(p->fd, &p->hash, e);
}

bool repository_partial_done(struct repository_partial *p,
	const uint8_t digest[32], uint64_t size, struct err *e)
{
	uint8_t is[32];
	char hex[65];
	if (p->bytes != size)
		return err_fail(e, ERR_DENIED, "%llu bytes, want %llu",
			(unsigned long long)p->bytes, (unsigned long long)size);
	if (!repository_follower_end(p->hash, size, is, e))
		return false;
	repository_follower_free(p->hash);
	p->hash = NULL;
	if (memcmp(is, digest, sizeof is) != 0) {
		hex_encode(BYTES_ARRAY(is), hex);
		return err_fail(e, ERR_DENIED, "contents have digest sha256:%s",
			hex);
	}
	if (fchmod(p->fd, 0400) ||
		renameat(p->cache->partial_fd, p->name, p->cache->blobs_fd,
			p->name))
		return err_fail(e, ERR_HOST, "cache: rename: %s",
			strerror(errno));
	return true;
}

void repository_partial_close(struct repository_partial *p, bool drop)
{
	struct stat mine, there;
	repository_follower_free(p->hash);
	p->hash = NULL;
	/* Done, it has moved away: then another's may have that name. */
	if (p->fd >= 0 && (drop || !p->bytes) && !fstat(p->fd, &mine) &&
		!fstatat(p->cache->partial_fd, p->name, &there,
			AT_SYMLINK_NOFOLLOW) &&
		mine.st_ino == there.st_ino)
		unlinkat(p->cache->partial_fd, p->name, 0);
	cleanup_fd(&p->fd);
	p->fd = -1;
}
