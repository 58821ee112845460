/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/der.h"

#include "../test.h"

static struct reader over(struct bytes b)
{
	return (struct reader){ .in = b };
}

TEST(der_reads_nested_values)
{
	struct reader r = over(
		BYTES_LIT("\x30\x0a\x02\x01\x05\x04\x01x\x03\x02\x00\xff"));
	struct reader s = der_enter(&r, DER_SEQUENCE);
	CHECK_INT(der_uint(&s), 5);
	CHECK(der_next_is(&s, DER_OCTET_STRING));
	CHECK(bytes_equal(der_whole(&s, DER_OCTET_STRING),
		BYTES_LIT("\x04\x01x")));
	CHECK(bytes_equal(der_bits(&s), BYTES_LIT("\xff")));
	CHECK(reader_done(&s) && reader_done(&r));
}

TEST(der_takes_lengths_in_their_shortest_form_only)
{
	static uint8_t big[4 + 0x100] = { 0x04, 0x82, 0x01, 0x00 };
	struct reader r = over(BYTES_ARRAY(big));
	CHECK_INT(der_take(&r, DER_OCTET_STRING).len, 0x100);
	CHECK(reader_done(&r));
	static const struct bytes bad[] = {
		BYTES_LIT("\x04\x81\x01x"),		/* below 128 */
		BYTES_LIT("\x04\x82\x00\x01x"),		/* leading zero */
		BYTES_LIT("\x04\x84\x00\x00\x00\x01x"), /* leading zeros */
		BYTES_LIT("\x04\x80x\x00\x00"),		/* indefinite */
		BYTES_LIT("\x04\x85\x01\x00\x00\x00\x00x"),
		BYTES_LIT("\x04\xff"),
		BYTES_LIT("\x1f\x04\x01x"), /* tag of several bytes */
		BYTES_LIT("\x04\x02x"),	    /* too short */
		BYTES_LIT("\x05\x00"),	    /* another tag */
		BYTES_LIT("\x04"),
		BYTES_LIT(""),
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		r = over(bad[i]);
		CHECK_INT(der_take(&r, DER_OCTET_STRING).len, 0);
		CHECK(r.failed);
	}
}

TEST(der_integers_are_shortest_and_not_negative)
{
	static const struct {
		struct bytes in;
		uint64_t value;
	} good[] = {
		{ BYTES_LIT("\x02\x01\x00"), 0 },
		{ BYTES_LIT("\x02\x01\x7f"), 127 },
		{ BYTES_LIT("\x02\x02\x00\xd9"), 0xd9 },
		{ BYTES_LIT("\x02\x09\x00\xff\xff\xff\xff\xff\xff\xff\xff"),
			UINT64_MAX },
	};
	static const struct bytes bad[] = {
		BYTES_LIT("\x02\x00"),
		BYTES_LIT("\x02\x01\x80"),
		BYTES_LIT("\x02\x02\x00\x7f"),
		BYTES_LIT("\x02\x02\xff\xff"),
		BYTES_LIT("\x02\x09\x01\x00\x00\x00\x00\x00\x00\x00\x00"),
	};
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct reader r = over(good[i].in);
		CHECK(der_uint(&r) == good[i].value);
		CHECK(reader_done(&r));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct reader r = over(bad[i]);
		CHECK(der_uint(&r) == 0);
		CHECK(r.failed);
	}
	struct reader r = over(BYTES_LIT("\x03\x02\x01\xfe"));
	CHECK_INT(der_bits(&r).len, 0);
	CHECK(r.failed);
}

TEST(der_times_are_those_of_rfc_5280)
{
	static const struct {
		struct bytes in;
		int64_t at;
	} good[] = {
		{ BYTES_LIT("\x17\x0d"
			    "700101000000Z"),
			0 },
		{ BYTES_LIT("\x17\x0d"
			    "500101000000Z"),
			-631152000 },
		{ BYTES_LIT("\x17\x0d"
			    "491231235959Z"),
			2524607999 },
		{ BYTES_LIT("\x18\x0f"
			    "20240229120000Z"),
			1709208000 },
		{ BYTES_LIT("\x18\x0f"
			    "99991231235959Z"),
			253402300799 },
	};
	static const char *const bad[] = { "20230229120000Z", "20240010120000Z",
		"20241301120000Z", "20240100120000Z", "20240132120000Z",
		"20240101240000Z", "20240101126000Z", "20240101120060Z",
		"2024010112000 Z", "20240101120000+", "19000101120000Z" };
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct reader r = over(good[i].in);
		CHECK(der_time(&r) == good[i].at);
		CHECK(reader_done(&r));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint8_t raw[17] = { 0x18, 15 };
		memcpy(raw + 2, bad[i], 15);
		struct reader r = over(BYTES_ARRAY(raw));
		CHECK(der_time(&r) == 0);
		CHECK(r.failed);
	}
	struct reader r = over(BYTES_LIT("\x17\x0b"
					 "7001010000Z"));
	CHECK(der_time(&r) == 0 && r.failed);
}
