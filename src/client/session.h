/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A conversation with a Keep over its channel, to its end: delivering a
 * workload, relaying standard streams and signals, taking results; or
 * attaching to a program, reading its log, stopping it.  One loop that waits
 * for everything at once; whoever is slow holds back only what it must.
 */
#ifndef CLIENT_SESSION_H
#define CLIENT_SESSION_H

#include "channel/frame.h"
#include "client/deliver.h"
#include "client/link.h"
#include "client/results.h"
#include "client/stdio.h"

/* Moments, in ns of the monotonic clock; 0: not reached. */
struct client_times {
	uint64_t begin, agent, asked, attested, verified, connected, delivered,
		started, first_output, exit;
};

uint64_t client_now(void);

struct client_session_config {
	enum frame_role role;
	struct net_http *http; /* upgraded to the Keep's channel */
	struct channel_identity *id;
	const uint8_t *keep; /* SHA-256 of the Keep's key */
	/* DEPLOY */
	struct client_deliver *deliver;
	struct client_results *results; /* of DEPLOY and ATTACH */
	bool detach;			/* leave as soon as the program runs */
	uint64_t time_ns;		/* the program's time limit, 0: none */
	/* STATUS: how long the Keep may take, from times->begin on. */
	uint64_t patience_ns;
	/* LOGS */
	bool follow;
	/* A signalfd of SIGINT, SIGTERM, SIGHUP, SIGQUIT. */
	int signal_fd;
	struct client_times *times;
	/* Told when the program starts; may be NULL. */
	void (*on_start)(void *ctx);
	void *ctx;
};

struct client_outcome {
	bool exited; /* the Keep's EXIT came */
	struct frame_exit exit;
	bool has_status;
	struct frame_status status; /* of all but DEPLOY */
	int left_by; /* the signal by which we left before the end; 0 */
	bool detached;
	struct buf receipt; /* RECEIPT's payload, or empty; buf_fini */
};

MUST_USE bool client_session_run(const struct client_session_config *cfg,
	struct client_outcome *out, struct err *e);

#endif
