/* SPDX-License-Identifier: Apache-2.0 */
/* The functions that take paths, but for path_open. */
#include "wasi/wasi_priv.h"

/* Descriptor, rights, text and walk: how each of these begins. */
static int begin(struct wasi_call *k, size_t arg, uint64_t right,
	size_t text_arg, enum wasi_walk how, struct wasi_fd **f,
	struct wasi_path *p)
{
	struct bytes text;
	int r = wasi_fd_dir(k, arg32(k, arg), right, f);
	if (!r)
		r = wasi_path_text(k, arg32(k, text_arg),
			arg32(k, text_arg + 1), &text);
	return r ? r : wasi_path_walk(k->w, (*f)->node, text, how, p);
}

static int follow(uint32_t flags, enum wasi_walk *how)
{
	*how = flags & LOOKUP_FOLLOW ? WASI_FOLLOW : WASI_NOFOLLOW;
	return flags & ~(uint32_t)LOOKUP_FOLLOW ? WASI_INVAL : WASI_OK;
}

int wasi_path_create_directory(struct wasi_call *k)
{
	struct wasi_path p = { 0 };
	struct wasi_fd *f;
	struct vfs_node *made;
	struct vfs *vfs = k->w->vfs;
	int r = begin(k, 0, RIGHT_PATH_CREATE_DIRECTORY, 1, WASI_NAME, &f, &p);
	if (r)
		return r;
	if (p.node)
		r = WASI_EXIST;
	else if (f->read_only)
		r = WASI_ROFS;
	else
		r = vfs->ops->create(vfs, p.dir, wasi_path_name(&p),
			VFS_DIRECTORY, &made);
	if (!r)
		vfs->ops->unref(vfs, made);
	wasi_path_fini(k->w, &p);
	return r;
}

int wasi_path_filestat_get(struct wasi_call *k)
{
	struct wasi_path p = { 0 };
	struct wasi_fd *f;
	enum wasi_walk how;
	int r = follow(arg32(k, 1), &how);
	if (!r)
		r = begin(k, 0, RIGHT_PATH_FILESTAT_GET, 2, how, &f, &p);
	if (r)
		return r;
	r = p.node ? wasi_put_filestat(k, arg32(k, 4), p.node, NULL) :
		     WASI_NOENT;
	wasi_path_fini(k->w, &p);
	return r;
}

int wasi_path_filestat_set_times(struct wasi_call *k)
{
	struct wasi_path p = { 0 };
	struct wasi_fd *f;
	enum wasi_walk how;
	int r = follow(arg32(k, 1), &how);
	if (!r)
		r = begin(k, 0, RIGHT_PATH_FILESTAT_SET_TIMES, 2, how, &f, &p);
	if (r)
		return r;
	if (!p.node)
		r = WASI_NOENT;
	else if (f->read_only)
		r = WASI_ROFS;
	else
		r = wasi_set_times(k, p.node, k->arg[4], k->arg[5],
			arg32(k, 6));
	wasi_path_fini(k->w, &p);
	return r;
}

static int link_to(struct wasi_call *k, const struct wasi_path *from,
	const struct wasi_fd *to_fd, const struct wasi_path *to)
{
	struct vfs *vfs = k->w->vfs;
	if (!from->node)
		return WASI_NOENT;
	if (from->slash && from->type != VFS_DIRECTORY)
		return WASI_NOTDIR;
	if (to->node)
		return WASI_EXIST;
	if (to->slash)
		return WASI_NOENT;
	if (to_fd->read_only)
		return WASI_ROFS;
	return vfs->ops->link(vfs, from->node, to->dir, wasi_path_name(to));
}

int wasi_path_link(struct wasi_call *k)
{
	struct wasi_path from = { 0 }, to = { 0 };
	struct wasi_fd *from_fd, *to_fd;
	if (arg32(k, 1)) /* following links here has no portable meaning */
		return WASI_INVAL;
	int r = begin(k, 0, RIGHT_PATH_LINK_SOURCE, 2, WASI_NAME, &from_fd,
		&from);
	if (!r)
		r = begin(k, 4, RIGHT_PATH_LINK_TARGET, 5, WASI_NAME, &to_fd,
			&to);
	/* What is read-only must not get a second, writable name. */
	if (!r && from_fd->read_only != to_fd->read_only)
		r = WASI_XDEV;
	if (!r)
		r = link_to(k, &from, to_fd, &to);
	wasi_path_fini(k->w, &to);
	wasi_path_fini(k->w, &from);
	return r;
}

int wasi_path_readlink(struct wasi_call *k)
{
	struct wasi_path p = { 0 };
	struct wasi_fd *f;
	struct bytes target = BYTES_NONE;
	uint32_t room = arg32(k, 4);
	uint8_t *out = wasi_view(k, arg32(k, 3), room);
	uint8_t *used = wasi_view(k, arg32(k, 5), 4);
	int r = begin(k, 0, RIGHT_PATH_READLINK, 1, WASI_NOFOLLOW, &f, &p);
	if (!r && (!out || !used))
		r = WASI_FAULT;
	if (!r && !p.node)
		r = WASI_NOENT;
	if (!r)
		r = k->w->vfs->ops->readlink(k->w->vfs, p.node, &target);
	if (!r) {
		size_t n = size_min(target.len, room);
		if (n)
			memcpy(out, target.ptr, n);
		put_le(used, n, 4);
	}
	wasi_path_fini(k->w, &p);
	return r;
}

/* "." and ".." name nothing that could be removed. */
static int remove_check(const struct wasi_fd *f, const struct wasi_path *p,
	bool directory)
{
	if (!p->node)
		return WASI_NOENT;
	if (p->name_len == 0)
		return directory ? WASI_INVAL : WASI_ISDIR;
	if (p->slash && p->type != VFS_DIRECTORY)
		return WASI_NOTDIR;
	return f->read_only ? WASI_ROFS : WASI_OK;
}

static int remove_name(struct wasi_call *k, uint64_t right, bool directory)
{
	struct wasi_path p = { 0 };
	struct wasi_fd *f;
	struct vfs *vfs = k->w->vfs;
	int r = begin(k, 0, right, 1, WASI_NAME, &f, &p);
	if (!r)
		r = remove_check(f, &p, directory);
	if (!r)
		r = vfs->ops->remove(vfs, p.dir, wasi_path_name(&p), directory);
	wasi_path_fini(k->w, &p);
	return r;
}

int wasi_path_remove_directory(struct wasi_call *k)
{
	return remove_name(k, RIGHT_PATH_REMOVE_DIRECTORY, true);
}

int wasi_path_unlink_file(struct wasi_call *k)
{
	return remove_name(k, RIGHT_PATH_UNLINK_FILE, false);
}

static int rename_check(const struct wasi_fd *from_fd,
	const struct wasi_path *from, const struct wasi_fd *to_fd,
	const struct wasi_path *to)
{
	if (!from->node)
		return WASI_NOENT;
	if (from->name_len == 0 || to->name_len == 0)
		return WASI_BUSY;
	if ((from->slash || to->slash) && from->type != VFS_DIRECTORY)
		return WASI_NOTDIR;
	if (to->slash && to->node && to->type != VFS_DIRECTORY)
		return WASI_NOTDIR;
	if (from_fd->read_only != to_fd->read_only)
		return WASI_XDEV;
	return from_fd->read_only ? WASI_ROFS : WASI_OK;
}

int wasi_path_rename(struct wasi_call *k)
{
	struct wasi_path from = { 0 }, to = { 0 };
	struct wasi_fd *from_fd, *to_fd;
	struct vfs *vfs = k->w->vfs;
	int r = begin(k, 0, RIGHT_PATH_RENAME_SOURCE, 1, WASI_NAME, &from_fd,
		&from);
	if (!r)
		r = begin(k, 3, RIGHT_PATH_RENAME_TARGET, 4, WASI_NAME, &to_fd,
			&to);
	if (!r)
		r = rename_check(from_fd, &from, to_fd, &to);
	if (!r)
		r = vfs->ops->rename(vfs, from.dir, wasi_path_name(&from),
			to.dir, wasi_path_name(&to));
	wasi_path_fini(k->w, &to);
	wasi_path_fini(k->w, &from);
	return r;
}

int wasi_path_symlink(struct wasi_call *k)
{
	struct wasi_path p = { 0 };
	struct wasi_fd *f;
	struct bytes target;
	struct vfs *vfs = k->w->vfs;
	int r = wasi_path_text(k, arg32(k, 0), arg32(k, 1), &target);
	if (r)
		return r;
	r = begin(k, 2, RIGHT_PATH_SYMLINK, 3, WASI_NAME, &f, &p);
	if (r)
		return r;
	if (target.ptr[0] == '/')
		r = WASI_PERM; /* no walk would follow it */
	else if (p.node)
		r = p.slash && p.type != VFS_DIRECTORY ? WASI_NOTDIR :
							 WASI_EXIST;
	else if (p.slash)
		r = WASI_NOENT;
	else if (f->read_only)
		r = WASI_ROFS;
	else
		r = vfs->ops->symlink(vfs, p.dir, wasi_path_name(&p), target);
	wasi_path_fini(k->w, &p);
	return r;
}
