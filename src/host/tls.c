/* SPDX-License-Identifier: Apache-2.0 */
#include "host/tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "host/relay.h"

enum {
	HANDSHAKE_SECONDS = 15,
	MOST_SHAKING = 256, /* connections whose handshake is not done */
};

#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct tls_conn {
	struct tls_conn *prev, *next; /* oldest first */
	struct tls *tls;
	gnutls_session_t session;
	/* Until the handshake is done: */
	int fd;
	struct watch watch;
	struct timer slow;
	void (*ready)(void *arg, int plain);
	void *arg;
	/* Then: */
	struct relay relay;
};

struct tls {
	struct loop *loop;
	const struct log *log;
	gnutls_certificate_credentials_t cred;
	gnutls_priority_t priorities;
	struct tls_conn *first, *last;
	unsigned shaking;
};

/* --- connections -----------------------------------------------------------
 */

static void conn_free(struct tls_conn *c)
{
	struct tls *t = c->tls;
	if (c->fd >= 0)
		t->shaking--;
	loop_cancel(t->loop, &c->slow);
	loop_unwatch(t->loop, &c->watch);
	relay_stop(&c->relay);
	cleanup_fd(&c->fd);
	if (c->session)
		gnutls_deinit(c->session);
	*(c->prev ? &c->prev->next : &t->first) = c->next;
	*(c->next ? &c->next->prev : &t->last) = c->prev;
	free(c);
}

static void conn_slow(struct timer *t)
{
	conn_free(container_of(t, struct tls_conn, slow));
}

static struct tls_conn *conn_of(struct relay *r)
{
	return container_of(r, struct tls_conn, relay);
}

static void relay_done(struct relay *r)
{
	conn_free(conn_of(r));
}

static ssize_t result(ssize_t n)
{
	if (n >= 0)
		return n;
	/* A warning alert is no reason to end: read on. */
	return gnutls_error_is_fatal((int)n) || n == GNUTLS_E_REHANDSHAKE ?
		RELAY_FAILED :
		RELAY_AGAIN;
}

static ssize_t tls_read(struct relay *r, void *to, size_t room)
{
	return result(gnutls_record_recv(conn_of(r)->session, to, room));
}

static ssize_t tls_write(struct relay *r, const void *from, size_t len)
{
	return result(gnutls_record_send(conn_of(r)->session, from, len));
}

/* A client that does not take our close_notify finds the end of TCP. */
static void tls_shut(struct relay *r)
{
	gnutls_bye(conn_of(r)->session, GNUTLS_SHUT_WR);
	shutdown(r->far_fd, SHUT_WR);
}

static const struct relay_ops tls_ops = { .read = tls_read,
	.write = tls_write,
	.shut = tls_shut };

/* --- handshakes ------------------------------------------------------------
 */

static bool pass_on(struct tls_conn *c, struct err *e)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
		    pair))
		return err_fail(e, ERR_HOST, "socketpair: %s", strerror(errno));
	struct tls *t = c->tls;
	loop_cancel(t->loop, &c->slow);
	loop_unwatch(t->loop, &c->watch);
	t->shaking--;
	c->relay.ops = &tls_ops;
	c->relay.done = relay_done;
	if (!relay_start(&c->relay, t->loop, fd_move(&c->fd), pair[0],
		    BYTES_NONE, e)) {
		close(pair[1]);
		return false;
	}
	c->ready(c->arg, pair[1]);
	return true;
}

static void shake(struct watch *w, uint32_t events UNUSED)
{
	struct tls_conn *c = container_of(w, struct tls_conn, watch);
	struct err e = { 0 };
	int n = gnutls_handshake(c->session);
	if (n == GNUTLS_E_SUCCESS) {
		if (!pass_on(c, &e))
			conn_free(c);
	} else if (gnutls_error_is_fatal(n)) {
		log_event(c->tls->log, LOG_DEBUG, "handshake failed", "why",
			gnutls_strerror(n), NULL);
		conn_free(c);
	} else
		loop_rewatch(c->tls->loop, w,
			gnutls_record_get_direction(c->session) ? EPOLLOUT :
								  EPOLLIN);
}

static bool set_up(struct tls_conn *c)
{
	static const char http[] = "http/1.1";
	gnutls_datum_t alpn = { .size = sizeof http - 1 };
	unsigned char name[sizeof http];
	memcpy(name, http, sizeof http);
	alpn.data = name;
	if (gnutls_init(&c->session,
		    GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL)) {
		c->session = NULL;
		return false;
	}
	gnutls_transport_set_int(c->session, c->fd);
	gnutls_handshake_set_timeout(c->session, GNUTLS_INDEFINITE_TIMEOUT);
	return gnutls_priority_set(c->session, c->tls->priorities) == 0 &&
		gnutls_credentials_set(c->session, GNUTLS_CRD_CERTIFICATE,
			c->tls->cred) == 0 &&
		gnutls_alpn_set_protocols(c->session, &alpn, 1, 0) == 0;
}

/* The oldest handshake makes room for a new one. */
static void make_room(struct tls *t)
{
	struct tls_conn *c = t->first;
	while (c && c->fd < 0)
		c = c->next;
	if (c && t->shaking >= MOST_SHAKING)
		conn_free(c);
}

void tls_accept(struct tls *t, int fd, void (*ready)(void *arg, int plain),
	void *arg)
{
	int on = 1;
	struct tls_conn *c = calloc(1, sizeof *c);
	if (!c) {
		close(fd);
		return;
	}
	make_room(t);
	c->tls = t;
	c->fd = fd;
	c->watch = (struct watch){ .fd = -1, .ready = shake };
	c->slow.due = conn_slow;
	c->ready = ready;
	c->arg = arg;
	c->prev = t->last;
	*(c->prev ? &c->prev->next : &t->first) = c;
	t->last = c;
	t->shaking++;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (!set_up(c) || !loop_watch(t->loop, &c->watch, fd, EPOLLIN, NULL)) {
		conn_free(c);
		return;
	}
	loop_set(t->loop, &c->slow, loop_now() + HANDSHAKE_SECONDS * SECOND_NS);
}

/* --- the listener's half ---------------------------------------------------
 */

bool tls_open(const char *cert, const char *key, struct loop *loop,
	const struct log *log, struct tls **out, struct err *e)
{
	struct tls *t = calloc(1, sizeof *t);
	if (!t)
		return err_fail(e, ERR_LIMIT, "no memory");
	t->loop = loop;
	t->log = log;
	int n = gnutls_certificate_allocate_credentials(&t->cred);
	if (n == 0)
		n = gnutls_certificate_set_x509_key_file(t->cred, cert, key,
			GNUTLS_X509_FMT_PEM);
	if (n >= 0)
		n = gnutls_priority_init(&t->priorities, PRIORITIES, NULL);
	if (n < 0) {
		tls_close(t);
		return err_fail(e, ERR_INPUT, "tls: %s, %s: %s", cert, key,
			gnutls_strerror(n));
	}
	*out = t;
	return true;
}

void tls_close(struct tls *t)
{
	if (!t)
		return;
	while (t->first)
		conn_free(t->first);
	if (t->priorities)
		gnutls_priority_deinit(t->priorities);
	if (t->cred)
		gnutls_certificate_free_credentials(t->cred);
	free(t);
}

bool tls_busy(const struct tls *t)
{
	return t && t->first;
}
