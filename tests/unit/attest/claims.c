/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/claims.h"

#include "codec/cbor.h"
#include "crypto/hash.h"

#include "../test.h"

static struct attest_claims sample(void)
{
	struct attest_claims c;
	memset(c.nonce, 0x11, 32);
	memset(c.owner, 0x22, 32);
	memset(c.spki_hash, 0x33, 32);
	return c;
}

TEST(claims_are_the_documented_cbor)
{
	struct attest_claims c = sample(), back;
	auto_buf out = { 0 }, want = { 0 };
	struct err e = { 0 };
	CHECK(attest_claims_encode(&c, &out));
	CHECK(buf_str(&want, "\xa3\x65nonce\x58\x20"));
	CHECK(buf_put(&want, BYTES_ARRAY(c.nonce)));
	CHECK(buf_str(&want, "\x65owner\x58\x20"));
	CHECK(buf_put(&want, BYTES_ARRAY(c.owner)));
	CHECK(buf_str(&want, "\x6bpubkey-hash\x58\x24\x82\x01\x58\x20"));
	CHECK(buf_put(&want, BYTES_ARRAY(c.spki_hash)));
	CHECK_INT(out.len, want.len);
	CHECK_MEM(out.ptr, want.ptr, want.len);
	CHECK(attest_claims_parse(buf_bytes(&out), &back, &e));
	CHECK_MEM(&back, &c, sizeof c);
	struct reader r = { .in = buf_bytes(&out) };
	cbor_skip(&r);
	CHECK(reader_done(&r));
}

TEST(claims_refuse_every_truncation_and_trailing_bytes)
{
	struct attest_claims c = sample(), back;
	auto_buf out = { 0 };
	struct err e = { 0 };
	CHECK(attest_claims_encode(&c, &out) && buf_u8(&out, 0));
	for (size_t n = 0; n <= out.len; n++)
		CHECK(attest_claims_parse(bytes_of(out.ptr, n), &back, &e) ==
			(n == out.len - 1));
}

TEST(claims_have_one_encoding_only)
{
	struct attest_claims c = sample();
	auto_buf out = { 0 };
	CHECK(attest_claims_encode(&c, &out));
	for (size_t bit = 0; bit < 8 * out.len; bit++) {
		struct attest_claims back;
		auto_buf again = { 0 };
		out.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (attest_claims_parse(buf_bytes(&out), &back, NULL)) {
			CHECK(memcmp(&back, &c, sizeof c) != 0);
			CHECK(attest_claims_encode(&back, &again));
			CHECK(bytes_equal(buf_bytes(&out), buf_bytes(&again)));
		}
		out.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

TEST(claims_say_what_is_missing)
{
	static const struct {
		struct bytes in;
		const char *says;
	} t[] = {
		{ BYTES_LIT(""), "map of three" },
		{ BYTES_LIT("\xa1\x61n\x00"), "map of three" },
		{ BYTES_LIT("\xa3\x65nonce\x41\x00"), "nonce" },
		{ BYTES_LIT("\xa3\x65owner\x41\x00"), "nonce" },
	};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct attest_claims c;
		struct err e = { 0 };
		CHECK(!attest_claims_parse(t[i].in, &c, &e));
		CHECK_INT(e.kind, ERR_INPUT);
		CHECK_HAS(e.text, t[i].says);
	}
}

TEST(report_data_is_the_digest_and_zeros)
{
	uint8_t rd[ATTEST_REPORT_DATA_BYTES], want[32];
	struct err e = { 0 };
	memset(rd, 0xff, sizeof rd);
	CHECK(attest_report_data(BYTES_LIT("abc"), rd, &e));
	CHECK(crypto_digest(CRYPTO_SHA256, BYTES_LIT("abc"), want, &e));
	CHECK_MEM(rd, want, 32);
	CHECK(bytes_all_zero(bytes_of(rd + 32, 32)));
}

TEST(tagged_evidence_goes_there_and_back)
{
	auto_buf out = { 0 };
	uint32_t tag = 0;
	struct bytes ev, cl;
	struct err e = { 0 };
	CHECK(attest_tagged_encode(ATTEST_TAG_SOFTWARE, BYTES_LIT("evidence"),
		BYTES_LIT("claims"), &out));
	CHECK_MEM(out.ptr,
		"\xda\x44\x4a\x53\x57\x82\x48"
		"evidence",
		15);
	CHECK(attest_tagged_parse(buf_bytes(&out), &tag, &ev, &cl, &e));
	CHECK(tag == ATTEST_TAG_SOFTWARE);
	CHECK(bytes_equal(ev, BYTES_LIT("evidence")));
	CHECK(bytes_equal(cl, BYTES_LIT("claims")));
	for (size_t n = 0; n < out.len; n++)
		CHECK(!attest_tagged_parse(bytes_of(out.ptr, n), &tag, &ev, &cl,
			&e));
	CHECK(buf_u8(&out, 0));
	CHECK(!attest_tagged_parse(buf_bytes(&out), &tag, &ev, &cl, &e));
	CHECK(!attest_tagged_parse(BYTES_LIT(
					   "\xdb\0\0\0\1\0\0\0\0\x82\x40\x40"),
		&tag, &ev, &cl, &e));
	CHECK_HAS(e.text, "unknown tag");
}
