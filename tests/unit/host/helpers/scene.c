/* SPDX-License-Identifier: Apache-2.0 */
#include "scene.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../test.h"
#include "base/fmt.h"

static bool on_evidence(void *ctx, struct bytes request, struct buf *evidence,
	struct buf *endorsements, struct err *e)
{
	struct scene *s = ctx;
	if (s->no_evidence)
		return err_fail(e, ERR_HOST, "the root is gone");
	return buf_put(evidence, request) && buf_str(endorsements, "root");
}

static bool on_published(void *ctx, const struct bytes parts[4], struct err *e)
{
	struct scene *s = ctx;
	if (s->no_publish)
		return err_fail(e, s->no_publish, "told no");
	s->published++;
	for (size_t i = 0; i < 4; i++)
		s->parts[i] = parts[i].len;
	return true;
}

static bool on_closed(void *ctx, uint64_t channel, uint64_t bytes_in,
	uint64_t bytes_out, UNUSED struct err *e)
{
	struct scene *s = ctx;
	s->closed++;
	s->channel = channel;
	s->in = bytes_in;
	s->out = bytes_out;
	return true;
}

static void on_log(void *ctx, struct bytes text)
{
	struct scene *s = ctx;
	fmt(s->log, sizeof s->log, "%.*s", (int)text.len,
		(const char *)text.ptr);
}

static bool on_look_up(void *ctx, uint32_t id, const char *name)
{
	struct scene *s = ctx;
	s->asked = id;
	fmt(s->log, sizeof s->log, "%s", name);
	return true;
}

void scene_open(struct scene *s, const struct gate_grants *grants, bool debug)
{
	bool names = s->names;
	*s = (struct scene){ .names = names,
		.area = calloc(1, sizeof(struct gate_area)) };
	struct gate_sink sink = { s, on_evidence, on_published, on_closed,
		debug ? on_log : NULL, s->names ? on_look_up : NULL };
	CHECK(s->area != NULL);
	CHECK(gate_serve_new(s->area, &sink, grants, &s->g, &s->e));
}

void scene_close(struct scene *s)
{
	gate_serve_free(s->g);
	free(s->area);
	*s = (struct scene){ 0 };
}

/* False when the request was illegal: s->e says why. */
bool scene_ring(struct scene *s, uint32_t op, uint64_t arg0, uint64_t arg1,
	uint32_t len, enum gate_turn *turn)
{
	s->area->request = (struct gate_request){ .op = op,
		.seq = ++s->seq,
		.arg0 = arg0,
		.arg1 = arg1,
		.data_len = len };
	return gate_serve_request(s->g, turn, &s->e);
}

/* For requests that are legal and answered at once: the reply's error. */
uint32_t scene_ask(struct scene *s, uint32_t op, uint64_t arg0, uint64_t arg1,
	uint32_t len)
{
	enum gate_turn turn = GATE_TURN_END;
	if (!scene_ring(s, op, arg0, arg1, len, &turn))
		fail_msg("%s", s->e.text);
	CHECK_INT(turn, GATE_TURN_KEEP);
	CHECK_INT(s->area->reply.seq, s->seq);
	CHECK_INT(s->area->reply.reserved_14, 0);
	CHECK_INT(s->area->reply.reserved_18, 0);
	if (s->area->reply.error) {
		CHECK_INT(s->area->reply.ret0, 0);
		CHECK_INT(s->area->reply.data_len, 0);
	}
	return s->area->reply.error;
}

/* Four parts of 1, 2, 3 and 4 bytes. */
uint32_t scene_put_face(struct scene *s)
{
	uint32_t at = 0;
	for (uint32_t n = 1; n <= 4; at += 4 + n, n++) {
		memcpy(s->area->data + at, &n, 4);
		memset(s->area->data + at + 4, 'x', n);
	}
	return at;
}

uint32_t scene_advance(struct scene *s, enum gate_phase phase)
{
	uint32_t listener = 0;
	if (phase >= GATE_PHASE_ATTESTED)
		CHECK_INT(scene_ask(s, GATE_EVIDENCE, 0, 0, 64), GATE_OK);
	if (phase >= GATE_PHASE_PUBLISHED)
		CHECK_INT(scene_ask(s, GATE_PUBLISH, 0, 0, scene_put_face(s)),
			GATE_OK);
	if (phase >= GATE_PHASE_SERVING) {
		CHECK_INT(scene_ask(s, GATE_LISTEN, GATE_LISTEN_CHANNEL, 0, 0),
			GATE_OK);
		listener = (uint32_t)s->area->reply.ret0;
	}
	CHECK_INT(gate_serve_phase(s->g), phase);
	return listener;
}

/* A channel to the Keep; returns its handle, *peer is the client's end. */
uint32_t scene_connect_channel(struct scene *s, uint32_t listener, int *peer,
	uint64_t name)
{
	int pair[2];
	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	*peer = pair[0];
	CHECK(gate_serve_channel(s->g, pair[1], name, &s->e));
	CHECK_INT(scene_ask(s, GATE_ACCEPT, listener, 0, 0), GATE_OK);
	return (uint32_t)s->area->reply.ret0;
}

/* Asks to wait; the caller then polls. */
void scene_wait_for(struct scene *s, uint32_t handle, uint16_t want,
	uint64_t timeout_ns)
{
	struct gate_poll p = { .handle = handle, .want = want };
	enum gate_turn turn = GATE_TURN_END;
	memcpy(s->area->data, &p, sizeof p);
	if (!scene_ring(s, GATE_POLL, timeout_ns, 1, sizeof p, &turn))
		fail_msg("%s", s->e.text);
	CHECK_INT(turn, GATE_TURN_WAIT);
}

enum gate_turn scene_look(struct scene *s)
{
	static struct pollfd fds[GATE_MAX_POLL];
	int64_t timeout;
	enum gate_turn turn = GATE_TURN_END;
	size_t n = gate_serve_watch(s->g, fds, &timeout);
	CHECK(poll(fds, n, 0) >= 0);
	gate_serve_wake(s->g, fds, &turn);
	return turn;
}

uint16_t scene_got(const struct scene *s)
{
	struct gate_poll p;
	CHECK_INT(s->area->reply.data_len, sizeof p);
	memcpy(&p, s->area->data, sizeof p);
	CHECK_INT(s->area->reply.ret0, p.got != 0);
	return p.got;
}
