/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/keep.h"

void keep_end(struct keep *k, enum gate_exit reason)
{
	if (k->over)
		return;
	k->over = true;
	k->reason = reason;
}

void keep_stop(struct keep *k, enum frame_end end, uint32_t status,
	enum gate_exit last)
{
	if (k->state != FRAME_RUN_RUNNING || k->finished || k->stopping)
		return;
	k->stopping = true;
	k->last = last;
	k->exit.end = end;
	k->exit.status = status;
}

bool keep_detach(struct keep *k, struct err *e)
{
	if (k->detached)
		return true;
	if (!keep_ring_init(&k->log, KEEP_RING_BYTES, KEEP_RING_RUNS, e))
		return false;
	k->detached = true;
	return true;
}

struct frame_status keep_status(struct keep *k)
{
	struct frame_status s = {
		.state = k->state,
		.log_first = k->log.first,
		.log_end = k->log.end,
	};
	if (k->state == FRAME_RUN_RUNNING)
		s.run_ns = keep_clock_mono(&k->clock) - k->started;
	if (k->state == FRAME_RUN_ENDED) {
		s.status = k->exit.status;
		s.run_ns = k->exit.run_ns;
	}
	return s;
}

uint64_t keep_idle_deadline(const struct keep *k)
{
	uint64_t wait = k->gate.boot.owner_wait_ns;
	if (k->state == FRAME_RUN_LOADING || k->state == FRAME_RUN_RUNNING)
		return KEEP_CLOCK_NEVER;
	if (!wait)
		wait = KEEP_OWNER_TIME * KEEP_SECOND;
	return keep_clock_add(k->idle_since, wait);
}

/* A detached Keep whose program ended waits for those who want to know. */
static void check_idle(struct keep *k)
{
	uint64_t now = keep_clock_mono(&k->clock);
	if (k->state == FRAME_RUN_ENDED)
		for (size_t i = 0; i < KEEP_MAX_PEERS; i++)
			if (k->peers[i].phase > KEEP_PEER_HELLO)
				k->idle_since = now;
	if (keep_idle_deadline(k) <= now)
		keep_end(k,
			k->state == FRAME_RUN_ENDED ? GATE_EXIT_DONE :
						      GATE_EXIT_IDLE);
}

static bool turn(struct keep *k, struct err *e)
{
	if (!keep_serve_pump(k, keep_idle_deadline(k), e))
		return false;
	if (k->load.started && k->state == FRAME_RUN_LOADING) {
		if (!keep_run(k, e))
			return false;
		k->idle_since = keep_clock_mono(&k->clock);
	}
	if (k->state == FRAME_RUN_ENDED) {
		if (!keep_results_send(k, e))
			return false;
		if (!k->detached || k->stop_asked)
			keep_end(k, k->last);
	}
	check_idle(k);
	return true;
}

static bool anyone_to_flush(const struct keep *k)
{
	for (size_t i = 0; i < KEEP_MAX_PEERS; i++)
		if (k->peers[i].phase == KEEP_PEER_FLUSH ||
			k->peers[i].phase == KEEP_PEER_LINGER)
			return true;
	return false;
}

/* Everybody hears that it ends, and gets what was said before. */
static bool take_leave(struct keep *k, struct err *e)
{
	struct err why;
	err_put(&why, ERR_HOST, "this Keep is ending");
	if (k->state != FRAME_RUN_ENDED) {
		k->exit.end = FRAME_END_STOPPED;
		k->exit.status = 128 + FRAME_SIGNAL_TERMINATE;
	}
	for (size_t i = 0; i < KEEP_MAX_PEERS; i++) {
		struct keep_peer *p = &k->peers[i];
		if (p->phase > KEEP_PEER_HELLO && p->phase < KEEP_PEER_FLUSH)
			keep_talk_push(k, p);
		if (p->phase > KEEP_PEER_HELLO && p->phase < KEEP_PEER_FLUSH)
			keep_serve_refuse(k, p, &why);
	}
	do
		if (!keep_serve_pump(k, 0, e))
			return false;
	while (anyone_to_flush(k) && keep_serve_pump(k, KEEP_CLOCK_NEVER, e));
	return !k->gate.lost;
}

/* What an error of our own means to the host. */
static enum gate_exit exit_of(const struct keep *k, const struct err *e)
{
	if (k->gate.lost || e->kind == ERR_HOST)
		return GATE_EXIT_HOST;
	return e->kind == ERR_LIMIT ? GATE_EXIT_LIMIT : GATE_EXIT_INTERNAL;
}

enum gate_exit keep_serve(struct keep *k, struct err *e)
{
	keep_workload_init(&k->load, &k->clock, k->gate.boot.memory_bytes);
	k->idle_since = keep_clock_mono(&k->clock);
	if (!keep_serve_open(k, e))
		return exit_of(k, e);
	while (!k->over)
		if (!turn(k, e))
			return exit_of(k, e);
	return take_leave(k, e) ? k->reason : exit_of(k, e);
}

enum gate_exit keep_live(struct keep *k, int bell, int area,
	bool (*put_code)(void *to, const void *code, size_t len), struct err *e)
{
	*k = (struct keep){ .put_code = put_code };
	keep_clock_init(&k->clock, NULL, NULL);
	if (!keep_gate_open(&k->gate, bell, area, e) ||
		!keep_identity_init(&k->identity, &k->gate, e))
		return exit_of(k, e);
	return keep_serve(k, e);
}

void keep_fini(struct keep *k)
{
	if (k->net.gate)
		keep_net_fini(&k->net);
	keep_serve_fini(k);
	keep_streams_fini(&k->streams);
	keep_ring_fini(&k->log);
	keep_workload_fini(&k->load);
	keep_identity_fini(&k->identity);
	keep_gate_close(&k->gate);
	explicit_bzero(k, sizeof *k);
}
