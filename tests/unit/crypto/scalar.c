/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/key.h"

#include "../test.h"

TEST(scalar_and_key_are_the_same_thing)
{
	uint8_t scalar[CRYPTO_SCALAR_BYTES], a[32], b[32];
	struct crypto_key *k, *back;
	CHECK(crypto_key_generate(CRYPTO_P256, &k, NULL));
	CHECK(crypto_key_scalar(k, scalar, NULL));
	CHECK(crypto_key_from_scalar(scalar, &back, NULL));
	CHECK(crypto_key_fingerprint(k, a, NULL));
	CHECK(crypto_key_fingerprint(back, b, NULL));
	CHECK_MEM(a, b, sizeof a);
	auto_buf sig = { .len = 0 };
	CHECK(crypto_sign(back, BYTES_LIT("m"), &sig, NULL));
	CHECK(crypto_verify(k, BYTES_LIT("m"), buf_bytes(&sig), NULL));
	crypto_key_free(k);
	crypto_key_free(back);
}

TEST(scalar_that_is_no_private_number_is_refused)
{
	uint8_t scalar[CRYPTO_SCALAR_BYTES] = { 0 };
	struct crypto_key *k;
	struct err e = { 0 };
	CHECK(!crypto_key_from_scalar(scalar, &k, &e));
	CHECK_INT(e.kind, ERR_INPUT);
	memset(scalar, 0xff, sizeof scalar);
	CHECK(!crypto_key_from_scalar(scalar, &k, &e));
	CHECK(crypto_key_generate(CRYPTO_P384, &k, NULL));
	CHECK(!crypto_key_scalar(k, scalar, &e));
	crypto_key_free(k);
}
