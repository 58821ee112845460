/* SPDX-License-Identifier: Apache-2.0 */
#include "client/list.h"

#include <stdlib.h>
#include <time.h>

#include "base/fmt.h"
#include "client/agent.h"
#include "client/api.h"
#include "client/host.h"
#include "client/record.h"
#include "client/visit.h"
#include "codec/hex.h"
#include "codec/json.h"

/* One line of `ps`. */
struct line {
	const char *id, *tee, *program, *host;
	char state[17]; /* docs/client.md, "What `ps` says" */
	char reason[33];
	bool software, exited; /* the program, with this status: */
	uint8_t status;
	uint64_t created;
};

/* --- one line ----------------------------------------------------------- */

static void put_age(struct buf *out, uint64_t created)
{
	uint64_t now = (uint64_t)time(NULL);
	uint64_t s = created && created < now ? now - created : 0;
	char text[16];
	if (s < 120)
		fmt(text, sizeof text, "%us", (unsigned)s);
	else if (s < 7200)
		fmt(text, sizeof text, "%um", (unsigned)(s / 60));
	else if (s < 172800)
		fmt(text, sizeof text, "%uh", (unsigned)(s / 3600));
	else
		fmt(text, sizeof text, "%ud", (unsigned)(s / 86400));
	buf_fmt(out, "%-5s", text);
}

static bool has_ended(const struct line *l)
{
	return !strcmp(l->state, "ended");
}

/* The program's end says more than the Keep's. */
static void put_text(struct buf *out, const struct line *l)
{
	char state[64];
	if (l->exited)
		fmt(state, sizeof state, "%sexited %u",
			has_ended(l) ? "ended: " : "", l->status);
	else
		fmt(state, sizeof state, "%s%s%s", l->state,
			has_ended(l) && l->reason[0] ? ": " : "", l->reason);
	buf_fmt(out, "%-32s  %-8s  %-17s  ", l->id, l->tee, state);
	put_age(out, l->created);
	buf_fmt(out, "  %-20s  %s\n", l->program, l->host);
}

static bool put_json(json_t *list, const struct line *l)
{
	json_auto_t *o = json_pack("{s:s,s:s,s:b,s:s,s:I,s:s,s:s}", "id", l->id,
		"tee", l->tee, "software", (int)l->software, "state", l->state,
		"created", (json_int_t)l->created, "program", l->program,
		"host", l->host);
	return o &&
		(!l->reason[0] ||
			!json_object_set_new(o, "reason",
				json_string(l->reason))) &&
		(!l->exited ||
			!json_object_set_new(o, "status",
				json_integer(l->status))) &&
		!json_array_append(list, o);
}

static bool put_line(json_t *list, struct buf *out, const struct line *l)
{
	if (list)
		return put_json(list, l);
	put_text(out, l);
	return buf_ok(out);
}

/* --- what the owner learns of her own Keep -------------------------------- */

static void note_exit(const struct client_record *r, struct line *l,
	uint8_t status)
{
	l->exited = true;
	l->status = status;
	if (!r->exited)
		client_record_exit(r->id, status);
}

/* The host knows only that the Keep is there; whether its program still runs
 * is the Keep's to say, until it has ended. */
static bool ask_keep(const struct client_record *r, struct net_http *h,
	struct line *l)
{
	struct frame_status s = { 0 };
	if (!r->exited && !client_visit_ask(r, h, &s, NULL))
		return false;
	if (r->exited || s.state == FRAME_RUN_ENDED)
		note_exit(r, l, r->exited ? r->status : (uint8_t)s.status);
	fmt(l->state, sizeof l->state, "%s",
		l->exited			     ? "exited" :
			s.state == FRAME_RUN_RUNNING ? "running" :
						       "loading");
	return true;
}

/* False: it does not answer.  *gone: it says that there is no such Keep. */
static bool ask_host(const struct client_record *r, struct net_http *h,
	struct line *l, bool *gone)
{
	struct client_keep k;
	struct err e = { 0 };
	if (!client_api_keep(h, r->id, false, &k, &e)) {
		*gone = e.kind == ERR_INPUT;
		return *gone;
	}
	fmt(l->state, sizeof l->state, "%s", k.state);
	fmt(l->reason, sizeof l->reason, "%s", k.reason);
	l->exited = r->exited;
	l->status = r->status;
	client_keep_fini(&k);
	return true;
}

/* False: not all that were asked answered. */
static bool look(const struct client_host *host, const struct client_record *r,
	bool ask, struct line *l, bool *gone)
{
	struct net_http *h;
	if (!client_host_open(host, -1, &h, NULL))
		return false;
	bool ok = ask_host(r, h, l, gone) &&
		(*gone || has_ended(l) || (ask && ask_keep(r, h, l)));
	net_http_close(h);
	return ok;
}

static struct line own_line(const struct client_host *host,
	const struct client_record *r, bool *gone)
{
	struct line l = { .id = r->id,
		.tee = r->tee,
		.program = r->program,
		.host = host->url,
		.software = r->software,
		.created = r->created };
	*gone = false;
	/* It may end between the two answers: then its host knows. */
	if (!look(host, r, true, &l, gone) &&
		(!l.state[0] || !look(host, r, false, &l, gone)))
		fmt(l.state, sizeof l.state, "unreachable");
	return l;
}

/* --- the Keeps of a host, or of the tenant ------------------------------ */

static struct line line_of(const struct client_host *host,
	const struct client_keep *k, const struct client_record *r)
{
	bool gone;
	struct line l = { .id = k->id,
		.tee = k->tee,
		.program = "-",
		.host = host->url,
		.software = k->software,
		.created = k->created };
	if (r) {
		l = own_line(host, r, &gone);
		l.id = k->id;
		return l;
	}
	fmt(l.state, sizeof l.state, "%s", k->state);
	fmt(l.reason, sizeof l.reason, "%s", k->reason);
	return l;
}

static bool host_lines(const struct client_host *host, json_t *list,
	struct buf *out, struct err *e)
{
	struct net_http *h;
	struct client_keep *keeps;
	size_t count;
	if (!client_host_open(host, -1, &h, e))
		return false;
	bool ok = client_api_keeps(h, &keeps, &count, e);
	net_http_close(h);
	if (!ok)
		return false;
	for (size_t i = 0; ok && i < count; i++) {
		struct client_record rec;
		bool mine = client_record_find(keeps[i].id, &rec, NULL);
		struct line l = line_of(host, &keeps[i], mine ? &rec : NULL);
		ok = put_line(list, out, &l);
	}
	client_keeps_free(keeps, count);
	return ok || err_fail(e, ERR_LIMIT, "no memory");
}

static bool own_lines(json_t *list, struct buf *out, struct err *e)
{
	struct client_record *recs;
	size_t count;
	bool ok = true;
	if (!client_record_list(&recs, &count, e))
		return false;
	for (size_t i = 0; ok && i < count; i++) {
		const struct client_record *r = &recs[i];
		const struct client_host host = { .url = r->host,
			.ca_file = r->host_ca[0] ? r->host_ca : NULL,
			.token_file = r->token_file[0] ? r->token_file : NULL };
		bool gone;
		struct line l = own_line(&host, r, &gone);
		if (gone)
			client_record_forget(r->id);
		else
			ok = put_line(list, out, &l);
	}
	free(recs);
	return ok || err_fail(e, ERR_LIMIT, "no memory");
}

bool client_list_keeps(const struct client_host *host, bool json,
	struct buf *out, struct err *e)
{
	json_t *list = json ? json_array() : NULL;
	if (!json)
		buf_fmt(out, "%-32s  %-8s  %-17s  %-5s  %-20s  %s\n", "KEEP",
			"TEE", "STATE", "AGE", "PROGRAM", "HOST");
	bool ok = host->url ? host_lines(host, list, out, e) :
			      own_lines(list, out, e);
	if (ok && json)
		ok = json_print(list, out, e) && buf_str(out, "\n");
	json_decref(list);
	return ok;
}

/* --- platform ----------------------------------------------------------- */

static void put_platform(const struct client_platform *p, struct buf *out)
{
	char root[65];
	buf_fmt(out, "host agent     %s\n", p->version);
	buf_fmt(out, "auto takes     %s\n",
		p->automatic[0] ? p->automatic : "nothing: no technology");
	hex_encode(BYTES_ARRAY(p->software_root), root);
	if (p->has_root)
		buf_fmt(out, "software root  %s\n", root);
	buf_str(out, "\n");
	for (size_t i = 0; i < p->count; i++) {
		const struct client_technology *t = &p->technologies[i];
		buf_fmt(out, "%-9s  %-11s  %-16s  %s\n", t->name,
			t->available ? "available" : "missing",
			t->confidential ? "confidential" : "not confidential",
			t->detail);
		if (t->missing[0])
			buf_fmt(out, "%42s%s%s\n", "",
				t->available ? "hardware: " : "", t->missing);
	}
}

static bool ask_platform(const struct client_host *host, bool json,
	struct buf *out, struct err *e)
{
	struct net_http *h;
	struct client_platform p = { 0 };
	if (!client_host_open(host, -1, &h, e))
		return false;
	bool ok = client_api_platform(h, &p, e);
	net_http_close(h);
	if (ok && json)
		buf_fmt(out, "%s\n", buf_cstr(&p.json));
	else if (ok)
		put_platform(&p, out);
	client_platform_fini(&p);
	return ok && (buf_ok(out) || err_fail(e, ERR_LIMIT, "no memory"));
}

bool client_list_platform(const struct client_host *host, const char *images,
	bool json, struct buf *out, struct err *e)
{
	struct client_agent a;
	if (host->url)
		return ask_platform(host, json, out, e);
	bool ok = client_agent_start(&a, images, e) &&
		client_agent_wait(&a, -1, e);
	const struct client_host own = { .url = a.url,
		.name = CLIENT_AGENT_NAME };
	ok = ok && ask_platform(&own, json, out, e);
	client_agent_stop(&a);
	return ok;
}
