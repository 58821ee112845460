/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/der_out.h"

#include "../test.h"

static void check(struct buf *b, const void *want, size_t n)
{
	CHECK(buf_ok(b));
	CHECK_INT(b->len, n);
	CHECK_MEM(b->ptr, want, n);
	buf_clear(b);
}

TEST(der_out_lengths_are_in_their_shortest_form)
{
	static const struct {
		size_t n;
		uint8_t head[5];
		size_t head_len;
	} cases[] = { { 0, { 4, 0 }, 2 }, { 0x7f, { 4, 0x7f }, 2 },
		{ 0x80, { 4, 0x81, 0x80 }, 3 }, { 0xff, { 4, 0x81, 0xff }, 3 },
		{ 0x100, { 4, 0x82, 1, 0 }, 4 },
		{ 0x10000, { 4, 0x83, 1, 0, 0 }, 5 } };
	static const uint8_t zeros[0x10000];
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		auto_buf b = { 0 };
		CHECK(der_put(&b, DER_OCTET_STRING,
			bytes_of(zeros, cases[i].n)));
		CHECK_INT(b.len, cases[i].head_len + cases[i].n);
		CHECK_MEM(b.ptr, cases[i].head, cases[i].head_len);
		struct reader r = { .in = buf_bytes(&b) };
		CHECK_INT(der_take(&r, DER_OCTET_STRING).len, cases[i].n);
		CHECK(reader_done(&r));
	}
}

TEST(der_out_numbers_are_never_negative)
{
	auto_buf b = { 0 };
	der_put_uint(&b, 0);
	check(&b, "\x02\x01\x00", 3);
	der_put_uint(&b, 127);
	check(&b, "\x02\x01\x7f", 3);
	der_put_uint(&b, 128);
	check(&b, "\x02\x02\x00\x80", 4);
	der_put_uint(&b, UINT64_MAX);
	check(&b, "\x02\x09\x00\xff\xff\xff\xff\xff\xff\xff\xff", 11);
	der_put_unsigned(&b, bytes_of("\0\0\x05", 3));
	check(&b, "\x02\x01\x05", 3);
	der_put_unsigned(&b, BYTES_NONE);
	check(&b, "\x02\x01\x00", 3);
}

TEST(der_out_times_are_read_back)
{
	static const int64_t times[] = { 0, 951782400, 1700000000, 2524607999,
		2524608000, 4102444800 };
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		auto_buf b = { 0 };
		CHECK(der_put_time(&b, times[i]));
		CHECK_INT(b.ptr[0],
			times[i] < 2524608000 ? DER_UTC_TIME : DER_TIME);
		struct reader r = { .in = buf_bytes(&b) };
		CHECK_INT(der_time(&r), times[i]);
		CHECK(reader_done(&r));
	}
}

TEST(der_out_a_failure_inside_is_one_outside)
{
	auto_buf in = { .limit = 1 }, out = { 0 };
	buf_put(&in, bytes_of("ab", 2));
	CHECK(!der_wrap(&out, DER_SEQUENCE, &in));
	CHECK(!buf_ok(&out));
}
