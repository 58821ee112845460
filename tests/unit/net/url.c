/* SPDX-License-Identifier: Apache-2.0 */
#include "net/url.h"

#include "../test.h"

TEST(url_reads_the_three_kinds_of_address)
{
	struct net_url u;
	struct err e;
	CHECK(net_url_parse("https://host.example:7443", &u, &e));
	CHECK(u.https && !u.local);
	CHECK_STR(u.host, "host.example:7443");
	CHECK_STR(u.prefix, "");
	CHECK(net_url_parse("http://127.0.0.1:80/a/b//", &u, &e));
	CHECK(!u.https && u.local);
	CHECK_STR(u.prefix, "/a/b");
	CHECK(net_url_parse("unix:///run/d.sock", &u, &e));
	CHECK(u.local);
	CHECK_STR(u.socket, "/run/d.sock");
}

TEST(url_knows_what_is_loopback)
{
	static const struct {
		const char *url;
		bool local;
	} cases[] = { { "http://localhost", true },
		{ "http://localhost:1", true }, { "http://[::1]:1", true },
		{ "http://127.9.9.9", true },
		{ "http://localhost.evil.example", false },
		{ "http://127.0.0.1.evil.example", false },
		{ "http://[::1].evil.example", false },
		{ "http://10.0.0.1", false }, { "http://[::2]:1", false } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_url u = { 0 };
		struct err e;
		/* Not an address at all is fine too, but never loopback. */
		if (net_url_parse(cases[i].url, &u, &e))
			CHECK_INT(u.local, cases[i].local);
		else
			CHECK(!cases[i].local);
	}
}

TEST(url_refuses_everything_else)
{
	static const char *const bad[] = { "", "host:7443", "ftp://host",
		"https://", "https://user@host", "https://host:0",
		"https://host:65536", "https://host:7x",
		"https://host:", "https://ho st", "https://host/a?b",
		"https://host/#x", "https://host/%41", "unix://relative",
		"unix:///", "https://[::1", "HTTPS://host",
		"https://h\r\nX: y" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct net_url u;
		struct err e = { 0 };
		print_message("%s\n", bad[i]);
		CHECK(!net_url_parse(bad[i], &u, &e));
		CHECK_INT(e.kind, ERR_INPUT);
	}
}
