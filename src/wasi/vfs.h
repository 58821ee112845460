/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What WASI asks of a file system: operations on nodes, one name at a time.
 * Path resolution, symbolic links, rights and `..` are WASI's business
 * (wasi/path.c), so that no file system has to get them right again.
 * The Keep's file system in memory is the implementation that programs use
 * (memfs/memfs.h).  Errors are WASI errno values (wasi/errno.h); 0 is success.
 */
#ifndef WASI_VFS_H
#define WASI_VFS_H

#include "base/bytes.h"

struct vfs;
struct vfs_node; /* reference counted by the file system */

/* Values of WASI's filetype. */
enum vfs_type {
	VFS_UNKNOWN = 0,
	VFS_CHARACTER = 2,
	VFS_DIRECTORY = 3,
	VFS_FILE = 4,
	VFS_SYMLINK = 7,
};

struct vfs_stat {
	uint64_t dev, ino, nlink, size;
	enum vfs_type type;
	uint64_t atim, mtim, ctim; /* ns since 1970 */
};

struct vfs_entry {
	uint64_t next; /* cookie of the entry after this one */
	uint64_t ino;
	enum vfs_type type;
	struct bytes name; /* borrowed until the next change to the directory */
};

/* Names are single components, never empty, "." or "..", without '/'. */
struct vfs_ops {
	void (*ref)(struct vfs *, struct vfs_node *);
	void (*unref)(struct vfs *, struct vfs_node *);
	/* The child, with a reference for the caller. */
	int (*lookup)(struct vfs *, struct vfs_node *dir, struct bytes name,
		struct vfs_node **out);
	/* The parent of a directory (itself at a root), with a reference. */
	int (*parent)(struct vfs *, struct vfs_node *dir,
		struct vfs_node **out);
	/* FILE or DIRECTORY; EXIST when the name is taken. */
	int (*create)(struct vfs *, struct vfs_node *dir, struct bytes name,
		enum vfs_type type, struct vfs_node **out);
	int (*symlink)(struct vfs *, struct vfs_node *dir, struct bytes name,
		struct bytes target);
	int (*readlink)(struct vfs *, struct vfs_node *link,
		struct bytes *target);
	int (*link)(struct vfs *, struct vfs_node *file, struct vfs_node *dir,
		struct bytes name);
	/* Removes a name: of a directory (must be empty) or of another. */
	int (*remove)(struct vfs *, struct vfs_node *dir, struct bytes name,
		bool directory);
	int (*rename)(struct vfs *, struct vfs_node *from_dir,
		struct bytes from, struct vfs_node *to_dir, struct bytes to);
	/* *n: in room, out bytes moved; 0 at end of file. */
	int (*read)(struct vfs *, struct vfs_node *, uint64_t at, uint8_t *to,
		size_t *n);
	int (*write)(struct vfs *, struct vfs_node *, uint64_t at,
		const uint8_t *from, size_t *n);
	int (*resize)(struct vfs *, struct vfs_node *, uint64_t size);
	int (*stat)(struct vfs *, struct vfs_node *, struct vfs_stat *);
	int (*set_times)(struct vfs *, struct vfs_node *, const uint64_t *atim,
		const uint64_t *mtim); /* NULL: leave */
	/*
	 * The first entry at or after the cookie (0: start), without "." and
	 * ".."; *more false at the end.  Entries present throughout a scan are
	 * seen exactly once whatever else changes.
	 */
	int (*entry)(struct vfs *, struct vfs_node *dir, uint64_t cookie,
		struct vfs_entry *out, bool *more);
};

/* A file system begins with its operations. */
struct vfs {
	const struct vfs_ops *ops;
};

#endif
