/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host for one Keep, in a thread of the test: serves the gate honestly
 * with real sockets, and lies where the test wants it to.
 */
#ifndef TESTS_KEEP_HOST_H
#define TESTS_KEEP_HOST_H

#include <pthread.h>

#include "abi/gate.h"

enum { HOST_QUEUE = 16 };

struct host {
	int bell[2]; /* the Keep's end, ours */
	int area_fd;
	int wake[2]; /* a pipe: a connection was queued */
	struct gate_area *area;
	pthread_t thread;
	bool joined;
	pthread_mutex_t lock;
	int queue[HOST_QUEUE]; /* connections to accept */
	size_t queued;
	int slots[GATE_MAX_HANDLES + 1]; /* descriptors by handle, or -1 */
	uint32_t requests[GATE_OP_COUNT];
	/* Called with the honest reply in place. */
	void (*lie)(struct host *h, uint32_t op);
	bool die;	 /* set by a lie: hang up instead of replying */
	size_t send_max; /* most bytes that a SEND takes; 0: all */
	bool exited;
	uint64_t exit_reason;
	void *ctx; /* the test's own */
};

/* boot's owner and nonce may be changed before host_start. */
void host_init(struct host *h);
void host_start(struct host *h);
/* Waits until it served all that the Keep asked, which asks no more. */
void host_join(struct host *h);
/* The same, and closes everything. */
void host_fini(struct host *h);
/* Queues one end of a socketpair as a connection; returns the client's. */
int host_connect(struct host *h);

#endif
