/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where somebody may connect: rules of hosts and ports, as operators and
 * tenants write them.
 *
 *	HOST:PORT		one port
 *	HOST:FIRST-LAST		a range
 *	HOST:*			every port
 *	any			everything
 *
 * HOST is a name, *.NAME (anything below it), * (every name), an address, or
 * ADDRESS/BITS; an IPv6 address before a port stands in brackets.  A rule of
 * names with a * says nothing of addresses that are private to somebody: what
 * a name stands for is up to whoever serves it.  A rule of one name trusts it.
 */
#ifndef NET_RULE_H
#define NET_RULE_H

#include "base/bytes.h"
#include "base/err.h"

enum { NET_HOST_MAX = 253, NET_RULE_TEXT = 288 };

struct net_address {
	uint8_t ip[16]; /* IPv4 mapped (RFC 4291 §2.5.5.2) */
};

struct net_rule {
	enum {
		NET_RULE_NAME,
		NET_RULE_BELOW,
		NET_RULE_ADDRESS,
		NET_RULE_ANY
	} kind;
	char name[NET_HOST_MAX + 1]; /* lower case; BELOW: "" is every name */
	struct net_address address;
	unsigned bits; /* of it, 0 to 128 */
	uint16_t first, last;
};

MUST_USE bool net_rule_parse(const char *text, struct net_rule *out,
	struct err *e);
/* HOST alone, and ports beside it. */
MUST_USE bool net_rule_make(struct bytes host, uint16_t first, uint16_t last,
	struct net_rule *out, struct err *e);

/* What rules say of a name and a port (0: of any port). */
enum net_verdict {
	NET_DENIED,
	NET_BY_ADDRESS, /* its addresses that some rule allows */
	NET_PUBLIC,	/* those, and all that are not private */
	NET_ALLOWED,
};
enum net_verdict net_rules_name(const struct net_rule *list, size_t count,
	struct bytes name, uint16_t port);
bool net_rules_address(const struct net_rule *list, size_t count,
	const struct net_address *a, uint16_t port);

/* "ADDRESS:PORT", "[ADDRESS]:PORT"; "PORT" and ":PORT": any address. */
MUST_USE bool net_endpoint_parse(const char *text, struct net_address *a,
	uint16_t *port, struct err *e);
/* The same the other way round. */
void net_endpoint_print(const struct net_address *a, uint16_t port,
	char out[64]);

/* "10.0.0.1", "::1", "[::1]". */
bool net_address_parse(struct bytes text, struct net_address *out);
bool net_address_is_v4(const struct net_address *a);
/* Not loopback, private, link-local, multicast or otherwise special. */
bool net_address_is_public(const struct net_address *a);
/* 1 to 253 printable characters without blanks, no NUL. */
bool net_host_ok(struct bytes host);

#endif
