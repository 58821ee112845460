/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical pages: a bit for each, and for each block of 2 MiB whether its pages
 * may be touched.  A technology whose memory must be accepted first (PVALIDATE)
 * accepts blocks as they are needed; blocks in which nothing is any more go
 * back to the host, but for some.
 */
#ifndef SHIM_COMMON_FRAMES_H
#define SHIM_COMMON_FRAMES_H

#include "base/base.h"

/* 2 MiB: one large page, and few calls. */
#define FRAMES_BLOCK 512u

struct frames_ops {
	/* Makes pages `from` up to `to` (numbers) usable; again: they were
	 * released. */
	bool (*accept)(void *ctx, uint64_t from, uint64_t to, bool again);
	/* Whole blocks, not to be touched from now on. */
	void (*release)(void *ctx, uint64_t from, uint64_t to);
};

struct frames {
	uint64_t first; /* number of page 0 of the bitmap */
	uint64_t count, used;
	uint64_t hint;	 /* no page below it is free */
	uint64_t ready;	 /* pages that may be touched */
	uint64_t given;	 /* pages since it was last looked what to release */
	uint64_t *taken; /* a bit for each page */
	/* A bit for each block: may be touched; was released. */
	uint64_t *accepted, *released;
	const struct frames_ops *ops; /* NULL: all may be touched, for good */
	void *ctx;
};

/* Bytes that the bitmaps of so many pages need. */
#define FRAMES_BITMAP_BYTES(pages) \
	(((pages) + 63) / 64 * 8 + \
		2 * (((pages) / FRAMES_BLOCK + 2 + 63) / 64 * 8))

/* bitmaps: zeroed; pages from `first` on, all of them free; the first `ready`
 * of them, up to a block's end, may be touched already. */
void frames_init(struct frames *f, uint64_t first, uint64_t count,
	uint64_t ready, uint64_t *bitmaps);
/* The block in which that page is is no memory; nothing of it was taken. */
void frames_reserve(struct frames *f, uint64_t page);
/* A page's number; false: none is left, or it was not accepted. */
MUST_USE bool frames_take(struct frames *f, uint64_t *page);
/* A page that frames_take gave. */
void frames_give(struct frames *f, uint64_t page);
/* Releases blocks in which nothing is, when many pages came back.  Nobody may
 * have them mapped any more. */
void frames_trim(struct frames *f);

#endif
