/* SPDX-License-Identifier: Apache-2.0 */
#include "net/web.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/fmt.h"

enum {
	DEFAULT_TIMEOUT_S = 60,
	CONNECT_SECONDS = 30,
	TRICKLE_BYTES = 1024, /* less in a second is no progress */
	MAX_INTERIM = 8,
	MAX_ERROR_BODY = 64 << 10,
	BUFFER_BYTES = 256 << 10,
};

struct net_web {
	CURL *curl;
	char *ca_file;
	bool plain_http;
	unsigned timeout_s;
	int cancel_fd;
};

/* One request and its answer. */
struct exchange {
	struct net_web *w;
	const struct net_web_request *r;
	struct net_web_answer *a;
	uint64_t got, up;   /* bytes of the answer's body, of the request's */
	uint64_t announced; /* Content-Length, or UINT64_MAX */
	unsigned interim;
	bool begun, refused;
	struct err why; /* when refused */
	char error[CURL_ERROR_SIZE];
};

bool net_web_open(const struct net_web_config *cfg, struct net_web **out,
	struct err *e)
{
	struct net_web *w = calloc(1, sizeof *w);
	if (!w || curl_global_init(CURL_GLOBAL_DEFAULT)) {
		free(w);
		return err_fail(e, ERR_LIMIT, "no memory");
	}
	w->plain_http = cfg->plain_http;
	w->timeout_s = cfg->timeout_s ? cfg->timeout_s : DEFAULT_TIMEOUT_S;
	w->cancel_fd = cfg->cancel_fd;
	/* The usual variable counts here too; libcurl leaves it to us. */
	const char *ca = cfg->ca_file ? cfg->ca_file : getenv("SSL_CERT_FILE");
	w->ca_file = ca && ca[0] ? strdup(ca) : NULL;
	w->curl = curl_easy_init();
	if (!w->curl || (ca && ca[0] && !w->ca_file)) {
		net_web_close(w);
		return err_fail(e, ERR_LIMIT, "no memory");
	}
	*out = w;
	return true;
}

void net_web_close(struct net_web *w)
{
	if (!w)
		return;
	curl_easy_cleanup(w->curl);
	curl_global_cleanup();
	free(w->ca_file);
	free(w);
}

bool net_web_cancelled(const struct net_web *w)
{
	struct pollfd p = { .fd = w->cancel_fd, .events = POLLIN };
	return poll(&p, 1, 0) > 0;
}

void net_web_answer_fini(struct net_web_answer *a)
{
	buf_wipe(&a->head);
	buf_wipe(&a->body);
	*a = (struct net_web_answer){ 0 };
}

const char *net_web_header(const struct net_web_answer *a, const char *name)
{
	const char *p = (const char *)a->head.ptr;
	const char *end = p ? p + a->head.len : p;
	while (p < end) {
		const char *value = p + strlen(p) + 1;
		if (!strcmp(p, name))
			return value;
		p = value + strlen(value) + 1;
	}
	return NULL;
}

/* --- the answer's head -------------------------------------------------- */

static bool refuse(struct exchange *x, enum err_kind kind, const char *text)
{
	x->refused = true;
	err_put(&x->why, kind, "%s", text);
	return false;
}

static bool status_line(struct exchange *x)
{
	if (++x->interim > MAX_INTERIM)
		return refuse(x, ERR_HOST, "too many interim answers");
	buf_clear(&x->a->head);
	x->announced = UINT64_MAX;
	return true;
}

static bool length_header(struct exchange *x, const char *value)
{
	char *end;
	errno = 0;
	unsigned long long n = strtoull(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || errno)
		return refuse(x, ERR_HOST, "bad Content-Length");
	x->announced = n;
	return true;
}

static bool judge_header(struct exchange *x, const char *name,
	const char *value)
{
	if (!strcmp(name, "content-length"))
		return length_header(x, value);
	if (!strcmp(name, "content-encoding") &&
		strcasecmp(value, "identity") != 0)
		return refuse(x, ERR_HOST,
			"contents are encoded, which nobody asked for");
	if (!strcmp(name, "transfer-encoding") &&
		strcasecmp(value, "chunked") != 0)
		return refuse(x, ERR_HOST,
			"transfer is encoded, which nobody asked for");
	return true;
}

static bool header_line(struct exchange *x, struct bytes line)
{
	struct buf *h = &x->a->head;
	size_t name = 0;
	while (name < line.len && line.ptr[name] != ':')
		name++;
	if (name == line.len || memchr(line.ptr, '\0', line.len))
		return refuse(x, ERR_HOST, "bad header line");
	struct bytes value = bytes_from(line, name + 1);
	while (value.len && (value.ptr[0] == ' ' || value.ptr[0] == '\t'))
		value = bytes_from(value, 1);
	while (value.len &&
		(value.ptr[value.len - 1] == ' ' ||
			value.ptr[value.len - 1] == '\t'))
		value.len--;
	h->limit = NET_WEB_MAX_HEAD;
	size_t at = h->len;
	for (size_t i = 0; i < name; i++) {
		uint8_t c = line.ptr[i];
		buf_u8(h, c >= 'A' && c <= 'Z' ? c | 0x20 : c);
	}
	buf_u8(h, 0);
	size_t value_at = h->len;
	buf_put(h, value);
	buf_u8(h, 0);
	if (!buf_ok(h))
		return refuse(x, ERR_LIMIT, "head too long");
	return judge_header(x, (const char *)h->ptr + at,
		(const char *)h->ptr + value_at);
}

static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
	struct exchange *x = ctx;
	size_t n = size * count;
	struct bytes line = bytes_of(data, n);
	while (line.len &&
		(line.ptr[line.len - 1] == '\n' ||
			line.ptr[line.len - 1] == '\r'))
		line.len--;
	bool ok = true;
	if (line.len >= 5 && !memcmp(line.ptr, "HTTP/", 5))
		ok = status_line(x);
	else if (line.len)
		ok = header_line(x, line);
	return ok ? n : 0;
}

/* --- the answer's body -------------------------------------------------- */

static unsigned status_of(const struct exchange *x)
{
	long status = 0;
	curl_easy_getinfo(x->w->curl, CURLINFO_RESPONSE_CODE, &status);
	return status > 0 ? (unsigned)status : 0;
}

static bool begin(struct exchange *x, unsigned status)
{
	if (x->begun)
		return true;
	x->begun = true;
	if (x->announced != UINT64_MAX && x->announced > x->r->max_bytes) {
		x->refused = true;
		err_put(&x->why, ERR_LIMIT, "larger than %llu bytes",
			(unsigned long long)x->r->max_bytes);
		return false;
	}
	if (!x->r->begin || x->r->begin(x->r->ctx, status, &x->why))
		return true;
	x->refused = true;
	return false;
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
	struct exchange *x = ctx;
	size_t n = size * count;
	unsigned status = status_of(x);
	struct bytes in = bytes_of(data, n);
	x->got += n;
	if (status < 200 || status > 299) {
		size_t room = MAX_ERROR_BODY - x->a->body.len;
		if (x->got > 16 * MAX_ERROR_BODY) {
			refuse(x, ERR_LIMIT, "endless error text");
			return 0;
		}
		in.len = size_min(in.len, room);
		return buf_put(&x->a->body, in) ? n : 0;
	}
	if (!begin(x, status))
		return 0;
	if (x->got > x->r->max_bytes) {
		x->refused = true;
		err_put(&x->why, ERR_LIMIT, "larger than %llu bytes",
			(unsigned long long)x->r->max_bytes);
		return 0;
	}
	if (!x->r->sink)
		return buf_put(&x->a->body, in) ? n : 0;
	if (x->r->sink(x->r->ctx, in, &x->why))
		return n;
	x->refused = true;
	return 0;
}

/* --- the request's body ------------------------------------------------- */

static size_t on_read(char *to, size_t size, size_t count, void *ctx)
{
	struct exchange *x = ctx;
	const struct net_web_request *r = x->r;
	uint64_t left = r->body_len - x->up;
	size_t n = size * count;
	if (n > left)
		n = (size_t)left;
	if (r->body_is_fd && n) {
		ssize_t k =
			pread(r->body_fd, to, n, (off_t)(r->body_at + x->up));
		if (k <= 0) {
			refuse(x, ERR_INPUT, "the file to send changed");
			return CURL_READFUNC_ABORT;
		}
		n = (size_t)k;
	} else if (n) {
		memcpy(to, r->body.ptr + x->up, n);
	}
	x->up += n;
	if (r->sent)
		r->sent(r->ctx, x->up);
	return n;
}

static int on_seek(void *ctx, curl_off_t at, int origin)
{
	struct exchange *x = ctx;
	if (origin != SEEK_SET || at < 0 || (uint64_t)at > x->r->body_len)
		return CURL_SEEKFUNC_CANTSEEK;
	x->up = (uint64_t)at;
	return CURL_SEEKFUNC_OK;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c,
	curl_off_t d)
{
	(void)a, (void)b, (void)c, (void)d;
	return net_web_cancelled(ctx);
}

/* --- setting up --------------------------------------------------------- */

#define SET(option, value)                                               \
	do {                                                             \
		CURLcode code_ = curl_easy_setopt(c, (option), (value)); \
		if (code_)                                               \
			return code_;                                    \
	} while (0)

static CURLcode set_method(CURL *c, struct exchange *x)
{
	const struct net_web_request *r = x->r;
	bool body = r->body_len || !strcmp(r->method, "POST") ||
		!strcmp(r->method, "PUT") || !strcmp(r->method, "PATCH");
	if (!strcmp(r->method, "HEAD"))
		SET(CURLOPT_NOBODY, 1L);
	else
		SET(CURLOPT_HTTPGET, 1L);
	if (body) {
		SET(CURLOPT_UPLOAD, 1L);
		SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->body_len);
		SET(CURLOPT_READFUNCTION, on_read);
		SET(CURLOPT_READDATA, x);
		SET(CURLOPT_SEEKFUNCTION, on_seek);
		SET(CURLOPT_SEEKDATA, x);
		SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER_BYTES);
	}
	if (strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0)
		SET(CURLOPT_CUSTOMREQUEST, r->method);
	return CURLE_OK;
}

static CURLcode set_bounds(CURL *c, struct exchange *x)
{
	const struct net_web *w = x->w;
	SET(CURLOPT_CONNECTTIMEOUT,
		(long)(w->timeout_s < CONNECT_SECONDS ? w->timeout_s :
							CONNECT_SECONDS));
	SET(CURLOPT_LOW_SPEED_LIMIT, (long)TRICKLE_BYTES);
	SET(CURLOPT_LOW_SPEED_TIME, (long)w->timeout_s);
	/* Documents are small: they have an end, not only a pace. */
	if (!x->r->sink && !x->r->body_len)
		SET(CURLOPT_TIMEOUT, (long)w->timeout_s * 2);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_NOPROGRESS, 0L);
	SET(CURLOPT_XFERINFODATA, x->w);
	SET(CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
	return CURLE_OK;
}

static CURLcode set_up(CURL *c, struct exchange *x, const char *url,
	struct curl_slist *headers)
{
	char shown[256];
	net_web_show(url, shown);
	SET(CURLOPT_URL, url);
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_HTTP09_ALLOWED, 0L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_USERAGENT, "donjon/" DONJON_VERSION);
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_ERRORBUFFER, x->error);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, x);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, x);
	SET(CURLOPT_HTTPHEADER, headers);
	if (x->w->ca_file)
		SET(CURLOPT_CAINFO, x->w->ca_file);
	/* A proxy of the environment must never see what is local. */
	if (net_web_loopback(shown))
		SET(CURLOPT_NOPROXY, "*");
	CURLcode r = set_bounds(c, x);
	return r ? r : set_method(c, x);
}

static bool add(struct curl_slist **list, const char *text)
{
	struct curl_slist *more = curl_slist_append(*list, text);
	if (more)
		*list = more;
	return more != NULL;
}

/* authorization: may it go to this origin? */
static bool make_headers(const struct net_web_request *r, bool authorization,
	struct curl_slist **out)
{
	/* No "Expect: 100-continue": it costs a second where it is unknown. */
	bool ok = add(out, "Expect:");
	for (size_t i = 0; ok && r->headers && r->headers[i]; i++)
		ok = add(out, r->headers[i]);
	if (ok && r->range_from) {
		char range[48];
		fmt(range, sizeof range, "Range: bytes=%llu-",
			(unsigned long long)r->range_from);
		ok = add(out, range);
	}
	if (ok && authorization && r->authorization) {
		auto_wipe_buf line = { 0 };
		buf_fmt(&line, "Authorization: %s", r->authorization);
		ok = buf_ok(&line) && add(out, buf_cstr(&line));
	}
	return ok;
}

static void free_headers(struct curl_slist *list)
{
	for (struct curl_slist *p = list; p; p = p->next)
		explicit_bzero(p->data, strlen(p->data));
	curl_slist_free_all(list);
}

/* --- running ------------------------------------------------------------ */

static bool is_transient(CURLcode r)
{
	switch (r) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_PARTIAL_FILE:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return true;
	default:
		return false;
	}
}

static bool judge(struct exchange *x, CURLcode r, struct err *e)
{
	if (!r)
		return true;
	if (x->refused)
		return err_fail(e, x->why.kind, "%s", x->why.text);
	if (r == CURLE_ABORTED_BY_CALLBACK)
		return err_fail(e, ERR_HOST, "interrupted");
	if (r == CURLE_WRITE_ERROR || r == CURLE_OUT_OF_MEMORY)
		return err_fail(e, ERR_LIMIT, "no memory");
	x->a->transient = is_transient(r);
	if (r == CURLE_OPERATION_TIMEDOUT)
		return err_fail(e, ERR_HOST, "too slow, or no answer, for %u s",
			x->w->timeout_s);
	return err_fail(e, ERR_HOST, "%s",
		x->error[0] ? x->error : curl_easy_strerror(r));
}

static bool once(struct net_web *w, const struct net_web_request *r,
	const char *url, bool authorization, struct net_web_answer *a,
	struct err *e)
{
	struct exchange x = { .w = w, .r = r, .a = a, .announced = UINT64_MAX };
	struct curl_slist *headers = NULL;
	buf_clear(&a->head);
	buf_clear(&a->body);
	a->status = 0;
	a->transient = false;
	/* Keeps the connections, forgets all else of the last request. */
	curl_easy_reset(w->curl);
	CURLcode code = make_headers(r, authorization, &headers) ?
		set_up(w->curl, &x, url, headers) :
		CURLE_OUT_OF_MEMORY;
	if (!code)
		code = curl_easy_perform(w->curl);
	a->status = status_of(&x);
	/* An empty body has no first byte: a refusal of it comes here. */
	bool ok = judge(&x, code, e);
	if (ok && a->status >= 200 && a->status <= 299 && !x.begun &&
		strcmp(r->method, "HEAD") != 0 && r->begin &&
		!begin(&x, a->status))
		ok = err_fail(e, x.why.kind, "%s", x.why.text);
	curl_easy_reset(w->curl);
	free_headers(headers);
	return ok;
}

static bool is_redirect(unsigned status)
{
	return status == 301 || status == 302 || status == 303 ||
		status == 307 || status == 308;
}

static bool allowed(const struct net_web *w, const char *url, struct err *e)
{
	char shown[256];
	net_web_show(url, shown);
	if (!strncmp(url, "https://", 8))
		return true;
	if (strncmp(url, "http://", 7) != 0)
		return err_fail(e, ERR_INPUT, "not https");
	return w->plain_http || net_web_loopback(shown) ||
		err_fail(e, ERR_DENIED, "plain http beyond loopback");
}

static bool run(struct net_web *w, const struct net_web_request *in,
	struct net_web_answer *a, struct err *e)
{
	struct net_web_request r = *in;
	bool authorization = true;
	if (r.body.len && !r.body_is_fd)
		r.body_len = r.body.len;
	bool follow = !r.no_redirects &&
		(!strcmp(r.method, "GET") || !strcmp(r.method, "HEAD"));
	for (unsigned hops = 0;; hops++) {
		char next[NET_WEB_MAX_URL];
		bool same;
		if (!allowed(w, a->url, e) ||
			!once(w, &r, a->url, authorization, a, e))
			return false;
		const char *to = net_web_header(a, "location");
		if (!follow || !is_redirect(a->status) || !to)
			return true;
		if (hops == NET_WEB_MAX_REDIRECTS)
			return err_fail(e, ERR_HOST, "more than %d redirects",
				NET_WEB_MAX_REDIRECTS);
		if (!net_web_resolve(a->url, to, w->plain_http, next, &same, e))
			return false;
		authorization = authorization && same;
		memcpy(a->url, next, sizeof next);
	}
}

bool net_web_do(struct net_web *w, const struct net_web_request *r,
	struct net_web_answer *a, struct err *e)
{
	char shown[256];
	net_web_show(r->url, shown);
	if (strlen(r->url) >= sizeof a->url)
		return err_fail(e, ERR_LIMIT, "%s: address too long", shown);
	memcpy(a->url, r->url, strlen(r->url) + 1);
	if (run(w, r, a, e))
		return true;
	char where[256];
	net_web_show(a->url, where);
	if (strcmp(where, shown) != 0)
		err_prefix(e, "redirected to %s", where);
	return err_wrap(e, "%s", shown);
}
