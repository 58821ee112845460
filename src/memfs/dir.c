/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories.  Entries stand in the order in which they came, each with a
 * number that is never used again: its cookie.  A removed entry leaves a
 * hole; holes are closed when they are half of the list.  A hash table
 * beside the list finds names.
 */
#include "memfs/memfs_priv.h"

#include <stdlib.h>

enum {
	LIST_MIN = 8,
};

static uint32_t name_hash(struct bytes name)
{
	uint32_t h = 2166136261u;
	for (size_t i = 0; i < name.len; i++)
		h = (h ^ name.ptr[i]) * 16777619u;
	return h ^ h >> 15;
}

struct entry *memfs_dir_find(const struct dir *d, struct bytes name)
{
	uint32_t h = name_hash(name);
	for (size_t i = h; d->table_size; i++) {
		struct entry *e = d->table[i & (d->table_size - 1)];
		if (!e)
			break;
		if (e->hash == h &&
			bytes_equal(bytes_of(e->name, e->len), name))
			return e;
	}
	return NULL;
}

static void table_put(struct dir *d, struct entry *e)
{
	size_t i = e->hash;
	while (d->table[i & (d->table_size - 1)])
		i++;
	d->table[i & (d->table_size - 1)] = e;
}

static bool table_resize(struct dir *d, size_t size)
{
	struct entry **fresh = calloc(size, sizeof *fresh);
	if (!fresh)
		return false;
	free(d->table);
	d->table = fresh;
	d->table_size = size;
	for (size_t i = 0; i < d->count; i++)
		if (d->list[i].entry)
			table_put(d, d->list[i].entry);
	return true;
}

static bool table_grow(struct dir *d)
{
	if (d->live + 1 <= d->table_size / 2)
		return true;
	return table_resize(d,
		d->table_size ? d->table_size * 2 : 2 * LIST_MIN);
}

/* Open addressing without tombstones: what follows moves up. */
static void table_drop(struct dir *d, const struct entry *e)
{
	size_t mask = d->table_size - 1, hole = e->hash & mask;
	while (d->table[hole] != e)
		hole = (hole + 1) & mask;
	for (size_t i = (hole + 1) & mask; d->table[i]; i = (i + 1) & mask) {
		size_t home = d->table[i]->hash & mask;
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			d->table[hole] = d->table[i];
			hole = i;
		}
	}
	d->table[hole] = NULL;
}

/* Names that are gone are not paid for any more; no memory: as it is. */
static void shrink(struct dir *d)
{
	size_t size = 2 * LIST_MIN, cap = 2 * d->count;
	while (d->live + 1 > size / 2)
		size *= 2;
	if (size < d->table_size)
		(void)!table_resize(d, size);
	cap = cap < LIST_MIN ? LIST_MIN : cap;
	struct slot *less =
		cap < d->cap ? realloc(d->list, cap * sizeof *less) : NULL;
	if (less) {
		d->list = less;
		d->cap = cap;
	}
}

static void list_close_holes(struct dir *d)
{
	size_t to = 0;
	for (size_t i = 0; i < d->count; i++)
		if (d->list[i].entry)
			d->list[to++] = d->list[i];
	d->count = to;
	shrink(d);
}

static bool list_grow(struct dir *d)
{
	if (d->count < d->cap)
		return true;
	size_t cap = d->cap ? d->cap * 2 : LIST_MIN;
	struct slot *grown = realloc(d->list, cap * sizeof *grown);
	if (!grown)
		return false;
	d->list = grown;
	d->cap = cap;
	return true;
}

size_t memfs_dir_from(const struct dir *d, uint64_t seq)
{
	size_t lo = 0, hi = d->count;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (d->list[mid].seq < seq)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool memfs_dir_add(struct quota *q, struct dir *d, struct bytes name,
	struct vfs_node *node)
{
	if (!quota_charge(q, ENTRY_COST + name.len))
		return false;
	struct entry *e = malloc(sizeof *e + name.len);
	if (!e || !table_grow(d) || !list_grow(d)) {
		free(e);
		quota_refund(q, ENTRY_COST + name.len);
		return false;
	}
	e->seq = ++d->next_seq;
	e->node = node;
	e->hash = name_hash(name);
	e->len = (uint32_t)name.len;
	memcpy(e->name, name.ptr, name.len);
	table_put(d, e);
	d->list[d->count++] = (struct slot){ e->seq, e };
	d->live++;
	return true;
}

void memfs_dir_drop(struct quota *q, struct dir *d, struct entry *e)
{
	table_drop(d, e);
	d->list[memfs_dir_from(d, e->seq)].entry = NULL;
	d->live--;
	if (d->count > LIST_MIN && d->live < d->count / 2)
		list_close_holes(d);
	quota_refund(q, ENTRY_COST + e->len);
	free(e);
}

void memfs_dir_fini(struct dir *d)
{
	for (size_t i = 0; i < d->count; i++)
		free(d->list[i].entry);
	free(d->list);
	free(d->table);
}
