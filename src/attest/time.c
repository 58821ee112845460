/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/time.h"

#include "base/fmt.h"

enum { DAY = 86400, DAYS_400_YEARS = 146097, DAYS_TO_1970 = 719468 };

/* Exactly n digits. */
static bool digits(const char **p, unsigned n, unsigned *out)
{
	*out = 0;
	for (; n; n--, ++*p) {
		if (**p < '0' || **p > '9')
			return false;
		*out = *out * 10 + (unsigned)(**p - '0');
	}
	return true;
}

static bool skip(const char **p, char c)
{
	if (**p != c)
		return false;
	++*p;
	return true;
}

static bool leap(unsigned y)
{
	return y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
}

static unsigned month_days(unsigned y, unsigned m)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
		30, 31 };
	return m == 2 && leap(y) ? 29 : days[m - 1];
}

/* Days since 1970: years begin in March, eras have 400 of them. */
static int64_t day_of(unsigned y, unsigned m, unsigned d)
{
	int64_t year = (int64_t)y - (m <= 2);
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	unsigned in_era = (unsigned)(year - era * 400);
	unsigned in_year = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	unsigned day = in_era * 365 + in_era / 4 - in_era / 100 + in_year;
	return era * DAYS_400_YEARS + (int64_t)day - DAYS_TO_1970;
}

/* Z, or +HH:MM: seconds to subtract. */
static bool offset(const char **p, int64_t *out)
{
	unsigned hours, minutes;
	*out = 0;
	if (skip(p, 'Z') || skip(p, 'z'))
		return true;
	int64_t sign = **p == '-' ? -1 : 1;
	if (!skip(p, '+') && !skip(p, '-'))
		return false;
	if (!digits(p, 2, &hours) || !skip(p, ':') || !digits(p, 2, &minutes) ||
		hours > 23 || minutes > 59)
		return false;
	*out = sign * (int64_t)(hours * 3600 + minutes * 60);
	return true;
}

static bool clock_of(const char **p, int64_t *out)
{
	unsigned h, m, s;
	int64_t shift;
	if (!digits(p, 2, &h) || !skip(p, ':') || !digits(p, 2, &m) ||
		!skip(p, ':') || !digits(p, 2, &s) || h > 23 || m > 59 ||
		s > 60)
		return false;
	if (skip(p, '.')) {
		if (**p < '0' || **p > '9')
			return false;
		while (**p >= '0' && **p <= '9')
			++*p;
	}
	if (!offset(p, &shift))
		return false;
	*out = (int64_t)(h * 3600 + m * 60 + s) - shift;
	return true;
}

bool attest_time_parse(const char *text, int64_t *out)
{
	const char *p = text;
	unsigned y, m, d;
	int64_t secs = 0;
	if (!digits(&p, 4, &y) || !skip(&p, '-') || !digits(&p, 2, &m) ||
		!skip(&p, '-') || !digits(&p, 2, &d) || m < 1 || m > 12 ||
		d < 1 || d > month_days(y, m))
		return false;
	if (*p) {
		if (!skip(&p, 'T') && !skip(&p, 't') && !skip(&p, ' '))
			return false;
		if (!clock_of(&p, &secs) || *p)
			return false;
	}
	*out = day_of(y, m, d) * DAY + secs;
	return true;
}

void attest_time_print(int64_t at, char out[ATTEST_TIME_TEXT])
{
	const int64_t first = day_of(0, 1, 1) * DAY;
	const int64_t last = day_of(10000, 1, 1) * DAY - 1;
	at = at < first ? first : at > last ? last : at;
	int64_t day = at / DAY - (at % DAY < 0);
	unsigned secs = (unsigned)(at - day * DAY), y = 0;
	/* A guess that is never too large, then up to the year. */
	int64_t guess = (day + DAYS_TO_1970) / 366 - 1;
	y = guess > 0 ? (unsigned)guess : 0;
	while (y < 9999 && day_of(y + 1, 1, 1) <= day)
		y++;
	unsigned m = 1;
	while (m < 12 && day_of(y, m + 1, 1) <= day)
		m++;
	unsigned d = (unsigned)(day - day_of(y, m, 1)) + 1;
	fmt(out, ATTEST_TIME_TEXT, "%04u-%02u-%02uT%02u:%02u:%02uZ", y, m, d,
		secs / 3600, secs / 60 % 60, secs % 60);
}

bool attest_time_outside(const char *what, int64_t from, int64_t to,
	int64_t now, struct err *e)
{
	char a[ATTEST_TIME_TEXT], b[ATTEST_TIME_TEXT], c[ATTEST_TIME_TEXT];
	attest_time_print(from, a);
	attest_time_print(to, b);
	attest_time_print(now, c);
	return err_fail(e, ERR_DENIED, "%s of %s to %s, now is %s", what, a, b,
		c);
}
