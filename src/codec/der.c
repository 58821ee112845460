/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/der.h"

enum { HIGH_TAG = 0x1f, LONG_FORM = 0x80, MAX_LENGTH_BYTES = 4 };

static struct bytes fail(struct reader *r)
{
	r->failed = true;
	return BYTES_NONE;
}

bool der_next_is(const struct reader *r, uint8_t tag)
{
	return reader_left(r) && r->in.ptr[r->at] == tag;
}

/* The shortest form only: below 128 one byte, above no leading zero. */
static size_t take_length(struct reader *r)
{
	uint8_t first = reader_u8(r);
	if (!(first & LONG_FORM))
		return first;
	size_t n = first & 0x7f;
	if (n == 0 || n > MAX_LENGTH_BYTES) {
		r->failed = true; /* indefinite, or absurd */
		return 0;
	}
	uint64_t v = reader_be(r, n);
	if (v < LONG_FORM || v >> (8 * (n - 1)) == 0)
		r->failed = true;
	return (size_t)v;
}

struct bytes der_any(struct reader *r, uint8_t *tag)
{
	*tag = reader_u8(r);
	if ((*tag & HIGH_TAG) == HIGH_TAG)
		return fail(r);
	size_t n = take_length(r);
	return reader_take(r, n);
}

struct bytes der_take(struct reader *r, uint8_t tag)
{
	uint8_t found;
	struct bytes b = der_any(r, &found);
	return found == tag && !r->failed ? b : fail(r);
}

struct bytes der_whole(struct reader *r, uint8_t tag)
{
	size_t at = r->at;
	der_take(r, tag);
	if (r->failed)
		return BYTES_NONE;
	return bytes_of(r->in.ptr + at, r->at - at);
}

struct reader der_enter(struct reader *r, uint8_t tag)
{
	struct bytes b = der_take(r, tag);
	return (struct reader){ .in = b, .failed = r->failed };
}

struct bytes der_unsigned(struct reader *r)
{
	struct bytes b = der_take(r, DER_INTEGER);
	if (!b.len || b.ptr[0] & 0x80 ||
		(b.len > 1 && !b.ptr[0] && !(b.ptr[1] & 0x80)))
		return fail(r);
	return b;
}

uint64_t der_uint(struct reader *r)
{
	struct bytes b = der_unsigned(r);
	if (b.len > 1 && !b.ptr[0])
		b = bytes_from(b, 1);
	if (b.len > 8) {
		r->failed = true;
		return 0;
	}
	uint64_t v = 0;
	for (size_t i = 0; i < b.len; i++)
		v = v << 8 | b.ptr[i];
	return v;
}

struct bytes der_bits(struct reader *r)
{
	struct bytes b = der_take(r, DER_BIT_STRING);
	if (!b.len || b.ptr[0] != 0)
		return fail(r);
	return bytes_from(b, 1);
}

/* Two decimal digits at p; -1000 when they are none. */
static int two_digits(const uint8_t *p)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return -1000;
	return (p[0] - '0') * 10 + p[1] - '0';
}

/* Days since 1970 of a civil date; years begin in March, eras of 400 years
 * have 146097 days. */
static int64_t days_of(int year, int month, int day)
{
	year -= month <= 2;
	int era = year / 400, yoe = year % 400;
	int doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return (int64_t)era * 146097 + doe - 719468;
}

static int month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	return days[month - 1] + (month == 2 && leap);
}

/* Century, year, month, day, hour, minute, second. */
static bool civil_ok(const int v[7])
{
	int year = v[0] * 100 + v[1];
	return v[0] >= 0 && v[1] >= 0 && year >= 1950 && v[2] >= 1 &&
		v[2] <= 12 && v[3] >= 1 && v[3] <= month_days(year, v[2]) &&
		v[4] >= 0 && v[4] < 24 && v[5] >= 0 && v[5] < 60 && v[6] >= 0 &&
		v[6] < 60;
}

int64_t der_time(struct reader *r)
{
	bool utc = der_next_is(r, DER_UTC_TIME);
	struct bytes b = der_take(r, utc ? DER_UTC_TIME : DER_TIME);
	size_t digits = utc ? 12 : 14;
	int v[7] = { 0 };
	if (b.len != digits + 1 || b.ptr[digits] != 'Z') {
		r->failed = true;
		return 0;
	}
	for (size_t i = 0; i < digits / 2; i++)
		v[i + utc] = two_digits(b.ptr + 2 * i);
	if (utc)
		v[0] = v[1] >= 50 ? 19 : 20; /* RFC 5280 §4.1.2.5.1 */
	if (!civil_ok(v)) {
		r->failed = true;
		return 0;
	}
	return days_of(v[0] * 100 + v[1], v[2], v[3]) * 86400 + v[4] * 3600 +
		v[5] * 60 + v[6];
}
