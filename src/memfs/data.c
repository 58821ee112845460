/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contents.  A file is cut into chunks of 64 KiB.  The first grows by
 * doubling, so that small files stay small; the others are whole, found
 * through leaves of 256 (16 MiB), so that a file of any size costs what was
 * written to it and nothing is ever moved.  A chunk that was never written
 * is absent and reads as zeros.  Allocated bytes past the size are zero.
 */
#include "memfs/memfs_priv.h"

#include <malloc.h>
#include <stdlib.h>

enum {
	CHUNK = 0x10000,
	LEAF = 256,
	FIRST_MIN = 64,
	LEAVES_FREE = 64,
	TRIM_CHUNKS = 256, /* 16 MiB */
};

struct leaf {
	uint8_t *chunk[LEAF];
};

uint8_t *memfs_data_find(const struct data *d, uint64_t at, size_t *n)
{
	size_t index = (size_t)(at / CHUNK), off = (size_t)(at % CHUNK);
	*n = size_min(*n, CHUNK - off);
	if (index == 0) {
		if (off >= d->first_cap)
			return NULL;
		*n = size_min(*n, d->first_cap - off);
		return d->first + off;
	}
	if (index / LEAF >= d->leaf_count || !d->leaves[index / LEAF])
		return NULL;
	uint8_t *chunk = d->leaves[index / LEAF]->chunk[index % LEAF];
	return chunk ? chunk + off : NULL;
}

/* What the table of leaves costs in the quota: nothing below 1 GiB. */
static uint64_t leaves_cost(size_t count)
{
	return count > LEAVES_FREE ? count * sizeof(struct leaf *) : 0;
}

/* Makes the first chunk hold at least `need` bytes, CHUNK at most. */
static bool first_grow(struct quota *q, struct data *d, size_t need)
{
	size_t cap = d->first_cap ? d->first_cap : FIRST_MIN;
	while (cap < need)
		cap *= 2;
	if (cap == d->first_cap)
		return true;
	if (!quota_charge(q, cap - d->first_cap))
		return false;
	uint8_t *grown = realloc(d->first, cap);
	if (!grown) {
		quota_refund(q, cap - d->first_cap);
		return false;
	}
	memset(grown + d->first_cap, 0, cap - d->first_cap);
	d->first = grown;
	d->first_cap = cap;
	return true;
}

static struct leaf *leaf_make(struct quota *q, struct data *d, size_t which)
{
	if (which >= d->leaf_count) {
		size_t count = d->leaf_count ? d->leaf_count : 1;
		while (count <= which)
			count *= 2;
		uint64_t cost = leaves_cost(count) - leaves_cost(d->leaf_count);
		if (!quota_charge(q, cost))
			return NULL;
		struct leaf **grown = realloc(d->leaves, count * sizeof *grown);
		if (!grown) {
			quota_refund(q, cost);
			return NULL;
		}
		memset(grown + d->leaf_count, 0,
			(count - d->leaf_count) * sizeof *grown);
		d->leaves = grown;
		d->leaf_count = count;
	}
	if (!d->leaves[which])
		d->leaves[which] = calloc(1, sizeof(struct leaf));
	return d->leaves[which];
}

/* Where the chunk is; one that is not there yet is paid for before its leaf is
 * made: what has no room leaves nothing behind. */
static uint8_t **chunk_make(struct quota *q, struct data *d, size_t index)
{
	size_t which = index / LEAF;
	struct leaf *leaf = which < d->leaf_count ? d->leaves[which] : NULL;
	if (leaf && leaf->chunk[index % LEAF])
		return &leaf->chunk[index % LEAF];
	if (!quota_charge(q, CHUNK))
		return NULL;
	leaf = leaf_make(q, d, which);
	if (leaf)
		return &leaf->chunk[index % LEAF];
	quota_refund(q, CHUNK);
	return NULL;
}

uint8_t *memfs_data_make(struct quota *q, struct data *d, uint64_t at,
	size_t *n)
{
	size_t index = (size_t)(at / CHUNK), off = (size_t)(at % CHUNK);
	*n = size_min(*n, CHUNK - off);
	if (index == 0)
		return first_grow(q, d, off + *n) ? d->first + off : NULL;
	uint8_t **chunk = chunk_make(q, d, index);
	if (!chunk)
		return NULL;
	if (!*chunk) {
		*chunk = malloc(CHUNK);
		if (!*chunk) {
			quota_refund(q, CHUNK);
			return NULL;
		}
		memset(*chunk, 0, off);
		memset(*chunk + off + *n, 0, CHUNK - off - *n);
	}
	return *chunk + off;
}

static bool is_empty(const struct leaf *leaf)
{
	for (size_t i = 0; i < LEAF; i++)
		if (leaf->chunk[i])
			return false;
	return true;
}

/* Frees all chunks from that one on; how many. */
static size_t free_from(struct quota *q, struct data *d, size_t keep)
{
	size_t gone = 0;
	for (size_t l = keep / LEAF; l < d->leaf_count; l++) {
		struct leaf *leaf = d->leaves[l];
		size_t from = l == keep / LEAF ? keep % LEAF : 0;
		for (size_t i = from; leaf && i < LEAF; i++) {
			if (!leaf->chunk[i])
				continue;
			quota_refund(q, CHUNK);
			gone++;
			free(leaf->chunk[i]);
			leaf->chunk[i] = NULL;
		}
		if (from == 0 || (leaf && is_empty(leaf))) {
			free(leaf);
			d->leaves[l] = NULL;
		}
	}
	return gone;
}

void memfs_data_cut(struct quota *q, struct data *d, uint64_t size)
{
	size_t keep = (size_t)((size + CHUNK - 1) / CHUNK);
	size_t gone = free_from(q, d, keep);
	if (size == 0) {
		quota_refund(q, d->first_cap + leaves_cost(d->leaf_count));
		free(d->first);
		free(d->leaves);
		*d = (struct data){ 0 };
	} else if (size % CHUNK) {
		size_t n = CHUNK;
		uint8_t *tail = memfs_data_find(d, size, &n);
		if (tail)
			memset(tail, 0, n);
	}
	/* The library keeps what is below something else; the host need not. */
	if (gone >= TRIM_CHUNKS)
		malloc_trim(0);
}
