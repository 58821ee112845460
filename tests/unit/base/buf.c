/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include "../test.h"

TEST(buf_appends_and_consumes)
{
	auto_buf b = { 0 };
	buf_u8(&b, 1);
	buf_u16le(&b, 0x0302);
	buf_u32le(&b, 0x07060504);
	buf_str(&b, "ab");
	static const uint8_t want[] = { 1, 2, 3, 4, 5, 6, 7, 'a', 'b' };
	CHECK(buf_ok(&b));
	CHECK(bytes_equal(buf_bytes(&b), BYTES_ARRAY(want)));
	buf_consume(&b, 7);
	CHECK_STR(buf_cstr(&b), "ab");
}

TEST(buf_refuses_more_than_its_limit_and_stays_whole)
{
	auto_buf b = { .limit = 4 };
	CHECK(buf_str(&b, "1234"));
	CHECK(!buf_u8(&b, 5));
	CHECK(!buf_ok(&b));
	CHECK(bytes_equal(buf_bytes(&b), BYTES_LIT("1234")));
}

TEST(buf_refuses_a_length_that_overflows)
{
	auto_buf b = { 0 };
	buf_u8(&b, 1);
	CHECK(!buf_reserve(&b, SIZE_MAX));
	CHECK_INT(b.len, 1);
}

TEST(buf_formats)
{
	auto_buf b = { 0 };
	buf_fmt(&b, "%s-%d", "x", 12);
	CHECK_STR(buf_cstr(&b), "x-12");
}
