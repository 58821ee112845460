/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes on their way, wiped when they are freed. */
#ifndef CHANNEL_QUEUE_PRIV_H
#define CHANNEL_QUEUE_PRIV_H

#include <stdlib.h>

#include "base/bytes.h"
#include "base/must.h"
#include "crypto/hash.h"

enum { QUEUE_MIN = 32 << 10 };

/* Bytes from `begin` to `end`; both rewind when it runs empty, so moving what
 * is left down to the front is rare and short. */
struct queue {
	uint8_t *ptr;
	size_t begin, end, cap;
	size_t used; /* bytes up to there were something once */
};

static inline size_t queue_len(const struct queue *q)
{
	return q->end - q->begin;
}

static inline void queue_note_used(struct queue *q)
{
	if (q->used < q->end)
		q->used = q->end;
}

/* Wiping costs what was used, not what there is room for. */
static inline void queue_free(struct queue *q)
{
	queue_note_used(q);
	crypto_zero(q->ptr, q->used);
	free(q->ptr);
	*q = (struct queue){ 0 };
}

/* Makes room for n bytes behind the last; NULL without memory. */
static inline uint8_t *queue_reserve(struct queue *q, size_t n)
{
	size_t len = queue_len(q), need;
	if (n <= q->cap - q->end)
		return q->ptr + q->end;
	queue_note_used(q);
	if (!size_add(len, n, &need))
		return NULL;
	/* Moving is paid for by the bytes dropped since the last time. */
	if (need <= q->cap && q->begin >= len / 2) {
		memmove(q->ptr, q->ptr + q->begin, len);
	} else {
		size_t cap = q->cap ? 2 * q->cap : QUEUE_MIN;
		while (cap < need)
			cap *= 2;
		uint8_t *p = malloc(cap);
		if (!p)
			return NULL;
		if (len)
			memcpy(p, q->ptr + q->begin, len);
		queue_free(q);
		q->ptr = p;
		q->cap = cap;
	}
	q->begin = 0;
	q->end = len;
	return q->ptr + len;
}

static inline void queue_drop(struct queue *q, size_t n)
{
	must(n <= queue_len(q));
	q->begin += n;
	if (q->begin != q->end)
		return;
	queue_note_used(q);
	q->begin = q->end = 0;
}

#endif
