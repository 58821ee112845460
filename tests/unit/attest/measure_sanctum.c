/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure_sanctum.h"

#include <endian.h>

#include "attest/measure_monitor.h"
#include "crypto/hash.h"

#include "../test.h"

enum { PAGE = 4096, V = 1, R = 2, W = 4, X = 8 };

#define EV   0xffffffff80000000ull
#define SHIM (EV + 0x200000)
#define EXEC (EV + 0x400000)

static uint8_t shim[3 * PAGE], monitor[64], exec[PAGE + 5];

static void put(uint8_t *at, uint64_t v, size_t n)
{
	v = htole64(v);
	memcpy(at, &v, n);
}

static void make(void)
{
	memset(shim, 3, sizeof shim);
	memset(exec, 4, sizeof exec);
	memset(monitor, 5, sizeof monitor);
	put(shim + 0x0c, PAGE, 4);     /* code */
	put(shim + 0x10, PAGE, 4);     /* constants */
	put(shim + 0x14, 3 * PAGE, 4); /* the stack's end */
	put(shim + 0x18, SHIM + 64, 8);
	put(shim + 0x20, 0, 8);
	put(monitor + 0x0c, 40, 4);
	put(monitor + 0x10, 24, 4);
}

static bool measure(uint8_t out[64], uint8_t of_monitor[64])
{
	struct err e = { 0 };
	return attest_measure_sanctum(BYTES_ARRAY(shim), BYTES_ARRAY(exec),
		BYTES_ARRAY(monitor), NULL, out, of_monitor, &e);
}

/* The calls that docs/tee/sanctum.md says, one by one. */
TEST(measure_sanctum_is_what_the_calls_of_a_launch_measure)
{
	static const uint64_t rights[] = { V | R | X, V | R, V | R | W };
	struct attest_sanctum_build *b;
	uint8_t got[64], want[64], hash[64], page[PAGE];
	make();
	CHECK(measure(got, hash));
	CHECK(crypto_digest(CRYPTO_SHA512, BYTES_ARRAY(monitor), want, NULL));
	CHECK_MEM(hash, want, 64);
	put(shim + 0x20, sizeof exec, 4);
	CHECK(attest_sanctum_create(EV, EV, 0, false, &b, NULL));
	CHECK(attest_sanctum_handler(b, bytes_of(monitor + 40, 24), NULL));
	CHECK(attest_sanctum_table(b, EV, 3, V, NULL) &&
		attest_sanctum_table(b, EV, 2, V, NULL));
	for (uint64_t at = 0; at < 3; at++)
		CHECK(attest_sanctum_table(b, EV + at * 0x200000, 1, V, NULL));
	for (size_t i = 0; i < ARRAY_LEN(rights); i++)
		CHECK(attest_sanctum_page(b, SHIM + i * PAGE, rights[i],
			bytes_of(shim + i * PAGE, PAGE), NULL));
	CHECK(attest_sanctum_page(b, EXEC, V | R, bytes_of(exec, PAGE), NULL));
	memset(page, 0, sizeof page);
	memcpy(page, exec + PAGE, 5);
	CHECK(attest_sanctum_page(b, EXEC + PAGE, V | R, BYTES_ARRAY(page),
		NULL));
	CHECK(attest_sanctum_thread(b, SHIM + 64, SHIM + 3 * PAGE, 0, NULL));
	CHECK(attest_sanctum_end(b, want, NULL));
	attest_sanctum_free(b);
	CHECK_MEM(got, want, 64);
}

TEST(measure_sanctum_changes_with_every_byte_of_a_head)
{
	uint8_t got[64], first[64], hash[64];
	make();
	CHECK(measure(first, hash));
	for (size_t i = 0; i < 0x20; i++) {
		make();
		shim[i] ^= 1;
		if (measure(got, hash))
			CHECK(memcmp(got, first, 64) != 0);
	}
}

TEST(measure_sanctum_refuses_images_that_are_none)
{
	static const struct {
		size_t at;
		uint64_t value;
	} heads[] = { { 0x0c, 65 }, { 0x0c, UINT32_MAX }, { 0x10, 25 },
		{ 0x10, UINT32_MAX }, { 0x10, 0 } };
	uint8_t out[64], hash[64];
	struct err e;
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		make();
		put(monitor + heads[i].at, heads[i].value, 4);
		CHECK(!measure(out, hash));
	}
	make();
	for (size_t n = 0; n < sizeof shim; n += 511)
		CHECK(n % PAGE == 0 && n ?
				true :
				!attest_measure_sanctum(bytes_of(shim, n),
					BYTES_ARRAY(exec), BYTES_ARRAY(monitor),
					NULL, out, hash, &e));
	for (size_t n = 0; n < 64; n++)
		CHECK(!attest_measure_sanctum(BYTES_ARRAY(shim),
			BYTES_ARRAY(exec), bytes_of(monitor, n), NULL, out,
			hash, &e));
}
