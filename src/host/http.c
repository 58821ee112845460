/* SPDX-License-Identifier: Apache-2.0 */
#include "host/http_priv.h"

#include <jansson.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/fmt.h"
#include "base/must.h"
#include "codec/json.h"
#include "host/view.h"

enum {
	READ_SECONDS = 15,  /* for a request's head, then for its body */
	WRITE_SECONDS = 30, /* for an answer */
	IDLE_SECONDS = 60,  /* between requests */
	MOST_READING = 512, /* connections that are not channels */
	MOST_TOTAL = 4096,
	POOL_BYTES = 16 << 10,
	MOST_SWALLOWED = 1 << 20,
};

const unsigned http_statuses[HTTP_STATUSES] = { 101, 200, 201, 204, 400, 401,
	404, 405, 409, 413, 429, 500, 503, 0 };

/* --- connections -----------------------------------------------------------
 */

static void expect(struct conn *c, unsigned seconds)
{
	loop_set(c->http->cfg.loop, &c->slow, loop_now() + seconds * SECOND_NS);
}

/* libmicrohttpd sees its end and lets it go. */
static void evict(struct conn *c)
{
	loop_cancel(c->http->cfg.loop, &c->slow);
	c->http->totals.evicted++;
	c->reading = false;
	shutdown(c->fd, SHUT_RDWR);
}

static void conn_slow(struct timer *t)
{
	evict(container_of(t, struct conn, slow));
}

static void conn_free(struct conn *c)
{
	struct http *h = c->http;
	loop_cancel(h->cfg.loop, &c->slow);
	*(c->prev ? &c->prev->next : &h->first) = c->next;
	*(c->next ? &c->next->prev : &h->last) = c->prev;
	if (!c->upgraded)
		h->totals.connections--;
	free(c);
}

static void on_connection(void *cls, struct MHD_Connection *con, void **context,
	enum MHD_ConnectionNotificationCode code)
{
	struct http *h = cls;
	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (*context)
			conn_free(*context);
		*context = NULL;
		return;
	}
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(con, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct conn *c = calloc(1, sizeof *c);
	if (!c || !info) {
		/* Without its record it gets no answer: see on_request. */
		free(c);
		return;
	}
	*c = (struct conn){ .prev = h->last,
		.http = h,
		.fd = info->connect_fd,
		.slow = { .due = conn_slow },
		.reading = true };
	*(c->prev ? &c->prev->next : &h->first) = c;
	h->last = c;
	h->totals.connections++;
	expect(c, READ_SECONDS);
	*context = c;
}

void http_add(struct http *h, int fd)
{
	struct sockaddr_in any = { .sin_family = AF_INET };
	struct conn *c = h->first;
	if (h->totals.connections >= MOST_READING) {
		while (c && !c->reading)
			c = c->next;
		if (c)
			evict(c);
	}
	/* It closes fd when it cannot take it. */
	if (MHD_add_connection(h->mhd, fd, (struct sockaddr *)&any,
		    sizeof any) != MHD_YES)
		log_event(h->cfg.log, LOG_WARN, "connection refused", NULL);
}

/* --- answers ---------------------------------------------------------------
 */

static void count_answer(struct http *h, unsigned status)
{
	size_t i = 0;
	while (i < HTTP_STATUSES - 1 && http_statuses[i] != status)
		i++;
	h->totals.answers[i]++;
}

enum MHD_Result answer(struct request *q, unsigned status,
	struct MHD_Response *r)
{
	if (!r)
		return MHD_NO;
	enum MHD_Result ret = MHD_queue_response(q->con, status, r);
	MHD_destroy_response(r);
	if (ret == MHD_YES) {
		q->phase = REQUEST_ANSWERED;
		q->conn->reading = false;
		count_answer(q->http, status);
		expect(q->conn, WRITE_SECONDS);
	}
	return ret;
}

enum MHD_Result answer_buf(struct request *q, unsigned status, const char *type,
	struct buf *body)
{
	if (!buf_ok(body)) {
		buf_fini(body);
		return MHD_NO;
	}
	struct MHD_Response *r = MHD_create_response_from_buffer(body->len,
		body->ptr, MHD_RESPMEM_MUST_FREE);
	if (!r) {
		buf_fini(body);
		return MHD_NO;
	}
	*body = (struct buf){ 0 };
	MHD_add_response_header(r, "Cache-Control", "no-store");
	if (q->allow)
		MHD_add_response_header(r, "Allow", q->allow);
	MHD_add_response_header(r, "Content-Type", type);
	return answer(q, status, r);
}

enum MHD_Result answer_json(struct request *q, unsigned status, json_t *v)
{
	struct buf body = { 0 };
	struct err e = { 0 };
	bool ok = v && json_print(v, &body, &e) && buf_u8(&body, '\n');
	json_decref(v);
	if (!ok)
		log_event(q->http->cfg.log, LOG_ERROR, "no answer", "why",
			e.text, NULL);
	body.failed |= !ok;
	return answer_buf(q, status, "application/json", &body);
}

enum MHD_Result answer_error(struct request *q, unsigned status,
	enum err_kind kind, const char *text)
{
	return answer_json(q, status, view_error(kind, text));
}

struct keep *request_keep(struct request *q, enum MHD_Result *ret)
{
	struct keep *k = keeps_find(q->http->cfg.keeps, q->id);
	if (!k)
		*ret = answer_error(q, 404, ERR_INPUT, "no such Keep");
	return k;
}

/* --- requests that wait for their Keep -------------------------------------
 */

static void stop_waiting(struct request *q)
{
	loop_unwatch(q->http->cfg.loop, &q->client);
	q->keep->waiter = NULL;
	q->keep = NULL;
	q->phase = REQUEST_READY;
}

void request_done(struct keep *k, void *arg)
{
	struct request *q = arg;
	bool ended = k->state == KEEP_ENDED && !q->for_room;
	q->err = ended ? k->why : (struct err){ 0 };
	stop_waiting(q);
	if (q->for_room)
		q->phase = REQUEST_READING;
	MHD_resume_connection(q->con);
	q->http->kick = true;
}

/* Nobody will ever know this Keep. */
static void client_gone(struct watch *w, uint32_t events UNUSED)
{
	struct request *q = container_of(w, struct request, client);
	struct keep *k = q->keep;
	stop_waiting(q);
	err_put(&q->err, ERR_HOST, "the client went away");
	MHD_resume_connection(q->con);
	q->http->kick = true;
	keep_stop(k);
}

void request_upgraded(struct request *q)
{
	loop_cancel(q->http->cfg.loop, &q->conn->slow);
	q->conn->upgraded = true;
	q->http->totals.connections--;
	q->http->answering--;
}

enum MHD_Result request_wait(struct request *q, struct keep *k, bool for_room)
{
	q->keep = k;
	q->for_room = for_room;
	q->phase = REQUEST_WAITING;
	q->conn->reading = false;
	loop_cancel(q->http->cfg.loop, &q->conn->slow);
	fmt(q->id, sizeof q->id, "%s", k->id);
	/* libmicrohttpd looks away while it is suspended. */
	if (!loop_watch(q->http->cfg.loop, &q->client, q->conn->fd, EPOLLRDHUP,
		    &q->err))
		log_event(q->http->cfg.log, LOG_WARN, "client not watched",
			"why", q->err.text, NULL);
	MHD_suspend_connection(q->con);
	return MHD_YES;
}

/* --- requests --------------------------------------------------------------
 */

static bool token_matches(const struct token *token, const char *header)
{
	static const char scheme[] = "Bearer ";
	return header && !strncmp(header, scheme, sizeof scheme - 1) &&
		token_equal(token, header + sizeof scheme - 1);
}

static const char *header(const struct request *q, const char *name)
{
	return MHD_lookup_connection_value(q->con, MHD_HEADER_KIND, name);
}

/* No token is asked for where nothing can be learnt; no browser is a client:
 * a page of somewhere else must not reach an agent on loopback. */
static bool admitted(struct request *q, const char **why)
{
	const struct token *token = q->http->cfg.token;
	if (header(q, "Origin"))
		*why = "web pages are not answered";
	else if (token->len && !(q->route && q->route->is_public) &&
		!token_matches(token, header(q, "Authorization")))
		*why = "token missing or wrong";
	else
		return true;
	return false;
}

static void refuse(struct request *q, unsigned status, enum err_kind kind,
	const char *text)
{
	q->refused = status;
	q->refused_kind = kind;
	q->refused_text = text;
}

static enum MHD_Result answer_refused(struct request *q)
{
	return answer_error(q, q->refused, q->refused_kind, q->refused_text);
}

static enum MHD_Result count_length(void *cls, enum MHD_ValueKind kind UNUSED,
	const char *key, const char *value UNUSED)
{
	unsigned *n = cls;
	*n += !strcasecmp(key, "Content-Length") ||
		!strcasecmp(key, "Transfer-Encoding");
	return MHD_YES;
}

/* In how many ways the request says where its body ends.  A proxy before us
 * might believe another than libmicrohttpd does. */
static unsigned lengths(const struct request *q)
{
	unsigned n = 0;
	MHD_get_connection_values(q->con, MHD_HEADER_KIND, count_length, &n);
	return n;
}

/* Who is refused is heard out all the same, within reason: a client that is
 * cut off while it sends never reads why. */
static enum MHD_Result first_look(struct request *q, const char *url,
	const char *method)
{
	const char *why = NULL;
	unsigned status = routes_find(q, url, method);
	if (!admitted(q, &why))
		refuse(q, 401, ERR_DENIED, why);
	else if (status)
		refuse(q, status, ERR_INPUT,
			status == 405 ? "no such method here" : "no such path");
	if (lengths(q) > 1) {
		refuse(q, 400, ERR_INPUT, "more than one length");
		return answer_refused(q);
	}
	const char *length = header(q, "Content-Length");
	unsigned long long n = length ? strtoull(length, NULL, 10) : 0;
	if (n > ASK_MAX_BYTES && !q->refused)
		refuse(q, 413, ERR_LIMIT, "body larger than 64 KiB");
	return n > MOST_SWALLOWED ? answer_refused(q) : MHD_YES;
}

static enum MHD_Result take_body(struct request *q, const char *data,
	size_t *len)
{
	size_t n = *len;
	*len = 0;
	if (!q->refused && n > ASK_MAX_BYTES - q->body.len)
		refuse(q, 413, ERR_LIMIT, "body larger than 64 KiB");
	if (!q->refused)
		return buf_put(&q->body, bytes_of(data, n)) ? MHD_YES : MHD_NO;
	q->swallowed += n;
	return q->swallowed > MOST_SWALLOWED ? MHD_NO : MHD_YES;
}

static struct request *new_request(struct http *h, struct MHD_Connection *con)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(con,
		MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct request *q = calloc(1, sizeof *q);
	if (!q || !info || !info->socket_context) {
		free(q);
		return NULL;
	}
	*q = (struct request){ .http = h,
		.con = con,
		.conn = info->socket_context,
		.early = -1,
		.client = { .fd = -1, .ready = client_gone } };
	expect(q->conn, READ_SECONDS);
	h->answering++;
	return q;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *con,
	const char *url, const char *method, const char *version,
	const char *data, size_t *len, void **context)
{
	struct request *q = *context;
	if (!q) {
		q = new_request(cls, con);
		*context = q;
		if (!q)
			return MHD_NO;
		q->old = strcmp(version, "HTTP/1.1") != 0;
		return first_look(q, url, method);
	}
	if (q->phase == REQUEST_READING && *len)
		return take_body(q, data, len);
	if (q->phase == REQUEST_ANSWERED)
		return MHD_YES;
	return q->refused ? answer_refused(q) : q->route->answer(q);
}

static void on_completed(void *cls, struct MHD_Connection *con UNUSED,
	void **context, enum MHD_RequestTerminationCode code)
{
	struct http *h = cls;
	struct request *q = *context;
	*context = NULL;
	if (!q)
		return;
	must(!q->urh);
	if (q->keep)
		stop_waiting(q);
	/* An ask whose answer did not arrive: nobody knows its Keep. */
	struct keep *k = q->route && !strcmp(q->route->method, "POST") &&
			code != MHD_REQUEST_TERMINATED_COMPLETED_OK ?
		keeps_find(h->cfg.keeps, q->id) :
		NULL;
	if (k)
		keep_stop(k);
	if (!q->conn->upgraded) {
		h->answering--;
		q->conn->reading = true;
		expect(q->conn, IDLE_SECONDS);
	}
	buf_fini(&q->body);
	free(q);
}

/* --- the daemon ------------------------------------------------------------
 */

/* Paths here need no escapes: what has one matches nothing. */
static size_t unescape(void *cls UNUSED, struct MHD_Connection *con UNUSED,
	char *text)
{
	return strlen(text);
}

static void on_ready(struct watch *w, uint32_t events UNUSED)
{
	struct http *h = container_of(w, struct http, watch);
	MHD_run(h->mhd);
}

bool http_open(const struct http_config *cfg, struct http **out, struct err *e)
{
	struct http *h = calloc(1, sizeof *h);
	if (!h)
		return err_fail(e, ERR_LIMIT, "no memory");
	h->cfg = *cfg;
	h->watch = (struct watch){ .fd = -1, .ready = on_ready };
	h->mhd = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET |
			MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE,
		0, NULL, NULL, on_request, h, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)MOST_TOTAL, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)POOL_BYTES, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
		h, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
		MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
		MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
	const union MHD_DaemonInfo *info = h->mhd ?
		MHD_get_daemon_info(h->mhd, MHD_DAEMON_INFO_EPOLL_FD) :
		NULL;
	if (!info ||
		!loop_watch(cfg->loop, &h->watch, info->epoll_fd, EPOLLIN, e)) {
		http_close(h);
		return err_fail(e, ERR_HOST, "libmicrohttpd did not start");
	}
	*out = h;
	return true;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	loop_unwatch(h->cfg.loop, &h->watch);
	earlies_stop(&h->earlies);
	if (h->mhd)
		MHD_stop_daemon(h->mhd);
	must(!h->first);
	free(h);
}

bool http_run(struct http *h)
{
	MHD_UNSIGNED_LONG_LONG wait;
	for (int i = 0; i < 8; i++) {
		bool waits = MHD_get_timeout(h->mhd, &wait) != MHD_YES || wait;
		if (waits && !h->kick)
			return false;
		h->kick = false;
		MHD_run(h->mhd);
	}
	return true;
}

void http_stopping(struct http *h)
{
	h->stopping = true;
}

bool http_busy(const struct http *h)
{
	return h->answering > 0 || h->earlies.first;
}
