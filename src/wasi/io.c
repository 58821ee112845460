/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, writing and seeking. */
#include "wasi/wasi_priv.h"

static int file_read(struct wasi_call *k, struct wasi_fd *f,
	struct wasi_iovs *v, uint64_t at, size_t *done)
{
	struct vfs *vfs = k->w->vfs;
	uint8_t *to;
	size_t len;
	*done = 0;
	while (wasi_iovs_next(v, &to, &len)) {
		size_t n = len;
		int r = vfs->ops->read(vfs, f->node, at + *done, to, &n);
		if (r)
			return *done ? WASI_OK : r;
		*done += n;
		if (n < len)
			break;
	}
	return WASI_OK;
}

static int file_write(struct wasi_call *k, struct wasi_fd *f,
	struct wasi_iovs *v, uint64_t at, size_t *done)
{
	struct vfs *vfs = k->w->vfs;
	uint8_t *from;
	size_t len;
	*done = 0;
	while (wasi_iovs_next(v, &from, &len)) {
		size_t n = len;
		int r = vfs->ops->write(vfs, f->node, at + *done, from, &n);
		if (r)
			return *done ? WASI_OK : r;
		*done += n;
		if (n < len)
			break;
	}
	return WASI_OK;
}

/* What the four calls check alike: descriptor, list, where the count goes. */
static int io_begin(struct wasi_call *k, uint64_t right, struct wasi_fd **f,
	struct wasi_iovs *v, uint32_t count_at, uint8_t **count)
{
	int r = wasi_fd_get(k, arg32(k, 0), 0, f);
	if (r)
		return r;
	if ((*f)->kind == WASI_DIR)
		return WASI_ISDIR;
	if ((*f)->kind == WASI_STREAM && (*f)->stream.ops->accept)
		return WASI_NOTCONN;
	r = wasi_fd_rights(*f, right);
	if (r)
		return r;
	*count = wasi_view(k, count_at, 4);
	if (!*count)
		return WASI_FAULT;
	return wasi_iovs_get(k, arg32(k, 1), arg32(k, 2), v);
}

static size_t swallow(struct wasi_iovs *v)
{
	uint8_t *from;
	size_t len, done = 0;
	while (wasi_iovs_next(v, &from, &len))
		done += len;
	return done;
}

static int append_at(struct wasi_call *k, struct wasi_fd *f, uint64_t *at)
{
	struct vfs_stat st;
	if (!(f->flags & FDFLAG_APPEND))
		return WASI_OK;
	int r = k->w->vfs->ops->stat(k->w->vfs, f->node, &st);
	if (!r)
		*at = st.size;
	return r;
}

int wasi_fd_read(struct wasi_call *k)
{
	struct wasi_fd *f;
	struct wasi_iovs v;
	uint8_t *count;
	size_t done = 0;
	int r = io_begin(k, RIGHT_FD_READ, &f, &v, arg32(k, 3), &count);
	if (r)
		return r;
	if (f->kind == WASI_STREAM)
		r = wasi_stream_readv(k, f, &v, false, &done);
	else if (f->kind == WASI_FILE)
		r = file_read(k, f, &v, f->pos, &done);
	if (r)
		return r;
	f->pos += done;
	put_le(count, done, 4);
	return WASI_OK;
}

int wasi_fd_write(struct wasi_call *k)
{
	struct wasi_fd *f;
	struct wasi_iovs v;
	uint8_t *count;
	size_t done = 0;
	int r = io_begin(k, RIGHT_FD_WRITE, &f, &v, arg32(k, 3), &count);
	if (r)
		return r;
	if (f->kind == WASI_STREAM) {
		r = wasi_stream_writev(k, f, &v, &done);
	} else if (f->kind == WASI_FILE) {
		r = append_at(k, f, &f->pos);
		if (!r)
			r = file_write(k, f, &v, f->pos, &done);
	} else {
		done = swallow(&v);
	}
	if (r)
		return r;
	f->pos += done;
	put_le(count, done, 4);
	return WASI_OK;
}

static int at_check(const struct wasi_fd *f, uint64_t at)
{
	if (f->kind == WASI_STREAM)
		return WASI_SPIPE;
	return at > INT64_MAX ? WASI_INVAL : WASI_OK;
}

int wasi_fd_pread(struct wasi_call *k)
{
	struct wasi_fd *f;
	struct wasi_iovs v;
	uint8_t *count;
	size_t done = 0;
	int r = io_begin(k, RIGHT_FD_READ, &f, &v, arg32(k, 4), &count);
	if (!r)
		r = at_check(f, k->arg[3]);
	if (!r)
		r = wasi_fd_rights(f, RIGHT_FD_SEEK);
	if (!r && f->kind == WASI_FILE)
		r = file_read(k, f, &v, k->arg[3], &done);
	if (!r)
		put_le(count, done, 4);
	return r;
}

int wasi_fd_pwrite(struct wasi_call *k)
{
	struct wasi_fd *f;
	struct wasi_iovs v;
	uint8_t *count;
	size_t done = 0;
	uint64_t at = k->arg[3];
	int r = io_begin(k, RIGHT_FD_WRITE, &f, &v, arg32(k, 4), &count);
	if (!r)
		r = at_check(f, at);
	if (!r)
		r = wasi_fd_rights(f, RIGHT_FD_SEEK);
	if (!r && f->kind == WASI_FILE) {
		r = append_at(k, f, &at);
		if (!r)
			r = file_write(k, f, &v, at, &done);
	} else if (!r) {
		done = swallow(&v);
	}
	if (!r)
		put_le(count, done, 4);
	return r;
}

static int seek_to(struct wasi_call *k, struct wasi_fd *f, int64_t offset,
	uint32_t whence, uint64_t *to)
{
	struct vfs_stat st = { 0 };
	uint64_t from = 0;
	if (f->kind == WASI_NULL) {
		*to = 0;
		return WASI_OK;
	}
	if (whence == WHENCE_CUR)
		from = f->pos;
	if (whence == WHENCE_END) {
		int r = k->w->vfs->ops->stat(k->w->vfs, f->node, &st);
		if (r)
			return r;
		from = st.size;
	}
	int64_t sum;
	if (__builtin_add_overflow((int64_t)from, offset, &sum))
		return offset < 0 ? WASI_INVAL : WASI_OVERFLOW;
	if (sum < 0)
		return WASI_INVAL;
	*to = (uint64_t)sum;
	return WASI_OK;
}

/* A descriptor that has a position.  The right to seek implies tell. */
static int seekable(struct wasi_call *k, bool tell_only, struct wasi_fd **f)
{
	int r = wasi_fd_get(k, arg32(k, 0), 0, f);
	if (r)
		return r;
	if ((*f)->kind == WASI_STREAM)
		return WASI_SPIPE;
	if ((*f)->kind == WASI_DIR)
		return WASI_ISDIR;
	if (tell_only && (*f)->base & RIGHT_FD_TELL)
		return WASI_OK;
	return wasi_fd_rights(*f, RIGHT_FD_SEEK);
}

int wasi_fd_seek(struct wasi_call *k)
{
	/* wasi_unstable: 0 current, 1 end, 2 set. */
	static const uint8_t old_whence[] = { WHENCE_CUR, WHENCE_END,
		WHENCE_SET };
	struct wasi_fd *f;
	int64_t offset = (int64_t)k->arg[1];
	uint32_t whence = arg32(k, 2);
	if (whence > WHENCE_END)
		return WASI_INVAL;
	if (k->old)
		whence = old_whence[whence];
	int r = seekable(k, whence == WHENCE_CUR && offset == 0, &f);
	if (r)
		return r;
	uint8_t *out = wasi_view(k, arg32(k, 3), 8);
	if (!out)
		return WASI_FAULT;
	r = seek_to(k, f, offset, whence, &f->pos);
	if (!r)
		put_le(out, f->pos, 8);
	return r;
}

int wasi_fd_tell(struct wasi_call *k)
{
	struct wasi_fd *f;
	int r = seekable(k, true, &f);
	if (r)
		return r;
	uint8_t *out = wasi_view(k, arg32(k, 1), 8);
	if (!out)
		return WASI_FAULT;
	put_le(out, f->pos, 8);
	return WASI_OK;
}
