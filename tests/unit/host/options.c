/* SPDX-License-Identifier: Apache-2.0 */
#include "host/options.h"

#include <stdlib.h>

#include "../test.h"

static bool parse(struct options *o, struct err *e, const char *const *words)
{
	char *argv[20] = { (char *)(uintptr_t) "donjond" };
	int argc = 1;
	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
	return options_parse(argc, argv, o, e);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

TEST(options_have_defaults)
{
	struct options o;
	struct err e = { 0 };
	setenv("XDG_DATA_HOME", "/data", 1);
	CHECK(parse(&o, &e, (const char *const[]){ NULL }));
	CHECK_INT(o.listeners, 1);
	CHECK_STR(o.listen[0], "127.0.0.1:7443");
	CHECK_STR(o.root, "/data/donjon/software-root.pem");
	CHECK_INT(o.max_keeps, 64);
	CHECK(o.max_memory >= UINT64_C(1) << 30);
	CHECK_INT(o.owner_wait_ns / 1000000000, 600);
	CHECK_INT(o.ready_fd, -1);
	CHECK_HAS(o.keep_program, "/donjon-keep");
	CHECK_HAS(o.images, "keep");
}

TEST(options_grant_ports_and_connections)
{
	struct options o;
	struct err e = { 0 };
	CHECK(parse(&o, &e,
		WORDS("--allow-listen", "8000-8099", "--allow-listen",
			"127.0.0.1:443", "--allow-connect", "any",
			"--allow-connect", "*.example:443", "--max-connections",
			"7", "--max-traffic", "1M")));
	CHECK_INT(o.allow_listens, 2);
	CHECK_INT(o.allow_listen[0].first, 8000);
	CHECK_INT(o.allow_listen[0].last, 8099);
	CHECK_INT(o.allow_listen[1].last, 443);
	CHECK_INT(o.allow_listen[1].address.ip[12], 127);
	CHECK_INT(o.allow_connects, 2);
	CHECK_STR(o.allow_connect[1], "*.example:443");
	CHECK_INT(o.max_connections, 7);
	CHECK_INT(o.max_traffic, 1 << 20);
	static const char *const bad[][2] = { { "--allow-listen", "0" },
		{ "--allow-listen", "80-" }, { "--allow-listen", "90-80" },
		{ "--allow-listen", "x:80" }, { "--allow-connect", "host" },
		{ "--allow-connect", "host:0" }, { "--max-connections", "0" },
		{ "--max-connections", "4097" }, { "--max-traffic", "1X" } };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		print_message("%s %s\n", bad[i][0], bad[i][1]);
		CHECK(!parse(&o, &e, WORDS(bad[i][0], bad[i][1])));
		CHECK_HAS(e.text, bad[i][0]);
		CHECK_INT(e.kind, ERR_INPUT);
	}
}

TEST(options_of_a_unix_socket_alone_listen_on_no_port)
{
	struct options o;
	struct err e = { 0 };
	CHECK(parse(&o, &e, WORDS("--unix", "/run/x", "--root", "/r")));
	CHECK_INT(o.listeners, 0);
	CHECK_STR(o.unix_path, "/run/x");
}

TEST(options_find_the_root_of_each_user)
{
	struct options o;
	struct err e = { 0 };
	unsetenv("XDG_DATA_HOME");
	setenv("HOME", "/home/x", 1);
	CHECK(parse(&o, &e, WORDS("--unix", "u")));
	CHECK_STR(o.root, "/home/x/.local/share/donjon/software-root.pem");
	setenv("XDG_DATA_HOME", "relative", 1);
	CHECK(parse(&o, &e, WORDS("--unix", "u")));
	CHECK_STR(o.root, "/home/x/.local/share/donjon/software-root.pem");
}

static const struct {
	const char *text;
	uint64_t bytes;
} sizes[] = {
	{ "0", 0 },
	{ "17", 17 },
	{ "64K", 64 << 10 },
	{ "16M", 16 << 20 },
	{ "3G", UINT64_C(3) << 30 },
	{ "9223372036854775807", INT64_MAX },
};
static const char *const no_sizes[] = { "", "x", "-1", "+1", " 1", "1k", "1KB",
	"1 K", "K", "9223372036854775808", "9007199254740992K",
	"99999999999999999999" };

TEST(options_know_sizes)
{
	uint64_t n;
	struct err e = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		CHECK(options_bytes(sizes[i].text, &n, &e));
		CHECK(n == sizes[i].bytes);
	}
	for (size_t i = 0; i < ARRAY_LEN(no_sizes); i++)
		CHECK(!options_bytes(no_sizes[i], &n, &e));
}

static const struct {
	const char *flag, *value, *why;
} refused[] = {
	{ "--nonsense", NULL, "no such option" },
	{ "word", NULL, "no arguments" },
	{ "--listen", NULL, "needs a value" },
	{ "--max-keeps", "0", "--max-keeps: 0: not a number" },
	{ "--max-keeps", "1025", "1 to 1024" },
	{ "--owner-wait", "0", "--owner-wait" },
	{ "--log-level", "x", "want error, warn, info or debug" },
	{ "--ready-fd", "99999", "--ready-fd" },
	{ "--keep-memory", "16777215", "at least 16M" },
	{ "--tls-cert", "c", "belong together" },
	{ "--tls-key", "k", "belong together" },
	{ "--root", "", "not a usable path" },
};

TEST(options_refuse_what_is_wrong_by_name)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct options o;
		struct err e = { 0 };
		CHECK(!parse(&o, &e, WORDS(refused[i].flag, refused[i].value)));
		CHECK_INT(e.kind, ERR_INPUT);
		CHECK_HAS(e.text, refused[i].why);
	}
}

TEST(options_take_eight_listeners_and_no_more)
{
	struct options o;
	struct err e = { 0 };
	CHECK(parse(&o, &e,
		WORDS("--listen=a", "--listen=b", "--listen=c", "--listen=d",
			"--listen=e", "--listen=f", "--listen=g", "--listen=h",
			"--root=r")));
	CHECK_INT(o.listeners, 8);
	CHECK_STR(o.listen[7], "h");
	CHECK(!parse(&o, &e,
		WORDS("--listen=a", "--listen=b", "--listen=c", "--listen=d",
			"--listen=e", "--listen=f", "--listen=g", "--listen=h",
			"--listen=i")));
}
