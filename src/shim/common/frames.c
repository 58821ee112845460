/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/frames.h"

#include "base/must.h"

/* What stays ready though nothing is in it: 8 MiB, or a quarter of what is
 * used.  Who takes and gives less than that costs nobody anything. */
#define SPARE_PAGES 2048u
#define SPARE_SHARE 4u
/* Pages that come back before it is looked for blocks. */
#define TRIM_PAGES 1024u

static bool bit(const uint64_t *bits, uint64_t i)
{
	return bits[i / 64] >> i % 64 & 1;
}

static void set(uint64_t *bits, uint64_t i, bool on)
{
	uint64_t mask = 1ull << i % 64;
	bits[i / 64] = on ? bits[i / 64] | mask : bits[i / 64] & ~mask;
}

/* --- blocks ----------------------------------------------------------------
 */

struct block {
	uint64_t number;   /* of its bits */
	uint64_t from, to; /* pages of it that are ours: indices */
};

static struct block block_of(const struct frames *f, uint64_t index)
{
	uint64_t block = (f->first + index) / FRAMES_BLOCK;
	uint64_t start = block * FRAMES_BLOCK, end = start + FRAMES_BLOCK;
	return (struct block){
		.number = block - f->first / FRAMES_BLOCK,
		.from = start > f->first ? start - f->first : 0,
		.to = end - f->first < f->count ? end - f->first : f->count,
	};
}

static void set_ready(struct frames *f, const struct block *b, bool ready)
{
	set(f->accepted, b->number, ready);
	set(f->released, b->number, !ready);
	f->ready = ready ? f->ready + (b->to - b->from) :
			   f->ready - (b->to - b->from);
}

static bool accept(struct frames *f, uint64_t index)
{
	struct block b = block_of(f, index);
	if (bit(f->accepted, b.number))
		return true;
	if (f->ops &&
		!f->ops->accept(f->ctx, f->first + b.from, f->first + b.to,
			bit(f->released, b.number)))
		return false;
	set_ready(f, &b, true);
	return true;
}

void frames_init(struct frames *f, uint64_t first, uint64_t count,
	uint64_t ready, uint64_t *bitmaps)
{
	uint64_t words = (count / FRAMES_BLOCK + 2 + 63) / 64;
	*f = (struct frames){
		.first = first,
		.count = count,
		.taken = bitmaps,
		.accepted = bitmaps + (count + 63) / 64,
		.released = bitmaps + (count + 63) / 64 + words,
	};
	while (f->ready < ready) {
		struct block b = block_of(f, f->ready);
		must(b.to <= ready);
		set_ready(f, &b, true);
	}
}

void frames_reserve(struct frames *f, uint64_t page)
{
	if (page < f->first || page - f->first >= f->count)
		return;
	struct block b = block_of(f, page - f->first);
	for (uint64_t i = b.from; i < b.to; i++) {
		must(!bit(f->taken, i));
		set(f->taken, i, true);
	}
	f->used += b.to - b.from;
	set_ready(f, &b, true);
}

/* --- pages -----------------------------------------------------------------
 */

static bool next_free(const struct frames *f, uint64_t *index)
{
	for (uint64_t w = f->hint / 64; w * 64 < f->count; w++) {
		if (f->taken[w] == UINT64_MAX)
			continue;
		*index = w * 64 + (uint64_t)__builtin_ctzll(~f->taken[w]);
		return *index < f->count;
	}
	return false;
}

bool frames_take(struct frames *f, uint64_t *page)
{
	uint64_t i;
	if (!next_free(f, &i) || !accept(f, i))
		return false;
	set(f->taken, i, true);
	f->hint = i + 1;
	f->used++;
	*page = f->first + i;
	return true;
}

void frames_give(struct frames *f, uint64_t page)
{
	uint64_t i = page - f->first;
	must(i < f->count && bit(f->taken, i));
	set(f->taken, i, false);
	if (i < f->hint)
		f->hint = i;
	f->used--;
	f->given++;
}

/* --- giving blocks back ----------------------------------------------------
 */

static bool none_taken(const struct frames *f, uint64_t from, uint64_t to)
{
	while (from < to) {
		bool whole = from % 64 == 0 && to - from >= 64;
		if (whole ? f->taken[from / 64] != 0 : bit(f->taken, from))
			return false;
		from += whole ? 64 : 1;
	}
	return true;
}

static bool releasable(const struct frames *f, const struct block *b)
{
	return b->to - b->from == FRAMES_BLOCK && bit(f->accepted, b->number) &&
		none_taken(f, b->from, b->to);
}

static uint64_t to_spare(const struct frames *f)
{
	uint64_t keep = f->used / SPARE_SHARE;
	keep = keep > SPARE_PAGES ? keep : SPARE_PAGES;
	uint64_t idle = f->ready - f->used;
	return idle > keep ? idle - keep : 0;
}

/* From the top, where pages are taken last; runs of blocks at once. */
void frames_trim(struct frames *f)
{
	uint64_t from = 0, to = 0;
	if (!f->ops || !f->ops->release || f->given < TRIM_PAGES)
		return;
	f->given = 0;
	uint64_t left = to_spare(f);
	for (uint64_t at = f->count; at && left >= FRAMES_BLOCK;) {
		struct block b = block_of(f, at - 1);
		at = b.from;
		if (!releasable(f, &b))
			continue;
		if (b.to != from) {
			if (to)
				f->ops->release(f->ctx, f->first + from,
					f->first + to);
			to = b.to;
		}
		from = b.from;
		set_ready(f, &b, false);
		left -= FRAMES_BLOCK;
	}
	if (to)
		f->ops->release(f->ctx, f->first + from, f->first + to);
}
