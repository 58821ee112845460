/* SPDX-License-Identifier: Apache-2.0 */
#include "host/token.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../test.h"

static char path[] = "/tmp/donjon-token-XXXXXX";

static void put(const char *text, mode_t mode)
{
	memcpy(strrchr(path, '-') + 1, "XXXXXX", 6);
	int fd = mkstemp(path);
	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK_INT(fchmod(fd, mode), 0);
	close(fd);
}

TEST(token_is_one_line_of_a_private_file)
{
	struct token t = { 0 };
	struct err e = { 0 };
	put("0123456789abcdef\n", 0600);
	CHECK(token_read(path, &t, &e));
	CHECK_INT(t.len, 16);
	unlink(path);
	put("0123456789abcdef", 0400);
	CHECK(token_read(path, &t, &e));
	unlink(path);
}

static const struct {
	const char *text;
	mode_t mode;
	const char *why;
} refused[] = {
	{ "0123456789abcdef", 0640, "others may read it" },
	{ "0123456789abcdef", 0602, "others may read it" },
	{ "0123456789abcde", 0600, "16 to 512" },
	{ "", 0600, "16 to 512" },
	{ "0123456789abcdef\n\n", 0600, "visible" },
	{ "0123456789 abcdef", 0600, "visible" },
	{ "0123456789abcdef\xc3\xa9", 0600, "visible" },
};

TEST(token_refuses_what_will_not_do)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct token t = { 0 };
		struct err e = { 0 };
		put(refused[i].text, refused[i].mode);
		CHECK(!token_read(path, &t, &e));
		CHECK_HAS(e.text, refused[i].why);
		CHECK_INT(t.len, 0);
		unlink(path);
	}
}

TEST(token_is_no_folder_and_no_device)
{
	struct token t = { 0 };
	struct err e = { 0 };
	CHECK(!token_read("/", &t, &e));
	CHECK(!token_read("/dev/null", &t, &e));
	CHECK_HAS(e.text, "not a file");
	CHECK(!token_read("/nonexistent", &t, &e));
	CHECK_INT(e.kind, ERR_INPUT);
}

TEST(token_equals_itself_only)
{
	struct token t = { .text = "0123456789abcdef", .len = 16 };
	CHECK(token_equal(&t, "0123456789abcdef"));
	CHECK(!token_equal(&t, ""));
	CHECK(!token_equal(&t, "0123456789abcde"));
	CHECK(!token_equal(&t, "0123456789abcdefg"));
	CHECK(!token_equal(&t, "0123456789abcdeF"));
	CHECK(!token_equal(&t, "1123456789abcdef"));
}
