/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `donjon run` and `donjon deploy`: ask, measure, verify, seal, run, report.
 * Nothing of the workload is sent before the Keep's evidence was accepted.
 */
#ifndef CLIENT_RUN_H
#define CLIENT_RUN_H

#include "base/buf.h"
#include "base/err.h"
#include "client/workload.h"

/* Where a host agent is and how we are let in. */
struct client_host {
	const char *url;	/* NULL: an agent of our own, for this run */
	const char *ca_file;	/* NULL: the system's */
	const char *token_file; /* NULL: $DONJON_TOKEN, or none */
	const char *name;	/* in messages; NULL: the address */
};

/* How packages are fetched. */
struct client_web {
	const char
		*ca_file;   /* for registries and the web; NULL: the system's */
	bool plain_http;    /* allowed beyond loopback */
	unsigned timeout_s; /* without progress; 0: the default */
};

struct repository_progress;

/* How far we are; each is told once. */
enum client_step {
	CLIENT_STEP_PACKAGE,
	CLIENT_STEP_ASKED,
	CLIENT_STEP_MEASURED,
	CLIENT_STEP_VERIFIED,
	CLIENT_STEP_WARNING, /* not confidential */
	CLIENT_STEP_SEALED,
	CLIENT_STEP_RUNNING,
	CLIENT_STEP_ENDED,
	CLIENT_STEP_NOTE, /* anything else worth saying */
};

struct client_job {
	struct client_host host;
	const char *images;   /* NULL: the installed ones */
	const char *tee;      /* "auto" or a technology */
	const char *platform; /* "auto", "hardware", "software" */
	const char *policy;   /* a file; NULL: the default policy */
	/* What to run (repository/reference.h), and a Donjon.toml in place of
	 * the one that comes with it; NULL. */
	const char *reference, *config;
	struct client_web web;
	/* A public key that must have signed it, for names of that pattern;
	 * NULL.  More comes from the policy's [[signatures]]. */
	const char *key, *identity;
	/* Has the last word on the workload, after its Donjon.toml. */
	bool (*configure)(void *ctx, struct client_workload *w, struct err *e);
	bool detach;
	const char *receipt; /* a file for the Keep's receipt; NULL: none */
	/* A signalfd of SIGINT, SIGTERM, SIGHUP, SIGQUIT. */
	int signal_fd;
	/* text: one line without its end; ns: since the beginning. */
	void (*on_step)(void *ctx, enum client_step step, const char *text,
		uint64_t ns);
	/* May be NULL. */
	void (*on_progress)(void *ctx, const struct repository_progress *p);
	void *ctx;
};

/* Begins when the command began: `begin` from client_run_begin. */
struct client_report {
	uint64_t begin;	   /* in: client_run_clock() at the command's start */
	int status;	   /* what the command should end with */
	char id[33];	   /* "" until there is a Keep */
	char reason[1024]; /* why the program ended, when not by itself; "" */
	struct buf json;   /* one line: everything, for --json */
	struct buf log;	   /* of our own agent, when the host failed us */
};

uint64_t client_run_clock(void);
/* False when it failed before the program ended; r->status is set anyway. */
MUST_USE bool client_run(const struct client_job *job, struct client_report *r,
	struct err *e);
void client_report_fini(struct client_report *r);

#endif
