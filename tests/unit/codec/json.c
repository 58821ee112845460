/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json.h"

#include "../test.h"

static json_t *parsed(const char *text)
{
	json_t *v = NULL;
	struct err e = { 0 };
	if (!json_parse(bytes_str(text), 1 << 16, &v, &e))
		fail_msg("%s", e.text);
	return v;
}

TEST(json_goes_there_and_back_in_order)
{
	static const char text[] =
		"{\"b\":[1,true,null,\"\xc3\xa9\"],\"a\":{\"x\":\"\\n\"}}";
	json_t *v = parsed(text);
	auto_buf out = { 0 };
	struct err e = { 0 };
	CHECK(json_print(v, &out, &e));
	CHECK_STR(buf_cstr(&out), text);
	json_decref(v);
}

TEST(json_numbers_are_short_and_read_back_the_same)
{
	static const struct {
		const char *text, *print;
	} t[] = {
		{ "[0.1,1234.567]", "[0.1,1234.567]" },
		{ "[0.30000000000000004]", "[0.30000000000000004]" },
		{ "{\"a\":[1.7976931348623157e308]}", NULL },
		{ "[2.2250738585072014e-308,5e-324,-0.0]", NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		json_t *v = parsed(t[i].text), *again = NULL;
		auto_buf out = { 0 };
		struct err e = { 0 };
		CHECK(json_print(v, &out, &e));
		if (t[i].print)
			CHECK_STR(buf_cstr(&out), t[i].print);
		CHECK(json_parse(buf_bytes(&out), 1 << 16, &again, &e));
		CHECK(json_equal(v, again));
		json_decref(v);
		json_decref(again);
	}
}

TEST(json_refuses_what_a_careless_reader_lets_pass)
{
	static const struct {
		const char *text, *says;
	} t[] = {
		{ "", "ends too early" },
		{ "{", "ends too early" },
		{ "{\"a\":1,\"a\":2}", "twice" },
		{ "{\"a\":{\"b\":1,\"b\":1}}", "twice" },
		{ "{} {}", "more than one" },
		{ "{}x", "more than one" },
		{ "[\"\\u0000\"]", "NUL" },
		{ "[\"\xff\"]", "UTF-8" },
		{ "[1,]", "not JSON" },
		{ "[nan]", "not JSON" },
		{ "[01]", "not JSON" },
		{ "[99999999999999999999]", "out of range" },
		{ "[1e999]", "out of range" },
		{ "1", "not JSON" },
	};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		json_t *v = NULL;
		struct err e = { 0 };
		CHECK(!json_parse(bytes_str(t[i].text), 100, &v, &e));
		CHECK_INT(e.kind, ERR_INPUT);
		CHECK_HAS(e.text, t[i].says);
	}
}

TEST(json_refuses_a_raw_nul)
{
	json_t *v = NULL;
	struct err e = { 0 };
	CHECK(!json_parse(BYTES_LIT("[\"a\0b\"]"), 100, &v, &e));
	CHECK(!json_parse(BYTES_LIT("[]\0"), 100, &v, &e));
}

TEST(json_goes_64_levels_deep_and_no_deeper)
{
	char text[131];
	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	text[128] = '\0';
	json_decref(parsed(text));
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	text[130] = '\0';
	json_t *v = NULL;
	struct err e = { 0 };
	CHECK(!json_parse(bytes_str(text), 1000, &v, &e));
	CHECK_HAS(e.text, "64 levels");
	/* Brackets in strings are no levels. */
	memset(text, '[', sizeof text);
	memcpy(text, "[\"\\\"", 4);
	memcpy(text + 128, "\"]", 3);
	json_decref(parsed(text));
}

TEST(json_has_a_hundred_thousand_values_and_not_many_more)
{
	enum { SIGNS = 1 << 17 };
	static char text[2 * SIGNS + 8];
	json_t *v = NULL;
	struct err e = { 0 };
	for (size_t n = SIGNS - 1; n <= SIGNS; n++) {
		/* "[1,1,...,1]" with n commas and its bracket. */
		for (size_t i = 0; i <= n; i++)
			memcpy(text + 1 + 2 * i, "1,", 2);
		text[0] = '[';
		memcpy(text + 2 + 2 * n, "]", 2);
		bool ok = json_parse(bytes_str(text), sizeof text, &v, &e);
		CHECK(ok == (n < SIGNS));
		if (ok)
			json_decref(v);
	}
	CHECK_INT(e.kind, ERR_LIMIT);
	/* Commas in strings are no values. */
	memset(text, ',', sizeof text);
	memcpy(text, "[\"", 2);
	memcpy(text + sizeof text - 3, "\"]", 3);
	CHECK(json_parse(bytes_str(text), sizeof text, &v, &e));
	json_decref(v);
}

TEST(json_span_is_the_exact_text_of_a_member)
{
	static const struct {
		const char *text, *key, *value;
	} t[] = {
		{ "{\"a\":1}", "a", "1" },
		{ " { \"a\" : { \"b\" : [ 1 , 2 ] } , \"b\":\"}\" } ", "a",
			"{ \"b\" : [ 1 , 2 ] }" },
		{ " { \"a\" : { \"b\" : [ 1 , 2 ] } , \"b\":\"},\" } ", "b",
			"\"},\"" },
		{ "{\"x\":\"\\\"a\\\":1\",\"a\":[\"]\"]}", "a", "[\"]\"]" },
		{ "{\"\\\"\":{\"a\":2},\"a\":3 }", "a", "3" },
		{ "{\"x\":{\"a\":1}}", "a", NULL },
		{ "{}", "a", NULL },
		{ "[\"a\",1]", "a", NULL },
		{ "{\"a", "a", NULL },
		{ "{\"a\"", "a", NULL },
		{ "", "a", NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct bytes v = BYTES_NONE;
		bool found = json_span(bytes_str(t[i].text), t[i].key, &v);
		CHECK(found == (t[i].value != NULL));
		if (found)
			CHECK(bytes_equal(v, bytes_str(t[i].value)));
	}
}

TEST(json_keeps_to_the_callers_size)
{
	json_t *v = NULL;
	struct err e = { 0 };
	CHECK(!json_parse(bytes_str("[1,2]"), 4, &v, &e));
	CHECK_INT(e.kind, ERR_LIMIT);
	CHECK(json_parse(bytes_str("[1,2]"), 5, &v, &e));
	json_decref(v);
}

TEST(json_members_have_their_type_and_range)
{
	json_t *o = parsed("{\"s\":\"abc\",\"n\":7,\"neg\":-1,\"t\":true,"
			   "\"h\":\"00ff\",\"b\":\"Zm9v\"}");
	struct err e = { 0 };
	const char *s = NULL;
	uint64_t n = 0;
	bool t = false;
	uint8_t h[2];
	auto_buf b = { 0 };
	CHECK(json_member_str(o, "s", 3, &s, &e));
	CHECK_STR(s, "abc");
	CHECK(!json_member_str(o, "s", 2, &s, &e));
	CHECK_STR(e.text, "json: s: 3 bytes, at most 2 are allowed");
	CHECK(!json_member_str(o, "n", 9, &s, &e));
	CHECK_STR(e.text, "json: n: not a string");
	CHECK(json_member_u64(o, "n", 7, 7, &n, &e));
	CHECK_INT(n, 7);
	CHECK(!json_member_u64(o, "n", 0, 6, &n, &e));
	CHECK_STR(e.text, "json: n: 7 is not within 0 and 6");
	CHECK(!json_member_u64(o, "n", 8, 9, &n, &e));
	CHECK(!json_member_u64(o, "neg", 0, UINT64_MAX, &n, &e));
	CHECK_HAS(e.text, "neg: -1 is not within");
	CHECK(!json_member_u64(o, "s", 0, 9, &n, &e));
	CHECK(json_member_bool_opt(o, "t", &t, &e));
	CHECK(t);
	CHECK(!json_member_bool_opt(o, "n", &t, &e));
	CHECK(json_member_hex(o, "h", h, 2, &e));
	CHECK_MEM(h, "\x00\xff", 2);
	CHECK(!json_member_hex(o, "b", h, 2, &e));
	CHECK_HAS(e.text, "json: b: hex: ");
	CHECK(json_member_base64(o, "b", 3, &b, &e));
	CHECK_STR(buf_cstr(&b), "foo");
	CHECK(!json_member_base64(o, "b", 2, &b, &e));
	CHECK_INT(b.len, 3);
	CHECK(!json_member_base64(o, "s", 9, &b, &e));
	json_decref(o);
}

TEST(json_optional_members_may_be_absent_and_others_not)
{
	json_t *o = parsed("{}");
	struct err e = { 0 };
	const char *s = "kept";
	uint64_t n = 5;
	bool t = true;
	CHECK(json_member_str_opt(o, "s", 3, &s, &e));
	CHECK(json_member_u64_opt(o, "n", 0, 1, &n, &e));
	CHECK(json_member_bool_opt(o, "t", &t, &e));
	CHECK_STR(s, "kept");
	CHECK(n == 5 && t);
	CHECK(!json_member_str(o, "s", 3, &s, &e));
	CHECK_STR(e.text, "json: s: missing");
	CHECK(!json_member_u64(o, "n", 0, 1, &n, &e));
	CHECK(!json_member_str(NULL, "s", 3, &s, &e));
	json_decref(o);
}

TEST(json_no_more_names_a_member_nobody_asked_for)
{
	static const char *const known[] = { "a", "b", NULL };
	json_t *o = parsed("{\"a\":1,\"b\":2}");
	struct err e = { 0 };
	CHECK(json_no_more(o, known, &e));
	json_decref(o);
	o = parsed("{\"a\":1,\"c\\u001b[31m\":2}");
	CHECK(!json_no_more(o, known, &e));
	CHECK_HAS(e.text, "\"c?[31m\"");
	json_decref(o);
}
