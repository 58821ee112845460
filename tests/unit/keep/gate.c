/* SPDX-License-Identifier: Apache-2.0 */
/* A host that lies in each field of each reply. */
#include "keep/gate.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../test.h"
#include "helpers/host.h"

static struct host host;
static struct keep_gate gate;
static uint8_t taken[GATE_DATA_BYTES];

/* A turn that only waits for one handle. */
static bool poll_one(struct gate_poll *p, uint64_t timeout_ns, struct err *e)
{
	struct keep_gate_turn turn = { .polls = p,
		.poll_count = 1,
		.taken = taken };
	return keep_gate_poll(&gate, &turn, timeout_ns, e);
}

static bool open_gate(struct err *e)
{
	return keep_gate_open(&gate, host.bell[0], host.area_fd, e);
}

static void begin(void (*lie)(struct host *, uint32_t))
{
	struct err e;
	host_init(&host);
	host.lie = lie;
	host_start(&host);
	CHECK(open_gate(&e));
}

static void end(void)
{
	keep_gate_close(&gate);
	host_fini(&host);
}

/* --- the boot page ------------------------------------------------------ */

static struct gate_area *boot_area(void)
{
	host_init(&host);
	return host.area;
}

static void boot_refused(const char *why)
{
	struct err e;
	host_start(&host);
	CHECK(!open_gate(&e));
	CHECK_INT(e.kind, ERR_HOST);
	CHECK_HAS(e.text, why);
	CHECK(gate.lost);
	end();
}

TEST(an_area_of_another_kind_is_refused)
{
	boot_area()->magic++;
	boot_refused("magic");
	boot_area()->version++;
	boot_refused("version");
}

TEST(a_boot_page_out_of_range_is_refused)
{
	boot_area()->boot.version = 2;
	boot_refused("boot version");
	boot_area()->boot.tee = 0;
	boot_refused("technology");
	boot_area()->boot.tee = 99;
	boot_refused("technology");
	boot_area()->boot.reserved_58[4] = 1;
	boot_refused("reserved");
}

TEST(the_boot_page_is_copied_once)
{
	struct err e;
	boot_area()->boot.memory_bytes = 4711;
	host_start(&host);
	CHECK(open_gate(&e));
	host.area->boot.memory_bytes = 1;
	host.area->boot.owner_key_hash[3] = 9;
	CHECK_INT(gate.boot.memory_bytes, 4711);
	CHECK_INT(gate.boot.owner_key_hash[3], 0);
	end();
}

TEST(an_area_that_cannot_be_mapped_is_refused)
{
	struct err e;
	CHECK(!keep_gate_open(&gate, -1, -1, &e));
	CHECK_INT(e.kind, ERR_HOST);
	keep_gate_close(&gate);
}

/* --- an honest host ----------------------------------------------------- */

static uint32_t accepted(int *client)
{
	struct err e;
	uint32_t listener, handle;
	enum gate_error why;
	CHECK(keep_gate_listen(&gate, GATE_LISTEN_CHANNEL, 0, &listener, &e));
	CHECK(keep_gate_accept(&gate, listener, &handle, &why, &e));
	CHECK_INT(why, GATE_AGAIN);
	*client = host_connect(&host);
	CHECK(keep_gate_accept(&gate, listener, &handle, &why, &e));
	CHECK_INT(why, GATE_OK);
	CHECK(handle != listener);
	return handle;
}

TEST(bytes_go_both_ways_through_an_honest_gate)
{
	struct err e;
	uint8_t b[64];
	size_t n;
	enum gate_error why;
	int client;
	begin(NULL);
	uint32_t h = accepted(&client);
	CHECK(keep_gate_recv(&gate, h, b, sizeof b, &n, &why, &e));
	CHECK_INT(why, GATE_AGAIN);
	CHECK_INT(send(client, "hello", 5, 0), 5);
	struct gate_poll ask = { .handle = h, .want = GATE_IN | GATE_OUT };
	CHECK(poll_one(&ask, UINT64_MAX, &e));
	CHECK_INT(ask.got, GATE_IN | GATE_OUT);
	CHECK(keep_gate_recv(&gate, h, b, sizeof b, &n, &why, &e));
	CHECK_INT(n, 5);
	CHECK_MEM(b, "hello", 5);
	CHECK(keep_gate_send(&gate, h, BYTES_LIT("hi"), &n, &why, &e));
	CHECK_INT(n, 2);
	CHECK_INT(recv(client, b, sizeof b, 0), 2);
	CHECK(keep_gate_shutdown(&gate, h, GATE_SHUT_WRITE, &e));
	CHECK_INT(recv(client, b, sizeof b, 0), 0);
	close(client);
	CHECK(keep_gate_recv(&gate, h, b, sizeof b, &n, &why, &e));
	CHECK_INT(why, GATE_OK);
	CHECK_INT(n, 0);
	CHECK(keep_gate_release(&gate, h, &e));
	end();
}

TEST(a_poll_without_events_ends_with_its_time)
{
	struct err e;
	uint32_t listener;
	begin(NULL);
	CHECK(keep_gate_listen(&gate, GATE_LISTEN_CHANNEL, 0, &listener, &e));
	struct gate_poll ask = { .handle = listener, .want = GATE_IN };
	CHECK(poll_one(&ask, 1000000, &e));
	CHECK_INT(ask.got, 0);
	end();
}

TEST(one_turn_sends_to_many_and_takes_from_many)
{
	struct err e;
	char in[8];
	int clients[2];
	struct gate_poll polls[2];
	struct keep_gate_sent sends[2];
	struct keep_gate_turn turn = { .polls = polls,
		.poll_count = 2,
		.sends = sends,
		.taken = taken };
	enum gate_error why;
	begin(NULL);
	uint32_t h[2] = { accepted(&clients[0]) };
	clients[1] = host_connect(&host);
	CHECK(keep_gate_accept(&gate, 1, &h[1], &why, &e));
	CHECK_INT(why, GATE_OK);
	for (size_t i = 0; i < 2; i++) {
		polls[i] = (struct gate_poll){ .handle = h[i],
			.want = GATE_IN,
			.most = 3 };
		CHECK_INT(send(clients[i], "abcd" + i, 2 + 2 * i, 0),
			2 + 2 * i);
		CHECK(keep_gate_turn_send(&turn, h[i], BYTES_LIT("hello")));
	}
	CHECK(keep_gate_poll(&gate, &turn, UINT64_MAX, &e));
	for (size_t i = 0; i < 2; i++) {
		CHECK_INT(recv(clients[i], in, sizeof in, 0), 5);
		CHECK_MEM(in, "hello", 5);
		CHECK_INT(sends[i].taken, 5);
		CHECK_INT(sends[i].why, GATE_OK);
		CHECK_INT(polls[i].got, GATE_IN);
		CHECK_INT(polls[i].taken, 2 + i);
		close(clients[i]);
	}
	CHECK_MEM(taken, "abbcd", 5);
	end();
}

TEST(a_turn_takes_the_end_of_a_connection)
{
	struct err e;
	int client;
	begin(NULL);
	struct gate_poll ask = { .handle = accepted(&client),
		.want = GATE_IN,
		.most = 9 };
	shutdown(client, SHUT_WR);
	CHECK(poll_one(&ask, UINT64_MAX, &e));
	CHECK_INT(ask.got, GATE_IN | GATE_END);
	CHECK_INT(ask.taken, 0);
	close(client);
	end();
}

TEST(a_turn_has_room_for_so_many_sends_and_bytes)
{
	static uint8_t big[GATE_DATA_BYTES];
	static struct keep_gate_sent sends[GATE_MAX_SENDS];
	struct keep_gate_turn turn = { .sends = sends };
	for (size_t i = 0; i < GATE_MAX_SENDS; i++)
		CHECK(keep_gate_turn_send(&turn, 1, BYTES_LIT("x")));
	CHECK(!keep_gate_turn_send(&turn, 1, BYTES_LIT("x")));
	turn.send_count = turn.send_bytes = 0;
	size_t room = GATE_DATA_BYTES -
		GATE_MAX_POLL * sizeof(struct gate_poll) -
		sizeof(struct gate_send);
	CHECK(!keep_gate_turn_send(&turn, 1, bytes_of(big, room + 1)));
	CHECK(!keep_gate_turn_send(&turn, 1, bytes_of(big, SIZE_MAX)));
	CHECK_INT(turn.send_count, 0);
	CHECK(keep_gate_turn_send(&turn, 1, bytes_of(big, room)));
	CHECK(!keep_gate_turn_send(&turn, 1, BYTES_LIT("x")));
}

TEST(evidence_comes_in_two_parts)
{
	struct err e;
	auto_buf evidence = { .len = 0 }, endorsements = { .len = 0 };
	begin(NULL);
	CHECK(keep_gate_evidence(&gate, BYTES_LIT("request"), &evidence,
		&endorsements, &e));
	CHECK_STR(buf_cstr(&evidence), "proof");
	CHECK_STR(buf_cstr(&endorsements), "root");
	end();
}

TEST(the_face_is_published_in_four_parts)
{
	static const uint8_t want[] = { 1, 0, 0, 0, 'a', 2, 0, 0, 0, 'b', 'b',
		0, 0, 0, 0, 1, 0, 0, 0, 'c' };
	struct err e;
	struct bytes parts[4] = { BYTES_LIT("a"), BYTES_LIT("bb"), BYTES_NONE,
		BYTES_LIT("c") };
	begin(NULL);
	CHECK(keep_gate_publish(&gate, parts, &e));
	CHECK_INT(host.area->request.data_len, sizeof want);
	CHECK_MEM(host.area->data, want, sizeof want);
	parts[1].len = GATE_DATA_BYTES - 4;
	CHECK(!keep_gate_publish(&gate, parts, &e));
	CHECK_INT(e.kind, ERR_LIMIT);
	parts[1].len = SIZE_MAX;
	CHECK(!keep_gate_publish(&gate, parts, &e));
	end();
}

TEST(the_end_is_told_without_a_reply)
{
	begin(NULL);
	keep_gate_exit(&gate, GATE_EXIT_IDLE);
	end();
	CHECK(host.exited);
	CHECK_INT(host.exit_reason, GATE_EXIT_IDLE);
}

/* --- lies --------------------------------------------------------------- */

struct lie {
	const char *name;
	uint32_t op;
	void (*tell)(struct gate_area *a);
	const char *why;
};

static const struct lie *telling;

static void tell(struct host *h, uint32_t op)
{
	if (op == telling->op)
		telling->tell(h->area);
}

static void set_error(struct gate_reply *r, uint32_t error)
{
	*r = (struct gate_reply){ .seq = r->seq, .error = error };
}

#define LIE(name, code)                           \
	static void name(struct gate_area *a)     \
	{                                         \
		struct gate_reply *r = &a->reply; \
		(void)r;                          \
		code;                             \
	}

LIE(old_sequence, r->seq--)
LIE(next_sequence, r->seq++)
LIE(error_9, set_error(r, 9))
LIE(error_huge, set_error(r, UINT32_MAX))
LIE(reserved_1, r->reserved_14 = 1)
LIE(reserved_2, r->reserved_18 = 1)
LIE(error_with_result, (r->error = GATE_FAILED, r->ret0 = 1))
LIE(error_with_data, (r->error = GATE_FAILED, r->ret0 = 0, r->data_len = 1))
LIE(data_len_one, r->data_len = 1)
LIE(data_len_huge, r->data_len = UINT32_MAX)
LIE(data_len_area, r->data_len = GATE_DATA_BYTES)
LIE(data_len_17, r->data_len = 17)
LIE(data_len_9, r->data_len = 9)
LIE(data_len_less, r->data_len--)
LIE(ret_zero, r->ret0 = 0)
LIE(ret_one, r->ret0 = 1)
LIE(ret_more, r->ret0++)
LIE(ret_huge, r->ret0 = UINT64_MAX)
LIE(ret_4097, r->ret0 = GATE_MAX_HANDLES + 1)
LIE(ret_wrap, r->ret0 = 1ull << 32 | 7)
LIE(evidence_long, a->data[3] = 0xff)
LIE(evidence_trailing, (a->data[17] = 0, r->data_len = 18))
LIE(evidence_truncated, r->data_len = 10)
LIE(evidence_empty, r->data_len = 0)
LIE(poll_handle, a->data[0]++)
LIE(poll_want, a->data[4] ^= 2)
LIE(poll_got_out, (a->data[6] |= GATE_OUT, r->ret0 = 1))
LIE(poll_got_unknown, (a->data[6] |= 16, r->ret0 = 1))
LIE(poll_most, a->data[8]++)
LIE(poll_took_more, a->data[12]++)
LIE(poll_took_huge, a->data[15] = 0xff)
LIE(poll_took_less, a->data[12]--)
LIE(poll_without_in, (a->data[6] = 0, r->ret0 = 0))
LIE(poll_end_and_bytes, a->data[6] |= GATE_END)
LIE(sent_error, (a->data[16] = 9, a->data[20] = 0))
LIE(sent_none, a->data[20] = 0)
LIE(sent_more, a->data[20]++)
LIE(sent_huge, a->data[23] = 0x80)
LIE(sent_and_error, a->data[16] = GATE_CLOSED)
LIE(poll_one_more, r->data_len++)
LIE(poll_got_high, (a->data[7] |= 0x80, r->ret0 = 1))
LIE(poll_failed, set_error(r, GATE_FAILED))

/* clang-format off */
static const struct lie lies[] = {
	/* In every reply. */
	{ "old sequence", GATE_EVIDENCE, old_sequence, "EVIDENCE: sequence" },
	{ "next sequence", GATE_SEND, next_sequence, "SEND: sequence" },
	{ "error 9", GATE_EVIDENCE, error_9, "EVIDENCE: error 9 unknown" },
	{ "error 2^32-1", GATE_RECV, error_huge, "RECV: error" },
	{ "error 9", GATE_POLL, error_9, "POLL: error 9 unknown" },
	{ "error 9", GATE_CLOSE, error_9, "CLOSE: error 9 unknown" },
	{ "reserved", GATE_PUBLISH, reserved_1, "PUBLISH: reserved" },
	{ "reserved", GATE_ACCEPT, reserved_2, "ACCEPT: reserved" },
	{ "result of an error", GATE_SEND, error_with_result, "SEND: results beside an error" },
	{ "data of an error", GATE_RECV, error_with_data, "RECV: results beside an error" },
	/* Where nothing is to come back. */
	{ "data", GATE_PUBLISH, data_len_one, "PUBLISH: 1 bytes of at most 0" },
	{ "result", GATE_PUBLISH, ret_one, "PUBLISH: a result where" },
	{ "data", GATE_LISTEN, data_len_huge, "LISTEN: 4294967295 bytes of at most 0" },
	{ "data", GATE_ACCEPT, data_len_one, "ACCEPT: 1 bytes of at most 0" },
	{ "data", GATE_SEND, data_len_one, "SEND: 1 bytes of at most 0" },
	{ "data", GATE_SHUTDOWN, data_len_one, "SHUTDOWN: 1 bytes of at most 0" },
	{ "result", GATE_SHUTDOWN, ret_huge, "SHUTDOWN: a result where" },
	{ "data", GATE_CLOSE, data_len_area, "CLOSE: 262144 bytes of at most 0" },
	{ "result", GATE_CLOSE, ret_one, "CLOSE: a result where" },
	{ "result", GATE_RECV, ret_one, "RECV: a result where" },
	{ "result", GATE_EVIDENCE, ret_one, "EVIDENCE: a result where" },
	/* Handles. */
	{ "handle 0", GATE_LISTEN, ret_zero, "LISTEN: handle 0 out of range" },
	{ "handle 4097", GATE_LISTEN, ret_4097, "LISTEN: handle 4097 out of range" },
	{ "handle 2^64-1", GATE_ACCEPT, ret_huge, "ACCEPT: handle" },
	{ "handle 2^32+7", GATE_ACCEPT, ret_wrap, "ACCEPT: handle" },
	{ "handle of the listener", GATE_ACCEPT, ret_one, "ACCEPT: handle 1 given out twice" },
	/* Bytes. */
	{ "took none", GATE_SEND, ret_zero, "SEND: took 0 of 2 bytes" },
	{ "took more", GATE_SEND, ret_more, "SEND: took 3 of 2 bytes" },
	{ "took 2^64-1", GATE_SEND, ret_huge, "SEND: took" },
	{ "more than asked", GATE_RECV, data_len_17, "RECV: 17 bytes of at most 16" },
	{ "2^32-1 bytes", GATE_RECV, data_len_huge, "RECV: 4294967295 bytes of at most 16" },
	/* Evidence. */
	{ "length inside", GATE_EVIDENCE, evidence_long, "EVIDENCE: lengths inside" },
	{ "trailing byte", GATE_EVIDENCE, evidence_trailing, "EVIDENCE: lengths inside" },
	{ "truncated", GATE_EVIDENCE, evidence_truncated, "EVIDENCE: lengths inside" },
	{ "nothing", GATE_EVIDENCE, evidence_empty, "EVIDENCE: lengths inside" },
	{ "the whole area", GATE_EVIDENCE, data_len_area, "EVIDENCE: 262144 bytes of at most" },
	/* Polls. */
	{ "one byte less", GATE_POLL, data_len_less, "POLL: 3 bytes taken, not 4" },
	{ "one byte more", GATE_POLL, poll_one_more, "POLL: 5 bytes taken, not 4" },
	{ "no heads", GATE_POLL, data_len_9, "POLL: 9 bytes of at least 24" },
	{ "more than the area", GATE_POLL, data_len_huge, "POLL: 4294967295 bytes of at most" },
	{ "other handle", GATE_POLL, poll_handle, "POLL: another question" },
	{ "other wish", GATE_POLL, poll_want, "POLL: another question" },
	{ "event not asked", GATE_POLL, poll_got_out, "POLL: events 0x" },
	{ "unknown event", GATE_POLL, poll_got_unknown, "POLL: events 0x" },
	{ "unknown event", GATE_POLL, poll_got_high, "POLL: events 0x" },
	{ "other most", GATE_POLL, poll_most, "POLL: another question" },
	{ "took more than asked", GATE_POLL, poll_took_more, "POLL: took 5 of 4 bytes" },
	{ "took 2^32", GATE_POLL, poll_took_huge, "POLL: took 42" },
	{ "took less than came", GATE_POLL, poll_took_less, "POLL: 4 bytes taken, not 3" },
	{ "took without IN", GATE_POLL, poll_without_in, "POLL: took from a handle without IN" },
	{ "bytes at the end", GATE_POLL, poll_end_and_bytes, "POLL: bytes at the end" },
	{ "error 9 of a send", GATE_POLL, sent_error, "POLL: error 9 of a send" },
	{ "sent none", GATE_POLL, sent_none, "POLL: sent 0 of 2 bytes, error 0" },
	{ "sent more", GATE_POLL, sent_more, "POLL: sent 3 of 2 bytes" },
	{ "sent 2^31", GATE_POLL, sent_huge, "POLL: sent 21" },
	{ "sent, and an error", GATE_POLL, sent_and_error, "POLL: sent 2 of 2 bytes, error 3" },
	{ "count", GATE_POLL, ret_more, "ready, not" },
	{ "count 2^64-1", GATE_POLL, ret_huge, "ready, not" },
};
/* clang-format on */

/* A tour through all operations; false at the first failure. */
static bool tour(int *client, struct err *e)
{
	auto_buf one = { .len = 0 }, two = { .len = 0 };
	const struct bytes face[4] = { BYTES_LIT("x"), BYTES_NONE, BYTES_NONE,
		BYTES_NONE };
	uint32_t listener, handle;
	uint8_t b[16];
	size_t n;
	enum gate_error why;
	*client = host_connect(&host);
	CHECK_INT(send(*client, "0123456789abcdefXYZ", 19, 0), 19);
	if (!keep_gate_evidence(&gate, BYTES_LIT("q"), &one, &two, e) ||
		!keep_gate_publish(&gate, face, e) ||
		!keep_gate_listen(&gate, GATE_LISTEN_CHANNEL, 0, &listener,
			e) ||
		!keep_gate_accept(&gate, listener, &handle, &why, e))
		return false;
	struct gate_poll ask = { .handle = handle, .want = GATE_IN, .most = 4 };
	struct keep_gate_sent sent;
	struct keep_gate_turn turn = { .polls = &ask,
		.poll_count = 1,
		.sends = &sent,
		.taken = taken };
	CHECK(keep_gate_turn_send(&turn, handle, BYTES_LIT("yo")));
	return keep_gate_poll(&gate, &turn, 0, e) &&
		keep_gate_recv(&gate, handle, b, sizeof b, &n, &why, e) &&
		keep_gate_send(&gate, handle, BYTES_LIT("hi"), &n, &why, e) &&
		keep_gate_shutdown(&gate, handle, GATE_SHUT_WRITE, e) &&
		keep_gate_release(&gate, handle, e);
}

TEST(an_honest_host_passes_the_tour)
{
	struct err e;
	int client;
	begin(NULL);
	CHECK(tour(&client, &e));
	close(client);
	end();
}

TEST(each_lie_in_each_field_is_named_and_ends_the_gate)
{
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		struct err e = { .kind = ERR_NONE };
		int client;
		telling = &lies[i];
		begin(tell);
		if (tour(&client, &e))
			fail_msg("%s was believed", telling->name);
		CHECK_INT(e.kind, ERR_HOST);
		CHECK_HAS(e.text, telling->why);
		CHECK(gate.lost);
		close(client);
		end();
	}
}

TEST(after_a_lie_nothing_is_asked_any_more)
{
	struct err e;
	int client;
	telling = &(const struct lie){ "", GATE_PUBLISH, ret_one, "" };
	begin(tell);
	CHECK(!tour(&client, &e));
	uint32_t asked = gate.seq, listener;
	CHECK(!keep_gate_listen(&gate, GATE_LISTEN_CHANNEL, 0, &listener, &e));
	CHECK_HAS(e.text, "PUBLISH: a result");
	CHECK_INT(gate.seq, asked);
	close(client);
	end();
}

TEST(a_host_that_refuses_what_a_keep_needs_is_named)
{
	struct err e;
	int client;
	telling = &(const struct lie){ "", GATE_POLL, poll_failed, "" };
	begin(tell);
	CHECK(!tour(&client, &e));
	CHECK_HAS(e.text, "POLL: refused, error 8");
	close(client);
	end();
}

static void die(struct host *h, uint32_t op)
{
	h->die = op == GATE_LISTEN;
}

TEST(a_host_that_dies_is_named)
{
	struct err e;
	int client;
	begin(die);
	CHECK(!tour(&client, &e));
	CHECK_HAS(e.text, "LISTEN: the host is gone");
	CHECK(gate.lost);
	/* Saying why it ends does not hang. */
	keep_gate_exit(&gate, GATE_EXIT_HOST);
	close(client);
	end();
}
