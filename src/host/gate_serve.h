/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's half of the gate (abi/gate.h, docs/gate.md): serves one Keep's
 * requests, one at a time, out of its area.
 *
 * The area is written by a Keep that may have been taken over by its
 * workload: a request is copied out once and judged by a table of operations
 * and a table of phases.  What they do not list is illegal: the serving
 * function fails with ERR_DENIED and a name, and the caller ends the Keep.
 * What the host merely cannot or will not do is an error in the reply.
 *
 * Bytes of SEND and RECV go between socket and area without a copy: they are
 * ciphertext that nobody here looks at.
 */
#ifndef HOST_GATE_SERVE_H
#define HOST_GATE_SERVE_H

#include <poll.h>

#include "abi/gate.h"
#include "base/buf.h"
#include "base/err.h"
#include "net/rule.h"

enum gate_phase {
	GATE_PHASE_BOOT = 0,	  /* nothing asked for yet */
	GATE_PHASE_ATTESTED = 1,  /* has its evidence */
	GATE_PHASE_PUBLISHED = 2, /* has shown its face */
	GATE_PHASE_SERVING = 3,	  /* has listened */
	GATE_PHASE_GONE = 4,	  /* has said that it ends */
	GATE_PHASE_COUNT = 5,
};

/* What the gate does not do itself.  Each may fail; ctx is passed on. */
struct gate_sink {
	void *ctx;
	bool (*evidence)(void *ctx, struct bytes request, struct buf *evidence,
		struct buf *endorsements, struct err *e);
	/* Claims, evidence, endorsements, certificate. */
	bool (*published)(void *ctx, const struct bytes parts[4],
		struct err *e);
	/* Once for each channel; bytes to and from the Keep. */
	bool (*closed)(void *ctx, uint64_t channel, uint64_t bytes_in,
		uint64_t bytes_out, struct err *e);
	/* A debug Keep's text; NULL: none is taken. */
	void (*log)(void *ctx, struct bytes text);
	/* Looks a name up and tells gate_serve_answer; false when that can't
	 * be done now.  NULL: names have no addresses. */
	bool (*look_up)(void *ctx, uint32_t id, const char *name);
};

/* A port that the Keep may listen on. */
struct gate_port {
	struct net_address address;
	uint16_t port;
};

/* What the host operator lets a Keep reach; all-zero: nothing. */
struct gate_grants {
	const struct gate_port *ports;
	size_t port_count;
	const struct net_rule *connect;
	size_t connect_count;
	uint32_t max_streams; /* connections at once, but channels; 0: no
				 limit but that of handles */
	uint64_t max_bytes;   /* both ways, but channels; 0: no limit */
};

enum { GATE_MAX_PORTS = 64, GATE_MAX_ANSWER = 8 };

/* Addresses of a name that sink.look_up was asked for. */
struct gate_answer {
	uint32_t id;
	size_t count; /* 0: there are none */
	struct net_address address[GATE_MAX_ANSWER];
};

struct gate_serve; /* one Keep's gate */

/*
 * area, and what the grants point to, must outlive it.  Takes the ports that
 * are granted: ERR_HOST when one is not to be had.
 */
MUST_USE bool gate_serve_new(struct gate_area *area,
	const struct gate_sink *sink, const struct gate_grants *grants,
	struct gate_serve **out, struct err *e);
/* Closes every connection and reports each channel as closed. */
void gate_serve_free(struct gate_serve *g);

enum gate_turn {
	GATE_TURN_KEEP, /* the reply is in the area: ring */
	GATE_TURN_WAIT, /* the Keep waits for events: poll for it */
	GATE_TURN_END,	/* the Keep is done: gate_serve_reason */
};

/* The Keep rang. */
MUST_USE bool gate_serve_request(struct gate_serve *g, enum gate_turn *turn,
	struct err *e);
/* A connection for the Keep; the descriptor is taken in any case. */
MUST_USE bool gate_serve_channel(struct gate_serve *g, int fd, uint64_t channel,
	struct err *e);

/* What to poll for while the Keep waits: at most GATE_MAX_POLL entries;
 * *timeout_ns is -1 for none.  Returns their number. */
size_t gate_serve_watch(const struct gate_serve *g, struct pollfd *fds,
	int64_t *timeout_ns);
/* The same entries after polling; *turn is WAIT when nothing happened yet. */
void gate_serve_wake(struct gate_serve *g, const struct pollfd *fds,
	enum gate_turn *turn);

/* What look_up brought; *turn is KEEP when the Keep waited for it. */
void gate_serve_answer(struct gate_serve *g, const struct gate_answer *a,
	enum gate_turn *turn);

enum gate_phase gate_serve_phase(const struct gate_serve *g);
enum gate_exit gate_serve_reason(const struct gate_serve *g);
/* Why the host last failed a request; "" when it did not. */
const char *gate_serve_note(const struct gate_serve *g);

/* "done", "stopped", ... */
const char *gate_exit_name(enum gate_exit reason);

#endif
