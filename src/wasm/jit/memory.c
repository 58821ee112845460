/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for code: one span of addresses, so that calls reach everything,
 * which is executable or writable but never both.
 */
#include "wasm/jit/jit_priv.h"

#ifdef __x86_64__
#include <sys/mman.h>

bool jit_memory_open(struct wasm_jit *j, size_t size)
{
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

bool jit_memory_write(struct wasm_jit *j, uint32_t at, const void *bytes,
	uint32_t len)
{
	size_t from = at & ~(size_t)(PAGE_BYTES - 1);
	size_t to =
		((size_t)at + len + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
	if (to > j->size || j->broken)
		return false;
	if (mprotect(j->memory + from, to - from, PROT_READ | PROT_WRITE)) {
		j->broken = true;
		return false;
	}
	memcpy(j->memory + at, bytes, len);
	/* Without this there would be no code at all any more. */
	if (mprotect(j->memory + from, to - from, PROT_READ | PROT_EXEC))
		j->broken = true;
	return !j->broken;
}
#else
bool jit_memory_open(struct wasm_jit *j UNUSED, size_t size UNUSED)
{
	return false;
}

void jit_memory_close(struct wasm_jit *j UNUSED)
{
}

bool jit_memory_write(struct wasm_jit *j UNUSED, uint32_t at UNUSED,
	const void *bytes UNUSED, uint32_t len UNUSED)
{
	return false;
}
#endif

enum { CODE_ALIGN = 32 };

bool jit_has_room(const struct wasm_jit *j, uint32_t len)
{
	return len <= j->size - j->used;
}

uint32_t jit_memory_add(struct wasm_jit *j, const uint8_t *code, uint32_t len)
{
	uint32_t at = (uint32_t)j->used;
	if (!jit_has_room(j, len) || !jit_memory_write(j, at, code, len))
		return UINT32_MAX;
	j->used = (j->used + len + CODE_ALIGN - 1) & ~(size_t)(CODE_ALIGN - 1);
	if (j->used > j->size)
		j->used = j->size;
	return at;
}
