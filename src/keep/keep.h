/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One Keep, from its first instruction to its last (docs/exec.md): who it is,
 * who is connected, what was delivered, what runs.  One thread; everything
 * that waits, waits in keep_serve_pump.
 *
 * A peer is one connection to this Keep.  The *holder* is the peer that has
 * the program's standard streams: who deployed it, or attached last.
 */
#ifndef KEEP_KEEP_H
#define KEEP_KEEP_H

#include "channel/channel.h"
#include "keep/clock.h"
#include "keep/gate.h"
#include "keep/identity.h"
#include "keep/net.h"
#include "keep/ring.h"
#include "keep/streams.h"
#include "keep/workload.h"

enum {
	KEEP_MAX_PEERS = 8,
	/* Seconds.  From its connection to its HELLO ... */
	KEEP_HELLO_TIME = 10,
	/* ... without a byte moved while the Keep waits for the peer ... */
	KEEP_STALL_TIME = 60,
	/* ... for its end, after all was said; it has the Keep's EXIT. */
	KEEP_LINGER_TIME = 2,
	/* Where the host sets no time for the owner to come. */
	KEEP_OWNER_TIME = 600,
};
#define KEEP_SECOND 1000000000ull

enum keep_phase {
	KEEP_PEER_NONE,	   /* a free place */
	KEEP_PEER_HELLO,   /* handshake, then its HELLO: not known yet */
	KEEP_PEER_LOADING, /* brings the workload; the holder */
	KEEP_PEER_HOLDING, /* the holder of a started program */
	KEEP_PEER_LOGS,	   /* is to say from where it reads the log */
	KEEP_PEER_FOLLOW,  /* reads the log */
	KEEP_PEER_STOP,	   /* waits for the end that it asked for */
	KEEP_PEER_FLUSH,   /* gets what was said, then no more */
	KEEP_PEER_LINGER,  /* is to hang up */
};

struct keep_peer {
	enum keep_phase phase;
	uint32_t handle;
	struct channel *channel;
	bool deployer;	   /* brought the workload */
	bool blocked;	   /* the last SEND was told to poll first */
	bool deaf;	   /* it takes no more; what it said is still heard */
	uint64_t since;	   /* when the phase began */
	uint64_t progress; /* when a byte last moved */
	uint64_t log_at;   /* FOLLOW: next byte of the log */
};

struct keep {
	struct keep_gate gate;
	struct keep_clock clock;
	struct keep_identity identity;
	struct keep_workload load;
	struct keep_streams streams;
	struct keep_ring log; /* of a detached Keep */
	uint32_t listener;
	uint8_t *inbox; /* GATE_DATA_BYTES */
	struct keep_gate_turn turn;
	struct keep_net net; /* the program's, while it runs */
	bool (*put_code)(void *to, const void *code, size_t len);
	struct keep_peer peers[KEEP_MAX_PEERS];
	struct keep_peer *holder;
	bool detached; /* the program outlives its holder */

	enum frame_state_run state;
	bool finished; /* RUNNING still, but only its last output is due */
	uint64_t started, deadline; /* of the program, monotonic */
	uint64_t began, ended;	    /* the same by the tenant's clock */
	uint64_t idle_since;
	bool stopping;	 /* the program is to end, and its exit is known */
	bool stop_asked; /* and the Keep with it, detached or not */
	struct frame_exit exit;
	enum gate_exit last; /* what the program's end means to the host */

	bool over;	       /* the Keep ends ... */
	enum gate_exit reason; /* ... because */
};

/* keep.c: the whole life, up to the reason for its end.  put_code: as in
 * struct wasm_limits. */
enum gate_exit keep_live(struct keep *k, int bell, int area,
	bool (*put_code)(void *to, const void *code, size_t len),
	struct err *e);
/* The same, once the gate is open and the Keep has its identity. */
enum gate_exit keep_serve(struct keep *k, struct err *e);
void keep_fini(struct keep *k); /* wipes */

/* The Keep ends; the first reason stands. */
void keep_end(struct keep *k, enum gate_exit reason);
/* The running program is to end; the host is told `last` then. */
void keep_stop(struct keep *k, enum frame_end end, uint32_t status,
	enum gate_exit last);
/* From now on the program outlives its holder, and output goes to the log. */
MUST_USE bool keep_detach(struct keep *k, struct err *e);
struct frame_status keep_status(struct keep *k);
/* When the Keep ends for want of anything to do; KEEP_CLOCK_NEVER. */
uint64_t keep_idle_deadline(const struct keep *k);

/* serve.c: peers and their transport. */
MUST_USE bool keep_serve_open(struct keep *k, struct err *e);
/*
 * Moves what can be moved, waits for an event or until `deadline`
 * (monotonic), handles it.  False only when the gate is lost.
 */
MUST_USE bool keep_serve_pump(struct keep *k, uint64_t deadline, struct err *e);
void keep_serve_fini(struct keep *k);
/* Encrypts a frame for the peer; the caller saw that there is room. */
void keep_serve_say(struct keep *k, struct keep_peer *p, enum frame_type type,
	struct bytes payload);
/* Says why, hangs up after it went out. */
void keep_serve_refuse(struct keep *k, struct keep_peer *p,
	const struct err *why);
/* Hangs up in order, after what was said went out. */
void keep_serve_part(struct keep *k, struct keep_peer *p);
void keep_serve_phase(struct keep *k, struct keep_peer *p,
	enum keep_phase phase);
/* Sends the peer's output as far as its transport takes it now. */
MUST_USE bool keep_serve_flush(struct keep *k, struct keep_peer *p,
	struct err *e);

/* talk.c: what peers say, and what becomes of the Keep when they go. */
MUST_USE bool keep_talk_frame(struct keep *k, struct keep_peer *p,
	const struct frame *f, struct err *e);
/* Frames that are due to the peer without its asking: log, credit, end. */
void keep_talk_push(struct keep *k, struct keep_peer *p);
/* The peer is no longer there, or broke the protocol. */
void keep_talk_lost(struct keep *k, struct keep_peer *p, bool broken);

/* run.c: from START to the end of the program. */
MUST_USE bool keep_run(struct keep *k, struct err *e);

/* receipt.c: RECEIPT's payload, signed. */
MUST_USE bool keep_receipt_make(const struct keep *k, struct buf *out,
	struct err *e);

/* results.c: what the program left in returned mounts, then how it ended,
 * to the holder, if there is one. */
MUST_USE bool keep_results_send(struct keep *k, struct err *e);

#endif
