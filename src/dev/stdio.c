/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "dev/dev.h"
#include "wasi/errno.h"

static const uint64_t second = 1000000000;

static uint64_t clock_of(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * second + (uint64_t)t.tv_nsec;
}

uint64_t dev_now(void *ctx)
{
	(void)ctx;
	return clock_of(CLOCK_REALTIME);
}

static uint64_t host_now(void *ctx, enum wasi_clock clock)
{
	static const clockid_t ids[] = {
		[WASI_CLOCK_REALTIME] = CLOCK_REALTIME,
		[WASI_CLOCK_MONOTONIC] = CLOCK_MONOTONIC,
		[WASI_CLOCK_PROCESS_CPUTIME] = CLOCK_PROCESS_CPUTIME_ID,
		[WASI_CLOCK_THREAD_CPUTIME] = CLOCK_THREAD_CPUTIME_ID,
	};
	(void)ctx;
	return clock_of(ids[clock]);
}

static bool host_random(void *ctx, uint8_t *to, size_t n)
{
	(void)ctx;
	while (n) {
		ssize_t got = getrandom(to, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		to += got;
		n -= (size_t)got;
	}
	return true;
}

/* Whether poll(2) would say so now. */
static bool is_ready(struct dev_stream *s)
{
	struct pollfd p = { s->fd, s->fd ? POLLOUT : POLLIN, 0 };
	bool yes = poll(&p, 1, 0) > 0;
	s->wanted = !yes;
	return yes;
}

static int64_t failed(void)
{
	switch (errno) {
	case EAGAIN:
	case EINTR:
		return -WASI_AGAIN;
	case EPIPE:
		return -WASI_PIPE;
	case EBADF:
		return -WASI_BADF;
	case EISDIR:
		return -WASI_ISDIR;
	case ENOSPC:
		return -WASI_NOSPC;
	default:
		return -WASI_IO;
	}
}

static int64_t stream_read(void *ctx, uint8_t *to, size_t n)
{
	struct dev_stream *s = ctx;
	if (!is_ready(s))
		return -WASI_AGAIN;
	ssize_t got = read(s->fd, to, n);
	return got < 0 ? failed() : got;
}

static int64_t stream_write(void *ctx, const uint8_t *from, size_t n)
{
	struct dev_stream *s = ctx;
	if (!is_ready(s))
		return -WASI_AGAIN;
	ssize_t put = write(s->fd, from, n);
	return put < 0 ? failed() : put;
}

static unsigned stream_ready(void *ctx)
{
	struct dev_stream *s = ctx;
	if (!is_ready(s))
		return 0;
	return s->fd ? WASI_READY_WRITE : WASI_READY_READ;
}

static const struct wasi_stream_ops stream_ops = { .read = stream_read,
	.write = stream_write,
	.ready = stream_ready };

static bool host_wait(void *ctx, uint64_t deadline)
{
	struct dev_host *h = ctx;
	struct pollfd p[3];
	nfds_t n = 0;
	for (int i = 0; i < 3; i++) {
		if (h->streams[i].wanted)
			p[n++] = (struct pollfd){ i, i ? POLLOUT : POLLIN, 0 };
		h->streams[i].wanted = false;
	}
	if (deadline == UINT64_MAX && n == 0)
		return false; /* nothing will ever happen */
	uint64_t now = clock_of(CLOCK_MONOTONIC);
	uint64_t left = deadline > now ? deadline - now : 0;
	struct timespec t = { (time_t)(left / second), (long)(left % second) };
	if (left / second > INT32_MAX)
		t.tv_sec = INT32_MAX;
	int r = ppoll(p, n, deadline == UINT64_MAX ? NULL : &t, NULL);
	return r >= 0 || errno == EINTR;
}

void dev_host_init(struct dev_host *h)
{
	*h = (struct dev_host){ .host = { .ctx = h,
					.now = host_now,
					.random = host_random,
					.wait = host_wait } };
	for (int i = 0; i < 3; i++)
		h->streams[i].fd = i;
}

void dev_host_stdio(struct dev_host *h, struct wasi_fd_config fds[3])
{
	for (int i = 0; i < 3; i++)
		fds[i] = (struct wasi_fd_config){ .kind = WASI_FD_STREAM,
			.stream = { .ops = &stream_ops,
				.ctx = &h->streams[i],
				.tty = isatty(i) == 1 },
			.ready = i ? WASI_READY_WRITE : WASI_READY_READ };
}
