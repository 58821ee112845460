/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure_domain.h"

#include <endian.h>

#include "../test.h"
#include "attest/measure_tdx.h"

enum { SHIM = 3 * 4096, EXEC = 4096 + 100, RESET = 0x38, EXEC_BYTES = 0x30 };

static uint8_t shim[SHIM], exec[EXEC];

static void put(uint8_t *at, uint32_t v)
{
	v = htole32(v);
	memcpy(at, &v, sizeof v);
}

static void fill(void)
{
	for (size_t i = 0; i < SHIM; i++)
		shim[i] = (uint8_t)(i / 4096 + 1);
	memset(exec, 0xee, sizeof exec);
	put(shim + EXEC_BYTES, 0);
	put(shim + RESET, 2 * 4096);
}

static bool measure(size_t len, struct buf *told, uint8_t out[48])
{
	struct err e = { 0 };
	bool ok = attest_measure_domain(bytes_of(shim, len), BYTES_ARRAY(exec),
		told, out, &e);
	CHECK(ok || e.kind == ERR_HOST);
	return ok;
}

static void page(struct attest_td_build *b, uint64_t gpa, const uint8_t *at)
{
	struct err e;
	CHECK(attest_td_add(b, gpa, &e) &&
		attest_td_extend(b, gpa, bytes_of(at, 4096), &e));
}

TEST(measure_domain_is_shim_first_page_and_exec)
{
	uint8_t got[48], want[48], last[4096] = { 0 };
	struct attest_td_build *b;
	struct buf told = { 0 };
	struct err e;
	fill();
	CHECK(measure(SHIM, &told, got));
	/* The loader's word in the head. */
	put(shim + EXEC_BYTES, EXEC);
	CHECK(attest_td_create(&b, &e));
	for (size_t i = 0; i < 3; i++)
		page(b, 0x200000 + i * 4096, shim + i * 4096);
	page(b, 0xfffff000, shim + 2 * 4096);
	page(b, 0x400000, exec);
	memcpy(last, exec + 4096, 100);
	page(b, 0x401000, last);
	CHECK(attest_td_end(b, want, &e));
	attest_td_free(b);
	CHECK_MEM(got, want, 48);
	CHECK(buf_cstr(&told) != NULL);
	CHECK_HAS(buf_cstr(&told), "add+extend 0x0000fffff000\n");
	buf_fini(&told);
}

TEST(measure_domain_wants_an_image_with_a_first_page)
{
	uint8_t got[48];
	fill();
	CHECK(!measure(0, NULL, got));
	CHECK(!measure(RESET, NULL, got));
	CHECK(!measure(SHIM - 1, NULL, got));
	put(shim + RESET, 0);
	CHECK(!measure(SHIM, NULL, got));
	put(shim + RESET, SHIM);
	CHECK(!measure(SHIM, NULL, got));
	put(shim + RESET, 4097);
	CHECK(!measure(SHIM, NULL, got));
}
