/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hash.h"
#include <stdio.h>

#include "../test.h"

static void to_hex(const uint8_t *in, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", in[i]);
}

/* FIPS 180-4's "abc" and the empty message. */
static const struct {
	enum crypto_alg alg;
	const char *in, *hex;
} digests[] = {
	{ CRYPTO_SHA256, "abc",
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"
		"f20015ad" },
	{ CRYPTO_SHA256, "",
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b"
		"7852b855" },
	{ CRYPTO_SHA384, "abc",
		"cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a"
		"43ff5bed8086072ba1e7cc2358baeca134c825a7" },
	{ CRYPTO_SHA512, "abc",
		"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee6"
		"4b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e"
		"2a9ac94fa54ca49f" },
};

TEST(digests_are_those_of_the_standard)
{
	for (size_t i = 0; i < ARRAY_LEN(digests); i++) {
		uint8_t out[CRYPTO_DIGEST_MAX];
		char hex[2 * CRYPTO_DIGEST_MAX + 1];
		struct err e;
		CHECK(crypto_digest(digests[i].alg, bytes_str(digests[i].in),
			out, &e));
		to_hex(out, crypto_digest_len(digests[i].alg), hex);
		CHECK_STR(hex, digests[i].hex);
	}
}

TEST(a_digest_in_pieces_is_the_digest_of_the_whole)
{
	uint8_t data[300], whole[48], pieces[48];
	struct crypto_hash *h;
	struct err e;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 7);
	CHECK(crypto_digest(CRYPTO_SHA384, BYTES_ARRAY(data), whole, &e));
	CHECK(crypto_hash_new(CRYPTO_SHA384, &h, &e));
	for (size_t at = 0; at < sizeof data; at += 100)
		CHECK(crypto_hash_add(h, bytes_of(data + at, 100), &e));
	CHECK(crypto_hash_add(h, BYTES_NONE, &e));
	CHECK(crypto_hash_end(h, pieces, &e));
	crypto_hash_free(h);
	CHECK_MEM(whole, pieces, 48);
}

TEST(randomness_fills_the_whole_span_and_differs)
{
	uint8_t a[64] = { 0 }, b[64] = { 0 };
	struct err e;
	CHECK(crypto_random(a, sizeof a, &e));
	CHECK(crypto_random(b, sizeof b, &e));
	CHECK(memcmp(a, b, sizeof a) != 0);
	CHECK(!bytes_all_zero(bytes_of(a, 32)));
	CHECK(!bytes_all_zero(bytes_of(a + 32, 32)));
}

TEST(equal_means_same_length_and_same_bytes)
{
	CHECK(crypto_equal(BYTES_LIT("abc"), BYTES_LIT("abc")));
	CHECK(!crypto_equal(BYTES_LIT("abc"), BYTES_LIT("abd")));
	CHECK(!crypto_equal(BYTES_LIT("abc"), BYTES_LIT("ab")));
	CHECK(crypto_equal(BYTES_NONE, BYTES_NONE));
}

TEST(zero_wipes)
{
	uint8_t a[16];
	memset(a, 7, sizeof a);
	crypto_zero(a, sizeof a);
	CHECK(bytes_all_zero(BYTES_ARRAY(a)));
	crypto_zero(NULL, 0);
}
