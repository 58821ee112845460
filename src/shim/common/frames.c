/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/frames.h"

#include "base/must.h"

/* 2 MiB: one large page, and few calls. */
#define ACCEPT_PAGES 512u

void frames_init(struct frames *f, uint64_t first, uint64_t count,
	uint64_t *bitmap)
{
	*f = (struct frames){
		.first = first,
		.count = count,
		.taken = bitmap,
	};
}

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

static bool accept(struct frames *f, uint64_t index)
{
	if (index < f->accepted)
		return true;
	/* Up to a boundary that is one of the machine's too. */
	uint64_t to = ((f->first + index) / ACCEPT_PAGES + 1) * ACCEPT_PAGES -
		f->first;
	if (to > f->count)
		to = f->count;
	if (f->accept &&
		!f->accept(f->ctx, f->first + f->accepted, f->first + to))
		return false;
	f->accepted = to;
	return true;
}

bool frames_take(struct frames *f, uint64_t *page)
{
	uint64_t i;
	if (!next_free(f, &i) || !accept(f, i))
		return false;
	f->taken[i / 64] |= 1ull << i % 64;
	f->hint = i + 1;
	f->used++;
	*page = f->first + i;
	return true;
}

void frames_give(struct frames *f, uint64_t page)
{
	uint64_t i = page - f->first;
	must(i < f->count && f->taken[i / 64] >> i % 64 & 1);
	f->taken[i / 64] &= ~(1ull << i % 64);
	if (i < f->hint)
		f->hint = i;
	f->used--;
}
