/* SPDX-License-Identifier: Apache-2.0 */
#include "client/scan.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { MAX_ENTRIES = 1000000 };

/* Takes over x.path, which may be NULL for want of memory. */
static bool push(struct client_deliver *d, struct client_entry x, struct err *e)
{
	size_t n = d->entry_count;
	bool ok = x.path || err_fail(e, ERR_LIMIT, "no memory");
	if (ok && n == MAX_ENTRIES)
		ok = err_fail(e, ERR_LIMIT, "more than %d files", MAX_ENTRIES);
	/* Grows by doubling: a power of two is full. */
	if (ok && !(n & (n - 1))) {
		struct client_entry *p =
			realloc(d->entries, (n ? 2 * n : 1) * sizeof *p);
		if (p)
			d->entries = p;
		else
			ok = err_fail(e, ERR_LIMIT, "no memory");
	}
	if (!ok) {
		free(x.path);
		return false;
	}
	if (!x.directory) {
		d->files++;
		d->file_bytes += x.size;
	}
	d->entries[d->entry_count++] = x;
	return true;
}

static bool add(struct client_deliver *d, uint32_t mount, const FTSENT *f,
	size_t root_len, struct err *e)
{
	const struct stat *st = f->fts_statp;
	const char *path = f->fts_path + root_len;
	while (*path == '/')
		path++;
	if (strlen(path) > FRAME_MAX_PATH)
		return err_fail(e, ERR_LIMIT, "%s: path too long", f->fts_path);
	bool directory = f->fts_info == FTS_D;
	const struct client_entry x = { .path = strdup(path),
		.mount = mount,
		.directory = directory,
		.size = directory ? 0 : (uint64_t)st->st_size,
		.mtime_ns = (uint64_t)st->st_mtim.tv_sec * 1000000000u +
			(uint64_t)st->st_mtim.tv_nsec };
	return push(d, x, e);
}

static bool visit(struct client_deliver *d, uint32_t mount, const FTSENT *f,
	size_t root_len, struct err *e)
{
	switch (f->fts_info) {
	case FTS_DP:
		return true;
	case FTS_D:
		return f->fts_level == FTS_ROOTLEVEL ||
			add(d, mount, f, root_len, e);
	case FTS_F:
		if (f->fts_level == FTS_ROOTLEVEL)
			return err_fail(e, ERR_INPUT, "%s: not a directory",
				f->fts_path);
		return add(d, mount, f, root_len, e);
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		return err_fail(e, ERR_INPUT, "%s: %s", f->fts_path,
			strerror(f->fts_errno));
	default:
		/* Links could lead out of the directory; devices, sockets and
		 * pipes are nothing that can be sent. */
		d->skipped++;
		return true;
	}
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool scan_archive(struct client_deliver *d, uint32_t mount,
	const struct stat *st, struct err *e)
{
	const struct client_mount *m = &d->w->mounts[mount];
	struct repository_archive *a = &d->archives[mount];
	if (m->writable && !m->scratch)
		return err_fail(e, ERR_INPUT,
			"%s: an archive can't come back; say ro or scratch",
			m->host);
	if (!repository_archive_open(m->host, a, e))
		return false;
	for (size_t i = 0; i < a->index.count; i++) {
		const struct repository_tar_entry *f = &a->index.entries[i];
		const struct client_entry x = { .path = strdup(f->path),
			.mount = mount,
			.directory = f->directory,
			.size = f->size,
			.mtime_ns = (uint64_t)st->st_mtim.tv_sec * 1000000000u,
			.archived = true,
			.from = f->at };
		if (!push(d, x, e))
			return false;
	}
	return true;
}

static bool make_folder(const char *host, struct err *e)
{
	return mkdir(host, 0777) == 0 || errno == EEXIST ||
		err_fail(e, ERR_INPUT, "%s: %s", host, strerror(errno));
}

static bool scan_mount(struct client_deliver *d, uint32_t mount, struct err *e)
{
	char *host = d->w->mounts[mount].host;
	struct stat st;
	if (d->w->mounts[mount].empty)
		return make_folder(host, e);
	if (stat(host, &st) == 0 && S_ISREG(st.st_mode))
		return scan_archive(d, mount, &st, e);
	char *const roots[] = { host, NULL };
	FTS *t = fts_open(roots, FTS_COMFOLLOW | FTS_PHYSICAL | FTS_NOCHDIR,
		by_name);
	if (!t)
		return err_fail(e, ERR_HOST, "%s: %s", host, strerror(errno));
	bool ok = true;
	errno = 0;
	for (const FTSENT *f; ok && (f = fts_read(t)); errno = 0)
		ok = visit(d, mount, f, strlen(host), e);
	if (ok && errno)
		ok = err_fail(e, ERR_INPUT, "%s: %s", host, strerror(errno));
	fts_close(t);
	return ok;
}

/* What the package has below the mount's folder. */
static bool scan_package(struct client_deliver *d, uint32_t mount,
	struct err *e)
{
	const struct repository_package *p = d->package;
	const char *host = d->w->mounts[mount].host;
	size_t n = strlen(host);
	bool any = !n;
	for (size_t i = 0; n && i < p->file_count; i++) {
		const struct repository_file *f = &p->files[i];
		if (strncmp(f->path, host, n) != 0 ||
			(f->path[n] && f->path[n] != '/'))
			continue;
		any = true;
		if (!f->path[n])
			continue;
		const struct client_entry x = {
			.path = strdup(f->path + n + 1),
			.mount = mount,
			.directory = f->directory,
			.size = f->size,
			.packaged = true,
			.from = f->at,
		};
		if (!push(d, x, e))
			return false;
	}
	return any ||
		err_fail(e, ERR_INPUT, "the package has no folder %s", host);
}

static bool scan_items(struct client_deliver *d, struct err *e)
{
	for (size_t i = 0; i < d->w->item_count; i++) {
		const struct client_item *x = &d->w->items[i];
		const struct client_entry entry = { .path = strdup(x->path),
			.mount = (uint32_t)x->mount,
			.item = x };
		if (!push(d, entry, e))
			return false;
		/* Secrets are counted apart. */
		d->files -= x->secret;
		d->secrets += x->secret;
	}
	return true;
}

bool client_scan(struct client_deliver *d, struct err *e)
{
	for (size_t i = 0; i < d->w->mount_count; i++)
		if (!(d->w->mounts[i].packaged ?
				    scan_package(d, (uint32_t)i, e) :
				    scan_mount(d, (uint32_t)i, e)))
			return err_wrap(e, "directory");
	return scan_items(d, e);
}
