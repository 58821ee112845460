/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies bytes both ways between two streams in the event loop: a client's
 * socket, perhaps below TLS, and a socket of ours.  Each direction has one
 * bounded buffer, ends on its own, and waits when the other side is slow.
 */
#ifndef HOST_RELAY_H
#define HOST_RELAY_H

#include "base/bytes.h"
#include "host/loop.h"

enum { RELAY_BYTES = 16 << 10 };

struct relay;

/* Result of a read or write that moved nothing. */
enum { RELAY_END = 0, RELAY_AGAIN = -1, RELAY_FAILED = -2 };

/* How one end is read and written; non-blocking. */
struct relay_ops {
	ssize_t (*read)(struct relay *r, void *to, size_t room);
	ssize_t (*write)(struct relay *r, const void *from, size_t len);
	void (*shut)(struct relay *r); /* no more will be written */
};

struct relay_way {
	uint8_t bytes[RELAY_BYTES];
	size_t at, len; /* what is still to be written */
	bool ended;	/* the source has no more */
	bool shut;	/* the destination was told so, or is gone */
};

struct relay {
	struct loop *loop;
	int far_fd, near_fd;	     /* the client's side; ours.  Owned */
	struct watch far, near;	     /* watched while something is wanted */
	const struct relay_ops *ops; /* of `far`; NULL: a plain socket */
	struct relay_way in, out;    /* far to near; near to far */
	bool told;		     /* far knows that no more comes */
	bool moved; /* bytes to far, since it was last looked at */
	struct timer linger;
	void (*done)(struct relay *r); /* may free it */
};

/*
 * Starts; takes over both descriptors (non-blocking) whatever happens.
 * `early` (at most RELAY_BYTES) goes to `near` first.  done is called once,
 * later, with both closed.
 */
MUST_USE bool relay_start(struct relay *r, struct loop *loop, int far, int near,
	struct bytes early, struct err *e);
/* Closes both at once, without done. */
void relay_stop(struct relay *r);

#endif
