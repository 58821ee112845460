/* SPDX-License-Identifier: Apache-2.0 */
#include "base/reader.h"

#include "../test.h"

static const uint8_t eight[] = { 1, 2, 3, 4, 5, 6, 7, 8 };

TEST(reader_reads_both_byte_orders)
{
	struct reader r = { .in = BYTES_ARRAY(eight) };
	CHECK_INT(reader_u8(&r), 1);
	CHECK_INT(reader_u16le(&r), 0x0302);
	CHECK_INT(reader_u32be(&r), 0x04050607);
	CHECK(!reader_done(&r));
	CHECK_INT(reader_u8(&r), 8);
	CHECK(reader_done(&r));
}

TEST(reader_sticks_at_the_first_read_past_the_end)
{
	struct reader r = { .in = BYTES_ARRAY(eight) };
	CHECK_INT(reader_take(&r, 9).len, 0);
	CHECK_INT(reader_u8(&r), 0);
	CHECK_INT(reader_left(&r), 0);
	CHECK(!reader_done(&r));
}

TEST(reader_survives_lengths_near_the_top)
{
	struct reader r = { .in = BYTES_ARRAY(eight) };
	reader_u8(&r);
	CHECK_INT(reader_take(&r, SIZE_MAX).len, 0);
	CHECK(r.failed);
}

TEST(reader_copies_zeros_when_there_is_too_little)
{
	struct reader r = { .in = bytes_of(eight, 2) };
	uint8_t out[4] = { 9, 9, 9, 9 };
	reader_copy(&r, out, sizeof out);
	CHECK(bytes_all_zero(BYTES_ARRAY(out)));
}
