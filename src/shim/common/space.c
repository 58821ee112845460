/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/common/space.h"

#include "abi/gate.h"
#include "base/fmt.h"
#include "base/must.h"
#include "shim/common/linux.h"

/* mmap leaves a hole behind each range that it chooses: an overflow of one
 * meets no other. */
#define GAP PAGE_BYTES

static bool page_up(uint64_t n, uint64_t *out)
{
	if (__builtin_add_overflow(n, PAGE_BYTES - 1, out))
		return false;
	*out &= ~(uint64_t)(PAGE_BYTES - 1);
	return true;
}

static bool aligned(uint64_t at)
{
	return at % PAGE_BYTES == 0;
}

/* --- the array -------------------------------------------------------------
 */

/* Index of the first range that ends above `at`. */
static size_t index_of(const struct space *s, uint64_t at)
{
	size_t low = 0, high = s->count;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (s->range[mid].end > at)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

const struct space_range *space_find(const struct space *s, uint64_t at)
{
	size_t i = index_of(s, at);
	return i < s->count && s->range[i].start <= at ? &s->range[i] : NULL;
}

void space_place(const struct space *s, uint64_t at, char out[48])
{
	static const char *const kinds[] = { "memory", "heap", "stack", "image",
		"gate" };
	const struct space_range *r = space_find(s, at);
	if (at < PAGE_BYTES)
		fmt(out, 48, "the null page");
	else
		fmt(out, 48, "%s", r ? kinds[r->kind] : "no memory");
}

static bool is_free(const struct space *s, uint64_t start, uint64_t end)
{
	size_t i = index_of(s, start);
	return i == s->count || s->range[i].start >= end;
}

/* What a range may cost in pages: the gate's and unwritten ones nothing.
 * Code that exec made was written before. */
static uint64_t cost(const struct space_range *r)
{
	bool code = r->prot & SPACE_EXEC && r->kind == SPACE_ANON;
	if ((!(r->prot & SPACE_WRITE) && !code) || r->kind == SPACE_GATE)
		return 0;
	return (r->end - r->start) / PAGE_BYTES;
}

static void insert_at(struct space *s, size_t i, struct space_range r)
{
	must(s->count < SPACE_MAX);
	memmove(&s->range[i + 1], &s->range[i],
		(s->count - i) * sizeof s->range[0]);
	s->range[i] = r;
	s->count++;
}

static void remove_at(struct space *s, size_t i)
{
	s->count--;
	memmove(&s->range[i], &s->range[i + 1],
		(s->count - i) * sizeof s->range[0]);
}

static bool joins(const struct space_range *a, const struct space_range *b)
{
	return a->end == b->start && a->prot == b->prot && a->kind == b->kind &&
		a->kind == SPACE_ANON;
}

/* Ranges i - 1 and i become one where they can. */
static void join_at(struct space *s, size_t i)
{
	if (i == 0 || i >= s->count || !joins(&s->range[i - 1], &s->range[i]))
		return;
	s->range[i - 1].end = s->range[i].end;
	remove_at(s, i);
}

static void insert(struct space *s, struct space_range r)
{
	size_t i = index_of(s, r.start);
	s->pages += cost(&r);
	insert_at(s, i, r);
	join_at(s, i + 1);
	join_at(s, i);
}

/* A range that holds `at` ends and begins there: needs room for one. */
static void split(struct space *s, uint64_t at)
{
	size_t i = index_of(s, at);
	if (i == s->count || s->range[i].start >= at)
		return;
	struct space_range upper = s->range[i];
	upper.start = at;
	s->range[i].end = at;
	insert_at(s, i + 1, upper);
}

bool space_add(struct space *s, uint64_t start, uint64_t end, uint8_t prot,
	enum space_kind kind)
{
	struct space_range r = { start, end, prot, (uint8_t)kind };
	if (start >= end || s->count + 2 > SPACE_MAX ||
		!is_free(s, start, end) || cost(&r) > s->pages_max - s->pages)
		return false;
	insert(s, r);
	return true;
}

/* Takes ranges out of the array; there is room for two more. */
static void cut(struct space *s, uint64_t start, uint64_t end)
{
	split(s, start);
	split(s, end);
	size_t i = index_of(s, start);
	while (i < s->count && s->range[i].start < end) {
		s->pages -= cost(&s->range[i]);
		remove_at(s, i);
	}
}

/* A range of the user's half, page-aligned, whose end does not wrap. */
static bool span(uint64_t at, uint64_t len, uint64_t *end)
{
	return aligned(at) && len && page_up(len, &len) &&
		!__builtin_add_overflow(at, len, end) && *end <= 1ull << 47;
}

/* Only memory of exec's own making may go or change: its image and the gate
 * stay what they are. */
static bool all_of_kind(const struct space *s, uint64_t start, uint64_t end,
	unsigned kinds)
{
	for (size_t i = index_of(s, start);
		i < s->count && s->range[i].start < end; i++)
		if (!(kinds >> s->range[i].kind & 1))
			return false;
	return true;
}

#define KINDS_MEMORY (1u << SPACE_ANON | 1u << SPACE_HEAP | 1u << SPACE_STACK)
#define KINDS_UNMAP  (1u << SPACE_ANON | 1u << SPACE_HEAP | 1u << SPACE_GATE)

/* --- mmap ------------------------------------------------------------------
 */

/* The highest free place below s->high; 0: none. */
static uint64_t find_room(const struct space *s, uint64_t len)
{
	uint64_t top = s->high;
	for (size_t i = s->count; i-- > 0;) {
		const struct space_range *r = &s->range[i];
		if (r->start >= top)
			continue;
		if (r->end + GAP <= top && top - r->end - GAP >= len)
			break;
		top = r->start < GAP ? 0 : r->start - GAP;
	}
	return top >= len && top - len >= s->low ? top - len : 0;
}

static int64_t place(struct space *s, uint64_t at, uint64_t len, uint64_t flags,
	uint64_t *start)
{
	uint64_t end;
	bool fixed = flags & (LINUX_MAP_FIXED | LINUX_MAP_FIXED_NOREPLACE);
	if (!fixed) {
		*start = aligned(at) && at >= s->low && span(at, len, &end) &&
				end <= s->high && is_free(s, at, end) ?
			at :
			find_room(s, len);
		return *start ? 0 : -LINUX_ENOMEM;
	}
	if (!span(at, len, &end) || at < s->low)
		return -LINUX_EINVAL;
	*start = at;
	if (is_free(s, at, end))
		return 0;
	if (flags & LINUX_MAP_FIXED_NOREPLACE ||
		!all_of_kind(s, at, end, 1u << SPACE_ANON))
		return -LINUX_EINVAL;
	return 0;
}

static int64_t map_gate(struct space *s, uint64_t start, uint64_t len,
	uint64_t prot, uint64_t flags, uint64_t offset)
{
	struct space_range r = { start, start + len, (uint8_t)prot,
		SPACE_GATE };
	if (len != GATE_AREA_BYTES || offset ||
		prot != (SPACE_READ | SPACE_WRITE) ||
		(flags & LINUX_MAP_TYPE) != LINUX_MAP_SHARED)
		return -LINUX_EINVAL;
	if (!s->ops->gate(s->ctx, start, len))
		return -LINUX_ENOMEM;
	insert(s, r);
	return (int64_t)start;
}

int64_t space_mmap(struct space *s, uint64_t at, uint64_t len, uint64_t prot,
	uint64_t flags, int64_t fd, uint64_t offset)
{
	uint64_t start;
	bool anonymous = flags & LINUX_MAP_ANONYMOUS;
	if (!len || !page_up(len, &len) || s->count + 3 > SPACE_MAX)
		return len ? -LINUX_ENOMEM : -LINUX_EINVAL;
	if (prot & ~(uint64_t)(SPACE_READ | SPACE_WRITE))
		return -LINUX_EACCES;
	if (anonymous && (flags & LINUX_MAP_TYPE) != LINUX_MAP_PRIVATE)
		return -LINUX_EINVAL;
	if (!anonymous && fd != GATE_AREA_FD)
		return -LINUX_EBADF;
	int64_t n = place(s, at, len, flags, &start);
	if (n < 0)
		return n;
	if (!anonymous)
		return map_gate(s, start, len, prot, flags, offset);
	struct space_range r = { start, start + len, (uint8_t)prot,
		SPACE_ANON };
	if (cost(&r) > s->pages_max - s->pages)
		return -LINUX_ENOMEM;
	if (!is_free(s, r.start, r.end)) {
		cut(s, r.start, r.end);
		s->ops->unmap(s->ctx, r.start, r.end);
	}
	insert(s, r);
	return (int64_t)start;
}

int64_t space_munmap(struct space *s, uint64_t at, uint64_t len)
{
	uint64_t end;
	if (!span(at, len, &end))
		return -LINUX_EINVAL;
	if (s->count + 2 > SPACE_MAX)
		return -LINUX_ENOMEM;
	if (!all_of_kind(s, at, end, KINDS_UNMAP))
		return -LINUX_EPERM;
	cut(s, at, end);
	s->ops->unmap(s->ctx, at, end);
	return 0;
}

/* --- mprotect --------------------------------------------------------------
 */

/* Every page is there, and the change takes no more than may be had.  An image
 * only ever loses rights: relocations are done before exec's first own line. */
static int64_t protect_check(const struct space *s, uint64_t start,
	uint64_t end, uint8_t prot)
{
	uint64_t at = start, more = 0;
	for (size_t i = index_of(s, start); at < end; i++) {
		if (i == s->count || s->range[i].start > at)
			return -LINUX_ENOMEM;
		struct space_range r = s->range[i];
		if (r.kind == SPACE_GATE ||
			(r.kind == SPACE_IMAGE && prot & ~r.prot) ||
			(r.kind != SPACE_IMAGE && prot & SPACE_EXEC &&
				r.kind != SPACE_ANON))
			return -LINUX_EACCES;
		r.start = at;
		r.end = r.end < end ? r.end : end;
		at = r.end;
		if (!cost(&r) && prot & (SPACE_WRITE | SPACE_EXEC))
			more += (r.end - r.start) / PAGE_BYTES;
	}
	return more > s->pages_max - s->pages ? -LINUX_ENOMEM : 0;
}

int64_t space_mprotect(struct space *s, uint64_t at, uint64_t len,
	uint64_t prot)
{
	uint64_t end;
	if (len == 0)
		return aligned(at) ? 0 : -LINUX_EINVAL;
	if (!span(at, len, &end))
		return -LINUX_EINVAL;
	if (prot & ~(uint64_t)(SPACE_READ | SPACE_WRITE) &&
		prot != (SPACE_READ | SPACE_EXEC))
		return -LINUX_EACCES;
	int64_t n = protect_check(s, at, end, (uint8_t)prot);
	if (n < 0)
		return n;
	if (s->count + 2 > SPACE_MAX)
		return -LINUX_ENOMEM;
	split(s, at);
	split(s, end);
	size_t first = index_of(s, at), i = first;
	for (; i < s->count && s->range[i].start < end; i++) {
		s->pages -= cost(&s->range[i]);
		s->range[i].prot = (uint8_t)prot;
		s->pages += cost(&s->range[i]);
	}
	for (size_t j = i + 1; j-- > first;)
		join_at(s, j);
	s->ops->protect(s->ctx, at, end, (uint8_t)prot);
	return 0;
}

/* --- mremap ----------------------------------------------------------------
 */

static int64_t grow_in_place(struct space *s, uint64_t start, uint64_t end,
	struct space_range r)
{
	if (end > s->high || !is_free(s, r.end, end))
		return -LINUX_ENOMEM;
	struct space_range more = { r.end, end, r.prot, SPACE_ANON };
	insert(s, more);
	return (int64_t)start;
}

static int64_t grow_elsewhere(struct space *s, uint64_t start, uint64_t len,
	uint64_t new_len, struct space_range r)
{
	uint64_t to = find_room(s, new_len);
	if (!to)
		return -LINUX_ENOMEM;
	if (!s->ops->move(s->ctx, start, to, len))
		return -LINUX_ENOMEM;
	cut(s, start, start + len);
	struct space_range n = { to, to + new_len, r.prot, SPACE_ANON };
	insert(s, n);
	return (int64_t)to;
}

int64_t space_mremap(struct space *s, uint64_t at, uint64_t len,
	uint64_t new_len, uint64_t flags)
{
	uint64_t end, new_end;
	if (flags & ~(uint64_t)LINUX_MREMAP_MAYMOVE || !span(at, len, &end) ||
		!span(at, new_len, &new_end))
		return -LINUX_EINVAL;
	const struct space_range *found = space_find(s, at);
	if (!found || found->end < end)
		return -LINUX_EFAULT;
	struct space_range r = *found;
	if (r.kind != SPACE_ANON)
		return -LINUX_EINVAL;
	if (s->count + 3 > SPACE_MAX)
		return -LINUX_ENOMEM;
	if (new_end <= end) {
		int64_t n = new_end == end ?
			0 :
			space_munmap(s, new_end, end - new_end);
		return n < 0 ? n : (int64_t)at;
	}
	struct space_range more = { end, new_end, r.prot, r.kind };
	if (cost(&more) > s->pages_max - s->pages)
		return -LINUX_ENOMEM;
	int64_t n =
		r.end == end ? grow_in_place(s, at, new_end, r) : -LINUX_ENOMEM;
	if (n >= 0 || !(flags & LINUX_MREMAP_MAYMOVE))
		return n;
	return grow_elsewhere(s, at, end - at, new_end - at, r);
}

/* --- the rest --------------------------------------------------------------
 */

int64_t space_madvise(struct space *s, uint64_t at, uint64_t len,
	uint64_t advice)
{
	uint64_t end;
	if (len == 0)
		return aligned(at) ? 0 : -LINUX_EINVAL;
	if (!span(at, len, &end))
		return -LINUX_EINVAL;
	if (advice != LINUX_MADV_DONTNEED)
		return 0;
	if (!all_of_kind(s, at, end, KINDS_MEMORY))
		return -LINUX_EINVAL;
	s->ops->unmap(s->ctx, at, end);
	return 0;
}

int64_t space_brk(struct space *s, uint64_t at)
{
	uint64_t old_end, new_end;
	if (at < s->brk_start || at > 1ull << 47 || !page_up(at, &new_end) ||
		!page_up(s->brk, &old_end) || s->count + 2 > SPACE_MAX)
		return (int64_t)s->brk;
	if (new_end > old_end) {
		/* One range: it grows, it is not joined to another. */
		size_t i = index_of(s, s->brk_start);
		struct space_range more = { old_end, new_end,
			SPACE_READ | SPACE_WRITE, SPACE_HEAP };
		if (!is_free(s, old_end, new_end + GAP) ||
			cost(&more) > s->pages_max - s->pages)
			return (int64_t)s->brk;
		bool there = i < s->count && s->range[i].end == old_end &&
			s->range[i].kind == SPACE_HEAP &&
			s->range[i].prot == more.prot;
		if (there) {
			s->range[i].end = new_end;
			s->pages += cost(&more);
		} else {
			insert(s, more);
		}
	} else if (new_end < old_end) {
		cut(s, new_end, old_end);
		s->ops->unmap(s->ctx, new_end, old_end);
	}
	s->brk = at;
	return (int64_t)at;
}
