/* SPDX-License-Identifier: Apache-2.0 */
#include "host/ask.h"

#include "base/buf.h"

#include "../test.h"

#define HASH "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"
#define TAIL "\"nonce\":\"" HASH "\",\"owner_key_hash\":\"" HASH "\"}"

TEST(ask_knows_its_members)
{
	struct ask a;
	struct err e = { 0 };
	uint8_t want[32];
	memset(want, 0xa5, sizeof want);
	CHECK(ask_parse(
		BYTES_LIT("{\"tee\":\"auto\",\"memory\":16777216,"
			  "\"platform\":\"hardware\",\"listen\":[]," TAIL),
		&a, &e));
	CHECK_STR(a.tee, "auto");
	CHECK_INT(a.platform, ASK_HARDWARE);
	CHECK_INT(a.memory, ASK_MEMORY_MIN);
	CHECK_MEM(a.nonce, want, 32);
	CHECK_MEM(a.owner_key_hash, want, 32);
}

TEST(ask_may_leave_memory_and_platform_out)
{
	struct ask a;
	struct err e = { 0 };
	CHECK(ask_parse(BYTES_LIT("{\"tee\":\"process\"," TAIL), &a, &e));
	CHECK_INT(a.platform, ASK_AUTO);
	CHECK_INT(a.memory, 0);
}

static const struct {
	const char *text, *why;
} refused[] = {
	{ "", "ask" },
	{ "[]", "not an object" },
	{ "{" TAIL, "tee" },
	{ "{\"tee\":\"\"," TAIL, "tee" },
	{ "{\"tee\":\"Snp\"," TAIL, "tee: not a technology's name" },
	{ "{\"tee\":\"../../x\"," TAIL, "tee: not a technology's name" },
	{ "{\"tee\":\"snp\",\"platform\":\"both\"," TAIL, "platform" },
	{ "{\"tee\":\"snp\",\"listen\":{}," TAIL, "listen: not an array" },
	{ "{\"tee\":\"snp\",\"listen\":[1]," TAIL, "listen: entry 0" },
	{ "{\"tee\":\"snp\",\"listen\":[\"1\",\"x:1\"]," TAIL,
		"listen: entry 1: not PORT" },
	{ "{\"tee\":\"snp\",\"listen\":[\"1\",\"[::1]:1\"]," TAIL,
		"port 1 twice" },
	{ "{\"tee\":\"snp\",\"connect\":1," TAIL, "connect" },
	{ "{\"tee\":\"snp\",\"memory\":16777215," TAIL, "memory" },
	{ "{\"tee\":\"snp\",\"cpus\":4," TAIL, "cpus" },
	{ "{\"tee\":\"snp\",\"nonce\":\"" HASH "\"}", "owner_key_hash" },
	{ "{\"tee\":\"snp\",\"nonce\":\"a5\",\"owner_key_hash\":\"" HASH "\"}",
		"nonce" },
};

TEST(ask_refuses_what_is_wrong_by_name)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct ask a = { .memory = 7 };
		struct err e = { 0 };
		CHECK(!ask_parse(bytes_str(refused[i].text), &a, &e));
		CHECK_INT(e.kind, ERR_INPUT);
		CHECK_HAS(e.text, refused[i].why);
		CHECK_INT(a.memory, 7);
	}
}

TEST(ask_names_ports_and_whether_it_connects)
{
	static const char text[] =
		"{\"tee\":\"snp\",\"connect\":true,"
		"\"listen\":[\"80\",\"127.0.0.1:443\"]," TAIL;
	struct ask a;
	struct err e = { 0 };
	CHECK(ask_parse(bytes_str(text), &a, &e));
	CHECK(a.connect);
	CHECK_INT(a.listen_count, 2);
	CHECK_INT(a.listen[0].port, 80);
	CHECK(bytes_all_zero(BYTES_ARRAY(a.listen[0].address.ip)));
	CHECK_INT(a.listen[1].port, 443);
	CHECK_INT(a.listen[1].address.ip[12], 127);
	CHECK(ask_parse(BYTES_LIT("{\"tee\":\"snp\"," TAIL), &a, &e));
	CHECK(!a.connect && !a.listen_count);
}

TEST(ask_refuses_more_ports_than_a_keep_can_have)
{
	auto_buf text = { 0 };
	struct ask a;
	struct err e = { 0 };
	buf_str(&text, "{\"tee\":\"snp\",\"listen\":[");
	for (int i = 1; i <= GATE_MAX_PORTS + 1; i++)
		buf_fmt(&text, "\"%d\"%s", i, i <= GATE_MAX_PORTS ? "," : "],");
	buf_str(&text, TAIL);
	CHECK(!ask_parse(buf_bytes(&text), &a, &e));
	CHECK_HAS(e.text, "listen: more than 64");
}

TEST(ask_refuses_every_truncation)
{
	static const char whole[] = "{\"tee\":\"process\"," TAIL;
	struct ask a;
	struct err e = { 0 };
	for (size_t n = 0; n < sizeof whole - 1; n++)
		CHECK(!ask_parse(bytes_of(whole, n), &a, &e));
}

TEST(ask_refuses_more_than_64_kilobytes)
{
	struct ask a;
	struct err e = { 0 };
	auto_buf text = { 0 };
	CHECK(buf_str(&text, "{\"tee\":\"process\"," TAIL));
	while (text.len <= ASK_MAX_BYTES)
		buf_u8(&text, ' ');
	CHECK(!ask_parse(buf_bytes(&text), &a, &e));
	CHECK_INT(e.kind, ERR_LIMIT);
}
