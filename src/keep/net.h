/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's sockets: descriptors of wasi/wasi.h on one side, handles of
 * the gate on the other, TLS between them where the tenant wants it.  The
 * program is told nothing of TLS: a connection that it accepts has ended its
 * handshake, one that was cut reads as an error, one that is closed ends with
 * close_notify.
 *
 * Only what the tenant's CONFIG names can be reached, whatever the program
 * asks for and the host would allow.  A host can refuse, delay and cut; what
 * it changes below TLS is found out.
 *
 * Readiness is what the host last said of a handle that the program was
 * refused something on: who is not waited for is not polled.
 */
#ifndef KEEP_NET_H
#define KEEP_NET_H

#include "base/reader.h"
#include "channel/frame.h"
#include "channel/terms.h"
#include "keep/clock.h"
#include "keep/gate.h"
#include "keep/identity.h"
#include "keep/judge.h"
#include "wasi/wasi.h"

struct keep_name;
struct keep_socket;

struct keep_net {
	struct keep_gate *gate;
	struct keep_clock *clock;
	uint8_t *inbox; /* GATE_DATA_BYTES, borrowed */
	const struct frame_config *config;
	struct channel_terms **terms; /* one for each TLS profile */
	struct keep_judge **judges;   /* the same; NULL: anybody may be it */
	struct keep_socket *sockets;
	struct keep_socket **polled; /* those of the last question ... */
	struct keep_socket **sent;   /* ... and of what was sent with it */
	uint64_t room;		     /* bytes that sockets may still take */
	uint64_t turn;		     /* counts the questions */
	size_t leaving; /* closed by the program, but not done yet */
	bool lost;	/* the gate is */
	/* Run time (reach.c): one rule for each of CONFIG's connect rules, and
	 * the latest look-ups. */
	struct net_rule *rules;
	struct keep_name *names;
	size_t name_at; /* the next one's place */
};

/* A listening or connected socket of CONFIG has this much time to begin. */
enum { KEEP_NET_DIAL_TIME = 60 };

/* All-zero is a network without anything.  trust: contents of TRUST for each
 * profile; memory: what sockets may take. */
MUST_USE bool keep_net_init(struct keep_net *n, struct keep_gate *gate,
	struct keep_clock *clock, uint8_t *inbox,
	const struct frame_config *config, const struct buf *trust,
	const struct keep_identity *id, uint64_t memory, struct err *e);
void keep_net_fini(struct keep_net *n); /* closes what is open */

/* The socket of a descriptor of CONFIG.  ERR_DENIED, ERR_HOST: why not.  A
 * connection is not there yet: keep_net_dialled. */
MUST_USE bool keep_net_open(struct keep_net *n, const struct frame_fd *fd,
	struct wasi_stream *out, struct err *e);
/* Whether the socket's connection is there; false with why it failed. */
MUST_USE bool keep_net_dialled(const struct wasi_stream *s, bool *done,
	struct err *e);

/* For sockets that the program opens itself; `n` stays where it is. */
struct wasi_net keep_net_wasi(struct keep_net *n);

/* keep_clock_real, for terms. */
uint64_t keep_net_real_time(void *clock);

/* --- for the pump (serve.c) ----------------------------------------------- */

/* Adds what waits to be sent and what is waited for to the turn, and brings
 * the deadline forward. */
MUST_USE bool keep_net_ask(struct keep_net *n, struct keep_gate_turn *t,
	uint64_t *deadline, struct err *e);
/* What came of it: the polls and sends from the first that keep_net_ask added
 * on; *taken stands where their bytes begin. */
MUST_USE bool keep_net_hear(struct keep_net *n, const struct keep_gate_turn *t,
	size_t polls, size_t sends, struct reader *taken, struct err *e);
/* Output of closed sockets waits still. */
bool keep_net_unsent(const struct keep_net *n);

#endif
