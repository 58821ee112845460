/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/cbor.h"

#include "../test.h"

static const struct {
	uint64_t value;
	const char *text;
	size_t len;
} heads[] = {
	{ 0, "\x00", 1 },
	{ 23, "\x17", 1 },
	{ 24, "\x18\x18", 2 },
	{ 255, "\x18\xff", 2 },
	{ 256, "\x19\x01\x00", 3 },
	{ 65535, "\x19\xff\xff", 3 },
	{ 65536, "\x1a\x00\x01\x00\x00", 5 },
	{ 4294967295u, "\x1a\xff\xff\xff\xff", 5 },
	{ 4294967296u, "\x1b\x00\x00\x00\x01\x00\x00\x00\x00", 9 },
	{ UINT64_MAX, "\x1b\xff\xff\xff\xff\xff\xff\xff\xff", 9 },
};

TEST(cbor_writes_and_reads_the_shortest_heads)
{
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		auto_buf b = { 0 };
		CHECK(cbor_put_uint(&b, heads[i].value));
		CHECK_INT(b.len, heads[i].len);
		CHECK_MEM(b.ptr, heads[i].text, b.len);
		struct reader r = { .in = buf_bytes(&b) };
		CHECK(cbor_head(&r, CBOR_UINT) == heads[i].value);
		CHECK(reader_done(&r));
	}
}

#define RAW(s)                   \
	{                        \
		s, sizeof(s) - 1 \
	}

static const struct {
	const char *text;
	size_t len;
} bad_heads[] = {
	RAW(""),
	RAW("\x18\x17"),
	RAW("\x18"),
	RAW("\x19\x00\xff"),
	RAW("\x1a\x00\x00\xff\xff"),
	RAW("\x1b\x00\x00\x00\x00\xff\xff\xff\xff"),
	RAW("\x1c"),
	RAW("\x1f"),
	RAW("\x41"),
};

TEST(cbor_refuses_longer_heads_than_needed)
{
	for (size_t i = 0; i < ARRAY_LEN(bad_heads); i++) {
		struct reader r = { .in = bytes_of(bad_heads[i].text,
					    bad_heads[i].len) };
		CHECK_INT(cbor_head(&r, CBOR_UINT), 0);
		CHECK(r.failed);
	}
}

TEST(cbor_strings_go_there_and_back)
{
	auto_buf b = { 0 };
	CHECK(cbor_put_head(&b, CBOR_MAP, 1));
	CHECK(cbor_put_text(&b, "nonce \xc3\xa9"));
	CHECK(cbor_put_bytes(&b, BYTES_LIT("\0\1\2")));
	struct reader r = { .in = buf_bytes(&b) };
	CHECK(cbor_next_is(&r, CBOR_MAP));
	CHECK_INT(cbor_head(&r, CBOR_MAP), 1);
	CHECK(bytes_equal(cbor_text(&r), BYTES_LIT("nonce \xc3\xa9")));
	CHECK(!cbor_next_is(&r, CBOR_TEXT));
	CHECK(bytes_equal(cbor_bytes(&r), BYTES_LIT("\0\1\2")));
	CHECK(reader_done(&r));
	CHECK(!cbor_next_is(&r, CBOR_UINT));
}

TEST(cbor_refuses_text_that_is_not_utf_8)
{
	static const char *const bad[] = { "\xff", "\x80", "\xc0\x80", "\xc3",
		"\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
		"\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xc3(" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_buf b = { 0 };
		CHECK(cbor_put_text(&b, bad[i]));
		struct reader r = { .in = buf_bytes(&b) };
		CHECK_INT(cbor_text(&r).len, 0);
		CHECK(r.failed);
		struct reader s = { .in = buf_bytes(&b) };
		cbor_skip(&s);
		CHECK(s.failed);
	}
}

static const struct {
	const char *text;
	size_t len;
} whole[] = {
	RAW("\x00"),
	RAW("\x18\x64"),
	RAW("\x42\x01\x02"),
	RAW("\x63"
	    "abc"),
	RAW("\x80"),
	RAW("\xa0"),
	RAW("\x82\x81\x80\x01"),
	RAW("\xa2\x61"
	    "a\x01\x61"
	    "b\x82\x01\x02"),
	RAW("\xa2\x01\xa1\x02\x03\x41\x00\x80"),
	RAW("\xa2\x81\x01\x00\x81\x02\x00"),
	RAW("\xc1\x1a\x51\x4b\x67\xb0"),
	RAW("\xc1\xc2\x40"),
};

TEST(cbor_skip_steps_over_exactly_one_item)
{
	for (size_t i = 0; i < ARRAY_LEN(whole); i++) {
		auto_buf b = { 0 };
		CHECK(buf_put(&b, bytes_of(whole[i].text, whole[i].len)));
		CHECK(buf_u8(&b, 0x17));
		struct reader r = { .in = buf_bytes(&b) };
		cbor_skip(&r);
		CHECK(!r.failed);
		CHECK_INT(r.at, whole[i].len);
		for (size_t n = 0; n < whole[i].len; n++) {
			struct reader cut = { .in = bytes_of(b.ptr, n) };
			cbor_skip(&cut);
			CHECK(cut.failed);
		}
	}
}

static const struct {
	const char *text;
	size_t len;
} not_ours[] = {
	RAW("\x20"),		 /* negative */
	RAW("\xf4"),		 /* false */
	RAW("\xf9\x00\x00"),	 /* a half float */
	RAW("\x5f\x41\x00\xff"), /* indefinite lengths */
	RAW("\x9f\xff"),
	RAW("\xbf\xff"),
	RAW("\x9b\xff\xff\xff\xff\xff\xff\xff\xff"), /* 2^64-1 items */
	RAW("\xbb\x7f\xff\xff\xff\xff\xff\xff\xff"),
	RAW("\x5b\xff\xff\xff\xff\xff\xff\xff\xff"),
	RAW("\xa2\x61"
	    "b\x01\x61"
	    "a\x01"), /* keys out of order */
	RAW("\xa2\x61"
	    "a\x01\x61"
	    "a\x01"), /* a key twice */
	RAW("\xa2\x81\x01\x00\x01\x00"),
};

TEST(cbor_skip_refuses_what_is_not_deterministic)
{
	for (size_t i = 0; i < ARRAY_LEN(not_ours); i++) {
		struct reader r = { .in = bytes_of(not_ours[i].text,
					    not_ours[i].len) };
		cbor_skip(&r);
		CHECK(r.failed);
	}
}

TEST(cbor_skip_goes_16_levels_deep_and_no_deeper)
{
	uint8_t deep[18];
	memset(deep, 0x81, sizeof deep);
	deep[16] = 0x00;
	struct reader r = { .in = bytes_of(deep, 17) };
	cbor_skip(&r);
	CHECK(reader_done(&r));
	deep[16] = 0x81;
	deep[17] = 0x00;
	struct reader s = { .in = BYTES_ARRAY(deep) };
	cbor_skip(&s);
	CHECK(s.failed);
}
