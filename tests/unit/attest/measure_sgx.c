/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/measure_sgx.h"

#include "codec/hex.h"

#include "../test.h"
#include "helpers/vectors.h"

#define STREAM "open/sgx/fortanix-test-enclave.sgxs"
#define SIG    "open/sgx/fortanix-test-enclave.sigstruct.bin"

TEST(sgx_measurement_of_a_stream_is_its_signers)
{
	struct attest_sigstruct s;
	uint8_t mrenclave[32];
	char hex[65];
	struct err e = { 0 };
	auto_buf sgxs = { 0 }, sig = { 0 };
	if (!vectors_read(STREAM, &sgxs) || !vectors_read(SIG, &sig))
		SKIP_TEST("no vectors: DONJON_SHARED is absent");
	if (!attest_sgx_stream(buf_bytes(&sgxs), NULL, NULL, mrenclave, &e) ||
		!attest_sigstruct_check(buf_bytes(&sig), &s, &e))
		fail_msg("%s", e.text);
	CHECK_MEM(mrenclave, s.mrenclave, 32);
	hex_encode(BYTES_ARRAY(s.mrsigner), hex);
	CHECK_STR(hex,
		"fb4bab3d6036ac1d730fa83d7366df1dd2dfeac194ef335d6854d8a6c64755"
		"42");
	CHECK_INT(s.isvprodid, 65535);
	CHECK_INT(s.isvsvn, 0);
	for (size_t n = 0; n < sgxs.len; n += 97)
		if (n % 64 || n < 64) /* between records a stream may end */
			CHECK(!attest_sgx_stream(bytes_of(sgxs.ptr, n), NULL,
				      NULL, mrenclave, &e) ||
				memcmp(mrenclave, s.mrenclave, 32) != 0);
}

TEST(sgx_signatures_are_refused_at_every_byte_changed)
{
	struct attest_sigstruct s;
	auto_buf sig = { 0 };
	if (!vectors_read(SIG, &sig))
		SKIP_TEST("no vectors: DONJON_SHARED is absent");
	for (size_t i = 0; i < sig.len; i++) {
		sig.ptr[i] ^= (uint8_t)(1u << i % 8);
		CHECK(!attest_sigstruct_check(buf_bytes(&sig), &s, NULL));
		sig.ptr[i] ^= (uint8_t)(1u << i % 8);
	}
	CHECK(attest_sigstruct_check(buf_bytes(&sig), &s, NULL));
	sig.len--;
	CHECK(!attest_sigstruct_check(buf_bytes(&sig), &s, NULL));
}

TEST(sgx_builds_are_measured_as_their_records)
{
	static const uint8_t page[4096] = { 0x90 };
	struct attest_sgx_build *b;
	uint8_t built[32], streamed[32];
	struct err e = { 0 };
	auto_buf s = { 0 };
	uint8_t r[64] = "ECREATE";
	CHECK(!attest_sgx_create(1, 0x3000, &b, &e));
	CHECK(attest_sgx_create(1, 0x4000, &b, &e));
	CHECK(attest_sgx_add(b, 0x1000, ATTEST_SGX_REG | ATTEST_SGX_R,
		BYTES_ARRAY(page), true, &e));
	CHECK(attest_sgx_add(b, 0x2000, ATTEST_SGX_TCS, BYTES_ARRAY(page),
		false, &e));
	CHECK(!attest_sgx_add(b, 0x4000, ATTEST_SGX_REG, BYTES_ARRAY(page),
		true, &e));
	CHECK(attest_sgx_end(b, built, &e));
	attest_sgx_free(b);
	r[8] = 1;
	r[13] = 0x40;
	buf_put(&s, BYTES_ARRAY(r));
	memset(r, 0, sizeof r);
	memcpy(r, "EADD", 4);
	r[9] = 0x10;
	r[16] = ATTEST_SGX_R;
	r[17] = ATTEST_SGX_REG >> 8;
	buf_put(&s, BYTES_ARRAY(r));
	for (size_t i = 0; i < 16; i++) {
		memset(r, 0, sizeof r);
		memcpy(r, "EEXTEND", 7);
		r[9] = (uint8_t)(0x10 + i);
		buf_put(&s, BYTES_ARRAY(r));
		buf_put(&s, bytes_of(page + 256 * i, 256));
	}
	memset(r, 0, sizeof r);
	memcpy(r, "EADD", 4);
	r[9] = 0x20;
	r[17] = ATTEST_SGX_TCS >> 8;
	buf_put(&s, BYTES_ARRAY(r));
	CHECK(buf_ok(&s));
	if (!attest_sgx_stream(buf_bytes(&s), NULL, NULL, streamed, &e))
		fail_msg("%s", e.text);
	CHECK_MEM(built, streamed, 32);
}
