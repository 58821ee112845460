/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure_monitor.h"

#include "base/buf.h"
#include "crypto/hash.h"

#include "../test.h"

enum { PAGE = 4096, MONITOR = 0x1ff000 };

static void put_zeros(struct buf *b, size_t n)
{
	static const uint8_t zeros[PAGE];
	for (; n; n -= size_min(n, PAGE))
		CHECK(buf_put(b, bytes_of(zeros, size_min(n, PAGE))));
}

static void check_digest(enum crypto_alg alg, const struct buf *all,
	const uint8_t have[64])
{
	uint8_t want[64];
	CHECK(crypto_digest(alg, buf_bytes(all), want, NULL));
	CHECK_MEM(have, want, 64);
}

TEST(keystone_monitors_are_hashed_with_the_zeros_behind)
{
	uint8_t hash[64];
	struct err e = { 0 };
	auto_buf all = { 0 };
	CHECK(attest_keystone_monitor(BYTES_LIT("monitor"), hash, &e));
	CHECK(buf_str(&all, "monitor"));
	put_zeros(&all, MONITOR - all.len);
	check_digest(CRYPTO_SHA3_512, &all, hash);
	CHECK(attest_keystone_monitor(buf_bytes(&all), hash, &e));
	check_digest(CRYPTO_SHA3_512, &all, hash);
	CHECK(buf_u8(&all, 0));
	CHECK(!attest_keystone_monitor(buf_bytes(&all), hash, &e));
	CHECK(!attest_keystone_monitor(BYTES_NONE, hash, &e));
	CHECK_HAS(e.text, "monitor: 0 bytes");
}

TEST(keystone_enclaves_are_sizes_and_whole_pages)
{
	uint8_t hash[64], other[64];
	struct err e = { 0 };
	auto_buf all = { 0 }, app = { 0 };
	put_zeros(&app, PAGE);
	CHECK(buf_str(&app, "app"));
	CHECK(attest_keystone_enclave(BYTES_LIT("loader"), BYTES_LIT("runtime"),
		buf_bytes(&app), hash, &e));
	CHECK(buf_u64le(&all, PAGE) && buf_u64le(&all, PAGE) &&
		buf_u64le(&all, 2 * PAGE));
	buf_str(&all, "loader");
	put_zeros(&all, PAGE - 6);
	buf_str(&all, "runtime");
	put_zeros(&all, PAGE - 7);
	buf_put(&all, buf_bytes(&app));
	put_zeros(&all, PAGE - 3);
	check_digest(CRYPTO_SHA3_512, &all, hash);
	/* Where one file ends is measured too. */
	CHECK(attest_keystone_enclave(BYTES_NONE, BYTES_LIT("loader"),
		buf_bytes(&app), other, &e));
	CHECK(memcmp(hash, other, sizeof hash) != 0);
}

static struct attest_sanctum_build *created(bool debug)
{
	struct attest_sanctum_build *b = NULL;
	CHECK(attest_sanctum_create(0x1000, 0xfff, 2, debug, &b, NULL));
	return b;
}

TEST(sanctum_enclaves_are_the_monitors_calls_in_their_order)
{
	static const uint8_t page[PAGE] = { 5 };
	struct attest_sanctum_build *b = created(true);
	uint8_t hash[64];
	struct err e = { 0 };
	auto_buf all = { 0 };
	CHECK(attest_sanctum_handler(b, BYTES_LIT("handler"), &e) &&
		attest_sanctum_table(b, 0x2000, 3, 1, &e) &&
		attest_sanctum_table(b, 0x3000, 0, 7, &e) &&
		attest_sanctum_page(b, 0x4000, 0xf, BYTES_ARRAY(page), &e) &&
		attest_sanctum_thread(b, 11, 12, 13, &e) &&
		attest_sanctum_end(b, hash, &e));
	attest_sanctum_free(b);
	const uint64_t head[] = { 0x1000, 0xfff, 2 };
	const uint64_t tables[] = { 0x2000, 3, 1, 0x3000, 0, 7, 0x4000, 0xf };
	for (size_t i = 0; i < ARRAY_LEN(head); i++)
		buf_u64le(&all, head[i]);
	buf_u8(&all, 1);
	buf_str(&all, "handler");
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		buf_u64le(&all, tables[i]);
	buf_put(&all, BYTES_ARRAY(page));
	for (uint64_t i = 11; i <= 13; i++)
		CHECK(buf_u64le(&all, i));
	check_digest(CRYPTO_SHA512, &all, hash);
}

TEST(sanctum_calls_that_the_monitor_would_refuse_are_refused)
{
	static const uint8_t page[PAGE] = { 5 };
	struct attest_sanctum_build *b = created(false);
	uint8_t hash[64];
	struct err e = { 0 };
	CHECK(!attest_sanctum_table(b, 0x2000, 0, 1, &e));
	CHECK(!attest_sanctum_page(b, 0x2000, 1, BYTES_ARRAY(page), &e));
	CHECK(attest_sanctum_handler(b, BYTES_LIT("handler"), &e));
	CHECK(!attest_sanctum_handler(b, BYTES_LIT("handler"), &e));
	CHECK(!attest_sanctum_table(b, 0x2000, 4, 1, &e));
	CHECK(!attest_sanctum_end(b, hash, &e));
	CHECK(!attest_sanctum_page(b, 0x2001, 1, BYTES_ARRAY(page), &e));
	CHECK(!attest_sanctum_page(b, 0x2000, 1, BYTES_LIT("short"), &e));
	CHECK(attest_sanctum_page(b, 0x2000, 1, BYTES_ARRAY(page), &e));
	CHECK(!attest_sanctum_table(b, 0x3000, 0, 1, &e));
	CHECK(attest_sanctum_end(b, hash, &e));
	attest_sanctum_free(b);
}
