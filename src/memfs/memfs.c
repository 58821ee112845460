/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes: files (data.c), directories (dir.c) and symbolic links, each alive
 * while it has a name or somebody holds it.
 */
#include "memfs/memfs.h"

#include <stdlib.h>

#include "base/buf.h"
#include "memfs/memfs_priv.h"
#include "wasi/errno.h"

enum {
	MAX_NAME = 255,
	MAX_TARGET = 4096,
};
#define MAX_FILE (1ull << 40) /* bytes */

struct link {
	uint8_t *target;
	size_t len;
};

struct vfs_node {
	struct vfs_node *prev, *next; /* all nodes of the file system */
	uint64_t refs;		      /* holders outside the tree */
	uint64_t links;		      /* names (a directory: 1 or 0) */
	struct vfs_node *parent;      /* of a directory in the tree */
	uint64_t ino, atim, mtim, ctim;
	enum vfs_type type;
	union {
		struct data data;
		struct dir dir;
		struct link link;
	};
};

struct memfs {
	struct vfs vfs; /* first */
	struct memfs_config cfg;
	struct quota quota;
	uint64_t nodes, next_ino;
	struct vfs_node *all;
};

static struct memfs *fs_of(struct vfs *v)
{
	return (struct memfs *)(void *)v;
}

static uint64_t now(const struct memfs *fs)
{
	return fs->cfg.now ? fs->cfg.now(fs->cfg.ctx) : 0;
}

/* --- nodes -------------------------------------------------------------- */

static struct vfs_node *node_new(struct memfs *fs, enum vfs_type type)
{
	if (fs->nodes >= fs->cfg.max_nodes)
		return NULL;
	struct vfs_node *n = calloc(1, sizeof *n);
	if (!n)
		return NULL;
	n->type = type;
	n->ino = ++fs->next_ino;
	n->atim = n->mtim = n->ctim = now(fs);
	n->next = fs->all;
	if (fs->all)
		fs->all->prev = n;
	fs->all = n;
	fs->nodes++;
	return n;
}

static void node_free(struct memfs *fs, struct vfs_node *n)
{
	if (n->type == VFS_FILE) {
		memfs_data_cut(&fs->quota, &n->data, 0);
	} else if (n->type == VFS_SYMLINK) {
		quota_refund(&fs->quota, n->link.len);
		free(n->link.target);
	} else {
		memfs_dir_fini(&n->dir);
	}
	if (n->prev)
		n->prev->next = n->next;
	else
		fs->all = n->next;
	if (n->next)
		n->next->prev = n->prev;
	fs->nodes--;
	free(n);
}

static void node_check(struct memfs *fs, struct vfs_node *n)
{
	if (n->refs == 0 && n->links == 0)
		node_free(fs, n);
}

static void fs_ref(struct vfs *v, struct vfs_node *n)
{
	(void)v;
	n->refs++;
}

static void fs_unref(struct vfs *v, struct vfs_node *n)
{
	must(n->refs > 0);
	n->refs--;
	node_check(fs_of(v), n);
}

/* --- names -------------------------------------------------------------- */

static int name_add(struct memfs *fs, struct vfs_node *dir, struct bytes name,
	struct vfs_node *node)
{
	if (!memfs_dir_add(&fs->quota, &dir->dir, name, node))
		return WASI_NOSPC;
	dir->mtim = dir->ctim = now(fs);
	return WASI_OK;
}

static void name_drop(struct memfs *fs, struct vfs_node *dir, struct entry *e)
{
	memfs_dir_drop(&fs->quota, &dir->dir, e);
	dir->mtim = dir->ctim = now(fs);
}

static int fs_lookup(struct vfs *v, struct vfs_node *dir, struct bytes name,
	struct vfs_node **out)
{
	(void)v;
	if (dir->type != VFS_DIRECTORY)
		return WASI_NOTDIR;
	struct entry *e = memfs_dir_find(&dir->dir, name);
	if (!e)
		return WASI_NOENT;
	e->node->refs++;
	*out = e->node;
	return WASI_OK;
}

static int fs_parent(struct vfs *v, struct vfs_node *dir, struct vfs_node **out)
{
	(void)v;
	if (dir->type != VFS_DIRECTORY)
		return WASI_NOTDIR;
	if (!dir->parent)
		return WASI_NOENT; /* removed */
	dir->parent->refs++;
	*out = dir->parent;
	return WASI_OK;
}

/* Whether a new name may stand in dir. */
static int name_check(struct vfs_node *dir, struct bytes name)
{
	if (dir->type != VFS_DIRECTORY)
		return WASI_NOTDIR;
	if (name.len > MAX_NAME)
		return WASI_NAMETOOLONG;
	if (dir->links == 0)
		return WASI_NOENT; /* removed, but still open */
	return memfs_dir_find(&dir->dir, name) ? WASI_EXIST : WASI_OK;
}

/* Gives a fresh node its first name; frees it when there is no room. */
static int node_name(struct memfs *fs, struct vfs_node *dir, struct bytes name,
	struct vfs_node *n)
{
	int r = name_add(fs, dir, name, n);
	if (r) {
		node_free(fs, n);
		return r;
	}
	n->links = 1;
	if (n->type == VFS_DIRECTORY) {
		n->parent = dir;
		dir->dir.subdirs++;
	}
	return WASI_OK;
}

static int fs_create(struct vfs *v, struct vfs_node *dir, struct bytes name,
	enum vfs_type type, struct vfs_node **out)
{
	struct memfs *fs = fs_of(v);
	must(type == VFS_FILE || type == VFS_DIRECTORY);
	int r = name_check(dir, name);
	if (r)
		return r;
	struct vfs_node *n = node_new(fs, type);
	if (!n)
		return WASI_NOSPC;
	r = node_name(fs, dir, name, n);
	if (r)
		return r;
	n->refs++;
	*out = n;
	return WASI_OK;
}

static int fs_symlink(struct vfs *v, struct vfs_node *dir, struct bytes name,
	struct bytes target)
{
	struct memfs *fs = fs_of(v);
	int r = name_check(dir, name);
	if (r)
		return r;
	if (target.len == 0)
		return WASI_NOENT;
	if (target.len > MAX_TARGET)
		return WASI_NAMETOOLONG;
	struct vfs_node *n = node_new(fs, VFS_SYMLINK);
	if (!n)
		return WASI_NOSPC;
	if (quota_charge(&fs->quota, target.len)) {
		n->link.len = target.len;
		n->link.target = malloc(target.len);
	}
	if (!n->link.target) {
		node_free(fs, n);
		return WASI_NOSPC;
	}
	memcpy(n->link.target, target.ptr, target.len);
	return node_name(fs, dir, name, n);
}

static int fs_readlink(struct vfs *v, struct vfs_node *link,
	struct bytes *target)
{
	(void)v;
	if (link->type != VFS_SYMLINK)
		return WASI_INVAL;
	*target = bytes_of(link->link.target, link->link.len);
	return WASI_OK;
}

static int fs_link(struct vfs *v, struct vfs_node *file, struct vfs_node *dir,
	struct bytes name)
{
	struct memfs *fs = fs_of(v);
	if (file->type == VFS_DIRECTORY)
		return WASI_PERM;
	int r = name_check(dir, name);
	if (r)
		return r;
	if (file->links == 0)
		return WASI_NOENT;
	r = name_add(fs, dir, name, file);
	if (r)
		return r;
	file->links++;
	file->ctim = now(fs);
	return WASI_OK;
}

/* A name of n is gone. */
static void node_unname(struct memfs *fs, struct vfs_node *n)
{
	n->links--;
	n->ctim = now(fs);
	if (n->type == VFS_DIRECTORY) {
		n->parent->dir.subdirs--;
		n->parent = NULL;
	}
	node_check(fs, n);
}

static int fs_remove(struct vfs *v, struct vfs_node *dir, struct bytes name,
	bool directory)
{
	struct memfs *fs = fs_of(v);
	if (dir->type != VFS_DIRECTORY)
		return WASI_NOTDIR;
	struct entry *e = memfs_dir_find(&dir->dir, name);
	if (!e)
		return WASI_NOENT;
	struct vfs_node *n = e->node;
	if (directory && n->type != VFS_DIRECTORY)
		return WASI_NOTDIR;
	if (!directory && n->type == VFS_DIRECTORY)
		return WASI_ISDIR;
	if (directory && n->dir.live)
		return WASI_NOTEMPTY;
	name_drop(fs, dir, e);
	node_unname(fs, n);
	return WASI_OK;
}

/* POSIX rename: what may replace what, and no directory below itself. */
static int rename_check(const struct vfs_node *n, const struct vfs_node *to_dir,
	const struct vfs_node *old)
{
	bool is_dir = n->type == VFS_DIRECTORY;
	for (const struct vfs_node *up = to_dir; is_dir; up = up->parent) {
		if (up == n)
			return WASI_INVAL;
		if (up->parent == up || !up->parent)
			break;
	}
	if (!old)
		return to_dir->links ? WASI_OK : WASI_NOENT;
	if (is_dir && old->type != VFS_DIRECTORY)
		return WASI_NOTDIR;
	if (!is_dir && old->type == VFS_DIRECTORY)
		return WASI_ISDIR;
	return is_dir && old->dir.live ? WASI_NOTEMPTY : WASI_OK;
}

static int fs_rename(struct vfs *v, struct vfs_node *from_dir,
	struct bytes from, struct vfs_node *to_dir, struct bytes to)
{
	struct memfs *fs = fs_of(v);
	if (from_dir->type != VFS_DIRECTORY || to_dir->type != VFS_DIRECTORY)
		return WASI_NOTDIR;
	if (to.len > MAX_NAME)
		return WASI_NAMETOOLONG;
	struct entry *src = memfs_dir_find(&from_dir->dir, from);
	if (!src)
		return WASI_NOENT;
	struct entry *dst = memfs_dir_find(&to_dir->dir, to);
	struct vfs_node *n = src->node, *old = dst ? dst->node : NULL;
	if (old == n)
		return WASI_OK;
	int r = rename_check(n, to_dir, old);
	if (r)
		return r;
	if (dst) {
		/* The name stays where it is: a scan sees it once. */
		dst->node = n;
		to_dir->mtim = to_dir->ctim = now(fs);
	} else {
		/* The old name's cost is credited: a full disk can rename. */
		uint64_t cost = ENTRY_COST + src->len;
		fs->quota.used -= cost;
		r = name_add(fs, to_dir, to, n);
		fs->quota.used += cost;
		if (r)
			return r;
	}
	name_drop(fs, from_dir, src);
	n->ctim = now(fs);
	if (n->type == VFS_DIRECTORY) {
		n->parent->dir.subdirs--;
		n->parent = to_dir;
		to_dir->dir.subdirs++;
	}
	if (old)
		node_unname(fs, old);
	return WASI_OK;
}

/* --- files -------------------------------------------------------------- */

static int file_check(const struct vfs_node *n)
{
	if (n->type == VFS_DIRECTORY)
		return WASI_ISDIR;
	return n->type == VFS_FILE ? WASI_OK : WASI_INVAL;
}

static int fs_read(struct vfs *v, struct vfs_node *n, uint64_t at, uint8_t *to,
	size_t *len)
{
	(void)v;
	int r = file_check(n);
	if (r)
		return r;
	const struct data *d = &n->data;
	uint64_t left = at < d->size ? d->size - at : 0;
	size_t want = left < *len ? (size_t)left : *len;
	for (size_t done = 0, part; done < want; done += part) {
		part = want - done;
		const uint8_t *from = memfs_data_find(d, at + done, &part);
		if (from)
			memcpy(to + done, from, part);
		else
			memset(to + done, 0, part);
	}
	*len = want;
	return WASI_OK;
}

static int fs_write(struct vfs *v, struct vfs_node *n, uint64_t at,
	const uint8_t *from, size_t *len)
{
	struct memfs *fs = fs_of(v);
	int r = file_check(n);
	if (r)
		return r;
	if (at >= MAX_FILE && *len)
		return WASI_FBIG;
	struct data *d = &n->data;
	size_t want = at<MAX_FILE && * len> MAX_FILE - at ?
		(size_t)(MAX_FILE - at) :
		*len;
	size_t done = 0;
	while (done < want) {
		size_t part = want - done;
		uint8_t *to = memfs_data_make(&fs->quota, d, at + done, &part);
		if (!to)
			break;
		memcpy(to, from + done, part);
		done += part;
	}
	if (want && !done)
		return WASI_NOSPC;
	if (done && at + done > d->size)
		d->size = at + done;
	if (done)
		n->mtim = n->ctim = now(fs);
	*len = done;
	return WASI_OK;
}

static int fs_resize(struct vfs *v, struct vfs_node *n, uint64_t size)
{
	struct memfs *fs = fs_of(v);
	int r = file_check(n);
	if (r)
		return r;
	if (size > MAX_FILE)
		return WASI_FBIG;
	if (size < n->data.size)
		memfs_data_cut(&fs->quota, &n->data, size);
	n->data.size = size;
	n->mtim = n->ctim = now(fs);
	return WASI_OK;
}

static int fs_stat(struct vfs *v, struct vfs_node *n, struct vfs_stat *st)
{
	(void)v;
	uint64_t size = 0, nlink = n->links;
	if (n->type == VFS_FILE)
		size = n->data.size;
	else if (n->type == VFS_SYMLINK)
		size = n->link.len;
	else if (n->links)
		nlink = 2 + n->dir.subdirs;
	*st = (struct vfs_stat){ .dev = 1,
		.ino = n->ino,
		.nlink = nlink,
		.size = size,
		.type = n->type,
		.atim = n->atim,
		.mtim = n->mtim,
		.ctim = n->ctim };
	return WASI_OK;
}

static int fs_set_times(struct vfs *v, struct vfs_node *n, const uint64_t *atim,
	const uint64_t *mtim)
{
	if (atim)
		n->atim = *atim;
	if (mtim)
		n->mtim = *mtim;
	n->ctim = now(fs_of(v));
	return WASI_OK;
}

static int fs_entry(struct vfs *v, struct vfs_node *dir, uint64_t cookie,
	struct vfs_entry *out, bool *more)
{
	(void)v;
	if (dir->type != VFS_DIRECTORY)
		return WASI_NOTDIR;
	const struct dir *d = &dir->dir;
	size_t i = memfs_dir_from(d, cookie);
	while (i < d->count && !d->list[i].entry)
		i++;
	*more = i < d->count;
	if (*more) {
		const struct entry *e = d->list[i].entry;
		*out = (struct vfs_entry){ .next = e->seq + 1,
			.ino = e->node->ino,
			.type = e->node->type,
			.name = bytes_of(e->name, e->len) };
	}
	return WASI_OK;
}

static const struct vfs_ops memfs_ops = {
	.ref = fs_ref,
	.unref = fs_unref,
	.lookup = fs_lookup,
	.parent = fs_parent,
	.create = fs_create,
	.symlink = fs_symlink,
	.readlink = fs_readlink,
	.link = fs_link,
	.remove = fs_remove,
	.rename = fs_rename,
	.read = fs_read,
	.write = fs_write,
	.resize = fs_resize,
	.stat = fs_stat,
	.set_times = fs_set_times,
	.entry = fs_entry,
};

/* --- the door ----------------------------------------------------------- */

bool memfs_new(const struct memfs_config *cfg, struct memfs **out,
	struct err *e)
{
	struct memfs *fs = calloc(1, sizeof *fs);
	if (!fs)
		return err_fail(e, ERR_LIMIT, "file system: out of memory");
	fs->vfs.ops = &memfs_ops;
	fs->cfg = *cfg;
	fs->quota.max = cfg->max_bytes ? cfg->max_bytes : 1ull << 30;
	if (!fs->cfg.max_nodes)
		fs->cfg.max_nodes = 1000000;
	*out = fs;
	return true;
}

void memfs_free(struct memfs *fs)
{
	if (!fs)
		return;
	while (fs->all)
		node_free(fs, fs->all);
	free(fs);
}

struct vfs *memfs_vfs(struct memfs *fs)
{
	return &fs->vfs;
}

uint64_t memfs_used(const struct memfs *fs)
{
	return fs->quota.used;
}

bool memfs_root(struct memfs *fs, struct vfs_node **out, struct err *e)
{
	struct vfs_node *n = node_new(fs, VFS_DIRECTORY);
	if (!n)
		return err_fail(e, ERR_LIMIT, "file system: too many files");
	n->links = 1;
	n->parent = n;
	*out = n;
	return true;
}

/* The next component of *path; false: it is not one we take. */
static bool component_next(struct bytes *path, struct bytes *name)
{
	size_t n = 0;
	while (n < path->len && path->ptr[n] != '/')
		n++;
	*name = bytes_of(path->ptr, n);
	if (n == 0 || bytes_equal(*name, BYTES_LIT(".")) ||
		bytes_equal(*name, BYTES_LIT("..")) || memchr(name->ptr, 0, n))
		return false;
	bool slash = n < path->len;
	*path = bytes_from(*path, n + slash);
	return !slash || path->len;
}

static bool add_fail(int r, struct err *e)
{
	if (r == WASI_NOSPC)
		return err_fail(e, ERR_LIMIT, "file system: full");
	if (r == WASI_EXIST)
		return err_fail(e, ERR_INPUT, "file system: name is taken");
	if (r == WASI_NOTDIR)
		return err_fail(e, ERR_INPUT,
			"file system: path leads through something that is "
			"no directory");
	return err_fail(e, ERR_INPUT, "file system: name too long");
}

bool memfs_add(struct memfs *fs, struct vfs_node *root, struct bytes path,
	enum vfs_type type, uint64_t mtime_ns, struct vfs_node **out,
	struct err *e)
{
	struct vfs_node *dir = root;
	struct bytes check = path, name;
	do {
		if (!component_next(&check, &name))
			return err_fail(e, ERR_INPUT,
				"file system: path is not a plain one");
	} while (check.len);
	do {
		if (!component_next(&path, &name))
			return err_fail(e, ERR_INPUT, "file system: path");
		bool last = path.len == 0;
		struct entry *at = dir->type == VFS_DIRECTORY ?
			memfs_dir_find(&dir->dir, name) :
			NULL;
		if (at &&
			(!last ||
				(type == VFS_DIRECTORY &&
					at->node->type == type))) {
			dir = at->node;
			continue;
		}
		struct vfs_node *made;
		int r = fs_create(&fs->vfs, dir, name,
			last ? type : VFS_DIRECTORY, &made);
		if (r)
			return add_fail(r, e);
		made->refs--; /* its name holds it */
		dir = made;
	} while (path.len);
	dir->mtim = mtime_ns;
	*out = dir;
	return true;
}

struct step {
	struct vfs_node *dir;
	uint64_t cookie;
	size_t path_len;
};

static struct step *step_push(struct buf *stack, struct vfs_node *dir,
	size_t path_len)
{
	struct step s = { dir, 0, path_len };
	return buf_put(stack, bytes_of(&s, sizeof s)) ?
		(struct step *)(void *)(stack->ptr + stack->len) - 1 :
		NULL;
}

bool memfs_walk(struct memfs *fs, struct vfs_node *root,
	bool (*visit)(void *ctx, struct bytes path, struct vfs_node *node,
		const struct vfs_stat *st),
	void *ctx)
{
	auto_buf path = { 0 };
	auto_buf stack = { 0 };
	struct step *s = step_push(&stack, root, 0);
	while (s) {
		struct vfs_entry at;
		bool more = false;
		path.len = s->path_len;
		if (fs_entry(&fs->vfs, s->dir, s->cookie, &at, &more))
			return false;
		if (!more) {
			stack.len -= sizeof *s;
			s = stack.len ? s - 1 : NULL;
			if (!s)
				return true;
			continue;
		}
		s->cookie = at.next;
		struct entry *e = memfs_dir_find(&s->dir->dir, at.name);
		struct vfs_stat st;
		if ((path.len && !buf_u8(&path, '/')) ||
			!buf_put(&path, at.name) || !e ||
			fs_stat(&fs->vfs, e->node, &st) ||
			!visit(ctx, buf_bytes(&path), e->node, &st))
			return false;
		if (e->node->type == VFS_DIRECTORY)
			s = step_push(&stack, e->node, path.len);
	}
	return false;
}
