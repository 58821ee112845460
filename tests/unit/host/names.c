/* SPDX-License-Identifier: Apache-2.0 */
#include "host/names.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"

static bool answer(const struct names *n, struct gate_answer *a)
{
	bool gone = false;
	struct pollfd p = { .fd = n->fd, .events = POLLIN };
	CHECK_INT(poll(&p, 1, 30000), 1);
	return names_take(n, a, &gone) && !gone;
}

TEST(names_are_looked_up_in_a_process_of_its_own)
{
	struct names n;
	struct gate_answer a;
	struct err e = { 0 };
	bool gone;
	if (!names_start(&n, &e))
		fail_msg("%s", e.text);
	CHECK(!names_take(&n, &a, &gone) && !gone);
	CHECK(names_ask(&n, 7, "localhost"));
	CHECK(answer(&n, &a));
	CHECK_INT(a.id, 7);
	CHECK(a.count >= 1);
	bool four = net_address_is_v4(&a.address[0]);
	CHECK(four ? a.address[0].ip[12] == 127 : a.address[0].ip[15] == 1);
	/* A name that nobody has: an answer without addresses. */
	CHECK(names_ask(&n, 8, "nobody.invalid"));
	CHECK(answer(&n, &a));
	CHECK_INT(a.id, 8);
	CHECK_INT(a.count, 0);
	pid_t pid = n.pid;
	names_stop(&n);
	CHECK_INT(n.fd, -1);
	CHECK(!names_ask(&n, 9, "localhost"));
	/* It may be reaped already. */
	if (waitpid(pid, NULL, 0) == pid)
		CHECK(kill(pid, 0) != 0);
}

TEST(names_that_are_no_names_are_not_asked_for)
{
	struct names n = { .fd = 0 };
	char long_one[NET_HOST_MAX + 2];
	memset(long_one, 'a', sizeof long_one);
	long_one[NET_HOST_MAX + 1] = '\0';
	CHECK(!names_ask(&n, 1, long_one));
}

TEST(names_say_when_their_process_is_gone)
{
	struct names n;
	struct gate_answer a;
	struct err e;
	bool gone = false;
	CHECK(names_start(&n, &e));
	struct pollfd p = { .fd = n.fd, .events = POLLIN };
	CHECK_INT(kill(n.pid, SIGKILL), 0);
	CHECK_INT(poll(&p, 1, 30000), 1);
	CHECK(!names_take(&n, &a, &gone));
	CHECK(gone);
	names_stop(&n);
}

TEST(names_take_the_answers_of_who_died_with_questions_unread)
{
	int s[2];
	struct gate_answer a = { .id = 7, .count = 1 };
	bool gone = false;
	CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s), 0);
	struct names n = { .fd = s[0] };
	CHECK(names_ask(&n, 8, "localhost"));
	CHECK_INT(send(s[1], &a, sizeof a, 0), sizeof a);
	close(s[1]);
	a.id = 0;
	CHECK(names_take(&n, &a, &gone) && !gone);
	CHECK_INT(a.id, 7);
	CHECK(!names_take(&n, &a, &gone) && gone);
	close(n.fd);
}
