/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/keystone.h"

#include <endian.h>

#include "attest/attest.h"
#include "codec/hex.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"

#include "../test.h"
#include "helpers/vectors.h"

enum { DATA = 64, TAIL_AT = 72 + DATA, TAIL_END = 72 + KEYSTONE_DATA_MAX };

static const uint8_t device[32] = { 2 }, monitor[32] = { 3 };

static void sign(const uint8_t seed[32], struct bytes message, uint8_t sig[64])
{
	CHECK(crypto_ed25519_sign(seed, message, sig, NULL));
}

static struct keystone_report made(const uint8_t monitor_seed[32])
{
	struct keystone_report v = { .data_len = htole64(DATA) };
	memset(v.enclave_hash, 0x52, 64);
	memset(v.sm_hash, 0x51, 64);
	memset(v.data, 0x53, DATA);
	CHECK(crypto_ed25519_public(device, v.dev_public_key, NULL) &&
		crypto_ed25519_public(monitor_seed, v.sm_public_key, NULL));
	sign(device, bytes_of(v.sm_hash, 96), v.sm_signature);
	sign(monitor_seed, bytes_of(&v, 72 + DATA), v.enclave_signature);
	return v;
}

/* Hash and monitor as above, the device by `key`; more lines of [keystone]. */
static struct attest_policy *policy(const struct keystone_report *v,
	bool software, const char *more)
{
	char key[65], hash[65], enclave[129], sm[129];
	uint8_t digest[32];
	struct attest_policy *p;
	struct err e = { 0 };
	auto_buf t = { 0 };
	CHECK(crypto_digest(CRYPTO_SHA256, BYTES_ARRAY(v->dev_public_key),
		digest, NULL));
	hex_encode(BYTES_ARRAY(v->dev_public_key), key);
	hex_encode(BYTES_ARRAY(digest), hash);
	hex_encode(BYTES_ARRAY(v->enclave_hash), enclave);
	hex_encode(BYTES_ARRAY(v->sm_hash), sm);
	if (software)
		buf_fmt(&t, "software = [\"%s\"]\n[keystone]\n", hash);
	else
		buf_fmt(&t, "[keystone]\ndevice_keys = [\"%s\"]\n", key);
	CHECK(buf_fmt(&t, "measurements = [\"%s\"]\nmonitors = [\"%s\"]\n%s",
		enclave, sm, more));
	if (!attest_policy_parse(buf_bytes(&t), "p", NULL, 0, &p, &e))
		fail_msg("%s", e.text);
	return p;
}

static const char *judge(const struct keystone_report *v, size_t len,
	const struct attest_policy *p, struct attest_verdict *out)
{
	static struct buf failed;
	uint8_t want[DATA];
	memset(want, 0x53, sizeof want);
	struct attest_input in = { .evidence = bytes_of(v, len),
		.binding = ATTEST_BIND_NOTHING,
		.report_data = BYTES_ARRAY(want) };
	CHECK(attest_verify(&in, p, out, NULL));
	vectors_failed(out, &failed);
	return buf_cstr(&failed);
}

TEST(keystone_reports_are_trusted_from_the_devices_key)
{
	static struct attest_verdict v;
	struct keystone_report r = made(monitor);
	struct attest_policy *p = policy(&r, false, "");
	CHECK_STR(judge(&r, sizeof r, p, &v), "");
	CHECK(v.accepted && v.confidential);
	CHECK_STR(v.technology, "keystone");
	attest_policy_free(p);
	CHECK(attest_policy_default(NULL, 0, &p, NULL));
	CHECK_STR(judge(&r, sizeof r, p, &v),
		"vendor root monitor measurement ");
	attest_policy_free(p);
}

TEST(keystone_reports_under_a_software_root_are_never_confidential)
{
	static struct attest_verdict v;
	struct keystone_report r = made(monitor);
	struct attest_policy *p = policy(&r, true, "");
	CHECK_STR(judge(&r, sizeof r, p, &v), "");
	CHECK(v.accepted && !v.confidential);
	attest_policy_free(p);
}

TEST(keystone_chains_of_another_device_or_monitor_are_refused)
{
	static const uint8_t other[32] = { 9 };
	static struct attest_verdict v;
	struct keystone_report r = made(monitor), x = r;
	struct attest_policy *p = policy(&r, false, "");
	sign(other, bytes_of(x.sm_hash, 96), x.sm_signature);
	CHECK_STR(judge(&x, sizeof x, p, &v), "chain ");
	x = r;
	sign(other, bytes_of(&x, 72 + DATA), x.enclave_signature);
	CHECK_STR(judge(&x, sizeof x, p, &v), "signature ");
	x = made(monitor);
	memset(x.sm_hash, 0x50, 64);
	sign(device, bytes_of(x.sm_hash, 96), x.sm_signature);
	CHECK_STR(judge(&x, sizeof x, p, &v), "monitor ");
	attest_policy_free(p);
}

TEST(keystone_keys_made_of_two_bytes_are_refused_unless_allowed)
{
	static struct attest_verdict v;
	const uint8_t in[2] = { 0x77, 0x51 }; /* a secret's, the hash's */
	uint8_t seed[64];
	CHECK(crypto_digest(CRYPTO_SHA3_512, BYTES_ARRAY(in), seed, NULL));
	struct keystone_report r = made(seed);
	struct attest_policy *p = policy(&r, false, "");
	CHECK_STR(judge(&r, sizeof r, p, &v), "monitor key ");
	attest_policy_free(p);
	p = policy(&r, false, "allow_guessable_monitor_keys = true\n");
	CHECK_STR(judge(&r, sizeof r, p, &v), "");
	attest_policy_free(p);
}

TEST(keystone_data_longer_than_its_field_is_refused)
{
	static const uint64_t lengths[] = { 1025, 1u << 20, UINT64_MAX,
		UINT64_MAX - 71 };
	static struct attest_verdict v;
	struct keystone_report r = made(monitor);
	struct attest_policy *p = policy(&r, false, "");
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		r.data_len = htole64(lengths[i]);
		CHECK_HAS(judge(&r, sizeof r, p, &v), "evidence format ");
	}
	attest_policy_free(p);
}

TEST(keystone_reports_are_refused_at_every_truncation_and_with_more)
{
	static struct attest_verdict v;
	struct {
		struct keystone_report r;
		uint8_t more;
	} x = { .r = made(monitor) };
	struct attest_policy *p = policy(&x.r, false, "");
	for (size_t n = 0; n <= sizeof x.r + 1; n++)
		if (n != sizeof x.r && !*judge(&x.r, n, p, &v))
			fail_msg("%zu bytes are accepted", n);
	attest_policy_free(p);
}

/* All that the monitor's and the device's signatures cover, and these. */
TEST(keystone_reports_are_refused_at_every_single_bit_flip)
{
	static struct attest_verdict v;
	struct keystone_report r = made(monitor);
	uint8_t *raw = (uint8_t *)&r;
	/* Which flips make no guessable key; that test is above. */
	struct attest_policy *p =
		policy(&r, false, "allow_guessable_monitor_keys = true\n");
	for (size_t bit = 0; bit < 8 * sizeof r; bit++) {
		bool tail = bit / 8 >= TAIL_AT && bit / 8 < TAIL_END;
		if (tail && bit % 9)
			continue;
		raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
		/* Nobody signed what stands behind the data, nobody reads it:
		 * the verdict is the same to the last check. */
		if (*judge(&r, sizeof r, p, &v) ? tail : !tail)
			fail_msg("bit %zu", bit);
		raw[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	attest_policy_free(p);
}
