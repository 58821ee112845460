/* SPDX-License-Identifier: Apache-2.0 */
/* What run.c, steps.c and report.c share: one run under way. */
#ifndef CLIENT_RUN_PRIV_H
#define CLIENT_RUN_PRIV_H

#include "client/agent.h"
#include "client/api.h"
#include "client/package.h"
#include "client/run.h"
#include "client/session.h"
#include "client/verify.h"

struct client_run {
	const struct client_job *job;
	struct client_report *r;
	struct client_workload workload;
	struct client_package package;
	struct client_host host;   /* where it really is */
	struct client_agent agent; /* of our own, or all zero */
	struct net_http *http;
	struct channel_identity *id;
	struct client_deliver deliver;
	struct client_results results;
	struct client_verifier verifier;
	struct client_keep keep;
	struct attest_verdict *verdict;
	uint8_t owner[32], nonce[32], spki_hash[32];
	struct client_times times;
	struct client_outcome outcome;
	bool asked;    /* there is a Keep that waits for us */
	bool recorded; /* in the tenant's state */
	bool judged;   /* verdict is set */
};

/* --- steps.c: what people are told -------------------------------------- */

void client_steps_package(const struct client_run *run);
void client_steps_asked(const struct client_run *run);
void client_steps_measured(const struct client_run *run);
void client_steps_verified(const struct client_run *run);
/* Just before it is sealed and after it started. */
void client_steps_notes(const struct client_run *run);
void client_steps_running(const struct client_run *run);
/* r->status and r->reason from the outcome. */
void client_steps_outcome(struct client_run *run);

/* --- report.c ------------------------------------------------------------ */

/* e: why it failed, or NULL. */
void client_report_make(struct client_run *run, const struct err *e);

#endif
