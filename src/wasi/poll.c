/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poll_oneoff: clocks, streams and files.  Subscriptions are copied out
 * first, because the events may lie over them.
 */
#include <stdlib.h>

#include "base/cleanup.h"
#include "wasi/wasi_priv.h"

enum { MAX_SUBSCRIPTIONS = 1 << 16 };

struct sub {
	uint64_t userdata;
	uint64_t deadline; /* of a clock: monotonic ns */
	uint32_t fd;
	uint8_t type; /* EVENT_* */
	uint8_t error;
};

struct event {
	uint64_t nbytes;
	uint16_t error, flags;
};

static uint64_t add_saturating(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t now_of(struct wasi_call *k, enum wasi_clock clock)
{
	return k->w->host->now(k->w->host->ctx, clock);
}

/* When the call began, by the monotonic clock, and what it says now: later
 * when others went on meanwhile. */
struct times {
	uint64_t began, now;
};

/* When a clock subscription is due, by the monotonic clock. */
static int clock_deadline(struct wasi_call *k, const uint8_t *clock,
	const struct times *t, uint64_t *deadline)
{
	uint32_t id = (uint32_t)get_le(clock, 4);
	uint64_t timeout = get_le(clock + 8, 8);
	uint64_t flags = get_le(clock + 24, 2), from = t->began;
	if (flags & ~(uint64_t)CLOCK_ABSTIME || id > WASI_CLOCK_THREAD_CPUTIME)
		return WASI_INVAL;
	/* The program's own time stands still while it waits. */
	if (id > WASI_CLOCK_MONOTONIC)
		return WASI_NOTSUP;
	if (flags & CLOCK_ABSTIME) {
		uint64_t now = id == WASI_CLOCK_REALTIME ?
			now_of(k, WASI_CLOCK_REALTIME) :
			t->now;
		from = t->now;
		timeout = timeout > now ? timeout - now : 0;
	}
	*deadline = add_saturating(from, timeout);
	return WASI_OK;
}

static int sub_parse(struct wasi_call *k, const uint8_t *in,
	const struct times *t, struct sub *s)
{
	s->userdata = get_le(in, 8);
	s->type = in[8];
	s->deadline = UINT64_MAX;
	if (s->type > EVENT_FD_WRITE)
		return WASI_INVAL;
	if (s->type == EVENT_CLOCK) {
		/* wasi_unstable has an identifier before the clock's. */
		int r = clock_deadline(k, in + (k->old ? 24 : 16), t,
			&s->deadline);
		s->error = (uint8_t)r;
	} else {
		s->fd = (uint32_t)get_le(in + 16, 4);
	}
	return WASI_OK;
}

static bool fd_ready(struct wasi_call *k, const struct sub *s, struct event *ev)
{
	bool reading = s->type == EVENT_FD_READ;
	struct wasi_fd *f;
	struct vfs_stat st = { 0 };
	int r = wasi_fd_get(k, s->fd, 0, &f);
	if (!r)
		r = wasi_fd_rights(f,
			RIGHT_POLL_FD_READWRITE |
				(reading ? RIGHT_FD_READ : RIGHT_FD_WRITE));
	if (r) {
		ev->error = (uint16_t)r;
		return true;
	}
	if (f->kind == WASI_FILE && reading) {
		k->w->vfs->ops->stat(k->w->vfs, f->node, &st);
		ev->nbytes = st.size > f->pos ? st.size - f->pos : 0;
	}
	if (f->kind != WASI_STREAM)
		return true;
	unsigned ready = wasi_stream_ready(f);
	if (ready & WASI_READY_HANGUP)
		ev->flags = EVENT_HANGUP;
	if (reading && f->stream.ops->pending)
		ev->nbytes = f->stream.ops->pending(f->stream.ctx);
	if (reading)
		ev->nbytes += f->peeked.len;
	return ready & WASI_READY_HANGUP ||
		ready & (reading ? WASI_READY_READ : WASI_READY_WRITE);
}

/* Writes the events that are due; *next: the earliest deadline to come;
 * *clocks: they are clocks only. */
static uint32_t collect(struct wasi_call *k, const struct sub *subs, uint32_t n,
	uint8_t *out, uint64_t *next, bool *clocks)
{
	uint32_t count = 0;
	uint64_t mono = now_of(k, WASI_CLOCK_MONOTONIC);
	*next = UINT64_MAX;
	*clocks = true;
	for (uint32_t i = 0; i < n; i++) {
		const struct sub *s = &subs[i];
		struct event ev = { .error = s->error };
		bool due = s->error != 0;
		if (!due && s->type == EVENT_CLOCK) {
			/* The end of time never comes. */
			due = s->deadline != UINT64_MAX && s->deadline <= mono;
			if (!due && s->deadline < *next)
				*next = s->deadline;
		} else if (!due) {
			due = fd_ready(k, s, &ev);
		}
		if (!due)
			continue;
		*clocks &= s->type == EVENT_CLOCK;
		uint8_t *e = out + (size_t)count++ * EVENT_BYTES;
		memset(e, 0, EVENT_BYTES);
		put_le(e, s->userdata, 8);
		put_le(e + 8, ev.error, 2);
		put_le(e + 10, s->type, 1);
		put_le(e + 16, ev.nbytes, 8);
		put_le(e + 24, ev.flags, 2);
	}
	return count;
}

static bool any_fd(const struct sub *subs, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (subs[i].type != EVENT_CLOCK)
			return true;
	return false;
}

int wasi_poll_oneoff(struct wasi_call *k)
{
	uint32_t n = arg32(k, 2);
	size_t each = k->old ? SUBSCRIPTION_OLD_BYTES : SUBSCRIPTION_BYTES;
	if (n == 0 || n > MAX_SUBSCRIPTIONS)
		return WASI_INVAL;
	const uint8_t *in = wasi_view(k, arg32(k, 0), n * each);
	uint8_t *out = wasi_view(k, arg32(k, 1), (uint64_t)n * EVENT_BYTES);
	uint8_t *count_out = wasi_view(k, arg32(k, 3), 4);
	if (!in || !out || !count_out)
		return WASI_FAULT;
	auto_free struct sub *subs = calloc(n, sizeof *subs);
	if (!subs)
		return WASI_NOMEM;
	struct wasm_kept *kept = wasm_caller_kept(k->caller);
	struct times t = { .now = now_of(k, WASI_CLOCK_MONOTONIC) };
	if (!kept->since)
		kept->since = t.now + 1;
	t.began = kept->since - 1;
	for (uint32_t i = 0; i < n; i++) {
		int r = sub_parse(k, in + i * each, &t, &subs[i]);
		if (r)
			return r;
	}
	/* Who looks without waiting sees what there is, not what there was:
	 * streams learn of it while the host waits, if for no time. */
	for (bool looked = kept->done || !any_fd(subs, n);; looked = true) {
		uint64_t next;
		bool clocks;
		uint32_t count = collect(k, subs, n, out, &next, &clocks);
		if (count && (looked || !clocks)) {
			put_le(count_out, count, 4);
			return WASI_OK;
		}
		kept->done = 1;
		int r = wasi_wait(k, count ? 0 : next);
		if (r)
			return r;
	}
}
