/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content-addressed store in $XDG_CACHE_HOME/donjon (mode 0700):
 *
 *	blobs/sha256/HEX	whole, verified when it was put there and
 *				again on every read
 *	partial/HEX		a download under way, locked while it is, or
 *				one that was interrupted and can go on
 *	web/HEX			what is known of a location of the web
 *				(repository/web_note.h)
 *
 * Two processes that want the same blob share one download: the second waits
 * for the first one's lock.  What is evicted while somebody reads it stays
 * readable for him.
 */
#ifndef REPOSITORY_CACHE_H
#define REPOSITORY_CACHE_H

#include "base/buf.h"
#include "base/err.h"

struct repository_follower;

struct repository_cache {
	int blobs_fd, partial_fd, web_fd; /* folders; -1: not open */
	uint64_t max_bytes;
	char path[1024];
};

/* path: NULL for the default place; the folders are made. */
MUST_USE bool repository_cache_open(struct repository_cache *c,
	const char *path, uint64_t max_bytes, struct err *e);
/* The tenant's own, with its usual limit: $DONJON_CACHE_MAX, in MiB. */
MUST_USE bool repository_cache_open_default(struct repository_cache *c,
	struct err *e);
void repository_cache_close(struct repository_cache *c);

/*
 * *fd: a descriptor of the verified blob, or -1 when it is not there (or was
 * damaged, and is now gone).  size: what it must have; UINT64_MAX: any.
 */
MUST_USE bool repository_cache_get(const struct repository_cache *c,
	const uint8_t digest[32], uint64_t size, int *fd, struct err *e);
/* Is there something of that name?  Nothing is read. */
bool repository_cache_has(const struct repository_cache *c,
	const uint8_t digest[32]);
/* The same into memory; *found. */
MUST_USE bool repository_cache_read(const struct repository_cache *c,
	const uint8_t digest[32], uint64_t max, struct buf *out, bool *found,
	struct err *e);
/* Puts bytes whose digest is known to be right. */
MUST_USE bool repository_cache_put(const struct repository_cache *c,
	const uint8_t digest[32], struct bytes in, struct err *e);

/* The same with a file that has no name yet, made on the cache's file system
 * (O_TMPFILE); the caller's to close. */
MUST_USE bool repository_cache_adopt(const struct repository_cache *c,
	const uint8_t digest[32], int fd, struct err *e);

/* Notes of a few hundred bytes, the latest 256; key: a SHA-256. */
MUST_USE bool repository_cache_note_get(const struct repository_cache *c,
	const uint8_t key[32], struct buf *out, bool *found, struct err *e);
MUST_USE bool repository_cache_note_put(const struct repository_cache *c,
	const uint8_t key[32], struct bytes note, struct err *e);

/* --- a download --------------------------------------------------------- */

struct repository_partial {
	const struct repository_cache *cache;
	char name[65];
	int fd;		/* -1: none */
	uint64_t bytes; /* there already */
	struct repository_follower *hash;
};

/* Is it time to give up?  May be NULL. */
typedef bool repository_cancelled(void *ctx);

/*
 * Locks the blob's partial file, waiting for who has it.  *have: it is there
 * meanwhile, and nothing is to be done.  A partial file longer than `size`
 * begins anew.
 */
MUST_USE bool repository_partial_open(const struct repository_cache *c,
	const uint8_t digest[32], uint64_t size,
	repository_cancelled *cancelled, void *ctx,
	struct repository_partial *p, bool *have, struct err *e);
MUST_USE bool repository_partial_add(struct repository_partial *p,
	struct bytes in, struct err *e);
MUST_USE bool repository_partial_restart(struct repository_partial *p,
	struct err *e);
/* Judges size and digest: a blob, or gone (ERR_DENIED). */
MUST_USE bool repository_partial_done(struct repository_partial *p,
	const uint8_t digest[32], uint64_t size, struct err *e);
/* What is incomplete stays for the next time; drop: does not. */
void repository_partial_close(struct repository_partial *p, bool drop);

/* What an interrupted download left, unless somebody goes on with it. */
void repository_partial_forget(const struct repository_cache *c,
	const uint8_t digest[32]);

/* --- housekeeping ------------------------------------------------------- */

struct repository_cache_info {
	uint64_t blobs, bytes, partials, partial_bytes, max_bytes;
	uint64_t removed, removed_bytes, damaged;
	char path[1024];
};

MUST_USE bool repository_cache_stat(const struct repository_cache *c,
	struct repository_cache_info *out, struct err *e);
/* Least recently used first, until max_bytes are left; partial downloads of
 * nobody too when `partials`. */
MUST_USE bool repository_cache_evict(const struct repository_cache *c,
	uint64_t max_bytes, bool partials, struct repository_cache_info *out,
	struct err *e);
/* Reads everything; removes what is damaged. */
MUST_USE bool repository_cache_check(const struct repository_cache *c,
	struct repository_cache_info *out, struct err *e);

#endif
