/* SPDX-License-Identifier: Apache-2.0 */
#include "client/list.h"

#include <stdlib.h>
#include <time.h>

#include "base/fmt.h"
#include "client/agent.h"
#include "client/api.h"
#include "client/host.h"
#include "client/record.h"
#include "codec/hex.h"
#include "codec/json.h"

/* One line of `ps`. */
struct line {
	const char *id, *tee, *state, *program, *host;
	bool software;
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

static void put_text(struct buf *out, const struct line *l)
{
	buf_fmt(out, "%-32s  %-8s  %-11s  ", l->id, l->tee, l->state);
	put_age(out, l->created);
	buf_fmt(out, "  %-20s  %s\n", l->program, l->host);
}

static bool put_json(json_t *list, const struct line *l)
{
	json_t *o = json_pack("{s:s,s:s,s:b,s:s,s:I,s:s,s:s}", "id", l->id,
		"tee", l->tee, "software", (int)l->software, "state", l->state,
		"created", (json_int_t)l->created, "program", l->program,
		"host", l->host);
	return o && !json_array_append_new(list, o);
}

static bool put_line(json_t *list, struct buf *out, const struct line *l)
{
	if (list)
		return put_json(list, l);
	put_text(out, l);
	return buf_ok(out);
}

/* --- the Keeps of a host, or of the tenant ------------------------------ */

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
		const struct client_keep *k = &keeps[i];
		struct client_record rec;
		bool mine = client_record_find(k->id, &rec, NULL);
		ok = put_line(list, out,
			&(struct line){ k->id, k->tee, k->state,
				mine ? rec.program : "-", host->url,
				k->software, k->created });
	}
	client_keeps_free(keeps, count);
	return ok || err_fail(e, ERR_LIMIT, "no memory");
}

/* *gone: the host says that there is no such Keep. */
static void state_of(const struct client_record *r, char state[17], bool *gone)
{
	const struct client_host host = { .url = r->host,
		.ca_file = r->host_ca[0] ? r->host_ca : NULL,
		.token_file = r->token_file[0] ? r->token_file : NULL };
	struct net_http *h;
	struct client_keep k;
	struct err e = { 0 };
	*gone = false;
	fmt(state, 17, "unreachable");
	if (!client_host_open(&host, -1, &h, NULL))
		return;
	if (client_api_keep(h, r->id, false, &k, &e)) {
		fmt(state, 17, "%s", k.state);
		client_keep_fini(&k);
	} else {
		*gone = e.kind == ERR_INPUT;
	}
	net_http_close(h);
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
		char state[17];
		bool gone;
		state_of(r, state, &gone);
		if (gone)
			client_record_forget(r->id);
		else
			ok = put_line(list, out,
				&(struct line){ r->id, r->tee, state,
					r->program, r->host, r->software,
					r->created });
	}
	free(recs);
	return ok || err_fail(e, ERR_LIMIT, "no memory");
}

bool client_list_keeps(const struct client_host *host, bool json,
	struct buf *out, struct err *e)
{
	json_t *list = json ? json_array() : NULL;
	if (!json)
		buf_fmt(out, "%-32s  %-8s  %-11s  %-5s  %-20s  %s\n", "KEEP",
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
