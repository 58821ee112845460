/* SPDX-License-Identifier: Apache-2.0 */
#include "host/early.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "host/relay.h"

struct early {
	struct early *next;
	struct earlies *all;
	struct relay relay;
};

static void early_free(struct early *x)
{
	struct early **at = &x->all->first;
	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
	relay_stop(&x->relay);
	free(x);
}

static void relay_done(struct relay *r)
{
	early_free(container_of(r, struct early, relay));
}

bool early_start(struct earlies *all, struct loop *loop, int sock,
	struct bytes bytes, int *fd, struct err *e)
{
	int pair[2];
	if (bytes.len > RELAY_BYTES)
		return err_fail(e, ERR_LIMIT, "%zu early bytes", bytes.len);
	auto_fd far = fcntl(sock, F_DUPFD_CLOEXEC, 0);
	struct early *x = calloc(1, sizeof *x);
	if (far < 0 || !x ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			0, pair)) {
		free(x);
		return err_fail(e, ERR_HOST, "relay: %s", strerror(errno));
	}
	x->all = all;
	x->next = all->first;
	all->first = x;
	x->relay.done = relay_done;
	if (!relay_start(&x->relay, loop, fd_move(&far), pair[0], bytes, e)) {
		close(pair[1]);
		early_free(x);
		return false;
	}
	*fd = pair[1];
	return true;
}

void earlies_stop(struct earlies *all)
{
	while (all->first)
		early_free(all->first);
}
