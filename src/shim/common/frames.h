/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Physical pages: a bitmap, and a mark up to which pages were ever given out,
 * so that a technology whose pages must be accepted first (PVALIDATE) accepts
 * them as they are needed.
 */
#ifndef SHIM_COMMON_FRAMES_H
#define SHIM_COMMON_FRAMES_H

#include "base/base.h"

struct frames {
	uint64_t first; /* number of page 0 of the bitmap */
	uint64_t count, used;
	uint64_t hint;	   /* no page below it is free */
	uint64_t accepted; /* pages below it may be touched */
	uint64_t *taken;   /* a bit for each page */
	/* Makes pages `from` up to `to` (numbers) usable; NULL: all are. */
	bool (*accept)(void *ctx, uint64_t from, uint64_t to);
	void *ctx;
};

/* Bytes that the bitmap of so many pages needs. */
#define FRAMES_BITMAP_BYTES(pages) (((pages) + 63) / 64 * 8)

/* bitmap: zeroed; pages from `first` on, all of them free. */
void frames_init(struct frames *f, uint64_t first, uint64_t count,
	uint64_t *bitmap);
/* A page's number; false: none is left, or it was not accepted. */
MUST_USE bool frames_take(struct frames *f, uint64_t *page);
/* A page that frames_take gave. */
void frames_give(struct frames *f, uint64_t page);

#endif
