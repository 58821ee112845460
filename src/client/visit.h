/* SPDX-License-Identifier: Apache-2.0 */
/* Coming back to a Keep of one's own: `donjon attach`, `logs`, `stop`, `ps`. */
#ifndef CLIENT_VISIT_H
#define CLIENT_VISIT_H

#include "channel/frame.h"
#include "client/paths.h"

struct client_record;
struct net_http;

enum client_visit_kind {
	CLIENT_VISIT_ATTACH,
	CLIENT_VISIT_LOGS,
	CLIENT_VISIT_STOP,
};

struct client_visit {
	enum client_visit_kind kind;
	const char *id; /* or its first digits */
	/* NULL: what was noted when it was deployed */
	const char *url, *ca_file, *token_file;
	bool follow; /* LOGS: until the program ends */
	/* ATTACH, STOP: where the receipt goes that was asked for at
	 * deployment; NULL: where that said. */
	const char *receipt;
	int signal_fd; /* a signalfd of SIGINT, SIGTERM, SIGHUP, SIGQUIT */
};

struct client_visit_end {
	char id[33];
	int status;	   /* what the command should end with */
	bool detached;	   /* ATTACH: we left, it stays */
	bool gone;	   /* STOP: it had ended already */
	char reason[1024]; /* why the program ended, when not by itself */
	/* Where its receipt was written, or "". */
	char receipt[CLIENT_PATH_MAX];
	bool receipt_lost; /* it ended, and nobody was there to take it */
};

/* Only the key that was verified at deployment is spoken to. */
MUST_USE bool client_visit(const struct client_visit *v,
	struct client_visit_end *out, struct err *e);

/*
 * How far the Keep is, by its own word.  `http` is an idle connection to its
 * host and of no more use afterwards.
 */
MUST_USE bool client_visit_ask(const struct client_record *r,
	struct net_http *http, struct frame_status *out, struct err *e);

/* "stop --force": asks the host agent to end the Keep, without the Keep. */
MUST_USE bool client_visit_force(const struct client_visit *v,
	struct client_visit_end *out, struct err *e);

#endif
