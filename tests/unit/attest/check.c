/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/check.h"

#include "../test.h"
#include "helpers/evidence.h"

TEST(report_data_must_be_the_digest_of_the_claims_given)
{
	struct sample s, other;
	static struct attest_verdict v;
	sample_init(&s);
	sample_init(&other);
	struct bytes own = s.in.claims;
	s.in.claims = other.in.claims;
	CHECK_STR(sample_failed(&s, &v), "report_data");
	s.in.claims = BYTES_NONE;
	CHECK_STR(sample_failed(&s, &v), "report_data");
	for (size_t n = 0; n < own.len; n++) {
		s.in.claims = bytes_of(own.ptr, n);
		CHECK_STR(sample_failed(&s, &v), "report_data");
	}
	sample_fini(&other);
	sample_fini(&s);
}

TEST(report_data_must_end_in_zeros)
{
	struct sample s;
	static struct attest_verdict v;
	sample_init(&s);
	s.facts.report_data[63] = 1;
	buf_clear(&s.evidence);
	CHECK(soft_root_sign(s.root, &s.facts, &s.evidence, NULL));
	s.in.evidence = buf_bytes(&s.evidence);
	CHECK_STR(sample_failed(&s, &v), "report_data");
	sample_fini(&s);
}

TEST(claims_must_be_canonical_even_when_their_digest_is_attested)
{
	struct sample s;
	static struct attest_verdict v;
	sample_init(&s);
	CHECK(buf_u8(&s.claims_cbor, 0));
	CHECK(attest_report_data(buf_bytes(&s.claims_cbor), s.facts.report_data,
		NULL));
	buf_clear(&s.evidence);
	CHECK(soft_root_sign(s.root, &s.facts, &s.evidence, NULL));
	s.in.evidence = buf_bytes(&s.evidence);
	s.in.claims = buf_bytes(&s.claims_cbor);
	CHECK_STR(sample_failed(&s, &v), "claims");
	CHECK_HAS(attest_failed(&v)->observed, "trailing bytes");
	/* What the claims would have said fails too. */
	CHECK(!v.checks[v.count - 1].passed && !v.checks[v.count - 1].skipped);
	sample_fini(&s);
}

TEST(key_binding_fails_for_another_key)
{
	struct sample s, other;
	static struct attest_verdict v;
	sample_init(&s);
	sample_init(&other);
	s.in.spki = other.in.spki;
	CHECK_STR(sample_failed(&s, &v), "key binding");
	sample_fini(&other);
	sample_fini(&s);
}

TEST(nonce_fails_for_another_nonce)
{
	struct sample s;
	static struct attest_verdict v;
	sample_init(&s);
	s.nonce[31] ^= 0x80;
	CHECK_STR(sample_failed(&s, &v), "nonce");
	sample_fini(&s);
}

TEST(owner_must_stand_in_claims_and_evidence)
{
	struct sample s;
	static struct attest_verdict v;
	sample_init(&s);
	s.owner[0] ^= 1;
	CHECK_STR(sample_failed(&s, &v), "owner");
	s.claims.owner[0] ^= 1;
	sample_sign(&s);
	CHECK_STR(sample_failed(&s, &v), "owner");
	s.in.owner = NULL;
	CHECK_STR(sample_failed(&s, &v), "owner");
	CHECK_HAS(attest_failed(&v)->required, "the same in claims");
	s.facts.owner_key_hash[0] ^= 1;
	sample_sign(&s);
	s.in.owner = s.owner;
	CHECK_STR(sample_failed(&s, &v), "");
	s.claims.owner[0] ^= 1;
	sample_sign(&s);
	CHECK_STR(sample_failed(&s, &v), "owner");
	sample_fini(&s);
}

TEST(what_nobody_asked_for_is_skipped_and_shown_so)
{
	struct sample s;
	static struct attest_verdict v;
	size_t skipped = 0;
	auto_buf text = { 0 };
	sample_init(&s);
	s.in.spki = BYTES_NONE;
	s.in.nonce = NULL;
	s.in.owner = NULL;
	CHECK_STR(sample_failed(&s, &v), "");
	for (size_t i = 0; i < v.count; i++)
		skipped += v.checks[i].skipped;
	CHECK_INT(skipped, 2);
	CHECK(attest_print_text(&v, &text));
	CHECK_HAS(buf_cstr(&text), "skipped  key binding      not checked: ");
	sample_fini(&s);
}

TEST(lists_of_digests_are_cut_to_fit)
{
	char text[136];
	struct attest_digest d[20];
	memset(d, 0xab, sizeof d);
	for (size_t i = 0; i < 20; i++)
		d[i].len = 48;
	struct attest_digests list = { d, 0 };
	attest_check_list(text, &list);
	CHECK_STR(text, "none is accepted");
	list.count = 2;
	attest_check_list(text, &list);
	CHECK_STR(text, "one of: abababababababab..., abababababababab...");
	list.count = 20;
	attest_check_list(text, &list);
	CHECK_INT(strlen(text), 135);
	attest_check_hex(text, bytes_of(d, 100));
	CHECK_INT(strlen(text), 134);
}
