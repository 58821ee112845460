/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/seen.h"

#include "crypto/key.h"

#include "../test.h"

TEST(only_what_was_verified_to_the_last_bit_was_seen)
{
	static struct attest_seen s;
	struct crypto_key *k = NULL;
	struct err e = { 0 };
	auto_buf spki = { 0 }, sig = { 0 };
	uint8_t message[] = "evidence";
	CHECK(crypto_key_generate(CRYPTO_P256, &k, &e));
	CHECK(crypto_key_spki(k, &spki, &e));
	CHECK(crypto_sign(k, BYTES_ARRAY(message), &sig, &e));
	crypto_key_free(k);
	CHECK(attest_seen_p256(&s, buf_bytes(&spki), BYTES_ARRAY(message),
		buf_bytes(&sig), &e));
	CHECK_INT(s.count, 1);
	CHECK(attest_seen_p256(&s, buf_bytes(&spki), BYTES_ARRAY(message),
		buf_bytes(&sig), &e));
	CHECK_INT(s.count, 1);
	message[0] ^= 1;
	CHECK(!attest_seen_p256(&s, buf_bytes(&spki), BYTES_ARRAY(message),
		buf_bytes(&sig), &e));
	CHECK_INT(s.count, 1); /* a failure is not remembered */
	message[0] ^= 1;
	sig.ptr[9] ^= 1;
	CHECK(!attest_seen_p256(&s, buf_bytes(&spki), BYTES_ARRAY(message),
		buf_bytes(&sig), &e));
}

TEST(parts_do_not_run_into_each_other)
{
	uint8_t a[32], b[32];
	CHECK(attest_seen_digest(BYTES_LIT("ab"), BYTES_LIT("c"),
		BYTES_LIT("d"), a));
	CHECK(attest_seen_digest(BYTES_LIT("a"), BYTES_LIT("bc"),
		BYTES_LIT("d"), b));
	CHECK(memcmp(a, b, 32) != 0);
}

TEST(the_oldest_make_room)
{
	static struct attest_seen s;
	uint8_t d[32] = { 0 };
	for (unsigned i = 0; i <= ATTEST_SEEN_MAX; i++) {
		d[0] = (uint8_t)i;
		attest_seen_add(&s, d);
	}
	CHECK_INT(s.count, ATTEST_SEEN_MAX);
	d[0] = 0;
	CHECK(!attest_seen_has(&s, d));
	d[0] = 1;
	CHECK(attest_seen_has(&s, d));
	CHECK(!attest_seen_has(NULL, d));
}
