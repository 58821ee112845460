/* SPDX-License-Identifier: Apache-2.0 */
/* The program's sockets over an honest host, without TLS but for the last
 * ones. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../test.h"
#include "helpers/host.h"
#include "keep/net.h"
#include "wasi/errno.h"

enum { MUCH = 1 << 20, MEMORY = 8 << 20 };

static struct host host;
static struct keep_gate gate;
static struct keep_clock clock_;
static struct keep_net net;
static struct frame_config config;
static struct wasi_stream listener;
static uint8_t inbox[GATE_DATA_BYTES], taken[GATE_DATA_BYTES], block[MUCH];
static struct gate_poll polls[GATE_MAX_POLL];
static struct keep_gate_sent sends[GATE_MAX_SENDS];

static void begin(uint64_t memory)
{
	const struct frame_fd fd = { .kind = FRAME_FD_LISTEN,
		.prot = FRAME_PROT_TCP,
		.number = 80 };
	struct keep_identity id = { 0 };
	struct err e;
	for (size_t i = 0; i < MUCH; i++)
		block[i] = (uint8_t)(i * 7 + i / 251);
	host_init(&host);
	host_start(&host);
	CHECK(keep_gate_open(&gate, host.bell[0], host.area_fd, &e));
	keep_clock_init(&clock_, NULL, NULL);
	CHECK(keep_net_init(&net, &gate, &clock_, inbox, &config, NULL, &id,
		memory, &e));
	CHECK(keep_net_open(&net, &fd, &listener, &e));
}

static void end(void)
{
	keep_net_fini(&net);
	keep_gate_close(&gate);
	host_fini(&host);
}

static uint64_t deadline;

/* As serve.c has one, which doesn't wait; how many polls there were. */
static size_t turn(void)
{
	struct keep_gate_turn t = { .polls = polls,
		.sends = sends,
		.taken = taken };
	struct reader r = { .in = BYTES_ARRAY(taken) };
	struct err e;
	deadline = KEEP_CLOCK_NEVER;
	CHECK(keep_net_ask(&net, &t, &deadline, &e));
	CHECK(keep_gate_poll(&gate, &t, 0, &e));
	CHECK(keep_net_hear(&net, &t, 0, 0, &r, &e));
	return t.poll_count;
}

/* The second try in a turn asks the host. */
static int try_accept(struct wasi_stream *s)
{
	int r = listener.ops->accept(listener.ctx, s);
	return r == WASI_AGAIN ? listener.ops->accept(listener.ctx, s) : r;
}

/* A connection; returns the peer's end. */
static int meet(struct wasi_stream *s)
{
	int peer = host_connect(&host);
	CHECK_INT(try_accept(s), WASI_OK);
	return peer;
}

static int64_t say(const struct wasi_stream *s, const char *text)
{
	return s->ops->write(s->ctx, (const uint8_t *)text, strlen(text));
}

static int64_t hear(const struct wasi_stream *s)
{
	uint8_t got[64];
	int64_t n = s->ops->read(s->ctx, got, sizeof got);
	return n == -WASI_AGAIN ? s->ops->read(s->ctx, got, sizeof got) : n;
}

static void leave(const struct wasi_stream *s)
{
	s->ops->close(s->ctx);
}

static unsigned ready(const struct wasi_stream *s)
{
	return s->ops->ready(s->ctx);
}

/* What the peer finds now, "-" nothing, "" the end. */
static const char *found(int peer)
{
	static char text[64];
	ssize_t n = recv(peer, text, sizeof text - 1, MSG_DONTWAIT);
	text[n > 0 ? n : 0] = '\0';
	return n < 0 ? "-" : text;
}

TEST(what_is_written_goes_with_the_turn_in_one_request)
{
	struct wasi_stream s[3];
	int peer[3];
	begin(MEMORY);
	for (int i = 0; i < 3; i++)
		peer[i] = meet(&s[i]);
	for (int i = 0; i < 3; i++) {
		CHECK_INT(say(&s[i], "one, "), 5);
		CHECK_INT(say(&s[i], "two"), 3);
		CHECK_STR(found(peer[i]), "-");
	}
	turn();
	for (int i = 0; i < 3; i++) {
		CHECK_STR(found(peer[i]), "one, two");
		close(peer[i]);
	}
	CHECK_INT(host.requests[GATE_SEND], 0);
	CHECK_INT(host.requests[GATE_POLL], 1);
	end();
}

TEST(who_asks_for_the_answer_has_sent_the_question)
{
	struct wasi_stream s;
	begin(MEMORY);
	int peer = meet(&s);
	CHECK_INT(say(&s, "question"), 8);
	CHECK_INT(hear(&s), -WASI_AGAIN);
	CHECK_INT(host.requests[GATE_RECV], 1);
	CHECK_STR(found(peer), "question");
	close(peer);
	end();
}

TEST(shutting_down_sends_what_was_written_first)
{
	struct wasi_stream s;
	begin(MEMORY);
	int peer = meet(&s);
	CHECK_INT(say(&s, "last words"), 10);
	CHECK_INT(s.ops->shutdown(s.ctx, WASI_READY_WRITE), WASI_OK);
	CHECK_STR(found(peer), "last words");
	CHECK_STR(found(peer), "");
	CHECK_INT(say(&s, "x"), -WASI_PIPE);
	/* The other half is open. */
	CHECK_INT(send(peer, "yes", 3, 0), 3);
	CHECK_INT(hear(&s), 3);
	close(peer);
	end();
}

TEST(what_was_written_before_a_close_goes_out)
{
	struct wasi_stream s;
	begin(MEMORY);
	int peer = meet(&s);
	CHECK_INT(say(&s, "last words"), 10);
	leave(&s);
	CHECK(keep_net_unsent(&net));
	CHECK_INT(host.requests[GATE_CLOSE], 0);
	turn();
	CHECK(!keep_net_unsent(&net));
	CHECK_STR(found(peer), "last words");
	CHECK_STR(found(peer), "");
	CHECK_INT(host.requests[GATE_CLOSE], 1);
	/* Not when something else ended the wait. */
	CHECK_INT(deadline, 0);
	close(peer);

	/* Without anything written it takes no turn. */
	peer = meet(&s);
	leave(&s);
	CHECK(!keep_net_unsent(&net));
	CHECK_INT(host.requests[GATE_CLOSE], 2);
	close(peer);
	end();
}

TEST(a_host_that_takes_a_byte_at_a_time_gets_them_in_order)
{
	struct wasi_stream s;
	char got[16] = "";
	begin(MEMORY);
	host.send_max = 1;
	int peer = meet(&s);
	CHECK_INT(say(&s, "abc"), 3);
	turn();
	CHECK_INT(say(&s, "def"), 3);
	turn();
	leave(&s);
	for (int i = 0; i < 4; i++) {
		CHECK(keep_net_unsent(&net));
		turn();
	}
	CHECK(!keep_net_unsent(&net));
	CHECK_INT(recv(peer, got, sizeof got, 0), 6);
	CHECK_STR(got, "abcdef");
	CHECK_STR(found(peer), "");
	close(peer);
	end();
}

/* Writes pieces until it is told to wait; how much went in. */
static size_t fill(const struct wasi_stream *s, size_t piece)
{
	size_t at = 0;
	int64_t n = 0;
	while (n != -WASI_AGAIN) {
		CHECK(at + piece <= MUCH);
		n = s->ops->write(s->ctx, block + at, piece);
		CHECK(n > 0 || n == -WASI_AGAIN);
		at += n > 0 ? (size_t)n : 0;
	}
	return at;
}

/* Reads so much of what fill wrote, with a turn whenever there is none. */
static void drain(int peer, size_t len)
{
	static uint8_t got[MUCH];
	size_t at = 0;
	while (at < len) {
		ssize_t n = recv(peer, got + at, len - at, MSG_DONTWAIT);
		at += n > 0 ? (size_t)n : 0;
		if (n < 0)
			turn();
		CHECK(n != 0);
	}
	CHECK_MEM(got, block, len);
}

static void waits_for_its_reader(size_t piece)
{
	struct wasi_stream s;
	begin(MEMORY);
	int peer = meet(&s);
	size_t len = fill(&s, piece);
	CHECK(!(ready(&s) & WASI_READY_WRITE));
	/* It is bounded: what a connection costs, and the host's. */
	CHECK(len < MUCH);
	turn();
	CHECK(!(ready(&s) & WASI_READY_WRITE));
	drain(peer, len);
	turn();
	CHECK(ready(&s) & WASI_READY_WRITE);
	CHECK_INT(say(&s, "x"), 1);
	turn();
	CHECK_STR(found(peer), "x");
	close(peer);
	end();
}

TEST(a_writer_waits_for_its_reader)
{
	waits_for_its_reader(1000);
}

TEST(a_writer_of_much_at_once_waits_for_its_reader)
{
	waits_for_its_reader(100000);
}

TEST(much_at_once_comes_after_what_was_written_before)
{
	struct wasi_stream s;
	begin(MEMORY);
	int peer = meet(&s);
	CHECK_INT(s.ops->write(s.ctx, block, 10), 10);
	size_t at = 10;
	while (at < 150000) {
		int64_t n = s.ops->write(s.ctx, block + at, 150000 - at);
		CHECK(n > 0);
		at += (size_t)n;
	}
	drain(peer, at);
	close(peer);
	end();
}

TEST(what_did_not_go_out_is_told_by_the_next_write)
{
	struct wasi_stream s;
	begin(MEMORY);
	close(meet(&s));
	CHECK_INT(say(&s, "to nobody"), 9);
	turn();
	CHECK(ready(&s) & WASI_READY_WRITE);
	CHECK_INT(say(&s, "x"), -WASI_PIPE);
	CHECK_INT(say(&s, "x"), -WASI_PIPE);
	/* It was told. */
	CHECK_INT(hear(&s), 0);
	end();
}

TEST(what_did_not_go_out_is_told_by_the_next_read)
{
	struct wasi_stream s;
	begin(MEMORY);
	int peer = meet(&s);
	CHECK_INT(send(peer, "before", 6, 0), 6);
	close(peer);
	CHECK_INT(say(&s, "to nobody"), 9);
	turn();
	CHECK(ready(&s) & WASI_READY_READ);
	CHECK_INT(hear(&s), 6);
	CHECK_INT(hear(&s), -WASI_CONNRESET);
	CHECK_INT(hear(&s), 0);
	CHECK_INT(say(&s, "x"), -WASI_PIPE);
	end();
}

TEST(what_did_not_go_out_is_told_as_the_sockets_error)
{
	struct wasi_stream s;
	begin(MEMORY);
	close(meet(&s));
	CHECK_INT(say(&s, "to nobody"), 9);
	turn();
	CHECK_INT(s.ops->connected(s.ctx), WASI_CONNRESET);
	CHECK_INT(s.ops->connected(s.ctx), WASI_OK);
	end();
}

/* The host refuses sends and says nothing of the connection else. */
static void refuse_sends(struct host *h, uint32_t op)
{
	if (op != GATE_POLL || h->area->request.data_len == 0)
		return;
	size_t heads = h->area->request.arg1 * sizeof(struct gate_poll);
	struct gate_sent none = { .error = GATE_LIMIT };
	if (h->area->reply.data_len > heads)
		memcpy(h->area->data + heads, &none, sizeof none);
}

TEST(who_waits_for_the_answer_to_what_did_not_go_out_is_told)
{
	struct wasi_stream s;
	begin(MEMORY);
	int peer = meet(&s);
	host.lie = refuse_sends;
	CHECK_INT(say(&s, "question"), 8);
	CHECK(!(ready(&s) & WASI_READY_READ));
	turn();
	host.lie = NULL;
	CHECK(ready(&s) & WASI_READY_READ);
	CHECK_INT(hear(&s), -WASI_NOBUFS);
	CHECK_INT(hear(&s), -WASI_AGAIN);
	close(peer);
	end();
}

TEST(who_closed_is_not_held_up_by_a_host_that_refuses)
{
	struct wasi_stream s;
	begin(MEMORY);
	int peer = meet(&s);
	host.lie = refuse_sends;
	CHECK_INT(say(&s, "last words"), 10);
	leave(&s);
	turn();
	CHECK(!keep_net_unsent(&net));
	CHECK_INT(host.requests[GATE_CLOSE], 1);
	close(peer);
	end();
}

TEST(a_connection_costs_its_buffers_and_waits_where_there_is_no_room)
{
	struct wasi_stream s[64];
	int peer[64], n = 0;
	begin(256 << 10);
	uint64_t room = net.room;
	while (peer[n] = host_connect(&host), try_accept(&s[n]) == WASI_OK)
		CHECK(++n < 64);
	CHECK(n > 0 && net.room < room);
	/* Nobody is woken for who can't be taken. */
	CHECK_INT(ready(&listener), 0);
	CHECK_INT(turn(), 0);
	leave(&s[0]);
	CHECK_INT(ready(&listener), 0);
	CHECK_INT(turn(), 1);
	CHECK_INT(ready(&listener), WASI_READY_READ);
	/* Others may have taken the room since. */
	uint64_t left = net.room;
	net.room = 0;
	CHECK_INT(ready(&listener), 0);
	net.room = left;
	CHECK_INT(listener.ops->accept(listener.ctx, &s[0]), WASI_OK);
	for (int i = 0; i < n; i++)
		leave(&s[i]);
	CHECK_INT(net.room, room);
	for (int i = 0; i <= n; i++)
		close(peer[i]);
	end();
}

TEST(what_a_program_peeked_at_is_of_the_same_room)
{
	struct wasi_stream s;
	begin(256 << 10);
	uint64_t room = net.room;
	int peer = host_connect(&host);
	CHECK_INT(try_accept(&s), WASI_OK);
	uint64_t left = net.room;
	CHECK(s.ops->hold(s.ctx, 4096));
	CHECK_INT(net.room, left - 4096);
	CHECK(!s.ops->hold(s.ctx, left));
	CHECK_INT(net.room, left - 4096);
	CHECK(s.ops->hold(s.ctx, left - 4096));
	CHECK_INT(net.room, 0);
	leave(&s);
	CHECK_INT(net.room, room);
	close(peer);
	end();
}

/* --- sockets that failed ---------------------------------------------------
 */

static uint64_t now_ns;

static uint64_t test_time(void *ctx)
{
	(void)ctx;
	return now_ns;
}

/* The host has a connection, whose peer has gone. */
static void connect_to_nobody(struct host *h, uint32_t op)
{
	int pair[2];
	if (op != GATE_CONNECT)
		return;
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	close(pair[1]);
	h->slots[GATE_MAX_HANDLES] = pair[0];
	h->area->reply.ret0 = GATE_MAX_HANDLES;
}

TEST(who_failed_in_time_is_not_waited_for_when_the_time_is_over)
{
	const struct frame_fd fd = { .kind = FRAME_FD_CONNECT,
		.prot = FRAME_PROT_TCP,
		.number = 80,
		.host = BYTES_LIT("peer") };
	struct wasi_stream s;
	struct err e;
	bool done;
	begin(MEMORY);
	host.lie = connect_to_nobody;
	keep_clock_init(&clock_, test_time, NULL);
	CHECK(keep_net_open(&net, &fd, &s, &e));
	turn();
	CHECK(!keep_net_dialled(&s, &done, &e));
	now_ns = 2ull * KEEP_NET_DIAL_TIME * 1000000000;
	/* A deadline that is over would have every wait end at once, for as
	 * long as the program keeps the socket. */
	turn();
	CHECK(deadline == KEEP_CLOCK_NEVER);
	leave(&s);
	end();
}

/* The second connection of a burst. */
static void lie_of_a_second(struct host *h, uint32_t op)
{
	if (op == GATE_ACCEPT && h->requests[GATE_ACCEPT] == 2)
		h->area->reply.ret0 = UINT64_MAX;
}

TEST(a_listener_that_a_lie_ended_takes_those_under_way_with_it)
{
	struct frame_tls profile = { .flags = 0 };
	const struct frame_fd fd = { .kind = FRAME_FD_LISTEN,
		.prot = FRAME_PROT_TLS,
		.number = 443 };
	struct keep_gate_turn t = { .polls = polls,
		.sends = sends,
		.taken = taken };
	struct reader r = { .in = BYTES_ARRAY(taken) };
	const struct buf trust = { .len = 0 };
	struct keep_identity id;
	struct wasi_stream s;
	struct err e;
	begin(MEMORY);
	keep_net_fini(&net);
	CHECK(keep_identity_init(&id, &gate, &e));
	config = (struct frame_config){ .profiles = &profile,
		.profile_count = 1 };
	CHECK(keep_net_init(&net, &gate, &clock_, inbox, &config, &trust, &id,
		MEMORY, &e));
	CHECK(keep_net_open(&net, &fd, &s, &e));
	host.lie = lie_of_a_second;
	int peer[2] = { host_connect(&host), host_connect(&host) };
	deadline = KEEP_CLOCK_NEVER;
	CHECK(keep_net_ask(&net, &t, &deadline, &e));
	CHECK(keep_gate_poll(&gate, &t, 0, &e));
	CHECK(!keep_net_hear(&net, &t, 0, 0, &r, &e));
	/* As when the program ends; each of them names its listener. */
	leave(&s);
	CHECK(!net.sockets);
	keep_net_fini(&net);
	keep_identity_fini(&id);
	config = (struct frame_config){ .profile_count = 0 };
	close(peer[0]);
	close(peer[1]);
	keep_gate_close(&gate);
	host_fini(&host);
}
