/* SPDX-License-Identifier: Apache-2.0 */
#include "net/rule.h"

#include "../test.h"

static bool takes(const char *text)
{
	struct net_rule r;
	struct err e = { 0 };
	bool ok = net_rule_parse(text, &r, &e);
	if (!ok)
		CHECK_INT(e.kind, ERR_INPUT);
	return ok;
}

TEST(rules_are_read_or_refused)
{
	static const char *const good[] = { "any", "a:1", "a.b:65535",
		"A-b_c.example:443", "*:80", "*.example:1-2", "x:*",
		"10.0.0.1:80", "10.0.0.0/8:80", "[::1]:443", "[fe80::]/10:*",
		"0.0.0.0/0:*", "[::]/0:1-65535" };
	static const char *const bad[] = { "", "a", "a:", ":1", "a:0",
		"a:65536", "a:2-1", "a:1-", "a:-1", "a:0-5", "a:1-2-3", "a b:1",
		"*x:1", "*.:1", "*a.b:1", "a*.b:1", "a..b:1", ".a:1",
		"10.0.0.0/33:1", "10.0.0.0/:1", "10.0.0.0/x:1", "[::1:443",
		"[::1]/129:1", "[10.0.0.1]:1", "a/8:1", "any:1x", "a:1 ",
		"a\n:1" };
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		print_message("%s\n", good[i]);
		CHECK(takes(good[i]));
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		print_message("%s\n", bad[i]);
		CHECK(!takes(bad[i]));
	}
}

TEST(names_are_judged_by_their_rules)
{
	static const struct {
		const char *rule, *name;
		uint16_t port;
		enum net_verdict verdict;
	} cases[] = {
		{ "a.example:443", "a.example", 443, NET_ALLOWED },
		{ "a.example:443", "A.Example.", 443, NET_ALLOWED },
		{ "a.example:443", "a.example", 444, NET_DENIED },
		{ "a.example:443", "xa.example", 443, NET_DENIED },
		{ "a.example:443", "a.example.x", 443, NET_DENIED },
		{ "*.example:443", "a.example", 443, NET_PUBLIC },
		{ "*.example:443", "b.a.example", 443, NET_PUBLIC },
		{ "*.example:443", "example", 443, NET_DENIED },
		{ "*.example:443", ".example", 443, NET_DENIED },
		{ "*.example:443", "xexample", 443, NET_DENIED },
		{ "*:1-9", "what.ever", 5, NET_PUBLIC },
		{ "*:1-9", "what.ever", 10, NET_DENIED },
		{ "10.0.0.0/8:80", "name", 80, NET_BY_ADDRESS },
		{ "10.0.0.0/8:80", "name", 81, NET_DENIED },
		{ "any", "name", 1, NET_ALLOWED },
		{ "a:7", "a", 0, NET_ALLOWED },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_rule r;
		struct err e;
		print_message("%s %s\n", cases[i].rule, cases[i].name);
		CHECK(net_rule_parse(cases[i].rule, &r, &e));
		CHECK_INT(net_rules_name(&r, 1, bytes_str(cases[i].name),
				  cases[i].port),
			cases[i].verdict);
	}
	CHECK_INT(net_rules_name(NULL, 0, BYTES_LIT("a"), 0), NET_DENIED);
}

TEST(the_widest_rule_counts)
{
	struct net_rule r[3];
	struct err e;
	CHECK(net_rule_parse("10.0.0.0/8:*", &r[0], &e));
	CHECK(net_rule_parse("a.example:80", &r[1], &e));
	CHECK(net_rule_parse("*.example:*", &r[2], &e));
	CHECK_INT(net_rules_name(r, 3, BYTES_LIT("a.example"), 80),
		NET_ALLOWED);
	CHECK_INT(net_rules_name(r, 3, BYTES_LIT("a.example"), 81), NET_PUBLIC);
	CHECK_INT(net_rules_name(r, 3, BYTES_LIT("b"), 81), NET_BY_ADDRESS);
}

static struct net_address address(const char *text)
{
	struct net_address a = { { 0 } };
	if (!net_address_parse(bytes_str(text), &a))
		fail_msg("%s", text);
	return a;
}

TEST(addresses_are_judged_by_their_rules)
{
	static const struct {
		const char *rule, *address;
		bool allowed;
	} cases[] = {
		{ "10.0.0.0/8:1", "10.255.0.1", true },
		{ "10.0.0.0/8:1", "11.0.0.1", false },
		{ "10.1.2.3:1", "10.1.2.3", true },
		{ "10.1.2.3:1", "10.1.2.2", false },
		{ "10.1.2.2/31:1", "10.1.2.3", true },
		{ "10.1.2.2/31:1", "::ffff:10.1.2.3", true },
		{ "0.0.0.0/0:1", "1.2.3.4", true },
		{ "0.0.0.0/0:1", "::1", false },
		{ "[::]/0:1", "::1", true },
		{ "[fe80::]/10:1", "febf::1", true },
		{ "[fe80::]/10:1", "fec0::1", false },
		{ "*:1", "1.2.3.4", false },
		{ "name:1", "1.2.3.4", false },
		{ "any", "::1", true },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net_rule r;
		struct err e;
		struct net_address a = address(cases[i].address);
		print_message("%s %s\n", cases[i].rule, cases[i].address);
		CHECK(net_rule_parse(cases[i].rule, &r, &e));
		CHECK(net_rules_address(&r, 1, &a, 1) == cases[i].allowed);
	}
}

TEST(addresses_that_are_private_to_somebody_are_known)
{
	static const char *const private[] = { "0.0.0.0", "127.0.0.1",
		"10.1.1.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
		"169.254.169.254", "100.64.0.1", "198.18.0.1", "224.0.0.1",
		"255.255.255.255", "::", "::1", "fe80::1", "fc00::1", "fd00::1",
		"ff02::1", "64:ff9b::1.2.3.4", "2002:a00:1::1", "2001:db8::1",
		"2001::1", "::ffff:10.0.0.1", "::1.2.3.4" };
	static const char *const public[] = { "1.1.1.1", "172.15.0.1",
		"172.32.0.1", "192.167.1.1", "100.63.0.1", "100.128.0.1",
		"223.255.255.255", "2a00::1", "2001:4860::1",
		"::ffff:8.8.8.8" };
	for (size_t i = 0; i < ARRAY_LEN(private); i++) {
		struct net_address a = address(private[i]);
		print_message("%s\n", private[i]);
		CHECK(!net_address_is_public(&a));
	}
	for (size_t i = 0; i < ARRAY_LEN(public); i++) {
		struct net_address a = address(public[i]);
		print_message("%s\n", public[i]);
		CHECK(net_address_is_public(&a));
	}
}

TEST(endpoints_come_back)
{
	static const struct {
		const char *in, *out;
	} good[] = { { "80", ":80" }, { ":80", ":80" },
		{ "0.0.0.0:80", "0.0.0.0:80" }, { "[::]:80", ":80" },
		{ "127.0.0.1:65535", "127.0.0.1:65535" },
		{ "[::1]:1", "[::1]:1" } };
	static const char *const bad[] = { "", ":", "0", "65536", "a:80",
		"::1:80", "1.2.3.4", "1.2.3.4:", "80x", "[::1]", "-1",
		"host.example:80" };
	struct net_address a;
	struct err e;
	uint16_t port;
	char text[64];
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		print_message("%s\n", good[i].in);
		CHECK(net_endpoint_parse(good[i].in, &a, &port, &e));
		net_endpoint_print(&a, port, text);
		CHECK_STR(text, good[i].out);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		print_message("%s\n", bad[i]);
		CHECK(!net_endpoint_parse(bad[i], &a, &port, &e));
	}
}

TEST(hosts_have_neither_blanks_nor_ends_inside)
{
	uint8_t long_one[254];
	memset(long_one, 'a', sizeof long_one);
	CHECK(net_host_ok(BYTES_LIT("a.b")));
	CHECK(!net_host_ok(BYTES_NONE));
	CHECK(!net_host_ok(BYTES_LIT("a b")));
	CHECK(!net_host_ok(BYTES_LIT("a\0b")));
	CHECK(!net_host_ok(BYTES_LIT("a\xff")));
	CHECK(net_host_ok(bytes_of(long_one, 253)));
	CHECK(!net_host_ok(bytes_of(long_one, 254)));
}
