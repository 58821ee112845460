/* SPDX-License-Identifier: Apache-2.0 */
#include "esm/fdt.h"

#include "../test.h"

static void make(struct buf *out)
{
	struct fdt_out o = { 0 };
	fdt_begin(&o, "");
	fdt_property_u32(&o, "same", 1);
	fdt_begin(&o, "a");
	fdt_property_u32(&o, "same", 2);
	fdt_begin(&o, "b");
	fdt_property_u64(&o, "same", 3);
	fdt_property(&o, "text", BYTES_LIT("odd"));
	fdt_end(&o);
	fdt_end(&o);
	fdt_begin(&o, "ab");
	fdt_property_u32(&o, "same", 4);
	fdt_begin(&o, "b");
	fdt_property_u32(&o, "same", 5);
	fdt_end(&o);
	fdt_end(&o);
	fdt_end(&o);
	CHECK(fdt_finish(&o, out, NULL));
}

static uint64_t number(const struct fdt *t, const char *path)
{
	uint64_t n = 0;
	return fdt_number(t, path, "same", &n) ? n : 0;
}

TEST(fdt_finds_a_property_in_its_own_node_alone)
{
	auto_buf b = { .len = 0 };
	struct bytes v;
	struct fdt t;
	make(&b);
	CHECK(fdt_open(buf_bytes(&b), &t, NULL));
	CHECK_INT(number(&t, "/"), 1);
	CHECK_INT(number(&t, "/a"), 2);
	CHECK_INT(number(&t, "/a/b"), 3);
	CHECK_INT(number(&t, "/ab"), 4);
	CHECK_INT(number(&t, "/ab/b"), 5);
	CHECK_INT(number(&t, "/b"), 0);
	CHECK_INT(number(&t, "/a/b/c"), 0);
	CHECK_INT(number(&t, "/abc"), 0);
	CHECK(fdt_find(&t, "/a/b", "text", &v));
	CHECK(bytes_equal(v, BYTES_LIT("odd")));
	CHECK(!fdt_find(&t, "/a", "text", &v));
	CHECK(!fdt_find(&t, "/a/b", "tex", &v));
	CHECK(!fdt_number(&t, "/a/b", "text", &(uint64_t){ 0 }));
}

TEST(fdt_refuses_every_truncation)
{
	auto_buf b = { .len = 0 };
	make(&b);
	for (size_t n = 0; n < b.len; n++) {
		struct fdt t;
		struct err e = { 0 };
		CHECK(!fdt_open(bytes_of(b.ptr, n), &t, &e));
		CHECK_INT(e.kind, ERR_INPUT);
	}
}

/* Whatever is wrong in it, nothing outside is read (sanitizers look). */
TEST(fdt_survives_every_changed_byte)
{
	auto_buf b = { .len = 0 };
	make(&b);
	for (size_t i = 0; i < b.len; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			struct fdt t;
			b.ptr[i] ^= (uint8_t)(1u << bit);
			if (fdt_open(buf_bytes(&b), &t, NULL))
				(void)number(&t, "/ab/b");
			b.ptr[i] ^= (uint8_t)(1u << bit);
		}
}

TEST(fdt_a_tree_that_closes_more_than_it_opens_has_nothing)
{
	static const uint8_t tree[] = { 0, 0, 0, 2, 0, 0, 0, 9 };
	const struct fdt t = { .structure = BYTES_ARRAY(tree) };
	CHECK_INT(number(&t, "/"), 0);
}
