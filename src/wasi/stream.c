/* SPDX-License-Identifier: Apache-2.0 */
#include "wasi/wasi_priv.h"

int wasi_wait(struct wasi_call *k, uint64_t deadline)
{
	if (wasm_caller_shares(k->caller)) {
		k->ended = true;
		(void)wasm_caller_pause(k->caller, deadline);
		return WASI_CANCELED;
	}
	if (k->w->host->wait(k->w->host->ctx, deadline))
		return WASI_OK;
	k->ended = true;
	(void)wasm_caller_stop(k->caller);
	return WASI_CANCELED;
}

int wasi_wait_within(struct wasi_call *k, uint64_t limit_ns)
{
	uint64_t *late = &wasm_caller_kept(k->caller)->since;
	const struct wasi_host *h = k->w->host;
	if (!limit_ns)
		return wasi_wait(k, UINT64_MAX);
	uint64_t now = h->now(h->ctx, WASI_CLOCK_MONOTONIC);
	if (!*late)
		*late = now > UINT64_MAX - limit_ns ? UINT64_MAX :
						      now + limit_ns;
	return now < *late ? wasi_wait(k, *late) : WASI_AGAIN;
}

int wasi_stream_read(struct wasi_call *k, struct wasi_fd *f, uint8_t *to,
	size_t *n)
{
	if (f->peeked.len) {
		*n = size_min(*n, f->peeked.len);
		memcpy(to, f->peeked.ptr, *n);
		buf_consume(&f->peeked, *n);
		return WASI_OK;
	}
	for (;;) {
		int64_t got = f->stream.ops->read(f->stream.ctx, to, *n);
		if (got >= 0) {
			wasm_caller_kept(k->caller)->since = 0;
			*n = (size_t)got;
			return WASI_OK;
		}
		if (got != -WASI_AGAIN || f->flags & FDFLAG_NONBLOCK)
			return (int)-got;
		int r = wasi_wait_within(k, f->recv_ns);
		if (r)
			return r;
	}
}

int wasi_stream_write(struct wasi_call *k, struct wasi_fd *f,
	const uint8_t *from, size_t *n)
{
	for (;;) {
		int64_t put = f->stream.ops->write(f->stream.ctx, from, *n);
		if (put > 0) {
			wasm_caller_kept(k->caller)->since = 0;
			*n = (size_t)put;
			return WASI_OK;
		}
		/* 0 is not in the contract: taken as "not now". */
		if ((put && put != -WASI_AGAIN) || f->flags & FDFLAG_NONBLOCK)
			return put ? (int)-put : WASI_AGAIN;
		int r = wasi_wait_within(k, f->send_ns);
		if (r)
			return r;
	}
}

/* What was moved before a pause is not moved again. */
static bool moved(struct wasi_call *k, size_t done, size_t left, size_t *n)
{
	uint64_t before = wasm_caller_kept(k->caller)->done;
	if (done >= before)
		return false;
	*n = before - done < left ? (size_t)(before - done) : left;
	return true;
}

int wasi_stream_readv(struct wasi_call *k, struct wasi_fd *f,
	struct wasi_iovs *v, bool all, size_t *done)
{
	uint8_t *to;
	size_t len;
	*done = 0;
	while (wasi_iovs_next(v, &to, &len)) {
		for (size_t at = 0, n; at < len; at += n, *done += n) {
			if (moved(k, *done, len - at, &n))
				continue;
			/* Waits for the first byte, then takes what is there.
			 */
			if (*done && !all &&
				!(wasi_stream_ready(f) & WASI_READY_READ))
				return WASI_OK;
			n = len - at;
			int r = wasi_stream_read(k, f, to + at, &n);
			if (r) {
				wasm_caller_kept(k->caller)->done = *done;
				return *done && !k->ended ? WASI_OK : r;
			}
			if (n == 0)
				return WASI_OK;
		}
	}
	return WASI_OK;
}

int wasi_stream_writev(struct wasi_call *k, struct wasi_fd *f,
	struct wasi_iovs *v, size_t *done)
{
	uint8_t *from;
	size_t len;
	*done = 0;
	while (wasi_iovs_next(v, &from, &len)) {
		for (size_t at = 0, n; at < len; at += n, *done += n) {
			if (moved(k, *done, len - at, &n))
				continue;
			n = len - at;
			int r = wasi_stream_write(k, f, from + at, &n);
			if (r) {
				wasm_caller_kept(k->caller)->done = *done;
				return *done && !k->ended ? WASI_OK : r;
			}
		}
	}
	return WASI_OK;
}

unsigned wasi_stream_ready(const struct wasi_fd *f)
{
	unsigned ready = f->stream.ops->ready(f->stream.ctx);
	return f->peeked.len ? ready | WASI_READY_READ : ready;
}
