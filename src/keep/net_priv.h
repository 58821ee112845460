/* SPDX-License-Identifier: Apache-2.0 */
/* What net.c (who is there, what is waited for) and socket.c (what one socket
 * does) share. */
#ifndef KEEP_NET_PRIV_H
#define KEEP_NET_PRIV_H

#include "channel/stream.h"
#include "keep/net.h"

enum {
	/* Seconds: of a handshake; of a peer's end after ours; of output that
	 * the program left, without a byte moved. */
	SHAKE_TIME = 10,
	LEAVE_TIME = 5,
	FLUSH_TIME = 10,
	/* Connections whose handshake a listener has under way, or ended
	 * without the program's taking them. */
	MOST_PENDING = 64,
	ACCEPT_BURST = 16,
	/* Output that does not wait for the program to wait. */
	FLUSH_BYTES = 32 << 10,
	/* What is taken of a connection with a turn: a record of TLS. */
	TAKE_BYTES = 17 << 10,
	/* What a socket costs: its buffers and, with TLS, OpenSSL's. */
	PLAIN_BYTES = 64 << 10,
	TLS_BYTES = 128 << 10,
};
#define SECOND_NS 1000000000ull

enum socket_state {
	SOCKET_LISTEN,
	SOCKET_DIAL,	/* the host connects */
	SOCKET_SHAKE,	/* TLS begins */
	SOCKET_OPEN,	/* bytes can go */
	SOCKET_FAILED,	/* error, why */
	SOCKET_LEAVING, /* the program closed it; its output goes out, with
			   TLS the peer's end is waited for */
};

struct keep_socket {
	struct keep_socket *prev, *next;
	struct keep_net *net;
	enum socket_state state;
	uint32_t handle;	       /* 0: it has none any more */
	struct channel_terms *terms;   /* borrowed; NULL: without TLS */
	struct channel_stream *stream; /* once there is a connection */
	char *host;		       /* DIAL with TLS: whom we expect */
	/* A connection that the program did not take yet has its listener. */
	struct keep_socket *listener;
	size_t pending; /* LISTEN: how many have this one */
	bool orphan;	/* no descriptor of the program's leads here */
	unsigned asked; /* WASI_READY_* refused since the host last said so */
	enum { NOTHING, MAYBE, SURELY } readable; /* as the host last said */
	bool writable;				  /* the same */
	bool eof;				  /* the peer sends no more */
	bool shut_read, shut_write;
	/* Why output that the program left here was lost, until it is told. */
	enum gate_error lost;
	bool fin_due;	       /* our end, once the output is out */
	uint64_t refused_turn; /* when a read was refused without asking */
	uint64_t deadline;     /* SHAKE, LEAVING: KEEP_CLOCK_NEVER otherwise */
	uint64_t cost;
	int error; /* WASI_* */
	struct err why;
};

/* --- net.c -----------------------------------------------------------------
 */

/* NULL: no room. */
struct keep_socket *net_new(struct keep_net *n, enum socket_state state,
	uint32_t handle, struct channel_terms *terms);
/* What is set aside for it. */
uint64_t net_cost(const struct channel_terms *terms);
/* Gives the handle back and forgets the socket. */
void net_drop(struct keep_socket *s);

/* A listener, a connection on its way; *why is set when there is none. */
bool net_listen(struct keep_net *n, uint16_t port, struct channel_terms *terms,
	struct keep_socket **out, enum gate_error *why, struct err *e);
bool net_dial(struct keep_net *n, struct bytes host, uint16_t port,
	struct channel_terms *terms, struct keep_socket **out,
	enum gate_error *why, struct err *e);
/* NULL: without TLS. */
struct channel_terms *net_terms(const struct keep_net *n, unsigned prot,
	unsigned profile);

/* --- reach.c ----------------------------------------------------------------
 */

MUST_USE bool net_reach_init(struct keep_net *n, struct err *e);
void net_reach_fini(struct keep_net *n);

/* --- socket.c ---------------------------------------------------------------
 */

extern const struct wasi_stream_ops socket_listener_ops, socket_ops;

/* What the host said of its handle, and the bytes that it took from there. */
void socket_hear(struct keep_socket *s, const struct gate_poll *p,
	struct bytes in);
/* Something waits to be sent. */
bool socket_unsent(const struct keep_socket *s);
/* Sends it now, as far as the host takes it. */
void socket_flush(struct keep_socket *s);
/* The same, for who sends it together with others': nothing, when it can't be
 * or is the last before an end. */
struct bytes socket_output(const struct keep_socket *s);
void socket_sent(struct keep_socket *s, size_t n, enum gate_error why);
/* Its time is over. */
void socket_expire(struct keep_socket *s);
/* What is to be waited for, and taken when it is there. */
struct gate_poll socket_wants(const struct keep_socket *s);
/* There is a connection: TLS begins, or it is open. */
void socket_begin(struct keep_socket *s);
int socket_error(enum gate_error why);

#endif
