/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a detached program wrote, the newest KEEP_RING_BYTES of it: standard
 * output and standard error in the order of writing, addressed by the offset
 * of a byte since the start.  Old bytes make way for new ones; the memory is
 * fixed.
 */
#ifndef KEEP_RING_H
#define KEEP_RING_H

#include "base/bytes.h"
#include "base/err.h"

#define KEEP_RING_BYTES 0x100000u
#define KEEP_RING_RUNS	0x2000u

/* Neighbouring bytes of one stream; it begins where the one before ends. */
struct keep_ring_run {
	uint64_t end;
	unsigned stream;
};

struct keep_ring {
	uint8_t *data;
	size_t cap;
	uint64_t first, end; /* offsets: the oldest byte, after the newest */
	struct keep_ring_run *runs;
	size_t run_cap, run_first, run_count;
};

MUST_USE bool keep_ring_init(struct keep_ring *r, size_t cap, size_t run_cap,
	struct err *e);
void keep_ring_fini(struct keep_ring *r); /* wipes */

void keep_ring_put(struct keep_ring *r, unsigned stream, struct bytes in);
/*
 * Bytes of one stream from offset *at on, as many as lie together, borrowed
 * until the next put; empty at the end.  An offset that is gone becomes the
 * oldest, one beyond the end becomes the end.
 */
struct bytes keep_ring_get(const struct keep_ring *r, uint64_t *at,
	unsigned *stream);

#endif
