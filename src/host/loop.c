/* SPDX-License-Identifier: Apache-2.0 */
#include "host/loop.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"

enum { MS_NS = 1000000 };

bool loop_init(struct loop *l, struct err *e)
{
	*l = (struct loop){ .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };
	if (l->epoll_fd < 0)
		return err_fail(e, ERR_HOST, "epoll: %s", strerror(errno));
	return true;
}

void loop_fini(struct loop *l)
{
	if (l->epoll_fd > 0)
		close(l->epoll_fd);
	*l = (struct loop){ 0 };
}

bool loop_watch(struct loop *l, struct watch *w, int fd, uint32_t events,
	struct err *e)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };
	must(w->ready);
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev))
		return err_fail(e, ERR_HOST, "epoll: %s", strerror(errno));
	w->fd = fd;
	return true;
}

void loop_rewatch(struct loop *l, struct watch *w, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = w };
	must(epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, w->fd, &ev) == 0);
}

void loop_unwatch(struct loop *l, struct watch *w)
{
	if (w->fd >= 0)
		epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
	w->fd = -1;
}

uint64_t loop_now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND_NS + (uint64_t)ts.tv_nsec;
}

void loop_cancel(struct loop *l, struct timer *t)
{
	if (!t->set)
		return;
	*(t->prev ? &t->prev->next : &l->first) = t->next;
	*(t->next ? &t->next->prev : &l->last) = t->prev;
	t->prev = t->next = NULL;
	t->set = false;
}

/* In order of time.  Most are set to now plus a constant: search from the
 * end. */
void loop_set(struct loop *l, struct timer *t, uint64_t at)
{
	must(t->due);
	loop_cancel(l, t);
	struct timer *before = l->last;
	while (before && before->at > at)
		before = before->prev;
	t->at = at;
	t->set = true;
	t->prev = before;
	t->next = before ? before->next : l->first;
	*(t->prev ? &t->prev->next : &l->first) = t;
	*(t->next ? &t->next->prev : &l->last) = t;
}

static int wait_ms(const struct loop *l)
{
	if (!l->first)
		return -1;
	uint64_t now = loop_now();
	if (l->first->at <= now)
		return 0;
	uint64_t ms = (l->first->at - now + MS_NS - 1) / MS_NS;
	return ms > 1000000 ? 1000000 : (int)ms;
}

static void run_timers(struct loop *l)
{
	uint64_t now = loop_now();
	while (l->first && l->first->at <= now) {
		struct timer *t = l->first;
		loop_cancel(l, t);
		t->due(t);
	}
}

bool loop_turn(struct loop *l, bool poll, struct err *e)
{
	struct epoll_event ev;
	int n = epoll_wait(l->epoll_fd, &ev, 1, poll ? 0 : wait_ms(l));
	if (n < 0 && errno != EINTR)
		return err_fail(e, ERR_HOST, "epoll: %s", strerror(errno));
	if (n > 0) {
		struct watch *w = ev.data.ptr;
		w->ready(w, ev.events);
	}
	run_timers(l);
	return true;
}
