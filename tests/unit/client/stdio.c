/* SPDX-License-Identifier: Apache-2.0 */
#include "client/stdio.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../test.h"

static size_t drain(int fd)
{
	char block[4096];
	size_t all = 0;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	for (ssize_t n; (n = read(fd, block, sizeof block)) > 0;)
		all += (size_t)n;
	return all;
}

static void check_never_blocks(int from, int to)
{
	static uint8_t block[300000];
	struct client_output o;
	struct err e = { 0 };
	client_output_open(&o, to);
	CHECK(client_output_put(&o, BYTES_ARRAY(block), &e));
	CHECK(client_output_waits(&o));
	/* The description that others share has not been changed. */
	CHECK(!(fcntl(to, F_GETFL) & O_NONBLOCK));
	size_t got = 0;
	for (int i = 0; i < 1000 && client_output_waits(&o); i++) {
		got += drain(from);
		CHECK(client_output_ready(&o, &e));
	}
	got += drain(from);
	CHECK_INT(got, sizeof block);
	client_output_close(&o);
}

TEST(output_to_a_full_pipe_waits_without_blocking)
{
	int fds[2];
	CHECK(!pipe(fds));
	check_never_blocks(fds[0], fds[1]);
	close(fds[0]);
	close(fds[1]);
}

TEST(output_to_a_full_socket_waits_without_blocking)
{
	int fds[2];
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	check_never_blocks(fds[0], fds[1]);
	close(fds[0]);
	close(fds[1]);
}

TEST(output_that_nobody_reads_is_gone)
{
	int fds[2];
	struct client_output o;
	struct err e = { 0 };
	signal(SIGPIPE, SIG_IGN);
	CHECK(!pipe(fds));
	client_output_open(&o, fds[1]);
	close(fds[0]);
	CHECK(client_output_put(&o, BYTES_LIT("x"), &e));
	CHECK(o.gone);
	CHECK(client_output_put(&o, BYTES_LIT("y"), &e));
	CHECK(!client_output_waits(&o));
	client_output_close(&o);
	close(fds[1]);
}

TEST(input_says_where_it_ends)
{
	int fds[2];
	uint8_t block[8];
	size_t n;
	bool end;
	struct err e = { 0 };
	CHECK(!pipe(fds) && write(fds[1], "abc", 3) == 3);
	close(fds[1]);
	CHECK(client_input_read(fds[0], block, 8, &n, &end, &e));
	CHECK(n == 3 && !end);
	CHECK(client_input_read(fds[0], block, 8, &n, &end, &e));
	CHECK(n == 0 && end);
	close(fds[0]);
}
