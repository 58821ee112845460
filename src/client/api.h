/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host agent is asked and what it answers (docs/protocol.md, "HTTP
 * API").  The agent is untrusted: every member is bounded and checked, and
 * text that may be shown is printable ASCII.
 */
#ifndef CLIENT_API_H
#define CLIENT_API_H

#include "base/buf.h"
#include "base/err.h"

struct net_http;
struct client_workload;

struct client_ask {
	const char *tee;      /* a technology's name, or "auto" */
	const char *platform; /* "hardware", "software", "auto" */
	uint8_t nonce[32], owner[32];
	uint64_t memory; /* bytes; 0: the agent's default */
	const struct client_workload *workload; /* for its ports; may be NULL */
};

/* A Keep as its agent describes it. */
struct client_keep {
	char id[33];	/* 32 lower-case hexadecimal digits */
	char tee[17];	/* lower-case letters, digits, '-' */
	char state[17]; /* the same */
	char owner[65]; /* hexadecimal, or "" */
	char reason[33];
	bool software;
	uint64_t created, ended, memory, channels, bytes_in, bytes_out;
	/* Empty when the answer came without evidence. */
	struct buf claims, evidence, endorsements, certificate;
};

void client_keep_fini(struct client_keep *k);
void client_keeps_free(struct client_keep *list, size_t count);

/* One Keep object; with `evidence` its four parts are required. */
MUST_USE bool client_keep_parse(struct bytes json, bool evidence,
	struct client_keep *out, struct err *e);
MUST_USE bool client_keeps_parse(struct bytes json, struct client_keep **list,
	size_t *count, struct err *e);

struct client_technology {
	char name[17], detail[193], missing[257];
	bool available, confidential, software;
};

struct client_platform {
	char version[33], automatic[17]; /* automatic: "" for none */
	uint8_t software_root[32];
	bool has_root;
	size_t count;
	struct client_technology technologies[12];
	struct buf json; /* the whole, for --json */
};

void client_platform_fini(struct client_platform *p);
MUST_USE bool client_platform_parse(struct bytes json,
	struct client_platform *out, struct err *e);

/* The requests.  Asking for a Keep is in two halves: it takes the agent a
 * while, and the tenant has things to do meanwhile. */
MUST_USE bool client_api_ask(struct net_http *h, const struct client_ask *ask,
	struct err *e);
MUST_USE bool client_api_asked(struct net_http *h, struct client_keep *out,
	struct err *e);
MUST_USE bool client_api_keep(struct net_http *h, const char *id, bool evidence,
	struct client_keep *out, struct err *e);
/* The same of a Keep whose channel was cut: the host learns of its end a moment
 * later than its tenant may, and is asked until it has, for a while. */
MUST_USE bool client_api_settled(struct net_http *h, const char *id,
	struct client_keep *out, struct err *e);
MUST_USE bool client_api_keeps(struct net_http *h, struct client_keep **list,
	size_t *count, struct err *e);
/* *gone: there was no such Keep (any more). */
MUST_USE bool client_api_end(struct net_http *h, const char *id, bool *gone,
	struct err *e);
MUST_USE bool client_api_platform(struct net_http *h,
	struct client_platform *out, struct err *e);
/* The connection becomes the Keep's channel. */
MUST_USE bool client_api_channel(struct net_http *h, const char *id,
	struct err *e);

#endif
