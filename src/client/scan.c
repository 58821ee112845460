/* SPDX-License-Identifier: Apache-2.0 */
#include "client/scan.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { MAX_ENTRIES = 1000000 };

static bool add(struct client_deliver *d, uint32_t mount, const FTSENT *f,
	size_t root_len, struct err *e)
{
	size_t n = d->entry_count;
	const struct stat *st = f->fts_statp;
	const char *path = f->fts_path + root_len;
	while (*path == '/')
		path++;
	if (strlen(path) > FRAME_MAX_PATH)
		return err_fail(e, ERR_LIMIT, "%s: path too long", f->fts_path);
	if (n == MAX_ENTRIES)
		return err_fail(e, ERR_LIMIT, "more than %d files",
			MAX_ENTRIES);
	/* Grows by doubling: a power of two is full. */
	if (!(n & (n - 1))) {
		struct client_entry *p =
			realloc(d->entries, (n ? 2 * n : 1) * sizeof *p);
		if (!p)
			return err_fail(e, ERR_LIMIT, "no memory");
		d->entries = p;
	}
	struct client_entry x = { .path = strdup(path),
		.mount = mount,
		.directory = f->fts_info == FTS_D,
		.mtime_ns = (uint64_t)st->st_mtim.tv_sec * 1000000000u +
			(uint64_t)st->st_mtim.tv_nsec };
	if (!x.path)
		return err_fail(e, ERR_LIMIT, "no memory");
	if (!x.directory) {
		x.size = (uint64_t)st->st_size;
		d->files++;
		d->file_bytes += x.size;
	}
	d->entries[d->entry_count++] = x;
	return true;
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

static bool scan_mount(struct client_deliver *d, uint32_t mount, struct err *e)
{
	char *host = d->w->mounts[mount].host;
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

bool client_scan(struct client_deliver *d, struct err *e)
{
	for (size_t i = 0; i < d->w->mount_count; i++)
		if (!scan_mount(d, (uint32_t)i, e))
			return err_wrap(e, "directory");
	return true;
}
