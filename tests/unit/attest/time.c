/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/time.h"

#include "../test.h"

TEST(times_are_read_as_rfc_3339_has_them)
{
	static const struct {
		const char *text;
		int64_t at;
	} t[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2025-06-25T12:00:00Z", 1750852800 },
		{ "2025-06-25T14:00:00+02:00", 1750852800 },
		{ "2025-06-25T06:30:00-05:30", 1750852800 },
		{ "2025-06-25t12:00:00.75z", 1750852800 },
		{ "2025-06-25", 1750809600 },
		{ "2024-02-29T23:59:59Z", 1709251199 },
		{ "1900-02-28", -2203977600 },
		{ "9999-12-31T23:59:59Z", 253402300799 },
	};
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		int64_t at = 1;
		CHECK(attest_time_parse(t[i].text, &at));
		CHECK(at == t[i].at);
	}
}

TEST(what_is_no_time_is_refused)
{
	static const char *const t[] = { "", "2025", "2025-13-01", "2025-02-29",
		"2100-02-29", "2025-06-31", "2025-6-25", "2025-06-25T12:00:00",
		"2025-06-25T24:00:00Z", "2025-06-25T12:60:00Z",
		"2025-06-25T12:00:00.Z", "2025-06-25T12:00:00+2:00",
		"2025-06-25T12:00:00+24:00", "2025-06-25T12:00:00Zx",
		" 2025-06-25", "2025-00-10" };
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		int64_t at;
		if (attest_time_parse(t[i], &at))
			fail_msg("\"%s\" was read", t[i]);
	}
}

TEST(times_are_written_as_they_are_read)
{
	static const int64_t t[] = { 0, 1, -1, 86399, 951782400, 1709251199,
		1750852800, 253402300799, -62135596800 };
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		char text[ATTEST_TIME_TEXT];
		int64_t back;
		attest_time_print(t[i], text);
		CHECK(attest_time_parse(text, &back) && back == t[i]);
	}
	char text[ATTEST_TIME_TEXT];
	attest_time_print(INT64_MAX, text);
	CHECK_STR(text, "9999-12-31T23:59:59Z");
	attest_time_print(INT64_MIN, text);
	CHECK_STR(text, "0000-01-01T00:00:00Z");
	for (int64_t day = -719528; day < 2900000; day += 97) {
		int64_t back;
		attest_time_print(day * 86400, text);
		CHECK(attest_time_parse(text, &back) && back == day * 86400);
	}
}
