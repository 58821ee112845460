/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a client of repositories. */
#ifndef REPOSITORY_REPOSITORY_PRIV_H
#define REPOSITORY_REPOSITORY_PRIV_H

#include "net/web.h"
#include "repository/cache.h"
#include "repository/repository.h"

enum { REPOSITORY_TRIES = 5 };

struct repository_registry;

struct repository {
	struct repository_config cfg;
	struct net_web *web;
	struct repository_cache cache;
	bool has_cache;
	/* Those that were talked to, with what lets us in. */
	struct repository_registry *registries;
	size_t registry_count;
};

/* Opens the cache when it is needed first. */
MUST_USE bool repository_need_cache(struct repository *r, struct err *e);
/* Waits before trying again; false when it is time to give up. */
bool repository_pause(struct repository *r, unsigned attempt);
bool repository_is_cancelled(void *r);
void repository_tell(const struct repository *r, const char *what,
	const char *name, uint64_t done, uint64_t total, bool end);

#endif
