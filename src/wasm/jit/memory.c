/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for code: one span of addresses, so that calls reach everything,
 * which is executable or writable but never both.  What is in it is never
 * changed.
 */
#include <sys/mman.h>

#include "wasm/jit/jit_priv.h"

enum { CODE_ALIGN = 32 };

static size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) & ~(to - 1);
}

bool jit_memory_open(struct wasm_jit *j, size_t size)
{
	size = round_up(size, PAGE_BYTES);
	void *p = mmap(NULL, size, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return false;
	j->memory = p;
	j->size = size;
	j->used = 0;
	return true;
}

void jit_memory_close(struct wasm_jit *j)
{
	if (j->memory)
		munmap(j->memory, j->size);
	j->memory = NULL;
}

static bool turn(struct wasm_jit *j, size_t from, size_t len, int prot)
{
	return mprotect(j->memory + from, len, prot) == 0;
}

/* Bytes that are made writable ahead of many functions. */
enum { AHEAD = 256 << 10 };

static size_t first_page(const struct wasm_jit *j)
{
	return j->used & ~(size_t)(PAGE_BYTES - 1);
}

/* Up to `end` at least. */
static bool make_writable(struct wasm_jit *j, size_t end)
{
	size_t from = j->writable_to;
	size_t to = round_up(end + AHEAD, PAGE_BYTES);
	to = to < j->size ? to : j->size;
	if (end > from && !turn(j, from, to - from, PROT_READ | PROT_WRITE))
		return false;
	j->writable_to = end > from ? to : from;
	return true;
}

/* The first page may hold code that was there before. */
static bool put(struct wasm_jit *j, const uint8_t *code, uint32_t len)
{
	size_t from = first_page(j);
	size_t bytes = round_up(j->used + len, PAGE_BYTES) - from;
	bool many = j->writable_to != 0;
	if (many ? !make_writable(j, j->used + len) :
		   !turn(j, from, bytes, PROT_READ | PROT_WRITE))
		return false;
	memcpy(j->memory + j->used, code, len);
	return many || turn(j, from, bytes, PROT_READ | PROT_EXEC);
}

void jit_memory_begin(struct wasm_jit *j)
{
	size_t from = first_page(j);
	if (!j->broken && !j->store->limits.put_code && from < j->size &&
		turn(j, from, PAGE_BYTES, PROT_READ | PROT_WRITE)) {
		j->writable_from = from;
		j->writable_to = from + PAGE_BYTES;
	}
}

void jit_memory_end(struct wasm_jit *j)
{
	size_t from = j->writable_from, end = round_up(j->used, PAGE_BYTES);
	if (!j->writable_to)
		return;
	if ((end > from && !turn(j, from, end - from, PROT_READ | PROT_EXEC)) ||
		(j->writable_to > end &&
			!turn(j, end, j->writable_to - end, PROT_NONE)))
		j->broken = true;
	j->writable_to = 0;
}

/* Pages that nothing was in. */
static bool put_pages(struct wasm_jit *j, const uint8_t *code, uint32_t len)
{
	return j->store->limits.put_code(j->memory + j->used, code, len);
}

bool jit_has_room(const struct wasm_jit *j, uint32_t len)
{
	return !j->broken && len <= j->size - j->used;
}

uint32_t jit_memory_add(struct wasm_jit *j, const uint8_t *code, uint32_t len)
{
	bool pages = j->store->limits.put_code != NULL;
	uint32_t at = (uint32_t)j->used;
	if (!jit_has_room(j, len))
		return UINT32_MAX;
	/* What there is may not be executable any more. */
	if (!(pages ? put_pages : put)(j, code, len)) {
		j->broken = true;
		return UINT32_MAX;
	}
	j->used = round_up(j->used + len, pages ? PAGE_BYTES : CODE_ALIGN);
	return at;
}
