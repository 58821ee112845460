/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that is not there: its memory, and calls of WASI's functions by
 * name.  Stands in for the engine (wasm_caller_*) and for the embedder: a
 * clock that only moves while somebody waits, streams that are buffers.
 * Used by the unit tests and by fuzz/wasi.c.
 */
#ifndef TESTS_GUEST_H
#define TESTS_GUEST_H

#include "base/buf.h"
#include "memfs/memfs.h"
#include "wasi/errno.h"
#include "wasi/layout.h"
#include "wasi/wasi.h"

enum {
	GUEST_STDIN = 0,
	GUEST_STDOUT = 1,
	GUEST_NULL = 2,
	GUEST_DIR = 3, /* "/", writable */
	GUEST_RO = 4,  /* "/ro", read-only: file "f", directory "d" */
	GUEST_LISTENER = 5,
	GUEST_SOCKET = 6,
	GUEST_FREE = 7, /* the first number free */

	GUEST_MEMORY = 0x10000,
	GUEST_OUT = 0x100, /* where results go */
};

struct pipe {
	struct buf in;	/* what a read gives */
	struct buf out; /* what was written */
	size_t room;	/* what a write still takes */
	size_t held;	/* kept of it by those who peeked; */
	size_t can_hold;
	bool eof;  /* the end comes after `in` */
	int error; /* errno of the next read or write */
	unsigned closed, ended, reads;
};

struct wasm_caller {
	uint8_t *memory;
	size_t size;
	enum wasm_end end;
	uint32_t code;
	/* Are there other threads?  Then how often a call paused, and until
	 * when. */
	bool shares;
	unsigned pauses;
	uint64_t until;
	struct wasm_kept kept;
	const char *spawned; /* the latest thread's entry; its number is what it
				gets */
	enum wasm_spawn spawn;
	char text[64];
};

struct guest {
	struct wasm_caller caller;
	struct wasi *w;
	struct memfs *fs;
	struct vfs_node *root, *ro;
	uint64_t mono, real;
	unsigned waits, random;
	uint64_t last_deadline;
	/* What happens during the next wait; false: stop. */
	bool (*on_wait)(struct guest *g);
	struct pipe in, out, sock, accepted;
	int accept_result;
	/* Its network: names "four", "both" and "late" (after a wait). */
	struct pipe dialled;
	int connect_result, connected_result, listen_result;
	struct wasi_address asked; /* by the latest listen or connect */
	unsigned look_ups;
	uint32_t text_at;
};

struct guest *guest_new(void);
struct guest *guest_new_with(const struct memfs_config *fs);
void guest_free(struct guest *g);

/* Calls by name; aborts when there is no such function or the number of
 * arguments is wrong.  -1: the program ended (see caller.end) or paused. */
int guest_call(struct guest *g, const char *module, const char *name,
	const uint64_t *args, size_t n);
#define CALL(g, name, ...)                               \
	guest_call((g), "wasi_snapshot_preview1", #name, \
		(const uint64_t[]){ __VA_ARGS__ },       \
		sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))
#define CALL_OLD(g, name, ...)                     \
	guest_call((g), "wasi_unstable", #name,    \
		(const uint64_t[]){ __VA_ARGS__ }, \
		sizeof((const uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t))

/* Puts a text into memory; P() is a path's two arguments. */
uint32_t guest_text(struct guest *g, const char *s);
#define P(g, s) guest_text((g), (s)), strlen(s)
void guest_put(struct guest *g, uint32_t at, const void *from, size_t n);
void guest_set(struct guest *g, uint32_t at, uint64_t v, size_t n);
uint64_t guest_get(struct guest *g, uint32_t at, size_t n);
/* An iovec list of one at GUEST_OUT + 0x40. */
uint32_t guest_iov(struct guest *g, uint32_t buf, uint32_t len);

/* Shorthands over CALL with all rights; result an errno. */
int guest_open(struct guest *g, uint32_t dir, const char *path, unsigned oflags,
	uint32_t *fd);
int guest_open_as(struct guest *g, uint32_t dir, const char *path,
	unsigned oflags, uint64_t base, unsigned fdflags, uint32_t *fd);
int guest_write(struct guest *g, uint32_t fd, const char *text);
/* Reads at most n bytes to 0x4000; the count or -errno. */
int guest_read(struct guest *g, uint32_t fd, uint32_t n);
int guest_stat(struct guest *g, uint32_t dir, const char *path, bool follow);
/* Makes a file with a text in it; 0 or an errno. */
int guest_file(struct guest *g, const char *path, const char *text);

#define GUEST_READ_AT 0x4000u
#define ST_INO	      guest_get(g, GUEST_OUT + 8, 8)
#define ST_TYPE	      guest_get(g, GUEST_OUT + 16, 1)
#define ST_NLINK      guest_get(g, GUEST_OUT + 24, 8)
#define ST_SIZE	      guest_get(g, GUEST_OUT + 32, 8)
#define ST_MTIM	      guest_get(g, GUEST_OUT + 48, 8)

#endif
