/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/streams.h"

#include <stdlib.h>

#include "wasi/errno.h"

bool keep_streams_init(struct keep_streams *s, struct keep_sink sink,
	struct err *e)
{
	*s = (struct keep_streams){
		.sink = sink,
		.in = malloc(KEEP_STDIN_WINDOW),
		.out = malloc(KEEP_STDOUT_GATHER),
		.out_stream = 1,
	};
	for (unsigned i = 0; i < 3; i++)
		s->each[i] = (struct keep_stream){ .all = s, .number = i };
	if (!s->in || !s->out) {
		keep_streams_fini(s);
		return err_fail(e, ERR_LIMIT, "streams: no memory");
	}
	return true;
}

void keep_streams_fini(struct keep_streams *s)
{
	/* Only what was touched: the window is mostly untouched memory. */
	if (s->in)
		explicit_bzero(s->in,
			s->each[0].bytes + s->in_len < KEEP_STDIN_WINDOW ?
				(size_t)s->each[0].bytes + s->in_len :
				KEEP_STDIN_WINDOW);
	if (s->out)
		explicit_bzero(s->out, KEEP_STDOUT_GATHER);
	free(s->in);
	free(s->out);
	*s = (struct keep_streams){ .in = NULL };
}

/* --- input -------------------------------------------------------------- */

bool keep_streams_feed(struct keep_streams *s, struct bytes in)
{
	if (in.len > keep_streams_room(s))
		return false;
	size_t at = (s->in_at + s->in_len) % KEEP_STDIN_WINDOW;
	size_t head = size_min(in.len, KEEP_STDIN_WINDOW - at);
	if (!in.len)
		return true;
	memcpy(s->in + at, in.ptr, head);
	memcpy(s->in, in.ptr + head, in.len - head);
	s->in_len += in.len;
	return true;
}

void keep_streams_feed_end(struct keep_streams *s)
{
	s->in_end = true;
}

size_t keep_streams_room(const struct keep_streams *s)
{
	return s->in_end ? 0 : KEEP_STDIN_WINDOW - s->in_len;
}

static int64_t stream_read(void *ctx, uint8_t *to, size_t n)
{
	struct keep_stream *stream = ctx;
	struct keep_streams *s = stream->all;
	if (!s->in_len)
		return s->in_end || !n ? 0 : -WASI_AGAIN;
	n = size_min(size_min(n, s->in_len), KEEP_STDIN_WINDOW - s->in_at);
	memcpy(to, s->in + s->in_at, n);
	s->in_at = (s->in_at + n) % KEEP_STDIN_WINDOW;
	s->in_len -= n;
	stream->bytes += n;
	return (int64_t)n;
}

static uint64_t stream_pending(void *ctx)
{
	struct keep_stream *stream = ctx;
	return stream->number == 0 ? stream->all->in_len : 0;
}

/* --- output ------------------------------------------------------------- */

bool keep_streams_flush(struct keep_streams *s)
{
	size_t at = 0;
	while (at < s->out_len) {
		size_t n = s->sink.take(s->sink.ctx, s->out_stream,
			bytes_of(s->out + at, s->out_len - at));
		if (!n)
			break;
		at += n;
	}
	if (at && at < s->out_len)
		memmove(s->out, s->out + at, s->out_len - at);
	s->out_len -= at;
	return s->out_len == 0;
}

/* Whether bytes of that stream can be gathered now. */
static bool gather_ready(struct keep_streams *s, unsigned stream)
{
	if (s->out_len && s->out_stream != stream)
		keep_streams_flush(s);
	else if (s->out_len == KEEP_STDOUT_GATHER)
		keep_streams_flush(s);
	return !s->out_len ||
		(s->out_stream == stream && s->out_len < KEEP_STDOUT_GATHER);
}

static size_t gather(struct keep_streams *s, unsigned stream, struct bytes in)
{
	size_t n = size_min(in.len, KEEP_STDOUT_GATHER - s->out_len);
	memcpy(s->out + s->out_len, in.ptr, n);
	s->out_len += n;
	s->out_stream = stream;
	return n;
}

static int64_t stream_write(void *ctx, const uint8_t *from, size_t n)
{
	struct keep_stream *stream = ctx;
	struct keep_streams *s = stream->all;
	if (!n)
		return 0;
	if (!gather_ready(s, stream->number))
		return -WASI_AGAIN;
	if (n > KEEP_STDOUT_GATHER - s->out_len && keep_streams_flush(s) &&
		n >= KEEP_STDOUT_GATHER) {
		/* Big ones go straight from the program's memory. */
		n = s->sink.take(s->sink.ctx, stream->number,
			bytes_of(from, n));
		if (!n)
			return -WASI_AGAIN;
	} else {
		n = gather(s, stream->number, bytes_of(from, n));
	}
	stream->bytes += n;
	return (int64_t)n;
}

static unsigned stream_ready(void *ctx)
{
	struct keep_stream *stream = ctx;
	struct keep_streams *s = stream->all;
	if (stream->number)
		return gather_ready(s, stream->number) ? WASI_READY_WRITE : 0;
	return s->in_len || s->in_end ? WASI_READY_READ : 0;
}

struct wasi_stream keep_streams_wasi(struct keep_streams *s, unsigned number,
	bool tty)
{
	static const struct wasi_stream_ops input = {
		.read = stream_read,
		.ready = stream_ready,
		.pending = stream_pending,
	};
	static const struct wasi_stream_ops output = {
		.write = stream_write,
		.ready = stream_ready,
		.pending = stream_pending,
	};
	return (struct wasi_stream){
		.ops = number ? &output : &input,
		.ctx = &s->each[number],
		.tty = tty,
	};
}
