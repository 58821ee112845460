/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections on their way: the name is looked up elsewhere, addresses are
 * tried one after the other, and nothing here ever waits.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "host/gate_priv.h"

#define SECOND_NS UINT64_C(1000000000)

static bool allowed(const struct gate_serve *g, enum net_verdict v,
	const struct net_address *a, uint16_t port)
{
	return v == NET_ALLOWED ||
		(v == NET_PUBLIC && net_address_is_public(a)) ||
		net_rules_address(g->grants.connect, g->grants.connect_count, a,
			port);
}

/* --- looking up --------------------------------------------------------- */

/* An id that says nothing about earlier ones but that it is later. */
static bool look_up(struct gate_serve *g, const char *name, uint32_t *id)
{
	if (++g->last_lookup == 0)
		g->last_lookup = 1;
	*id = g->last_lookup;
	return g->sink.look_up && g->sink.look_up(g->sink.ctx, *id, name);
}

static struct gate_lookup *find_name(struct gate_serve *g, const char *name)
{
	struct gate_lookup *free_one = NULL;
	for (size_t i = 0; i < ARRAY_LEN(g->lookups); i++) {
		struct gate_lookup *l = &g->lookups[i];
		if (l->id && !strcmp(l->name, name))
			return l;
		if (!l->id)
			free_one = l;
	}
	return free_one;
}

enum gate_error gate_dial_resolve(struct gate_serve *g, const char *name,
	struct gate_answer *out)
{
	const struct gate_grants *r = &g->grants;
	enum net_verdict v = net_rules_name(r->connect, r->connect_count,
		bytes_str(name), 0);
	struct gate_lookup *l = find_name(g, name);
	size_t n = 0;
	if (net_address_parse(bytes_str(name), &out->address[0])) {
		out->count = 1;
		return net_rules_address(r->connect, r->connect_count,
			       &out->address[0], 0) ?
			GATE_OK :
			GATE_DENIED;
	}
	if (v == NET_DENIED)
		return GATE_DENIED;
	if (!l)
		return GATE_LIMIT;
	if (!l->id) {
		*l = (struct gate_lookup){ .id = 0 };
		fmt(l->name, sizeof l->name, "%s", name);
		if (look_up(g, name, &l->id))
			return GATE_AGAIN;
		l->id = 0;
		return GATE_NAME;
	}
	if (!l->done)
		return GATE_AGAIN;
	for (size_t i = 0; i < l->answer.count; i++)
		if (allowed(g, v, &l->answer.address[i], 0))
			out->address[n++] = l->answer.address[i];
	bool any = l->answer.count != 0;
	out->count = n;
	l->id = 0;
	if (n)
		return GATE_OK;
	return any ? GATE_DENIED : GATE_NAME;
}

bool gate_dial_news(struct gate_serve *g)
{
	bool news = false;
	for (size_t i = 0; i < ARRAY_LEN(g->lookups); i++) {
		struct gate_lookup *l = &g->lookups[i];
		news = news || (l->id && l->done && !l->told);
		l->told = l->done;
	}
	return news;
}

/* --- dialling ----------------------------------------------------------- */

/* Splits at the last colon; brackets around an IPv6 address go. */
static bool split(const char *target, char host[NET_HOST_MAX + 1],
	uint16_t *port)
{
	const char *colon = strrchr(target, ':');
	char *end;
	if (!colon || colon == target || colon[1] < '0' || colon[1] > '9')
		return false;
	unsigned long n = strtoul(colon + 1, &end, 10);
	size_t len = (size_t)(colon - target);
	if (*end || !n || n > UINT16_MAX || len > NET_HOST_MAX)
		return false;
	memcpy(host, target, len);
	host[len] = '\0';
	*port = (uint16_t)n;
	return true;
}

static enum gate_error begin(struct gate_serve *g, const char *host,
	struct gate_dial *d)
{
	const struct gate_grants *r = &g->grants;
	struct net_address *a = &d->address[0];
	if (net_address_parse(bytes_str(host), a)) {
		d->count = 1;
		return net_rules_address(r->connect, r->connect_count, a,
			       d->port) ?
			GATE_OK :
			GATE_DENIED;
	}
	d->verdict = net_rules_name(r->connect, r->connect_count,
		bytes_str(host), d->port);
	if (d->verdict == NET_DENIED)
		return GATE_DENIED;
	return look_up(g, host, &d->lookup) ? GATE_OK : GATE_NAME;
}

enum gate_error gate_dial_new(struct gate_serve *g, const char *target,
	struct gate_dial **out)
{
	char host[NET_HOST_MAX + 1];
	auto_free struct gate_dial *d = calloc(1, sizeof *d);
	if (!d)
		return GATE_LIMIT;
	if (!split(target, host, &d->port))
		return GATE_NAME;
	if (!gate_net_room(g))
		return GATE_LIMIT;
	enum gate_error error = begin(g, host, d);
	if (error != GATE_OK)
		return error;
	uint64_t now = gate_now_ns();
	/* An address is tried at once; a name has its time. */
	d->next_ns = d->lookup ? now + GATE_LOOKUP_S * SECOND_NS : now;
	d->last_ns = now + (GATE_LOOKUP_S + GATE_DIAL_S) * SECOND_NS;
	d->error = GATE_NAME;
	*out = ptr_move(&d);
	return GATE_OK;
}

static void over(struct gate_slot *s, enum gate_error error)
{
	if (error != GATE_OK)
		cleanup_fd(&s->fd);
	if (error != GATE_OK)
		s->fd = -1;
	s->error = error;
	free(s->dial);
	s->dial = NULL;
}

/* Tries addresses until one is under way; false: there is none left. */
static bool try_next(struct gate_slot *s)
{
	struct gate_dial *d = s->dial;
	cleanup_fd(&s->fd);
	s->fd = -1;
	while (d->at < d->count) {
		const struct net_address *a = &d->address[d->at++];
		d->error = gate_net_connect(a, d->port, &s->fd);
		if (d->error != GATE_OK)
			continue;
		d->next_ns = d->last_ns;
		if (d->at < d->count)
			d->next_ns = gate_now_ns() + GATE_ATTEMPT_S * SECOND_NS;
		d->error = GATE_TIMEOUT;
		return true;
	}
	return false;
}

void gate_dial_step(struct gate_slot *s, bool ready)
{
	struct gate_dial *d = s->dial;
	if (ready && s->fd >= 0) {
		enum gate_error error = gate_net_connected(s->fd);
		if (error == GATE_OK) {
			over(s, GATE_OK);
			return;
		}
		d->error = error;
	} else if (gate_now_ns() < d->next_ns) {
		return;
	}
	/* No answer came, or none of what it named. */
	if (d->lookup || !try_next(s))
		over(s, d->error);
}

void gate_dial_answer(struct gate_serve *g, struct gate_slot *s,
	const struct gate_answer *a)
{
	struct gate_dial *d = s->dial;
	d->lookup = 0;
	if (a->count)
		d->error = GATE_DENIED;
	for (size_t i = 0; i < a->count; i++)
		if (allowed(g, d->verdict, &a->address[i], d->port))
			d->address[d->count++] = a->address[i];
	d->last_ns = gate_now_ns() + GATE_DIAL_S * SECOND_NS;
	if (!try_next(s))
		over(s, d->error);
}

uint64_t gate_dial_due(const struct gate_dial *d)
{
	return d->next_ns;
}
