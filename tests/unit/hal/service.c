/* SPDX-License-Identifier: Apache-2.0 */
#include "hal/service.h"

#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "../test.h"
#include "base/cleanup.h"

static const struct service quoter = { "quoter", 1 };

static void pair(int s[2])
{
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
}

/* It refuses before it has read what it was asked. */
TEST(service_s_last_words_are_heard_whenever_it_hung_up)
{
	static uint8_t much[8 << 20];
	struct err e = { 0 };
	char word[3] = "";
	int s[2];
	pair(s);
	auto_fd ours = s[0], theirs = s[1];
	CHECK_INT(send(theirs, "no", 2, 0), 2);
	CHECK(service_send(&quoter, ours, bytes_of(much, 100), &e));
	close(fd_move(&theirs));
	CHECK(service_send(&quoter, ours, bytes_of(much, sizeof much), &e));
	CHECK(service_recv(&quoter, ours, (uint8_t *)word, 2, &e));
	CHECK_STR(word, "no");
	CHECK(!service_recv(&quoter, ours, (uint8_t *)word, 1, &e));
	CHECK_STR(e.text, "quoter: it hung up");
}

TEST(service_that_hangs_up_does_so_in_the_same_words_with_bytes_unread)
{
	for (int unread = 0; unread < 2; unread++) {
		struct err e = { 0 };
		uint8_t byte = 0;
		int s[2];
		pair(s);
		auto_fd ours = s[0], theirs = s[1];
		if (unread)
			CHECK(service_send(&quoter, ours, bytes_str("ask"),
				&e));
		close(fd_move(&theirs));
		CHECK(!service_recv(&quoter, ours, &byte, 1, &e));
		CHECK_STR(e.text, "quoter: it hung up");
	}
}

TEST(service_that_says_nothing_is_told_from_one_that_hung_up)
{
	const struct timeval soon = { .tv_usec = 1000 };
	struct err e = { 0 };
	uint8_t byte = 0;
	int s[2];
	pair(s);
	auto_fd ours = s[0], theirs = s[1];
	CHECK_INT(setsockopt(ours, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon),
		0);
	CHECK(!service_recv(&quoter, ours, &byte, 1, &e));
	CHECK_STR(e.text, "quoter: nothing moved for 1 s");
}
