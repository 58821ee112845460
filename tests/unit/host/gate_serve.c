/* SPDX-License-Identifier: Apache-2.0 */
#include "host/gate_serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../test.h"
#include "base/cleanup.h"
#include "base/fmt.h"
#include "helpers/scene.h"

/* --- a good Keep ---------------------------------------------------------- */
TEST(gate_serves_a_whole_life)
{
	struct scene s = { 0 };
	scene_open(&s, NULL, false);
	uint8_t want[] = { 3, 0, 0, 0, 'a', 'b', 'c', 4, 0, 0, 0, 'r', 'o', 'o',
		't' };
	enum gate_turn turn = GATE_TURN_KEEP;
	memcpy(s.area->data, "abc", 3);
	CHECK_INT(scene_ask(&s, GATE_EVIDENCE, 0, 0, 3), GATE_OK);
	CHECK_INT(s.area->reply.data_len, sizeof want);
	CHECK_MEM(s.area->data, want, sizeof want);
	CHECK_INT(scene_ask(&s, GATE_PUBLISH, 0, 0, scene_put_face(&s)),
		GATE_OK);
	CHECK_INT(s.published, 1);
	for (size_t i = 0; i < 4; i++)
		CHECK_INT(s.parts[i], i + 1);
	CHECK_INT(scene_ask(&s, GATE_LISTEN, GATE_LISTEN_CHANNEL, 0, 0),
		GATE_OK);
	CHECK_INT(scene_ask(&s, GATE_TIME_HINT, 0, 0, 0), GATE_OK);
	CHECK(s.area->reply.ret0 > 1700000000ull * 1000000000);
	CHECK(scene_ring(&s, GATE_EXIT, GATE_EXIT_IDLE, 0, 0, &turn));
	CHECK_INT(turn, GATE_TURN_END);
	CHECK_INT(gate_serve_reason(s.g), GATE_EXIT_IDLE);
	CHECK_STR(gate_exit_name(gate_serve_reason(s.g)), "idle");
	scene_close(&s);
}

TEST(gate_moves_bytes_and_counts_them)
{
	struct scene s = { 0 };
	int peer = -1;
	char text[16] = "";
	scene_open(&s, NULL, false);
	uint32_t l = scene_advance(&s, GATE_PHASE_SERVING);
	uint32_t h = scene_connect_channel(&s, l, &peer, 77);
	CHECK(h != l);
	CHECK_INT(scene_ask(&s, GATE_RECV, h, 100, 0), GATE_AGAIN);
	CHECK_INT(write(peer, "hello", 5), 5);
	CHECK_INT(scene_ask(&s, GATE_RECV, h, 3, 0), GATE_OK);
	CHECK_INT(s.area->reply.data_len, 3);
	CHECK_INT(s.area->reply.ret0, 0);
	CHECK_MEM(s.area->data, "hel", 3);
	CHECK_INT(scene_ask(&s, GATE_RECV, h, GATE_DATA_BYTES, 0), GATE_OK);
	CHECK_INT(s.area->reply.data_len, 2);
	memcpy(s.area->data, "answer", 6);
	CHECK_INT(scene_ask(&s, GATE_SEND, h, 0, 6), GATE_OK);
	CHECK_INT(s.area->reply.ret0, 6);
	CHECK_INT(read(peer, text, sizeof text), 6);
	CHECK_MEM(text, "answer", 6);
	CHECK_INT(shutdown(peer, SHUT_WR), 0);
	CHECK_INT(scene_ask(&s, GATE_RECV, h, 1, 0), GATE_OK);
	CHECK_INT(s.area->reply.data_len, 0);
	CHECK_INT(scene_ask(&s, GATE_CLOSE, h, 0, 0), GATE_OK);
	CHECK_INT(s.closed, 1);
	CHECK_INT(s.channel, 77);
	CHECK_INT(s.in, 5);
	CHECK_INT(s.out, 6);
	close(peer);
	scene_close(&s);
	CHECK_INT(s.closed, 0);
}

TEST(gate_closing_a_channel_ends_it_for_whoever_shares_the_socket)
{
	struct scene s = { 0 };
	int pair[2];
	char byte;
	scene_open(&s, NULL, false);
	uint32_t l = scene_advance(&s, GATE_PHASE_SERVING);
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	int shared = dup(pair[1]);
	CHECK(gate_serve_channel(s.g, pair[1], 1, &s.e));
	CHECK_INT(scene_ask(&s, GATE_ACCEPT, l, 0, 0), GATE_OK);
	CHECK_INT(scene_ask(&s, GATE_CLOSE, s.area->reply.ret0, 0, 0), GATE_OK);
	CHECK_INT(read(pair[0], &byte, 1), 0);
	close(shared);
	close(pair[0]);
	scene_close(&s);
}

TEST(gate_tells_a_full_and_a_broken_connection_apart)
{
	struct scene s = { 0 };
	int peer = -1;
	uint32_t error;
	scene_open(&s, NULL, false);
	uint32_t l = scene_advance(&s, GATE_PHASE_SERVING);
	uint32_t h = scene_connect_channel(&s, l, &peer, 1);
	do
		error = scene_ask(&s, GATE_SEND, h, 0, GATE_DATA_BYTES);
	while (error == GATE_OK);
	CHECK_INT(error, GATE_AGAIN);
	close(peer);
	CHECK_INT(scene_ask(&s, GATE_SEND, h, 0, 1), GATE_CLOSED);
	scene_close(&s);
}

TEST(gate_wakes_a_keep_for_what_it_waits_for)
{
	struct scene s = { 0 };
	int peer = -1, pair[2];
	scene_open(&s, NULL, false);
	uint32_t l = scene_advance(&s, GATE_PHASE_SERVING);
	CHECK_INT(scene_ask(&s, GATE_ACCEPT, l, 0, 0), GATE_AGAIN);
	scene_wait_for(&s, l, GATE_IN, UINT64_MAX);
	CHECK_INT(scene_look(&s), GATE_TURN_WAIT);
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	CHECK(gate_serve_channel(s.g, pair[1], 5, &s.e));
	CHECK_INT(scene_look(&s), GATE_TURN_KEEP);
	CHECK_INT(scene_got(&s), GATE_IN);
	close(pair[0]);

	CHECK_INT(scene_ask(&s, GATE_ACCEPT, l, 0, 0), GATE_OK);
	CHECK_INT(scene_ask(&s, GATE_CLOSE, s.area->reply.ret0, 0, 0), GATE_OK);
	uint32_t h = scene_connect_channel(&s, l, &peer, 7);
	scene_wait_for(&s, h, GATE_IN, UINT64_MAX);
	CHECK_INT(scene_look(&s), GATE_TURN_WAIT);
	CHECK_INT(write(peer, "x", 1), 1);
	CHECK_INT(scene_look(&s), GATE_TURN_KEEP);
	CHECK_INT(scene_got(&s), GATE_IN);
	scene_wait_for(&s, h, GATE_IN | GATE_OUT, UINT64_MAX);
	CHECK_INT(scene_look(&s), GATE_TURN_KEEP);
	CHECK_INT(scene_got(&s), GATE_IN | GATE_OUT);
	close(peer);
	scene_wait_for(&s, h, 0, UINT64_MAX);
	CHECK_INT(scene_look(&s), GATE_TURN_KEEP);
	CHECK_INT(scene_got(&s), GATE_HUP);
	scene_close(&s);
}

TEST(gate_wakes_a_keep_when_its_time_is_over)
{
	struct scene s = { 0 };
	int64_t timeout;
	struct pollfd fds[1];
	scene_open(&s, NULL, false);
	uint32_t l = scene_advance(&s, GATE_PHASE_SERVING);
	scene_wait_for(&s, l, GATE_IN, 0);
	CHECK_INT(scene_look(&s), GATE_TURN_KEEP);
	CHECK_INT(s.area->reply.error, GATE_OK);
	CHECK_INT(scene_got(&s), 0);
	scene_wait_for(&s, l, GATE_IN, 3600ull * 1000000000);
	CHECK_INT(gate_serve_watch(s.g, fds, &timeout), 1);
	CHECK(timeout > 3000ll * 1000000000);
	CHECK(timeout <= 3600ll * 1000000000);
	CHECK_INT(scene_look(&s), GATE_TURN_WAIT);
	scene_close(&s);
}

TEST(gate_never_waits_a_negative_time)
{
	static const uint64_t times[] = { INT64_MAX - 1, INT64_MAX,
		(uint64_t)INT64_MAX + 1, UINT64_MAX - 1, UINT64_MAX };
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		struct scene s = { 0 };
		int64_t timeout;
		struct pollfd fds[1];
		scene_open(&s, NULL, false);
		scene_wait_for(&s, scene_advance(&s, GATE_PHASE_SERVING),
			GATE_IN, times[i]);
		CHECK_INT(gate_serve_watch(s.g, fds, &timeout), 1);
		CHECK(timeout == -1 || timeout > 0);
		CHECK_INT(scene_look(&s), GATE_TURN_WAIT);
		scene_close(&s);
	}
}

/* --- what the host will not or cannot do ---------------------------------- */

TEST(gate_tells_a_keep_that_evidence_failed_and_lets_it_ask_again)
{
	struct scene s = { 0 };
	scene_open(&s, NULL, false);
	s.no_evidence = true;
	CHECK_INT(scene_ask(&s, GATE_EVIDENCE, 0, 0, 64), GATE_FAILED);
	CHECK_STR(gate_serve_note(s.g), "the root is gone");
	CHECK_INT(gate_serve_phase(s.g), GATE_PHASE_BOOT);
	s.no_evidence = false;
	CHECK_INT(scene_ask(&s, GATE_EVIDENCE, 0, 0, 64), GATE_OK);
	scene_close(&s);
}

TEST(gate_refuses_a_face_too_large_and_fails_without_a_host_agent)
{
	struct scene s = { 0 };
	enum gate_turn turn;
	scene_open(&s, NULL, false);
	scene_advance(&s, GATE_PHASE_ATTESTED);
	s.no_publish = ERR_LIMIT;
	CHECK_INT(scene_ask(&s, GATE_PUBLISH, 0, 0, scene_put_face(&s)),
		GATE_LIMIT);
	s.no_publish = ERR_HOST;
	CHECK(!scene_ring(&s, GATE_PUBLISH, 0, 0, scene_put_face(&s), &turn));
	CHECK_STR(s.e.text, "gate: PUBLISH: told no");
	scene_close(&s);
}

TEST(gate_takes_text_from_debug_keeps_only)
{
	struct scene s = { 0 };
	scene_open(&s, NULL, false);
	CHECK_INT(scene_ask(&s, GATE_LOG, 0, 0, 4), GATE_DENIED);
	scene_close(&s);
	scene_open(&s, NULL, true);
	memcpy(s.area->data, "text", 4);
	CHECK_INT(scene_ask(&s, GATE_LOG, 0, 0, 4), GATE_OK);
	CHECK_STR(s.log, "text");
	scene_close(&s);
}

TEST(gate_grants_nothing_by_itself)
{
	struct scene s = { 0 };
	scene_open(&s, NULL, false);
	scene_advance(&s, GATE_PHASE_SERVING);
	CHECK_INT(scene_ask(&s, GATE_LISTEN, GATE_LISTEN_TCP, 8080, 0),
		GATE_DENIED);
	memcpy(s.area->data, "127.0.0.1:80", 12);
	CHECK_INT(scene_ask(&s, GATE_CONNECT, 0, 0, 12), GATE_DENIED);
	CHECK_INT(scene_ask(&s, GATE_RESOLVE, 0, 0, 9), GATE_DENIED);
	CHECK_INT(scene_ask(&s, GATE_LISTEN, GATE_LISTEN_CHANNEL, 0, 0),
		GATE_LIMIT);
	scene_close(&s);
}

TEST(gate_holds_back_connections_it_has_no_room_for)
{
	struct scene s = { 0 };
	int peers[65];
	scene_open(&s, NULL, false);
	uint32_t l = scene_advance(&s, GATE_PHASE_SERVING);
	for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
		int pair[2];
		CHECK_INT(s.closed, 0);
		CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		peers[i] = pair[0];
		CHECK(gate_serve_channel(s.g, pair[1], i, &s.e));
	}
	CHECK_INT(s.closed, 1);
	CHECK_INT(s.channel, 64);
	for (uint64_t i = 0; i < 3; i++) {
		CHECK_INT(scene_ask(&s, GATE_ACCEPT, l, 0, 0), GATE_OK);
		CHECK_INT(scene_ask(&s, GATE_CLOSE, s.area->reply.ret0, 0, 0),
			GATE_OK);
		CHECK_INT(s.channel, i);
	}
	gate_serve_free(s.g);
	CHECK_INT(s.closed, 65);
	for (size_t i = 0; i < ARRAY_LEN(peers); i++)
		close(peers[i]);
	free(s.area);
}

TEST(gate_takes_stream_sockets_only)
{
	struct scene s = { 0 };
	int p[2];
	scene_open(&s, NULL, false);
	scene_advance(&s, GATE_PHASE_SERVING);
	CHECK_INT(pipe(p), 0);
	CHECK(gate_serve_channel(s.g, p[0], 9, &s.e));
	CHECK_INT(s.closed, 1);
	CHECK_INT(s.channel, 9);
	CHECK_INT(fcntl(p[0], F_GETFD), -1);
	close(p[1]);
	scene_close(&s);
}

TEST(gate_gives_out_no_more_handles_than_there_are)
{
	struct scene s = { 0 };
	int pair[2];
	scene_open(&s, NULL, false);
	uint32_t l = scene_advance(&s, GATE_PHASE_SERVING);
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	for (uint32_t i = 2; i <= GATE_MAX_HANDLES + 1; i++) {
		int fd = dup(pair[1]);
		if (fd < 0)
			SKIP_TEST("too few descriptors allowed");
		CHECK(gate_serve_channel(s.g, fd, i, &s.e));
		bool full = i > GATE_MAX_HANDLES;
		CHECK_INT(scene_ask(&s, GATE_ACCEPT, l, 0, 0),
			full ? GATE_LIMIT : GATE_OK);
		if (!full)
			CHECK_INT(s.area->reply.ret0, i);
	}
	/* A handle that came back is given out again, and the connection
	 * that waited gets it. */
	CHECK_INT(scene_ask(&s, GATE_CLOSE, 7, 0, 0), GATE_OK);
	CHECK_INT(scene_ask(&s, GATE_ACCEPT, l, 0, 0), GATE_OK);
	CHECK_INT(s.area->reply.ret0, 7);
	close(pair[0]);
	close(pair[1]);
	scene_close(&s);
}

/* --- a hostile Keep ------------------------------------------------------- */

/* What docs/protocol.md allows in each phase; all else ends the Keep. */
static bool allowed(enum gate_phase phase, uint32_t op)
{
	switch (op) {
	case GATE_TIME_HINT:
	case GATE_LOG:
	case GATE_EXIT:
		return true;
	case GATE_EVIDENCE:
		return phase == GATE_PHASE_BOOT;
	case GATE_PUBLISH:
		return phase == GATE_PHASE_ATTESTED;
	case GATE_LISTEN:
		return phase >= GATE_PHASE_PUBLISHED;
	default:
		return phase == GATE_PHASE_SERVING && op >= GATE_LISTEN &&
			op < GATE_OP_COUNT;
	}
}

TEST(gate_allows_each_operation_in_its_phases_and_in_no_other)
{
	for (uint32_t phase = 0; phase < GATE_PHASE_GONE; phase++)
		for (uint32_t op = 0; op <= GATE_OP_COUNT + 1; op++) {
			struct scene s = { 0 };
			enum gate_turn turn;
			scene_open(&s, NULL, false);
			scene_advance(&s, phase);
			bool served = scene_ring(&s, op, 0, 0, 0, &turn);
			bool named = strstr(s.e.text, " in phase ") ||
				strstr(s.e.text, " unknown");
			if (allowed(phase, op))
				CHECK(served || !named);
			else
				CHECK(!served && named);
			if (!served)
				CHECK_INT(s.e.kind, ERR_DENIED);
			scene_close(&s);
		}
}

TEST(gate_refuses_everything_after_exit)
{
	struct scene s = { 0 };
	enum gate_turn turn;
	scene_open(&s, NULL, false);
	CHECK(scene_ring(&s, GATE_EXIT, 0, 0, 0, &turn));
	CHECK(!scene_ring(&s, GATE_TIME_HINT, 0, 0, 0, &turn));
	CHECK_STR(s.e.text, "gate: TIME_HINT in phase gone");
	scene_close(&s);
}

TEST(gate_refuses_each_field_out_of_range_by_name)
{
	static const struct {
		uint32_t op;
		uint64_t arg0, arg1;
		uint32_t len;
		const char *text;
	} cases[] = {
		{ 0, 0, 0, 0, "operation 0 unknown" },
		{ GATE_OP_COUNT, 0, 0, 0, "operation 15 unknown" },
		{ UINT32_MAX, 0, 0, 0, "operation 4294967295 unknown" },
		{ GATE_LISTEN, 0, 0, 0, "LISTEN: arg0 out of range" },
		{ GATE_LISTEN, 3, 0, 0, "LISTEN: arg0 out of range" },
		{ GATE_LISTEN, 1, 1, 0, "LISTEN: arg1 out of range" },
		{ GATE_LISTEN, 2, 65536, 0, "LISTEN: arg1 out of range" },
		{ GATE_LISTEN, 2, 80, 1, "LISTEN: 1 bytes of data" },
		{ GATE_ACCEPT, 0, 0, 0, "ACCEPT: handle 0 not given out" },
		{ GATE_ACCEPT, 3, 0, 0, "ACCEPT: handle 3 not given out" },
		{ GATE_ACCEPT, 2, 0, 0, "ACCEPT: handle 2 of another kind" },
		{ GATE_ACCEPT, 1, 1, 0, "ACCEPT: arg1 out of range" },
		{ GATE_CONNECT, 0, 0, 0, "CONNECT: 0 bytes of data" },
		{ GATE_CONNECT, 0, 0, 513, "CONNECT: 513 bytes of data" },
		{ GATE_CONNECT, 0, 0, 4, "CONNECT: name not printable" },
		{ GATE_RESOLVE, 0, 0, 4, "RESOLVE: name not printable" },
		{ GATE_RESOLVE, 0, 0, 254, "RESOLVE: 254 bytes of data" },
		{ GATE_SEND, 1, 0, 1, "SEND: handle 1 of another kind" },
		{ GATE_SEND, 1025, 0, 1, "SEND: handle 1025 not given out" },
		{ GATE_SEND, 1ull << 32 | 2, 0, 1,
			"SEND: handle 4294967298 not given out" },
		{ GATE_SEND, 2, 0, 0, "SEND: 0 bytes of data" },
		{ GATE_SEND, 2, 0, GATE_DATA_BYTES + 1,
			"SEND: 262145 bytes of data" },
		{ GATE_SEND, 2, 0, UINT32_MAX,
			"SEND: 4294967295 bytes of data" },
		{ GATE_RECV, 2, 0, 0, "RECV: arg1 out of range" },
		{ GATE_RECV, 2, GATE_DATA_BYTES + 1, 0,
			"RECV: arg1 out of range" },
		{ GATE_RECV, 2, 1, 1, "RECV: 1 bytes of data" },
		{ GATE_RECV, 1, 1, 0, "RECV: handle 1 of another kind" },
		{ GATE_SHUTDOWN, 2, 0, 0, "SHUTDOWN: arg1 out of range" },
		{ GATE_SHUTDOWN, 2, 3, 0, "SHUTDOWN: arg1 out of range" },
		{ GATE_CLOSE, 3, 0, 0, "CLOSE: handle 3 not given out" },
		{ GATE_CLOSE, UINT64_MAX, 0, 0, "CLOSE: handle " },
		{ GATE_POLL, 0, 1, 15, "POLL: 15 bytes of data" },
		{ GATE_POLL, 0, 1, 0, "POLL: 0 bytes of data" },
		{ GATE_POLL, 0, 4097, 0, "POLL: arg1 out of range" },
		{ GATE_POLL, 0, UINT64_MAX, 0, "POLL: arg1 out of range" },
		{ GATE_POLL, 0, 0, GATE_DATA_BYTES + 1,
			"POLL: 262145 bytes of data" },
		{ GATE_POLL, 0, 1, 16, "POLL: handle 2155905152 not given" },
		{ GATE_POLL, 0, 0, 7, "POLL: lengths inside the data" },
		{ GATE_POLL, 0, 0, 8, "POLL: lengths inside the data" },
		{ GATE_POLL, 0, 0, 16, "POLL: lengths inside the data" },
		{ GATE_TIME_HINT, 1, 0, 0, "TIME_HINT: arg0 out of range" },
		{ GATE_LOG, 0, 0, 1025, "LOG: 1025 bytes of data" },
		{ GATE_EXIT, GATE_EXIT_COUNT, 0, 0, "EXIT: arg0 out of range" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scene s = { 0 };
		int peer = -1;
		enum gate_turn turn;
		scene_open(&s, NULL, false);
		scene_connect_channel(&s, scene_advance(&s, GATE_PHASE_SERVING),
			&peer, 1);
		memset(s.area->data, 0x80, 16);
		CHECK(!scene_ring(&s, cases[i].op, cases[i].arg0, cases[i].arg1,
			cases[i].len, &turn));
		CHECK_INT(s.e.kind, ERR_DENIED);
		CHECK_HAS(s.e.text, "gate: ");
		CHECK_HAS(s.e.text, cases[i].text);
		close(peer);
		scene_close(&s);
	}
}

TEST(gate_refuses_a_turn_that_nobody_may_ask_for)
{
	static const struct {
		struct gate_poll p;
		const char *text;
	} cases[] = {
		{ { 1, GATE_HUP, 0, 0, 0 }, "events 0x4" },
		{ { 1, GATE_END, 0, 0, 0 }, "events 0x8" },
		{ { 1, GATE_IN, GATE_IN, 0, 0 }, "results in the question" },
		{ { 2, GATE_IN, 0, 0, 1 }, "results in the question" },
		{ { 1, GATE_IN, 0, 1, 0 }, "handle 1: nothing to take" },
		{ { 2, GATE_OUT, 0, 1, 0 }, "handle 2: nothing to take" },
		{ { 3, GATE_IN, 0, 0, 0 }, "handle 3 not given out" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scene s = { 0 };
		enum gate_turn turn;
		int peer = -1;
		scene_open(&s, NULL, false);
		scene_connect_channel(&s, scene_advance(&s, GATE_PHASE_SERVING),
			&peer, 1);
		memcpy(s.area->data, &cases[i].p, sizeof cases[i].p);
		CHECK(!scene_ring(&s, GATE_POLL, 0, 1, sizeof cases[i].p,
			&turn));
		CHECK_HAS(s.e.text, cases[i].text);
		close(peer);
		scene_close(&s);
	}
}

/* Puts a turn of one poll and a send of `text` to each handle up to `last`. */
static uint32_t put_turn(struct scene *s, struct gate_poll p,
	const uint32_t *to, size_t count, const char *text)
{
	uint32_t at = sizeof p, len = (uint32_t)strlen(text);
	memcpy(s->area->data, &p, sizeof p);
	for (size_t i = 0; i < count; i++) {
		struct gate_send head = { to[i], len };
		memcpy(s->area->data + at, &head, sizeof head);
		memcpy(s->area->data + at + sizeof head, text, len);
		at += (uint32_t)sizeof head + len;
	}
	return at;
}

TEST(gate_sends_waits_and_takes_in_one_turn)
{
	struct scene s = { 0 };
	enum gate_turn turn;
	struct gate_poll p = { .want = GATE_IN, .most = 5 };
	struct gate_sent sent[2];
	char in[8];
	int peer[2];
	scene_open(&s, NULL, false);
	uint32_t listener = scene_advance(&s, GATE_PHASE_SERVING);
	uint32_t to[2];
	for (size_t i = 0; i < 2; i++)
		to[i] = scene_connect_channel(&s, listener, &peer[i], i + 1);
	p.handle = to[1];
	CHECK(scene_ring(&s, GATE_POLL, UINT64_MAX, 1,
		put_turn(&s, p, to, 2, "ping"), &turn));
	CHECK_INT(turn, GATE_TURN_WAIT);
	for (size_t i = 0; i < 2; i++) {
		CHECK_INT(recv(peer[i], in, sizeof in, 0), 4);
		CHECK_MEM(in, "ping", 4);
	}
	CHECK_INT(scene_look(&s), GATE_TURN_WAIT);
	CHECK_INT(send(peer[1], "pong!!", 6, 0), 6);
	CHECK_INT(scene_look(&s), GATE_TURN_KEEP);
	CHECK_INT(s.area->reply.ret0, 1);
	CHECK_INT(s.area->reply.data_len, sizeof p + sizeof sent + 5);
	memcpy(&p, s.area->data, sizeof p);
	memcpy(sent, s.area->data + sizeof p, sizeof sent);
	CHECK_INT(p.got, GATE_IN);
	CHECK_INT(p.taken, 5);
	for (size_t i = 0; i < 2; i++) {
		CHECK_INT(sent[i].error, GATE_OK);
		CHECK_INT(sent[i].taken, 4);
		close(peer[i]);
	}
	CHECK_MEM(s.area->data + sizeof p + sizeof sent, "pong!", 5);
	scene_close(&s);
}

TEST(gate_takes_the_end_of_a_connection_and_what_failed_ends_the_wait)
{
	struct scene s = { 0 };
	enum gate_turn turn;
	struct gate_poll p = { .want = GATE_IN, .most = 64 };
	struct gate_sent sent;
	int peer;
	scene_open(&s, NULL, false);
	p.handle = scene_connect_channel(&s,
		scene_advance(&s, GATE_PHASE_SERVING), &peer, 1);
	shutdown(peer, SHUT_WR);
	CHECK(scene_ring(&s, GATE_POLL, UINT64_MAX, 1,
		put_turn(&s, p, NULL, 0, ""), &turn));
	CHECK_INT(scene_look(&s), GATE_TURN_KEEP);
	memcpy(&p, s.area->data, sizeof p);
	CHECK_INT(p.got & (GATE_IN | GATE_END), GATE_IN | GATE_END);
	CHECK_INT(p.taken, 0);
	close(peer);
	p = (struct gate_poll){ .handle = p.handle };
	CHECK(scene_ring(&s, GATE_POLL, UINT64_MAX, 1,
		put_turn(&s, p, &p.handle, 1, "late"), &turn));
	CHECK_INT(scene_look(&s), GATE_TURN_KEEP);
	memcpy(&sent, s.area->data + sizeof p, sizeof sent);
	CHECK_INT(sent.error, GATE_CLOSED);
	CHECK_INT(sent.taken, 0);
	scene_close(&s);
}

TEST(gate_refuses_a_send_to_what_is_no_connection)
{
	static const uint32_t to[] = { 1, 3, 0, UINT32_MAX };
	for (size_t i = 0; i < ARRAY_LEN(to); i++) {
		struct scene s = { 0 };
		enum gate_turn turn;
		int peer = -1;
		scene_open(&s, NULL, false);
		struct gate_poll p = {
			.handle = scene_connect_channel(&s,
				scene_advance(&s, GATE_PHASE_SERVING), &peer, 1)
		};
		const uint32_t both[2] = { p.handle, to[i] };
		CHECK(!scene_ring(&s, GATE_POLL, 0, 1,
			put_turn(&s, p, both, 2, "x"), &turn));
		CHECK_HAS(s.e.text, "POLL: send to handle");
		/* Nothing was sent before all was judged. */
		CHECK_INT(recv(peer, &(char){ 0 }, 1, MSG_DONTWAIT), -1);
		close(peer);
		scene_close(&s);
	}
}

TEST(gate_refuses_a_sequence_that_skips_or_repeats)
{
	static const uint32_t wrong[] = { 0, 2, 4, 0x80000003u, UINT32_MAX };
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct scene s = { 0 };
		enum gate_turn turn;
		scene_open(&s, NULL, false);
		CHECK_INT(scene_ask(&s, GATE_TIME_HINT, 0, 0, 0), GATE_OK);
		CHECK_INT(scene_ask(&s, GATE_TIME_HINT, 0, 0, 0), GATE_OK);
		s.seq = wrong[i] - 1;
		CHECK(!scene_ring(&s, GATE_TIME_HINT, 0, 0, 0, &turn));
		CHECK_HAS(s.e.text, "gate: TIME_HINT: sequence ");
		CHECK_HAS(s.e.text, ", not 3");
		scene_close(&s);
	}
}

TEST(gate_refuses_reserved_bytes)
{
	struct scene s = { 0 };
	enum gate_turn turn;
	scene_open(&s, NULL, false);
	s.area->request = (struct gate_request){ .op = GATE_TIME_HINT,
		.seq = 1,
		.reserved_1c = 1 };
	CHECK(!gate_serve_request(s.g, &turn, &s.e));
	CHECK_STR(s.e.text, "gate: TIME_HINT: reserved bytes");
	scene_close(&s);
}

TEST(gate_refuses_a_keep_that_rings_while_it_waits)
{
	struct scene s = { 0 };
	enum gate_turn turn;
	scene_open(&s, NULL, false);
	scene_wait_for(&s, scene_advance(&s, GATE_PHASE_SERVING), GATE_IN,
		UINT64_MAX);
	CHECK(!scene_ring(&s, GATE_TIME_HINT, 0, 0, 0, &turn));
	CHECK_STR(s.e.text, "gate: rang while it waited");
	scene_close(&s);
}

TEST(gate_refuses_every_truncation_of_a_face)
{
	for (uint32_t n = 0; n < 4 * 4 + 10; n++) {
		struct scene s = { 0 };
		enum gate_turn turn;
		scene_open(&s, NULL, false);
		scene_advance(&s, GATE_PHASE_ATTESTED);
		CHECK_INT(scene_put_face(&s), 4 * 4 + 10);
		CHECK(!scene_ring(&s, GATE_PUBLISH, 0, 0, n, &turn));
		CHECK_INT(s.e.kind, ERR_DENIED);
		CHECK_INT(s.published, 0);
		scene_close(&s);
	}
}

TEST(gate_does_not_use_a_closed_handle_again)
{
	struct scene s = { 0 };
	int peer = -1;
	enum gate_turn turn;
	scene_open(&s, NULL, false);
	uint32_t l = scene_advance(&s, GATE_PHASE_SERVING);
	uint32_t h = scene_connect_channel(&s, l, &peer, 1);
	CHECK_INT(scene_ask(&s, GATE_CLOSE, h, 0, 0), GATE_OK);
	CHECK(!scene_ring(&s, GATE_SEND, h, 0, 1, &turn));
	CHECK_STR(s.e.text, "gate: SEND: handle 2 not given out");
	close(peer);
	scene_close(&s);
}
