/* SPDX-License-Identifier: Apache-2.0 */
#include "client/host.h"

#include <stdlib.h>

#include "repository/repository.h"

enum { MAX_TOKEN = 4096 };

static bool read_token(const char *path, struct buf *out, struct err *e)
{
	if (!repository_read_file(path, MAX_TOKEN, out, e))
		return err_wrap(e, "token");
	while (out->len && strchr(" \t\r\n", out->ptr[out->len - 1]))
		out->len--;
	if (!out->len)
		return err_fail(e, ERR_INPUT, "token: %s is empty", path);
	return true;
}

bool client_host_open(const struct client_host *host, int cancel_fd,
	struct net_http **out, struct err *e)
{
	auto_wipe_buf token = { 0 };
	const char *variable = getenv("DONJON_TOKEN");
	if (host->token_file) {
		if (!read_token(host->token_file, &token, e))
			return false;
	} else if (variable && variable[0] && !buf_str(&token, variable)) {
		return err_fail(e, ERR_LIMIT, "no memory");
	}
	const struct net_http_config cfg = { .url = host->url,
		.ca_file = host->ca_file,
		.name = host->name,
		.token = token.len ? buf_cstr(&token) : NULL,
		.cancel_fd = cancel_fd };
	return net_http_open(&cfg, out, e);
}
