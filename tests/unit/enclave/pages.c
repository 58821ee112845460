/* SPDX-License-Identifier: Apache-2.0 */
/* The pages of an enclave out of two small images. */
#include "enclave/pages.h"

#include <stdlib.h>

#include "../test.h"
#include "abi/enclave.h"
#include "attest/measure_enclave.h"
#include "spec/sgx_enclave.h"

enum { SHIM_PAGES = 7, EXEC_BYTES = 0x3100 };

static uint8_t shim[SHIM_PAGES * PAGE_BYTES], exec_[EXEC_BYTES];

static void put(size_t at, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		exec_[at + i] = (uint8_t)(v >> 8 * i);
}

static void put_segment(unsigned i, uint32_t flags, uint64_t offset,
	uint64_t start, uint64_t in_file, uint64_t bytes)
{
	size_t at = 64 + 56 * i;
	put(at, 1, 4);
	put(at + 4, flags, 4);
	put(at + 8, offset, 8);
	put(at + 16, start, 8);
	put(at + 32, in_file, 8);
	put(at + 40, bytes, 8);
}

/* Text, constants, data with a TCS, two guards; code and data of exec's. */
static void make(void)
{
	const struct enclave_head h = { .magic = ENCLAVE_MAGIC,
		.version = ENCLAVE_VERSION,
		.bytes = sizeof shim,
		.text_bytes = PAGE_BYTES,
		.rodata_bytes = PAGE_BYTES,
		.tcs_at = 3 * PAGE_BYTES,
		.guards = { 4 * PAGE_BYTES, 5 * PAGE_BYTES } };
	static const uint8_t ident[7] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	memset(shim, 0x11, sizeof shim);
	memset(shim, 0, sizeof h);
	memcpy(shim, &h, sizeof h);
	memset(exec_, 0, sizeof exec_);
	memcpy(exec_, ident, sizeof ident);
	put(16, 3, 2);
	put(18, 62, 2);
	put(24, 0x1010, 8);
	put(32, 64, 8);
	put(54, 56, 2);
	put(56, 3, 2);
	put_segment(0, 4, 0, 0, 0x200, 0x200);
	put_segment(1, 5, 0x1000, 0x1000, 0x1800, 0x1800);
	put_segment(2, 6, 0x3000, 0x4000, 0x100, 0x1800);
	memset(exec_ + 0x1000, 0x22, 0x1800);
	memset(exec_ + 0x3000, 0x33, 0x100);
}

struct seen {
	size_t count, limit;
	struct {
		uint64_t offset, flags;
		uint8_t first;
		bool measured;
	} page[64];
};

static bool see(void *ctx, const struct enclave_page *p, struct err *e)
{
	struct seen *s = ctx;
	if (s->count == s->limit)
		return err_fail(e, ERR_LIMIT, "enough");
	if (s->count < ARRAY_LEN(s->page)) {
		s->page[s->count].offset = p->offset;
		s->page[s->count].flags = p->flags;
		s->page[s->count].first = p->contents[PAGE_BYTES - 1];
		s->page[s->count].measured = p->measured;
	}
	s->count++;
	return true;
}

static bool walk(size_t shim_len, size_t exec_len, uint32_t heap,
	struct seen *s, struct err *e)
{
	*s = (struct seen){ .limit = SIZE_MAX };
	return enclave_pages(bytes_of(shim, shim_len),
		bytes_of(exec_, exec_len), heap, see, s, e);
}

TEST(pages_stand_where_they_shall_with_their_rights)
{
	static struct seen s;
	struct err e = { 0 };
	const uint64_t reg = SGX_PAGE_TYPE(SGX_PT_REG) | SGX_PAGE_R;
	const struct {
		uint64_t offset, flags;
	} want[] = {
		{ 0, reg | SGX_PAGE_X },
		{ 0x1000, reg },
		{ 0x2000, reg | SGX_PAGE_W },
		{ 0x3000, SGX_PAGE_TYPE(SGX_PT_TCS) },
		{ 0x6000, reg | SGX_PAGE_W },
		{ ENCLAVE_EXEC_AT, reg },
		{ ENCLAVE_EXEC_AT + 0x1000, reg | SGX_PAGE_X },
		{ ENCLAVE_EXEC_AT + 0x2000, reg | SGX_PAGE_X },
		{ ENCLAVE_EXEC_AT + 0x4000, reg | SGX_PAGE_W },
		{ ENCLAVE_EXEC_AT + 0x5000, reg | SGX_PAGE_W },
	};
	make();
	if (!walk(sizeof shim, sizeof exec_, 0, &s, &e))
		fail_msg("%s", e.text);
	CHECK_INT(s.count, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		CHECK_INT(s.page[i].offset, want[i].offset);
		CHECK_INT(s.page[i].flags, want[i].flags);
		CHECK(s.page[i].measured);
	}
	/* A whole page of the file, one that ends in zeros. */
	CHECK_INT(s.page[6].first, 0x22);
	CHECK_INT(s.page[7].first, 0);
}

TEST(pages_of_a_fixed_heap_are_there_but_not_measured)
{
	static struct seen s;
	struct err e = { 0 };
	make();
	CHECK(walk(sizeof shim, sizeof exec_, 2 * PAGE_BYTES, &s, &e));
	/* Notes for 256 MiB and two pages, 32 MiB each; then the heap. */
	CHECK_INT(s.count, 10 + 9 + 2);
	CHECK_INT(s.page[10].offset, ENCLAVE_MAPS_AT);
	CHECK(s.page[18].measured);
	CHECK_INT(s.page[19].offset, ENCLAVE_HEAP_AT);
	CHECK(!s.page[19].measured && !s.page[20].measured);
	CHECK(!walk(sizeof shim, sizeof exec_, 100, &s, &e));
}

TEST(pages_refuse_images_that_are_none)
{
	static struct seen s;
	struct err e;
	static const struct {
		bool exec;
		size_t at;
		uint8_t with;
	} rows[] = {
		{ false, 0, 1 },
		{ false, 4, 3 },
		{ false, 9, 0x10 },
		{ false, 12, 1 },
		{ false, 16, 1 },
		{ false, 21, 0x40 },
		{ false, 25, 0x80 },
		{ false, 32, 1 },
		{ true, 0, 1 },
		{ true, 16, 1 },
		{ true, 18, 1 },
		{ true, 54, 1 },
		{ true, 37, 1 },
		{ true, 57, 1 },
		{ true, 124, 2 },
		{ true, 64 + 56 + 16, 1 },
		{ true, 64 + 56 + 12, 1 },
		{ true, 64 + 56 + 37, 1 },
		{ true, 64 + 112 + 17, 0x60 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		make();
		(rows[i].exec ? exec_ : shim)[rows[i].at] ^= rows[i].with;
		if (walk(sizeof shim, sizeof exec_, 0, &s, &e))
			fail_msg("row %zu", i);
	}
}

TEST(pages_refuse_every_truncation)
{
	static struct seen s;
	make();
	for (size_t n = 0; n < sizeof shim; n += 7)
		CHECK(!walk(n, sizeof exec_, 0, &s, NULL));
	for (size_t n = 0; n < sizeof exec_; n += 5)
		CHECK(!walk(sizeof shim, n, 0, &s, NULL));
}

TEST(pages_stop_when_somebody_has_enough)
{
	static struct seen s;
	struct err e = { 0 };
	make();
	for (size_t n = 0; n < 10; n++) {
		s = (struct seen){ .limit = n };
		CHECK(!enclave_pages(BYTES_ARRAY(shim), BYTES_ARRAY(exec_), 0,
			see, &s, &e));
		CHECK_INT(s.count, n);
	}
}

TEST(measure_is_what_the_verifier_measures)
{
	uint8_t a[32], b[32];
	struct err e = { 0 };
	static const uint32_t heaps[] = { 0, 3 * PAGE_BYTES };
	make();
	for (size_t i = 0; i < ARRAY_LEN(heaps); i++) {
		CHECK(enclave_measure(BYTES_ARRAY(shim), BYTES_ARRAY(exec_),
			heaps[i], a, &e));
		CHECK(attest_measure_enclave(BYTES_ARRAY(shim),
			BYTES_ARRAY(exec_), heaps[i], NULL, b, &e));
		CHECK_MEM(a, b, sizeof a);
	}
}

TEST(pages_of_a_fixed_heap_are_as_many_as_the_limit_asks_for)
{
	static const struct {
		uint64_t asked, usable;
		uint32_t heap;
	} rows[] = {
		{ 16ull << 20, 16ull << 20, 64u << 20 },
		{ 48ull << 20, 48ull << 20, 64u << 20 },
		{ (48ull << 20) + 1, (48ull << 20) + 1, 192u << 20 },
		{ 256ull << 20, 256ull << 20, 512u << 20 },
		/* More than there can be. */
		{ 1ull << 30, 496ull << 20, 512u << 20 },
		{ UINT64_MAX, 496ull << 20, 512u << 20 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t memory = rows[i].asked;
		CHECK_INT(enclave_heap_for(&memory), rows[i].heap);
		CHECK_INT(memory, rows[i].usable);
	}
}
