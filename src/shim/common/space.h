/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec's address space: which ranges there are, with which rights, and how
 * many pages they may come to.  Pure bookkeeping over a sorted array; page
 * tables are the technology's (struct space_ops), and hold a page only once it
 * was touched.
 *
 * A range is never writable and executable.  What exec may execute is its
 * image, mapped before it starts, and memory of its own that it turned from
 * writable to executable (mprotect) for compiled code.
 *
 * Functions that serve a system call return as it does: a value, or -errno.
 */
#ifndef SHIM_COMMON_SPACE_H
#define SHIM_COMMON_SPACE_H

#include "base/base.h"

#define SPACE_MAX 384u /* ranges */

enum space_prot { SPACE_READ = 1, SPACE_WRITE = 2, SPACE_EXEC = 4 };

enum space_kind {
	SPACE_ANON,  /* zero pages on demand */
	SPACE_HEAP,  /* the same, grown by brk */
	SPACE_STACK, /* the same */
	SPACE_IMAGE, /* pages that the loader of exec put there */
	SPACE_GATE,  /* the shared gate area */
};

struct space_range {
	uint64_t start, end;
	uint8_t prot; /* enum space_prot */
	uint8_t kind; /* enum space_kind */
};

struct space_ops {
	/* Forgets pages; those of memory are freed. */
	void (*unmap)(void *ctx, uint64_t start, uint64_t end);
	/* Changes the rights of the pages that are there. */
	void (*protect)(void *ctx, uint64_t start, uint64_t end, uint8_t prot);
	/* Takes pages along; nothing is mapped at `to`. */
	bool (*move)(void *ctx, uint64_t from, uint64_t to, uint64_t bytes);
	/* Maps the shared gate area. */
	bool (*gate)(void *ctx, uint64_t start, uint64_t bytes);
};

struct space {
	const struct space_ops *ops;
	void *ctx;
	uint64_t low, high; /* where mmap finds room: from high down */
	uint64_t brk_start, brk;
	uint64_t pages, pages_max; /* writable once: promised to exec */
	size_t count;
	struct space_range range[SPACE_MAX];
};

/* Adds a range of exec's image, stack or heap; false: no room for it. */
MUST_USE bool space_add(struct space *s, uint64_t start, uint64_t end,
	uint8_t prot, enum space_kind kind);
/* NULL: nothing is there. */
const struct space_range *space_find(const struct space *s, uint64_t at);
/* What is there, in words. */
void space_place(const struct space *s, uint64_t at, char out[48]);

int64_t space_mmap(struct space *s, uint64_t at, uint64_t len, uint64_t prot,
	uint64_t flags, int64_t fd, uint64_t offset);
int64_t space_munmap(struct space *s, uint64_t at, uint64_t len);
int64_t space_mprotect(struct space *s, uint64_t at, uint64_t len,
	uint64_t prot);
int64_t space_mremap(struct space *s, uint64_t at, uint64_t len,
	uint64_t new_len, uint64_t flags);
int64_t space_madvise(struct space *s, uint64_t at, uint64_t len,
	uint64_t advice);
int64_t space_brk(struct space *s, uint64_t at);

#endif
