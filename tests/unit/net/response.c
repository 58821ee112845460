/* SPDX-License-Identifier: Apache-2.0 */
#include "net/response.h"

#include "../test.h"

struct sample {
	const char *name, *in;
	unsigned status;
	const char *body; /* NULL: refused */
	const char *refused;
	bool keep_alive;
};

/* clang-format off */
static const struct sample samples[] = {
	{ "length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		200, "hello", NULL, true },
	{ "bare LF, odd case", "HTTP/1.1 200\nconTENT-length:\t 2 \n\nok",
		200, "ok", NULL, true },
	{ "chunked", "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n"
		"\r\n3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
		201, "abc0123456789", NULL, true },
	{ "no body", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", NULL, true },
	{ "interim", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"
		"Connection: x, Close\r\nContent-Length: 0\r\n\r\n",
		200, "", NULL, false },
	{ "until the end", "HTTP/1.0 200 OK\r\n\r\nall of it",
		200, "all of it", NULL, false },
	{ "two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
		"Content-Length: 5\r\n\r\nhello", 0, NULL, "Content-Length",
		false },
	{ "length and chunks", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
		"Transfer-Encoding: chunked\r\n\r\n", 0, NULL, "two lengths",
		false },
	{ "negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		0, NULL, "Content-Length", false },
	{ "10 GB", "HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n",
		0, NULL, "more than 64 bytes", false },
	{ "65 bytes in chunks", "HTTP/1.1 200 OK\r\n"
		"Transfer-Encoding: chunked\r\n\r\n41\r\n", 0, NULL,
		"more than 64 bytes", false },
	{ "huge chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
		"\r\n123456789\r\n", 0, NULL, "huge chunk", false },
	{ "other coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
		0, NULL, "Transfer-Encoding", false },
	{ "bad chunk end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
		"\r\n1\r\nab\r\n", 0, NULL, "chunk end", false },
	{ "folded header", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", 0, NULL,
		"header line", false },
	{ "blank before colon", "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", 0, NULL,
		"header line", false },
	{ "carriage return inside", "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", 0,
		NULL, "bad line", false },
	{ "not HTTP", "SSH-2.0-OpenSSH_9.2\r\n", 0, NULL, "not HTTP/1.1",
		false },
	{ "HTTP/2", "HTTP/2 200\r\n\r\n", 0, NULL, "not HTTP/1.1", false },
	{ "cut short", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", 0,
		NULL, "closed in the middle", false },
};
/* clang-format on */

/* Feeds it in pieces of n bytes. */
static bool feed(const char *text, size_t n, struct net_response *r,
	struct err *e)
{
	struct bytes in = bytes_str(text);
	while (in.len && !net_response_done(r)) {
		size_t used;
		if (!net_response_feed(r, bytes_of(in.ptr, size_min(n, in.len)),
			    &used, e))
			return false;
		in = bytes_from(in, used);
	}
	return net_response_done(r) || net_response_end(r, e);
}

TEST(response_is_read_the_same_in_pieces_of_any_size)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 1000 };
	for (size_t k = 0; k < ARRAY_LEN(samples); k++)
		for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
			const struct sample *s = &samples[k];
			auto_net_response r = { .body = { .limit = 64 } };
			struct err e = { 0 };
			print_message("%s by %zu\n", s->name, pieces[i]);
			bool ok = feed(s->in, pieces[i], &r, &e);
			if (!s->body) {
				CHECK(!ok);
				CHECK_HAS(e.text, s->refused);
				continue;
			}
			CHECK(ok);
			CHECK_INT(r.status, s->status);
			CHECK_INT(r.keep_alive, s->keep_alive);
			CHECK(bytes_equal(buf_bytes(&r.body),
				bytes_str(s->body)));
		}
}

TEST(response_says_where_an_upgrade_begins)
{
	const char *in = "HTTP/1.1 101 Switching Protocols\r\n"
			 "Connection: Upgrade\r\nUpgrade: donjon-keep/1\r\n"
			 "\r\n\x16\x03";
	auto_net_response r = { 0 };
	struct err e;
	size_t used;
	CHECK(net_response_feed(&r, bytes_str(in), &used, &e));
	CHECK(net_response_done(&r));
	CHECK_INT(used, strlen(in) - 2);
	CHECK_STR(r.upgrade, "donjon-keep/1");
}

TEST(response_without_a_limit_set_takes_no_body)
{
	auto_net_response r = { 0 };
	struct err e;
	CHECK(!feed("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 100, &r,
		&e));
	CHECK_INT(e.kind, ERR_LIMIT);
}

TEST(response_refuses_a_head_without_an_end)
{
	auto_net_response r = { .body = { .limit = 64 } };
	struct err e = { 0 };
	size_t used;
	bool ok = net_response_feed(&r, BYTES_LIT("HTTP/1.1 200 OK\r\n"), &used,
		&e);
	for (size_t i = 0; ok && i < NET_RESPONSE_MAX_HEAD; i += 10)
		ok = net_response_feed(&r, BYTES_LIT("A: bcdefg\n"), &used, &e);
	CHECK(!ok);
	CHECK_HAS(e.text, "head too long");
}

TEST(response_refuses_endless_interim_answers)
{
	auto_net_response r = { .body = { .limit = 64 } };
	struct err e = { 0 };
	bool ok = true;
	for (int i = 0; ok && i < 20; i++) {
		size_t used;
		ok = net_response_feed(&r,
			BYTES_LIT("HTTP/1.1 100 Continue\r\n\r\n"), &used, &e);
	}
	CHECK(!ok);
	CHECK_HAS(e.text, "interim");
}
