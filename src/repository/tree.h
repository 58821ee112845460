/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files below a root, read the same way whether the root is a folder or an
 * archive.  What is listed (a package's data) has files and folders only, in
 * the order of paths, under the rules of repository/tar.h.
 */
#ifndef REPOSITORY_TREE_H
#define REPOSITORY_TREE_H

#include "repository/tar.h"

struct repository_tree {
	int dir_fd; /* of a folder; -1: an archive */
	struct repository_source source;
	struct repository_tar tar;
};

/* Takes nothing over: descriptors stay the caller's. */
MUST_USE bool repository_tree_archive(int fd, uint64_t size,
	struct repository_tree *out, struct err *e);
void repository_tree_fini(struct repository_tree *t);

/* Is there a file, and how large? */
bool repository_tree_has(const struct repository_tree *t, const char *path,
	uint64_t *size);
/* A file's whole contents, appended. */
MUST_USE bool repository_tree_read(const struct repository_tree *t,
	const char *path, uint64_t max, struct buf *out, struct err *e);
/* A file's contents as a place: *fd is the caller's to close. */
MUST_USE bool repository_tree_open(const struct repository_tree *t,
	const char *path, int *fd, uint64_t *at, uint64_t *size, struct err *e);
/* Names of files right below the root that end so, at most `max` of them,
 * NUL-terminated in `out`. */
MUST_USE bool repository_tree_find(const struct repository_tree *t,
	const char *suffix, struct buf *out, size_t *count, struct err *e);
/* All below the folder `under`, itself left out; paths from the root. */
MUST_USE bool repository_tree_list(const struct repository_tree *t,
	const char *under, struct repository_tar *out, struct err *e);

#endif
