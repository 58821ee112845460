/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile Keep: the input is a list of requests, each an operation, its
 * arguments and at most 255 bytes of data.  Sequence numbers are right and
 * the first three requests of a good Keep come for nothing, so that what is
 * behind them is reached.  It may connect to port 1 of this machine, where
 * nobody is, and the names it asks for lead there or nowhere.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"
#include "base/reader.h"
#include "host/gate_serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct scene {
	struct gate_area *area;
	struct gate_serve *g;
	uint32_t seq;
	uint32_t asked; /* for a name; 0: not */
};

static bool on_evidence(UNUSED void *ctx, struct bytes request,
	struct buf *evidence, UNUSED struct buf *endorsements,
	UNUSED struct err *e)
{
	return buf_put(evidence, request);
}

static bool on_published(UNUSED void *ctx, const struct bytes parts[4],
	UNUSED struct err *e)
{
	size_t sum = 0;
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < parts[i].len; j++)
			sum += parts[i].ptr[j];
	return sum < SIZE_MAX;
}

static bool on_closed(UNUSED void *ctx, UNUSED uint64_t channel,
	UNUSED uint64_t bytes_in, UNUSED uint64_t bytes_out,
	UNUSED struct err *e)
{
	return true;
}

static void on_log(UNUSED void *ctx, struct bytes text)
{
	must(text.len <= 1024);
}

static bool on_look_up(void *ctx, uint32_t id, const char *name)
{
	struct scene *s = ctx;
	must(strlen(name) <= NET_HOST_MAX);
	s->asked = id;
	return true;
}

static void answer(struct scene *s, enum gate_turn *turn)
{
	struct gate_answer a = { .id = s->asked, .count = s->seq & 1 };
	if (!s->asked)
		return;
	must(net_address_parse(BYTES_LIT("127.0.0.1"), &a.address[0]));
	s->asked = 0;
	gate_serve_answer(s->g, &a, turn);
}

static bool ring(struct scene *s, uint32_t op, uint64_t arg0, uint64_t arg1,
	uint32_t len)
{
	static struct pollfd fds[GATE_MAX_POLL];
	struct err e = { 0 };
	enum gate_turn turn = GATE_TURN_END;
	int64_t timeout;
	s->area->request = (struct gate_request){ .op = op,
		.seq = ++s->seq,
		.arg0 = arg0,
		.arg1 = arg1,
		.data_len = len };
	if (!gate_serve_request(s->g, &turn, &e)) {
		must(e.kind == ERR_DENIED && e.text[0]);
		return false;
	}
	if (turn == GATE_TURN_WAIT) {
		size_t n = gate_serve_watch(s->g, fds, &timeout);
		must(n <= GATE_MAX_POLL && timeout >= -1);
		must(poll(fds, n, 0) >= 0);
		gate_serve_wake(s->g, fds, &turn);
		if (turn == GATE_TURN_WAIT)
			answer(s, &turn);
	}
	if (turn != GATE_TURN_KEEP)
		return false;
	must(s->area->reply.seq == s->seq);
	must(s->area->reply.error < GATE_ERROR_COUNT);
	must(s->area->reply.data_len <= GATE_DATA_BYTES);
	return true;
}

static bool one(struct scene *s, struct reader *r)
{
	uint32_t op = reader_u8(r);
	/* Small handles and times are the interesting ones. */
	uint64_t arg0 = reader_u8(r), arg1 = reader_u8(r);
	uint8_t wide = reader_u8(r);
	if (wide & 1)
		arg0 = reader_u64le(r);
	if (wide & 2)
		arg1 = reader_u64le(r);
	struct bytes in = reader_take(r, reader_u8(r));
	if (in.len)
		memcpy(s->area->data, in.ptr, in.len);
	return !r->failed && ring(s, op, arg0, arg1, (uint32_t)in.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gate_area area;
	int pair[2];
	struct scene s = { .area = &area };
	struct gate_sink sink = { &s, on_evidence, on_published, on_closed,
		on_log, on_look_up };
	struct net_rule rules[2];
	const struct gate_grants grants = { .connect = rules,
		.connect_count = ARRAY_LEN(rules),
		.max_streams = 3,
		.max_bytes = 1000 };
	struct reader r = { .in = bytes_of(data, size) };
	memset(&area, 0, 0x2000);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	must(net_rule_parse("127.0.0.1:1", &rules[0], NULL) &&
		net_rule_parse("*:1", &rules[1], NULL));
	must(gate_serve_new(&area, &sink, &grants, &s.g, NULL));
	must(gate_serve_channel(s.g, pair[1], 1, NULL));
	if (reader_u8(&r) & 1) {
		must(ring(&s, GATE_EVIDENCE, 0, 0, 64));
		memset(area.data, 0, 16);
		must(ring(&s, GATE_PUBLISH, 0, 0, 16));
		must(ring(&s, GATE_LISTEN, GATE_LISTEN_CHANNEL, 0, 0));
	}
	while (reader_left(&r) && one(&s, &r))
		;
	gate_serve_free(s.g);
	close(pair[0]);
	return 0;
}
