/* SPDX-License-Identifier: Apache-2.0 */
#include "net/connection.h"

#include <curl/curl.h>
#include <poll.h>
#include <stdlib.h>

#include "base/fmt.h"

struct net_connection {
	CURL *curl;
	curl_socket_t fd;
	int cancel_fd;
	bool on_socket;
	char error[CURL_ERROR_SIZE];
};

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c,
	curl_off_t d)
{
	(void)a, (void)b, (void)c, (void)d;
	const struct net_connection *con = ctx;
	struct pollfd p = { .fd = con->cancel_fd, .events = POLLIN };
	return poll(&p, 1, 0) > 0;
}

static CURLcode set_where(CURL *c, const struct net_connection_config *cfg)
{
	char url[300];
	fmt(url, sizeof url, "%s://%s/", cfg->url.https ? "https" : "http",
		cfg->url.host);
	CURLcode r = curl_easy_setopt(c, CURLOPT_URL, url);
	if (!r && cfg->url.socket[0])
		r = curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH,
			cfg->url.socket);
	/* A proxy of the environment must never see what is local. */
	if (!r && cfg->url.local)
		r = curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	if (!r && cfg->ca_file)
		r = curl_easy_setopt(c, CURLOPT_CAINFO, cfg->ca_file);
	return r;
}

static CURLcode set_up(struct net_connection *con,
	const struct net_connection_config *cfg)
{
	CURL *c = con->curl;
	CURLcode r = set_where(c, cfg);
	if (!r)
		r = curl_easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L);
	if (!r)
		r = curl_easy_setopt(c, CURLOPT_HTTP_VERSION,
			CURL_HTTP_VERSION_1_1);
	if (!r)
		r = curl_easy_setopt(c, CURLOPT_SSLVERSION,
			CURL_SSLVERSION_TLSv1_2);
	if (!r)
		r = curl_easy_setopt(c, CURLOPT_HTTPPROXYTUNNEL, 1L);
	if (!r)
		r = curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	if (!r)
		r = curl_easy_setopt(c, CURLOPT_ERRORBUFFER, con->error);
	if (!r)
		r = curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
			(long)cfg->timeout_ms);
	if (!r)
		r = curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	if (!r)
		r = curl_easy_setopt(c, CURLOPT_XFERINFODATA, con);
	if (!r)
		r = curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	return r;
}

static bool failed(const struct net_connection *c, CURLcode r, struct err *e)
{
	if (r == CURLE_ABORTED_BY_CALLBACK)
		return err_fail(e, ERR_HOST, "interrupted");
	/* curl would name the host and port that there are not. */
	if (r == CURLE_COULDNT_CONNECT && c->on_socket)
		return err_fail(e, ERR_HOST,
			"no host agent listens on that socket");
	if (r == CURLE_PEER_FAILED_VERIFICATION)
		return err_fail(e, ERR_HOST,
			"%s (--host-ca names what to trust)",
			c->error[0] ? c->error : curl_easy_strerror(r));
	return err_fail(e, ERR_HOST, "%s",
		c->error[0] ? c->error : curl_easy_strerror(r));
}

bool net_connection_open(const struct net_connection_config *cfg,
	struct net_connection **out, struct err *e)
{
	struct net_connection *c = calloc(1, sizeof *c);
	/* Reference counted and, since 7.84, safe to repeat. */
	if (!c || curl_global_init(CURL_GLOBAL_DEFAULT)) {
		free(c);
		return err_fail(e, ERR_LIMIT, "no memory");
	}
	c->cancel_fd = cfg->cancel_fd;
	c->on_socket = cfg->url.socket[0];
	c->curl = curl_easy_init();
	CURLcode r = c->curl ? set_up(c, cfg) : CURLE_OUT_OF_MEMORY;
	if (!r)
		r = curl_easy_perform(c->curl);
	if (!r)
		r = curl_easy_getinfo(c->curl, CURLINFO_ACTIVESOCKET, &c->fd);
	if (r) {
		bool ok = failed(c, r, e);
		net_connection_close(c);
		return ok;
	}
	*out = c;
	return true;
}

void net_connection_close(struct net_connection *c)
{
	if (!c)
		return;
	curl_easy_cleanup(c->curl);
	curl_global_cleanup();
	free(c);
}

int net_connection_fd(const struct net_connection *c)
{
	return c->fd;
}

bool net_connection_send(struct net_connection *c, struct bytes in, size_t *n,
	struct err *e)
{
	*n = 0;
	CURLcode r = curl_easy_send(c->curl, in.ptr, in.len, n);
	if (r == CURLE_AGAIN)
		*n = 0;
	else if (r)
		return failed(c, r, e);
	return true;
}

bool net_connection_recv(struct net_connection *c, uint8_t *to, size_t room,
	size_t *n, bool *end, struct err *e)
{
	*n = 0;
	*end = false;
	CURLcode r = curl_easy_recv(c->curl, to, room, n);
	if (r == CURLE_AGAIN)
		*n = 0;
	else if (r)
		return failed(c, r, e);
	else
		*end = *n == 0;
	return true;
}
