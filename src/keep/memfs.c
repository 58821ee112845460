/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/memfs.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/must.h"
#include "wasi/errno.h"

/*
 * Contents.  A file is cut into chunks of 64 KiB.  The first grows by
 * doubling, so that small files stay small; the others are whole, found
 * through leaves of 256 (16 MiB), so that a file of any size costs what was
 * written to it and nothing is ever moved.  A chunk that was never written
 * is absent and reads as zeros.  Allocated bytes past the size are zero.
 *
 * Directories.  Entries stand in the order in which they came, each with a
 * number that is never used again: its cookie.  A removed entry leaves a
 * hole; holes are closed when they are half of the list.  A hash table
 * beside the list finds names.
 */
enum {
	CHUNK = 0x10000,
	LEAF = 256,
	FIRST_MIN = 64,
	MAX_NAME = 255,
	MAX_TARGET = 4096,
	/* An entry's own cost in the quota: it, its slot, its hash place. */
	ENTRY_COST = 64,
	LIST_MIN = 8,
	LEAVES_FREE = 64,
};
#define MAX_FILE (1ull << 40) /* bytes */

struct leaf {
	uint8_t *chunk[LEAF];
};

struct data {
	uint64_t size;
	uint8_t *first;
	size_t first_cap;
	struct leaf **leaves;
	size_t leaf_count;
};

struct entry {
	uint64_t seq;
	struct vfs_node *node;
	uint32_t hash;
	uint32_t len;
	uint8_t name[];
};

struct slot {
	uint64_t seq;
	struct entry *entry; /* NULL: a hole */
};

struct dir {
	struct slot *list; /* by seq */
	size_t count, cap, live;
	uint64_t next_seq;
	struct entry **table; /* open addressing, table_size a power of 2 */
	size_t table_size;
	size_t subdirs;
};

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
	uint64_t used, nodes, next_ino;
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

static bool charge(struct memfs *fs, uint64_t n)
{
	if (n > fs->cfg.max_bytes || fs->used > fs->cfg.max_bytes - n)
		return false;
	fs->used += n;
	return true;
}

static void refund(struct memfs *fs, uint64_t n)
{
	must(n <= fs->used);
	fs->used -= n;
}

/* --- contents ----------------------------------------------------------- */

/* The chunk that holds byte `at`; *n is cut to what lies in it.  NULL:
 * zeros. */
static uint8_t *chunk_find(const struct data *d, uint64_t at, size_t *n)
{
	size_t index = (size_t)(at / CHUNK), off = (size_t)(at % CHUNK);
	*n = size_min(*n, CHUNK - off);
	if (index == 0) {
		if (off >= d->first_cap)
			return NULL;
		*n = size_min(*n, d->first_cap - off);
		return d->first + off;
	}
	if (index / LEAF >= d->leaf_count || !d->leaves[index / LEAF])
		return NULL;
	uint8_t *chunk = d->leaves[index / LEAF]->chunk[index % LEAF];
	return chunk ? chunk + off : NULL;
}

/* What the table of leaves costs in the quota: nothing below 1 GiB. */
static uint64_t leaves_cost(size_t count)
{
	return count > LEAVES_FREE ? count * sizeof(struct leaf *) : 0;
}

/* Makes the first chunk hold at least `need` bytes, CHUNK at most. */
static bool first_grow(struct memfs *fs, struct data *d, size_t need)
{
	size_t cap = d->first_cap ? d->first_cap : FIRST_MIN;
	while (cap < need)
		cap *= 2;
	if (cap == d->first_cap)
		return true;
	if (!charge(fs, cap - d->first_cap))
		return false;
	uint8_t *grown = realloc(d->first, cap);
	if (!grown) {
		refund(fs, cap - d->first_cap);
		return false;
	}
	memset(grown + d->first_cap, 0, cap - d->first_cap);
	d->first = grown;
	d->first_cap = cap;
	return true;
}

static struct leaf *leaf_make(struct memfs *fs, struct data *d, size_t which)
{
	if (which >= d->leaf_count) {
		size_t count = d->leaf_count ? d->leaf_count : 1;
		while (count <= which)
			count *= 2;
		uint64_t cost = leaves_cost(count) - leaves_cost(d->leaf_count);
		if (!charge(fs, cost))
			return NULL;
		struct leaf **grown = realloc(d->leaves, count * sizeof *grown);
		if (!grown) {
			refund(fs, cost);
			return NULL;
		}
		memset(grown + d->leaf_count, 0,
			(count - d->leaf_count) * sizeof *grown);
		d->leaves = grown;
		d->leaf_count = count;
	}
	if (!d->leaves[which])
		d->leaves[which] = calloc(1, sizeof(struct leaf));
	return d->leaves[which];
}

/* Where bytes [at, at + *n) go; *n is cut to what lies in one chunk.  The
 * caller fills all of it.  NULL: no room. */
static uint8_t *chunk_make(struct memfs *fs, struct data *d, uint64_t at,
	size_t *n)
{
	size_t index = (size_t)(at / CHUNK), off = (size_t)(at % CHUNK);
	*n = size_min(*n, CHUNK - off);
	if (index == 0)
		return first_grow(fs, d, off + *n) ? d->first + off : NULL;
	struct leaf *leaf = leaf_make(fs, d, index / LEAF);
	if (!leaf)
		return NULL;
	uint8_t **chunk = &leaf->chunk[index % LEAF];
	if (!*chunk) {
		if (!charge(fs, CHUNK))
			return NULL;
		*chunk = malloc(CHUNK);
		if (!*chunk) {
			refund(fs, CHUNK);
			return NULL;
		}
		memset(*chunk, 0, off);
		memset(*chunk + off + *n, 0, CHUNK - off - *n);
	}
	return *chunk + off;
}

/* Drops whole chunks from byte `size` on and zeroes the rest of its own. */
static void data_cut(struct memfs *fs, struct data *d, uint64_t size)
{
	size_t keep = (size_t)((size + CHUNK - 1) / CHUNK);
	for (size_t l = keep / LEAF; l < d->leaf_count; l++) {
		struct leaf *leaf = d->leaves[l];
		size_t from = l == keep / LEAF ? keep % LEAF : 0;
		for (size_t i = from; leaf && i < LEAF; i++) {
			if (leaf->chunk[i])
				refund(fs, CHUNK);
			free(leaf->chunk[i]);
			leaf->chunk[i] = NULL;
		}
		if (from == 0) {
			free(leaf);
			d->leaves[l] = NULL;
		}
	}
	if (size == 0) {
		refund(fs, d->first_cap + leaves_cost(d->leaf_count));
		free(d->first);
		free(d->leaves);
		*d = (struct data){ 0 };
	} else if (size % CHUNK) {
		size_t n = CHUNK;
		uint8_t *tail = chunk_find(d, size, &n);
		if (tail)
			memset(tail, 0, n);
	}
}

/* --- directories -------------------------------------------------------- */

static uint32_t name_hash(struct bytes name)
{
	uint32_t h = 2166136261u;
	for (size_t i = 0; i < name.len; i++)
		h = (h ^ name.ptr[i]) * 16777619u;
	return h ^ h >> 15;
}

static struct entry *dir_find(const struct dir *d, struct bytes name)
{
	uint32_t h = name_hash(name);
	for (size_t i = h; d->table_size; i++) {
		struct entry *e = d->table[i & (d->table_size - 1)];
		if (!e)
			break;
		if (e->hash == h &&
			bytes_equal(bytes_of(e->name, e->len), name))
			return e;
	}
	return NULL;
}

static void table_put(struct dir *d, struct entry *e)
{
	size_t i = e->hash;
	while (d->table[i & (d->table_size - 1)])
		i++;
	d->table[i & (d->table_size - 1)] = e;
}

static bool table_grow(struct dir *d)
{
	if (d->live + 1 <= d->table_size / 2)
		return true;
	size_t size = d->table_size ? d->table_size * 2 : 2 * LIST_MIN;
	struct entry **fresh = calloc(size, sizeof *fresh);
	if (!fresh)
		return false;
	free(d->table);
	d->table = fresh;
	d->table_size = size;
	for (size_t i = 0; i < d->count; i++)
		if (d->list[i].entry)
			table_put(d, d->list[i].entry);
	return true;
}

/* Open addressing without tombstones: what follows moves up. */
static void table_drop(struct dir *d, const struct entry *e)
{
	size_t mask = d->table_size - 1, hole = e->hash & mask;
	while (d->table[hole] != e)
		hole = (hole + 1) & mask;
	for (size_t i = (hole + 1) & mask; d->table[i]; i = (i + 1) & mask) {
		size_t home = d->table[i]->hash & mask;
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			d->table[hole] = d->table[i];
			hole = i;
		}
	}
	d->table[hole] = NULL;
}

static void list_close_holes(struct dir *d)
{
	size_t to = 0;
	for (size_t i = 0; i < d->count; i++)
		if (d->list[i].entry)
			d->list[to++] = d->list[i];
	d->count = to;
}

static bool list_grow(struct dir *d)
{
	if (d->count < d->cap)
		return true;
	size_t cap = d->cap ? d->cap * 2 : LIST_MIN;
	struct slot *grown = realloc(d->list, cap * sizeof *grown);
	if (!grown)
		return false;
	d->list = grown;
	d->cap = cap;
	return true;
}

/* The place of the first slot whose number is at least seq. */
static size_t list_find(const struct dir *d, uint64_t seq)
{
	size_t lo = 0, hi = d->count;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (d->list[mid].seq < seq)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int entry_add(struct memfs *fs, struct vfs_node *dir, struct bytes name,
	struct vfs_node *node)
{
	struct dir *d = &dir->dir;
	if (!charge(fs, ENTRY_COST + name.len))
		return WASI_NOSPC;
	struct entry *e = malloc(sizeof *e + name.len);
	if (!e || !table_grow(d) || !list_grow(d)) {
		free(e);
		refund(fs, ENTRY_COST + name.len);
		return WASI_NOSPC;
	}
	e->seq = ++d->next_seq;
	e->node = node;
	e->hash = name_hash(name);
	e->len = (uint32_t)name.len;
	memcpy(e->name, name.ptr, name.len);
	table_put(d, e);
	d->list[d->count++] = (struct slot){ e->seq, e };
	d->live++;
	dir->mtim = dir->ctim = now(fs);
	return WASI_OK;
}

static void entry_drop(struct memfs *fs, struct vfs_node *dir, struct entry *e)
{
	struct dir *d = &dir->dir;
	table_drop(d, e);
	d->list[list_find(d, e->seq)].entry = NULL;
	d->live--;
	if (d->count > LIST_MIN && d->live < d->count / 2)
		list_close_holes(d);
	refund(fs, ENTRY_COST + e->len);
	free(e);
	dir->mtim = dir->ctim = now(fs);
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
		data_cut(fs, &n->data, 0);
	} else if (n->type == VFS_SYMLINK) {
		refund(fs, n->link.len);
		free(n->link.target);
	} else {
		for (size_t i = 0; i < n->dir.count; i++)
			free(n->dir.list[i].entry);
		free(n->dir.list);
		free(n->dir.table);
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

static int fs_lookup(struct vfs *v, struct vfs_node *dir, struct bytes name,
	struct vfs_node **out)
{
	(void)v;
	if (dir->type != VFS_DIRECTORY)
		return WASI_NOTDIR;
	struct entry *e = dir_find(&dir->dir, name);
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
	return dir_find(&dir->dir, name) ? WASI_EXIST : WASI_OK;
}

/* Gives a fresh node its first name; frees it when there is no room. */
static int node_name(struct memfs *fs, struct vfs_node *dir, struct bytes name,
	struct vfs_node *n)
{
	int r = entry_add(fs, dir, name, n);
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
	if (charge(fs, target.len)) {
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
	r = entry_add(fs, dir, name, file);
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
	struct entry *e = dir_find(&dir->dir, name);
	if (!e)
		return WASI_NOENT;
	struct vfs_node *n = e->node;
	if (directory && n->type != VFS_DIRECTORY)
		return WASI_NOTDIR;
	if (!directory && n->type == VFS_DIRECTORY)
		return WASI_ISDIR;
	if (directory && n->dir.live)
		return WASI_NOTEMPTY;
	entry_drop(fs, dir, e);
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
	struct entry *src = dir_find(&from_dir->dir, from);
	if (!src)
		return WASI_NOENT;
	struct entry *dst = dir_find(&to_dir->dir, to);
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
		fs->used -= cost;
		r = entry_add(fs, to_dir, to, n);
		fs->used += cost;
		if (r)
			return r;
	}
	entry_drop(fs, from_dir, src);
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
		const uint8_t *from = chunk_find(d, at + done, &part);
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
		uint8_t *to = chunk_make(fs, d, at + done, &part);
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
		data_cut(fs, &n->data, size);
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
	size_t i = list_find(d, cookie);
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
	if (!fs->cfg.max_bytes)
		fs->cfg.max_bytes = 1ull << 30;
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
	return fs->used;
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
			dir_find(&dir->dir, name) :
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
		struct entry *e = dir_find(&s->dir->dir, at.name);
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
