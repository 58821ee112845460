/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "../test.h"
#include "helpers/build.h"

/* A module with something in every section. */
static void sample(struct buf *out)
{
	struct build b = { 0 };
	static const uint8_t funcs[] = { 1, 2 };
	build_import(&b, "a", "i:i");
	build_table(&b, 4, 8);
	build_memory(&b, 1, 2);
	build_global(&b, 'i', true, -5);
	build_global(&b, 'I', false, 1234567890123);
	build_func(&b, "f", "ii:i", "iIfF",
		B(0x02, 0x7f, 0x20, 0, 0x20, 1, 0x6a, 0x22, 2, 0x20, 2, 0x0d, 0,
			0x1a, 0x41, 1, 0x0b));
	build_func(&b, "g", "i:i", "",
		B(0x03, 0x40, 0x20, 0, 0x0e, 1, 0, 0, 0x0b, 0x20, 0, 0x20, 0,
			0x11, 0, 0));
	build_elem(&b, 1, funcs, 2);
	build_data(&b, false, 8, BYTES_LIT("hello"));
	build_data(&b, true, 0, BYTES_LIT("there"));
	b.data_count_section = true;
	buf_put(&b.names, B(1, 6, 1, 1, 3, 'f', 'o', 'o'));
	build_done(&b, out);
}

static bool load(struct bytes in)
{
	struct wasm_module *m = NULL;
	struct err e = { 0 };
	uint8_t *exact = malloc(in.len ? in.len : 1);
	if (!exact)
		abort();
	if (in.len)
		memcpy(exact, in.ptr, in.len);
	bool ok = wasm_module_new(bytes_of(exact, in.len), NULL, &m, &e);
	if (!ok && !e.kind)
		fail_msg("refused without a reason");
	free(exact);
	wasm_module_free(m);
	return ok;
}

TEST(a_module_with_every_section_loads)
{
	auto_buf b = { 0 };
	sample(&b);
	CHECK(load(buf_bytes(&b)));
}

/* A cut between sections may leave a smaller module. */
static bool between_sections(struct bytes in, size_t cut)
{
	size_t at = 8;
	while (at < cut)
		at += 2u + in.ptr[at + 1];
	return at == cut;
}

TEST(a_module_cut_short_within_a_section_is_refused)
{
	auto_buf b = { 0 };
	sample(&b);
	for (size_t n = 0; n < b.len; n++)
		if (load(bytes_of(b.ptr, n)) &&
			!between_sections(buf_bytes(&b), n))
			fail_msg("accepted %zu of %zu bytes", n, b.len);
}

TEST(a_module_with_any_byte_changed_does_no_harm)
{
	auto_buf b = { 0 };
	sample(&b);
	for (size_t i = 0; i < b.len; i++)
		for (unsigned v = 1; v < 256; v <<= 1) {
			b.ptr[i] ^= (uint8_t)v;
			load(buf_bytes(&b));
			b.ptr[i] ^= (uint8_t)v;
		}
	CHECK(load(buf_bytes(&b)));
}

TEST(a_component_is_refused_as_what_it_is)
{
	struct wasm_module *m;
	struct err e = { 0 };
	CHECK(!wasm_module_new(BYTES_LIT("\0asm\x0d\0\1\0"), NULL, &m, &e));
	CHECK_HAS(e.text, "a component, not a core module");
}

TEST(an_error_names_the_function_and_the_place)
{
	struct build b = { 0 };
	build_func(&b, NULL, ":", "", NONE);
	build_func(&b, NULL, ":i", "", B(0x42, 0));
	refused(&b,
		"function 1 at 0x22: type mismatch: expected i32, found "
		"i64");
}

TEST(exports_of_the_same_name_are_refused)
{
	struct build b = { 0 };
	build_func(&b, "f", ":", "", NONE);
	build_func(&b, "f", ":", "", NONE);
	refused(&b, "duplicate export name");
}

TEST(exports_are_found_by_name)
{
	struct build b = { 0 };
	struct made x;
	build_memory(&b, 1, 1);
	build_func(&b, "b", ":", "", NONE);
	build_func(&b, "a", ":", "", NONE);
	build_export(&b, "memory", 2, 0);
	made_init(&x, &b);
	CHECK(wasm_module_exports_func(x.m, "a"));
	CHECK(wasm_module_exports_func(x.m, "b"));
	CHECK(!wasm_module_exports_func(x.m, "c"));
	CHECK(!wasm_module_exports_func(x.m, "memory"));
	CHECK(!wasm_module_exports_func(x.m, ""));
	made_fini(&x);
}

TEST(numbers_may_be_longer_than_they_need_to_be)
{
	struct build b = { 0 };
	struct made x;
	static const uint8_t one[] = { 0 };
	build_table(&b, 1, 1);
	build_func(&b, NULL, ":i", "", B(0x41, 0x80, 0x80, 0x00));
	build_func(&b, "f", ":i", "",
		B(0x41, 0x80, 0x80, 0x80, 0x80, 0x00, 0x11, 0x80, 0x80, 0x80,
			0x80, 0x00, 0x80, 0x80, 0x80, 0x80, 0x00));
	build_elem(&b, 0, one, 1);
	made_init(&x, &b);
	CHECK_INT(made_call(&x, "f", ""), 0);
	made_fini(&x);
}

TEST(numbers_that_are_too_long_or_too_large_are_refused)
{
	struct build b = { 0 };
	build_func(&b, "f", ":i", "",
		B(0x41, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00));
	refused(&b, "integer representation too long");
	build_func(&b, "f", ":i", "", B(0x41, 0xff, 0xff, 0xff, 0xff, 0x4f));
	refused(&b, "integer too large");
}
