/* SPDX-License-Identifier: Apache-2.0 */
#include "arch/x86_64/cpu.h"
#include "base/fmt.h"
#include "shim/common/copy.h"
#include "shim/common/stack.h"
#include "shim/sgx/sgx.h"

/* Where things lie, each at a random page of so many: an attacker inside exec
 * has to find them.  exec's image is where it was measured. */
#define HEAP_PAGES  (1ull << 21)
#define OTHER_PAGES (1ull << 20)
#define STACK_BYTES 0x800000ull

static uint64_t random_offset(struct user *u, uint64_t pages)
{
	uint64_t word;
	if (!random_word(&u->random, &word))
		shim_crash("boot: random generator failed");
	return word % pages * PAGE_BYTES;
}

static void load_image(struct user *u)
{
	const struct enclave_head *h = enclave_head();
	u->base = ENCLAVE_BASE + ENCLAVE_EXEC_AT;
	u->entry = u->base + h->entry;
	for (uint32_t i = 0; i < h->segment_count; i++) {
		const struct enclave_segment *s = &h->segment[i];
		uint64_t at = u->base + s->at;
		uint8_t prot = SPACE_READ;
		prot |= s->rights & SGX_PAGE_W ? SPACE_WRITE : 0;
		prot |= s->rights & SGX_PAGE_X ? SPACE_EXEC : 0;
		u->end = at + s->bytes;
		if (!space_add(&u->space, at, u->end, prot, SPACE_IMAGE))
			shim_crash("boot: no room for exec");
		memory_image(&u->memory, at, s->bytes, prot);
	}
}

static void load_stack(struct user *u, uint64_t top)
{
	const struct enclave_head *h = enclave_head();
	struct stack_facts f = {
		.base = u->base,
		.entry = h->entry,
		.headers = h->headers,
		.header_count = h->header_count,
		.hwcap = cpuid_answer(1, 0).edx,
		.shim = { .version = 1,
			.tee = GATE_TEE_SGX,
			.call = (uint64_t)enclave_call },
	};
	uint8_t start[STACK_START_BYTES];
	for (size_t i = 0; i < sizeof f.random; i += 8) {
		uint64_t word;
		if (!random_word(&u->random, &word))
			shim_crash("boot: random generator failed");
		memcpy(f.random + i, &word, sizeof word);
	}
	if (!space_add(&u->space, top - STACK_BYTES, top,
		    SPACE_READ | SPACE_WRITE, SPACE_STACK))
		shim_crash("boot: no room for the stack");
	u->stack_pointer = stack_start(&f, top, start);
	/* exec's first calls, too. */
	memory_have(&u->memory, top - 8 * PAGE_BYTES, 8 * PAGE_BYTES,
		SPACE_READ | SPACE_WRITE);
	if (!user_copy_out(u, top - sizeof start, start, sizeof start))
		shim_crash("boot: no memory for the stack");
	explicit_bzero(start, sizeof start);
	explicit_bzero(&f, sizeof f);
}

/* With all of the range to choose from; or what was added at the start. */
void user_load(struct user *u)
{
	uint64_t heap = ENCLAVE_BASE + ENCLAVE_HEAP_AT;
	uint64_t top = ENCLAVE_BASE + ENCLAVE_BYTES - PAGE_BYTES;
	bool fixed = u->memory.fixed;
	if (fixed)
		top = heap + enclave_head()->heap_bytes;
	load_image(u);
	u->space.low = heap;
	u->space.brk_start = heap + (fixed ? 0 : random_offset(u, HEAP_PAGES));
	u->space.brk = u->space.brk_start;
	top -= fixed ? 0 : random_offset(u, OTHER_PAGES);
	load_stack(u, top);
	u->space.high = top - STACK_BYTES - PAGE_BYTES -
		(fixed ? 0 : random_offset(u, OTHER_PAGES));
}

/* --- exec's memory, for its calls -------------------------------------------
 */

/* As exec itself would find it: a page that it may use is taken first. */
static void *reach(void *ctx, uint64_t at, bool write)
{
	struct user *u = ctx;
	const struct space_range *r = space_find(&u->space, at);
	uint8_t want = write ? SPACE_WRITE : SPACE_READ;
	if (!r || !(r->prot & want) || r->kind == SPACE_GATE)
		return NULL;
	if (memory_allows(&u->memory, at, write))
		return (void *)at;
	if (r->kind == SPACE_IMAGE)
		return NULL;
	memory_have(&u->memory, at & ~(uint64_t)(PAGE_BYTES - 1), PAGE_BYTES,
		r->prot);
	return (void *)at;
}

bool user_copy_out(struct user *u, uint64_t to, const void *from, size_t n)
{
	return copy_out(reach, u, to, from, n);
}

bool user_copy_in(struct user *u, void *to, uint64_t from, size_t n)
{
	return copy_in(reach, u, to, from, n);
}

void user_place(const struct user *u, uint64_t at, char out[48])
{
	if (at >= u->base && at < u->end)
		fmt(out, 48, "exec+0x%llx", (unsigned long long)(at - u->base));
	else if (at - ENCLAVE_BASE < enclave_head()->bytes)
		fmt(out, 48, "shim+0x%llx",
			(unsigned long long)(at - ENCLAVE_BASE));
	else if (at >= PAGE_BYTES && at - ENCLAVE_BASE >= ENCLAVE_BYTES)
		fmt(out, 48, "the host's memory");
	else
		space_place(&u->space, at, out);
}
