/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "repository/tar_priv.h"

bool repository_tree_archive(int fd, uint64_t size, struct repository_tree *out,
	struct err *e)
{
	*out = (struct repository_tree){ .dir_fd = -1,
		.source = { .fd = fd, .size = size } };
	return repository_tar_index(&out->source, &out->tar, e);
}

void repository_tree_fini(struct repository_tree *t)
{
	repository_tar_fini(&t->tar);
	*t = (struct repository_tree){ .dir_fd = -1 };
}

bool repository_tree_has(const struct repository_tree *t, const char *path,
	uint64_t *size)
{
	struct stat st;
	if (t->dir_fd >= 0) {
		if (fstatat(t->dir_fd, path, &st, 0) || !S_ISREG(st.st_mode))
			return false;
		*size = (uint64_t)st.st_size;
		return true;
	}
	const struct repository_tar_entry *x =
		repository_tar_find(&t->tar, path);
	if (!x || x->directory)
		return false;
	*size = x->size;
	return true;
}

bool repository_tree_open(const struct repository_tree *t, const char *path,
	int *fd, uint64_t *at, uint64_t *size, struct err *e)
{
	struct stat st;
	if (t->dir_fd < 0) {
		const struct repository_tar_entry *x =
			repository_tar_find(&t->tar, path);
		if (!x || x->directory)
			return err_fail(e, ERR_INPUT, "%s: not there", path);
		*at = x->at;
		*size = x->size;
		*fd = fcntl(t->source.fd, F_DUPFD_CLOEXEC, 3);
		return *fd >= 0 ||
			err_fail(e, ERR_HOST, "dup: %s", strerror(errno));
	}
	auto_fd file = openat(t->dir_fd, path,
		O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (file < 0 || fstat(file, &st))
		return err_fail(e, ERR_INPUT, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_fail(e, ERR_INPUT, "%s: not a file", path);
	*at = 0;
	*size = (uint64_t)st.st_size;
	*fd = fd_move(&file);
	return true;
}

bool repository_tree_read(const struct repository_tree *t, const char *path,
	uint64_t max, struct buf *out, struct err *e)
{
	int opened;
	struct repository_source s = { 0 };
	uint64_t at;
	if (!repository_tree_open(t, path, &opened, &at, &s.size, e))
		return false;
	auto_fd fd = opened;
	if (s.size > max)
		return err_fail(e, ERR_LIMIT, "%s: larger than %llu bytes",
			path, (unsigned long long)max);
	size_t n = (size_t)s.size;
	uint8_t *to = buf_reserve(out, n + 1);
	if (!to)
		return err_fail(e, ERR_LIMIT, "no memory");
	s.fd = fd;
	s.size += at;
	if (!repository_source_read(&s, at, to, n, e))
		return err_wrap(e, "%s", path);
	buf_commit(out, n);
	return true;
}

static bool ends(const char *text, const char *with)
{
	size_t n = strlen(text), k = strlen(with);
	return n >= k && !strcmp(text + n - k, with);
}

static DIR *open_dir(int at, const char *path)
{
	auto_fd fd = openat(at, path,
		O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (d)
		fd_move(&fd);
	return d;
}

bool repository_tree_find(const struct repository_tree *t, const char *suffix,
	struct buf *out, size_t *count, struct err *e)
{
	uint64_t size;
	*count = 0;
	for (size_t i = 0; t->dir_fd < 0 && i < t->tar.count; i++) {
		const char *path = t->tar.entries[i].path;
		if (strchr(path, '/') || !ends(path, suffix) ||
			t->tar.entries[i].directory)
			continue;
		buf_put(out, bytes_of(path, strlen(path) + 1));
		(*count)++;
	}
	if (t->dir_fd < 0)
		return buf_ok(out) || err_fail(e, ERR_LIMIT, "no memory");
	DIR *d = open_dir(t->dir_fd, ".");
	if (!d)
		return err_fail(e, ERR_INPUT, "folder: %s", strerror(errno));
	for (struct dirent *x; (x = readdir(d));) {
		if (!ends(x->d_name, suffix) ||
			!repository_tree_has(t, x->d_name, &size))
			continue;
		buf_put(out, bytes_of(x->d_name, strlen(x->d_name) + 1));
		(*count)++;
	}
	closedir(d);
	return buf_ok(out) || err_fail(e, ERR_LIMIT, "no memory");
}

/* --- listing ------------------------------------------------------------ */

static bool add(struct repository_tar *out, const char *path,
	const struct repository_tar_entry *like, struct err *e)
{
	size_t n = out->count;
	if (n == REPOSITORY_TAR_MAX_ENTRIES)
		return err_fail(e, ERR_LIMIT, "more than %d files",
			REPOSITORY_TAR_MAX_ENTRIES);
	if (!(n & (n - 1))) {
		void *p = realloc(out->entries,
			(n ? 2 * n : 1) * sizeof *out->entries);
		if (!p)
			return err_fail(e, ERR_LIMIT, "no memory");
		out->entries = p;
	}
	struct repository_tar_entry x = *like;
	x.path = strdup(path);
	if (!x.path)
		return err_fail(e, ERR_LIMIT, "no memory");
	out->entries[out->count++] = x;
	return true;
}

/* Is there a folder among what was listed that was not visited yet?  A list
 * that grows while it is walked takes the place of recursion. */
static bool add_one(const struct repository_tree *t, const char *folder,
	const char *name, struct repository_tar *out, struct err *e)
{
	struct stat st;
	auto_buf path = { 0 };
	buf_fmt(&path, "%s/%s", folder, name);
	const char *p = buf_cstr(&path);
	if (!buf_ok(&path))
		return err_fail(e, ERR_LIMIT, "no memory");
	if (!repository_path_ok(buf_bytes(&path), e))
		return err_wrap(e, "%.100s", p);
	if (fstatat(t->dir_fd, p, &st, AT_SYMLINK_NOFOLLOW))
		return err_fail(e, ERR_INPUT, "%s: %s", p, strerror(errno));
	if (S_ISLNK(st.st_mode))
		return err_fail(e, ERR_INPUT, "%s: a symbolic link", p);
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return err_fail(e, ERR_INPUT, "%s: neither a file nor a folder",
			p);
	struct repository_tar_entry x = { .directory = S_ISDIR(st.st_mode) };
	if (!x.directory)
		x.size = (uint64_t)st.st_size;
	return add(out, p, &x, e);
}

static bool list_folder(const struct repository_tree *t, const char *folder,
	struct repository_tar *out, struct err *e)
{
	DIR *d = open_dir(t->dir_fd, folder);
	bool ok = true;
	if (!d)
		return err_fail(e, ERR_INPUT, "%s: %s", folder,
			errno == ELOOP ? "a symbolic link" : strerror(errno));
	for (struct dirent *x; ok && (x = readdir(d));)
		if (strcmp(x->d_name, ".") != 0 && strcmp(x->d_name, "..") != 0)
			ok = add_one(t, folder, x->d_name, out, e);
	closedir(d);
	return ok;
}

static bool list_all(const struct repository_tree *t, const char *under,
	struct repository_tar *out, struct err *e)
{
	if (!list_folder(t, under, out, e))
		return false;
	for (size_t i = 0; i < out->count; i++) {
		if (!out->entries[i].directory)
			continue;
		/* The list moves when it grows. */
		auto_free char *path = strdup(out->entries[i].path);
		if (!path)
			return err_fail(e, ERR_LIMIT, "no memory");
		if (!list_folder(t, path, out, e))
			return false;
	}
	return true;
}

static bool list_archive(const struct repository_tree *t, const char *under,
	struct repository_tar *out, struct err *e)
{
	size_t n = strlen(under);
	const struct repository_tar_entry *folder =
		repository_tar_find(&t->tar, under);
	bool any = folder && folder->directory;
	for (size_t i = 0; i < t->tar.count; i++) {
		const struct repository_tar_entry *x = &t->tar.entries[i];
		if (strncmp(x->path, under, n) != 0 || x->path[n] != '/')
			continue;
		any = true;
		if (!add(out, x->path, x, e))
			return false;
	}
	return any || err_fail(e, ERR_INPUT, "%s: no such folder in it", under);
}

bool repository_tree_list(const struct repository_tree *t, const char *under,
	struct repository_tar *out, struct err *e)
{
	struct repository_tar all = { 0 };
	bool ok = t->dir_fd >= 0 ? list_all(t, under, &all, e) :
				   list_archive(t, under, &all, e);
	ok = ok && repository_tar_check(&all, e);
	if (ok)
		*out = all;
	else
		repository_tar_fini(&all);
	return ok;
}
