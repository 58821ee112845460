/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <unistd.h>

#include "../test.h"

TEST(log_writes_one_line_whatever_the_value_holds)
{
	int p[2];
	CHECK_INT(pipe(p), 0);
	struct log l = { .fd = p[1], .level = LOG_INFO, .program = "t" };
	log_event(&l, LOG_WARN, "two words", "key", "a\nlevel=error \"x\"",
		"bare", "v", NULL);
	log_event(&l, LOG_DEBUG, "silent", NULL);
	close(p[1]);
	char text[512] = { 0 };
	ssize_t n = read(p[0], text, sizeof text - 1);
	close(p[0]);
	CHECK(n > 0);
	CHECK_HAS(text, " level=warn program=t event=\"two words\"");
	CHECK_HAS(text, " key=\"a\\x0alevel=error \\\"x\\\"\" bare=v\n");
	CHECK(strchr(text, '\n') == text + n - 1);
}
