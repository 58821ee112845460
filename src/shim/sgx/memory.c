/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/sgx/sgx.h"

#include "arch/x86_64/cpu.h"

/* Four bits of a page: it is there, with those rights (SGX_PAGE_R ...); or
 * it is not, but the host was asked to add it, for data or for code too; or it
 * is there, zeros to be read and written, and of no range. */
enum {
	PAGE_NONE = 0,
	PAGE_ASKED = 1,
	PAGE_ASKED_CODE = 2,
	PAGE_KEPT = 3,
	PAGE_THERE = 8,
	PAGE_RIGHTS = SGX_PAGE_RIGHTS
};

/* The host is asked for so much at once, within one range: an exit for each
 * block, not one for each page. */
enum { BLOCK_BYTES = 128 * PAGE_BYTES };

#define RW (uint8_t)(SGX_PAGE_R | SGX_PAGE_W)
#define RX (uint8_t)(SGX_PAGE_R | SGX_PAGE_X)

/* Runs up to this are wiped and kept when exec gives them back: they cost no
 * exit, and will be asked for again. */
enum { KEEP_RUN = 1024, KEEP_MOST = 4096 };

/* What is behind code in its last page. */
enum { INT3 = 0xcc };

/* A page on its way to where it can be executed, and never written. */
static uint8_t copy_from[PAGE_BYTES]
	__attribute__((section(".pages"), aligned(PAGE_BYTES)));

static struct memory *self(void *ctx)
{
	return ctx;
}

/* --- the bits --------------------------------------------------------------
 */

static uint8_t *map_at(uint64_t at, unsigned *shift)
{
	uint64_t page = (at - ENCLAVE_BASE) / PAGE_BYTES;
	*shift = (unsigned)(page % 2 * 4);
	return (uint8_t *)ENCLAVE_BASE + ENCLAVE_MAPS_AT + page / 2;
}

static bool mapped(const struct memory *m, uint64_t at)
{
	return m->has_map[(at - ENCLAVE_BASE) / MEMORY_MAP_OF];
}

static uint8_t page_get(const struct memory *m, uint64_t at)
{
	unsigned shift;
	if (!mapped(m, at))
		return PAGE_NONE;
	const uint8_t *p = map_at(at, &shift);
	return *p >> shift & 15;
}

/* --- ENCLU -----------------------------------------------------------------
 */

static bool accept_as(uint64_t at, uint64_t flags)
{
	const struct sgx_secinfo s = { .flags = flags };
	return cpu_enclu(SGX_EACCEPT, &s, (void *)at, NULL) == SGX_SUCCESS;
}

/* A page that the host added for us: zeros, to be read and written.  One that
 * is not what it must be ends the Keep: so does a host that has none. */
static void take_page(const struct memory *m, uint64_t at)
{
	if (m->fixed)
		shim_crash("memory outside what there is");
	if (!accept_as(at,
		    SGX_PAGE_TYPE(SGX_PT_REG) | SGX_PAGE_R | SGX_PAGE_W |
			    SGX_PAGE_PENDING))
		shim_crash("the host added a page of another kind");
}

/* The same, with what is in copy_from and the rights of code from the start:
 * EMODPE would leave it writable, EMODPR is the host's to do. */
static void take_copy(uint64_t at)
{
	const struct sgx_secinfo s = { .flags =
					       SGX_PAGE_TYPE(SGX_PT_REG) | RX };
	if (cpu_enclu(SGX_EACCEPTCOPY, &s, (void *)at, copy_from) !=
		SGX_SUCCESS)
		shim_crash("the host added a page of another kind");
}

static void page_set(struct memory *m, uint64_t at, uint8_t to)
{
	unsigned shift;
	uint64_t i = (at - ENCLAVE_BASE) / MEMORY_MAP_OF;
	uint8_t *p = map_at(at, &shift);
	if (!m->has_map[i]) {
		uint64_t page = (uint64_t)p & ~(uint64_t)(PAGE_BYTES - 1);
		take_page(m, page);
		m->has_map[i] = true;
		m->present++;
	}
	*p = (uint8_t)((*p & ~(15u << shift)) | (unsigned)to << shift);
}

static uint8_t rights_of(uint8_t prot)
{
	return (uint8_t)((prot & SPACE_READ ? SGX_PAGE_R : 0) |
		(prot & SPACE_WRITE ? SGX_PAGE_W : 0) |
		(prot & SPACE_EXEC ? SGX_PAGE_X : 0));
}

/* More rights: ours to give. */
static void extend(uint64_t at, uint8_t rights)
{
	const struct sgx_secinfo s = { .flags = SGX_PAGE_TYPE(SGX_PT_REG) |
			rights };
	cpu_enclu(SGX_EMODPE, &s, (void *)at, NULL);
}

/* Fewer: the host does it for a run of pages, we look whether it did.
 * `after`: what they shall have in the end. */
static void restrict_run(uint64_t at, uint64_t end, uint8_t rights,
	uint8_t after)
{
	enclave_leave(ENCLAVE_RESTRICT, at, end - at,
		rights | (uint64_t)after << 8);
	for (; at < end; at += PAGE_BYTES)
		if (!accept_as(at,
			    SGX_PAGE_TYPE(SGX_PT_REG) | rights | SGX_PAGE_PR))
			shim_crash("the host left a page its rights");
}

static void trim_run(uint64_t at, uint64_t end)
{
	enclave_leave(ENCLAVE_RETYPE, at, end - at, SGX_PT_TRIM);
	for (uint64_t p = at; p < end; p += PAGE_BYTES)
		if (!accept_as(p,
			    SGX_PAGE_TYPE(SGX_PT_TRIM) | SGX_PAGE_MODIFIED))
			shim_crash("the host did not trim a page");
	enclave_leave(ENCLAVE_REMOVE, at, end - at, 0);
}

/* --- pages -----------------------------------------------------------------
 */

bool memory_has(const struct memory *m, uint64_t at)
{
	return page_get(m, at) & PAGE_THERE;
}

bool memory_allows(const struct memory *m, uint64_t at, bool write)
{
	uint8_t want = PAGE_THERE | (write ? SGX_PAGE_W : SGX_PAGE_R);
	return (page_get(m, at) & want) == want;
}

static bool asked(const struct memory *m, uint64_t at, bool code)
{
	uint8_t now = page_get(m, at);
	return now & PAGE_THERE || now == PAGE_ASKED_CODE || now == PAGE_KEPT ||
		(now == PAGE_ASKED && !code);
}

void memory_ask(struct memory *m, uint64_t at, uint64_t bytes, bool code)
{
	uint64_t end = at + bytes;
	const struct space_range *r = space_find(&shim_user.space, at);
	while (at < end && asked(m, at, code))
		at += PAGE_BYTES;
	if (m->fixed || at >= end)
		return;
	if (r && r->end >= end) {
		at &= ~(BLOCK_BYTES - 1ull);
		at = at > r->start ? at : r->start;
		end = (end + BLOCK_BYTES - 1) & ~(BLOCK_BYTES - 1ull);
		end = end < r->end ? end : r->end;
	}
	enclave_leave(ENCLAVE_ADD, at, end - at, RW | (code ? RX : 0u));
	for (; at < end; at += PAGE_BYTES)
		if (!asked(m, at, code))
			page_set(m, at, code ? PAGE_ASKED_CODE : PAGE_ASKED);
}

/* There, with these rights at least; code is never writable, not even when
 * nobody has written it. */
static void have_page(struct memory *m, uint64_t at, uint8_t want)
{
	uint8_t now = page_get(m, at);
	if (now == PAGE_KEPT) {
		m->kept--;
		now = PAGE_THERE | RW;
		page_set(m, at, now);
	} else if (!(now & PAGE_THERE)) {
		now = PAGE_THERE | (want & SGX_PAGE_X ? RX : RW);
		if (want & SGX_PAGE_X)
			take_copy(at);
		else
			take_page(m, at);
		m->present++;
		page_set(m, at, now);
	}
	if (!(want & ~now))
		return;
	if (!m->fixed)
		extend(at, want);
	page_set(m, at, now | want);
}

/* A page that is kept has more rights than a range may want: they go when
 * somebody asks for that (protect). */
void memory_have(struct memory *m, uint64_t at, uint64_t bytes, uint8_t prot)
{
	uint8_t want = rights_of(prot);
	uint64_t end = at + bytes;
	memory_ask(m, at, bytes, want & SGX_PAGE_X);
	if (want & SGX_PAGE_X)
		cpu_store_bytes(copy_from, 0, sizeof copy_from);
	for (; at < end; at += PAGE_BYTES)
		have_page(m, at, want);
}

/* The first page that is not one of those. */
static uint64_t next_map(uint64_t at)
{
	return ((at - ENCLAVE_BASE) / MEMORY_MAP_OF + 1) * MEMORY_MAP_OF +
		ENCLAVE_BASE;
}

void memory_claim(struct memory *m, uint64_t at, uint64_t bytes)
{
	for (uint64_t end = at + bytes; at < end; at += PAGE_BYTES) {
		while (at < end && !mapped(m, at))
			at = next_map(at);
		if (at < end && page_get(m, at) == PAGE_KEPT)
			have_page(m, at, RW);
	}
}

bool memory_code_fits(const struct memory *m, uint64_t at, uint64_t bytes)
{
	for (uint64_t i = 0; i < bytes; i += PAGE_BYTES)
		if (memory_has(m, at + i) &&
			page_get(m, at + i) != (PAGE_THERE | RW))
			return false;
	return true;
}

bool memory_code(struct user *u, uint64_t to, uint64_t from, uint64_t bytes,
	bool there)
{
	struct memory *m = &u->memory;
	for (uint64_t done = 0; done < bytes; done += PAGE_BYTES) {
		size_t n = size_min(bytes - done, PAGE_BYTES);
		if (memory_has(m, to + done) != there)
			continue;
		cpu_store_bytes(copy_from, INT3, sizeof copy_from);
		if (!user_copy_in(u, copy_from, from + done, n))
			return false;
		if (there)
			cpu_move_bytes((void *)(to + done), copy_from,
				sizeof copy_from);
		else
			have_page(m, to + done, RX);
	}
	return true;
}

void memory_image(struct memory *m, uint64_t at, uint64_t bytes, uint8_t prot)
{
	for (uint64_t end = at + bytes; at < end; at += PAGE_BYTES) {
		page_set(m, at, PAGE_THERE | rights_of(prot));
		m->present++;
	}
}

/* Fixed memory was not measured: the host chose what is in it.  exec finds it
 * without a fault, so all of it is wiped before it runs. */
void memory_init(struct memory *m, uint32_t heap_bytes)
{
	const uint64_t heap = (uint64_t)ENCLAVE_BASE + ENCLAVE_HEAP_AT;
	m->fixed = heap_bytes != 0;
	if (!m->fixed)
		return;
	for (uint64_t at = 0; at < ENCLAVE_HEAP_AT + heap_bytes;
		at += MEMORY_MAP_OF)
		m->has_map[at / MEMORY_MAP_OF] = true;
	cpu_store_bytes((void *)heap, 0, heap_bytes);
	for (uint64_t at = heap; at < heap + heap_bytes; at += PAGE_BYTES)
		page_set(m, at, PAGE_THERE | RW);
	m->present += heap_bytes / PAGE_BYTES;
}

/* --- struct space_ops ------------------------------------------------------
 */

typedef void run_op(struct memory *m, uint64_t at, uint64_t end, uint8_t prot);

/* Calls `op` for each run of pages that are there. */
static void for_runs(struct memory *m, uint64_t start, uint64_t end, run_op *op,
	uint8_t prot)
{
	while (start < end) {
		uint64_t stop = start;
		if (!mapped(m, start)) {
			start = next_map(start);
			continue;
		}
		while (stop < end && mapped(m, stop) && memory_has(m, stop))
			stop += PAGE_BYTES;
		if (stop == start) {
			start += PAGE_BYTES;
			continue;
		}
		op(m, start, stop, prot);
		start = stop;
	}
}

/* Writable and zero: as a page that was just taken. */
static void wipe_run(struct memory *m, uint64_t at, uint64_t end)
{
	for (; at < end; at += PAGE_BYTES) {
		have_page(m, at, RW);
		cpu_store_bytes((void *)at, 0, PAGE_BYTES);
	}
}

/* Code that exec made is never kept: its page can't be written. */
static bool has_code(const struct memory *m, uint64_t at, uint64_t end)
{
	for (; at < end; at += PAGE_BYTES)
		if (page_get(m, at) & SGX_PAGE_X)
			return true;
	return false;
}

/* The whole of a fixed heap is there for good. */
static void keep_run(struct memory *m, uint64_t at, uint64_t end)
{
	for (; !m->fixed && at < end; at += PAGE_BYTES) {
		page_set(m, at, PAGE_KEPT);
		m->kept++;
	}
}

static void give_run(struct memory *m, uint64_t at, uint64_t end, uint8_t prot)
{
	uint64_t pages = (end - at) / PAGE_BYTES;
	(void)prot;
	if (m->fixed ||
		(pages <= KEEP_RUN && m->kept + pages <= KEEP_MOST &&
			!has_code(m, at, end))) {
		wipe_run(m, at, end);
		keep_run(m, at, end);
		return;
	}
	trim_run(at, end);
	for (; at < end; at += PAGE_BYTES)
		page_set(m, at, PAGE_NONE);
	m->present -= pages;
}

static void unmap(void *ctx, uint64_t start, uint64_t end)
{
	if (shim_user.gate >= start && shim_user.gate < end)
		shim_user.gate = 0;
	for_runs(self(ctx), start, end, give_run, 0);
}

/* What pages that have `now` must lose for `to`.  Writable and executable
 * exclude each other on the way, too. */
static bool loses(uint8_t now, uint8_t to)
{
	return now & PAGE_RIGHTS & ~to;
}

/* A run of pages of the same rights. */
static void protect_same(struct memory *m, uint64_t at, uint64_t end,
	uint8_t to)
{
	uint8_t now = page_get(m, at) & PAGE_RIGHTS;
	/* Code needs the host, whose tables say what may be run. */
	if (loses(now, to) || ((now ^ to) & SGX_PAGE_X))
		restrict_run(at, end, now & to, to);
	for (; at < end; at += PAGE_BYTES) {
		if (to & ~(now & to))
			extend(at, to);
		page_set(m, at, PAGE_THERE | to);
	}
}

static void protect_run(struct memory *m, uint64_t at, uint64_t end,
	uint8_t prot)
{
	uint8_t to = rights_of(prot);
	while (!m->fixed && at < end) {
		uint64_t stop = at;
		uint8_t now = page_get(m, at);
		while (stop < end && page_get(m, stop) == now)
			stop += PAGE_BYTES;
		if ((now & PAGE_RIGHTS) != to)
			protect_same(m, at, stop, to);
		at = stop;
	}
}

static void protect(void *ctx, uint64_t start, uint64_t end, uint8_t prot)
{
	for_runs(self(ctx), start, end, protect_run, prot);
}

/* Where the pages shall be, copies; what they were, given back. */
static bool move(void *ctx, uint64_t from, uint64_t to, uint64_t bytes)
{
	struct memory *m = ctx;
	for (uint64_t at = 0; at < bytes; at += PAGE_BYTES) {
		if (!memory_has(m, from + at))
			continue;
		if (!asked(m, to + at, false))
			memory_ask(m, to + at,
				size_min(BLOCK_BYTES, bytes - at), false);
		have_page(m, from + at, SGX_PAGE_R);
		have_page(m, to + at, RW);
		cpu_move_bytes((void *)(to + at), (void *)(from + at),
			PAGE_BYTES);
	}
	unmap(m, from, from + bytes);
	return true;
}

/* exec's gate is memory like any other: what is in it goes out and comes in
 * when exec rings (host.c). */
static bool gate(void *ctx, uint64_t start, uint64_t bytes)
{
	(void)ctx;
	(void)bytes;
	if (shim_user.gate)
		return false;
	struct gate_area *a = (struct gate_area *)start;
	memory_have(&shim_user.memory, start, GATE_AREA_BYTES,
		SPACE_READ | SPACE_WRITE);
	host_read(a, VM_AREA_AT, offsetof(struct gate_area, data));
	shim_user.gate = start;
	return true;
}

const struct space_ops memory_space_ops = {
	.unmap = unmap,
	.protect = protect,
	.move = move,
	.gate = gate,
};
