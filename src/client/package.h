/* SPDX-License-Identifier: Apache-2.0 */
/* The package that a tenant wants run: found, verified, and at hand before
 * anything is asked of a host. */
#ifndef CLIENT_PACKAGE_H
#define CLIENT_PACKAGE_H

#include "client/run.h"
#include "repository/sign.h"

struct client_package {
	struct repository_package package;
};

#define CLIENT_PACKAGE_NONE       \
	((struct client_package){ \
		{ .module = -1, .toml = -1, .data = -1, .data_fd = -1 } })

/* Which signatures are wanted: the policy's [[signatures]], and the key's.
 * Each may be NULL. */
MUST_USE bool client_package_trust(const char *policy, const char *key,
	const char *identity, struct repository_trust *out, struct err *e);
MUST_USE bool client_package_load(struct client_package *p,
	const struct client_job *job, struct err *e);
/* Fills w from its Donjon.toml, or from `config` in place of it. */
MUST_USE bool client_package_configure(const struct client_package *p,
	const char *config, struct client_workload *w, struct err *e);
void client_package_fini(struct client_package *p);

#endif
