/* SPDX-License-Identifier: Apache-2.0 */
/* Within memfs: what a node is made of. */
#ifndef MEMFS_MEMFS_PRIV_H
#define MEMFS_MEMFS_PRIV_H

#include "base/bytes.h"
#include "base/must.h"

struct vfs_node;

struct quota {
	uint64_t max, used; /* bytes */
};

static inline bool quota_charge(struct quota *q, uint64_t n)
{
	if (n > q->max || q->used > q->max - n)
		return false;
	q->used += n;
	return true;
}

static inline void quota_refund(struct quota *q, uint64_t n)
{
	must(n <= q->used);
	q->used -= n;
}

/* data.c: the contents of a file.  All zero is an empty one. */
struct data {
	uint64_t size;
	uint8_t *first;
	size_t first_cap;
	struct leaf **leaves;
	size_t leaf_count;
};

/* Byte `at` and what follows it in memory; *n is cut to that.  NULL: zeros. */
uint8_t *memfs_data_find(const struct data *d, uint64_t at, size_t *n);
/* Where bytes [at, at + *n) go; *n is cut to what lies together.  The caller
 * fills all of it and sets the size.  NULL: no room. */
uint8_t *memfs_data_make(struct quota *q, struct data *d, uint64_t at,
	size_t *n);
/* Drops or zeroes what lies from byte `size` on; the size is the caller's. */
void memfs_data_cut(struct quota *q, struct data *d, uint64_t size);

/* dir.c: names.  All zero is an empty directory. */
enum {
	/* An entry's own cost in the quota: it, its slot, its hash place. */
	ENTRY_COST = 64,
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
	size_t subdirs; /* the caller's */
};

struct entry *memfs_dir_find(const struct dir *d, struct bytes name);
/* The place of the first slot whose number is at least seq. */
size_t memfs_dir_from(const struct dir *d, uint64_t seq);
/* False: no room, and nothing is changed. */
bool memfs_dir_add(struct quota *q, struct dir *d, struct bytes name,
	struct vfs_node *node);
void memfs_dir_drop(struct quota *q, struct dir *d, struct entry *e);
/* Frees all entries, of which the quota is not told. */
void memfs_dir_fini(struct dir *d);

#endif
