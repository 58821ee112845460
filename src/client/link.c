/* SPDX-License-Identifier: Apache-2.0 */
#include "client/link.h"

#include <poll.h>
#include <stdlib.h>

/* Several TLS records at once. */
enum { BLOCK = 128 << 10 };

bool client_link_open(struct client_link *l, struct net_http *http,
	struct channel_identity *id, const uint8_t keep[32], struct err *e)
{
	*l = (struct client_link){ .http = http, .block = malloc(BLOCK) };
	if (!l->block)
		return err_fail(e, ERR_LIMIT, "no memory");
	return channel_connect(id, keep, &l->channel, e);
}

void client_link_close(struct client_link *l)
{
	channel_free(l->channel);
	/* Plaintext never comes here, but what was decrypted in place may. */
	if (l->block)
		explicit_bzero(l->block, BLOCK);
	free(l->block);
	*l = (struct client_link){ 0 };
}

bool client_link_flush(struct client_link *l, bool *moved, struct err *e)
{
	for (;;) {
		struct bytes out = channel_output(l->channel);
		size_t n;
		if (!out.len || l->ended)
			return true;
		if (!net_http_write(l->http, out, &n, e))
			return false;
		if (!n)
			return true;
		channel_output_done(l->channel, n);
		*moved = true;
	}
}

bool client_link_fill(struct client_link *l, bool *moved, struct err *e)
{
	size_t room = size_min(channel_input_room(l->channel), BLOCK), n;
	bool end;
	if (!room || l->ended)
		return true;
	if (!net_http_read(l->http, l->block, room, &n, &end, e))
		return false;
	if (end) {
		l->ended = *moved = true;
		return channel_input_end(l->channel, e);
	}
	if (!n)
		return true;
	*moved = true;
	return channel_input(l->channel, bytes_of(l->block, n), e);
}

short client_link_events(const struct client_link *l)
{
	short events = 0;
	if (channel_input_room(l->channel) && !l->ended)
		events |= POLLIN;
	if (channel_output(l->channel).len && !l->ended)
		events |= POLLOUT;
	return events;
}
