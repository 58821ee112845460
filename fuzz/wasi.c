/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile program as a list of calls.  The input is a memory image of
 * 1 KiB (paths, lists, subscriptions: what the corpus' seeds put there), then
 * records: function, which of its arguments are taken from the small table
 * of useful values and which are raw, and the arguments.  Whatever comes, the
 * answer is an errno or the end, and nothing outside memory is touched.
 */
#include "../tests/unit/wasi/helpers/guest.c" /* NOLINT: the test's guest */

#include "base/reader.h"

enum { IMAGE = 1024, MAX_CALLS = 200, MAX_WAITS = 500 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool give_and_take(struct guest *g)
{
	buf_str(&g->in.in, "in");
	buf_str(&g->sock.in, "sock");
	g->out.room += 64;
	g->sock.room += 64;
	g->accepted.room += 64;
	g->accept_result = g->waits % 3 ? WASI_AGAIN : WASI_OK;
	g->mono += 1000000;
	return g->waits < MAX_WAITS;
}

static uint64_t argument(struct reader *r, bool raw)
{
	static const uint64_t useful[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 32,
		64, 0x100, 0x200, 0x300, GUEST_MEMORY - 1, GUEST_MEMORY,
		GUEST_MEMORY - 8, 0xffffffff, 0x7fffffff, RIGHTS_ALL,
		RIGHTS_FILE, RIGHTS_DIRECTORY, INT64_MAX, UINT64_MAX, 1 << 20,
		1ull << 40, 10, 11, 12, 24 };
	if (raw)
		return reader_u64le(r);
	return useful[reader_u8(r) % ARRAY_LEN(useful)];
}

enum { SHARES = 0x8000, PAUSES = 3 };

/* With other threads a call that waits is made again, a few times. */
static bool goes_on(struct guest *g, const struct wasm_import *f,
	uint64_t *slots, bool shares)
{
	g->caller.kept = (struct wasm_kept){ 0 };
	g->caller.shares = shares;
	for (unsigned n = 0;; n++) {
		unsigned pauses = g->caller.pauses;
		bool back = f->call(&g->caller, slots, f->ctx);
		if (back || g->caller.pauses == pauses)
			return back;
		give_and_take(g);
		g->caller.shares = n < PAUSES;
	}
}

static bool one_call(struct guest *g, struct reader *r)
{
	size_t count;
	uint64_t slots[16] = { 0 };
	const struct wasm_import *all = wasi_imports(g->w, &count);
	const struct wasm_import *f = &all[reader_u8(r) % count];
	unsigned raw = reader_u16le(r);
	for (size_t i = 0; f->sig[i] != ':'; i++) {
		uint64_t v = argument(r, raw >> i & 1);
		slots[i] = f->sig[i] == 'i' ? (uint32_t)v : v;
	}
	if (r->failed || !goes_on(g, f, slots, raw & SHARES))
		return false;
	need(slots[0] <= WASI_NOTCAPABLE || !strcmp(f->name, "thread-spawn"),
		"errno out of range");
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memfs_config cfg = { .max_bytes = 1 << 20, .max_nodes = 200 };
	struct reader r = { .in = bytes_of(data, size) };
	struct guest *g = guest_new_with(&cfg);
	g->on_wait = give_and_take;
	struct bytes image = reader_take(&r, size_min(size, IMAGE));
	if (image.len)
		guest_put(g, 0, image.ptr, image.len);
	for (int i = 0; i < MAX_CALLS && reader_left(&r); i++)
		if (!one_call(g, &r))
			break;
	need(memfs_used(g->fs) <= cfg.max_bytes, "quota");
	guest_free(g);
	return 0;
}
