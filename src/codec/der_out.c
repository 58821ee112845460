/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/der_out.h"

#include <time.h>

#include "base/fmt.h"

bool der_put(struct buf *out, uint8_t tag, struct bytes contents)
{
	size_t n = contents.len;
	unsigned more = 0;
	buf_u8(out, tag);
	if (n >= 0x80) {
		for (size_t rest = n; rest; rest >>= 8)
			more++;
		buf_u8(out, (uint8_t)(0x80 | more));
		for (unsigned i = more; i > 1; i--)
			buf_u8(out, (uint8_t)(n >> 8 * (i - 1)));
	}
	buf_u8(out, (uint8_t)n);
	buf_put(out, contents);
	return buf_ok(out);
}

bool der_wrap(struct buf *out, uint8_t tag, struct buf *contents)
{
	if (!buf_ok(contents))
		out->failed = true;
	der_put(out, tag, buf_bytes(contents));
	buf_clear(contents);
	return buf_ok(out);
}

bool der_put_unsigned(struct buf *out, struct bytes number)
{
	auto_buf b = { 0 };
	while (number.len > 1 && !number.ptr[0])
		number = bytes_from(number, 1);
	if (!number.len || number.ptr[0] & 0x80)
		buf_u8(&b, 0);
	buf_put(&b, number);
	return der_wrap(out, DER_INTEGER, &b);
}

bool der_put_uint(struct buf *out, uint64_t number)
{
	uint8_t be[8];
	for (unsigned i = 0; i < sizeof be; i++)
		be[i] = (uint8_t)(number >> 8 * (7 - i));
	return der_put_unsigned(out, BYTES_ARRAY(be));
}

bool der_put_bits(struct buf *out, struct bytes bits)
{
	auto_buf b = { 0 };
	buf_u8(&b, 0);
	buf_put(&b, bits);
	return der_wrap(out, DER_BIT_STRING, &b);
}

bool der_put_time(struct buf *out, int64_t seconds)
{
	char text[32];
	time_t t = (time_t)seconds;
	struct tm tm;
	if (!gmtime_r(&t, &tm) || tm.tm_year + 1900 > 9999) {
		out->failed = true;
		return false;
	}
	bool utc = tm.tm_year >= 50 && tm.tm_year < 150;
	size_t n = fmt(text, sizeof text, utc ? "%02d" : "%04d",
		utc ? tm.tm_year % 100 : tm.tm_year + 1900);
	n += fmt(text + n, sizeof text - n, "%02d%02d%02d%02d%02dZ",
		tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	return der_put(out, utc ? DER_UTC_TIME : DER_TIME, bytes_of(text, n));
}
