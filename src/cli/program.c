/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/package.h"
#include "cli/say.h"
#include "client/config.h"
#include "client/run.h"

struct transcript {
	struct cli_progress progress; /* first: it is a context of its own */
	const struct cli_args *args;
	bool quiet, verbose, colour;
};

const char *cli_host(const struct cli_args *a)
{
	const char *variable = getenv("DONJON_HOST");
	if (a->value[CLI_HOST])
		return a->value[CLI_HOST];
	return variable && variable[0] ? variable : NULL;
}

/* --- the workload ------------------------------------------------------- */

static bool parse_fuel(const char *text, uint64_t *out, struct err *e)
{
	char *end;
	errno = 0;
	unsigned long long n = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno || !n)
		return err_fail(e, ERR_INPUT, "--fuel %s: want a number", text);
	*out = n;
	return true;
}

static bool read_limits(const struct cli_args *a, struct client_workload *w,
	struct err *e)
{
	const char *time = a->value[CLI_TIMEOUT];
	const char *memory = a->value[CLI_MEMORY];
	const char *fuel = a->value[CLI_FUEL];
	const char *engine = a->value[CLI_ENGINE];
	if (engine && !client_workload_engine(w, engine, e))
		return err_wrap(e, "--engine");
	if (time && !client_workload_time(w, time, e))
		return err_wrap(e, "--timeout");
	if (memory && !client_workload_memory(w, memory, e))
		return err_wrap(e, "--memory");
	return !fuel || parse_fuel(fuel, &w->fuel, e);
}

/* What the command line says counts more than a Donjon.toml. */
static bool configure(void *ctx, struct client_workload *w, struct err *e)
{
	const struct transcript *t = ctx;
	const struct cli_args *a = t->args;
	for (size_t i = 0; i < a->set_count; i++)
		if (!client_config_set(a->sets[i], w, e))
			return false;
	for (size_t i = 0; i < a->listen_count; i++)
		if (!client_workload_listen(w, a->listens[i], e))
			return err_wrap(e, "--listen");
	for (size_t i = 0; i < a->connect_count; i++)
		if (!client_workload_connect(w, a->connects[i], e))
			return err_wrap(e, "--connect");
	for (size_t i = 0; i < a->env_count; i++)
		if (!client_workload_env(w, a->envs[i], e))
			return err_wrap(e, "--env");
	for (size_t i = 0; i < a->dir_count; i++)
		if (!client_workload_dir(w, a->dirs[i], e))
			return err_wrap(e, "--dir");
	for (size_t i = 0; i < a->out_count; i++)
		if (!client_workload_out(w, a->outs[i], e))
			return err_wrap(e, "--out");
	if (!read_limits(a, w, e))
		return false;
	if (a->operand_count > 1)
		client_workload_no_args(w);
	for (size_t i = 1; i < a->operand_count; i++)
		if (!client_workload_arg(w, a->operands[i], e))
			return false;
	return true;
}

/* --- the transcript ----------------------------------------------------- */

static void on_step(void *ctx, enum client_step step, const char *text,
	uint64_t ns)
{
	static const char *const names[] = {
		[CLIENT_STEP_PACKAGE] = "package",
		[CLIENT_STEP_ASKED] = "asked",
		[CLIENT_STEP_MEASURED] = "measured",
		[CLIENT_STEP_VERIFIED] = "verified",
		[CLIENT_STEP_SEALED] = "sealed",
		[CLIENT_STEP_RUNNING] = "running",
		[CLIENT_STEP_ENDED] = "ended",
		[CLIENT_STEP_NOTE] = "note",
	};
	const struct transcript *t = ctx;
	char line[512];
	int n;
	if (t->quiet || (step == CLIENT_STEP_ENDED && !t->verbose))
		return;
	if (step == CLIENT_STEP_WARNING)
		n = snprintf(line, sizeof line, "  %sNOT CONFIDENTIAL: %s%s",
			t->colour ? "\033[1;31m" : "", text,
			t->colour ? "\033[0m" : "");
	else if (text[0])
		n = snprintf(line, sizeof line, "  %-9s %s", names[step], text);
	else
		n = snprintf(line, sizeof line, "  %s", names[step]);
	if (t->verbose)
		fprintf(stderr, "%-*s  %8.1f ms\n", n < 100 ? 100 : n, line,
			(double)ns / 1e6);
	else
		fprintf(stderr, "%s\n", line);
}

/* --- the end ------------------------------------------------------------ */

static void put_log(struct client_report *r)
{
	char *text = (char *)r->log.ptr, *end = text + r->log.len;
	while (text < end) {
		char *nl = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((nl ? nl : end) - text);
		fprintf(stderr, "  host agent: %.*s\n", (int)n, text);
		text += n + 1;
	}
}

static int finish(const struct cli_args *a, struct client_report *r, bool ok,
	const struct err *e)
{
	bool detached = ok && a->value[CLI_DETACH] && !r->status;
	if (!ok) {
		cli_fail(e);
		put_log(r);
	} else if (r->reason[0]) {
		fprintf(stderr, "donjon: %s\n", r->reason);
	}
	if (detached && !a->value[CLI_JSON])
		printf("%s\n", r->id);
	if (a->value[CLI_JSON] && r->json.len)
		fprintf(stderr, "%.*s\n", (int)r->json.len,
			(const char *)r->json.ptr);
	return fflush(stdout) ? ERR_STATUS(ERR_HOST) : r->status;
}

static int run(const struct cli_args *a, const char *url)
{
	struct err e = { 0 };
	struct client_web web;
	struct transcript t = { .args = a,
		.quiet = a->value[CLI_QUIET] || a->value[CLI_JSON],
		.verbose = a->value[CLI_VERBOSE],
		.colour = cli_colour() };
	t.progress.quiet = t.quiet;
	if (!cli_web(a, &web, &e))
		return cli_fail(&e);
	const struct client_job job = {
		.host = { .url = url,
			.ca_file = a->value[CLI_HOST_CA],
			.token_file = a->value[CLI_TOKEN_FILE] },
		.images = a->value[CLI_IMAGES],
		.tee = a->value[CLI_TEE] ? a->value[CLI_TEE] : "auto",
		.platform = a->value[CLI_PLATFORM] ? a->value[CLI_PLATFORM] :
						     "auto",
		.policy = a->value[CLI_POLICY],
		.reference = a->operands[0],
		.config = a->value[CLI_CONFIG],
		.configure = configure,
		.receipt = a->value[CLI_RECEIPT],
		.key = a->value[CLI_KEY],
		.identity = a->value[CLI_IDENTITY],
		.web = web,
		.on_progress = cli_progress,
		.detach = a->value[CLI_DETACH],
		.signal_fd = cli_signals(),
		.on_step = on_step,
		.ctx = &t,
	};
	struct client_report r = { .begin = a->begin };
	bool ok = client_run(&job, &r, &e);
	int status = finish(a, &r, ok, &e);
	client_report_fini(&r);
	close(job.signal_fd);
	return status;
}

int cli_program(const struct cli_args *a, const char *url)
{
	return run(a, url);
}
