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

struct gate_slot {
	enum gate_slot_kind kind;
	int fd;		  /* -1 for SLOT_CHANNELS */
	uint64_t channel; /* as the host agent names it */
	uint64_t bytes_in, bytes_out;
};

struct gate_waiter {
	bool on; /* the Keep waits in POLL */
	size_t count;
	struct gate_poll list[GATE_MAX_POLL];
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

/* The reply's error for errno of a socket call. */
enum gate_error gate_net_error(int error);
/* A stream socket, whatever its address family. */
bool gate_net_is_stream(int fd);

/* Both are sure to be granted; the descriptor does not block. */
enum gate_error gate_net_listen(uint16_t port, int *fd);
enum gate_error gate_net_connect(const char *target, int *fd);
/* At most `max` addresses of 16 bytes each. */
enum gate_error gate_net_resolve(const char *host, uint8_t (*out)[16],
	size_t max, size_t *count);

bool gate_grants_port(const struct gate_grants *g, uint64_t port);
bool gate_grants_target(const struct gate_grants *g, const char *target);
bool gate_grants_host(const struct gate_grants *g, const char *host);

#endif
