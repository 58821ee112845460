/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address of a host agent: http://HOST[:PORT][/PREFIX],
 * https://HOST[:PORT][/PREFIX] or unix:///PATH.  Nothing else: no user, no
 * query, no fragment, no blanks.
 */
#ifndef NET_URL_H
#define NET_URL_H

#include "base/bytes.h"
#include "base/err.h"

struct net_url {
	bool https, local; /* local: a Unix socket, or loopback */
	char socket[108];  /* unix: the path; else "" */
	char host[256];	   /* "HOST:PORT" as the Host header has it */
	char prefix[256];  /* "" or "/PREFIX", no slash at its end */
};

MUST_USE bool net_url_parse(const char *text, struct net_url *out,
	struct err *e);

#endif
