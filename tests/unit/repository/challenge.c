/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/auth.h"

#include "../test.h"

static struct repository_challenge c;
static struct err e;

TEST(bearer_challenges_of_the_token_specification_are_read)
{
	CHECK(repository_challenge_parse(
		"Bearer realm=\"https://auth.example/token\","
		"service=\"registry.example\","
		"scope=\"repository:a/b:pull,push\"",
		&c, &e));
	CHECK(c.bearer);
	CHECK_STR(c.realm, "https://auth.example/token");
	CHECK_STR(c.service, "registry.example");
	CHECK_STR(c.scope, "repository:a/b:pull,push");
}

TEST(basic_challenges_are_read_and_case_does_not_matter)
{
	CHECK(repository_challenge_parse("basic REALM=x", &c, &e));
	CHECK(!c.bearer);
	CHECK_STR(c.realm, "x");
	CHECK(repository_challenge_parse("Basic", &c, &e));
}

TEST(the_first_kind_that_is_known_counts)
{
	CHECK(repository_challenge_parse(
		"Negotiate, Bearer realm=\"https://a/\", Basic realm=\"b\"", &c,
		&e));
	CHECK(c.bearer);
	CHECK_STR(c.realm, "https://a/");
	CHECK(repository_challenge_parse(
		"Digest realm=\"d\", nonce=\"n\", Basic realm=\"b\"", &c, &e));
	CHECK(!c.bearer);
	CHECK_STR(c.realm, "b");
}

TEST(quoted_pairs_are_taken_apart)
{
	CHECK(repository_challenge_parse("Basic realm=\"a\\\"b\\\\c\"", &c,
		&e));
	CHECK_STR(c.realm, "a\"b\\c");
}

TEST(what_cannot_be_read_is_refused)
{
	static const char *const bad[] = { "", " ", "Negotiate", ",", "=",
		"Bearer", "Bearer realm=", "Bearer realm=\"", "Bearer realm",
		"Bearer realm=\"a\" x", "Basic realm=\"a\nb\"",
		"Basic realm=\"a\\", "Bearer service=\"s\"", "\"Basic\"" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (repository_challenge_parse(bad[i], &c, &e))
			fail_msg("%s: was taken", bad[i]);
}

TEST(what_is_too_long_is_refused)
{
	char text[2000] = "Basic realm=\"";
	memset(text + 13, 'a', 1100);
	text[13 + 1100] = '"';
	CHECK(!repository_challenge_parse(text, &c, &e));
}
