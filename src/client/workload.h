/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tenant wants run: program, arguments, environment, directories,
 * limits.  Filled from Donjon.toml (client/config.h) and then from the
 * command line, whose word counts.
 */
#ifndef CLIENT_WORKLOAD_H
#define CLIENT_WORKLOAD_H

#include "base/buf.h"
#include "base/err.h"
#include "channel/frame.h"

struct client_strings {
	char **ptr; /* owned, each */
	size_t count;
};

struct client_mount {
	char *host, *guest; /* owned */
	bool writable;	    /* and comes back when the program ends, unless */
	bool packaged; /* host is a folder of the package; "": an empty one */
	bool scratch;  /* writable, and does not come back */
	bool empty;    /* begins without what host has; it is made if need be */
};

/* A descriptor of the program, in the order of [[files]]. */
struct client_file {
	enum frame_fd_kind kind;
	char *name; /* owned; for FD_NAMES */
	/* Of sockets: */
	enum frame_prot prot;
	size_t profile; /* of TLS */
	uint16_t port;
	char *host;    /* owned; CONNECT */
	char *address; /* owned; LISTEN: on the host; "": any */
	bool nonblock;
	size_t mount; /* MOUNT: index */
};

/* One file, put below a mount when everything is known. */
struct client_item {
	char *guest;	/* owned; absolute */
	char *source;	/* owned; a file of ours, or ... */
	char *variable; /* owned; ... of our environment */
	bool secret;
	size_t mount;	  /* client_workload_settle: the mount ... */
	const char *path; /* ... and the path below it, in `guest` */
};

/* Where the program may connect or listen while it runs. */
struct client_rule {
	enum frame_prot prot;
	size_t profile;
	char *host; /* owned; "" of listen */
	uint16_t first, last;
};

/* Terms of TLS: what [tls] says, and what client/trust.h made of it. */
struct client_tls {
	char *where;  /* owned; in messages */
	char *folder; /* owned; "" or with a '/' at its end */
	/* Owned; each a file, or, when it begins with "-----BEGIN ", PEM. */
	char *ca, *certificate, *key;
	char *policy; /* owned; a file, or "" for the default one */
	bool attested, request, require;
	struct buf pins, alpn, owners; /* as in CONFIG */
	bool trusting;
	struct buf trust, chain, pkcs8, policy_wire;
};

struct client_workload {
	char *module;		    /* a reference: repository/repository.h */
	struct client_strings args; /* without the program's name */
	struct client_strings env;  /* KEY=value, no key twice */
	struct client_mount *mounts;
	size_t mount_count;
	uint64_t memory_bytes, time_ns, fuel; /* 0: no limit of the tenant's */
	uint16_t threads;
	uint64_t file_bytes;	   /* the same */
	struct client_file *files; /* none: 0, 1, 2, then the mounts */
	size_t file_count;
	struct client_item *items;
	size_t item_count;
	struct client_rule *connects, *listens;
	size_t connect_count, listen_count;
	struct client_tls *profiles; /* the first is [tls] */
	size_t profile_count;
	bool interpret;		     /* nothing is compiled in the Keep */
	struct client_strings notes; /* worth telling the tenant */
};

void client_workload_fini(struct client_workload *w);

MUST_USE bool client_workload_module(struct client_workload *w,
	const char *reference, struct err *e);
MUST_USE bool client_workload_arg(struct client_workload *w, const char *arg,
	struct err *e);
void client_workload_no_args(struct client_workload *w);
/* "KEY=value"; a later value of the same key replaces the earlier.  "KEY"
 * alone takes the value from our own environment. */
MUST_USE bool client_workload_env(struct client_workload *w, const char *pair,
	struct err *e);
/*
 * "HOST::GUEST[:ro|:rw]", read-only unless it says rw; HOST may be anything
 * without "::".  "HOST:GUEST[:ro|:rw]" too, when there is but one way to read
 * it; then GUEST begins with '/'.  GUEST has no "." and "..", or is ".".
 */
MUST_USE bool client_workload_dir(struct client_workload *w, const char *text,
	struct err *e);
/* "HOST::GUEST": empty and writable; HOST gets what the program leaves. */
MUST_USE bool client_workload_out(struct client_workload *w, const char *text,
	struct err *e);
/* A folder of ours, or an archive; scratch: what is written stays in the
 * Keep. */
MUST_USE bool client_workload_folder(struct client_workload *w,
	const char *host, const char *guest, bool writable, bool scratch,
	struct err *e);
/* A folder of the package, or, with host "", an empty one. */
MUST_USE bool client_workload_mount(struct client_workload *w, const char *host,
	const char *guest, bool writable, struct err *e);
/* --- descriptors and the network (client/network.c) ---------------------- */

/* An all-zero one more, to be filled; NULL without memory or beyond what a
 * Keep takes.  The same for the others. */
struct client_file *client_workload_file(struct client_workload *w,
	struct err *e);
struct client_item *client_workload_item(struct client_workload *w,
	struct err *e);
struct client_rule *client_workload_rule(struct client_workload *w,
	bool connect, struct err *e);
struct client_tls *client_workload_profile(struct client_workload *w,
	struct err *e);
/* Of these, what was there before makes way. */
void client_workload_no_files(struct client_workload *w);
void client_workload_no_rules(struct client_workload *w, bool connect);
/* Descriptors 0, 1 and 2, if there are no [[files]] yet. */
MUST_USE bool client_workload_streams(struct client_workload *w, struct err *e);
/*
 * "[NAME=][tls://|tcp://][ADDRESS:]PORT", "[NAME=][tls://|tcp://]HOST:PORT":
 * one more descriptor, TLS unless it says otherwise.
 */
MUST_USE bool client_workload_listen(struct client_workload *w,
	const char *text, struct err *e);
MUST_USE bool client_workload_connect(struct client_workload *w,
	const char *text, struct err *e);
/* Run-time rules: "[tls://|tcp://]HOST:PORTS", "any"; "[tls://|tcp://]PORTS";
 * TCP unless it says otherwise. */
MUST_USE bool client_workload_allow(struct client_workload *w, bool connect,
	const char *text, struct err *e);
MUST_USE bool client_workload_note(struct client_workload *w, const char *text,
	struct err *e);
/*
 * Nothing will be added any more: items find their mounts, every mount its
 * descriptor, the environment its FD_COUNT and FD_NAMES.
 */
MUST_USE bool client_workload_settle(struct client_workload *w, struct err *e);
/* It wants to connect somewhere. */
bool client_workload_connects(const struct client_workload *w);

/* "1.5" seconds and the like, above 0. */
MUST_USE bool client_workload_time(struct client_workload *w,
	const char *seconds, struct err *e);
/* "auto" or "interp". */
MUST_USE bool client_workload_engine(struct client_workload *w,
	const char *name, struct err *e);
/* "67108864", "64M", "64MiB", "64 MiB", "1G". */
MUST_USE bool client_workload_memory(struct client_workload *w,
	const char *text, struct err *e);
/* The same, for files; at least 4096. */
MUST_USE bool client_workload_files_limit(struct client_workload *w,
	const char *text, struct err *e);

#endif
