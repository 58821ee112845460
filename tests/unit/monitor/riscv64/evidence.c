/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "helpers/bench.h"
#include "spec/sanctum.h"

#include "../../test.h"

static struct sanctum_evidence made(uint8_t data)
{
	struct sanctum_evidence e;
	uint8_t report_data[64];
	memset(report_data, data, sizeof report_data);
	CHECK(evidence_make(&bench.record, &bench.enclave[0], report_data, &e));
	return e;
}

TEST(evidence_is_signed_from_the_monitor_down)
{
	uint8_t hash[64], message[sizeof SANCTUM_REPORT_LABEL - 1 + 64];
	bench_load(STEPS);
	struct sanctum_evidence e = made(0x77);
	CHECK_MEM(e.enclave_measurement, bench.enclave[0].measurement, 64);
	CHECK(crypto_digest(CRYPTO_SHA512, bytes_of(e.enclave_measurement, 96),
		hash, NULL));
	CHECK(crypto_ed25519_verify(e.sm_pk, BYTES_ARRAY(hash),
		e.enclave_attestation, NULL));
	memcpy(message, SANCTUM_REPORT_LABEL, sizeof message - 64);
	memset(message + sizeof message - 64, 0x77, 64);
	CHECK(crypto_ed25519_verify(e.enclave_pk, BYTES_ARRAY(message),
		e.report_signature, NULL));
}

TEST(evidence_for_other_data_has_another_signature)
{
	bench_load(STEPS);
	struct sanctum_evidence a = made(1), b = made(2);
	CHECK_MEM(a.enclave_pk, b.enclave_pk, 32);
	CHECK(memcmp(a.report_signature, b.report_signature, 64) != 0);
}

TEST(evidence_key_is_the_same_at_each_start_and_another_enclave_s_is_not)
{
	bench_load(STEPS);
	struct sanctum_evidence a = made(1);
	bench_load(STEPS);
	struct sanctum_evidence again = made(1);
	CHECK_MEM(&a, &again, sizeof a);
	bench_load(STEP_PAGE);
	bench_at(BENCH_OS + 0x1000)[9] ^= 1;
	for (int s = STEP_PAGE; s < STEPS; s++)
		CHECK_INT(bench_do(bench_step((enum bench_step)s)), SANCTUM_OK);
	struct sanctum_evidence other = made(1);
	CHECK(memcmp(a.enclave_pk, other.enclave_pk, 32) != 0);
	CHECK(memcmp(a.enclave_measurement, other.enclave_measurement, 64) !=
		0);
}

TEST(evidence_of_another_monitor_has_another_key)
{
	bench_load(STEP_INIT);
	bench.record.sm_seed[0] ^= 1;
	CHECK_INT(bench_do(bench_step(STEP_INIT)), SANCTUM_OK);
	struct sanctum_evidence a = made(1);
	bench_load(STEPS);
	struct sanctum_evidence b = made(1);
	CHECK(memcmp(a.enclave_pk, b.enclave_pk, 32) != 0);
}
