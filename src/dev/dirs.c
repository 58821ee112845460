/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "dev/dev.h"

enum { BLOCK = 1 << 20 };

static uint64_t ns_of(struct timespec t)
{
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* --- in ------------------------------------------------------------------ */

static bool file_in(struct vfs *v, struct vfs_node *n, const char *path,
	struct err *e)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	auto_free uint8_t *block = malloc(BLOCK);
	if (fd < 0 || !block)
		return err_fail(e, ERR_INPUT, "%s: %s", path, strerror(errno));
	for (uint64_t at = 0;;) {
		ssize_t got = read(fd, block, BLOCK);
		if (got < 0)
			return err_fail(e, ERR_INPUT, "%s: %s", path,
				strerror(errno));
		if (got == 0)
			return true;
		size_t put = (size_t)got;
		if (v->ops->write(v, n, at, block, &put) || put < (size_t)got)
			return err_fail(e, ERR_LIMIT, "%s: file system full",
				path);
		at += put;
	}
}

static bool link_in(struct memfs *fs, const struct dev_dir *d,
	struct bytes path, const char *host, struct err *e)
{
	char target[4096];
	struct vfs_node *dir = d->root;
	struct bytes name = path;
	ssize_t n = readlink(host, target, sizeof target);
	if (n <= 0)
		return err_fail(e, ERR_INPUT, "%s: %s", host, strerror(errno));
	for (size_t i = path.len; i-- > 0;) {
		if (path.ptr[i] != '/')
			continue;
		name = bytes_from(path, i + 1);
		if (!memfs_add(fs, d->root, bytes_of(path.ptr, i),
			    VFS_DIRECTORY, 0, &dir, e))
			return false;
		break;
	}
	struct vfs *v = memfs_vfs(fs);
	if (v->ops->symlink(v, dir, name, bytes_of(target, (size_t)n)))
		return err_fail(e, ERR_LIMIT, "%s: symbolic link", host);
	return true;
}

static bool entry_in(struct memfs *fs, const struct dev_dir *d, FTSENT *f,
	struct err *e)
{
	size_t skip = strlen(d->host);
	struct bytes path =
		bytes_from(bytes_of(f->fts_path, f->fts_pathlen), skip + 1);
	struct vfs_node *n;
	uint64_t mtime = f->fts_statp ? ns_of(f->fts_statp->st_mtim) : 0;
	if (f->fts_level == 0)
		return true;
	switch (f->fts_info) {
	case FTS_D:
		return memfs_add(fs, d->root, path, VFS_DIRECTORY, mtime, &n,
			e);
	case FTS_F:
		if (!memfs_add(fs, d->root, path, VFS_FILE, mtime, &n, e) ||
			!file_in(memfs_vfs(fs), n, f->fts_accpath, e))
			return false;
		/* Writing it touched it. */
		(void)memfs_vfs(fs)->ops->set_times(memfs_vfs(fs), n, &mtime,
			&mtime);
		return true;
	case FTS_SL:
	case FTS_SLNONE:
		return link_in(fs, d, path, f->fts_accpath, e);
	case FTS_DP:
	case FTS_DEFAULT:
		return true; /* sockets and devices stay outside */
	default:
		return err_fail(e, ERR_INPUT, "%s: %s", f->fts_path,
			strerror(f->fts_errno));
	}
}

bool dev_dir_load(struct dev_dir *d, struct memfs *fs, struct err *e)
{
	if (!memfs_root(fs, &d->root, e))
		return false;
	auto_free char *path = strdup(d->host);
	if (!path)
		return err_fail(e, ERR_LIMIT, "out of memory");
	char *const roots[] = { path, NULL };
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!tree)
		return err_fail(e, ERR_INPUT, "%s: %s", d->host,
			strerror(errno));
	bool ok = true;
	for (FTSENT *f; ok && (f = fts_read(tree));) {
		if (f->fts_level == 0 && f->fts_info == FTS_F)
			ok = err_fail(e, ERR_INPUT, "%s: not a directory",
				d->host);
		else if (f->fts_level == 0 && f->fts_info == FTS_NS)
			ok = err_fail(e, ERR_INPUT, "%s: %s", d->host,
				strerror(f->fts_errno));
		else
			ok = entry_in(fs, d, f, e);
	}
	fts_close(tree);
	return ok;
}

/* --- back ---------------------------------------------------------------- */

struct save {
	struct vfs *vfs;
	int root;
	struct err *e;
	bool failed;
};

static bool save_failed(struct save *s, const char *path)
{
	s->failed = true;
	return err_fail(s->e, ERR_HOST, "%s: %s", path, strerror(errno));
}

static bool file_out(struct save *s, const char *path, struct vfs_node *n,
	const struct vfs_stat *st)
{
	struct stat now;
	bool there = !fstatat(s->root, path, &now, AT_SYMLINK_NOFOLLOW);
	if (there && S_ISREG(now.st_mode) && ns_of(now.st_mtim) == st->mtim &&
		(uint64_t)now.st_size == st->size)
		return true; /* as it came in */
	if (there && !S_ISREG(now.st_mode) && unlinkat(s->root, path, 0))
		return save_failed(s, path);
	auto_fd fd = openat(s->root, path,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	auto_free uint8_t *block = malloc(BLOCK);
	if (fd < 0 || !block)
		return save_failed(s, path);
	for (uint64_t at = 0; at < st->size;) {
		size_t n_read = BLOCK;
		if (s->vfs->ops->read(s->vfs, n, at, block, &n_read))
			return save_failed(s, path);
		ssize_t put = write(fd, block, n_read);
		if (put <= 0)
			return save_failed(s, path);
		at += (uint64_t)put;
	}
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
		{ (time_t)(st->mtim / 1000000000),
			(long)(st->mtim % 1000000000) } };
	(void)futimens(fd, times);
	return true;
}

static bool dir_out(struct save *s, const char *path)
{
	struct stat now;
	bool there = !fstatat(s->root, path, &now, AT_SYMLINK_NOFOLLOW);
	if (there && S_ISDIR(now.st_mode))
		return true;
	if ((there && unlinkat(s->root, path, 0)) ||
		mkdirat(s->root, path, 0777))
		return save_failed(s, path);
	return true;
}

static bool link_out(struct save *s, const char *path, struct vfs_node *n)
{
	struct bytes target;
	auto_buf to = { 0 };
	char now[4097];
	if (s->vfs->ops->readlink(s->vfs, n, &target) || !buf_put(&to, target))
		return save_failed(s, path);
	ssize_t len = readlinkat(s->root, path, now, sizeof now);
	if (len >= 0 && bytes_equal(bytes_of(now, (size_t)len), target))
		return true;
	if (unlinkat(s->root, path, 0) && errno != ENOENT)
		return save_failed(s, path);
	return !symlinkat(buf_cstr(&to), s->root, path) || save_failed(s, path);
}

static bool entry_out(void *ctx, struct bytes path, struct vfs_node *n,
	const struct vfs_stat *st)
{
	struct save *s = ctx;
	auto_buf text = { 0 };
	buf_put(&text, path);
	const char *name = buf_cstr(&text);
	switch (st->type) {
	case VFS_DIRECTORY:
		return dir_out(s, name);
	case VFS_SYMLINK:
		return link_out(s, name, n);
	default:
		return file_out(s, name, n, st);
	}
}

bool dev_dir_save(const struct dev_dir *d, struct memfs *fs, struct err *e)
{
	auto_fd root = open(d->host, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_fail(e, ERR_HOST, "%s: %s", d->host,
			strerror(errno));
	struct save s = { memfs_vfs(fs), root, e, false };
	if (memfs_walk(fs, d->root, entry_out, &s))
		return true;
	return s.failed ? err_wrap(e, "%s", d->host) :
			  err_fail(e, ERR_LIMIT, "%s: out of memory", d->host);
}
