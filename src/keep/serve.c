/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/must.h"
#include "base/reader.h"
#include "keep/keep.h"

/* Connections taken in one turn, so that those who are there get theirs. */
enum { ACCEPT_BURST = 4 };

enum {
	/* Output of a running program that can go with the next turn. */
	TURN_BYTES = 16 << 10,
	/* Most that a peer's bytes take of one. */
	TURN_TAKE = GATE_DATA_BYTES / 2,
};

void keep_serve_phase(struct keep *k, struct keep_peer *p,
	enum keep_phase phase)
{
	p->phase = phase;
	p->since = p->progress = keep_clock_mono(&k->clock);
}

bool keep_serve_open(struct keep *k, struct err *e)
{
	k->inbox = malloc(GATE_DATA_BYTES);
	k->turn.polls = calloc(GATE_MAX_POLL, sizeof *k->turn.polls);
	k->turn.sends = calloc(GATE_MAX_SENDS, sizeof *k->turn.sends);
	k->turn.taken = malloc(GATE_DATA_BYTES);
	if (!k->inbox || !k->turn.polls || !k->turn.sends || !k->turn.taken)
		return err_fail(e, ERR_LIMIT, "serve: no memory");
	return keep_gate_listen(&k->gate, GATE_LISTEN_CHANNEL, 0, &k->listener,
		e);
}

/* Frees the place.  What the peer's going means was said before. */
static bool drop(struct keep *k, struct keep_peer *p, struct err *e)
{
	uint32_t handle = p->handle;
	must(k->holder != p);
	channel_free(p->channel);
	*p = (struct keep_peer){ .phase = KEEP_PEER_NONE };
	return keep_gate_release(&k->gate, handle, e);
}

void keep_serve_fini(struct keep *k)
{
	for (size_t i = 0; i < KEEP_MAX_PEERS; i++)
		channel_free(k->peers[i].channel);
	memset(k->peers, 0, sizeof k->peers);
	if (k->inbox)
		explicit_bzero(k->inbox, GATE_DATA_BYTES);
	free(k->inbox);
	free(k->turn.polls);
	free(k->turn.sends);
	free(k->turn.taken);
	k->inbox = NULL;
	k->turn = (struct keep_gate_turn){ .polls = NULL };
}

/* --- what is said ------------------------------------------------------- */

/* The peer is gone for the Keep; its place stays until all went out. */
static void leave(struct keep *k, struct keep_peer *p)
{
	if (k->holder == p)
		k->holder = NULL;
	keep_serve_phase(k, p, KEEP_PEER_FLUSH);
}

void keep_serve_say(struct keep *k, struct keep_peer *p, enum frame_type type,
	struct bytes payload)
{
	struct err e;
	if (p->phase == KEEP_PEER_FLUSH || p->phase == KEEP_PEER_LINGER)
		return;
	if (channel_send(p->channel, type, payload, &e))
		return;
	/* Broken, or memory ran out: nothing more can be said to it. */
	keep_talk_lost(k, p, false);
	leave(k, p);
}

void keep_serve_part(struct keep *k, struct keep_peer *p)
{
	channel_close(p->channel);
	leave(k, p);
}

void keep_serve_refuse(struct keep *k, struct keep_peer *p,
	const struct err *why)
{
	auto_buf text = { .len = 0 };
	struct err ignored;
	bool said = channel_state(p->channel) == CHANNEL_OPEN &&
		frame_error_encode(why->kind, why->text, &text) &&
		channel_send(p->channel, FRAME_ERROR, buf_bytes(&text),
			&ignored);
	(void)said; /* hanging up says something too */
	keep_serve_part(k, p);
}

/* What became of output that was sent. */
static void went_out(struct keep *k, struct keep_peer *p, size_t n,
	enum gate_error why)
{
	p->progress = keep_clock_mono(&k->clock);
	p->blocked = why == GATE_AGAIN;
	/* What it said before it went still counts (a detach). */
	p->deaf = why != GATE_OK && why != GATE_AGAIN;
	channel_output_done(p->channel, n);
}

bool keep_serve_flush(struct keep *k, struct keep_peer *p, struct err *e)
{
	for (;;) {
		struct bytes out = channel_output(p->channel);
		enum gate_error why;
		size_t n;
		if (!out.len || p->blocked)
			return true;
		if (p->deaf) {
			channel_output_done(p->channel, out.len);
			return true;
		}
		if (!keep_gate_send(&k->gate, p->handle, out, &n, &why, e))
			return false;
		went_out(k, p, n, why);
	}
}

/* --- what is heard ------------------------------------------------------ */

static bool is_live(const struct keep_peer *p)
{
	return p->phase != KEEP_PEER_NONE && p->phase != KEEP_PEER_FLUSH &&
		p->phase != KEEP_PEER_LINGER;
}

/* It broke the channel or its protocol; it is told, if that is possible. */
static void broken(struct keep *k, struct keep_peer *p, const struct err *why)
{
	keep_talk_lost(k, p, true);
	keep_serve_refuse(k, p, why);
}

static void read_frames(struct keep *k, struct keep_peer *p)
{
	while (is_live(p)) {
		struct frame f;
		struct err e;
		bool got = false;
		if (!channel_next(p->channel, &f, &got, &e) ||
			(got && !keep_talk_frame(k, p, &f, &e))) {
			broken(k, p, &e);
			return;
		}
		if (!got)
			break;
	}
	if (is_live(p) && channel_state(p->channel) == CHANNEL_CLOSED) {
		keep_talk_lost(k, p, false);
		keep_serve_part(k, p);
	}
}

static void hear(struct keep *k, struct keep_peer *p, struct bytes in)
{
	struct err e;
	p->progress = keep_clock_mono(&k->clock);
	if (channel_input(p->channel, in, &e))
		read_frames(k, p);
	else
		broken(k, p, &e);
}

/* The peer says no more. */
static bool heard_all(struct keep *k, struct keep_peer *p, struct err *e)
{
	if (is_live(p)) {
		keep_talk_lost(k, p, false);
		leave(k, p);
	}
	return drop(k, p, e);
}

static bool receive(struct keep *k, struct keep_peer *p, struct err *e)
{
	bool live = is_live(p);
	size_t room = live ? channel_input_room(p->channel) : GATE_DATA_BYTES;
	size_t n;
	enum gate_error why;
	if (!room)
		return true;
	if (!keep_gate_recv(&k->gate, p->handle, k->inbox,
		    size_min(room, GATE_DATA_BYTES), &n, &why, e))
		return false;
	if (why == GATE_AGAIN && !p->deaf)
		return true;
	if (why != GATE_OK || !n)
		return heard_all(k, p, e);
	/* Who was shown out may say what it likes. */
	if (live)
		hear(k, p, bytes_of(k->inbox, n));
	return true;
}

/* What the turn brought of the peer. */
static bool hear_peer(struct keep *k, struct keep_peer *p, unsigned got,
	struct bytes in, struct err *e)
{
	if (got & GATE_OUT)
		p->blocked = false;
	if (got & GATE_END)
		return heard_all(k, p, e);
	if (in.len) {
		if (is_live(p))
			hear(k, p, in);
		return true;
	}
	return !(got & (GATE_IN | GATE_HUP) || p->deaf) || receive(k, p, e);
}

/* --- who comes ---------------------------------------------------------- */

static struct keep_peer *place_for(struct keep *k, struct err *e, bool *ok)
{
	struct keep_peer *oldest = NULL;
	*ok = true;
	for (size_t i = 0; i < KEEP_MAX_PEERS; i++) {
		struct keep_peer *p = &k->peers[i];
		if (p->phase == KEEP_PEER_NONE)
			return p;
		/* Strangers make way, and so do those who have it all. */
		if (p->phase == KEEP_PEER_HELLO || p->phase == KEEP_PEER_LINGER)
			if (!oldest || p->since < oldest->since)
				oldest = p;
	}
	if (oldest)
		*ok = drop(k, oldest, e);
	return oldest;
}

static bool accept_one(struct keep *k, bool *more, struct err *e)
{
	struct err ignored;
	uint32_t handle;
	enum gate_error why;
	bool ok;
	if (!keep_gate_accept(&k->gate, k->listener, &handle, &why, e))
		return false;
	*more = why == GATE_OK;
	if (!*more)
		return true;
	struct keep_peer *p = place_for(k, e, &ok);
	if (!ok)
		return false;
	struct channel *c = NULL;
	if (!p ||
		!channel_accept(k->identity.tls, k->identity.owner, &c,
			&ignored))
		return keep_gate_release(&k->gate, handle, e);
	*p = (struct keep_peer){ .handle = handle, .channel = c };
	keep_serve_phase(k, p, KEEP_PEER_HELLO);
	return true;
}

static bool accept_some(struct keep *k, struct err *e)
{
	bool more = true;
	for (int i = 0; more && i < ACCEPT_BURST; i++)
		if (!accept_one(k, &more, e))
			return false;
	return true;
}

/* --- time --------------------------------------------------------------- */

/* When the Keep loses patience with the peer. */
static uint64_t patience(const struct keep *k, const struct keep_peer *p)
{
	const uint64_t stall = p->progress + KEEP_STALL_TIME * KEEP_SECOND;
	switch (p->phase) {
	case KEEP_PEER_HELLO:
	case KEEP_PEER_LOGS:
		return p->since + KEEP_HELLO_TIME * KEEP_SECOND;
	case KEEP_PEER_LOADING:
	case KEEP_PEER_FLUSH:
		return stall;
	case KEEP_PEER_LINGER:
		return p->since + KEEP_LINGER_TIME * KEEP_SECOND;
	case KEEP_PEER_HOLDING:
		/* A program may wait for its reader, as in a pipe; not one
		 * that was promised to outlive it, nor the Keep's end. */
		return p->blocked && (k->detached || k->finished) ?
			stall :
			KEEP_CLOCK_NEVER;
	case KEEP_PEER_FOLLOW:
	case KEEP_PEER_STOP:
		return p->blocked ? stall : KEEP_CLOCK_NEVER;
	default:
		return KEEP_CLOCK_NEVER;
	}
}

static bool expire(struct keep *k, struct keep_peer *p, struct err *e)
{
	struct err why;
	if (p->phase == KEEP_PEER_HELLO || !is_live(p))
		return drop(k, p, e);
	err_put(&why, ERR_LIMIT, "nothing came in time");
	if (p->phase == KEEP_PEER_LOADING && k->load.configured)
		keep_end(k, GATE_EXIT_LIMIT);
	keep_talk_lost(k, p, false);
	keep_serve_refuse(k, p, &why);
	return true;
}

static bool expire_all(struct keep *k, struct err *e)
{
	uint64_t now = keep_clock_mono(&k->clock);
	for (size_t i = 0; i < KEEP_MAX_PEERS; i++)
		if (patience(k, &k->peers[i]) <= now &&
			!expire(k, &k->peers[i], e))
			return false;
	return true;
}

/* --- the pump ----------------------------------------------------------- */

/* One turn: who stands behind its polls and sends, as far as peers do. */
struct pump {
	struct keep_gate_turn *turn;
	struct keep_peer *polled[1 + KEEP_MAX_PEERS]; /* [0]: the listener */
	struct keep_peer *sends[KEEP_MAX_PEERS];
	size_t poll_count, send_count;
};

/* A running program's output goes with the turn, if it is not much. */
static bool push_with(struct pump *pump, struct keep_peer *p)
{
	struct bytes out = channel_output(p->channel);
	if (!pump || p->phase != KEEP_PEER_HOLDING || p->blocked || p->deaf ||
		!out.len || out.len > TURN_BYTES ||
		!keep_gate_turn_send(pump->turn, p->handle, out))
		return false;
	pump->sends[pump->send_count++] = p;
	return true;
}

static bool push(struct keep *k, struct keep_peer *p, struct pump *pump,
	struct err *e)
{
	if (p->phase == KEEP_PEER_NONE)
		return true;
	/* More may be due than the channel holds: until nothing is, or the
	 * host takes no more and will say when it does. */
	for (bool more = true; more;) {
		if (is_live(p))
			keep_talk_push(k, p);
		if (push_with(pump, p))
			return true;
		more = channel_output(p->channel).len != 0;
		if (!keep_serve_flush(k, p, e))
			return false;
		more = more && is_live(p) && !p->blocked;
	}
	if (p->phase != KEEP_PEER_FLUSH || channel_output(p->channel).len)
		return true;
	keep_serve_phase(k, p, KEEP_PEER_LINGER);
	return keep_gate_shutdown(&k->gate, p->handle, GATE_SHUT_WRITE, e);
}

/* `pump` NULL: now. */
static bool push_all(struct keep *k, struct pump *pump, struct err *e)
{
	for (size_t i = 0; i < KEEP_MAX_PEERS; i++)
		if (!push(k, &k->peers[i], pump, e))
			return false;
	return true;
}

static struct gate_poll poll_of(struct keep_peer *p)
{
	bool live = is_live(p);
	size_t room = live ? channel_input_room(p->channel) : 0;
	unsigned want = !live || room ? GATE_IN : 0;
	return (struct gate_poll){ .handle = p->handle,
		.want = (uint16_t)(want | (p->blocked ? GATE_OUT : 0)),
		.most = (uint32_t)size_min(room, TURN_TAKE) };
}

/* The question for the host: entry 0 is the listener.  Brings the deadline
 * forward to the first impatience. */
static void ask_for(struct keep *k, struct pump *pump, uint64_t *deadline)
{
	struct gate_poll *list = pump->turn->polls;
	size_t n = 0;
	list[n++] =
		(struct gate_poll){ .handle = k->listener, .want = GATE_IN };
	for (size_t i = 0; i < KEEP_MAX_PEERS; i++) {
		struct keep_peer *p = &k->peers[i];
		if (p->phase == KEEP_PEER_NONE)
			continue;
		if (p->deaf)
			*deadline = 0;
		pump->polled[n] = p;
		list[n++] = poll_of(p);
		if (patience(k, p) < *deadline)
			*deadline = patience(k, p);
	}
	pump->poll_count = pump->turn->poll_count = n;
}

static bool hear_peers(struct keep *k, struct pump *pump, struct reader *taken,
	struct err *e)
{
	const struct keep_gate_turn *t = pump->turn;
	for (size_t i = 0; i < pump->send_count; i++)
		went_out(k, pump->sends[i], t->sends[i].taken, t->sends[i].why);
	for (size_t i = 1; i < pump->poll_count; i++)
		if (!hear_peer(k, pump->polled[i], t->polls[i].got,
			    reader_take(taken, t->polls[i].taken), e))
			return false;
	return !t->polls[0].got || accept_some(k, e);
}

static bool turn(struct keep *k, struct pump *pump, uint64_t deadline,
	struct err *e)
{
	struct keep_gate_turn *t = pump->turn;
	struct reader taken = { .in = bytes_of(t->taken, GATE_DATA_BYTES) };
	uint64_t now = keep_clock_mono(&k->clock), wait = 0;
	if (deadline == KEEP_CLOCK_NEVER)
		wait = UINT64_MAX;
	else if (deadline > now)
		wait = deadline - now;
	if (!keep_gate_poll(&k->gate, t, wait, e) ||
		!hear_peers(k, pump, &taken, e))
		return false;
	return !k->net.gate ||
		keep_net_hear(&k->net, t, pump->poll_count, pump->send_count,
			&taken, e);
}

bool keep_serve_pump(struct keep *k, uint64_t deadline, struct err *e)
{
	struct pump pump = { .turn = &k->turn };
	k->turn.send_count = k->turn.send_bytes = 0;
	if (!push_all(k, &pump, e))
		return false;
	ask_for(k, &pump, &deadline);
	if (k->net.gate && !keep_net_ask(&k->net, &k->turn, &deadline, e))
		return false;
	return turn(k, &pump, deadline, e) && expire_all(k, e) &&
		push_all(k, NULL, e);
}
