/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/attest.h"

#include "codec/json.h"

#include "../test.h"
#include "helpers/evidence.h"

TEST(verdicts_print_one_line_a_check_for_people)
{
	struct sample s;
	static struct attest_verdict v;
	auto_buf text = { 0 };
	sample_init(&s);
	CHECK_STR(sample_failed(&s, &v), "");
	CHECK(attest_print_text(&v, &text));
	CHECK_HAS(buf_cstr(&text), "accepted: process, NOT CONFIDENTIAL\n");
	CHECK_HAS(buf_cstr(&text), "\n  passed   nonce            1111");
	CHECK_HAS(buf_cstr(&text), "required 1111");
	buf_clear(&text);
	s.nonce[0] = 0;
	CHECK_STR(sample_failed(&s, &v), "nonce");
	CHECK(attest_print_text(&v, &text));
	CHECK_HAS(buf_cstr(&text), "refused: process, NOT CONFIDENTIAL\n");
	CHECK_HAS(buf_cstr(&text), "\n  failed   nonce            1111");
	CHECK_HAS(buf_cstr(&text), "required 0011");
	sample_fini(&s);
}

TEST(verdicts_print_one_json_object_for_machines)
{
	struct sample s;
	static struct attest_verdict v;
	auto_buf text = { 0 };
	json_t *o = NULL;
	struct err e = { 0 };
	const char *str;
	sample_init(&s);
	s.nonce[0] = 0;
	s.in.spki = BYTES_NONE;
	CHECK_STR(sample_failed(&s, &v), "nonce");
	CHECK(attest_print_json(&v, &text));
	CHECK(json_parse(buf_bytes(&text), 1 << 16, &o, &e));
	CHECK(json_member_str(o, "verdict", 99, &str, &e));
	CHECK_STR(str, "refused");
	CHECK(json_member_str(o, "technology", 99, &str, &e));
	CHECK_STR(str, "process");
	CHECK(json_is_false(json_object_get(o, "confidential")));
	CHECK(json_member_str(o, "measurement", 99, &str, &e));
	CHECK_INT(strlen(str), 96);
	json_t *failed = json_object_get(o, "failed");
	CHECK_INT(json_array_size(failed), 1);
	CHECK_STR(json_string_value(json_array_get(failed, 0)), "nonce");
	json_t *checks = json_object_get(o, "checks");
	CHECK_INT(json_array_size(checks), v.count);
	CHECK(json_member_str(json_array_get(checks, 9), "result", 99, &str,
		&e));
	CHECK_STR(str, "skipped");
	json_decref(o);
	sample_fini(&s);
}
