/* SPDX-License-Identifier: Apache-2.0 */
/* What cache.c and cache_keep.c share. */
#ifndef REPOSITORY_CACHE_PRIV_H
#define REPOSITORY_CACHE_PRIV_H

#include "repository/cache.h"

struct crypto_hash;

/* Feeds `size` bytes of a file to a hash and, unless it is NULL, to `out`. */
MUST_USE bool repository_cache_hash(int fd, uint64_t size,
	struct crypto_hash *h, struct buf *out, struct err *e);
/* *good: the file has that digest. */
MUST_USE bool repository_cache_verify(int fd, uint64_t size,
	const uint8_t digest[32], struct buf *out, bool *good, struct err *e);

/* Is that open file still the one of that name?  Asked once its lock is had:
 * who had it may have finished and moved it away. */
bool repository_cache_is_named(int folder, const char *name, int fd);

/* --- cache_follow.c ----------------------------------------------------- */

struct repository_follower;

/* Follows a file from its beginning; borrows it. */
MUST_USE bool repository_follower_new(int fd, struct repository_follower **out,
	struct err *e);
/* So many bytes are there now, and stay as they are. */
void repository_follower_tell(struct repository_follower *f, uint64_t bytes);
/* The digest of so many bytes; once. */
MUST_USE bool repository_follower_end(struct repository_follower *f,
	uint64_t bytes, uint8_t digest[32], struct err *e);
void repository_follower_free(struct repository_follower *f);

#endif
