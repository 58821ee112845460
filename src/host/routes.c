/* SPDX-License-Identifier: Apache-2.0 */
/* One function for each row of docs/protocol.md, "HTTP API". */
#include <jansson.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/fmt.h"
#include "host/http_priv.h"
#include "host/platform.h"
#include "host/view.h"

#define PROTOCOL "donjon-keep/1"

static unsigned status_of(enum err_kind kind)
{
	switch (kind) {
	case ERR_INPUT:
		return 400;
	case ERR_DENIED:
		return 403;
	case ERR_LIMIT:
		return 429;
	default:
		return 500;
	}
}

static enum MHD_Result get_health(struct request *q)
{
	return answer_json(q, 200, json_pack("{s:s}", "status", "ok"));
}

static enum MHD_Result get_metrics(struct request *q)
{
	struct buf text = { 0 };
	view_metrics(q->http->cfg.keeps, &q->http->totals, &text);
	return answer_buf(q, 200, "text/plain; version=0.0.4; charset=utf-8",
		&text);
}

static enum MHD_Result get_platform(struct request *q)
{
	struct err e = { 0 };
	json_t *v = platform_json(q->http->cfg.hal, &e);
	if (!v)
		return answer_error(q, 500, ERR_HOST, e.text);
	return answer_json(q, 200, v);
}

static enum MHD_Result get_keeps(struct request *q)
{
	return answer_json(q, 200, view_keeps(q->http->cfg.keeps));
}

/* The Keep that was asked for is there, or is not to be. */
static enum MHD_Result answer_ask(struct request *q)
{
	enum MHD_Result ret;
	struct keep *k = keeps_find(q->http->cfg.keeps, q->id);
	/* It may have been attested, and have ended since. */
	if (q->err.kind == ERR_NONE && k && k->state == KEEP_ENDED)
		q->err = k->why;
	if (q->err.kind != ERR_NONE)
		return answer_error(q,
			q->http->stopping		 ? 503 :
				q->err.kind == ERR_LIMIT ? 429 :
							   500,
			q->err.kind == ERR_LIMIT ? ERR_LIMIT : ERR_HOST,
			q->err.text);
	k = request_keep(q, &ret);
	return k ? answer_json(q, 201, view_keep(k, true)) : ret;
}

static enum MHD_Result post_keeps(struct request *q)
{
	struct http *h = q->http;
	const struct hal_tech *tech;
	struct ask ask;
	struct keep *k;
	struct err e = { 0 };
	if (q->phase == REQUEST_READY)
		return answer_ask(q);
	if (h->stopping)
		return answer_error(q, 503, ERR_HOST,
			"the host agent is stopping");
	if (!ask_parse(buf_bytes(&q->body), &ask, &e))
		return answer_error(q, 400, ERR_INPUT, e.text);
	if (!platform_pick(h->cfg.hal, &ask, &tech, &e))
		return answer_error(q, e.kind == ERR_INPUT ? 400 : 503,
			e.kind == ERR_INPUT ? ERR_INPUT : ERR_HOST, e.text);
	if (!keeps_start(h->cfg.keeps, &ask, tech->name, request_done, q, &k,
		    &e)) {
		if (k)
			return request_wait(q, k, true);
		log_event(h->cfg.log, LOG_WARN, "ask refused", "why", e.text,
			NULL);
		return answer_error(q, status_of(e.kind), e.kind, e.text);
	}
	buf_fini(&q->body);
	return request_wait(q, k, false);
}

static enum MHD_Result get_keep(struct request *q)
{
	enum MHD_Result ret;
	struct keep *k = request_keep(q, &ret);
	return k ? answer_json(q, 200, view_keep(k, true)) : ret;
}

static enum MHD_Result delete_keep(struct request *q)
{
	enum MHD_Result ret;
	struct keep *k = request_keep(q, &ret);
	if (!k)
		return ret;
	log_event(q->http->cfg.log, LOG_INFO, "keep stopped by request", "keep",
		k->id, NULL);
	keep_stop(k);
	return answer(q, 204,
		MHD_create_response_from_buffer(0, NULL,
			MHD_RESPMEM_PERSISTENT));
}

/* --- channels --------------------------------------------------------------
 */

/* `wanted` stands in the comma-separated list. */
static bool lists(const char *list, const char *wanted)
{
	size_t len = strlen(wanted);
	while (list && *list) {
		list += strspn(list, " \t,");
		size_t n = strcspn(list, ",");
		size_t used = n;
		while (used &&
			(list[used - 1] == ' ' || list[used - 1] == '\t'))
			used--;
		if (used == len && !strncasecmp(list, wanted, len))
			return true;
		list += n;
	}
	return false;
}

static const char *header(const struct request *q, const char *name)
{
	return MHD_lookup_connection_value(q->con, MHD_HEADER_KIND, name);
}

static void channel_done(void *arg)
{
	struct request *q = arg;
	struct MHD_UpgradeResponseHandle *urh = q->urh;
	q->urh = NULL;
	q->http->kick = true;
	cleanup_fd(&q->early);
	MHD_upgrade_action(urh, MHD_UPGRADE_ACTION_CLOSE);
}

static bool open_channel(struct request *q, int sock, struct bytes early,
	struct err *e)
{
	struct http *h = q->http;
	struct keep *k = keeps_find(h->cfg.keeps, q->id);
	int on = 1, off = 0;
	if (!k)
		return err_fail(e, ERR_HOST, "the Keep has ended");
	/* Not TCP when it came through TLS or a Unix socket: no matter. */
	setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(sock, IPPROTO_TCP, TCP_CORK, &off, sizeof off);
	if (early.len &&
		!early_start(&h->earlies, h->cfg.loop, sock, early, &q->early,
			e))
		return false;
	return channel_open(k, early.len ? q->early : sock, channel_done, q, e);
}

static void on_upgrade(void *cls UNUSED, struct MHD_Connection *con UNUSED,
	void *context, const char *early, size_t early_len, MHD_socket sock,
	struct MHD_UpgradeResponseHandle *urh)
{
	struct request *q = context;
	const struct log *log = q->http->cfg.log;
	struct err e = { 0 };
	q->urh = urh;
	request_upgraded(q);
	if (open_channel(q, sock, bytes_of(early, early_len), &e)) {
		log_event(log, LOG_INFO, "channel opened", "keep", q->id, NULL);
		return;
	}
	log_event(log, LOG_WARN, "channel refused", "keep", q->id, "why",
		e.text, NULL);
	channel_done(q);
}

static enum MHD_Result get_channel(struct request *q)
{
	struct http *h = q->http;
	enum MHD_Result ret;
	struct keep *k = request_keep(q, &ret);
	if (!k)
		return ret;
	if (!lists(header(q, "Connection"), "upgrade") ||
		!lists(header(q, "Upgrade"), PROTOCOL))
		return answer_error(q, 400, ERR_INPUT,
			"a channel needs Upgrade: " PROTOCOL);
	if (q->old || q->body.len)
		return answer_error(q, 400, ERR_INPUT,
			"a channel needs HTTP/1.1 and no body");
	if (h->stopping)
		return answer_error(q, 503, ERR_HOST,
			"the host agent is stopping");
	if (k->state != KEEP_ATTESTED || k->stopping)
		return answer_error(q, 409, ERR_HOST,
			k->state == KEEP_STARTING ? "the Keep is starting" :
						    "the Keep has ended");
	if (k->open >= KEEPS_CHANNELS)
		return answer_error(q, 429, ERR_LIMIT,
			"too many channels of this Keep");
	struct MHD_Response *r =
		MHD_create_response_for_upgrade(on_upgrade, NULL);
	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Upgrade", PROTOCOL);
	return answer(q, 101, r);
}

/* --- the table -------------------------------------------------------------
 */

enum place { HEALTH, METRICS, PLATFORM, KEEPS, KEEP, CHANNEL, NOWHERE };

static const struct {
	enum place place;
	struct route route;
} table[] = {
	{ HEALTH, { "GET", true, get_health } },
	{ METRICS, { "GET", false, get_metrics } },
	{ PLATFORM, { "GET", false, get_platform } },
	{ KEEPS, { "GET", false, get_keeps } },
	{ KEEPS, { "POST", false, post_keeps } },
	{ KEEP, { "GET", false, get_keep } },
	{ KEEP, { "DELETE", false, delete_keep } },
	{ CHANNEL, { "GET", false, get_channel } },
};
static const char *const allowed[] = { [HEALTH] = "GET",
	[METRICS] = "GET",
	[PLATFORM] = "GET",
	[KEEPS] = "GET, POST",
	[KEEP] = "GET, DELETE",
	[CHANNEL] = "GET" };

static enum place find_place(const char *url, char id[33])
{
	static const char *const names[] = { [HEALTH] = "/healthz",
		[METRICS] = "/metrics",
		[PLATFORM] = "/v1/platform",
		[KEEPS] = "/v1/keeps" };
	static const char keep[] = "/v1/keeps/";
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(url, names[i]))
			return (enum place)i;
	if (strncmp(url, keep, sizeof keep - 1) != 0)
		return NOWHERE;
	url += sizeof keep - 1;
	if (strspn(url, "0123456789abcdef") != 32)
		return NOWHERE;
	fmt(id, 33, "%.32s", url);
	if (!url[32])
		return KEEP;
	return strcmp(url + 32, "/channel") == 0 ? CHANNEL : NOWHERE;
}

unsigned routes_find(struct request *q, const char *url, const char *method)
{
	enum place place = find_place(url, q->id);
	if (place == NOWHERE)
		return 404;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].place == place &&
			!strcmp(table[i].route.method, method)) {
			q->route = &table[i].route;
			return 0;
		}
	q->allow = allowed[place];
	return 405;
}
