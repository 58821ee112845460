/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/web_note.h"

#include "../test.h"

#define HEX	   "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define NOTE(more) "{\"digest\":\"sha256:" HEX "\"" more "}"

static struct repository_web_note n;
static struct err e;

static void head(struct net_web_answer *a, const char *text, size_t len)
{
	*a = (struct net_web_answer){ 0 };
	CHECK(buf_put(&a->head, bytes_of(text, len)));
}
#define HEAD(a, text) head((a), (text), sizeof(text) - 1)

TEST(web_note_takes_the_validators_of_an_answer)
{
	struct net_web_answer a;
	char line[300];
	HEAD(&a, "etag\0\"x-1\"\0last-modified\0yesterday\0");
	CHECK(repository_web_note_take(&a, &n));
	CHECK_STR(n.etag, "\"x-1\"");
	CHECK_STR(n.modified, "yesterday");
	repository_web_note_header(&n, line);
	CHECK_STR(line, "If-None-Match: \"x-1\"");
	net_web_answer_fini(&a);
	HEAD(&a, "last-modified\0yesterday\0");
	CHECK(repository_web_note_take(&a, &n));
	repository_web_note_header(&n, line);
	CHECK_STR(line, "If-Modified-Since: yesterday");
	net_web_answer_fini(&a);
}

TEST(web_note_takes_nothing_from_who_says_nothing_or_no_store)
{
	struct net_web_answer a;
	HEAD(&a,
		"content-length\0"
		"1\0");
	CHECK(!repository_web_note_take(&a, &n));
	net_web_answer_fini(&a);
	HEAD(&a, "etag\0x\0cache-control\0private, No-Store\0");
	CHECK(!repository_web_note_take(&a, &n));
	net_web_answer_fini(&a);
	HEAD(&a, "etag\0a\x01z\0");
	CHECK(!repository_web_note_take(&a, &n));
	net_web_answer_fini(&a);
}

TEST(web_note_comes_back_as_it_was)
{
	struct repository_web_note back;
	auto_buf text = { 0 };
	CHECK(repository_web_note_parse(bytes_str(NOTE(
						",\"etag\":\"W/\\\"7\\\"\"")),
		&n, &e));
	CHECK_STR(n.etag, "W/\"7\"");
	CHECK(repository_web_note_print(&n, &text, &e));
	CHECK(repository_web_note_parse(buf_bytes(&text), &back, &e));
	CHECK_MEM(back.digest, n.digest, 32);
	CHECK_STR(back.etag, n.etag);
	CHECK_STR(back.modified, "");
}

TEST(web_note_refuses_what_could_not_go_into_a_header)
{
	static const char *const cases[] = {
		NOTE(""),
		NOTE(",\"etag\":\"a\\r\\nX: y\""),
		NOTE(",\"etag\":\"\\u00e9\""),
		NOTE(",\"etag\":7"),
		"{\"etag\":\"x\"}",
		"{\"digest\":\"sha256:00\",\"etag\":\"x\"}",
		"[]",
		"",
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		CHECK(!repository_web_note_parse(bytes_str(cases[i]), &n, &e));
}

TEST(web_note_refuses_every_truncation)
{
	static const char whole[] = NOTE(",\"etag\":\"x\"");
	for (size_t i = 0; i < sizeof whole - 1; i++)
		CHECK(!repository_web_note_parse(bytes_of(whole, i), &n, &e));
}
