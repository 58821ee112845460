/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "keep/net_priv.h"
#include "wasi/errno.h"

int socket_error(enum gate_error why)
{
	static const uint8_t errors[GATE_ERROR_COUNT] = {
		[GATE_OK] = WASI_OK,
		[GATE_AGAIN] = WASI_AGAIN,
		[GATE_DENIED] = WASI_ACCES,
		[GATE_CLOSED] = WASI_CONNRESET,
		[GATE_REFUSED] = WASI_CONNREFUSED,
		[GATE_TIMEOUT] = WASI_TIMEDOUT,
		[GATE_NAME] = WASI_HOSTUNREACH,
		[GATE_LIMIT] = WASI_NOBUFS,
		[GATE_FAILED] = WASI_IO,
	};
	return errors[why];
}

static uint64_t after(const struct keep_socket *s, unsigned seconds)
{
	return keep_clock_add(keep_clock_mono(s->net->clock),
		seconds * SECOND_NS);
}

static void fail(struct keep_socket *s, int error)
{
	if (s->state == SOCKET_FAILED)
		return;
	s->state = SOCKET_FAILED;
	s->error = error;
	s->asked = 0;
	s->readable = SURELY;
	s->writable = true;
}

/* The gate is lost: the next wait says so. */
static void lose(struct keep_socket *s)
{
	s->net->lost = true;
	fail(s, WASI_IO);
}

static void fail_gate(struct keep_socket *s, enum gate_error why,
	const char *what)
{
	static const char *const names[GATE_ERROR_COUNT] = { "", "", "denied",
		"closed", "refused", "timed out", "no such host", "a limit",
		"failed" };
	err_put(&s->why, why == GATE_DENIED ? ERR_DENIED : ERR_HOST, "%s: %s",
		what, names[why]);
	fail(s, socket_error(why));
}

/* A refusal is known by its kind; a cut is the network's. */
static void fail_tls(struct keep_socket *s)
{
	s->why = *channel_stream_why(s->tls);
	fail(s, s->eof ? WASI_CONNRESET : WASI_CONNABORTED);
}

/* --- the network's side -------------------------------------------------- */

static void send_fin(struct keep_socket *s)
{
	struct err ignored;
	s->fin_due = false;
	if (!keep_gate_shutdown(s->net->gate, s->handle, GATE_SHUT_WRITE,
		    &ignored))
		lose(s);
	if (s->state == SOCKET_LEAVING)
		s->deadline = after(s, LEAVE_TIME);
}

struct bytes socket_output(const struct keep_socket *s)
{
	return s->tls && s->handle && s->writable && !s->fin_due ?
		channel_stream_output(s->tls) :
		BYTES_NONE;
}

void socket_sent(struct keep_socket *s, size_t n, enum gate_error why)
{
	if (why == GATE_AGAIN) {
		s->writable = false;
		return;
	}
	/* Nobody hears it; what the peer said may still be read. */
	channel_stream_output_done(s->tls,
		why ? channel_stream_output(s->tls).len : n);
	if (why)
		s->shut_write = true;
}

void socket_flush(struct keep_socket *s)
{
	struct err ignored;
	while (s->tls && s->handle && s->writable) {
		struct bytes out = channel_stream_output(s->tls);
		enum gate_error why;
		size_t n;
		if (!out.len)
			break;
		if (!keep_gate_send(s->net->gate, s->handle, out, &n, &why,
			    &ignored)) {
			lose(s);
			return;
		}
		socket_sent(s, n, why);
	}
	if (s->fin_due && s->tls && !channel_stream_output(s->tls).len)
		send_fin(s);
}

/* The handshake may have come to its end. */
static void look_at_tls(struct keep_socket *s)
{
	socket_flush(s);
	switch (channel_stream_state(s->tls)) {
	case CHANNEL_STREAM_HANDSHAKE:
		return;
	case CHANNEL_STREAM_OPEN:
		if (s->state == SOCKET_SHAKE) {
			s->state = SOCKET_OPEN;
			s->deadline = KEEP_CLOCK_NEVER;
			if (s->listener)
				s->listener->asked &=
					~(unsigned)WASI_READY_READ;
		}
		return;
	case CHANNEL_STREAM_BROKEN:
		if (s->state == SOCKET_SHAKE)
			fail_tls(s);
	}
}

/* What came for TLS, of at most `most` that were asked for; none: the end. */
static void take(struct keep_socket *s, struct bytes in, size_t most)
{
	s->readable = in.len == most ? MAYBE : NOTHING;
	if (in.len) {
		channel_stream_input(s->tls, in);
	} else {
		s->eof = true;
		channel_stream_input_end(s->tls);
	}
	look_at_tls(s);
}

/* Takes what the network has for TLS. */
static void pull(struct keep_socket *s)
{
	struct err ignored;
	size_t room = channel_stream_room(s->tls), n;
	enum gate_error why;
	if (!room || !s->handle || s->eof)
		return;
	room = size_min(room, GATE_DATA_BYTES);
	if (!keep_gate_recv(s->net->gate, s->handle, s->net->inbox, room, &n,
		    &why, &ignored))
		lose(s);
	else if (why == GATE_AGAIN)
		s->readable = NOTHING;
	else
		take(s, bytes_of(s->net->inbox, n), room);
}

void socket_begin(struct keep_socket *s)
{
	struct err why;
	bool ok = true;
	s->state = SOCKET_OPEN;
	s->writable = true;
	s->deadline = KEEP_CLOCK_NEVER;
	if (!s->terms)
		return;
	s->state = SOCKET_SHAKE;
	s->deadline = after(s, s->host ? KEEP_NET_DIAL_TIME : SHAKE_TIME);
	if (s->host)
		ok = channel_stream_connect(s->terms, s->host, &s->tls, &why);
	else
		ok = channel_stream_accept(s->terms, &s->tls, &why);
	if (ok) {
		look_at_tls(s);
		return;
	}
	s->why = why;
	fail(s, WASI_CONNABORTED);
}

/* What the socket takes when there is something. */
static size_t wants_bytes(const struct keep_socket *s)
{
	if (s->state != SOCKET_OPEN && s->state != SOCKET_SHAKE)
		return 0;
	if (s->eof || s->shut_read || s->ahead.len)
		return 0;
	return s->tls ? size_min(channel_stream_room(s->tls), TAKE_BYTES) :
			AHEAD_BYTES;
}

static unsigned wants_events(const struct keep_socket *s)
{
	unsigned wants = 0;
	bool unsent = s->tls && channel_stream_output(s->tls).len;
	if (!s->handle || s->state == SOCKET_FAILED)
		return 0;
	if (s->state == SOCKET_DIAL)
		return GATE_OUT;
	if (s->state == SOCKET_LISTEN && s->terms)
		return s->pending < MOST_PENDING && s->net->room >= TLS_BYTES ?
			GATE_IN :
			0;
	if (s->asked & WASI_READY_READ || s->state == SOCKET_SHAKE ||
		s->state == SOCKET_LEAVING)
		wants |= GATE_IN;
	if (s->asked & WASI_READY_WRITE || unsent)
		wants |= s->writable ? 0u : GATE_OUT;
	return wants;
}

struct gate_poll socket_wants(const struct keep_socket *s)
{
	unsigned want = wants_events(s);
	return (struct gate_poll){ .handle = s->handle,
		.want = (uint16_t)want,
		.most = want & GATE_IN ? (uint32_t)wants_bytes(s) : 0 };
}

static void accept_some(struct keep_socket *s)
{
	struct keep_net *n = s->net;
	struct err ignored;
	for (int i = 0; i < ACCEPT_BURST && s->pending < MOST_PENDING; i++) {
		enum gate_error why;
		uint32_t handle;
		if (n->room < TLS_BYTES)
			return;
		if (!keep_gate_accept(n->gate, s->handle, &handle, &why,
			    &ignored)) {
			lose(s);
			return;
		}
		if (why != GATE_OK)
			return;
		struct keep_socket *c =
			net_new(n, SOCKET_SHAKE, handle, s->terms);
		if (!c)
			return;
		c->listener = s;
		c->orphan = true;
		s->pending++;
		socket_begin(c);
	}
}

/* Why there is no connection: every operation on the handle says it. */
static void dial_failed(struct keep_socket *s)
{
	struct err ignored;
	enum gate_error why;
	size_t n;
	uint8_t byte;
	if (!keep_gate_recv(s->net->gate, s->handle, &byte, 1, &n, &why,
		    &ignored))
		lose(s);
	else
		fail_gate(s,
			why == GATE_OK || why == GATE_AGAIN ? GATE_CLOSED : why,
			"connect");
}

/* The peer's last words are nobody's. */
static void leave_on(struct keep_socket *s)
{
	struct err ignored;
	enum gate_error why;
	size_t n;
	if (!keep_gate_recv(s->net->gate, s->handle, s->net->inbox,
		    GATE_DATA_BYTES, &n, &why, &ignored))
		lose(s);
	else if (why != GATE_AGAIN && !n)
		s->deadline = 0;
}

/* Bytes that came with the turn, or the end of them. */
static void hear_bytes(struct keep_socket *s, const struct gate_poll *p,
	struct bytes in)
{
	if (s->tls) {
		take(s, in, p->most);
		return;
	}
	s->eof = !in.len;
	s->readable = in.len == p->most ? MAYBE : NOTHING;
	if (in.len && !buf_put(&s->ahead, in))
		fail(s, WASI_NOBUFS);
}

void socket_hear(struct keep_socket *s, const struct gate_poll *p,
	struct bytes in)
{
	unsigned got = p->got;
	bool came = in.len || got & GATE_END;
	if (got & (GATE_IN | GATE_HUP)) {
		s->readable = SURELY;
		s->asked &= ~(unsigned)WASI_READY_READ;
	}
	if (got & (GATE_OUT | GATE_HUP)) {
		s->writable = true;
		s->asked &= ~(unsigned)WASI_READY_WRITE;
	}
	switch (s->state) {
	case SOCKET_LISTEN:
		if (s->terms)
			accept_some(s);
		return;
	case SOCKET_DIAL:
		if (got & GATE_HUP)
			dial_failed(s);
		else if (got & GATE_OUT)
			socket_begin(s);
		return;
	case SOCKET_SHAKE:
		socket_flush(s);
		if (came)
			hear_bytes(s, p, in);
		else if (got & (GATE_IN | GATE_HUP))
			pull(s);
		return;
	case SOCKET_OPEN:
		if (came)
			hear_bytes(s, p, in);
		else
			socket_flush(s);
		return;
	case SOCKET_LEAVING:
		socket_flush(s);
		if (got & (GATE_IN | GATE_HUP))
			leave_on(s);
		return;
	case SOCKET_FAILED:
		return;
	}
}

void socket_expire(struct keep_socket *s)
{
	if (s->state == SOCKET_SHAKE || s->state == SOCKET_DIAL) {
		err_put(&s->why, ERR_HOST, "%s: timed out",
			s->state == SOCKET_DIAL ? "connect" : "TLS handshake");
		fail(s, WASI_TIMEDOUT);
	}
}

/* --- the program's side: connections ---------------------------------------
 */

/* The host said there was nothing, and nobody asked it since.  The second try
 * in a turn asks it: a program that only tries is served, too. */
static bool surely_nothing(struct keep_socket *s)
{
	if (s->readable || s->refused_turn == s->net->turn)
		return false;
	s->refused_turn = s->net->turn;
	return true;
}

static int64_t refuse(struct keep_socket *s, unsigned what)
{
	s->asked |= what;
	return -WASI_AGAIN;
}

static int64_t receive(struct keep_socket *s, uint8_t *to, size_t n)
{
	struct err ignored;
	enum gate_error why;
	size_t got;
	n = size_min(n, GATE_DATA_BYTES);
	if (!keep_gate_recv(s->net->gate, s->handle, to, n, &got, &why,
		    &ignored)) {
		lose(s);
		return -WASI_IO;
	}
	s->readable = why != GATE_AGAIN && got == n ? MAYBE : NOTHING;
	if (why == GATE_AGAIN)
		return refuse(s, WASI_READY_READ);
	if (why != GATE_OK) {
		fail_gate(s, why, "receive");
		return -s->error;
	}
	s->eof = !got;
	return (int64_t)got;
}

static int64_t plain_read(struct keep_socket *s, uint8_t *to, size_t n)
{
	if (s->ahead.len) {
		n = size_min(n, s->ahead.len);
		memcpy(to, s->ahead.ptr, n);
		buf_consume(&s->ahead, n);
		return (int64_t)n;
	}
	if (s->eof || !n)
		return 0;
	if (surely_nothing(s))
		return refuse(s, WASI_READY_READ);
	return receive(s, to, n);
}

/* Who asks whether it could read is told the truth, and not that it may try. */
static void look_ahead(struct keep_socket *s)
{
	uint8_t *to = buf_reserve(&s->ahead, AHEAD_BYTES);
	int64_t n = to ? receive(s, to, AHEAD_BYTES) : 0;
	if (n > 0)
		buf_commit(&s->ahead, (size_t)n);
}

static int64_t tls_read(struct keep_socket *s, uint8_t *to, size_t n)
{
	if (!n)
		return 0;
	if (!channel_stream_pending(s->tls) && !channel_stream_at_end(s->tls) &&
		!surely_nothing(s))
		pull(s);
	size_t got = channel_stream_read(s->tls, to, n);
	if (got)
		return (int64_t)got;
	if (s->state == SOCKET_FAILED)
		return -s->error;
	if (!channel_stream_at_end(s->tls))
		return refuse(s, WASI_READY_READ);
	if (channel_stream_state(s->tls) != CHANNEL_STREAM_BROKEN)
		return 0;
	fail_tls(s);
	return -s->error;
}

static int64_t socket_read(void *ctx, uint8_t *to, size_t n)
{
	struct keep_socket *s = ctx;
	if (s->state == SOCKET_FAILED)
		return -s->error;
	if (s->state != SOCKET_OPEN)
		return refuse(s, WASI_READY_READ);
	if (s->shut_read)
		return 0;
	return s->tls ? tls_read(s, to, n) : plain_read(s, to, n);
}

static int64_t plain_write(struct keep_socket *s, struct bytes in)
{
	struct err ignored;
	enum gate_error why;
	size_t n;
	if (!s->writable)
		return refuse(s, WASI_READY_WRITE);
	if (!keep_gate_send(s->net->gate, s->handle, in, &n, &why, &ignored)) {
		lose(s);
		return -WASI_IO;
	}
	if (why == GATE_AGAIN) {
		s->writable = false;
		return refuse(s, WASI_READY_WRITE);
	}
	if (why == GATE_OK)
		return (int64_t)n;
	/* What came before it went can still be read. */
	s->shut_write = true;
	return why == GATE_CLOSED ? -WASI_PIPE : -socket_error(why);
}

static int64_t tls_write(struct keep_socket *s, struct bytes in)
{
	size_t n = channel_stream_write(s->tls, in);
	if (!n || channel_stream_output(s->tls).len >= FLUSH_BYTES)
		socket_flush(s);
	if (!n)
		n = channel_stream_write(s->tls, in);
	if (n)
		return (int64_t)n;
	if (s->state == SOCKET_FAILED)
		return -s->error;
	if (s->shut_write ||
		channel_stream_state(s->tls) == CHANNEL_STREAM_BROKEN)
		return -WASI_PIPE;
	return refuse(s, WASI_READY_WRITE);
}

static int64_t socket_write(void *ctx, const uint8_t *from, size_t n)
{
	struct keep_socket *s = ctx;
	if (s->state == SOCKET_FAILED)
		return -s->error;
	if (s->state != SOCKET_OPEN)
		return refuse(s, WASI_READY_WRITE);
	if (s->shut_write)
		return -WASI_PIPE;
	if (!n)
		return 0;
	return s->tls ? tls_write(s, bytes_of(from, n)) :
			plain_write(s, bytes_of(from, n));
}

static bool can_read(struct keep_socket *s)
{
	if (!s->tls) {
		if (s->readable == MAYBE && !s->ahead.len && !s->eof)
			look_ahead(s);
		return s->ahead.len || s->readable == SURELY || s->eof;
	}
	if (!channel_stream_pending(s->tls) && !channel_stream_at_end(s->tls) &&
		s->readable)
		pull(s);
	return channel_stream_pending(s->tls) || channel_stream_at_end(s->tls);
}

static bool can_write(struct keep_socket *s)
{
	if (!s->tls)
		return s->writable;
	if (!channel_stream_writable(s->tls))
		socket_flush(s);
	return channel_stream_writable(s->tls) ||
		channel_stream_state(s->tls) == CHANNEL_STREAM_BROKEN;
}

static unsigned socket_ready(void *ctx)
{
	struct keep_socket *s = ctx;
	unsigned ready = 0;
	if (s->state == SOCKET_FAILED)
		return WASI_READY_READ | WASI_READY_WRITE | WASI_READY_HANGUP;
	if (s->state == SOCKET_OPEN) {
		if (s->shut_read || can_read(s))
			ready |= WASI_READY_READ;
		if (s->shut_write || can_write(s))
			ready |= WASI_READY_WRITE;
	}
	s->asked |= ~ready & (WASI_READY_READ | WASI_READY_WRITE);
	return ready;
}

static uint64_t socket_pending(void *ctx)
{
	const struct keep_socket *s = ctx;
	if (s->tls)
		return channel_stream_pending(s->tls);
	if (s->ahead.len)
		return s->ahead.len;
	return s->state == SOCKET_OPEN && s->readable == SURELY && !s->eof;
}

static int socket_shutdown(void *ctx, unsigned which)
{
	struct keep_socket *s = ctx;
	if (s->state != SOCKET_OPEN)
		return WASI_NOTCONN;
	if (which & WASI_READY_READ)
		s->shut_read = true;
	if (!(which & WASI_READY_WRITE) || s->shut_write)
		return WASI_OK;
	s->shut_write = true;
	if (!s->tls) {
		send_fin(s);
		return WASI_OK;
	}
	channel_stream_shutdown(s->tls);
	s->fin_due = true;
	socket_flush(s);
	return WASI_OK;
}

/* It goes on by itself until its output is out. */
static void socket_close(void *ctx)
{
	struct keep_socket *s = ctx;
	if (s->state != SOCKET_OPEN || !s->tls) {
		net_drop(s);
		return;
	}
	s->state = SOCKET_LEAVING;
	s->orphan = true;
	s->net->leaving++;
	s->deadline = after(s, FLUSH_TIME);
	channel_stream_shutdown(s->tls);
	s->fin_due = true;
	socket_flush(s);
}

static int socket_connected(void *ctx)
{
	struct keep_socket *s = ctx;
	if (s->state == SOCKET_FAILED)
		return s->error;
	return s->state == SOCKET_DIAL || s->state == SOCKET_SHAKE ?
		(int)-refuse(s, WASI_READY_WRITE) :
		WASI_OK;
}

const struct wasi_stream_ops socket_ops = {
	.read = socket_read,
	.write = socket_write,
	.ready = socket_ready,
	.pending = socket_pending,
	.close = socket_close,
	.shutdown = socket_shutdown,
	.connected = socket_connected,
};

/* --- the program's side: listeners -----------------------------------------
 */

static void give(struct keep_socket *s, struct wasi_stream *out)
{
	*out = (struct wasi_stream){ .ops = &socket_ops,
		.ctx = s,
		.socket = true };
}

/* Who came first: new ones stand before old ones. */
static struct keep_socket *first_ready(const struct keep_socket *s)
{
	struct keep_socket *first = NULL;
	for (struct keep_socket *c = s->pending ? s->net->sockets : NULL; c;
		c = c->next)
		if (c->listener == s && c->state == SOCKET_OPEN)
			first = c;
	return first;
}

static int tls_accept(struct keep_socket *s, struct wasi_stream *out)
{
	struct keep_socket *c = first_ready(s);
	if (!c)
		return (int)-refuse(s, WASI_READY_READ);
	c->listener = NULL;
	c->orphan = false;
	s->pending--;
	give(c, out);
	return WASI_OK;
}

static int plain_accept(struct keep_socket *s, struct wasi_stream *out)
{
	struct keep_net *n = s->net;
	struct err ignored;
	enum gate_error why;
	uint32_t handle;
	if (surely_nothing(s))
		return (int)-refuse(s, WASI_READY_READ);
	if (n->room < PLAIN_BYTES)
		return WASI_NOBUFS;
	if (!keep_gate_accept(n->gate, s->handle, &handle, &why, &ignored)) {
		lose(s);
		return WASI_IO;
	}
	s->readable = why == GATE_OK ? MAYBE : NOTHING;
	if (why != GATE_OK)
		return (int)-refuse(s, WASI_READY_READ);
	struct keep_socket *c = net_new(n, SOCKET_OPEN, handle, NULL);
	if (!c)
		return WASI_NOBUFS;
	socket_begin(c);
	give(c, out);
	return WASI_OK;
}

static int listener_accept(void *ctx, struct wasi_stream *out)
{
	struct keep_socket *s = ctx;
	if (s->state == SOCKET_FAILED)
		return s->error;
	return s->terms ? tls_accept(s, out) : plain_accept(s, out);
}

static unsigned listener_ready(void *ctx)
{
	struct keep_socket *s = ctx;
	if (s->state == SOCKET_FAILED)
		return WASI_READY_READ | WASI_READY_HANGUP;
	if (s->terms ? first_ready(s) != NULL : s->readable == SURELY)
		return WASI_READY_READ;
	s->asked |= WASI_READY_READ;
	return 0;
}

static void listener_close(void *ctx)
{
	net_drop(ctx);
}

const struct wasi_stream_ops socket_listener_ops = {
	.ready = listener_ready,
	.close = listener_close,
	.accept = listener_accept,
};
