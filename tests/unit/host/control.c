/* SPDX-License-Identifier: Apache-2.0 */
#include "host/control.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/fmt.h"

#include "../test.h"

#define ID    "00112233445566778899aabbccddeeff"
#define HASH4 "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5"
#define HASH  HASH4 HASH4

static struct control_message launch(void)
{
	struct control_message m = { .type = CONTROL_LAUNCH,
		.memory_bytes = 1ull << 30,
		.owner_wait_ns = 600ull * 1000000000 };
	fmt(m.id, sizeof m.id, ID);
	fmt(m.tee, sizeof m.tee, "process");
	fmt(m.image_dir, sizeof m.image_dir, "/lib/donjon/keep");
	fmt(m.root_path, sizeof m.root_path, "/var/root.pem");
	memset(m.nonce, 0xa5, sizeof m.nonce);
	memset(m.owner_key_hash, 0x5a, sizeof m.owner_key_hash);
	m.max_connections = 9;
	return m;
}

static void pair(int s[2], int flags)
{
	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET | flags, 0, s), 0);
}

static void reparse(const struct control_message *m,
	struct control_message *out)
{
	auto_buf text = { 0 };
	struct err e = { 0 };
	CHECK(control_encode(m, &text, &e));
	CHECK(control_parse(buf_bytes(&text), out, &e));
	CHECK_INT(out->type, m->type);
}

TEST(control_launch_survives_the_way)
{
	static const char ports[] = ":80\0"
				    "127.0.0.1:443";
	struct control_message m = launch(), got;
	CHECK(buf_put(&m.listen, BYTES_ARRAY(ports)));
	CHECK(buf_put(&m.connect, BYTES_ARRAY("any")));
	m.max_traffic = INT64_MAX;
	reparse(&m, &got);
	CHECK(bytes_equal(buf_bytes(&got.listen), buf_bytes(&m.listen)));
	CHECK(bytes_equal(buf_bytes(&got.connect), buf_bytes(&m.connect)));
	CHECK_INT(got.max_connections, 9);
	CHECK_INT(got.max_traffic, INT64_MAX);
	CHECK_STR(got.id, m.id);
	CHECK_STR(got.tee, m.tee);
	CHECK_STR(got.image_dir, m.image_dir);
	CHECK_STR(got.root_path, m.root_path);
	CHECK_MEM(got.nonce, m.nonce, 32);
	CHECK_MEM(got.owner_key_hash, m.owner_key_hash, 32);
	CHECK_INT(got.memory_bytes, m.memory_bytes);
	CHECK_INT(got.owner_wait_ns, m.owner_wait_ns);
	control_fini(&got);
	control_fini(&m);
}

TEST(control_published_carries_binary)
{
	struct control_message m = { .type = CONTROL_PUBLISHED,
		.software = true };
	struct control_message got;
	uint8_t blob[300];
	for (size_t i = 0; i < sizeof blob; i++)
		blob[i] = (uint8_t)i;
	CHECK(buf_put(&m.claims, BYTES_ARRAY(blob)));
	CHECK(buf_put(&m.evidence, bytes_of(blob, 288)));
	CHECK(buf_put(&m.certificate, bytes_of(blob, 7)));
	reparse(&m, &got);
	CHECK(got.software);
	CHECK_INT(got.claims.len, 300);
	CHECK_MEM(got.claims.ptr, blob, 300);
	CHECK_INT(got.evidence.len, 288);
	CHECK_INT(got.endorsements.len, 0);
	CHECK_INT(got.certificate.len, 7);
	control_fini(&m);
	control_fini(&got);
}

TEST(control_closed_and_ended_survive_the_way)
{
	struct control_message m = { .type = CONTROL_CLOSED,
		.channel = 9,
		.bytes_in = 1ull << 40,
		.bytes_out = INT64_MAX };
	struct control_message got;
	reparse(&m, &got);
	CHECK_INT(got.channel, 9);
	CHECK(got.bytes_in == 1ull << 40);
	CHECK(got.bytes_out == INT64_MAX);
	struct control_message end = { .type = CONTROL_ENDED,
		.reason = "failed",
		.kind = ERR_LIMIT,
		.text = "open \"x\\\xff\n\": no" };
	reparse(&end, &got);
	CHECK_STR(got.reason, "failed");
	CHECK_INT(got.kind, ERR_LIMIT);
	CHECK_STR(got.text, "open \"x\\??\": no");
}

TEST(control_refuses_to_encode_what_cannot_be_parsed)
{
	auto_buf text = { 0 };
	struct err e = { 0 };
	struct control_message m = { .type = CONTROL_CHANNEL,
		.channel = UINT64_MAX };
	CHECK(!control_encode(&m, &text, &e));
	m = (struct control_message){ .type = CONTROL_TYPE_COUNT };
	CHECK(!control_encode(&m, &text, &e));
	m = (struct control_message){ .type = CONTROL_PUBLISHED };
	CHECK(buf_reserve(&m.evidence, CONTROL_MAX_BYTES));
	memset(m.evidence.ptr, 0, CONTROL_MAX_BYTES);
	buf_commit(&m.evidence, CONTROL_MAX_BYTES);
	CHECK(!control_encode(&m, &text, &e));
	CHECK_INT(e.kind, ERR_LIMIT);
	control_fini(&m);
}

static const struct {
	const char *text, *why;
} refused[] = {
	{ "", "control" },
	{ "[]", "control" },
	{ "{}", "type" },
	{ "{\"type\":7}", "type" },
	{ "{\"type\":\"start\"}", "type: unknown" },
	{ "{\"type\":\"stop\",\"x\":1}", "x" },
	{ "{\"type\":\"stop\"} ]", "control" },
	{ "{\"type\":\"stop\",\"type\":\"stop\"}", "twice" },
	{ "{\"type\":\"channel\"}", "channel" },
	{ "{\"type\":\"channel\",\"channel\":-1}", "channel" },
	{ "{\"type\":\"channel\",\"channel\":1.5}", "channel" },
	{ "{\"type\":\"channel\",\"channel\":9223372036854775808}", "range" },
	{ "{\"type\":\"closed\",\"channel\":1,\"bytes_in\":2}", "bytes_out" },
	{ "{\"type\":\"ended\",\"reason\":\"\",\"kind\":\"host\",\"text\":\"\"}",
		"reason" },
	{ "{\"type\":\"ended\",\"reason\":\"a b\",\"kind\":\"host\","
	  "\"text\":\"\"}",
		"reason: not a word" },
	{ "{\"type\":\"ended\",\"reason\":\"abcdefghijklmnopqrstuvwxyz-abcde\","
	  "\"kind\":\"host\",\"text\":\"\"}",
		"reason" },
	{ "{\"type\":\"ended\",\"reason\":\"done\",\"kind\":\"fine\","
	  "\"text\":\"\"}",
		"kind: unknown" },
	{ "{\"type\":\"published\",\"claims\":\"\",\"evidence\":\"\","
	  "\"endorsements\":\"\",\"certificate\":\"\"}",
		"software: missing" },
	{ "{\"type\":\"published\",\"software\":false,\"claims\":\"!\","
	  "\"evidence\":\"\",\"endorsements\":\"\",\"certificate\":\"\"}",
		"claims" },
	{ "{\"type\":\"launch\",\"id\":\"../../etc/passwd................\","
	  "\"tee\":\"process\",\"image_dir\":\"/\",\"root_path\":\"/\","
	  "\"nonce\":\"" HASH "\",\"owner_key_hash\":\"" HASH "\","
	  "\"memory_bytes\":1,\"owner_wait_ns\":1}",
		"id: not 32 hex digits" },
	{ "{\"type\":\"launch\",\"id\":\"" ID "\",\"tee\":\"process\","
	  "\"image_dir\":\"/\",\"root_path\":\"/\",\"nonce\":\"" HASH4 "\","
	  "\"owner_key_hash\":\"" HASH "\",\"memory_bytes\":1,"
	  "\"owner_wait_ns\":1}",
		"nonce" },
	{ "{\"type\":\"launch\",\"id\":\"" ID "\",\"tee\":\"process\","
	  "\"image_dir\":\"\",\"root_path\":\"/\",\"nonce\":\"" HASH "\","
	  "\"owner_key_hash\":\"" HASH "\",\"memory_bytes\":1,"
	  "\"owner_wait_ns\":1}",
		"image_dir: empty" },
	{ "{\"type\":\"launch\",\"id\":\"" ID "\",\"tee\":\"process\","
	  "\"image_dir\":\"/\",\"root_path\":\"/\",\"nonce\":\"" HASH "\","
	  "\"owner_key_hash\":\"" HASH "\",\"memory_bytes\":1,"
	  "\"owner_wait_ns\":1,\"connect\":[],\"max_connections\":1,\"max_traffic\":1}",
		"listen: not an array" },
	{ "{\"type\":\"launch\",\"id\":\"" ID "\",\"tee\":\"process\","
	  "\"image_dir\":\"/\",\"root_path\":\"/\",\"nonce\":\"" HASH "\","
	  "\"owner_key_hash\":\"" HASH "\",\"memory_bytes\":1,"
	  "\"owner_wait_ns\":1,\"listen\":[],\"connect\":[\"\"],\"max_connections\":1,\"max_traffic\":1}",
		"connect: entry 0" },
	{ "{\"type\":\"launch\",\"id\":\"" ID "\",\"tee\":\"process\","
	  "\"image_dir\":\"/\",\"root_path\":\"/\",\"nonce\":\"" HASH "\","
	  "\"owner_key_hash\":\"" HASH "\",\"memory_bytes\":1,"
	  "\"owner_wait_ns\":1,\"listen\":[1],\"connect\":[],\"max_connections\":1,\"max_traffic\":1}",
		"listen: entry 0" },
	{ "{\"type\":\"launch\",\"id\":\"" ID "\",\"tee\":\"process\","
	  "\"image_dir\":\"/\",\"root_path\":\"/\",\"nonce\":\"" HASH "\","
	  "\"owner_key_hash\":\"" HASH "\",\"memory_bytes\":1,"
	  "\"owner_wait_ns\":1,\"listen\":[],\"connect\":[],\"max_connections\":-1,\"max_traffic\":1}",
		"max_connections" },
};

TEST(control_refuses_malformed_messages_and_says_why)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct control_message m;
		struct err e = { 0 };
		CHECK(!control_parse(bytes_str(refused[i].text), &m, &e));
		CHECK_HAS(e.text, refused[i].why);
	}
}

TEST(control_refuses_every_truncation)
{
	struct control_message m = launch(), got;
	auto_buf text = { 0 };
	struct err e = { 0 };
	CHECK(control_encode(&m, &text, &e));
	for (size_t n = 0; n < text.len; n++)
		CHECK(!control_parse(bytes_of(text.ptr, n), &got, &e));
}

TEST(control_passes_a_descriptor_with_a_channel)
{
	int s[2], fd;
	bool got, gone;
	struct err e = { 0 };
	pair(s, 0);
	auto_fd a = s[0], b = s[1], file = open("/dev/null", O_RDONLY);
	struct control_message m = { .type = CONTROL_CHANNEL, .channel = 3 };
	CHECK(control_send(a, &m, file, &e));
	CHECK(control_recv(b, &m, &fd, &got, &gone, &e));
	CHECK(got && !gone && fd >= 0 && fd != file);
	CHECK_INT(m.channel, 3);
	CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

TEST(control_refuses_a_descriptor_where_none_belongs)
{
	int s[2], fd;
	bool got, gone;
	struct err e = { 0 };
	pair(s, 0);
	auto_fd a = s[0], b = s[1];
	struct control_message stop = { .type = CONTROL_STOP }, m;
	struct control_message channel = { .type = CONTROL_CHANNEL };
	int next = dup(a);
	close(next);
	CHECK(control_send(a, &stop, a, &e));
	CHECK(!control_recv(b, &m, &fd, &got, &gone, &e));
	CHECK_HAS(e.text, "stop with a descriptor");
	CHECK(control_send(a, &channel, -1, &e));
	CHECK(!control_recv(b, &m, &fd, &got, &gone, &e));
	CHECK_HAS(e.text, "channel without its descriptor");
	CHECK_INT(fd, -1);
	/* Nothing was left open: the next descriptor is the same again. */
	int again = dup(a);
	CHECK_INT(again, next);
	close(again);
}

TEST(control_tells_nothing_yet_from_a_peer_that_is_gone)
{
	int s[2], fd;
	bool got, gone;
	struct err e = { 0 };
	struct control_message m;
	pair(s, SOCK_NONBLOCK);
	auto_fd a = s[0], b = s[1];
	CHECK(control_recv(b, &m, &fd, &got, &gone, &e));
	CHECK(!got && !gone && !control_gone(b));
	close(fd_move(&a));
	CHECK(control_recv(b, &m, &fd, &got, &gone, &e));
	CHECK(!got && gone);
	m = (struct control_message){ .type = CONTROL_STOP };
	CHECK(!control_send(b, &m, -1, &e));
	CHECK_HAS(e.text, "send stop");
	CHECK(control_gone(b));
}

/* The kernel tells of a reset before it gives what came before that. */
TEST(control_hears_the_last_words_of_who_left_ours_unread)
{
	int s[2], fd;
	bool got, gone;
	struct err e = { 0 };
	struct control_message m = { .type = CONTROL_STOP };
	pair(s, SOCK_NONBLOCK);
	auto_fd a = s[0], b = s[1];
	CHECK(control_send(b, &m, -1, &e));
	m = (struct control_message){ .type = CONTROL_ENDED, .reason = "done" };
	CHECK(control_send(a, &m, -1, &e));
	close(fd_move(&a));
	CHECK(control_recv(b, &m, &fd, &got, &gone, &e));
	CHECK(got && !gone);
	CHECK_STR(m.reason, "done");
	CHECK(control_recv(b, &m, &fd, &got, &gone, &e));
	CHECK(!got && gone);
}

TEST(control_drops_a_message_that_is_too_large)
{
	int s[2], fd, room = 1 << 20;
	bool got, gone;
	struct err e = { 0 };
	struct control_message m = { .type = CONTROL_STOP };
	pair(s, 0);
	auto_fd a = s[0], b = s[1];
	setsockopt(a, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	auto_free uint8_t *big = calloc(1, CONTROL_MAX_BYTES + 1);
	CHECK(send(a, big, CONTROL_MAX_BYTES + 1, 0) > 0);
	CHECK(!control_recv(b, &m, &fd, &got, &gone, &e));
	CHECK_INT(e.kind, ERR_LIMIT);
	m.type = CONTROL_STOP;
	CHECK(control_send(a, &m, -1, &e));
	CHECK(control_recv(b, &m, &fd, &got, &gone, &e) && got);
}
