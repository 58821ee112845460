/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "base/reader.h"
#include "host/gate_priv.h"

/* How long a listener rests when descriptors ran out: 100 ms. */
#define ACCEPT_REST_NS UINT64_C(100000000)

/* The host says no: the Keep lives on. */
static bool refuse(struct gate_call *c, enum gate_error error)
{
	c->reply.error = error;
	return true;
}

/* The host could not; the Keep is told so and its agent may be told why. */
static bool failed(struct gate_serve *g, struct gate_call *c,
	enum gate_error error, const struct err *why)
{
	fmt(g->note, sizeof g->note, "%s", why->text);
	return refuse(c, error);
}

/* --- attestation ---------------------------------------------------------- */

bool gate_op_evidence(struct gate_serve *g, struct gate_call *c,
	UNUSED struct err *e)
{
	auto_buf evidence = { 0 };
	auto_buf endorsements = { 0 };
	auto_buf out = { .limit = GATE_DATA_BYTES };
	struct err why = { 0 };
	if (!g->sink.evidence(g->sink.ctx, buf_bytes(&g->copy), &evidence,
		    &endorsements, &why))
		return failed(g, c, GATE_FAILED, &why);
	buf_u32le(&out, (uint32_t)evidence.len);
	buf_put(&out, buf_bytes(&evidence));
	buf_u32le(&out, (uint32_t)endorsements.len);
	buf_put(&out, buf_bytes(&endorsements));
	if (!buf_ok(&out))
		return refuse(c, GATE_LIMIT);
	memcpy(g->area->data, out.ptr, out.len);
	c->reply.data_len = (uint32_t)out.len;
	return true;
}

bool gate_op_publish(struct gate_serve *g, struct gate_call *c, struct err *e)
{
	struct reader r = { .in = buf_bytes(&g->copy) };
	struct bytes parts[4];
	struct err why = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		parts[i] = reader_take(&r, reader_u32le(&r));
	if (!reader_done(&r))
		return err_fail(e, ERR_DENIED, "lengths inside the data");
	if (g->sink.published(g->sink.ctx, parts, &why))
		return true;
	if (why.kind == ERR_LIMIT)
		return failed(g, c, GATE_LIMIT, &why);
	return err_fail(e, why.kind, "%s", why.text);
}

/* --- handles -------------------------------------------------------------- */

struct gate_slot *gate_slot_find(struct gate_serve *g, uint64_t handle)
{
	if (handle < 1 || handle > GATE_MAX_HANDLES)
		return NULL;
	struct gate_slot *s = &g->slots[handle - 1];
	return s->kind == SLOT_FREE ? NULL : s;
}

static struct gate_slot *free_slot(struct gate_serve *g)
{
	for (size_t i = 0; i < GATE_MAX_HANDLES; i++)
		if (g->slots[i].kind == SLOT_FREE)
			return &g->slots[i];
	return NULL;
}

/* Takes the lowest free handle, or refuses; the descriptor is taken in any
 * case. */
static bool give_out(struct gate_serve *g, struct gate_call *c,
	enum gate_slot_kind kind, int fd, uint64_t channel)
{
	struct gate_slot *s = free_slot(g);
	if (!s) {
		cleanup_fd(&fd);
		return refuse(c, GATE_LIMIT);
	}
	*s = (struct gate_slot){ .kind = kind, .fd = fd, .channel = channel };
	c->reply.ret0 = (uint64_t)(s - g->slots) + 1;
	return true;
}

bool gate_slot_close(struct gate_serve *g, struct gate_slot *s, struct err *e)
{
	struct gate_slot was = *s;
	*s = (struct gate_slot){ 0 };
	if (was.kind == SLOT_CHANNELS) {
		g->has_channels = false;
		return true;
	}
	if (was.kind == SLOT_LISTENER) {
		/* The port stays the Keep's. */
		gate_net_unlisten(was.fd);
		g->listens[was.port] = false;
		return true;
	}
	/* The host agent has the same socket: only this ends it for the
	 * client. */
	if (was.kind == SLOT_CHANNEL)
		shutdown(was.fd, SHUT_WR);
	else
		g->streams--;
	cleanup_fd(&was.fd);
	free(was.dial);
	return was.kind != SLOT_CHANNEL ||
		g->sink.closed(g->sink.ctx, was.channel, was.bytes_in,
			was.bytes_out, e);
}

static bool listen_channels(struct gate_serve *g, struct gate_call *c,
	struct err *e)
{
	if (c->req.arg1)
		return err_fail(e, ERR_DENIED, "arg1 out of range");
	if (g->has_channels)
		return refuse(c, GATE_LIMIT);
	bool ok = give_out(g, c, SLOT_CHANNELS, -1, 0);
	g->has_channels = c->reply.error == GATE_OK;
	return ok;
}

bool gate_op_listen(struct gate_serve *g, struct gate_call *c, struct err *e)
{
	const struct gate_grants *r = &g->grants;
	size_t i = 0;
	if (c->req.arg0 == GATE_LISTEN_CHANNEL)
		return listen_channels(g, c, e);
	while (i < r->port_count && r->ports[i].port != c->req.arg1)
		i++;
	if (i == r->port_count)
		return refuse(c, GATE_DENIED);
	if (g->listens[i] || !free_slot(g))
		return refuse(c, GATE_LIMIT);
	c->reply.error = gate_net_listen(g->ports[i]);
	if (c->reply.error != GATE_OK)
		return true;
	g->listens[i] = true;
	bool ok = give_out(g, c, SLOT_LISTENER, g->ports[i], 0);
	g->slots[c->reply.ret0 - 1].port = i;
	return ok;
}

static bool accept_channel(struct gate_serve *g, struct gate_call *c)
{
	struct gate_queue *q = &g->queue;
	if (!q->count)
		return refuse(c, GATE_AGAIN);
	if (!free_slot(g))
		return refuse(c, GATE_LIMIT);
	size_t at = q->first;
	q->first = (q->first + 1) % ARRAY_LEN(q->entry);
	q->count--;
	return give_out(g, c, SLOT_CHANNEL, q->entry[at].fd,
		q->entry[at].channel);
}

/* Waiting costs no turns: events() holds the listener back. */
static bool accept_failed(struct gate_call *c, int error)
{
	c->reply.error = gate_net_error(error);
	if (c->reply.error == GATE_LIMIT)
		c->slot->rest_ns = gate_now_ns() + ACCEPT_REST_NS;
	/* What came and went is nobody's failure. */
	return refuse(c, GATE_AGAIN);
}

bool gate_op_accept(struct gate_serve *g, struct gate_call *c,
	UNUSED struct err *e)
{
	if (c->slot->kind == SLOT_CHANNELS)
		return accept_channel(g, c);
	if (!gate_net_room(g) || !free_slot(g))
		return refuse(c, GATE_AGAIN);
	int fd = accept4(c->slot->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return accept_failed(c, errno);
	gate_net_tune(fd);
	g->streams++;
	return give_out(g, c, SLOT_STREAM, fd, 0);
}

bool gate_op_close(struct gate_serve *g, struct gate_call *c, struct err *e)
{
	return gate_slot_close(g, c->slot, e);
}

/* --- connections that the Keep opens -------------------------------------- */

/* A name of printable characters, as a string. */
static bool get_name(struct gate_serve *g, const char **name, struct err *e)
{
	for (size_t i = 0; i < g->copy.len; i++)
		if (g->copy.ptr[i] <= ' ' || g->copy.ptr[i] > '~')
			return err_fail(e, ERR_DENIED, "name not printable");
	*name = buf_cstr(&g->copy);
	return true;
}

bool gate_op_connect(struct gate_serve *g, struct gate_call *c, struct err *e)
{
	const char *target = "";
	struct gate_dial *dial = NULL;
	if (!get_name(g, &target, e))
		return false;
	if (!free_slot(g))
		return refuse(c, GATE_LIMIT);
	c->reply.error = gate_dial_new(g, target, &dial);
	if (c->reply.error != GATE_OK)
		return true;
	g->streams++;
	bool ok = give_out(g, c, SLOT_STREAM, -1, 0);
	struct gate_slot *s = &g->slots[c->reply.ret0 - 1];
	s->dial = dial;
	gate_dial_step(s, false);
	return ok;
}

bool gate_op_resolve(struct gate_serve *g, struct gate_call *c, struct err *e)
{
	const char *host = "";
	struct gate_answer a = { 0 };
	if (!get_name(g, &host, e))
		return false;
	c->reply.error = gate_dial_resolve(g, host, &a);
	if (c->reply.error == GATE_OK) {
		size_t n = a.count * sizeof a.address[0];
		memcpy(g->area->data, a.address, n);
		c->reply.data_len = (uint32_t)n;
	}
	return true;
}

/* --- bytes ---------------------------------------------------------------- */

/* Bytes that may still go through the connection; *error otherwise. */
static size_t allowance(const struct gate_serve *g, const struct gate_slot *s,
	size_t want, enum gate_error *error)
{
	uint64_t most = g->grants.max_bytes;
	*error = s->dial ? GATE_AGAIN : s->error;
	if (*error != GATE_OK)
		return 0;
	if (s->kind != SLOT_STREAM || !most || want <= most - g->traffic)
		return want;
	if (g->traffic == most)
		*error = GATE_LIMIT;
	return (size_t)(most - g->traffic);
}

/* What send or recv said. */
static enum gate_error account(struct gate_serve *g, const struct gate_slot *s,
	ssize_t done, uint64_t *bytes, size_t *n)
{
	if (done < 0)
		return gate_net_error(errno);
	*n = (size_t)done;
	*bytes += *n;
	if (s->kind == SLOT_STREAM)
		g->traffic += *n;
	return GATE_OK;
}

enum gate_error gate_slot_send(struct gate_serve *g, struct gate_slot *s,
	struct bytes in, size_t *n)
{
	enum gate_error error;
	size_t len = allowance(g, s, in.len, &error);
	ssize_t done;
	*n = 0;
	if (error != GATE_OK)
		return error;
	do
		done = send(s->fd, in.ptr, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (done < 0 && errno == EINTR);
	return account(g, s, done, &s->bytes_out, n);
}

enum gate_error gate_slot_recv(struct gate_serve *g, struct gate_slot *s,
	uint8_t *to, size_t most, size_t *n)
{
	enum gate_error error;
	size_t len = allowance(g, s, most, &error);
	ssize_t done;
	*n = 0;
	if (error != GATE_OK)
		return error;
	do
		done = recv(s->fd, to, len, MSG_DONTWAIT);
	while (done < 0 && errno == EINTR);
	return account(g, s, done, &s->bytes_in, n);
}

bool gate_op_send(struct gate_serve *g, struct gate_call *c,
	UNUSED struct err *e)
{
	size_t n;
	c->reply.error = gate_slot_send(g, c->slot,
		bytes_of(g->area->data, c->req.data_len), &n);
	c->reply.ret0 = n;
	return true;
}

bool gate_op_recv(struct gate_serve *g, struct gate_call *c,
	UNUSED struct err *e)
{
	size_t n;
	c->reply.error = gate_slot_recv(g, c->slot, g->area->data,
		(size_t)c->req.arg1, &n);
	c->reply.data_len = (uint32_t)n;
	return true;
}

bool gate_op_shutdown(UNUSED struct gate_serve *g, struct gate_call *c,
	UNUSED struct err *e)
{
	int how = c->req.arg1 == GATE_SHUT_READ ? SHUT_RD : SHUT_WR;
	if (c->slot->dial || c->slot->error != GATE_OK)
		return refuse(c, GATE_CLOSED);
	if (shutdown(c->slot->fd, how) != 0)
		return refuse(c, gate_net_error(errno));
	return true;
}

/* --- a turn --------------------------------------------------------------- */

static bool carries_bytes(const struct gate_slot *s)
{
	return s->kind == SLOT_CHANNEL || s->kind == SLOT_STREAM;
}

static bool check_poll(struct gate_serve *g, const struct gate_poll *p,
	struct err *e)
{
	const struct gate_slot *s = gate_slot_find(g, p->handle);
	if (!s)
		return err_fail(e, ERR_DENIED, "handle %u not given out",
			p->handle);
	if (p->want & ~(GATE_IN | GATE_OUT))
		return err_fail(e, ERR_DENIED, "events 0x%x", p->want);
	if (p->got || p->taken)
		return err_fail(e, ERR_DENIED, "results in the question");
	if (p->most && (!(p->want & GATE_IN) || !carries_bytes(s)))
		return err_fail(e, ERR_DENIED, "handle %u: nothing to take",
			p->handle);
	return true;
}

/* The next send of the request; false with *e when it is none. */
static bool next_send(struct gate_serve *g, struct reader *r,
	struct gate_slot **s, struct bytes *data, struct err *e)
{
	uint32_t handle = reader_u32le(r);
	*data = reader_take(r, reader_u32le(r));
	*s = gate_slot_find(g, handle);
	if (r->failed || !data->len)
		return err_fail(e, ERR_DENIED, "lengths inside the data");
	if (!*s || !carries_bytes(*s))
		return err_fail(e, ERR_DENIED, "send to handle %u", handle);
	return true;
}

/* Reads the whole request; *sends: where they begin. */
static bool check_turn(struct gate_serve *g, size_t polls, struct reader *sends,
	struct err *e)
{
	struct gate_waiter *w = &g->waiter;
	struct reader r = { .in = buf_bytes(&g->copy) };
	struct bytes list = reader_take(&r, polls * sizeof w->list[0]);
	struct gate_slot *s;
	struct bytes data;
	if (r.failed)
		return err_fail(e, ERR_DENIED, "%zu bytes of data",
			g->copy.len);
	if (polls)
		memcpy(w->list, list.ptr, list.len);
	for (size_t i = 0; i < polls; i++)
		if (!check_poll(g, &w->list[i], e))
			return false;
	*sends = r;
	for (size_t n = 0; r.at < r.in.len; n++) {
		if (n == GATE_MAX_SENDS)
			return err_fail(e, ERR_DENIED, "too many sends");
		if (!next_send(g, &r, &s, &data, e))
			return false;
	}
	return true;
}

/* False when one was not taken whole. */
static bool send_all(struct gate_serve *g, struct reader *r)
{
	struct gate_waiter *w = &g->waiter;
	bool whole = true;
	w->sent_count = 0;
	while (r->at < r->in.len) {
		struct gate_slot *s;
		struct bytes data;
		struct err none;
		size_t n;
		if (!next_send(g, r, &s, &data, &none))
			break;
		enum gate_error error = gate_slot_send(g, s, data, &n);
		w->sent[w->sent_count++] =
			(struct gate_sent){ error, (uint32_t)n };
		whole = whole && n == data.len;
	}
	return whole;
}

bool gate_op_poll(struct gate_serve *g, struct gate_call *c, struct err *e)
{
	struct gate_waiter *w = &g->waiter;
	uint64_t timeout = c->req.arg0;
	struct reader sends;
	if (!check_turn(g, (size_t)c->req.arg1, &sends, e))
		return false;
	w->count = (size_t)c->req.arg1;
	/* An answer may have come before the Keep began to wait for it. */
	if (!send_all(g, &sends) || gate_dial_news(g))
		timeout = 0;
	w->deadline_ns =
		timeout < INT64_MAX ? gate_now_ns() + timeout : UINT64_MAX;
	w->on = true;
	c->turn = GATE_TURN_WAIT;
	return true;
}

/* --- the rest ------------------------------------------------------------- */

bool gate_op_time_hint(UNUSED struct gate_serve *g, struct gate_call *c,
	UNUSED struct err *e)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	c->reply.ret0 = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	return true;
}

bool gate_op_log(struct gate_serve *g, struct gate_call *c,
	UNUSED struct err *e)
{
	if (!g->sink.log)
		return refuse(c, GATE_DENIED);
	g->sink.log(g->sink.ctx, buf_bytes(&g->copy));
	return true;
}

bool gate_op_exit(struct gate_serve *g, struct gate_call *c,
	UNUSED struct err *e)
{
	g->reason = (enum gate_exit)c->req.arg0;
	c->turn = GATE_TURN_END;
	return true;
}
