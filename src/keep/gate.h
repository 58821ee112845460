/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Keep's side of the gate (abi/gate.h): one request at a time over the
 * bell and the shared area.  The host is the adversary: its reply is copied
 * out once and every field of the copy is judged (sequence, error, lengths,
 * handles it gave out, events that were asked for).  A reply that is out of
 * range, or a bell that is gone, makes the gate *lost*: the request fails
 * with ERR_HOST and a name, and so does each one after it.
 *
 * What a host may well refuse (nothing there yet, peer gone) is no lie: it
 * stands in *why, and the request succeeded.
 */
#ifndef KEEP_GATE_H
#define KEEP_GATE_H

#include "abi/gate.h"
#include "base/buf.h"
#include "base/err.h"
#include "net/rule.h"

/* Most that is taken of each; a host that brings more lies. */
#define KEEP_GATE_EVIDENCE_MAX	   0x8000u
#define KEEP_GATE_ENDORSEMENTS_MAX 0x10000u
#define KEEP_GATE_ADDRESSES	   8u

struct keep_gate {
	struct gate_area *area; /* shared with the host */
	int bell;
	uint32_t seq;
	bool lost;
	struct err lie;	       /* why, when lost */
	struct gate_boot boot; /* copied out and checked at the start */
	uint8_t open[GATE_MAX_HANDLES / 8 +
		1]; /* handles we hold, a bit each */
};

/* Maps the area; the descriptors stay the caller's. */
MUST_USE bool keep_gate_open(struct keep_gate *g, int bell, int area,
	struct err *e);
void keep_gate_close(struct keep_gate *g);

/* Both buffers are appended to. */
MUST_USE bool keep_gate_evidence(struct keep_gate *g, struct bytes request,
	struct buf *evidence, struct buf *endorsements, struct err *e);
MUST_USE bool keep_gate_publish(struct keep_gate *g,
	const struct bytes parts[4], struct err *e);
MUST_USE bool keep_gate_listen(struct keep_gate *g, enum gate_listen what,
	uint16_t port, uint32_t *handle, struct err *e);
/* The same for the program: the host may refuse. */
MUST_USE bool keep_gate_listen_tcp(struct keep_gate *g, uint16_t port,
	uint32_t *handle, enum gate_error *why, struct err *e);
/* "host:port"; the handle is there at once, the connection when POLL says
 * OUT. */
MUST_USE bool keep_gate_connect(struct keep_gate *g, const char *target,
	uint32_t *handle, enum gate_error *why, struct err *e);
/* AGAIN: ask again after the next POLL.  *n: 1 to KEEP_GATE_ADDRESSES. */
MUST_USE bool keep_gate_resolve(struct keep_gate *g, struct bytes name,
	struct net_address *out, size_t *n, enum gate_error *why,
	struct err *e);
MUST_USE bool keep_gate_accept(struct keep_gate *g, uint32_t listener,
	uint32_t *handle, enum gate_error *why, struct err *e);
/* *n: bytes taken, 0 unless *why is GATE_OK. */
MUST_USE bool keep_gate_send(struct keep_gate *g, uint32_t handle,
	struct bytes in, size_t *n, enum gate_error *why, struct err *e);
/* *n 0 with GATE_OK: the peer sends no more. */
MUST_USE bool keep_gate_recv(struct keep_gate *g, uint32_t handle, uint8_t *to,
	size_t max, size_t *n, enum gate_error *why, struct err *e);
MUST_USE bool keep_gate_shutdown(struct keep_gate *g, uint32_t handle,
	enum gate_shut how, struct err *e);
MUST_USE bool keep_gate_release(struct keep_gate *g, uint32_t handle,
	struct err *e);

/*
 * A turn with the host, in one request: what is sent, what is waited for, and
 * what came meanwhile.  The arrays are the caller's and stay; it fills and
 * counts the polls, sends are added by keep_gate_turn_send.
 */
struct keep_gate_sent {
	uint32_t handle;
	struct bytes data; /* borrowed until the turn is over */
	/* As keep_gate_send says it: */
	size_t taken;
	enum gate_error why;
};

struct keep_gate_turn {
	struct gate_poll *polls; /* GATE_MAX_POLL */
	size_t poll_count;
	struct keep_gate_sent *sends; /* GATE_MAX_SENDS */
	size_t send_count, send_bytes;
	/* GATE_DATA_BYTES: what was taken, in the polls' order. */
	uint8_t *taken;
};

/* False when there is no room for it in this turn. */
bool keep_gate_turn_send(struct keep_gate_turn *t, uint32_t handle,
	struct bytes data);
/* Fills `got` and `taken` of each poll, and the results of the sends. */
MUST_USE bool keep_gate_poll(struct keep_gate *g, struct keep_gate_turn *t,
	uint64_t timeout_ns, struct err *e);
/* Says why the Keep ends; there is no reply.  Does nothing on a lost bell. */
void keep_gate_exit(struct keep_gate *g, enum gate_exit reason);

#endif
