/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a path to a node.  The walk holds one directory and a stack of texts
 * still to be read: the path, and above it the targets of links met on the
 * way.  It leaves `base` only downwards: `..` in base itself is refused, and
 * what lies below base has base among its parents, however things were
 * renamed before, because nothing else runs meanwhile.
 */
#include "wasi/wasi_priv.h"

struct walk {
	struct wasi *w;
	struct vfs_node *base, *cur; /* cur: with a reference */
	struct bytes text[WASI_LINKS_MAX + 1];
	size_t depth; /* texts that are not used up */
	unsigned links;
	enum wasi_walk how;
};

void wasi_path_fini(struct wasi *w, struct wasi_path *p)
{
	if (p->dir)
		w->vfs->ops->unref(w->vfs, p->dir);
	if (p->node)
		w->vfs->ops->unref(w->vfs, p->node);
	p->dir = p->node = NULL;
}

/* Drops slashes at the front; used-up texts go. */
static void skip(struct walk *s, bool *slash)
{
	*slash = false;
	while (s->depth) {
		struct bytes *t = &s->text[s->depth - 1];
		size_t n = 0;
		while (n < t->len && t->ptr[n] == '/')
			n++;
		*slash |= n > 0;
		*t = bytes_from(*t, n);
		if (t->len)
			return;
		s->depth--;
	}
}

static struct bytes component(struct walk *s)
{
	struct bytes *t = &s->text[s->depth - 1];
	size_t n = 0;
	while (n < t->len && t->ptr[n] != '/')
		n++;
	struct bytes name = bytes_of(t->ptr, n);
	*t = bytes_from(*t, n);
	return name;
}

static void move_to(struct walk *s, struct vfs_node *to)
{
	s->w->vfs->ops->unref(s->w->vfs, s->cur);
	s->cur = to;
}

static int go_up(struct walk *s)
{
	struct vfs_node *up;
	if (s->cur == s->base)
		return WASI_PERM;
	int r = s->w->vfs->ops->parent(s->w->vfs, s->cur, &up);
	if (!r)
		move_to(s, up);
	return r;
}

static int push_link(struct walk *s, struct vfs_node *link)
{
	struct bytes target;
	int r = s->w->vfs->ops->readlink(s->w->vfs, link, &target);
	if (r)
		return r;
	if (++s->links > WASI_LINKS_MAX)
		return WASI_LOOP;
	if (target.len == 0)
		return WASI_NOENT;
	if (target.ptr[0] == '/')
		return WASI_PERM;
	/* Used-up texts are gone, so links bound the depth. */
	s->text[s->depth++] = target;
	return WASI_OK;
}

/* The end of the walk is a name in s->cur. */
static int arrive(struct walk *s, struct bytes name, struct vfs_node *node,
	enum vfs_type type, struct wasi_path *out)
{
	if (node && out->slash && s->how != WASI_NAME && type != VFS_DIRECTORY)
		return WASI_NOTDIR;
	memcpy(out->name, name.ptr, name.len);
	out->name_len = name.len;
	out->dir = s->cur;
	out->node = node;
	out->type = type;
	s->cur = NULL;
	return WASI_OK;
}

/* One plain component; *end: the walk is over. */
static int step(struct walk *s, struct bytes name, bool last,
	struct wasi_path *out, bool *end)
{
	struct vfs *vfs = s->w->vfs;
	struct vfs_node *node;
	struct vfs_stat st;
	if (name.len > WASI_NAME_MAX)
		return WASI_NAMETOOLONG;
	int r = vfs->ops->lookup(vfs, s->cur, name, &node);
	if (r == WASI_NOENT && last) {
		*end = true;
		return arrive(s, name, NULL, VFS_UNKNOWN, out);
	}
	if (r)
		return r;
	r = vfs->ops->stat(vfs, node, &st);
	bool link = !r && st.type == VFS_SYMLINK &&
		(!last || s->how == WASI_FOLLOW ||
			(s->how == WASI_NOFOLLOW && out->slash));
	if (link) {
		r = push_link(s, node);
	} else if (!r && last) {
		r = arrive(s, name, node, st.type, out);
		*end = true;
		if (!r)
			return r;
	} else if (!r && st.type == VFS_DIRECTORY) {
		move_to(s, node);
		return WASI_OK;
	} else if (!r) {
		r = WASI_NOTDIR;
	}
	vfs->ops->unref(vfs, node);
	return r;
}

static int walk(struct walk *s, struct wasi_path *out)
{
	bool end = false, slash;
	while (s->depth) {
		struct bytes name = component(s);
		skip(s, &slash);
		bool last = s->depth == 0;
		out->slash |= last && slash;
		int r = WASI_OK;
		if (bytes_equal(name, BYTES_LIT("..")))
			r = go_up(s);
		else if (!bytes_equal(name, BYTES_LIT(".")))
			r = step(s, name, last, out, &end);
		if (r || end)
			return r;
	}
	s->w->vfs->ops->ref(s->w->vfs, s->cur);
	struct vfs_node *self = s->cur;
	return arrive(s, BYTES_LIT(""), self, VFS_DIRECTORY, out);
}

int wasi_path_walk(struct wasi *w, struct vfs_node *base, struct bytes path,
	enum wasi_walk how, struct wasi_path *out)
{
	struct walk s = { .w = w, .base = base, .cur = base, .how = how };
	out->dir = out->node = NULL;
	out->slash = false;
	if (path.len && path.ptr[0] == '/')
		return WASI_PERM;
	w->vfs->ops->ref(w->vfs, base);
	s.text[0] = path;
	s.depth = path.len ? 1 : 0;
	int r = walk(&s, out);
	if (s.cur)
		w->vfs->ops->unref(w->vfs, s.cur);
	return r;
}
