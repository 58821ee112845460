/* SPDX-License-Identifier: Apache-2.0 */
#include "base/reader.h"
#include "keep/keep.h"

/* Room that a full frame of ours needs in the channel, TLS included. */
enum { FRAME_ROOM = FRAME_DATA_CHUNK + 0x400, SMALL_ROOM = 0x800 };

static void say_buf(struct keep *k, struct keep_peer *p, enum frame_type type,
	const struct buf *b)
{
	keep_serve_say(k, p, type, buf_bytes(b));
}

/* --- HELLO -------------------------------------------------------------- */

static void say_hello(struct keep *k, struct keep_peer *p)
{
	auto_buf b = { .len = 0 };
	if (frame_hello_encode(FRAME_ROLE_KEEP, &b))
		say_buf(k, p, FRAME_HELLO, &b);
}

static void say_status(struct keep *k, struct keep_peer *p)
{
	auto_buf b = { .len = 0 };
	struct frame_status s = keep_status(k);
	if (frame_status_encode(&s, &b))
		say_buf(k, p, FRAME_STATUS, &b);
}

/* Who stops the program sees its end: the receipt is hers. */
static void say_receipt(struct keep *k, struct keep_peer *p)
{
	auto_buf b = { .len = 0 };
	struct err ignored;
	if (k->load.config.flags & FRAME_CONFIG_RECEIPT &&
		k->state == FRAME_RUN_ENDED &&
		keep_receipt_make(k, &b, &ignored))
		say_buf(k, p, FRAME_RECEIPT, &b);
}

static void say_exit(struct keep *k, struct keep_peer *p)
{
	auto_buf b = { .len = 0 };
	if (frame_exit_encode(&k->exit, &b))
		say_buf(k, p, FRAME_EXIT, &b);
	keep_serve_part(k, p);
}

#define refuse(k, p, kind, ...)                      \
	do {                                         \
		struct err why_;                     \
		err_put(&why_, (kind), __VA_ARGS__); \
		keep_serve_refuse((k), (p), &why_);  \
	} while (0)

static void start_deploy(struct keep *k, struct keep_peer *p)
{
	struct keep_peer *before = k->holder;
	if (k->load.configured) {
		refuse(k, p, ERR_DENIED, "this Keep has its workload already");
		return;
	}
	k->state = FRAME_RUN_LOADING;
	k->holder = p;
	p->deployer = true;
	keep_serve_phase(k, p, KEEP_PEER_LOADING);
	/* Who brought nothing yet makes way. */
	if (before)
		refuse(k, before, ERR_DENIED, "another client deploys");
}

static void start_attach(struct keep *k, struct keep_peer *p)
{
	if (k->state != FRAME_RUN_RUNNING && k->state != FRAME_RUN_ENDED) {
		refuse(k, p, ERR_INPUT, "no program runs in this Keep yet");
		return;
	}
	say_status(k, p);
	struct keep_peer *before = k->holder;
	k->holder = p;
	keep_serve_phase(k, p, KEEP_PEER_HOLDING);
	if (before)
		refuse(k, before, ERR_DENIED, "another client attached");
}

static void start_logs(struct keep *k, struct keep_peer *p)
{
	if (!k->detached) {
		refuse(k, p, ERR_INPUT,
			"this Keep is not detached, it keeps no log");
		return;
	}
	say_status(k, p);
	keep_serve_phase(k, p, KEEP_PEER_LOGS);
}

static void start_stop(struct keep *k, struct keep_peer *p)
{
	say_status(k, p);
	keep_serve_phase(k, p, KEEP_PEER_STOP);
	k->stop_asked = true;
	if (k->state == FRAME_RUN_RUNNING)
		keep_stop(k, FRAME_END_STOPPED, 128 + FRAME_SIGNAL_TERMINATE,
			GATE_EXIT_STOPPED);
	else
		keep_end(k, GATE_EXIT_STOPPED);
}

static bool on_hello(struct keep *k, struct keep_peer *p, struct bytes in,
	struct err *e)
{
	enum frame_role role;
	if (!frame_hello_parse(in, &role, e))
		return false;
	say_hello(k, p);
	if (role == FRAME_ROLE_STATUS) {
		say_status(k, p);
		keep_serve_part(k, p);
		return true;
	}
	if (k->over) {
		refuse(k, p, ERR_HOST, "this Keep is ending");
		return true;
	}
	switch (role) {
	case FRAME_ROLE_DEPLOY:
		start_deploy(k, p);
		return true;
	case FRAME_ROLE_ATTACH:
		start_attach(k, p);
		return true;
	case FRAME_ROLE_LOGS:
		start_logs(k, p);
		return true;
	case FRAME_ROLE_STOP:
		start_stop(k, p);
		return true;
	default:
		return err_fail(e, ERR_INPUT, "HELLO: role %u unknown", role);
	}
}

/* --- the workload, and who holds the program ---------------------------- */

static bool on_signal(struct keep *k, struct keep_peer *p, struct bytes in,
	struct err *e)
{
	struct reader r = { .in = in };
	uint32_t signal = reader_u32le(&r);
	if (!reader_done(&r))
		return err_fail(e, ERR_INPUT, "SIGNAL: length %zu", in.len);
	switch (signal) {
	case FRAME_SIGNAL_INTERRUPT:
	case FRAME_SIGNAL_TERMINATE:
		if (p->phase == KEEP_PEER_LOADING) {
			keep_end(k, GATE_EXIT_STOPPED);
			refuse(k, p, ERR_INPUT, "stopped before START");
			return true;
		}
		keep_stop(k, FRAME_END_STOPPED, 128 + signal,
			GATE_EXIT_STOPPED);
		return true;
	case FRAME_SIGNAL_DETACH:
		if (p->phase == KEEP_PEER_LOADING)
			return err_fail(e, ERR_INPUT,
				"SIGNAL: detach before START");
		return keep_detach(k, e);
	default:
		return err_fail(e, ERR_INPUT, "SIGNAL: %u unknown", signal);
	}
}

static bool on_loading(struct keep *k, struct keep_peer *p,
	const struct frame *f, struct err *e)
{
	if (f->type == FRAME_SIGNAL)
		return on_signal(k, p, f->payload, e);
	if (!keep_workload_frame(&k->load, f->type, f->payload, e))
		return false;
	if (k->load.started)
		keep_serve_phase(k, p, KEEP_PEER_HOLDING);
	return true;
}

static bool on_stdin(struct keep *k, struct bytes in, struct err *e)
{
	if (k->finished)
		return true; /* it crossed the program's end */
	if (!in.len) {
		keep_streams_feed_end(&k->streams);
		return true;
	}
	if (!keep_streams_feed(&k->streams, in))
		return err_fail(e, ERR_INPUT, "STDIN: beyond the credit");
	return true;
}

static bool on_logs(struct keep *k, struct keep_peer *p, struct bytes in,
	struct err *e)
{
	struct reader r = { .in = in };
	p->log_at = reader_u64le(&r);
	if (!reader_done(&r))
		return err_fail(e, ERR_INPUT, "LOGS: length %zu", in.len);
	keep_serve_phase(k, p, KEEP_PEER_FOLLOW);
	return true;
}

bool keep_talk_frame(struct keep *k, struct keep_peer *p, const struct frame *f,
	struct err *e)
{
	if (p->phase == KEEP_PEER_HELLO && f->type == FRAME_HELLO)
		return on_hello(k, p, f->payload, e);
	if (p->phase == KEEP_PEER_LOADING)
		return on_loading(k, p, f, e);
	if (p->phase == KEEP_PEER_HOLDING && f->type == FRAME_STDIN)
		return on_stdin(k, f->payload, e);
	if (p->phase == KEEP_PEER_HOLDING && f->type == FRAME_SIGNAL)
		return on_signal(k, p, f->payload, e);
	if (p->phase == KEEP_PEER_LOGS && f->type == FRAME_LOGS)
		return on_logs(k, p, f->payload, e);
	return err_fail(e, ERR_INPUT, "%s: not now", frame_type_name(f->type));
}

/* --- what is due -------------------------------------------------------- */

static void push_credit(struct keep *k, struct keep_peer *p)
{
	size_t room = keep_streams_room(&k->streams);
	uint64_t given = channel_talk(p->channel)->credit;
	if (k->state != FRAME_RUN_RUNNING || k->finished ||
		!k->load.reads_stdin || room < given + KEEP_STDIN_WINDOW / 4 ||
		channel_output_room(p->channel) < SMALL_ROOM)
		return;
	auto_buf b = { .len = 0 };
	if (buf_u32le(&b, (uint32_t)(room - given)))
		say_buf(k, p, FRAME_CREDIT, &b);
}

static void push_log(struct keep *k, struct keep_peer *p)
{
	while (p->phase == KEEP_PEER_FOLLOW &&
		channel_output_room(p->channel) >= FRAME_ROOM) {
		unsigned stream;
		struct bytes b = keep_ring_get(&k->log, &p->log_at, &stream);
		if (!b.len) {
			if (k->state == FRAME_RUN_ENDED)
				say_exit(k, p);
			return;
		}
		b.len = size_min(b.len, FRAME_DATA_CHUNK);
		p->log_at += b.len;
		keep_serve_say(k, p, stream == 2 ? FRAME_STDERR : FRAME_STDOUT,
			b);
	}
}

void keep_talk_push(struct keep *k, struct keep_peer *p)
{
	if (p == k->holder && p->phase == KEEP_PEER_HOLDING)
		push_credit(k, p);
	else if (p->phase == KEEP_PEER_FOLLOW)
		push_log(k, p);
	if (p->phase != KEEP_PEER_STOP || !k->over)
		return;
	say_receipt(k, p);
	say_exit(k, p);
}

void keep_talk_lost(struct keep *k, struct keep_peer *p, bool broken)
{
	enum gate_exit reason =
		broken && p->deployer ? GATE_EXIT_PROTOCOL : GATE_EXIT_STOPPED;
	if (p != k->holder)
		return;
	k->holder = NULL;
	if (k->state == FRAME_RUN_LOADING) {
		if (broken || k->load.configured) {
			keep_end(k, reason);
			return;
		}
		/* It brought nothing: the Keep waits on for its owner. */
		k->state = FRAME_RUN_EMPTY;
		k->idle_since = keep_clock_mono(&k->clock);
	} else if (!k->detached) {
		keep_stop(k, FRAME_END_STOPPED, 128 + 1, reason);
	}
}
