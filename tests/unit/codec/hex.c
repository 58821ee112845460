/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/hex.h"

#include "../test.h"

TEST(hex_goes_there_and_back)
{
	static const uint8_t in[] = { 0x00, 0x0f, 0xa5, 0xff };
	char text[2 * sizeof in + 1];
	hex_encode(BYTES_ARRAY(in), text);
	CHECK_STR(text, "000fa5ff");
	uint8_t out[4] = { 0 };
	struct err e = { 0 };
	CHECK(hex_decode(bytes_str("000Fa5FF"), out, sizeof out, &e));
	CHECK_MEM(out, in, sizeof in);
}

TEST(hex_decode_names_what_is_wrong_and_writes_nothing)
{
	static const struct {
		const char *text, *says;
	} t[] = {
		{ "000fa5f", "7 characters, expected 8" },
		{ "000fa5fff", "9 characters" },
		{ "", "0 characters" },
		{ "000fa5fg", "character 8" },
		{ " 00fa5ff", "character 1" },
		{ "0x0fa5ff", "character 2" },
	};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		uint8_t out[4] = { 1, 2, 3, 4 };
		struct err e = { 0 };
		CHECK(!hex_decode(bytes_str(t[i].text), out, 4, &e));
		CHECK_INT(e.kind, ERR_INPUT);
		CHECK_HAS(e.text, t[i].says);
		CHECK_MEM(out, "\1\2\3\4", 4);
	}
}

/* RFC 4648 §10 */
static const struct {
	const char *plain, *text;
} rfc4648[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xfb\xff\xbf", "+/+/" },
};

TEST(base64_agrees_with_rfc_4648)
{
	for (size_t i = 0; i < ARRAY_LEN(rfc4648); i++) {
		auto_buf text = { 0 };
		auto_buf plain = { 0 };
		struct err e = { 0 };
		CHECK(base64_encode(bytes_str(rfc4648[i].plain), &text));
		CHECK_STR(buf_cstr(&text), rfc4648[i].text);
		CHECK(base64_decode(buf_bytes(&text), &plain, &e));
		CHECK_STR(buf_cstr(&plain), rfc4648[i].plain);
	}
}

TEST(base64_decode_refuses_a_second_spelling)
{
	static const struct {
		const char *text, *says;
	} t[] = {
		{ "Zg=", "length 3" },
		{ "Zg", "length 2" },
		{ "Zh==", "under the padding" },
		{ "Zm9=", "under the padding" },
		{ "Z===", "character 2" },
		{ "====", "character 1" },
		{ "Zg==Zg==", "character 3" },
		{ "Zm9v\nZm9", "character 5" },
		{ "Zm-v", "character 3" },
		{ "Zm9v    ", "character 5" },
	};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		auto_buf out = { 0 };
		struct err e = { 0 };
		CHECK(buf_str(&out, "kept"));
		CHECK(!base64_decode(bytes_str(t[i].text), &out, &e));
		CHECK_HAS(e.text, t[i].says);
		CHECK_STR(buf_cstr(&out), "kept");
	}
}

TEST(base64_keeps_to_the_limit_of_its_buffer)
{
	auto_buf out = { .limit = 2 };
	struct err e = { 0 };
	CHECK(!base64_decode(bytes_str("Zm9v"), &out, &e));
	CHECK_INT(e.kind, ERR_LIMIT);
	buf_clear(&out);
	CHECK(base64_decode(bytes_str("Zm8="), &out, &e));
	CHECK(!base64_encode(bytes_str("x"), &out));
}

TEST(percent_encoding_ends_with_its_text)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },
		{ "plain", "plain" },
		{ "-----BEGIN%20CERTIFICATE-----%0A",
			"-----BEGIN "
			"CERTIFICATE-----\n" },
		{ "%4a%4A", "JJ" },
		/* One digit, none: what lies behind is somebody else's. */
		{ "a%5\0beyond", "a%5" },
		{ "a%\0beyond", "a%" },
		{ "%x1%-1% 5", "%x1%-1% 5" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_buf out = { 0 };
		CHECK(percent_decode(cases[i].text, &out));
		CHECK(bytes_equal(buf_bytes(&out), bytes_str(cases[i].want)));
	}
}
