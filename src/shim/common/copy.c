/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/copy.h"

static size_t in_page(uint64_t at, size_t n)
{
	return size_min(n, PAGE_BYTES - at % PAGE_BYTES);
}

bool copy_out(copy_reach *reach, void *ctx, uint64_t to, const void *from,
	size_t n)
{
	const uint8_t *p = from;
	for (size_t part; n; n -= part) {
		void *at = reach(ctx, to, true);
		if (!at)
			return false;
		part = in_page(to, n);
		memcpy(at, p, part);
		to += part;
		p += part;
	}
	return true;
}

bool copy_in(copy_reach *reach, void *ctx, void *to, uint64_t from, size_t n)
{
	uint8_t *p = to;
	for (size_t part; n; n -= part) {
		const void *at = reach(ctx, from, false);
		if (!at)
			return false;
		part = in_page(from, n);
		memcpy(p, at, part);
		from += part;
		p += part;
	}
	return true;
}
