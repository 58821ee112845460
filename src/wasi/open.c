/* SPDX-License-Identifier: Apache-2.0 */
#include "wasi/wasi_priv.h"

struct open {
	struct wasi_fd *dir;
	uint32_t oflags, fdflags;
	uint64_t base, inheriting;
	enum wasi_walk how;
};

static int open_args(struct wasi_call *k, struct open *o)
{
	uint32_t lookup = arg32(k, 1);
	uint64_t right = RIGHT_PATH_OPEN;
	o->oflags = arg32(k, 4);
	o->fdflags = arg32(k, 7);
	/* Bits that are nobody's here are ignored: programs ask for ~0. */
	o->base = k->arg[5] & (RIGHTS_FILE | RIGHTS_DIRECTORY);
	o->inheriting = k->arg[6] & (RIGHTS_FILE | RIGHTS_DIRECTORY);
	if (o->oflags & OFLAG_CREAT)
		right |= RIGHT_PATH_CREATE_FILE;
	if (o->oflags & OFLAG_TRUNC)
		right |= RIGHT_PATH_FILESTAT_SET_SIZE;
	int r = wasi_fd_dir(k, arg32(k, 0), right, &o->dir);
	if (r)
		return r;
	if (lookup & ~(uint32_t)LOOKUP_FOLLOW ||
		o->oflags & ~(uint32_t)OFLAGS_ALL ||
		o->fdflags & ~(uint32_t)FDFLAGS_ALL)
		return WASI_INVAL;
	if (o->oflags & OFLAG_CREAT && o->oflags & OFLAG_DIRECTORY)
		return WASI_INVAL;
	if ((o->base | o->inheriting) & ~o->dir->inheriting)
		return WASI_NOTCAPABLE;
	o->how = lookup & LOOKUP_FOLLOW ? WASI_FOLLOW : WASI_NOFOLLOW;
	/* EXCL: a link in the place is in the way, wherever it leads. */
	if (o->oflags & OFLAG_CREAT && o->oflags & OFLAG_EXCL)
		o->how = WASI_NAME;
	return WASI_OK;
}

static int open_new(struct wasi_call *k, struct open *o, struct wasi_path *p)
{
	struct vfs *vfs = k->w->vfs;
	if (!(o->oflags & OFLAG_CREAT))
		return WASI_NOENT;
	if (p->slash)
		return WASI_ISDIR;
	if (o->dir->read_only)
		return WASI_ROFS;
	p->type = VFS_FILE;
	return vfs->ops->create(vfs, p->dir, wasi_path_name(p), VFS_FILE,
		&p->node);
}

static int open_old(struct wasi_call *k, struct open *o, struct wasi_path *p)
{
	struct vfs *vfs = k->w->vfs;
	bool changes = o->base & RIGHT_FD_WRITE || o->oflags & OFLAG_TRUNC;
	if (o->oflags & OFLAG_CREAT && o->oflags & OFLAG_EXCL)
		return WASI_EXIST;
	if (o->oflags & OFLAG_DIRECTORY && p->type != VFS_DIRECTORY)
		return WASI_NOTDIR;
	if (p->type == VFS_SYMLINK)
		return WASI_LOOP;
	if (p->type == VFS_DIRECTORY)
		return changes || o->oflags & OFLAG_CREAT ? WASI_ISDIR :
							    WASI_OK;
	if (changes && o->dir->read_only)
		return WASI_ROFS;
	return o->oflags & OFLAG_TRUNC ? vfs->ops->resize(vfs, p->node, 0) :
					 WASI_OK;
}

static void open_fill(struct wasi_fd *f, const struct open *o,
	struct wasi_path *p)
{
	bool dir = p->type == VFS_DIRECTORY;
	f->kind = dir ? WASI_DIR : WASI_FILE;
	f->flags = (uint16_t)o->fdflags;
	f->base = o->base & (dir ? RIGHTS_DIRECTORY : RIGHTS_FILE);
	f->inheriting = dir ? o->inheriting : 0;
	f->read_only = o->dir->read_only;
	f->node = p->node;
	p->node = NULL; /* the descriptor has the reference now */
}

int wasi_path_open(struct wasi_call *k)
{
	struct open o;
	struct wasi_path p = { 0 };
	struct wasi_fd *f = NULL;
	struct bytes text;
	uint32_t fd = 0;
	int r = open_args(k, &o);
	if (!r)
		r = wasi_path_text(k, arg32(k, 2), arg32(k, 3), &text);
	if (r)
		return r;
	uint8_t *out = wasi_view(k, arg32(k, 8), 4);
	if (!out)
		return WASI_FAULT;
	r = wasi_path_walk(k->w, o.dir->node, text, o.how, &p);
	if (!r)
		r = wasi_fd_new(k->w, &fd, &f);
	if (!r)
		r = p.node ? open_old(k, &o, &p) : open_new(k, &o, &p);
	if (!r) {
		open_fill(f, &o, &p);
		wasi_fd_set(k->w, fd, f);
		put_le(out, fd, 4);
	} else {
		wasi_fd_free(k->w, f);
	}
	wasi_path_fini(k->w, &p);
	return r;
}
