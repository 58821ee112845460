/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate's inner parts: who judges a request (gate_serve.c), who serves it
 * (gate_ops.c), sockets that the host operator granted (gate_net.c).
 */
#ifndef HOST_GATE_PRIV_H
#define HOST_GATE_PRIV_H

#include "host/gate_serve.h"

enum gate_slot_kind {
	SLOT_FREE,
	SLOT_CHANNELS, /* listens for connections that ask for this Keep */
	SLOT_LISTENER, /* a TCP port */
	SLOT_CHANNEL,  /* a connection that asked for this Keep */
	SLOT_STREAM,   /* any other connection */
};

/* A connection that is not there yet (gate_dial.c). */
struct gate_dial {
	uint32_t lookup; /* its id, until the answer came; then 0 */
	enum net_verdict verdict;
	uint16_t port;
	size_t count, at; /* addresses: those left are from `at` on */
	struct net_address address[GATE_MAX_ANSWER];
	uint64_t next_ns;      /* when the next address is tried ... */
	uint64_t last_ns;      /* ... and when nothing is */
	enum gate_error error; /* of the last address */
};

struct gate_slot {
	enum gate_slot_kind kind;
	int fd;		  /* -1 for SLOT_CHANNELS, and before one is dialled */
	uint64_t channel; /* as the host agent names it */
	uint64_t bytes_in, bytes_out;
	size_t port;		/* LISTENER: index into the ports */
	uint64_t rest_ns;	/* LISTENER: no descriptors until then */
	struct gate_dial *dial; /* STREAM: owned, while it is made */
	enum gate_error error;	/* STREAM: it could not be made */
};

/* A name that RESOLVE asked for. */
struct gate_lookup {
	uint32_t id; /* 0: a free place */
	bool done;
	bool told; /* a POLL ended because it is */
	char name[NET_HOST_MAX + 1];
	struct gate_answer answer;
};

struct gate_waiter {
	bool on; /* the Keep waits in POLL */
	size_t count, sent_count;
	struct gate_poll list[GATE_MAX_POLL];
	struct gate_sent sent[GATE_MAX_SENDS]; /* before it waited */
	uint64_t deadline_ns; /* CLOCK_MONOTONIC; UINT64_MAX: none */
};

/* Connections that the Keep did not accept yet, oldest first. */
struct gate_queue {
	size_t first, count;
	struct {
		int fd;
		uint64_t channel;
	} entry[64];
};

struct gate_serve {
	struct gate_area *area;
	struct gate_sink sink;
	struct gate_grants grants;
	int ports[GATE_MAX_PORTS];     /* bound; of the grants' ports */
	bool listens[GATE_MAX_PORTS];  /* a handle stands for it */
	uint32_t streams;	       /* that count */
	uint64_t traffic;	       /* bytes of streams */
	uint32_t last_lookup;	       /* id */
	struct gate_lookup lookups[8]; /* of RESOLVE */
	enum gate_phase phase;
	enum gate_exit reason;
	uint32_t seq; /* of the last request */
	bool has_channels;
	struct buf copy;			  /* of the request's data */
	struct gate_slot slots[GATE_MAX_HANDLES]; /* handle - 1 */
	struct gate_queue queue;
	struct gate_waiter waiter;
	char note[128];
};

/* One request being served. */
struct gate_call {
	struct gate_request req; /* the copy, in range by the table */
	struct gate_slot *slot;	 /* of arg0, when that is a handle */
	struct gate_reply reply; /* sequence and zeros so far */
	enum gate_turn turn;
};

/* Fails when the request is illegal or the host agent is gone; sets
 * reply.error when the host says no. */
typedef bool gate_op_serve(struct gate_serve *g, struct gate_call *c,
	struct err *e);
gate_op_serve gate_op_evidence, gate_op_publish, gate_op_listen, gate_op_accept,
	gate_op_connect, gate_op_send, gate_op_recv, gate_op_shutdown,
	gate_op_close, gate_op_poll, gate_op_resolve, gate_op_time_hint,
	gate_op_log, gate_op_exit;

/* A handle that was given out; NULL for any other. */
struct gate_slot *gate_slot_find(struct gate_serve *g, uint64_t handle);
/* Ends what the handle stands for; a channel is reported. */
MUST_USE bool gate_slot_close(struct gate_serve *g, struct gate_slot *s,
	struct err *e);
uint64_t gate_now_ns(void);

/* Both never wait; *n is 0 unless GATE_OK.  Into or from the shared area. */
enum gate_error gate_slot_send(struct gate_serve *g, struct gate_slot *s,
	struct bytes in, size_t *n);
enum gate_error gate_slot_recv(struct gate_serve *g, struct gate_slot *s,
	uint8_t *to, size_t most, size_t *n);

/* The reply's error for errno of a socket call. */
enum gate_error gate_net_error(int error);
/* A stream socket, whatever its address family. */
bool gate_net_is_stream(int fd);
/* Small segments go out at once. */
void gate_net_tune(int fd);
/* A bound socket that does not listen yet. */
MUST_USE bool gate_net_bind(const struct gate_port *p, int *fd, struct err *e);
enum gate_error gate_net_listen(int fd);
/* Back to bound. */
void gate_net_unlisten(int fd);
/* Begins; the descriptor does not block. */
enum gate_error gate_net_connect(const struct net_address *to, uint16_t port,
	int *fd);
/* How the connection came out, once it is writable. */
enum gate_error gate_net_connected(int fd);

/* One more connection is within the grants. */
bool gate_net_room(const struct gate_serve *g);

/* --- gate_dial.c --- */

enum { GATE_LOOKUP_S = 20, GATE_ATTEMPT_S = 5, GATE_DIAL_S = 30 };

/* "host:port": DENIED, NAME, LIMIT, or OK with a dial. */
enum gate_error gate_dial_new(struct gate_serve *g, const char *target,
	struct gate_dial **out);
/* The slot's socket is writable, or time went by.  The dial ends when there
 * is a connection, or s->error. */
void gate_dial_step(struct gate_slot *s, bool ready);
void gate_dial_answer(struct gate_serve *g, struct gate_slot *s,
	const struct gate_answer *a);
/* When it wants to be stepped next. */
uint64_t gate_dial_due(const struct gate_dial *d);
/* AGAIN while it is looked up. */
enum gate_error gate_dial_resolve(struct gate_serve *g, const char *name,
	struct gate_answer *out);
/* Is there an answer for RESOLVE that no POLL has ended for?  Says so once. */
bool gate_dial_news(struct gate_serve *g);

#endif
