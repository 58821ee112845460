/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a module: decoded, validated, instantiated and run with little
 * fuel and small limits.  Function imports are answered by a function that
 * returns zeros; every export without parameters is called.  For some inputs
 * the collector runs at every allocation, for some functions are compiled.
 * Import i starts a thread at export t, j lets others go on; a shared memory is
 * there by any name.
 */
#include <stdint.h>
#include <stdlib.h>

#include "wasm/wasm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool answer(struct wasm_caller *c, uint64_t *slots, void *ctx)
{
	const char *sig = ctx;
	size_t n = 0;
	for (const char *p = strchr(sig, ':') + 1; *p; p++)
		slots[n++] = 0;
	return wasm_caller_memory(c, 0, 1) || wasm_caller_memory_size(c) == 0;
}

static bool spawn(struct wasm_caller *c, uint64_t *slots, void *ctx)
{
	uint32_t id = 0;
	(void)ctx;
	(void)wasm_caller_spawn(c, "t", (uint32_t)slots[0], &id);
	slots[0] = id;
	return true;
}

static bool yield(struct wasm_caller *c, uint64_t *slots, void *ctx)
{
	(void)slots;
	(void)ctx;
	return wasm_caller_kept(c)->done++ || !wasm_caller_shares(c) ||
		wasm_caller_pause(c, 0);
}

static char s_none[] = ":", s_i[] = "i:", s_ri[] = ":i", s_ii[] = "i:i";
static const struct wasm_import imports[] = {
	{ "m", "a", s_none, answer, s_none },
	{ "m", "b", s_i, answer, s_i },
	{ "m", "c", s_ri, answer, s_ri },
	{ "m", "d", s_ii, answer, s_ii },
	{ "m", "i", s_ii, spawn, NULL },
	{ "m", "j", s_none, yield, NULL },
};

static const struct wasm_limits usual = {
	.memory_bytes = 4 << 20,
	.module_bytes = 64 << 20,
	.table_elems = 10000,
	.stack_bytes = 64 << 10,
	.call_depth = 200,
	.threads = 5,
	.thread_stack = 32 << 10,
	.code_bytes = 4 << 20,
};

struct host {
	const struct wasm_module *m;
	struct wasm_store *store;
	struct wasm_extern things[4];
};

static bool find(void *ctx, struct bytes module, struct bytes name,
	struct wasm_extern *out)
{
	const struct host *h = ctx;
	if (wasm_store_shared_memory(h->store, h->m, module, name, out))
		return true;
	if (name.len != 1 || name.ptr[0] < 'a' || name.ptr[0] > 'j')
		return false;
	for (size_t n = 0; n < ARRAY_LEN(imports); n++)
		if (name.ptr[0] == (uint8_t)*imports[n].name)
			return wasm_store_func(h->store, &imports[n], out);
	*out = h->things[name.ptr[0] - 'e'];
	return true;
}

static void call_all(struct wasm_instance *i, const struct wasm_module *m)
{
	struct bytes name;
	for (size_t k = 0; wasm_module_export(m, k, &name) && k < 16; k++) {
		char text[64] = { 0 };
		uint64_t results[64], params[64] = { 0 };
		struct wasm_result r;
		struct err e;
		if (!name.len || name.len >= sizeof text)
			continue;
		memcpy(text, name.ptr, name.len);
		for (size_t n = 0; n < 9; n++)
			if (wasm_call(i, text, params, n / 3, results, n % 3,
				    &r, &e))
				break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wasm_module *m = NULL;
	struct wasm_instance *i = NULL;
	struct wasm_result r;
	struct host h = { 0 };
	struct wasm_limits limits = usual;
	struct err e;
	limits.collect_always = size % 4 == 0;
	limits.engine = size % 8 < 4 ? WASM_ENGINE_INTERP : WASM_ENGINE_AUTO;
	if (!wasm_module_new(bytes_of(data, size), &limits, &m, &e))
		return 0;
	h.m = m;
	if (wasm_store_new(&limits, &h.store, &e) &&
		wasm_store_memory(h.store, 1, 3, false, &h.things[0]) &&
		wasm_store_table(h.store, 10, 20, false, &h.things[1]) &&
		wasm_store_global(h.store, WASM_I32, false, 7, &h.things[2]) &&
		wasm_store_global(h.store, WASM_I64, true, 7, &h.things[3])) {
		wasm_store_fuel(h.store, limits.collect_always ? 1000 : 20000);
		if (wasm_store_instantiate(h.store, m, find, &h, &i, &r, &e))
			call_all(i, m);
	}
	wasm_store_free(h.store);
	wasm_module_free(m);
	return 0;
}
