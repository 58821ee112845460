/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives of files (POSIX.1-2017 pax, "ustar Interchange Format", GNU's long
 * names).  Reading makes an index and unpacks nothing.  An archive is refused
 * as a whole when it has anything but files and folders in it, a name that
 * repository/path.h refuses, one name twice (or twice for a file system that
 * knows no case), a file where another needs a folder, or a wrong checksum.
 *
 * Writing is reproducible: what went in decides every byte that comes out.
 */
#ifndef REPOSITORY_TAR_H
#define REPOSITORY_TAR_H

#include "base/buf.h"
#include "base/err.h"

enum {
	REPOSITORY_TAR_MAX_ENTRIES = 1 << 16,
	REPOSITORY_TAR_MAX_DEPTH = 32,
};

/* Bytes at places: a file's, or memory's when fd is -1.  Borrowed. */
struct repository_source {
	int fd;
	struct bytes memory;
	uint64_t size;
};

/* Exactly n bytes from `at`. */
MUST_USE bool repository_source_read(const struct repository_source *s,
	uint64_t at, void *to, size_t n, struct err *e);

struct repository_tar_entry {
	char *path; /* owned by the index */
	bool directory;
	uint64_t at, size; /* of the contents, in the source */
};

struct repository_tar {
	struct repository_tar_entry *entries; /* in the order of paths */
	size_t count;
};

MUST_USE bool repository_tar_index(const struct repository_source *s,
	struct repository_tar *out, struct err *e);
void repository_tar_fini(struct repository_tar *t);
/* NULL when there is none. */
const struct repository_tar_entry *
repository_tar_find(const struct repository_tar *t, const char *path);

struct crypto_hash;

struct repository_tar_writer {
	int fd;			  /* appended to; -1: nothing is written */
	struct crypto_hash *hash; /* NULL: not computed */
	uint64_t bytes;
};

/* The head of an entry; its contents, in any portions, then follow by _data,
 * and _pad.  Paths in ascending order, please. */
MUST_USE bool repository_tar_entry(struct repository_tar_writer *w,
	const char *path, bool directory, uint64_t size, struct err *e);
MUST_USE bool repository_tar_data(struct repository_tar_writer *w,
	struct bytes in, struct err *e);
MUST_USE bool repository_tar_pad(struct repository_tar_writer *w,
	struct err *e);
MUST_USE bool repository_tar_end(struct repository_tar_writer *w,
	struct err *e);

#endif
