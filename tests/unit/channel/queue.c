/* SPDX-License-Identifier: Apache-2.0 */
#include "channel/queue_priv.h"

#include "../test.h"

static void put(struct queue *q, uint8_t value, size_t n)
{
	uint8_t *to = queue_reserve(q, n);
	assert_non_null(to);
	memset(to, value, n);
	q->end += n;
}

TEST(bytes_leave_in_the_order_in_which_they_came)
{
	struct queue q = { 0 };
	uint8_t next = 0;
	for (int i = 0; i < 300; i++) {
		put(&q, (uint8_t)i, 1000);
		for (int j = 0; j < (i % 3 ? 1 : 2) && queue_len(&q); j++) {
			CHECK_INT(q.ptr[q.begin], next);
			CHECK_INT(q.ptr[q.begin + 999], next++);
			queue_drop(&q, 1000);
		}
	}
	queue_free(&q);
}

/* What is wiped when it is freed: up to the last byte that ever was. */
TEST(what_was_used_stays_known_when_it_left)
{
	struct queue q = { 0 };
	put(&q, 'a', 100);
	queue_drop(&q, 100);
	CHECK_INT(q.end, 0);
	CHECK_INT(q.used, 100);
	put(&q, 'b', 10);
	queue_drop(&q, 10);
	CHECK_INT(q.used, 100);
	put(&q, 'c', QUEUE_MIN);
	queue_drop(&q, QUEUE_MIN - 10);
	/* What is left moves down to make room. */
	put(&q, 'd', 20);
	CHECK_INT(q.begin, 0);
	CHECK_INT(q.end, 30);
	CHECK_INT(q.used, QUEUE_MIN);
	queue_free(&q);
	CHECK(!q.ptr && !q.cap && !q.used);
}
