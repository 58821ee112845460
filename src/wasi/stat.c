/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a descriptor and of its file, and changing it. */
#include "wasi/wasi_priv.h"

int wasi_fd_fdstat_get(struct wasi_call *k)
{
	struct wasi_fd *f;
	int r = wasi_fd_get(k, arg32(k, 0), 0, &f);
	if (r)
		return r;
	uint8_t *out = wasi_view(k, arg32(k, 1), FDSTAT_BYTES);
	if (!out)
		return WASI_FAULT;
	memset(out, 0, FDSTAT_BYTES);
	put_le(out, wasi_fd_type(f), 1);
	put_le(out + 2, f->flags, 2);
	put_le(out + 8, f->base, 8);
	put_le(out + 16, f->inheriting, 8);
	return WASI_OK;
}

int wasi_fd_fdstat_set_flags(struct wasi_call *k)
{
	struct wasi_fd *f;
	uint32_t flags = arg32(k, 1);
	int r = wasi_fd_get(k, arg32(k, 0), RIGHT_FD_FDSTAT_SET_FLAGS, &f);
	if (r)
		return r;
	if (flags & ~(uint32_t)FDFLAGS_ALL)
		return WASI_INVAL;
	f->flags = (uint16_t)flags;
	return WASI_OK;
}

/* Rights can only be given up. */
int wasi_fd_fdstat_set_rights(struct wasi_call *k)
{
	struct wasi_fd *f;
	uint64_t base = k->arg[1], inheriting = k->arg[2];
	int r = wasi_fd_get(k, arg32(k, 0), 0, &f);
	if (r)
		return r;
	if (base & ~f->base || inheriting & ~f->inheriting)
		return WASI_NOTCAPABLE;
	f->base = base;
	f->inheriting = inheriting;
	return WASI_OK;
}

static void put_stat(uint8_t *out, const struct vfs_stat *st, unsigned type)
{
	memset(out, 0, FILESTAT_BYTES);
	put_le(out, st->dev, 8);
	put_le(out + 8, st->ino, 8);
	put_le(out + 16, type, 1);
	put_le(out + 24, st->nlink, 8);
	put_le(out + 32, st->size, 8);
	put_le(out + 40, st->atim, 8);
	put_le(out + 48, st->mtim, 8);
	put_le(out + 56, st->ctim, 8);
}

static void put_stat_old(uint8_t *out, const struct vfs_stat *st, unsigned type)
{
	memset(out, 0, FILESTAT_OLD_BYTES);
	put_le(out, st->dev, 8);
	put_le(out + 8, st->ino, 8);
	put_le(out + 16, type, 1);
	put_le(out + 20, st->nlink, 4);
	put_le(out + 24, st->size, 8);
	put_le(out + 32, st->atim, 8);
	put_le(out + 40, st->mtim, 8);
	put_le(out + 48, st->ctim, 8);
}

int wasi_put_filestat(struct wasi_call *k, uint32_t at, struct vfs_node *n,
	const struct wasi_fd *f)
{
	struct vfs_stat st = { .nlink = 1 };
	uint8_t *out =
		wasi_view(k, at, k->old ? FILESTAT_OLD_BYTES : FILESTAT_BYTES);
	if (!out)
		return WASI_FAULT;
	int r = n ? k->w->vfs->ops->stat(k->w->vfs, n, &st) : WASI_OK;
	if (r)
		return r;
	unsigned type = n ? (unsigned)st.type : wasi_fd_type(f);
	if (k->old)
		put_stat_old(out, &st, type);
	else
		put_stat(out, &st, type);
	return WASI_OK;
}

int wasi_fd_filestat_get(struct wasi_call *k)
{
	struct wasi_fd *f;
	int r = wasi_fd_get(k, arg32(k, 0), RIGHT_FD_FILESTAT_GET, &f);
	return r ? r : wasi_put_filestat(k, arg32(k, 1), f->node, f);
}

/* A regular file that may be changed. */
static int file_of(struct wasi_call *k, uint64_t right, struct wasi_fd **f)
{
	int r = wasi_fd_get(k, arg32(k, 0), 0, f);
	if (r)
		return r;
	if ((*f)->kind == WASI_DIR)
		return WASI_ISDIR;
	if ((*f)->kind != WASI_FILE)
		return WASI_INVAL;
	if ((*f)->read_only)
		return WASI_ROFS;
	return wasi_fd_rights(*f, right);
}

int wasi_fd_filestat_set_size(struct wasi_call *k)
{
	struct wasi_fd *f;
	int r = file_of(k, RIGHT_FD_FILESTAT_SET_SIZE, &f);
	if (r)
		return r;
	if (k->arg[1] > INT64_MAX)
		return WASI_INVAL;
	return k->w->vfs->ops->resize(k->w->vfs, f->node, k->arg[1]);
}

int wasi_fd_allocate(struct wasi_call *k)
{
	struct wasi_fd *f;
	struct vfs_stat st;
	uint64_t at = k->arg[1], len = k->arg[2];
	int r = wasi_fd_get(k, arg32(k, 0), 0, &f);
	if (!r && f->kind != WASI_FILE && f->kind != WASI_DIR)
		return f->kind == WASI_NULL ? WASI_NODEV : WASI_SPIPE;
	if (!r)
		r = file_of(k, RIGHT_FD_ALLOCATE, &f);
	if (!r)
		r = k->w->vfs->ops->stat(k->w->vfs, f->node, &st);
	if (r)
		return r;
	if (at > INT64_MAX || len > INT64_MAX || len == 0)
		return WASI_INVAL;
	if (at + len > INT64_MAX)
		return WASI_FBIG;
	if (at + len <= st.size)
		return WASI_OK;
	return k->w->vfs->ops->resize(k->w->vfs, f->node, at + len);
}

int wasi_fd_advise(struct wasi_call *k)
{
	enum { NOREUSE = 5 };
	struct wasi_fd *f;
	int r = wasi_fd_get(k, arg32(k, 0), 0, &f);
	if (r)
		return r;
	if (f->kind == WASI_STREAM)
		return WASI_SPIPE;
	r = f->kind == WASI_NULL ? WASI_OK : wasi_fd_rights(f, RIGHT_FD_ADVISE);
	if (r)
		return r;
	if (arg32(k, 3) > NOREUSE || k->arg[1] > INT64_MAX ||
		k->arg[2] > INT64_MAX)
		return WASI_INVAL;
	return WASI_OK; /* all is in memory: nothing to do */
}

static int sync_of(struct wasi_call *k, uint64_t right)
{
	struct wasi_fd *f;
	int r = wasi_fd_get(k, arg32(k, 0), 0, &f);
	if (r)
		return r;
	if (f->kind == WASI_STREAM || f->kind == WASI_NULL)
		return WASI_INVAL;
	return wasi_fd_rights(f, right);
}

int wasi_fd_sync(struct wasi_call *k)
{
	return sync_of(k, RIGHT_FD_SYNC);
}

int wasi_fd_datasync(struct wasi_call *k)
{
	return sync_of(k, RIGHT_FD_DATASYNC);
}

int wasi_set_times(struct wasi_call *k, struct vfs_node *n, uint64_t atim,
	uint64_t mtim, uint32_t flags)
{
	if (flags & ~(uint32_t)FST_ALL ||
		(flags & FST_ATIM && flags & FST_ATIM_NOW) ||
		(flags & FST_MTIM && flags & FST_MTIM_NOW))
		return WASI_INVAL;
	const struct wasi_host *h = k->w->host;
	uint64_t now = h->now(h->ctx, WASI_CLOCK_REALTIME);
	if (flags & FST_ATIM_NOW)
		atim = now;
	if (flags & FST_MTIM_NOW)
		mtim = now;
	return k->w->vfs->ops->set_times(k->w->vfs, n,
		flags & (FST_ATIM | FST_ATIM_NOW) ? &atim : NULL,
		flags & (FST_MTIM | FST_MTIM_NOW) ? &mtim : NULL);
}

int wasi_fd_filestat_set_times(struct wasi_call *k)
{
	struct wasi_fd *f;
	int r = wasi_fd_get(k, arg32(k, 0), 0, &f);
	if (r)
		return r;
	if (!f->node)
		return WASI_INVAL;
	r = wasi_fd_rights(f, RIGHT_FD_FILESTAT_SET_TIMES);
	if (r)
		return r;
	if (f->read_only)
		return WASI_ROFS;
	return wasi_set_times(k, f->node, k->arg[1], k->arg[2], arg32(k, 3));
}

/* libc looks for preopens from 3 on until BADF.  What stands before one of
 * them and is none is of an unknown kind, without a name: libc, Go's runtime
 * and Zig's library pass over that. */
static int preopen_of(struct wasi_call *k, struct wasi_fd **f)
{
	uint32_t fd = arg32(k, 0);
	int r = wasi_fd_get(k, fd, 0, f);
	bool before = !r && (*f)->first && fd >= 3 && fd < k->w->last_preopen;
	return r || (*f)->preopen || before ? r : WASI_BADF;
}

int wasi_fd_prestat_get(struct wasi_call *k)
{
	struct wasi_fd *f;
	int r = preopen_of(k, &f);
	if (r)
		return r;
	uint8_t *out = wasi_view(k, arg32(k, 1), PRESTAT_BYTES);
	if (!out)
		return WASI_FAULT;
	memset(out, 0, PRESTAT_BYTES); /* tag 0: a directory */
	if (f->preopen)
		put_le(out + 4, strlen(f->preopen), 4);
	else
		out[0] = PRESTAT_UNKNOWN;
	return WASI_OK;
}

int wasi_fd_prestat_dir_name(struct wasi_call *k)
{
	struct wasi_fd *f;
	int r = preopen_of(k, &f);
	if (r)
		return r;
	size_t len = f->preopen ? strlen(f->preopen) : 0;
	if (arg32(k, 2) < len)
		return WASI_NAMETOOLONG;
	uint8_t *out = wasi_view(k, arg32(k, 1), len);
	if (!out)
		return WASI_FAULT;
	if (len)
		memcpy(out, f->preopen, len);
	return WASI_OK;
}
