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
	s->deadline = KEEP_CLOCK_NEVER;
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
static void fail_stream(struct keep_socket *s)
{
	s->why = *channel_stream_why(s->stream);
	fail(s, s->eof ? WASI_CONNRESET : WASI_CONNABORTED);
}

/* --- the network's side -------------------------------------------------- */

static size_t output_len(const struct keep_socket *s)
{
	return s->stream ? channel_stream_output(s->stream).len : 0;
}

static void send_fin(struct keep_socket *s)
{
	struct err ignored;
	s->fin_due = false;
	if (!keep_gate_shutdown(s->net->gate, s->handle, GATE_SHUT_WRITE,
		    &ignored))
		lose(s);
	if (s->state == SOCKET_LEAVING)
		s->deadline = s->terms ? after(s, LEAVE_TIME) : 0;
}

bool socket_unsent(const struct keep_socket *s)
{
	return s->fin_due || output_len(s);
}

struct bytes socket_output(const struct keep_socket *s)
{
	return s->stream && s->handle && s->writable && !s->fin_due ?
		channel_stream_output(s->stream) :
		BYTES_NONE;
}

void socket_sent(struct keep_socket *s, size_t n, enum gate_error why)
{
	if (why == GATE_AGAIN) {
		s->writable = false;
		return;
	}
	/* Nobody hears it; what the peer said may still be read. */
	channel_stream_output_done(s->stream, why ? output_len(s) : n);
	if (why) {
		s->shut_write = true;
		s->lost = why;
	}
	if (s->state == SOCKET_LEAVING)
		s->deadline =
			s->terms || socket_unsent(s) ? after(s, FLUSH_TIME) : 0;
}

void socket_flush(struct keep_socket *s)
{
	struct err ignored;
	enum gate_error why;
	size_t n;
	while (s->handle && s->writable && output_len(s)) {
		if (!keep_gate_send(s->net->gate, s->handle,
			    channel_stream_output(s->stream), &n, &why,
			    &ignored)) {
			lose(s);
			return;
		}
		socket_sent(s, n, why);
	}
	if (s->fin_due && !output_len(s))
		send_fin(s);
}

/* The handshake may have come to its end. */
static void look_at_stream(struct keep_socket *s)
{
	if (s->terms)
		socket_flush(s);
	switch (channel_stream_state(s->stream)) {
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
			fail_stream(s);
	}
}

/* What came, of at most `most` that were asked for; none: the end. */
static void take(struct keep_socket *s, struct bytes in, size_t most)
{
	s->readable = in.len == most ? MAYBE : NOTHING;
	if (in.len) {
		channel_stream_input(s->stream, in);
	} else {
		s->eof = true;
		channel_stream_input_end(s->stream);
	}
	look_at_stream(s);
}

/* Takes what the network has.  Who asks for the answer has sent the
 * question. */
static void pull(struct keep_socket *s)
{
	struct err ignored;
	size_t room = channel_stream_room(s->stream), n;
	enum gate_error why;
	socket_flush(s);
	if (!room || !s->handle || s->eof || s->state == SOCKET_FAILED)
		return;
	room = size_min(room, GATE_DATA_BYTES);
	if (!keep_gate_recv(s->net->gate, s->handle, s->net->inbox, room, &n,
		    &why, &ignored))
		lose(s);
	else if (why == GATE_AGAIN)
		s->readable = NOTHING;
	else if (why != GATE_OK && !s->terms)
		fail_gate(s, why, "receive");
	else
		take(s, bytes_of(s->net->inbox, n), room);
}

void socket_begin(struct keep_socket *s)
{
	struct err why;
	bool ok;
	s->state = SOCKET_SHAKE;
	s->writable = true;
	s->deadline = after(s, s->host ? KEEP_NET_DIAL_TIME : SHAKE_TIME);
	if (!s->terms)
		ok = channel_stream_plain(&s->stream, &why);
	else if (s->host)
		ok = channel_stream_connect(s->terms, s->host, &s->stream,
			&why);
	else
		ok = channel_stream_accept(s->terms, &s->stream, &why);
	if (ok) {
		look_at_stream(s);
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
	if (s->eof || s->shut_read)
		return 0;
	return size_min(channel_stream_room(s->stream), TAKE_BYTES);
}

/* Who is not accepted waits with the host. */
static bool can_accept(const struct keep_socket *s)
{
	return s->pending < MOST_PENDING && s->net->room >= net_cost(s->terms);
}

static unsigned wants_events(const struct keep_socket *s)
{
	unsigned wants = 0;
	if (!s->handle || s->state == SOCKET_FAILED)
		return 0;
	if (s->state == SOCKET_DIAL)
		return GATE_OUT;
	if (s->state == SOCKET_LISTEN)
		return can_accept(s) && (s->terms || s->asked) ? GATE_IN : 0;
	if (s->asked & WASI_READY_READ || s->state == SOCKET_SHAKE ||
		(s->state == SOCKET_LEAVING && s->terms))
		wants |= GATE_IN;
	if (s->asked & WASI_READY_WRITE || output_len(s))
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
	for (int i = 0; i < ACCEPT_BURST && can_accept(s); i++) {
		enum gate_error why;
		uint32_t handle;
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
			take(s, in, p->most);
		else if (got & (GATE_IN | GATE_HUP))
			pull(s);
		return;
	case SOCKET_OPEN:
		if (came)
			take(s, in, p->most);
		else
			socket_flush(s);
		return;
	case SOCKET_LEAVING:
		socket_flush(s);
		if (s->terms && got & (GATE_IN | GATE_HUP))
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

/* Output that was taken and did not go out: told once, as TCP does. */
static int told(struct keep_socket *s, int closed)
{
	enum gate_error why = s->lost;
	s->lost = GATE_OK;
	return why == GATE_CLOSED ? closed : socket_error(why);
}

/* Nothing can be written any more. */
static int64_t refuse_write(struct keep_socket *s)
{
	int why = told(s, WASI_PIPE);
	return -(why ? why : WASI_PIPE);
}

static int64_t read_open(struct keep_socket *s, uint8_t *to, size_t n)
{
	if (!channel_stream_pending(s->stream) &&
		!channel_stream_at_end(s->stream) &&
		(s->lost || !surely_nothing(s)))
		pull(s);
	size_t got = channel_stream_read(s->stream, to, n);
	if (got)
		return (int64_t)got;
	if (s->state == SOCKET_FAILED)
		return -s->error;
	if (s->lost)
		return -told(s, WASI_CONNRESET);
	if (!channel_stream_at_end(s->stream))
		return refuse(s, WASI_READY_READ);
	if (channel_stream_state(s->stream) != CHANNEL_STREAM_BROKEN)
		return 0;
	fail_stream(s);
	return -s->error;
}

static int64_t socket_read(void *ctx, uint8_t *to, size_t n)
{
	struct keep_socket *s = ctx;
	if (s->state == SOCKET_FAILED)
		return -s->error;
	if (s->state != SOCKET_OPEN)
		return refuse(s, WASI_READY_READ);
	return s->shut_read || !n ? 0 : read_open(s, to, n);
}

/* Much at once is not copied, and does not wait for the turn: 0, or how much
 * of it went. */
static size_t send_much(struct keep_socket *s, struct bytes in)
{
	struct err ignored;
	enum gate_error why;
	size_t n;
	if (s->terms || in.len < FLUSH_BYTES || output_len(s) || !s->writable)
		return 0;
	if (!keep_gate_send(s->net->gate, s->handle, in, &n, &why, &ignored))
		lose(s);
	else if (why != GATE_OK)
		socket_sent(s, 0, why);
	return n;
}

static size_t put_output(struct keep_socket *s, struct bytes in)
{
	return s->state == SOCKET_OPEN && !s->shut_write ?
		channel_stream_write(s->stream, in) :
		0;
}

static int64_t write_open(struct keep_socket *s, struct bytes in)
{
	size_t n = send_much(s, in);
	if (!n)
		n = put_output(s, in);
	if (!n || output_len(s) >= FLUSH_BYTES)
		socket_flush(s);
	if (!n)
		n = put_output(s, in);
	if (n)
		return (int64_t)n;
	if (s->state == SOCKET_FAILED)
		return -s->error;
	if (s->shut_write ||
		channel_stream_state(s->stream) == CHANNEL_STREAM_BROKEN)
		return refuse_write(s);
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
		return refuse_write(s);
	return n ? write_open(s, bytes_of(from, n)) : 0;
}

static bool can_read(struct keep_socket *s)
{
	if (!channel_stream_pending(s->stream) &&
		!channel_stream_at_end(s->stream) && s->readable)
		pull(s);
	return channel_stream_pending(s->stream) ||
		channel_stream_at_end(s->stream);
}

static bool can_write(struct keep_socket *s)
{
	if (!channel_stream_writable(s->stream))
		socket_flush(s);
	return channel_stream_writable(s->stream) ||
		channel_stream_state(s->stream) == CHANNEL_STREAM_BROKEN;
}

static unsigned socket_ready(void *ctx)
{
	struct keep_socket *s = ctx;
	unsigned ready = 0;
	if (s->state == SOCKET_OPEN) {
		if (s->shut_read || s->lost || can_read(s))
			ready |= WASI_READY_READ;
		if (s->shut_write || can_write(s))
			ready |= WASI_READY_WRITE;
	}
	if (s->state == SOCKET_FAILED)
		return WASI_READY_READ | WASI_READY_WRITE | WASI_READY_HANGUP;
	s->asked |= ~ready & (WASI_READY_READ | WASI_READY_WRITE);
	return ready;
}

static uint64_t socket_pending(void *ctx)
{
	const struct keep_socket *s = ctx;
	return s->stream ? channel_stream_pending(s->stream) : 0;
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
	channel_stream_shutdown(s->stream);
	s->fin_due = true;
	socket_flush(s);
	return WASI_OK;
}

/* It goes on by itself until its output is out. */
static void socket_close(void *ctx)
{
	struct keep_socket *s = ctx;
	if (s->state != SOCKET_OPEN || (!s->terms && !socket_unsent(s))) {
		net_drop(s);
		return;
	}
	s->state = SOCKET_LEAVING;
	s->orphan = true;
	s->net->leaving++;
	s->deadline = after(s, FLUSH_TIME);
	if (!s->terms)
		return;
	channel_stream_shutdown(s->stream);
	s->fin_due = true;
	socket_flush(s);
}

static int socket_connected(void *ctx)
{
	struct keep_socket *s = ctx;
	if (s->state == SOCKET_FAILED)
		return s->error;
	if (s->lost)
		return told(s, WASI_CONNRESET);
	return s->state == SOCKET_DIAL || s->state == SOCKET_SHAKE ?
		(int)-refuse(s, WASI_READY_WRITE) :
		WASI_OK;
}

/* What the program peeked at lies in WASI's buffer: of our share, too. */
static bool socket_hold(void *ctx, size_t bytes)
{
	struct keep_socket *s = ctx;
	if (bytes > s->net->room)
		return false;
	s->net->room -= bytes;
	s->cost += bytes;
	return true;
}

const struct wasi_stream_ops socket_ops = {
	.hold = socket_hold,
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
	if (!can_accept(s) || surely_nothing(s))
		return (int)-refuse(s, WASI_READY_READ);
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
	if (s->terms ? first_ready(s) != NULL :
		       s->readable == SURELY && can_accept(s))
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
