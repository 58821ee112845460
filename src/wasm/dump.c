/* SPDX-License-Identifier: Apache-2.0 */
/* Register code for people. */
#include "base/fmt.h"
#include "wasm/interp/ops_priv.h"
#include "wasm/module_priv.h"

/* clang-format off */
static const char *const names[] = {
#define WASM_X(n) #n,
	WASM_OPS_ALL
#undef WASM_X
};
/* clang-format on */

static bool ends(const char *name, const char *suffix)
{
	size_t n = strlen(name), k = strlen(suffix);
	return n >= k && !strcmp(name + n - k, suffix);
}

static bool starts(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

uint32_t wasm_op_words(const union wasm_word *w)
{
	static const uint8_t more[WASM_OP_COUNT] = {
		[OP_call_indirect] = 1,
		[OP_call_ref] = 1,
		[OP_tail_call] = 1,
		[OP_tail_import] = 1,
		[OP_tail_indirect] = 1,
		[OP_tail_ref] = 1,
		[OP_const64] = 1,
		[OP_const128] = 2,
		[OP_select] = 1,
		[OP_select2] = 1,
		[OP_memory_grow] = 1,
		[OP_memory_init] = 1,
		[OP_memory_copy] = 1,
		[OP_memory_fill] = 1,
		[OP_table_get] = 1,
		[OP_table_set] = 1,
		[OP_table_grow] = 1,
		[OP_table_fill] = 1,
		[OP_table_copy] = 1,
		[OP_table_init] = 1,
		[OP_v128_shuffle] = 2,
		[OP_v128_bitselect] = 1,
		[OP_struct_new] = 1,
		[OP_struct_new_default] = 1,
		[OP_array_new] = 1,
		[OP_array_new_default] = 1,
		[OP_array_new_fixed] = 2,
		[OP_array_new_data] = 2,
		[OP_array_new_elem] = 2,
		[OP_array_get] = 1,
		[OP_array_set] = 1,
		[OP_array_fill] = 1,
		[OP_array_copy] = 1,
		[OP_array_init_data] = 2,
		[OP_array_init_elem] = 2,
		[OP_ref_test] = 1,
		[OP_ref_cast] = 1,
	};
	const char *name = names[w->op];
	uint32_t n = 1u + more[w->op];
	if (strstr(name, "__"))
		return 1 + wasm_op_words(w + 1);
	if (w->op == OP_br_table)
		return n + w->high + 1;
	if (w->op >= OP_br_i32_eq_rr && w->op <= OP_brn_f64_ge)
		n++;
	if (ends(name, "_far") ||
		(ends(name, "_64") && strstr(name, "load") != NULL) ||
		(ends(name, "_64") && strstr(name, "store") != NULL) ||
		(ends(name, "_64") && starts(name, "atomic_")))
		n++;
	if (starts(name, "atomic_cmpxchg") || starts(name, "atomic_wait") ||
		starts(name, "atomic_notify"))
		n++;
	if (strstr(name, "_lane") && !strstr(name, "extract"))
		n++;
	if (strstr(name, "madd") || strstr(name, "dot_i8x16_i7x16_add"))
		n++;
	return n;
}

static void line(const struct wasm_module *m, uint32_t at, char *out,
	size_t size)
{
	const union wasm_word *w = &m->code[at];
	const char *name = names[w->op];
	uint32_t n = wasm_op_words(w);
	size_t len = fmt(out, size, "%6u  %-20s", at, name);
	if (strstr(name, "__"))
		n = 1;
	if (w->op == OP_jump || w->op == OP_call || starts(name, "br_nz") ||
		starts(name, "br_z"))
		len += fmt(out + len, size - len, " %u -> %u", w->a,
			(uint32_t)((int64_t)at + w->rel));
	else
		len += fmt(out + len, size - len, " %u %u %u", w->a, w->b,
			w->c);
	for (uint32_t i = 1; i < n && i < 6; i++)
		len += fmt(out + len, size - len, "  %x:%d", w[i].low,
			w[i].rel);
}

void wasm_module_dump(const struct wasm_module *m, uint32_t func,
	void (*put)(void *ctx, uint32_t word, const char *text), void *ctx)
{
	char text[160];
	if (func < m->func_imports || func >= m->func_count)
		return;
	const union wasm_word *h = m->code + m->entries[func - m->func_imports];
	uint32_t at = (uint32_t)(h - m->code), end = at + h[1].low;
	fmt(text, sizeof text,
		"function %u: frame %u, clear %u from %u, constants %u", func,
		h->op, h->b, h->a, h->c);
	put(ctx, 0, text);
	for (uint32_t i = 0; i < h->c; i++) {
		fmt(text, sizeof text, "        r%u = 0x%llx", h->a + h->b + i,
			(unsigned long long)m->code[end + i].u64);
		put(ctx, 0, text);
	}
	for (at += WASM_HEADER_WORDS; at < end;
		at += strstr(names[m->code[at].op], "__") ?
			1 :
			wasm_op_words(&m->code[at])) {
		line(m, at, text, sizeof text);
		put(ctx, at, text);
	}
}
