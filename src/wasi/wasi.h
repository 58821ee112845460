/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WASI preview 1 for one wasm instance: descriptors, rights, paths, clocks,
 * polling, over a table that the embedder supplies.  The program is hostile:
 * every pointer and length it gives is checked against its memory, every
 * path stays below its preopen.  Nothing here asks the operating system.
 *
 * Numbers are those of wasi_snapshot_preview1 (witx, 2020): wasi/errno.h.
 */
#ifndef WASI_WASI_H
#define WASI_WASI_H

#include "base/bytes.h"
#include "base/err.h"
#include "wasi/vfs.h"
#include "wasm/wasm.h"

struct wasi;

/* What a stream or a wait is interested in, and what it reports. */
enum wasi_ready {
	WASI_READY_READ = 1,  /* a read would give bytes or end of file */
	WASI_READY_WRITE = 2, /* a write would take bytes */
	WASI_READY_HANGUP = 4,
};

/*
 * A byte stream: standard input and output, later sockets.  Calls never
 * block.  The results of read and write: > 0 bytes moved, 0 end of file
 * (read only), or a negated WASI errno; -WASI_AGAIN: not now.
 */
struct wasi_stream;
struct wasi_stream_ops {
	int64_t (*read)(void *ctx, uint8_t *to, size_t n);
	int64_t (*write)(void *ctx, const uint8_t *from, size_t n);
	unsigned (*ready)(void *ctx); /* WASI_READY_* */
	/* How many bytes can be read now, for poll_oneoff; 0 if unknown. */
	uint64_t (*pending)(void *ctx);
	void (*close)(void *ctx); /* may be NULL */
	/*
	 * Sockets only, each may be NULL.  accept makes it a listener, which
	 * needs neither read nor write nor pending: 0 and a new stream (closed
	 * through its own ops), else a WASI errno, WASI_AGAIN: nobody is there
	 * now.  shutdown: which of READ, WRITE ends; 0 or a WASI errno.
	 * hold: so many bytes more are kept of it, until it is closed, for a
	 * program that peeked; false: there is no room.
	 */
	int (*accept)(void *ctx, struct wasi_stream *out);
	int (*shutdown)(void *ctx, unsigned which);
	bool (*hold)(void *ctx, size_t bytes);
	/* Of what wasi_net.connect gave: 0 when the connection is there, a
	 * WASI errno why there is none, WASI_AGAIN: not yet. */
	int (*connected)(void *ctx);
};

struct wasi_stream {
	const struct wasi_stream_ops *ops;
	void *ctx;
	bool tty;    /* reported as a character device without seek rights */
	bool socket; /* reported as a stream socket; sock_* work on it */
};

/* IPv4 mapped (RFC 4291 §2.5.5.2). */
struct wasi_address {
	uint8_t ip[16];
	uint16_t port;
};

/*
 * The network for programs that open sockets themselves (docs/wasi.md, "Run
 * time"): each gives 0 or a WASI errno, and none of them blocks.
 */
struct wasi_net {
	void *ctx;
	int (*listen)(void *ctx, const struct wasi_address *at,
		struct wasi_stream *out);
	int (*connect)(void *ctx, const struct wasi_address *to,
		struct wasi_stream *out);
	/* *n: room in, addresses out, ports 0.  WASI_AGAIN: after a wait. */
	int (*resolve)(void *ctx, struct bytes name, struct wasi_address *out,
		size_t *n);
};

enum wasi_clock {
	WASI_CLOCK_REALTIME,
	WASI_CLOCK_MONOTONIC,
	WASI_CLOCK_PROCESS_CPUTIME,
	WASI_CLOCK_THREAD_CPUTIME,
};

/* What the embedder supplies.  ctx is handed to each. */
struct wasi_host {
	void *ctx;
	/* Nanoseconds; monotonic clocks never go back. */
	uint64_t (*now)(void *ctx, enum wasi_clock clock);
	/* Fills with random bytes; false is a fatal host failure. */
	bool (*random)(void *ctx, uint8_t *to, size_t n);
	/*
	 * Sleeps until a stream may have become ready or the monotonic clock
	 * reaches `deadline` (ns; UINT64_MAX: no deadline).  May return early,
	 * but not forever at once: "became ready" since the stream last said
	 * no, not "is ready".  A deadline that is past gives others a turn.
	 * False: the program is to stop now.
	 */
	bool (*wait)(void *ctx, uint64_t deadline);
};

/* One entry of the descriptor table at start, in order from 0. */
struct wasi_fd_config {
	enum { WASI_FD_STREAM, WASI_FD_PREOPEN, WASI_FD_NULL } kind;
	struct wasi_stream stream; /* WASI_FD_STREAM */
	unsigned ready;		   /* which of READ, WRITE it is for */
	bool nonblock;		   /* WASI_FD_STREAM: starts as such */
	struct vfs_node *dir;	   /* WASI_FD_PREOPEN: its root, borrowed */
	const char *name;	   /* WASI_FD_PREOPEN: guest path, "/data" */
	bool read_only;
};

struct wasi_config {
	const struct wasi_host *host;
	struct vfs *vfs;	 /* may be NULL when there is no preopen */
	const char *const *args; /* args[0] is the program's name */
	size_t arg_count;
	const char *const *env; /* "KEY=value" */
	size_t env_count;
	const struct wasi_fd_config *fds;
	size_t fd_count;
	uint32_t max_fds;	    /* 0: 1024 */
	const struct wasi_net *net; /* borrowed; NULL: ACCES */
};

/* Copies args, env and the descriptor table; host and vfs are borrowed. */
MUST_USE bool wasi_new(const struct wasi_config *cfg, struct wasi **out,
	struct err *e);
void wasi_free(struct wasi *w);

/*
 * The imports to link a module with, all bound to `w`: every function of
 * wasi_snapshot_preview1 and of its older name wasi_unstable, then those of
 * run-time sockets, some of which have one name and differ by type: see
 * wasi_import; then wasi.thread-spawn.  Owned by w.
 */
const struct wasm_import *wasi_imports(const struct wasi *w, size_t *count);

/* The host's clock and wait, for a program with threads. */
struct wasm_clock wasi_clock(const struct wasi *w);

/* The one of a type (spelled as in struct wasm_import); without it the first
 * of its name, for the engine to refuse; NULL: there is none. */
const struct wasm_import *wasi_import(const struct wasi *w, struct bytes module,
	struct bytes name, const char *sig);

#endif
