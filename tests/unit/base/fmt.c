/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fmt.h"

#include <stdio.h>

#include "../test.h"

/* The C library is the oracle. */
#define SAME(...)                                               \
	do {                                                    \
		char ours[80], theirs[80];                      \
		size_t n = fmt(ours, sizeof ours, __VA_ARGS__); \
		snprintf(theirs, sizeof theirs, __VA_ARGS__);   \
		CHECK_STR(ours, theirs);                        \
		CHECK_INT(n, strlen(theirs));                   \
	} while (0)

TEST(fmt_prints_what_the_c_library_prints)
{
	SAME("plain");
	SAME("%d %i %u", -1, INT32_MIN, UINT32_MAX);
	SAME("%ld %lld %zu", -5L, (long long)INT64_MIN, SIZE_MAX);
	SAME("%x %X %08x %016llx", 0xbeefu, 0xbeefu, 0x12u, 0x1234ull);
	SAME("%02x%02x", 0xau, 0xffu);
	SAME("[%5d] [%-5d] [%05d]", 42, 42, -42);
	SAME("[%.3d] [%8.3d] [%.5x]", 7, 7, 0xabu);
	SAME("%s|%10s|%-10s|%.2s|%.*s", "abc", "abc", "abc", "abc", 1, "xyz");
	SAME("%c%%%c", 'a', 'b');
	SAME("%hhu %hu", 200, 60000);
}

TEST(fmt_cuts_what_does_not_fit_and_terminates)
{
	char small[4];
	CHECK_INT(fmt(small, sizeof small, "%s", "abcdef"), 3);
	CHECK_STR(small, "abc");
}

TEST(fmt_survives_a_null_string)
{
	char text[16];
	const char *volatile none = NULL;
	fmt(text, sizeof text, "%s", none);
	CHECK_STR(text, "(null)");
}
