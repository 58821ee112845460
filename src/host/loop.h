/* SPDX-License-Identifier: Apache-2.0 */
/*
 * donjond's one event loop: descriptors and timers, one thread.  A callback
 * may remove any watch or timer, its own included: events are taken from the
 * kernel one at a time, so none is left over for what was removed.
 */
#ifndef HOST_LOOP_H
#define HOST_LOOP_H

#include <sys/epoll.h>

#include "base/base.h"
#include "base/err.h"

#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define SECOND_NS UINT64_C(1000000000)

/* Both are embedded in what they belong to.  All-zero is not watched / not
 * set, for a watch except that fd must be -1 then. */
struct watch {
	int fd;
	void (*ready)(struct watch *w, uint32_t events);
};

struct timer {
	uint64_t at; /* loop_now */
	void (*due)(struct timer *t);
	struct timer *prev, *next;
	bool set;
};

struct loop {
	int epoll_fd;
	struct timer *first, *last;
};

MUST_USE bool loop_init(struct loop *l, struct err *e);
void loop_fini(struct loop *l);

/* Level-triggered; the caller has set w->ready.  Does not own fd. */
MUST_USE bool loop_watch(struct loop *l, struct watch *w, int fd,
	uint32_t events, struct err *e);
void loop_rewatch(struct loop *l, struct watch *w, uint32_t events);
/* Accepts one that is not watched. */
void loop_unwatch(struct loop *l, struct watch *w);

uint64_t loop_now(void); /* monotonic, ns */
/* Sets it, or sets it anew. */
void loop_set(struct loop *l, struct timer *t, uint64_t at);
void loop_cancel(struct loop *l, struct timer *t);

/* One event, or the timers that are due; waits for them unless `poll`. */
MUST_USE bool loop_turn(struct loop *l, bool poll, struct err *e);

#endif
