/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/must.h"
#include "keep/keep.h"

/* Connections taken in one turn, so that those who are there get theirs. */
enum { ACCEPT_BURST = 4 };

void keep_serve_phase(struct keep *k, struct keep_peer *p,
	enum keep_phase phase)
{
	p->phase = phase;
	p->since = p->progress = keep_clock_mono(&k->clock);
}

bool keep_serve_open(struct keep *k, struct err *e)
{
	k->inbox = malloc(GATE_DATA_BYTES);
	k->polls = calloc(GATE_MAX_POLL, sizeof *k->polls);
	if (!k->inbox || !k->polls)
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
	free(k->polls);
	k->inbox = NULL;
	k->polls = NULL;
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
		p->progress = keep_clock_mono(&k->clock);
		p->blocked = why == GATE_AGAIN;
		/* What it said before it went still counts (a detach). */
		p->deaf = why != GATE_OK && why != GATE_AGAIN;
		channel_output_done(p->channel, n);
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
	if (why == GATE_OK && n) {
		/* Who was shown out may say what it likes. */
		if (live)
			hear(k, p, bytes_of(k->inbox, n));
		return true;
	}
	if (live) {
		keep_talk_lost(k, p, false);
		leave(k, p);
	}
	return drop(k, p, e);
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

static bool push(struct keep *k, struct keep_peer *p, struct err *e)
{
	if (p->phase == KEEP_PEER_NONE)
		return true;
	/* More may be due than the channel holds: until nothing is, or the
	 * host takes no more and will say when it does. */
	for (bool more = true; more;) {
		if (is_live(p))
			keep_talk_push(k, p);
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

static bool push_all(struct keep *k, struct err *e)
{
	for (size_t i = 0; i < KEEP_MAX_PEERS; i++)
		if (!push(k, &k->peers[i], e))
			return false;
	return true;
}

/* The question for the host: entry 0 is the listener; who[i] is the peer of
 * entry i.  Brings the deadline forward to the first impatience. */
static size_t ask_for(struct keep *k, struct gate_poll *list,
	struct keep_peer **who, uint64_t *deadline)
{
	size_t n = 0;
	list[n++] = (struct gate_poll){ k->listener, GATE_IN, 0 };
	for (size_t i = 0; i < KEEP_MAX_PEERS; i++) {
		struct keep_peer *p = &k->peers[i];
		unsigned want = 0;
		if (p->phase == KEEP_PEER_NONE)
			continue;
		if (!is_live(p) || channel_input_room(p->channel))
			want |= GATE_IN;
		if (p->blocked)
			want |= GATE_OUT;
		if (p->deaf)
			*deadline = 0;
		who[n] = p;
		list[n++] = (struct gate_poll){ p->handle, (uint16_t)want, 0 };
		if (patience(k, p) < *deadline)
			*deadline = patience(k, p);
	}
	return n;
}

static bool hear_peers(struct keep *k, const struct gate_poll *list, size_t n,
	struct keep_peer *const *who, struct err *e)
{
	for (size_t i = 1; i < n; i++) {
		if (list[i].got & GATE_OUT)
			who[i]->blocked = false;
		if ((list[i].got & (GATE_IN | GATE_HUP) || who[i]->deaf) &&
			!receive(k, who[i], e))
			return false;
	}
	return !list[0].got || accept_some(k, e);
}

bool keep_serve_pump(struct keep *k, uint64_t deadline, struct err *e)
{
	struct keep_peer *who[1 + KEEP_MAX_PEERS];
	struct gate_poll *list = k->polls;
	size_t ready;
	if (!push_all(k, e))
		return false;
	size_t peers = ask_for(k, list, who, &deadline), n = peers;
	if (k->net.gate && !keep_net_ask(&k->net, list, &n, &deadline, e))
		return false;
	uint64_t now = keep_clock_mono(&k->clock), wait = 0;
	if (deadline == KEEP_CLOCK_NEVER)
		wait = UINT64_MAX;
	else if (deadline > now)
		wait = deadline - now;
	if (!keep_gate_poll(&k->gate, list, n, wait, &ready, e) ||
		!hear_peers(k, list, peers, who, e))
		return false;
	if (k->net.gate && !keep_net_hear(&k->net, list + peers, n - peers, e))
		return false;
	return expire_all(k, e) && push_all(k, e);
}
