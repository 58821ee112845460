/* SPDX-License-Identifier: Apache-2.0 */
#include "repository/https.h"

#include <curl/curl.h>
#include <poll.h>
#include <stdlib.h>

enum { MAX_REDIRECTS = 8, CONNECT_SECONDS = 30, STALL_SECONDS = 60 };

struct transfer {
	const struct repository_config *cfg;
	struct buf *out;
	size_t left;
	bool too_large;
	char error[CURL_ERROR_SIZE];
};

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
	struct transfer *t = ctx;
	size_t n;
	if (!size_mul(size, count, &n) || n > t->left) {
		t->too_large = true;
		return 0;
	}
	t->left -= n;
	return buf_put(t->out, bytes_of(data, n)) ? n : 0;
}

static int on_progress(void *ctx, curl_off_t total, curl_off_t now,
	curl_off_t up_total, curl_off_t up)
{
	(void)total, (void)now, (void)up_total, (void)up;
	const struct transfer *t = ctx;
	struct pollfd p = { .fd = t->cfg->cancel_fd, .events = POLLIN };
	return poll(&p, 1, 0) > 0;
}

#define SET(option, value)                                               \
	do {                                                             \
		CURLcode code_ = curl_easy_setopt(c, (option), (value)); \
		if (code_)                                               \
			return code_;                                    \
	} while (0)

static CURLcode set_up(CURL *c, struct transfer *t, const char *url)
{
	SET(CURLOPT_URL, url);
	SET(CURLOPT_PROTOCOLS_STR, "https");
	SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
	SET(CURLOPT_FOLLOWLOCATION, 1L);
	SET(CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS);
	SET(CURLOPT_FAILONERROR, 1L);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
	SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
	SET(CURLOPT_LOW_SPEED_TIME, (long)STALL_SECONDS);
	SET(CURLOPT_USERAGENT, "donjon/" DONJON_VERSION);
	SET(CURLOPT_ERRORBUFFER, t->error);
	SET(CURLOPT_WRITEDATA, t);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_NOPROGRESS, 0L);
	SET(CURLOPT_XFERINFODATA, t);
	SET(CURLOPT_XFERINFOFUNCTION, on_progress);
	/* The usual variable counts here too; libcurl leaves it to us. */
	const char *ca = t->cfg->ca_file;
	if (!ca)
		ca = getenv("SSL_CERT_FILE");
	if (ca && ca[0])
		SET(CURLOPT_CAINFO, ca);
	return CURLE_OK;
}

static bool judge(const struct transfer *t, CURLcode r, struct err *e)
{
	if (!r)
		return true;
	if (t->too_large)
		return err_fail(e, ERR_LIMIT, "larger than %zu bytes",
			t->cfg->max_bytes);
	if (r == CURLE_ABORTED_BY_CALLBACK)
		return err_fail(e, ERR_HOST, "interrupted");
	return err_fail(e,
		r == CURLE_HTTP_RETURNED_ERROR ? ERR_INPUT : ERR_HOST, "%s",
		t->error[0] ? t->error : curl_easy_strerror(r));
}

bool repository_https(const struct repository_config *cfg, const char *url,
	struct buf *out, struct err *e)
{
	struct transfer t = { .cfg = cfg, .out = out, .left = cfg->max_bytes };
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return err_fail(e, ERR_LIMIT, "no memory");
	CURL *c = curl_easy_init();
	CURLcode r = c ? set_up(c, &t, url) : CURLE_OUT_OF_MEMORY;
	if (!r)
		r = curl_easy_perform(c);
	curl_easy_cleanup(c);
	curl_global_cleanup();
	return judge(&t, r, e);
}
