/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tenant wants run: program, arguments, environment, directories,
 * limits.  Filled from Donjon.toml (client/config.h) and then from the
 * command line, whose word counts.
 */
#ifndef CLIENT_WORKLOAD_H
#define CLIENT_WORKLOAD_H

#include "base/err.h"

struct client_strings {
	char **ptr; /* owned, each */
	size_t count;
};

struct client_mount {
	char *host, *guest; /* owned */
	bool writable;	    /* and comes back when the program ends, unless */
	bool packaged; /* host is a folder of the package; "": an empty one */
};

struct client_workload {
	char *module;		    /* a reference: repository/repository.h */
	struct client_strings args; /* without the program's name */
	struct client_strings env;  /* KEY=value, no key twice */
	struct client_mount *mounts;
	size_t mount_count;
	uint64_t memory_bytes, time_ns, fuel; /* 0: no limit of the tenant's */
	bool null_stdio[3];
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
/* A folder of the package, or, with host "", an empty one. */
MUST_USE bool client_workload_mount(struct client_workload *w, const char *host,
	const char *guest, bool writable, struct err *e);
/* "1.5" seconds and the like, above 0. */
MUST_USE bool client_workload_time(struct client_workload *w,
	const char *seconds, struct err *e);
/* "67108864", "64M", "64MiB", "64 MiB", "1G". */
MUST_USE bool client_workload_memory(struct client_workload *w,
	const char *text, struct err *e);

#endif
