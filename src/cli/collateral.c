/* SPDX-License-Identifier: Apache-2.0 */
#include "client/collateral.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/say.h"
#include "client/paths.h"

static void on_file(void *ctx, const char *name, const char *what)
{
	const struct cli_args *a = ctx;
	if (!a->value[CLI_QUIET])
		fprintf(stderr, "%s%s%s\n", name, what[0] ? "  " : "", what);
}

/* cache: where a default may be put. */
static bool set_up(const struct cli_args *a, struct client_collateral *c,
	char cache[CLIENT_PATH_MAX], struct err *e)
{
	const char *timeout = a->value[CLI_NET_TIMEOUT];
	char *end = NULL;
	unsigned long s = timeout ? strtoul(timeout, &end, 10) : 0;
	if (timeout &&
		(*end || timeout[0] < '0' || timeout[0] > '9' || !s ||
			s > 86400))
		return err_fail(e, ERR_INPUT,
			"--net-timeout: expected a number of seconds");
	*c = (struct client_collateral){
		.cache = a->value[CLI_CACHE],
		.kds = a->value[CLI_KDS],
		.pcs = a->value[CLI_PCS],
		.ca_file = a->value[CLI_CA],
		.plain_http = a->value[CLI_PLAIN_HTTP],
		.timeout_s = (unsigned)s,
		.cancel_fd = -1,
		.on_file = on_file,
	};
	memcpy(&c->ctx, &a, sizeof a);
	if (c->cache)
		return true;
	c->cache = cache;
	return client_path_collateral(cache, e);
}

int cli_collateral_update(const struct cli_args *a)
{
	char cache[CLIENT_PATH_MAX];
	struct client_collateral c;
	struct err e = { 0 };
	bool ok = set_up(a, &c, cache, &e);
	c.cancel_fd = cli_signals();
	ok = ok &&
		client_collateral_update(&c, a->operands, a->operand_count, &e);
	return ok ? 0 : cli_fail(&e);
}

int cli_collateral_show(const struct cli_args *a)
{
	char cache[CLIENT_PATH_MAX];
	struct client_collateral c;
	struct err e = { 0 };
	auto_buf out = { 0 };
	if (!set_up(a, &c, cache, &e) ||
		!client_collateral_show(&c, (int64_t)time(NULL),
			a->value[CLI_JSON], &out, &e))
		return cli_fail(&e);
	if (!out.len)
		fprintf(stderr,
			"%s: empty: donjon collateral update, or import\n",
			cache);
	return cli_print(buf_bytes(&out));
}

int cli_collateral_export(const struct cli_args *a)
{
	char cache[CLIENT_PATH_MAX];
	struct client_collateral c;
	struct err e = { 0 };
	return set_up(a, &c, cache, &e) &&
			client_collateral_export(&c, a->operands[0], &e) ?
		0 :
		cli_fail(&e);
}

int cli_collateral_import(const struct cli_args *a)
{
	char cache[CLIENT_PATH_MAX];
	struct client_collateral c;
	struct err e = { 0 };
	return set_up(a, &c, cache, &e) &&
			client_collateral_import(&c, a->operands,
				a->operand_count, &e) ?
		0 :
		cli_fail(&e);
}
