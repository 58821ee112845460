/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control messages between donjond and one donjon-keep: JSON objects, one a
 * packet, over a SOCK_SEQPACKET socketpair (docs/protocol.md, "Control").
 * Both ends check what they receive: donjon-keep serves a Keep that may have
 * been taken over by its workload, donjond must survive that.
 */
#ifndef HOST_CONTROL_H
#define HOST_CONTROL_H

#include "base/buf.h"
#include "base/err.h"

#define CONTROL_FD	  3 /* donjon-keep's end */
#define CONTROL_MAX_BYTES (160u << 10)
enum { CONTROL_GRANTS = 64, CONTROL_GRANT_BYTES = 288 };
/* With an id and `.gdb` behind it, a socket's name. */
enum { CONTROL_DEBUG_DIR = 64 };

enum control_type {
	/* donjond to donjon-keep */
	CONTROL_LAUNCH,	 /* first */
	CONTROL_CHANNEL, /* a client's connection; carries its descriptor */
	CONTROL_STOP,
	/* donjon-keep to donjond */
	CONTROL_PUBLISHED, /* evidence is there */
	CONTROL_CLOSED,	   /* a channel's transport ended */
	CONTROL_ENDED,	   /* last: the Keep is gone */
	CONTROL_TYPE_COUNT,
};

struct control_message {
	enum control_type type;
	/* LAUNCH */
	char id[33];
	char tee[16];
	char image_dir[512];
	char root_path[512];
	uint8_t nonce[32];
	uint8_t owner_key_hash[32];
	uint64_t memory_bytes;
	uint64_t owner_wait_ns;
	/* What the operator grants: strings, each with its NUL.  Endpoints
	 * to listen on, rules of where to connect (net/rule.h). */
	struct buf listen, connect;
	uint64_t max_connections, max_traffic; /* 0: no limit */
	bool emulated;			       /* on the software platform */
	/* Keeps can be looked into; "": they can't. */
	char debug_dir[CONTROL_DEBUG_DIR];
	/* CHANNEL, CLOSED */
	uint64_t channel;
	uint64_t bytes_in, bytes_out; /* CLOSED: to and from the Keep */
	/* PUBLISHED */
	struct buf claims, evidence, endorsements, certificate;
	bool software; /* evidence ends in a software root */
	/* ENDED */
	char reason[32]; /* "done", "stopped", ... or "crashed", "failed" */
	enum err_kind kind;
	char text[252];
};

void control_fini(struct control_message *m);
MUST_USE bool control_encode(const struct control_message *m, struct buf *out,
	struct err *e);
MUST_USE bool control_parse(struct bytes in, struct control_message *out,
	struct err *e);
/* Over the socket; *fd: a descriptor to pass or -1 / one received or -1.
 * recv: *got false when the peer is gone or (nonblocking) nothing waits. */
MUST_USE bool control_send(int sock, const struct control_message *m, int fd,
	struct err *e);
MUST_USE bool control_recv(int sock, struct control_message *out, int *fd,
	bool *got, bool *gone, struct err *e);
/* The peer has closed its end; what it sent before may still wait. */
bool control_gone(int sock);

#endif
