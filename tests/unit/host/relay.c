/* SPDX-License-Identifier: Apache-2.0 */
#include "host/relay.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

#include "../test.h"

static struct loop loop;
static struct relay relay;
static int client, inner; /* the other ends of far and near */
static unsigned finished;

static void on_done(struct relay *r UNUSED)
{
	finished++;
}

static void begin(struct bytes early)
{
	int f[2], n[2];
	struct err e = { 0 };
	CHECK(loop_init(&loop, &e));
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, f), 0);
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, n), 0);
	client = f[1];
	inner = n[1];
	finished = 0;
	relay = (struct relay){ .done = on_done };
	CHECK(relay_start(&relay, &loop, f[0], n[0], early, &e));
}

static void turn(void)
{
	struct err e = { 0 };
	for (int i = 0; i < 30; i++)
		CHECK(loop_turn(&loop, true, &e));
}

static void end(void)
{
	relay_stop(&relay);
	cleanup_fd(&client);
	cleanup_fd(&inner);
	loop_fini(&loop);
}

static void hear(int fd, const char *want)
{
	char buf[64] = "";
	turn();
	CHECK(read(fd, buf, sizeof buf - 1) == (ssize_t)strlen(want));
	CHECK_STR(buf, want);
}

TEST(relay_copies_both_ways_early_bytes_first)
{
	begin(BYTES_LIT("early"));
	CHECK_INT(write(client, " late", 5), 5);
	hear(inner, "early late");
	CHECK_INT(write(inner, "answer", 6), 6);
	hear(client, "answer");
	end();
}

TEST(relay_passes_the_end_of_each_way_on)
{
	char buf[8];
	begin(BYTES_NONE);
	CHECK_INT(write(client, "x", 1), 1);
	shutdown(client, SHUT_WR);
	hear(inner, "x");
	CHECK_INT(read(inner, buf, sizeof buf), 0);
	CHECK_INT(write(inner, "still", 5), 5);
	hear(client, "still");
	CHECK_INT(finished, 0);
	shutdown(inner, SHUT_WR);
	turn();
	CHECK_INT(read(client, buf, sizeof buf), 0);
	CHECK_INT(finished, 1);
	end();
}

/* Fills a socket; returns how much it took. */
static size_t fill(int fd)
{
	static const char block[4096] = { 'x' };
	size_t sum = 0;
	for (;;) {
		ssize_t n = write(fd, block, sizeof block);
		if (n <= 0)
			return sum;
		sum += (size_t)n;
	}
}

static size_t drain(int fd)
{
	char block[4096];
	size_t sum = 0;
	for (;;) {
		ssize_t n = read(fd, block, sizeof block);
		if (n <= 0)
			return sum;
		sum += (size_t)n;
	}
}

TEST(relay_waits_for_who_is_slow_and_loses_nothing)
{
	struct err e = { 0 };
	size_t in = 0, out = 0;
	begin(BYTES_NONE);
	for (size_t n = 1; n;) {
		n = fill(client);
		in += n;
		turn();
	}
	/* Nobody reads: nothing is left to do but wait. */
	for (int i = 0; i < 10; i++)
		CHECK(loop_turn(&loop, true, &e));
	CHECK(relay.far.fd < 0);
	for (size_t n = 1; n;) {
		n = drain(inner);
		out += n;
		turn();
	}
	CHECK(in > RELAY_BYTES);
	CHECK_INT(in, out);
	end();
}

TEST(relay_delivers_what_was_under_way_when_the_inner_side_closes)
{
	size_t in, out = 0;
	begin(BYTES_NONE);
	in = fill(inner);
	turn();
	in += fill(inner);
	cleanup_fd(&inner);
	inner = -1;
	for (int i = 0; i < 200 && !finished; i++) {
		turn();
		out += drain(client);
	}
	CHECK_INT(in, out);
	/* The client is heard out before the connection closes. */
	CHECK_INT(finished, 0);
	CHECK(relay.linger.set);
	CHECK_INT(write(client, "ignored", 7), 7);
	turn();
	CHECK_INT(finished, 0);
	cleanup_fd(&client);
	client = -1;
	turn();
	CHECK_INT(finished, 1);
	end();
}

TEST(relay_does_not_hear_a_client_out_for_ever)
{
	begin(BYTES_NONE);
	cleanup_fd(&inner);
	inner = -1;
	turn();
	CHECK_INT(finished, 0);
	loop_set(&loop, &relay.linger, loop_now());
	turn();
	CHECK_INT(finished, 1);
	end();
}

TEST(relay_ends_when_the_client_vanishes)
{
	char buf[8];
	begin(BYTES_NONE);
	cleanup_fd(&client);
	client = -1;
	turn();
	CHECK_INT(read(inner, buf, sizeof buf), 0);
	/* What the inner side says is for nobody. */
	CHECK_INT(write(inner, "x", 1), 1);
	turn();
	cleanup_fd(&inner);
	inner = -1;
	turn();
	CHECK_INT(finished, 1);
	end();
}

static void time_passes(void)
{
	CHECK(relay.linger.set);
	loop_set(&loop, &relay.linger, loop_now());
	turn();
}

TEST(relay_waits_for_a_client_that_takes_nothing_while_somebody_writes)
{
	begin(BYTES_NONE);
	for (size_t n = 1; n;) {
		n = fill(inner);
		turn();
	}
	time_passes();
	time_passes();
	CHECK_INT(finished, 0);
	/* Left behind, it waits no longer than that. */
	cleanup_fd(&inner);
	inner = -1;
	time_passes();
	CHECK_INT(finished, 1);
	end();
}
