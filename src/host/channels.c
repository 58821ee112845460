/* SPDX-License-Identifier: Apache-2.0 */
/* The connections of clients to Keeps. */
#include "host/keeps.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/fmt.h"
#include "base/must.h"

enum { DRAIN_SECONDS = 3, DRAIN_ROUNDS = 10, DRAIN_BYTES = 4 << 10 };

static void unlink_channel(struct channel *c)
{
	struct channel **at = &c->keep->channels;
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
}

void channel_drop(struct channel *c)
{
	struct loop *loop = c->keep->all->loop;
	loop_unwatch(loop, &c->sock);
	loop_cancel(loop, &c->timer);
	unlink_channel(c);
	c->done(c->arg);
	free(c);
}

/* A client that still takes what is on its way gets some time more. */
static void drain_due(struct timer *t)
{
	struct channel *c = container_of(t, struct channel, timer);
	int unsent = 0;
	if (++c->rounds < DRAIN_ROUNDS &&
		ioctl(c->fd, SIOCOUTQ, &unsent) == 0 && unsent > 0)
		loop_set(c->keep->all->loop, t,
			loop_now() + DRAIN_SECONDS * SECOND_NS);
	else
		channel_drop(c);
}

static void drain_ready(struct watch *w, uint32_t events UNUSED)
{
	struct channel *c = container_of(w, struct channel, sock);
	char dropped[DRAIN_BYTES];
	ssize_t n = recv(w->fd, dropped, sizeof dropped, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		channel_drop(c);
}

bool channel_open(struct keep *k, int sock, void (*done)(void *arg), void *arg,
	struct err *e)
{
	struct keeps *ks = k->all;
	if (k->state != KEEP_ATTESTED || k->stopping)
		return err_fail(e, ERR_HOST, "the Keep %s",
			k->state == KEEP_STARTING ? "is starting" :
						    "has ended");
	if (k->open >= KEEPS_CHANNELS)
		return err_fail(e, ERR_LIMIT,
			"the Keep has %u channels open already", k->open);
	struct channel *c = calloc(1, sizeof *c);
	if (!c)
		return err_fail(e, ERR_LIMIT, "no memory");
	*c = (struct channel){ .keep = k,
		.id = k->next_channel,
		.fd = sock,
		.sock = { .fd = -1, .ready = drain_ready },
		.timer = { .due = drain_due },
		.done = done,
		.arg = arg };
	struct control_message m = { .type = CONTROL_CHANNEL,
		.channel = c->id };
	if (!control_send(k->control.fd, &m, sock, e)) {
		free(c);
		return control_gone(k->control.fd) ?
			err_fail(e, ERR_HOST, "the Keep has ended") :
			false;
	}

	c->next = k->channels;
	k->channels = c;
	k->next_channel++;
	k->open++;
	ks->totals.channels++;
	return true;
}

/*
 * Closing a socket whose input was not read resets the connection, and what
 * the Keep said last would be lost on its way.  So its end is announced, and
 * the client is heard out for a while.
 */
void channel_close(struct channel *c)
{
	struct loop *loop = c->keep->all->loop;
	must(!c->draining);
	c->draining = true;
	c->keep->open--;
	shutdown(c->fd, SHUT_WR);
	if (!loop_watch(loop, &c->sock, c->fd, EPOLLIN | EPOLLRDHUP, NULL))
		channel_drop(c);
	else
		loop_set(loop, &c->timer,
			loop_now() + DRAIN_SECONDS * SECOND_NS);
}
