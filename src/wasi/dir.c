/* SPDX-License-Identifier: Apache-2.0 */
/* Reading directories.  Cookies: 0 ".", 1 "..", then the file system's + 2. */
#include "wasi/wasi_priv.h"

enum { COOKIE_DOT = 0, COOKIE_DOTDOT = 1, COOKIE_FIRST = 2 };

static uint64_t ino_of(struct vfs *vfs, struct vfs_node *n)
{
	struct vfs_stat st;
	return vfs->ops->stat(vfs, n, &st) ? 0 : st.ino;
}

static int entry_at(struct vfs *vfs, struct vfs_node *dir, uint64_t cookie,
	struct vfs_entry *out, bool *more)
{
	struct vfs_node *up;
	*more = true;
	if (cookie == COOKIE_DOT) {
		*out = (struct vfs_entry){ COOKIE_DOTDOT, ino_of(vfs, dir),
			VFS_DIRECTORY, BYTES_LIT(".") };
		return WASI_OK;
	}
	if (cookie == COOKIE_DOTDOT) {
		*out = (struct vfs_entry){ COOKIE_FIRST, ino_of(vfs, dir),
			VFS_DIRECTORY, BYTES_LIT("..") };
		if (!vfs->ops->parent(vfs, dir, &up)) {
			out->ino = ino_of(vfs, up);
			vfs->ops->unref(vfs, up);
		}
		return WASI_OK;
	}
	int r = vfs->ops->entry(vfs, dir, cookie - COOKIE_FIRST, out, more);
	if (!r && *more)
		out->next += COOKIE_FIRST;
	return r;
}

int wasi_fd_readdir(struct wasi_call *k)
{
	struct wasi_fd *f;
	uint64_t cookie = k->arg[3];
	uint32_t room = arg32(k, 2);
	int r = wasi_fd_dir(k, arg32(k, 0), RIGHT_FD_READDIR, &f);
	if (r)
		return r;
	uint8_t *out = wasi_view(k, arg32(k, 1), room);
	uint8_t *used = wasi_view(k, arg32(k, 4), 4);
	if (!out || !used)
		return WASI_FAULT;
	size_t at = 0;
	while (at < room) {
		uint8_t head[DIRENT_BYTES] = { 0 };
		struct vfs_entry e;
		bool more;
		r = entry_at(k->w->vfs, f->node, cookie, &e, &more);
		if (r)
			return r;
		if (!more)
			break;
		put_le(head, e.next, 8);
		put_le(head + 8, e.ino, 8);
		put_le(head + 16, e.name.len, 4);
		put_le(head + 20, e.type, 1);
		/* The last entry is cut: a full buffer says "more". */
		size_t n = size_min(sizeof head, room - at);
		memcpy(out + at, head, n);
		at += n;
		n = size_min(e.name.len, room - at);
		if (n)
			memcpy(out + at, e.name.ptr, n);
		at += n;
		cookie = e.next;
	}
	put_le(used, at, 4);
	return WASI_OK;
}
