/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Keep's file system: all in memory, private to the Keep, with a quota.
 * What the tenant delivers appears in it; what is writable goes back to the
 * tenant at the end.  Implements wasi/vfs.h.
 */
#ifndef MEMFS_MEMFS_H
#define MEMFS_MEMFS_H

#include "base/err.h"
#include "wasi/vfs.h"

struct memfs;

/*
 * What counts is the memory that contents take (in steps: doubling up to
 * 64 KiB, then 64 KiB), link targets, and 64 bytes and its length for each
 * name.
 */
struct memfs_config {
	uint64_t max_bytes; /* contents and names together; 0: 1 GiB */
	uint64_t max_nodes; /* 0: 1,000,000 */
	/* The clock for timestamps: ns since 1970. */
	uint64_t (*now)(void *ctx);
	void *ctx;
};

MUST_USE bool memfs_new(const struct memfs_config *cfg, struct memfs **out,
	struct err *e);
void memfs_free(struct memfs *fs);

struct vfs *memfs_vfs(struct memfs *fs);
/* How much of max_bytes is taken. */
uint64_t memfs_used(const struct memfs *fs);

/* A new root directory (each preopen has its own); lives as long as fs. */
MUST_USE bool memfs_root(struct memfs *fs, struct vfs_node **out,
	struct err *e);

/*
 * Puts a directory or an empty regular file at `path` below root, making
 * parents.  The path is relative, '/'-separated; empty components, "." and
 * ".." are refused, and so is a path through a file or symbolic link.  An
 * existing directory is fine for a directory; any other clash is an error.
 */
MUST_USE bool memfs_add(struct memfs *fs, struct vfs_node *root,
	struct bytes path, enum vfs_type type, uint64_t mtime_ns,
	struct vfs_node **out, struct err *e);

/*
 * Walks everything below root depth first, parents before children, without
 * following links and without recursion.  `path` is relative to root;
 * `visit` returns false to end the walk early.
 */
bool memfs_walk(struct memfs *fs, struct vfs_node *root,
	bool (*visit)(void *ctx, struct bytes path, struct vfs_node *node,
		const struct vfs_stat *st),
	void *ctx);

#endif
