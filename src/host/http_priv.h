/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by http.c (connections, requests) and routes.c (what they ask). */
#ifndef HOST_HTTP_PRIV_H
#define HOST_HTTP_PRIV_H

#include <jansson.h>
#include <microhttpd.h>

#include "host/early.h"
#include "host/http.h"

/* A client's connection.  `slow` runs out when a request does not arrive, or
 * an answer is not taken, in time. */
struct conn {
	struct conn *prev, *next; /* oldest first */
	struct http *http;
	int fd; /* libmicrohttpd's */
	struct timer slow;
	bool reading; /* nothing is being answered: it may be evicted */
	bool upgraded;
};

struct http {
	struct http_config cfg;
	struct MHD_Daemon *mhd;
	struct watch watch;
	struct conn *first, *last;
	struct http_totals totals;
	struct earlies earlies;
	unsigned answering; /* requests */
	bool stopping;
	bool kick; /* a resumed connection waits: its epoll is silent on it */
};

enum phase {
	REQUEST_READING, /* its body */
	REQUEST_WAITING, /* for its Keep; the connection is suspended */
	REQUEST_READY,	 /* to be answered */
	REQUEST_ANSWERED,
};

struct request {
	struct http *http;
	struct MHD_Connection *con;
	struct conn *conn;
	const struct route *route;
	const char *allow; /* with 405 */
	bool old;	   /* not HTTP/1.1 */
	enum phase phase;
	struct buf body;
	size_t swallowed; /* of a body that nobody wants */
	/* Set: the answer, once the body was heard out. */
	unsigned refused;
	enum err_kind refused_kind;
	const char *refused_text;
	char id[33];	   /* of the Keep it is about */
	struct keep *keep; /* WAITING: the one it waits for */
	bool for_room;	   /* WAITING: that it goes; then it is asked again */
	struct watch client;
	struct MHD_UpgradeResponseHandle *urh; /* while it is a channel */
	int early;			       /* its end of a relay, or -1 */
	struct err err; /* READY: kind ERR_NONE when all is well */
};

/* What stands in the URL and what may be done there. */
struct route {
	const char *method;
	bool is_public; /* needs no token */
	enum MHD_Result (*answer)(struct request *q);
};

/* Fills q->route and q->id; or returns 404, or 405 with q->allow. */
unsigned routes_find(struct request *q, const char *url, const char *method);

/* Answers; body is taken over.  All return what a handler returns. */
enum MHD_Result answer_buf(struct request *q, unsigned status, const char *type,
	struct buf *body);
enum MHD_Result answer_json(struct request *q, unsigned status,
	json_t *v /* taken over */);
enum MHD_Result answer_error(struct request *q, unsigned status,
	enum err_kind kind, const char *text);
/* Queues r with its common headers and releases it. */
enum MHD_Result answer(struct request *q, unsigned status,
	struct MHD_Response *r);

/* The Keep that q->id names, or NULL with 404 queued and *ret set. */
struct keep *request_keep(struct request *q, enum MHD_Result *ret);
/* Suspends q until its Keep is attested or ended; for_room: until that one has
 * gone, when q's route is asked again. */
enum MHD_Result request_wait(struct request *q, struct keep *k, bool for_room);
/* The connection is a channel from now on. */
void request_upgraded(struct request *q);
/* The keep_waiter of q. */
void request_done(struct keep *k, void *arg);

#endif
