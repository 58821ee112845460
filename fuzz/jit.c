/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a module, run by both engines with little fuel: whatever an
 * export gives, ends with, or leaves in memory has to be the same, and no
 * function may be left out but for a limit.  The compiler's own checks are on.
 */
#include <stdint.h>
#include <stdlib.h>

#include "wasm/wasm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool answer(struct wasm_caller *c, uint64_t *slots, void *ctx)
{
	(void)c;
	slots[0] = slots[0] * 3 + 1;
	if (ctx)
		slots[0] = (uint32_t)slots[0];
	return true;
}

static char narrow[] = "i";
static const struct wasm_import imports[] = {
	{ "m", "a", "i:i", answer, narrow },
	{ "m", "b", "I:I", answer, NULL },
};

static const struct wasm_limits limits[] = {
	{ .memory_bytes = 4 << 20,
		.module_bytes = 64 << 20,
		.table_elems = 10000,
		.stack_bytes = 64 << 10,
		.call_depth = 200,
		.places = true,
		.canonical_nans = true },
	{ .memory_bytes = 4 << 20,
		.module_bytes = 64 << 20,
		.table_elems = 10000,
		.stack_bytes = 64 << 10,
		.call_depth = 200,
		.canonical_nans = true,
		.places = true,
		.engine = WASM_ENGINE_AUTO,
		.code_bytes = 1 << 20 },
};

enum { MAX_SLOTS = 8, FUEL = 5000 };

struct seen {
	enum wasm_end end;
	enum wasm_trap trap;
	char text[1024];
	uint64_t results[MAX_SLOTS];
};

static void must_agree(bool ok)
{
	if (!ok)
		abort();
}

/* Slots of the values; 0x100: there are too many, or references. */
static size_t slots_of(const char **sig, char end)
{
	size_t n = 0;
	for (; **sig && **sig != end; (*sig)++)
		n += **sig == 'r' ? 0x100 : **sig == 'V' ? 2 : 1;
	return n;
}

static struct seen call(struct wasm_instance *i, const char *name, size_t in,
	size_t out, uint64_t x)
{
	uint64_t params[MAX_SLOTS];
	struct seen s = { 0 };
	struct wasm_result r;
	struct err e;
	for (size_t k = 0; k < MAX_SLOTS; k++)
		params[k] = (uint32_t)x;
	wasm_instance_fuel(i, FUEL);
	must_agree(wasm_call(i, name, params, in, s.results, out, &r, &e));
	s.end = r.end;
	s.trap = r.end == WASM_TRAPPED ? r.trap : WASM_TRAP_NONE;
	memcpy(s.text, r.text, sizeof s.text);
	return s;
}

/* Where frames end differs: the engines' stacks are not alike. */
static bool by_size(const struct seen *s)
{
	return s->trap == WASM_TRAP_STACK || s->trap == WASM_TRAP_LIMIT;
}

static bool both(struct wasm_instance *const i[2], const char *name,
	const char *sig)
{
	size_t in = slots_of(&sig, ':');
	sig += *sig == ':';
	size_t out = slots_of(&sig, '\0');
	if (in > MAX_SLOTS || out > MAX_SLOTS)
		return true;
	for (uint64_t x = 0; x < 3; x++) {
		struct seen a = call(i[0], name, in, out, x * 0x7fff);
		struct seen b = call(i[1], name, in, out, x * 0x7fff);
		if (by_size(&a) || by_size(&b))
			return false;
		must_agree(a.end == b.end && a.trap == b.trap);
		must_agree(!strcmp(a.text, b.text));
		if (a.end == WASM_RETURNED)
			must_agree(!memcmp(a.results, b.results,
				sizeof a.results));
	}
	return true;
}

static void compare_memory(struct wasm_instance *const i[2], struct bytes name)
{
	struct wasm_extern a, b;
	if (!wasm_instance_export(i[0], name, &a) ||
		!wasm_instance_export(i[1], name, &b) ||
		a.kind != WASM_EXTERN_MEMORY)
		return;
	struct bytes x = wasm_extern_memory(&a), y = wasm_extern_memory(&b);
	must_agree(x.len == y.len && (!x.len || !memcmp(x.ptr, y.ptr, x.len)));
}

static void run(const struct wasm_module *m, struct wasm_instance *const i[2])
{
	struct bytes name;
	char text[64], sig[64];
	for (size_t k = 0; wasm_module_export(m, k, &name) && k < 16; k++) {
		compare_memory(i, name);
		if (name.len >= sizeof text || memchr(name.ptr, 0, name.len) ||
			!wasm_module_signature(m, name, sig, sizeof sig))
			continue;
		memcpy(text, name.ptr, name.len);
		text[name.len] = '\0';
		if (!both(i, text, sig))
			return;
	}
	for (size_t k = 0; wasm_module_export(m, k, &name) && k < 16; k++)
		compare_memory(i, name);
}

static bool find(void *ctx, struct bytes module, struct bytes name,
	struct wasm_extern *out)
{
	(void)module;
	if (name.len != 1 || name.ptr[0] < 'a' || name.ptr[0] > 'b')
		return false;
	return wasm_store_func(ctx, &imports[name.ptr[0] - 'a'], out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wasm_module *m = NULL;
	struct wasm_store *s[2] = { NULL, NULL };
	struct wasm_instance *i[2] = { NULL, NULL };
	struct wasm_result r;
	struct err e;
	bool ok[2];
	if (!wasm_module_new(bytes_of(data, size), &limits[0], &m, &e))
		return 0;
	for (int k = 0; k < 2; k++) {
		struct wasm_limits l = limits[k];
		/* Every other input by lots, from its own bytes. */
		if (k && size > 8 && data[size / 2] & 1)
			l.jit_stress = size * 256 + data[size / 3] + 1;
		ok[k] = wasm_store_new(&l, &s[k], &e);
		if (!ok[k])
			continue;
		wasm_store_fuel(s[k], FUEL);
		ok[k] = wasm_store_instantiate(s[k], m, find, s[k], &i[k], &r,
			&e);
	}
	if (ok[0] && ok[1])
		run(m, i);
	/* Nothing is left out for what it contains. */
	must_agree(!ok[1] || !wasm_store_jit_stats(s[1]).gaps);
	wasm_store_free(s[0]);
	wasm_store_free(s[1]);
	wasm_module_free(m);
	return 0;
}
