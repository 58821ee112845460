/* SPDX-License-Identifier: Apache-2.0 */
#include "host/relay.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/must.h"

enum {
	ROUNDS = 32, /* of one call: others want to be heard, too */
	LINGER_SECONDS = 3,
	STALL_SECONDS = 30,
};

/* --- a plain socket --------------------------------------------------------
 */

static ssize_t plain_result(ssize_t n)
{
	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? RELAY_AGAIN : RELAY_FAILED;
}

static ssize_t plain_read(int fd, void *to, size_t room)
{
	return plain_result(recv(fd, to, room, 0));
}

static ssize_t plain_write(int fd, const void *from, size_t len)
{
	return plain_result(send(fd, from, len, MSG_NOSIGNAL));
}

static ssize_t far_read(struct relay *r, void *to, size_t room)
{
	return r->ops ? r->ops->read(r, to, room) :
			plain_read(r->far_fd, to, room);
}

static ssize_t far_write(struct relay *r, const void *from, size_t len)
{
	return r->ops ? r->ops->write(r, from, len) :
			plain_write(r->far_fd, from, len);
}

/* --- one direction ---------------------------------------------------------
 */

static ssize_t way_read(struct relay *r, struct relay_way *w)
{
	return w == &r->in ? far_read(r, w->bytes, sizeof w->bytes) :
			     plain_read(r->near_fd, w->bytes, sizeof w->bytes);
}

static ssize_t way_write(struct relay *r, struct relay_way *w)
{
	return w == &r->in ? plain_write(r->near_fd, w->bytes + w->at, w->len) :
			     far_write(r, w->bytes + w->at, w->len);
}

static void way_shut(struct relay *r, struct relay_way *w)
{
	w->shut = true;
	if (w == &r->in)
		shutdown(r->near_fd, SHUT_WR);
	else if (r->ops)
		r->ops->shut(r);
	else
		shutdown(r->far_fd, SHUT_WR);
}

/* Nothing can go this way any more; what still comes is dropped. */
static void way_break(struct relay_way *w)
{
	w->len = 0;
	w->shut = true;
}

static bool way_fill(struct relay *r, struct relay_way *w)
{
	ssize_t n = way_read(r, w);
	if (n == RELAY_AGAIN)
		return false;
	w->ended = n == RELAY_FAILED || n == RELAY_END;
	w->at = 0;
	w->len = w->ended || w->shut ? 0 : (size_t)n;
	return true;
}

static bool way_drain(struct relay *r, struct relay_way *w)
{
	ssize_t n = way_write(r, w);
	if (n == RELAY_FAILED)
		way_break(w);
	if (n <= 0)
		return n == RELAY_FAILED;
	w->at += (size_t)n;
	w->len -= (size_t)n;
	r->moved |= w == &r->out;
	return true;
}

/* True when something changed. */
static bool way_step(struct relay *r, struct relay_way *w)
{
	if (w->len)
		return way_drain(r, w);
	if (!w->ended)
		return way_fill(r, w);
	if (w->shut)
		return false;
	way_shut(r, w);
	return true;
}

/* --- both ------------------------------------------------------------------
 */

static void close_both(struct relay *r)
{
	loop_cancel(r->loop, &r->linger);
	loop_unwatch(r->loop, &r->far);
	loop_unwatch(r->loop, &r->near);
	cleanup_fd(&r->far_fd);
	cleanup_fd(&r->near_fd);
	r->far_fd = r->near_fd = -1;
}

static void finish(struct relay *r)
{
	close_both(r);
	r->done(r);
}

/* Nobody is left who would write to `near`, or read from it. */
static bool near_gone(const struct relay *r)
{
	struct pollfd p = { .fd = r->near_fd };
	return poll(&p, 1, 0) == 1 && p.revents & (POLLHUP | POLLERR);
}

static void expect_progress(struct relay *r)
{
	r->moved = false;
	loop_set(r->loop, &r->linger, loop_now() + STALL_SECONDS * SECOND_NS);
}

/* Either the far side was heard out, or it takes nothing.  With our own side
 * alive that is its right; what was left behind does not wait for ever. */
static void linger_due(struct timer *t)
{
	struct relay *r = container_of(t, struct relay, linger);
	if (r->told || (!r->moved && r->out.len && near_gone(r)))
		finish(r);
	else if (r->out.len)
		expect_progress(r);
}

/* The kernel reports a hang-up even to who wants nothing: then look away. */
static bool want(struct relay *r, struct watch *w, int fd, uint32_t events)
{
	if (!events)
		loop_unwatch(r->loop, w);
	else if (w->fd >= 0)
		loop_rewatch(r->loop, w, events);
	else
		return loop_watch(r->loop, w, fd, events, NULL);
	return true;
}

static uint32_t wants(const struct relay_way *from, const struct relay_way *to,
	bool more)
{
	uint32_t events = 0;
	if (!from->ended && !from->len)
		events |= EPOLLIN;
	if (!to->shut && (to->len || more))
		events |= EPOLLOUT;
	return events;
}

static bool rewatch(struct relay *r, bool more)
{
	return want(r, &r->far, r->far_fd, wants(&r->in, &r->out, false)) &&
		want(r, &r->near, r->near_fd, wants(&r->out, &r->in, more));
}

/*
 * Once the far side was told that no more comes it is heard out, for a while:
 * closing with input unread would reset the connection under our last bytes.
 */
static void pump(struct relay *r)
{
	bool more = true;
	for (int i = 0; more && i < ROUNDS; i++) {
		more = way_step(r, &r->in);
		more |= way_step(r, &r->out);
	}
	if (r->in.ended && r->in.shut && r->out.ended && r->out.shut) {
		finish(r);
		return;
	}
	if (r->out.shut && !r->told) {
		r->told = true;
		loop_set(r->loop, &r->linger,
			loop_now() + LINGER_SECONDS * SECOND_NS);
	} else if (r->out.len && !r->linger.set)
		expect_progress(r);
	if (!rewatch(r, more))
		finish(r);
}

static void far_ready(struct watch *w, uint32_t events)
{
	struct relay *r = container_of(w, struct relay, far);
	if (events & EPOLLERR)
		way_break(&r->out);
	pump(r);
}

static void near_ready(struct watch *w, uint32_t events)
{
	struct relay *r = container_of(w, struct relay, near);
	if (events & (EPOLLERR | EPOLLHUP))
		way_break(&r->in);
	pump(r);
}

bool relay_start(struct relay *r, struct loop *loop, int far, int near,
	struct bytes early, struct err *e)
{
	must(early.len <= RELAY_BYTES && r->done);
	r->loop = loop;
	r->far_fd = far;
	r->near_fd = near;
	r->far = (struct watch){ .fd = -1, .ready = far_ready };
	r->near = (struct watch){ .fd = -1, .ready = near_ready };
	r->linger = (struct timer){ .due = linger_due };
	if (early.len)
		memcpy(r->in.bytes, early.ptr, early.len);
	r->in.len = early.len;
	if (rewatch(r, true))
		return true;
	close_both(r);
	return err_fail(e, ERR_HOST, "epoll: %s", strerror(errno));
}

void relay_stop(struct relay *r)
{
	if (r->loop)
		close_both(r);
}
