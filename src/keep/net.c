/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/fmt.h"
#include "keep/net_priv.h"

/* --- who is there -----------------------------------------------------------
 */

static bool gate_release(struct keep_net *n, uint32_t handle)
{
	struct err ignored;
	if (keep_gate_release(n->gate, handle, &ignored))
		return true;
	n->lost = true;
	return false;
}

uint64_t net_cost(const struct channel_terms *terms)
{
	return terms ? TLS_BYTES : PLAIN_BYTES;
}

struct keep_socket *net_new(struct keep_net *n, enum socket_state state,
	uint32_t handle, struct channel_terms *terms)
{
	uint64_t cost = net_cost(terms);
	struct keep_socket *s = cost <= n->room ? calloc(1, sizeof *s) : NULL;
	if (!s) {
		(void)gate_release(n, handle);
		return NULL;
	}
	*s = (struct keep_socket){ .next = n->sockets,
		.net = n,
		.state = state,
		.handle = handle,
		.terms = terms,
		.deadline = KEEP_CLOCK_NEVER,
		.refused_turn = UINT64_MAX,
		.cost = cost };
	if (s->next)
		s->next->prev = s;
	n->sockets = s;
	n->room -= cost;
	return s;
}

static void drop_pending(struct keep_socket *listener)
{
	struct keep_socket *next;
	for (struct keep_socket *s = listener->net->sockets; s; s = next) {
		next = s->next;
		if (s->listener == listener)
			net_drop(s);
	}
}

void net_drop(struct keep_socket *s)
{
	struct keep_net *n = s->net;
	if (s->pending)
		drop_pending(s);
	*(s->prev ? &s->prev->next : &n->sockets) = s->next;
	if (s->next)
		s->next->prev = s->prev;
	if (s->listener)
		s->listener->pending--;
	if (s->orphan && !s->listener)
		n->leaving--;
	n->room += s->cost;
	if (s->handle && !n->lost)
		(void)gate_release(n, s->handle);
	channel_stream_free(s->stream);
	free(s->host);
	free(s);
}

/* Those that are nobody's and done, or whose time is over. */
static void reap(struct keep_net *n)
{
	uint64_t now = keep_clock_mono(n->clock);
	struct keep_socket *next;
	for (struct keep_socket *s = n->sockets; s; s = next) {
		next = s->next;
		if (s->deadline <= now)
			socket_expire(s);
		if (s->orphan &&
			(s->state == SOCKET_FAILED ||
				(s->state == SOCKET_LEAVING &&
					s->deadline <= now)))
			net_drop(s);
	}
}

/* --- CONFIG's sockets --------------------------------------------------------
 */

static bool terms_make(struct keep_net *n, size_t i, const struct buf *trust,
	const struct keep_identity *id, struct err *e)
{
	const struct frame_tls *t = &n->config->profiles[i];
	bool attested = t->flags & FRAME_TLS_ATTESTED;
	if (attested &&
		!keep_judge_new(t, id->owner, n->clock, &n->judges[i], e))
		return err_wrap(e, "profile %zu", i);
	const struct channel_terms_config cfg = {
		.key = id->key,
		.cert = buf_bytes(&id->cert),
		.chain = t->chain,
		.pkcs8 = t->key,
		.trusting = t->flags & FRAME_TLS_TRUST,
		.trust = buf_bytes(trust),
		.pins = t->pins,
		.judge = attested ? keep_judge_peer : NULL,
		.judge_ctx = n->judges[i],
		.request = t->flags & FRAME_TLS_REQUEST,
		.require = t->flags & FRAME_TLS_REQUIRE,
		.alpn = t->alpn,
		.now = keep_net_real_time,
		.now_ctx = n->clock,
	};
	return channel_terms_new(&cfg, &n->terms[i], e) ||
		err_wrap(e, "profile %zu", i);
}

uint64_t keep_net_real_time(void *clock)
{
	return keep_clock_real(clock);
}

bool keep_net_init(struct keep_net *n, struct keep_gate *gate,
	struct keep_clock *clock, uint8_t *inbox,
	const struct frame_config *config, const struct buf *trust,
	const struct keep_identity *id, uint64_t memory, struct err *e)
{
	size_t count = config->profile_count;
	*n = (struct keep_net){ .gate = gate,
		.clock = clock,
		.inbox = inbox,
		.config = config,
		.room = memory };
	n->polled = calloc(GATE_MAX_POLL, sizeof *n->polled);
	n->sent = calloc(GATE_MAX_SENDS, sizeof *n->sent);
	n->terms = calloc(count + 1, sizeof *n->terms);
	n->judges = calloc(count + 1, sizeof *n->judges);
	if (!n->polled || !n->sent || !n->terms || !n->judges)
		return err_fail(e, ERR_LIMIT, "network: no memory");
	for (size_t i = 0; i < count; i++)
		if (!terms_make(n, i, &trust[i], id, e))
			return false;
	return net_reach_init(n, e);
}

void keep_net_fini(struct keep_net *n)
{
	while (n->sockets)
		net_drop(n->sockets);
	for (size_t i = 0; n->terms && i < n->config->profile_count; i++)
		channel_terms_free(n->terms[i]);
	for (size_t i = 0; n->judges && i < n->config->profile_count; i++)
		keep_judge_free(n->judges[i]);
	free(n->judges);
	net_reach_fini(n);
	free(n->terms);
	free(n->polled);
	free(n->sent);
	*n = (struct keep_net){ .gate = NULL };
}

static bool refused(enum gate_error why, struct err *e, const char *what)
{
	switch (why) {
	case GATE_DENIED:
		return err_fail(e, ERR_DENIED,
			"%s: the host's operator does not allow it", what);
	case GATE_LIMIT:
		return err_fail(e, ERR_HOST, "%s: the host has no room for it",
			what);
	case GATE_NAME:
		return err_fail(e, ERR_HOST, "%s: no such host", what);
	default:
		return err_fail(e, ERR_HOST, "%s: the host could not", what);
	}
}

struct channel_terms *net_terms(const struct keep_net *n, unsigned prot,
	unsigned profile)
{
	return prot == FRAME_PROT_TLS ? n->terms[profile] : NULL;
}

bool net_listen(struct keep_net *n, uint16_t port, struct channel_terms *terms,
	struct keep_socket **out, enum gate_error *why, struct err *e)
{
	char what[64];
	uint32_t handle;
	fmt(what, sizeof what, "listen on port %u", port);
	if (!keep_gate_listen_tcp(n->gate, port, &handle, why, e)) {
		n->lost = true;
		return false;
	}
	if (*why != GATE_OK)
		return refused(*why, e, what);
	*out = net_new(n, SOCKET_LISTEN, handle, terms);
	*why = GATE_LIMIT;
	return *out || err_fail(e, ERR_LIMIT, "%s: no memory", what);
}

bool net_dial(struct keep_net *n, struct bytes host, uint16_t port,
	struct channel_terms *terms, struct keep_socket **out,
	enum gate_error *why, struct err *e)
{
	char target[FRAME_MAX_HOST + 16], what[96];
	bool six = memchr(host.ptr, ':', host.len) && host.ptr[0] != '[';
	uint32_t handle;
	fmt(target, sizeof target, "%s%.*s%s:%u", six ? "[" : "", (int)host.len,
		(const char *)host.ptr, six ? "]" : "", port);
	fmt(what, sizeof what, "connect to %.80s", target);
	if (!keep_gate_connect(n->gate, target, &handle, why, e)) {
		n->lost = true;
		return false;
	}
	if (*why != GATE_OK)
		return refused(*why, e, what);
	*why = GATE_LIMIT;
	struct keep_socket *s = net_new(n, SOCKET_DIAL, handle, terms);
	if (!s)
		return err_fail(e, ERR_LIMIT, "%s: no memory", what);
	s->host = strndup((const char *)host.ptr, host.len);
	if (!s->host) {
		net_drop(s);
		return err_fail(e, ERR_LIMIT, "%s: no memory", what);
	}
	s->deadline = keep_clock_add(keep_clock_mono(n->clock),
		KEEP_NET_DIAL_TIME * SECOND_NS);
	*out = s;
	return true;
}

bool keep_net_open(struct keep_net *n, const struct frame_fd *fd,
	struct wasi_stream *out, struct err *e)
{
	struct channel_terms *terms = net_terms(n, fd->prot, fd->profile);
	enum gate_error why;
	bool listens = fd->kind == FRAME_FD_LISTEN;
	struct keep_socket *s = NULL;
	bool ok = listens ?
		net_listen(n, fd->number, terms, &s, &why, e) :
		net_dial(n, fd->host, fd->number, terms, &s, &why, e);
	if (!ok)
		return false;
	*out = (struct wasi_stream){
		.ops = listens ? &socket_listener_ops : &socket_ops,
		.ctx = s,
		.socket = true,
	};
	return true;
}

bool keep_net_dialled(const struct wasi_stream *stream, bool *done,
	struct err *e)
{
	const struct keep_socket *s = stream->ctx;
	*done = s->state == SOCKET_OPEN;
	if (s->state != SOCKET_FAILED)
		return true;
	*e = s->why;
	return err_wrap(e, "%.80s", s->host ? s->host : "socket");
}

/* --- the pump ----------------------------------------------------------------
 */

/* Output goes with the turn, or now when that is full.  What is closed after
 * it is not kept waiting. */
static void push(struct keep_net *n, struct keep_socket *s,
	struct keep_gate_turn *t, size_t *sends, uint64_t *deadline)
{
	struct bytes out = socket_output(s);
	if (!out.len || !keep_gate_turn_send(t, s->handle, out)) {
		socket_flush(s);
		return;
	}
	n->sent[(*sends)++] = s;
	if (s->state == SOCKET_LEAVING)
		*deadline = 0;
}

bool keep_net_ask(struct keep_net *n, struct keep_gate_turn *t,
	uint64_t *deadline, struct err *e)
{
	size_t polls = 0, sends = 0;
	n->turn++;
	for (struct keep_socket *s = n->sockets; s; s = s->next) {
		push(n, s, t, &sends, deadline);
		struct gate_poll p = socket_wants(s);
		if (s->deadline < *deadline)
			*deadline = s->deadline;
		if (!p.want || t->poll_count == GATE_MAX_POLL)
			continue;
		n->polled[polls++] = s;
		t->polls[t->poll_count++] = p;
	}
	return !n->lost || err_fail(e, ERR_HOST, "%s", n->gate->lie.text);
}

bool keep_net_hear(struct keep_net *n, const struct keep_gate_turn *t,
	size_t polls, size_t sends, struct reader *taken, struct err *e)
{
	/* Hearing forgets no socket, so each is still what it was. */
	for (size_t i = sends; i < t->send_count; i++)
		socket_sent(n->sent[i - sends], t->sends[i].taken,
			t->sends[i].why);
	for (size_t i = polls; i < t->poll_count; i++) {
		const struct gate_poll *p = &t->polls[i];
		struct bytes in = reader_take(taken, p->taken);
		if (p->got)
			socket_hear(n->polled[i - polls], p, in);
	}
	reap(n);
	return !n->lost || err_fail(e, ERR_HOST, "%s", n->gate->lie.text);
}

bool keep_net_unsent(const struct keep_net *n)
{
	for (const struct keep_socket *s = n->leaving ? n->sockets : NULL; s;
		s = s->next)
		if (s->state == SOCKET_LEAVING && socket_unsent(s))
			return true;
	return false;
}
