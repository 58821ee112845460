/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's standard input, output and error, between WASI and whoever
 * holds them.  Input waits in a window of fixed size, and the client is given
 * credit for what is free in it; small writes of output are gathered, and
 * when the sink takes no more the program is told "not now".  So a gigabyte
 * passes either way in constant memory.
 */
#ifndef KEEP_STREAMS_H
#define KEEP_STREAMS_H

#include "base/bytes.h"
#include "base/err.h"
#include "wasi/wasi.h"

#define KEEP_STDIN_WINDOW  0x40000u
#define KEEP_STDOUT_GATHER 0x4000u

/* Takes bytes of stream 1 or 2; returns how many, 0: not now. */
struct keep_sink {
	size_t (*take)(void *ctx, unsigned stream, struct bytes in);
	void *ctx;
};

struct keep_streams;

struct keep_stream {
	struct keep_streams *all;
	unsigned number;
	uint64_t bytes; /* read or written so far */
};

struct keep_streams {
	struct keep_sink sink;
	uint8_t *in; /* circular, KEEP_STDIN_WINDOW */
	size_t in_at, in_len;
	bool in_end;
	uint8_t *out; /* gathered bytes of one stream */
	size_t out_len;
	unsigned out_stream;
	struct keep_stream each[3];
};

MUST_USE bool keep_streams_init(struct keep_streams *s, struct keep_sink sink,
	struct err *e);
void keep_streams_fini(struct keep_streams *s); /* wipes */

/* Bytes from the client; false when the window has no room for them. */
MUST_USE bool keep_streams_feed(struct keep_streams *s, struct bytes in);
void keep_streams_feed_end(struct keep_streams *s);
/* Free bytes of the window; 0 after the end. */
size_t keep_streams_room(const struct keep_streams *s);

/* Hands gathered output to the sink; true when all of it went. */
bool keep_streams_flush(struct keep_streams *s);

/* Descriptor `number` (0, 1, 2) for WASI. */
struct wasi_stream keep_streams_wasi(struct keep_streams *s, unsigned number,
	bool tty);

#endif
