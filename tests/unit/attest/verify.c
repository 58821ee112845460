/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/attest.h"

#include "../test.h"
#include "helpers/evidence.h"

TEST(verify_refuses_what_it_does_not_know)
{
	static const struct bytes t[] = { { NULL, 0 }, BYTES_LIT("x"),
		BYTES_LIT("DJSWEVI"), BYTES_LIT("\0\0\0\0\0\0\0\0\0\0\0\0") };
	struct sample s;
	static struct attest_verdict v;
	struct err e = { 0 };
	sample_init(&s);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		s.in.evidence = t[i];
		CHECK_STR(sample_failed(&s, &v), "evidence format");
		CHECK(v.tee == ATTEST_UNKNOWN && !v.confidential);
		CHECK_STR(v.technology, "unknown");
		for (size_t k = 0; k < v.count; k++)
			CHECK(!v.checks[k].passed && !v.checks[k].skipped);
	}
	CHECK(!attest_accepted(&v, &e));
	CHECK_HAS(e.text, "evidence format: observed 12 bytes of an unknown");
	sample_fini(&s);
}

TEST(a_verdict_without_checks_is_a_refusal)
{
	static struct attest_verdict v = { .technology = "unknown" };
	struct err e = { 0 };
	CHECK(!attest_accepted(&v, &e));
	CHECK_INT(e.kind, ERR_DENIED);
	/* Nor does the flag alone suffice. */
	v.accepted = true;
	v.checks[v.count++] = (struct attest_check){ .name = "nonce" };
	CHECK(!attest_accepted(&v, &e));
}

TEST(evidence_of_one_keep_does_not_speak_for_another)
{
	struct sample a;
	static struct attest_verdict v;
	sample_init(&a);
	/* The same host and image, another ask: a replay. */
	uint8_t fresh[32];
	memset(fresh, 0x77, sizeof fresh);
	a.in.nonce = fresh;
	CHECK_STR(sample_failed(&a, &v), "nonce");
	CHECK_HAS(attest_failed(&v)->observed, "1111");
	CHECK_HAS(attest_failed(&v)->required, "7777");
	sample_fini(&a);
}
