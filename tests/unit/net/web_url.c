/* SPDX-License-Identifier: Apache-2.0 */
#include "net/web.h"

#include "../test.h"

static char to[NET_WEB_MAX_URL];
static bool same;
static struct err e;

static bool goes(const char *base, const char *where)
{
	e = (struct err){ 0 };
	return net_web_resolve(base, where, false, to, &same, &e);
}

TEST(loopback_is_this_machine_and_nothing_else)
{
	static const char *const yes[] = { "localhost", "localhost:1",
		"LOCALHOST", "127.0.0.1", "127.9.8.7:5000", "[::1]",
		"[::1]:80" };
	static const char *const no[] = { "", "localhost.evil",
		"127.0.0.1.evil", "127.1", "128.0.0.1", "[::2]", "::1",
		"example.com", "evil:127.0.0.1", "[127.0.0.1]" };
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		if (!net_web_loopback(yes[i]))
			fail_msg("%s", yes[i]);
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		if (net_web_loopback(no[i]))
			fail_msg("%s", no[i]);
}

TEST(what_is_shown_has_no_secrets)
{
	char out[256];
	net_web_show("https://h:1/a/b?sig=secret#x", out);
	CHECK_STR(out, "h:1/a/b");
	net_web_show("https://me:secret@h/a@b", out);
	CHECK_STR(out, "h/a@b");
	net_web_show("https://h/\033[2J", out);
	CHECK_STR(out, "h/?[2J");
}

TEST(addresses_are_resolved_against_the_last_one)
{
	CHECK(goes("https://h/v2/a", "/b?c=d"));
	CHECK_STR(to, "https://h/b?c=d");
	CHECK(same);
	CHECK(goes("https://h/v2/a", "b"));
	CHECK_STR(to, "https://h/v2/b");
	CHECK(goes("https://h/v2/a", "//other/x"));
	CHECK_STR(to, "https://other/x");
	CHECK(!same);
}

TEST(the_origin_is_scheme_host_and_port)
{
	CHECK(goes("https://h/a", "https://h:443/b") && same);
	CHECK(goes("https://h/a", "https://H/b") && same);
	CHECK(goes("https://h/a", "https://h:444/b") && !same);
	CHECK(goes("https://h/a", "https://h.evil/b") && !same);
	CHECK(goes("http://127.0.0.1:1/a", "https://127.0.0.1:1/b") && !same);
}

TEST(redirects_that_weaken_are_refused)
{
	static const struct {
		const char *base, *to, *says;
	} cases[] = {
		{ "https://h/", "http://h/", "from https to plain http" },
		{ "https://127.0.0.1/", "http://127.0.0.1/",
			"from https to plain http" },
		{ "http://127.0.0.1/", "http://h/", "plain http" },
		{ "https://h/", "https://127.0.0.1/", "this machine" },
		{ "https://h/", "https://localhost:8080/", "this machine" },
		{ "https://h/", "https://[::1]/", "this machine" },
		{ "https://h/", "file:///etc/passwd", "scheme file" },
		{ "https://h/", "ftp://h/", "scheme ftp" },
		{ "https://h/", "https://me@h/", "user's name" },
		{ "https://h/", "https://me:pw@h/", "user's name" },
		{ "https://h/", "https://h/a b", "blank" },
		{ "https://h/", "https://h/\xff", "control" },
		{ "https://h/", "https://", "not an address" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (goes(cases[i].base, cases[i].to))
			fail_msg("%s", cases[i].to);
		CHECK_HAS(e.text, cases[i].says);
	}
}

TEST(plain_http_may_be_allowed)
{
	CHECK(net_web_resolve("http://h/", "http://other/", true, to, &same,
		&e));
	CHECK(!net_web_resolve("https://h/", "http://h/", true, to, &same, &e));
}
