/* SPDX-License-Identifier: Apache-2.0 */
#include "client/visit.h"

#include <stdlib.h>

#include "base/fmt.h"
#include "client/api.h"
#include "client/host.h"
#include "client/identity.h"
#include "client/receipt.h"
#include "client/record.h"
#include "client/session.h"

/* A Keep on an interpreted processor takes a second or two. */
#define ASK_NS UINT64_C(20000000000)

struct visit {
	const struct client_visit *v;
	struct client_record rec;
	struct client_host host;
	struct net_http *http;
	struct channel_identity *id;
	struct client_results results;
	struct client_times times;
	struct client_outcome outcome;
	bool receipt; /* one is to be had; */
	bool written; /* it was */
	char receipt_file[CLIENT_PATH_MAX];
};

static const char *one_of(const char *given, const char *noted)
{
	if (given)
		return given;
	return noted[0] ? noted : NULL;
}

static bool find(struct visit *x, struct err *e)
{
	if (!client_record_find(x->v->id, &x->rec, e))
		return false;
	x->host = (struct client_host){ .url = one_of(x->v->url, x->rec.host),
		.ca_file = one_of(x->v->ca_file, x->rec.host_ca),
		.token_file = one_of(x->v->token_file, x->rec.token_file) };
	if (!x->host.url)
		return err_fail(e, ERR_INPUT, "%s: no host is noted for it",
			x->rec.id);
	if (x->v->kind != CLIENT_VISIT_LOGS &&
		!client_receipt_expect(x->rec.id, x->v->receipt,
			x->receipt_file, &x->receipt, e))
		return false;
	return client_host_open(&x->host, x->v->signal_fd, &x->http, e);
}

static bool converse(struct visit *x, struct err *e)
{
	static const enum frame_role roles[] = {
		[CLIENT_VISIT_ATTACH] = FRAME_ROLE_ATTACH,
		[CLIENT_VISIT_LOGS] = FRAME_ROLE_LOGS,
		[CLIENT_VISIT_STOP] = FRAME_ROLE_STOP,
	};
	uint8_t owner[32];
	const struct client_session_config cfg = {
		.role = roles[x->v->kind],
		.http = x->http,
		.keep = x->rec.spki_hash,
		.results = &x->results,
		.follow = x->v->follow,
		.signal_fd = x->v->signal_fd,
		.times = &x->times,
	};
	if (!client_identity_open(&x->id, owner, e))
		return false;
	struct client_session_config with = cfg;
	with.id = x->id;
	if (!client_api_channel(x->http, x->rec.id, e) ||
		!client_session_run(&with, &x->outcome, e))
		return false;
	if (!x->receipt || !x->outcome.exited)
		return true;
	x->written = client_receipt_collect(x->rec.id, &x->outcome,
		x->receipt_file, e);
	return x->written;
}

/* Does the host say that this Keep has ended; or, of one that was cut, that it
 * is ending?  It may lie; but then it can refuse to serve the Keep just as
 * well. */
static bool has_ended(struct visit *x, bool cut)
{
	struct client_keep k;
	struct err e = { 0 };
	struct net_http *h;
	if (!client_host_open(&x->host, x->v->signal_fd, &h, NULL))
		return false;
	bool ended;
	if (cut ? client_api_settled(h, x->rec.id, &k, &e) :
		  client_api_keep(h, x->rec.id, false, &k, &e)) {
		ended = !strcmp(k.state, "ended");
		client_keep_fini(&k);
	} else {
		ended = e.kind == ERR_INPUT; /* 404 */
	}
	net_http_close(h);
	return ended;
}

static void put_end(const struct visit *x, struct client_visit_end *out)
{
	const struct client_outcome *o = &x->outcome;
	out->detached = o->detached;
	if (x->v->kind != CLIENT_VISIT_ATTACH)
		out->status = o->left_by ? 128 + o->left_by : 0;
	else if (o->exited)
		out->status = (int)(o->exit.status & 0xff);
	else if (o->left_by)
		out->status = 128 + o->left_by;
	if (x->v->kind != CLIENT_VISIT_ATTACH || !o->exited ||
		o->exit.end == FRAME_END_EXITED)
		return;
	fmt(out->reason, sizeof out->reason, "%s", o->exit.text);
	for (char *p = out->reason; *p; p++)
		if ((*p > 0 && *p < ' ' && *p != '\n') || *p == 0x7f)
			*p = '?';
}

static bool conclude(struct visit *x, bool ok, struct client_visit_end *out,
	struct err *e)
{
	fmt(out->id, sizeof out->id, "%s", x->rec.id);
	if (x->written)
		fmt(out->receipt, sizeof out->receipt, "%s", x->receipt_file);
	if (ok) {
		put_end(x, out);
		if (x->outcome.exited)
			client_record_exit(x->rec.id,
				(uint8_t)x->outcome.exit.status);
		if (x->v->kind != CLIENT_VISIT_STOP || out->status)
			return true;
		client_record_forget(x->rec.id);
		out->receipt_lost = x->receipt && !x->written;
		return true;
	}
	if (!x->rec.id[0] || !x->http ||
		!has_ended(x, e && e->kind == ERR_HOST))
		return false;
	client_record_forget(x->rec.id);
	out->receipt_lost = x->receipt && !x->written;
	if (x->v->kind != CLIENT_VISIT_STOP)
		return err_fail(e, ERR_INPUT, "Keep %s has ended%s", x->rec.id,
			out->receipt_lost ? ", its receipt is lost" : "");
	out->gone = true;
	return true;
}

static bool with_visit(const struct client_visit *v,
	bool (*act)(struct visit *x, struct err *e),
	struct client_visit_end *out, struct err *e)
{
	struct visit *x = calloc(1, sizeof *x);
	*out = (struct client_visit_end){ 0 };
	if (!x)
		return err_fail(e, ERR_LIMIT, "no memory");
	x->v = v;
	client_results_init(&x->results, NULL);
	bool ok = find(x, e) && act(x, e);
	ok = conclude(x, ok, out, e);
	channel_identity_free(x->id);
	net_http_close(x->http);
	buf_fini(&x->outcome.receipt);
	free(x);
	return ok;
}

bool client_visit(const struct client_visit *v, struct client_visit_end *out,
	struct err *e)
{
	return with_visit(v, converse, out, e);
}

bool client_visit_ask(const struct client_record *r, struct net_http *http,
	struct frame_status *out, struct err *e)
{
	struct client_times times = { .begin = client_now() };
	struct client_outcome outcome;
	struct channel_identity *id = NULL;
	uint8_t owner[32];
	if (!client_identity_open(&id, owner, e))
		return false;
	const struct client_session_config cfg = { .role = FRAME_ROLE_STATUS,
		.http = http,
		.id = id,
		.keep = r->spki_hash,
		.patience_ns = ASK_NS,
		.signal_fd = -1,
		.times = &times };
	bool ok = client_api_channel(http, r->id, e) &&
		client_session_run(&cfg, &outcome, e) &&
		(outcome.has_status ||
			err_fail(e, ERR_HOST, "the Keep says no status"));
	channel_identity_free(id);
	if (ok)
		*out = outcome.status;
	return ok;
}

static bool force(struct visit *x, struct err *e)
{
	bool gone;
	return client_api_end(x->http, x->rec.id, &gone, e);
}

bool client_visit_force(const struct client_visit *v,
	struct client_visit_end *out, struct err *e)
{
	return with_visit(v, force, out, e);
}
