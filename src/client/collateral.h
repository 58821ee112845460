/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache of collateral: what vendors' services say of platforms, signed by
 * them.  A file gets in only when its signature leads to a pinned root; how it
 * came here is no matter.  Files of a cache are read by `verify`.
 */
#ifndef CLIENT_COLLATERAL_H
#define CLIENT_COLLATERAL_H

#include "base/buf.h"
#include "base/err.h"

struct client_collateral {
	const char *cache;     /* a folder; made when it is not there */
	const char *kds, *pcs; /* base addresses; NULL: the vendors' own */
	const char *ca_file;   /* PEM for https; NULL: the system's */
	bool plain_http;
	unsigned timeout_s; /* 0: the default */
	int cancel_fd;	    /* -1: none */
	/* Told of each file that got in, "" or "already there". */
	void (*on_file)(void *ctx, const char *name, const char *what);
	void *ctx;
};

/* Fetches anew what the cache has, and what these files of evidence want. */
MUST_USE bool client_collateral_update(const struct client_collateral *c,
	const char *const *evidence, size_t count, struct err *e);
/* A table of what there is, or a JSON array; appended.  now: seconds since
 * 1970. */
MUST_USE bool client_collateral_show(const struct client_collateral *c,
	int64_t now, bool json, struct buf *out, struct err *e);
/* Copies the cache into a folder, or takes files and folders in. */
MUST_USE bool client_collateral_export(const struct client_collateral *c,
	const char *folder, struct err *e);
MUST_USE bool client_collateral_import(const struct client_collateral *c,
	const char *const *paths, size_t count, struct err *e);

#endif
