/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/ring.h"

#include <stdlib.h>

bool keep_ring_init(struct keep_ring *r, size_t cap, size_t run_cap,
	struct err *e)
{
	*r = (struct keep_ring){
		.data = malloc(cap),
		.cap = cap,
		.runs = calloc(run_cap, sizeof *r->runs),
		.run_cap = run_cap,
	};
	if (!r->data || !r->runs) {
		keep_ring_fini(r);
		return err_fail(e, ERR_LIMIT, "log: no memory");
	}
	return true;
}

void keep_ring_fini(struct keep_ring *r)
{
	if (r->data)
		explicit_bzero(r->data, size_min(r->cap, (size_t)r->end));
	free(r->data);
	free(r->runs);
	*r = (struct keep_ring){ .cap = 0 };
}

static struct keep_ring_run *run_at(const struct keep_ring *r, size_t i)
{
	return &r->runs[(r->run_first + i) % r->run_cap];
}

static void drop_run(struct keep_ring *r)
{
	if (run_at(r, 0)->end > r->first)
		r->first = run_at(r, 0)->end;
	r->run_first = (r->run_first + 1) % r->run_cap;
	r->run_count--;
}

static void note_run(struct keep_ring *r, unsigned stream)
{
	if (!r->run_count || run_at(r, r->run_count - 1)->stream != stream) {
		if (r->run_count == r->run_cap)
			drop_run(r);
		r->run_count++;
		run_at(r, r->run_count - 1)->stream = stream;
	}
	run_at(r, r->run_count - 1)->end = r->end;
}

void keep_ring_put(struct keep_ring *r, unsigned stream, struct bytes in)
{
	if (!in.len || !r->cap)
		return;
	if (in.len > r->cap) {
		r->end += in.len - r->cap;
		in = bytes_from(in, in.len - r->cap);
	}
	size_t at = (size_t)(r->end % r->cap);
	size_t head = size_min(in.len, r->cap - at);
	memcpy(r->data + at, in.ptr, head);
	memcpy(r->data, in.ptr + head, in.len - head);
	r->end += in.len;
	note_run(r, stream);
	if (r->end - r->first > r->cap)
		r->first = r->end - r->cap;
	while (run_at(r, 0)->end <= r->first)
		drop_run(r);
}

struct bytes keep_ring_get(const struct keep_ring *r, uint64_t *at,
	unsigned *stream)
{
	if (*at < r->first)
		*at = r->first;
	if (*at >= r->end) {
		*at = r->end;
		return BYTES_NONE;
	}
	/* The first run that ends after *at. */
	size_t low = 0, high = r->run_count - 1;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (run_at(r, mid)->end > *at)
			high = mid;
		else
			low = mid + 1;
	}
	size_t from = (size_t)(*at % r->cap);
	uint64_t left = run_at(r, low)->end - *at;
	*stream = run_at(r, low)->stream;
	return bytes_of(r->data + from,
		left < r->cap - from ? (size_t)left : r->cap - from);
}
