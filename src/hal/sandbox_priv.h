/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allow-lists of system calls, by libseccomp.  What a list does not have
 * fails with EPERM; another architecture's calls kill the process.
 */
#ifndef HAL_SANDBOX_PRIV_H
#define HAL_SANDBOX_PRIV_H

#include "base/err.h"

#define SANDBOX_ANY (-1)

struct sandbox_rule {
	int call;	/* SCMP_SYS(...); one this machine lacks is skipped */
	int arg;	/* SANDBOX_ANY, or the argument that must equal... */
	uint64_t value; /* ...this */
};

/* What every loader needs for the sockets that its Keep was granted.  Ports
 * are bound before it is confined. */
enum { SANDBOX_NET_RULES = 6 };
extern const struct sandbox_rule sandbox_net[SANDBOX_NET_RULES];

/* Confines the calling process for good; sets no_new_privs. */
MUST_USE bool sandbox_load(const int *calls, size_t call_count,
	const struct sandbox_rule *rules, size_t rule_count, struct err *e);

#endif
