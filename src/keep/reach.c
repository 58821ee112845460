/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the program may go while it runs: CONFIG's rules, and the names that
 * it looked up.  What a name stands for is what the host said; so an address
 * is reached by the name that brought it, and TLS asks for that name.
 */
#include <stdlib.h>

#include "base/fmt.h"
#include "keep/net_priv.h"
#include "wasi/errno.h"

enum { NAMES = 32 };

/* A look-up; the newest take the oldest ones' places. */
struct keep_name {
	char name[NET_HOST_MAX + 1];
	struct net_address addresses[KEEP_GATE_ADDRESSES];
	size_t count;
};

bool net_reach_init(struct keep_net *n, struct err *e)
{
	const struct frame_config *c = n->config;
	if (!c->connect_count)
		return true;
	n->rules = calloc(c->connect_count, sizeof *n->rules);
	n->names = calloc(NAMES, sizeof *n->names);
	if (!n->rules || !n->names)
		return err_fail(e, ERR_LIMIT, "network: no memory");
	for (size_t i = 0; i < c->connect_count; i++) {
		const struct frame_rule *r = &c->connects[i];
		if (!net_rule_make(r->host, r->first, r->last, &n->rules[i], e))
			return err_wrap(e, "connect rule %zu", i);
	}
	return true;
}

void net_reach_fini(struct keep_net *n)
{
	free(n->rules);
	free(n->names);
}

/* --- connecting ------------------------------------------------------------
 */

static bool has_address(const struct keep_name *name,
	const struct net_address *a)
{
	for (size_t i = 0; i < name->count; i++)
		if (!memcmp(name->addresses[i].ip, a->ip, sizeof a->ip))
			return true;
	return false;
}

/* The name by which the rule allows the address; NULL: none. */
static const char *name_by_rule(const struct keep_net *n,
	const struct net_rule *r, const struct net_address *a, uint16_t port)
{
	for (size_t i = 0; i < NAMES; i++) {
		const struct keep_name *name =
			&n->names[(n->name_at + NAMES - 1 - i) % NAMES];
		if (!has_address(name, a))
			continue;
		switch (net_rules_name(r, 1, bytes_str(name->name), port)) {
		case NET_ALLOWED:
			return name->name;
		case NET_PUBLIC:
			if (net_address_is_public(a))
				return name->name;
			break;
		default:
			break;
		}
	}
	return NULL;
}

/* "10.0.0.1", "::1" */
static void print_address(const struct net_address *a, char out[64])
{
	char text[64];
	net_endpoint_print(a, 1, text);
	size_t six = text[0] == '[';
	size_t end = strlen(text) - strlen(":1") - six;
	fmt(out, 64, "%.*s", (int)(end - six), text + six);
}

/* The first rule that allows it: whom to ask for, and on which terms. */
static bool find_way(struct keep_net *n, const struct net_address *a,
	uint16_t port, char host[NET_HOST_MAX + 1], struct channel_terms **t)
{
	for (size_t i = 0; i < n->config->connect_count; i++) {
		const struct net_rule *r = &n->rules[i];
		const struct frame_rule *f = &n->config->connects[i];
		const char *name = name_by_rule(n, r, a, port);
		if (!name && !net_rules_address(r, 1, a, port))
			continue;
		if (name)
			fmt(host, NET_HOST_MAX + 1, "%s", name);
		else
			print_address(a, host);
		*t = net_terms(n, f->prot, f->profile);
		return true;
	}
	return false;
}

static int reach_connect(void *ctx, const struct wasi_address *to,
	struct wasi_stream *out)
{
	struct keep_net *n = ctx;
	struct net_address a;
	struct channel_terms *terms;
	char host[NET_HOST_MAX + 1];
	enum gate_error why;
	struct keep_socket *s;
	struct err ignored;
	memcpy(a.ip, to->ip, sizeof a.ip);
	if (!find_way(n, &a, to->port, host, &terms))
		return WASI_ACCES;
	if (!net_dial(n, bytes_str(host), to->port, terms, &s, &why, &ignored))
		return n->lost ? WASI_IO : socket_error(why);
	*out = (struct wasi_stream){ .ops = &socket_ops,
		.ctx = s,
		.socket = true };
	return WASI_OK;
}

/* --- listening -------------------------------------------------------------
 */

/* Which of the host's addresses it is, is its operator's choice. */
static int reach_listen(void *ctx, const struct wasi_address *at,
	struct wasi_stream *out)
{
	struct keep_net *n = ctx;
	const struct frame_config *c = n->config;
	struct keep_socket *s;
	enum gate_error why;
	struct err ignored;
	for (size_t i = 0; i < c->listen_count; i++) {
		const struct frame_rule *r = &c->listens[i];
		if (at->port < r->first || at->port > r->last)
			continue;
		if (!net_listen(n, at->port, net_terms(n, r->prot, r->profile),
			    &s, &why, &ignored))
			return n->lost ? WASI_IO : socket_error(why);
		*out = (struct wasi_stream){ .ops = &socket_listener_ops,
			.ctx = s,
			.socket = true };
		return WASI_OK;
	}
	return WASI_ACCES;
}

/* --- names ------------------------------------------------------------------
 */

static struct keep_name *place_for(struct keep_net *n, const char *name)
{
	for (size_t i = 0; i < NAMES; i++)
		if (!strcmp(n->names[i].name, name))
			return &n->names[i];
	struct keep_name *fresh = &n->names[n->name_at];
	n->name_at = (n->name_at + 1) % NAMES;
	fmt(fresh->name, sizeof fresh->name, "%s", name);
	return fresh;
}

static void give_addresses(const struct net_address *from, size_t count,
	struct wasi_address *out, size_t *n)
{
	*n = size_min(*n, count);
	for (size_t i = 0; i < *n; i++) {
		out[i] = (struct wasi_address){ .port = 0 };
		memcpy(out[i].ip, from[i].ip, sizeof out[i].ip);
	}
}

static int reach_resolve(void *ctx, struct bytes name, struct wasi_address *out,
	size_t *n)
{
	struct keep_net *net = ctx;
	struct net_address found[KEEP_GATE_ADDRESSES];
	size_t count = KEEP_GATE_ADDRESSES;
	char text[NET_HOST_MAX + 1];
	enum gate_error why;
	struct err ignored;
	if (net_address_parse(name, &found[0])) {
		give_addresses(found, 1, out, n);
		return WASI_OK;
	}
	if (!net_host_ok(name) || name.len > NET_HOST_MAX)
		return WASI_INVAL;
	if (net_rules_name(net->rules, net->config->connect_count, name, 0) ==
		NET_DENIED)
		return WASI_ACCES;
	if (!keep_gate_resolve(net->gate, name, found, &count, &why,
		    &ignored)) {
		net->lost = true;
		return WASI_IO;
	}
	if (why != GATE_OK)
		return socket_error(why);
	fmt(text, sizeof text, "%.*s", (int)name.len, (const char *)name.ptr);
	struct keep_name *k = place_for(net, text);
	memcpy(k->addresses, found, count * sizeof found[0]);
	k->count = count;
	give_addresses(found, count, out, n);
	return WASI_OK;
}

struct wasi_net keep_net_wasi(struct keep_net *n)
{
	return (struct wasi_net){ n, reach_listen, reach_connect,
		reach_resolve };
}
