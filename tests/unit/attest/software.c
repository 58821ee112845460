/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/attest.h"

#include "spec/software.h"

#include "../test.h"
#include "helpers/evidence.h"

TEST(software_evidence_is_accepted_when_all_is_right)
{
	struct sample s;
	static struct attest_verdict v;
	static const char *const names[] = { "evidence format", "endorsements",
		"software root", "signature", "debug", "technology",
		"measurement", "report_data", "claims", "key binding", "nonce",
		"owner" };
	sample_init(&s);
	CHECK_STR(sample_failed(&s, &v), "");
	CHECK(v.tee == ATTEST_SOFTWARE && !v.confidential);
	CHECK_STR(v.technology, "process");
	CHECK_INT(v.measurement_len, 48);
	CHECK_MEM(v.measurement, s.ref.measurement, 48);
	CHECK_INT(v.count, ARRAY_LEN(names));
	for (size_t i = 0; i < v.count; i++) {
		CHECK_STR(v.checks[i].name, names[i]);
		CHECK(v.checks[i].passed && !v.checks[i].skipped);
	}
	sample_fini(&s);
}

TEST(software_evidence_is_refused_at_every_truncation)
{
	struct sample s;
	static struct attest_verdict v;
	sample_init(&s);
	for (size_t n = 0; n < s.evidence.len; n++) {
		s.in.evidence.len = n;
		CHECK_STR(sample_failed(&s, &v), "evidence format");
		CHECK(v.count > 5);
	}
	CHECK(buf_u8(&s.evidence, 0));
	s.in.evidence = buf_bytes(&s.evidence);
	CHECK_STR(sample_failed(&s, &v), "evidence format");
	sample_fini(&s);
}

TEST(software_evidence_is_refused_at_every_single_bit_flip)
{
	struct sample s;
	static struct attest_verdict v;
	sample_init(&s);
	for (size_t bit = 0; bit < 8 * s.evidence.len; bit++) {
		s.evidence.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CHECK(*sample_failed(&s, &v));
		/* What is not the format breaks the signature too. */
		bool noted = false;
		for (size_t i = 0; i < v.count; i++)
			if (!strcmp(v.checks[i].name, "signature"))
				noted = !v.checks[i].passed;
		CHECK(noted || v.tee == ATTEST_UNKNOWN);
		s.evidence.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	CHECK_STR(sample_failed(&s, &v), "");
	sample_fini(&s);
}

TEST(software_endorsements_are_refused_at_every_change)
{
	struct sample s;
	static struct attest_verdict v;
	sample_init(&s);
	struct bytes good = s.in.endorsements;
	for (size_t n = 0; n < good.len; n++) {
		s.in.endorsements.len = n;
		CHECK_STR(sample_failed(&s, &v), "endorsements");
	}
	auto_buf copy = { 0 };
	CHECK(buf_put(&copy, good));
	s.in.endorsements = buf_bytes(&copy);
	for (size_t bit = 0; bit < 8 * copy.len; bit++) {
		copy.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CHECK_STR(sample_failed(&s, &v), "endorsements");
		copy.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	CHECK(buf_u8(&copy, 0));
	s.in.endorsements = buf_bytes(&copy);
	CHECK_STR(sample_failed(&s, &v), "endorsements");
	sample_fini(&s);
}

TEST(software_roots_are_trusted_by_name_only)
{
	struct sample s;
	static struct attest_verdict v;
	uint8_t other[32] = { 1 };
	sample_init(&s);
	attest_policy_free(s.policy);
	CHECK(attest_policy_default(&s.ref, 1, &s.policy, NULL));
	CHECK_STR(sample_failed(&s, &v), "software root");
	CHECK_HAS(attest_failed(&v)->required, "trusts no software root");
	CHECK(attest_policy_trust_root(s.policy, other, NULL));
	CHECK_STR(sample_failed(&s, &v), "software root");
	CHECK_HAS(attest_failed(&v)->required, "one of: 01000000");
	sample_fini(&s);
}

TEST(software_evidence_of_a_root_with_its_own_key_is_refused)
{
	/* An attacker's evidence under his own root, which names the trusted
	 * root's fingerprint and carries its key. */
	struct sample s, evil;
	static struct attest_verdict v;
	sample_init(&s);
	sample_init(&evil);
	memcpy(evil.evidence.ptr + offsetof(struct software_evidence, root),
		s.fingerprint, 32);
	s.in.evidence = evil.in.evidence;
	s.in.claims = evil.in.claims;
	s.in.spki = evil.in.spki;
	CHECK_STR(sample_failed(&s, &v), "signature");
	sample_fini(&evil);
	sample_fini(&s);
}

TEST(software_evidence_of_a_debug_keep_needs_the_policy_to_say_so)
{
	struct sample s;
	static struct attest_verdict v;
	static const char toml[] = "allow_debug = true\n";
	sample_init(&s);
	s.facts.debug = true;
	sample_sign(&s);
	CHECK_STR(sample_failed(&s, &v), "debug");
	attest_policy_free(s.policy);
	CHECK(attest_policy_parse(bytes_str(toml), "p", &s.ref, 1, &s.policy,
		NULL));
	CHECK(attest_policy_trust_root(s.policy, s.fingerprint, NULL));
	CHECK_STR(sample_failed(&s, &v), "");
	CHECK(!v.confidential);
	sample_fini(&s);
}

TEST(software_evidence_names_technologies_without_hardware_only)
{
	struct sample s;
	static struct attest_verdict v;
	sample_init(&s);
	for (uint32_t tee = 0; tee < 10; tee++) {
		s.facts.tee = tee;
		sample_sign(&s);
		const char *want = tee == 1 ? "" :
			tee == 2	    ? "measurement" :
					      "evidence format";
		CHECK_STR(sample_failed(&s, &v), want);
	}
	s.facts.tee = 1;
	sample_sign(&s);
	CHECK(attest_policy_only(s.policy, "snp", NULL));
	CHECK_STR(sample_failed(&s, &v), "technology");
	CHECK_STR(attest_failed(&v)->observed, "process");
	CHECK_STR(attest_failed(&v)->required, "one of: snp");
	sample_fini(&s);
}

TEST(software_measurements_are_accepted_by_list_and_denied_by_list)
{
	struct sample s;
	static struct attest_verdict v;
	struct err e = { 0 };
	auto_buf toml = { 0 };
	sample_init(&s);
	s.facts.measurement[47] ^= 1;
	sample_sign(&s);
	CHECK_STR(sample_failed(&s, &v), "measurement");
	CHECK(!attest_accepted(&v, &e));
	CHECK_HAS(e.text, "measurement: observed 3333");
	CHECK_HAS(e.text, "3332, required one of: 3333");
	s.facts.measurement[47] ^= 1;
	sample_sign(&s);
	CHECK(buf_str(&toml, "[process]\ndeny = [\""));
	for (int i = 0; i < 48; i++)
		CHECK(buf_str(&toml, "33"));
	CHECK(buf_str(&toml, "\"]\n"));
	attest_policy_free(s.policy);
	CHECK(attest_policy_parse(buf_bytes(&toml), "p", &s.ref, 1, &s.policy,
		&e));
	CHECK(attest_policy_trust_root(s.policy, s.fingerprint, NULL));
	CHECK_STR(sample_failed(&s, &v), "measurement");
	CHECK_HAS(attest_failed(&v)->required, "does not deny");
	sample_fini(&s);
}
