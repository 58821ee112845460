/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/receipt.h"

#include "crypto/key.h"

#include "../test.h"

static struct err e;

static struct attest_receipt some(void)
{
	struct attest_receipt r = { .end = 1,
		.status = 134,
		.started_ns = 5,
		.ended_ns = UINT64_MAX,
		.stdin_bytes = 1,
		.stdout_bytes = 2,
		.stderr_bytes = 3,
		.has_package = true };
	memset(r.claims, 1, 32);
	memset(r.module, 2, 32);
	memset(r.settings, 3, 32);
	memset(r.files, 4, 32);
	memset(r.package, 5, 32);
	return r;
}

TEST(a_receipt_comes_back)
{
	struct attest_receipt r = some(), s;
	auto_buf b = { 0 };
	CHECK(attest_receipt_encode(&r, &b));
	CHECK(attest_receipt_parse(buf_bytes(&b), &s, &e));
	CHECK_MEM(&r, &s, sizeof r);
}

TEST(every_truncation_and_every_flipped_bit_changes_or_ends_it)
{
	struct attest_receipt r = some(), s;
	auto_buf b = { 0 };
	CHECK(attest_receipt_encode(&r, &b));
	for (size_t n = 0; n < b.len; n++)
		CHECK(!attest_receipt_parse(bytes_of(b.ptr, n), &s, &e));
	for (size_t i = 0; i < b.len * 8; i++) {
		b.ptr[i / 8] ^= (uint8_t)(1 << i % 8);
		if (attest_receipt_parse(buf_bytes(&b), &s, &e) &&
			!memcmp(&r, &s, sizeof r))
			fail_msg("bit %zu", i);
		b.ptr[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	buf_u8(&b, 0);
	CHECK(!attest_receipt_parse(buf_bytes(&b), &s, &e));
}

TEST(only_the_key_that_signed_it_and_only_what_it_signed)
{
	struct crypto_key *k, *other;
	auto_buf sig = { 0 }, plain = { 0 };
	struct bytes said = BYTES_LIT("said"), unsaid = BYTES_LIT("unsaid");
	CHECK(crypto_key_generate(CRYPTO_P256, &k, &e));
	CHECK(crypto_key_generate(CRYPTO_P256, &other, &e));
	CHECK(attest_receipt_sign(k, said, &sig, &e));
	CHECK(attest_receipt_verify(k, said, buf_bytes(&sig), &e));
	CHECK(!attest_receipt_verify(other, said, buf_bytes(&sig), &e));
	CHECK_INT(e.kind, ERR_DENIED);
	CHECK(!attest_receipt_verify(k, unsaid, buf_bytes(&sig), &e));
	/* What the key signed for another purpose is no receipt. */
	CHECK(crypto_sign(k, said, &plain, &e));
	CHECK(!attest_receipt_verify(k, said, buf_bytes(&plain), &e));
	crypto_key_free(k);
	crypto_key_free(other);
}
