/* SPDX-License-Identifier: Apache-2.0 */
/* What cache.c and cache_keep.c share. */
#ifndef REPOSITORY_CACHE_PRIV_H
#define REPOSITORY_CACHE_PRIV_H

#include "repository/cache.h"

/* Feeds `size` bytes of a file to a hash and, unless it is NULL, to `out`. */
MUST_USE bool repository_cache_hash(int fd, uint64_t size,
	struct crypto_hash *h, struct buf *out, struct err *e);
/* *good: the file has that digest. */
MUST_USE bool repository_cache_verify(int fd, uint64_t size,
	const uint8_t digest[32], struct buf *out, bool *good, struct err *e);

#endif
