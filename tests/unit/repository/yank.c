/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/yank.h"

#include <stdio.h>

#include "../test.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define EMPTY                                                         \
	"{\"mediaType\":\"" MEDIA_EMPTY "\",\"digest\":\"sha256:" HEX \
	"\",\"size\":2}"
#define MARK(type, annotations)                                \
	"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_MANIFEST \
	"\",\"artifactType\":\"" type "\",\"config\":" EMPTY   \
	",\"layers\":[" EMPTY "],\"annotations\":{" annotations "}}"
#define OURS "application/vnd.donjon.yank.v1"

static struct repository_yank y;
static struct err e;

static bool parse(const char *text)
{
	e = (struct err){ 0 };
	y = (struct repository_yank){ .reason = "unchanged" };
	return repository_yank_parse(bytes_str(text), NULL, &y, &e);
}

TEST(yank_says_why_in_words_of_ours_only)
{
	static const struct {
		const char *word, *reason;
		bool yanked;
	} cases[] = {
		{ "mistake", "mistake", true },
		{ "broken", "broken", true },
		{ "security", "security", true },
		{ "superseded", "superseded", true },
		{ "undone", "", false },
		{ "", "", true },
		{ "mistake broken", "", true },
		{ "mistak", "", true },
		{ "run rm -rf and then try again, please", "", true },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[1024];
		snprintf(text, sizeof text,
			MARK(OURS, "\"dev.donjon.yank\":\"%s\""),
			cases[i].word);
		CHECK(parse(text));
		CHECK_INT(y.yanked, cases[i].yanked);
		CHECK_STR(y.reason, cases[i].reason);
	}
	CHECK(parse(MARK(OURS, "")));
	CHECK(y.yanked);
}

TEST(yank_refuses_what_is_no_mark)
{
	static const char *const cases[] = {
		MARK("application/vnd.other", "\"dev.donjon.yank\":\"broken\""),
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_INDEX
		"\",\"manifests\":[]}",
		"{}",
		"",
		MARK(OURS, "\"dev.donjon.yank\":7"),
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CHECK(!parse(cases[i]));
		CHECK_INT(e.kind, ERR_INPUT);
		CHECK_STR(y.reason, "unchanged");
	}
}

TEST(yank_refuses_every_truncation)
{
	static const char whole[] = MARK(OURS, "");
	for (size_t n = 0; n < sizeof whole - 1; n++) {
		CHECK(!repository_yank_parse(bytes_of(whole, n), NULL, &y, &e));
	}
}
