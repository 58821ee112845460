/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/sanctum.h"

#include "attest/attest.h"
#include "codec/hex.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "crypto/key.h"

#include "../test.h"
#include "helpers/vectors.h"

static const uint8_t manufacturer[32] = { 1 }, device[32] = { 2 };
static const uint8_t monitor[32] = { 3 }, enclave[32] = { 4 };

static void sign(const uint8_t seed[32], struct bytes message, uint8_t sig[64])
{
	CHECK(crypto_ed25519_sign(seed, message, sig, NULL));
}

static struct sanctum_evidence made(void)
{
	struct sanctum_evidence v = { 0 };
	uint8_t hash[64];
	uint8_t report[sizeof SANCTUM_REPORT_LABEL - 1 + 64];
	memset(v.sm_measurement, 0x51, 64);
	memset(v.enclave_measurement, 0x52, 64);
	memset(v.report_data, 0x53, 64);
	CHECK(crypto_ed25519_public(manufacturer, v.manufacturer_pk, NULL) &&
		crypto_ed25519_public(device, v.device_pk, NULL) &&
		crypto_ed25519_public(monitor, v.sm_pk, NULL) &&
		crypto_ed25519_public(enclave, v.enclave_pk, NULL));
	sign(manufacturer, BYTES_ARRAY(v.device_pk), v.device_signature);
	sign(device, bytes_of(v.sm_measurement, 96), v.sm_signature);
	CHECK(crypto_digest(CRYPTO_SHA512, bytes_of(v.enclave_measurement, 96),
		hash, NULL));
	sign(monitor, BYTES_ARRAY(hash), v.enclave_attestation);
	memcpy(report, SANCTUM_REPORT_LABEL, sizeof report - 64);
	memcpy(report + sizeof report - 64, v.report_data, 64);
	sign(enclave, BYTES_ARRAY(report), v.report_signature);
	return v;
}

static struct bytes root_of; /* a software root that the policy names */
static struct bytes endorsed;

static const char *judge(const struct sanctum_evidence *v, size_t len,
	const char *key, struct bytes value, struct attest_verdict *out)
{
	static struct buf failed;
	char hex[129];
	struct attest_policy *p;
	struct err e = { 0 };
	auto_buf t = { 0 };
	if (root_of.len) {
		hex_encode(root_of, hex);
		buf_fmt(&t, "software = [\"%s\"]\n", hex);
	}
	hex_encode(value, hex);
	buf_fmt(&t, "[sanctum]\n%s = [\"%s\"]\n", key, hex);
	memset(hex, 0, sizeof hex);
	memset(hex, '5', 128);
	for (size_t i = 1; i < 128; i += 2)
		hex[i] = '2';
	buf_fmt(&t, "measurements = [\"%s\"]\n", hex);
	for (size_t i = 1; i < 128; i += 2)
		hex[i] = '1';
	CHECK(buf_fmt(&t, "monitors = [\"%s\"]\n", hex));
	if (!attest_policy_parse(buf_bytes(&t), "p", NULL, 0, &p, &e))
		fail_msg("%s", e.text);
	struct attest_input in = { .evidence = bytes_of(v, len),
		.endorsements = endorsed,
		.binding = ATTEST_BIND_NOTHING,
		.report_data = len == sizeof *v ? BYTES_ARRAY(v->report_data) :
						  BYTES_NONE };
	CHECK(attest_verify(&in, p, out, NULL));
	vectors_failed(out, &failed);
	attest_policy_free(p);
	return buf_cstr(&failed);
}

TEST(sanctum_chains_are_trusted_from_any_key_that_the_policy_names)
{
	static struct attest_verdict v;
	struct sanctum_evidence s = made();
	const struct {
		const char *key;
		struct bytes value;
	} t[] = {
		{ "manufacturer_keys", BYTES_ARRAY(s.manufacturer_pk) },
		{ "device_keys", BYTES_ARRAY(s.device_pk) },
		{ "monitor_keys", BYTES_ARRAY(s.sm_pk) },
	};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		CHECK_STR(judge(&s, sizeof s, t[i].key, t[i].value, &v), "");
		CHECK(v.accepted && v.confidential);
	}
	CHECK_STR(judge(&s, sizeof s, "monitor_keys", BYTES_ARRAY(s.enclave_pk),
			  &v),
		"vendor root ");
}

TEST(sanctum_short_forms_are_trusted_from_the_monitor_only)
{
	static struct attest_verdict v;
	struct sanctum_evidence s = made();
	CHECK_STR(judge(&s, SANCTUM_SHORT_BYTES, "monitor_keys",
			  BYTES_ARRAY(s.sm_pk), &v),
		"");
	CHECK_HAS(judge(&s, SANCTUM_SHORT_BYTES, "manufacturer_keys",
			  BYTES_ARRAY(s.manufacturer_pk), &v),
		"vendor root chain ");
}

TEST(sanctum_evidence_is_refused_at_every_single_bit_flip)
{
	static struct attest_verdict v;
	struct sanctum_evidence s = made(), flipped;
	for (size_t bit = 0; bit < 8 * sizeof s; bit++) {
		flipped = s;
		((uint8_t *)&flipped)[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CHECK(*judge(&flipped, sizeof s, "manufacturer_keys",
			BYTES_ARRAY(s.manufacturer_pk), &v));
	}
}

TEST(sanctum_evidence_is_refused_at_every_truncation_and_with_more)
{
	static struct attest_verdict v;
	struct {
		struct sanctum_evidence s;
		uint8_t more;
	} x = { .s = made() };
	/* Cut to the short form it says nothing above the monitor. */
	for (size_t n = 0; n <= sizeof x.s + 1; n++)
		if (n != sizeof x.s &&
			!*judge(&x.s, n, "manufacturer_keys",
				BYTES_ARRAY(x.s.manufacturer_pk), &v))
			fail_msg("%zu bytes are accepted", n);
}

TEST(sanctum_chains_under_a_software_root_are_never_confidential)
{
	static struct attest_verdict v;
	struct sanctum_evidence s = made();
	const struct {
		struct bytes key;
		size_t len;
	} t[] = {
		{ BYTES_ARRAY(s.manufacturer_pk), sizeof s },
		{ BYTES_ARRAY(s.device_pk), sizeof s },
		{ BYTES_ARRAY(s.sm_pk), sizeof s },
		{ BYTES_ARRAY(s.sm_pk), SANCTUM_SHORT_BYTES },
	};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		uint8_t hash[32];
		char hex[65];
		CHECK(crypto_digest(CRYPTO_SHA256, t[i].key, hash, NULL));
		root_of = BYTES_ARRAY(hash);
		CHECK_STR(judge(&s, t[i].len, "device_keys",
				  BYTES_ARRAY(s.enclave_pk), &v),
			"");
		CHECK(v.accepted && !v.confidential);
		hex_encode(BYTES_ARRAY(hash), hex);
		CHECK_STR(v.checks[1].observed, hex);
		root_of = BYTES_NONE;
	}
}

static struct sanctum_endorsements endorse(const struct crypto_key *root,
	const struct sanctum_evidence *s)
{
	enum { MAKER = sizeof SANCTUM_MAKER_LABEL - 1 };
	struct sanctum_endorsements v;
	uint8_t message[MAKER + 32];
	auto_buf spki = { 0 }, sig = { 0 };
	memcpy(message, SANCTUM_MAKER_LABEL, MAKER);
	memcpy(message + MAKER, s->manufacturer_pk, 32);
	CHECK(crypto_key_spki(root, &spki, NULL) &&
		crypto_sign(root, BYTES_ARRAY(message), &sig, NULL));
	CHECK(spki.len == sizeof v.root && sig.len == sizeof v.signature);
	memcpy(v.root, spki.ptr, spki.len);
	memcpy(v.signature, sig.ptr, sig.len);
	return v;
}

TEST(sanctum_manufacturers_are_vouched_for_by_a_software_root)
{
	static struct attest_verdict v;
	struct sanctum_evidence s = made();
	struct crypto_key *root;
	uint8_t hash[32];
	CHECK(crypto_key_generate(CRYPTO_P256, &root, NULL));
	CHECK(crypto_key_fingerprint(root, hash, NULL));
	struct sanctum_endorsements e = endorse(root, &s), good = e;
	endorsed = bytes_of(&e, sizeof e);
	const struct bytes nobody = BYTES_ARRAY(s.enclave_pk);
	CHECK_STR(judge(&s, sizeof s, "device_keys", nobody, &v),
		"vendor root ");
	root_of = BYTES_ARRAY(hash);
	CHECK_STR(judge(&s, sizeof s, "device_keys", nobody, &v), "");
	CHECK(v.accepted && !v.confidential);
	for (size_t i = 0; i < sizeof e; i += 3) {
		((uint8_t *)&e)[i] ^= 1;
		CHECK_HAS(judge(&s, sizeof s, "device_keys", nobody, &v),
			"vendor root");
		e = good;
	}
	for (size_t n = 0; n < sizeof e; n++) {
		endorsed = bytes_of(&e, n);
		CHECK_HAS(judge(&s, sizeof s, "device_keys", nobody, &v),
			"vendor root");
	}
	/* For another manufacturer. */
	endorsed = bytes_of(&e, sizeof e);
	CHECK(crypto_ed25519_public(enclave, s.manufacturer_pk, NULL));
	sign(enclave, BYTES_ARRAY(s.device_pk), s.device_signature);
	CHECK_HAS(judge(&s, sizeof s, "device_keys", nobody, &v),
		"vendor root");
	root_of = endorsed = BYTES_NONE;
	crypto_key_free(root);
}
