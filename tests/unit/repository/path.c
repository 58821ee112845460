/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/path.h"

#include "../test.h"

static bool ok(const char *text)
{
	return repository_path_ok(bytes_str(text), NULL);
}

TEST(plain_relative_paths_are_fine)
{
	CHECK(ok("a"));
	CHECK(ok("a/b.c/d-e f"));
	CHECK(ok("...") && ok(".a") && ok("..a/b"));
	CHECK(ok("gr\xc3\xbc\xc3\x9f"
		 "e/\xe6\x97\xa5/\xf0\x9f\x98\x80"));
}

TEST(whatever_could_lead_out_is_refused)
{
	static const char *const bad[] = { "", "/", "/a", "a/", "a//b", ".",
		"..", "a/..", "../a", "a/./b", "a/../b", "a\\b", "..\\a" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (ok(bad[i]))
			fail_msg("%s: was taken", bad[i]);
}

TEST(control_characters_and_what_is_not_utf8_are_refused)
{
	static const char *const bad[] = { "a\nb", "a\x7f", "\xc2\x80", "\xff",
		"\xc3", "a\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
		"\xe2\x80\xae"
		"fdp.exe" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (ok(bad[i]))
			fail_msg("%zu: was taken", i);
	CHECK(!repository_path_ok(bytes_of("a\0b", 3), NULL));
}

TEST(lengths_are_bounded)
{
	char text[REPOSITORY_PATH_MAX + 2];
	memset(text, 'a', sizeof text);
	for (size_t i = 200; i < sizeof text; i += 200)
		text[i] = '/';
	CHECK(repository_path_ok(bytes_of(text, REPOSITORY_PATH_MAX), NULL));
	CHECK(!repository_path_ok(bytes_of(text, REPOSITORY_PATH_MAX + 1),
		NULL));
	memset(text, 'a', sizeof text);
	CHECK(repository_path_ok(bytes_of(text, 255), NULL));
	CHECK(!repository_path_ok(bytes_of(text, 256), NULL));
}

static bool same(const char *a, const char *b)
{
	auto_buf x = { 0 }, y = { 0 };
	CHECK(repository_path_fold(bytes_str(a), &x));
	CHECK(repository_path_fold(bytes_str(b), &y));
	return bytes_equal(buf_bytes(&x), buf_bytes(&y));
}

TEST(names_that_differ_by_case_only_fold_to_one)
{
	CHECK(same("README.md", "readme.MD"));
	CHECK(same("\xc3\x84", "\xc3\xa4"));
	CHECK(same("\xce\xa3x", "\xcf\x82X")); /* the two small sigmas */
	CHECK(!same("a", "b"));
	CHECK(!same("\xc3\xa4", "a"));
}
