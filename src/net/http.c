/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/fmt.h"
#include "base/must.h"
#include "net/connection.h"

enum { DEFAULT_TIMEOUT_MS = 60000, READ_BYTES = 64 << 10 };

struct net_http {
	struct net_connection_config where;
	struct net_connection *con;
	char *ca_file, *token, *name;
	int timeout_ms;
	bool used; /* con has carried a request: the agent may have closed it */
	struct buf in; /* read beyond the end of an answer */
};

bool net_http_open(const struct net_http_config *cfg, struct net_http **out,
	struct err *e)
{
	struct net_url url;
	if (!net_url_parse(cfg->url, &url, e))
		return false;
	if (cfg->token && !url.https && !url.local)
		return err_fail(e, ERR_INPUT,
			"%s: a token goes over https only", cfg->url);
	for (const char *p = cfg->token; p && *p; p++)
		if (*p <= ' ' || *p > '~')
			return err_fail(e, ERR_INPUT,
				"token: blank or control character in it");
	struct net_http *h = calloc(1, sizeof *h);
	if (!h)
		return err_fail(e, ERR_LIMIT, "no memory");
	h->timeout_ms = cfg->timeout_ms ? cfg->timeout_ms : DEFAULT_TIMEOUT_MS;
	h->ca_file = cfg->ca_file ? strdup(cfg->ca_file) : NULL;
	h->token = cfg->token ? strdup(cfg->token) : NULL;
	h->name = cfg->name ? strdup(cfg->name) : NULL;
	h->where = (struct net_connection_config){ .url = url,
		.ca_file = h->ca_file,
		.timeout_ms = h->timeout_ms,
		.cancel_fd = cfg->cancel_fd };
	if ((cfg->ca_file && !h->ca_file) || (cfg->token && !h->token) ||
		(cfg->name && !h->name)) {
		net_http_close(h);
		return err_fail(e, ERR_LIMIT, "no memory");
	}
	*out = h;
	return true;
}

static void disconnect(struct net_http *h)
{
	net_connection_close(h->con);
	h->con = NULL;
	h->used = false;
	buf_fini(&h->in);
}

void net_http_close(struct net_http *h)
{
	if (!h)
		return;
	disconnect(h);
	if (h->token)
		explicit_bzero(h->token, strlen(h->token));
	free(h->token);
	free(h->ca_file);
	free(h->name);
	free(h);
}

const char *net_http_name(const struct net_http *h)
{
	if (h->name)
		return h->name;
	return h->where.url.socket[0] ? h->where.url.socket : h->where.url.host;
}

bool net_http_connect(struct net_http *h, struct err *e)
{
	if (h->con)
		return true;
	if (!net_connection_open(&h->where, &h->con, e))
		return err_wrap(e, "%s", net_http_name(h));
	return true;
}

static bool wait_for(const struct net_http *h, short events, struct err *e)
{
	struct pollfd p[2] = { { .fd = net_connection_fd(h->con),
				       .events = events },
		{ .fd = h->where.cancel_fd, .events = POLLIN } };
	int n;
	do {
		n = poll(p, 2, h->timeout_ms);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_fail(e, ERR_HOST, "poll: %s", strerror(errno));
	if (p[1].revents)
		return err_fail(e, ERR_HOST, "interrupted");
	if (!n)
		return err_fail(e, ERR_HOST, "no answer for %d s",
			h->timeout_ms / 1000);
	return true;
}

static bool send_all(struct net_http *h, struct bytes in, struct err *e)
{
	while (in.len) {
		size_t n;
		if (!net_connection_send(h->con, in, &n, e))
			return false;
		if (!n && !wait_for(h, POLLOUT, e))
			return false;
		in = bytes_from(in, n);
	}
	return true;
}

static void put_head(const struct net_http *h, struct buf *b,
	const char *method, const char *path)
{
	buf_fmt(b, "%s %s%s HTTP/1.1\r\nHost: %s\r\n", method,
		h->where.url.prefix, path, h->where.url.host);
	buf_fmt(b, "User-Agent: donjon/%s\r\n", DONJON_VERSION);
	if (h->token)
		buf_fmt(b, "Authorization: Bearer %s\r\n", h->token);
}

/* Is the kept connection still good?  A closed one reads as its end. */
static bool still_open(struct net_http *h)
{
	uint8_t byte;
	size_t n;
	bool end;
	return !h->in.len &&
		net_connection_recv(h->con, &byte, 1, &n, &end, NULL) && !n &&
		!end;
}

static bool send_request(struct net_http *h, struct buf *b, struct err *e)
{
	if (h->con && h->used && !still_open(h))
		disconnect(h);
	if (!net_http_connect(h, e))
		return false;
	if (!buf_ok(b))
		return err_fail(e, ERR_LIMIT, "no memory");
	h->used = true;
	return send_all(h, buf_bytes(b), e) ||
		err_wrap(e, "%s", net_http_name(h));
}

bool net_http_send(struct net_http *h, const char *method, const char *path,
	struct bytes body, struct err *e)
{
	auto_wipe_buf b = { 0 };
	put_head(h, &b, method, path);
	if (body.len)
		buf_fmt(&b, "Content-Type: application/json\r\n");
	if (body.len || strcmp(method, "GET"))
		buf_fmt(&b, "Content-Length: %zu\r\n", body.len);
	buf_str(&b, "\r\n");
	buf_put(&b, body);
	return send_request(h, &b, e);
}

static bool receive(struct net_http *h, struct net_response *r, struct err *e)
{
	while (!net_response_done(r)) {
		size_t n, used;
		bool end = false;
		if (!h->in.len) {
			uint8_t *to = buf_reserve(&h->in, READ_BYTES);
			if (!to)
				return err_fail(e, ERR_LIMIT, "no memory");
			if (!net_connection_recv(h->con, to, READ_BYTES, &n,
				    &end, e))
				return false;
			buf_commit(&h->in, n);
			if (end && !net_response_end(r, e))
				return false;
			if (!n && !end && !wait_for(h, POLLIN, e))
				return false;
		}
		if (!net_response_feed(r, buf_bytes(&h->in), &used, e))
			return false;
		buf_consume(&h->in, used);
	}
	return true;
}

bool net_http_receive(struct net_http *h, struct net_response *response,
	struct err *e)
{
	must(h->con);
	bool ok = receive(h, response, e);
	if (!ok || (!response->keep_alive && response->status != 101))
		disconnect(h);
	return ok || err_wrap(e, "%s", net_http_name(h));
}

bool net_http_call(struct net_http *h, const char *method, const char *path,
	struct bytes body, struct net_response *response, struct err *e)
{
	if (!net_http_send(h, method, path, body, e) ||
		!net_http_receive(h, response, e))
		return false;
	if (response->status == 101) {
		disconnect(h);
		return err_fail(e, ERR_HOST, "%s: answer: upgraded unasked",
			net_http_name(h));
	}
	return true;
}

bool net_http_upgrade(struct net_http *h, const char *path,
	const char *protocol, struct net_response *response, struct err *e)
{
	auto_wipe_buf b = { 0 };
	put_head(h, &b, "GET", path);
	buf_fmt(&b, "Connection: Upgrade\r\nUpgrade: %s\r\n\r\n", protocol);
	if (!send_request(h, &b, e) || !net_http_receive(h, response, e))
		return false;
	if (response->status == 101 && strcmp(response->upgrade, protocol)) {
		disconnect(h);
		return err_fail(e, ERR_HOST, "%s: answer: wrong upgrade",
			net_http_name(h));
	}
	return true;
}

int net_http_fd(const struct net_http *h)
{
	return h->con ? net_connection_fd(h->con) : -1;
}

bool net_http_write(struct net_http *h, struct bytes in, size_t *n,
	struct err *e)
{
	must(h->con);
	return net_connection_send(h->con, in, n, e) ||
		err_wrap(e, "%s", net_http_name(h));
}

bool net_http_read(struct net_http *h, uint8_t *to, size_t room, size_t *n,
	bool *end, struct err *e)
{
	must(h->con);
	if (h->in.len) {
		*n = size_min(room, h->in.len);
		*end = false;
		memcpy(to, h->in.ptr, *n);
		buf_consume(&h->in, *n);
		return true;
	}
	return net_connection_recv(h->con, to, room, n, end, e) ||
		err_wrap(e, "%s", net_http_name(h));
}
