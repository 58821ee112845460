/* SPDX-License-Identifier: Apache-2.0 */
/* `donjon package`: build, push, pull, inspect, list, copy. */
#include "cli/package.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/say.h"
#include "client/package.h"
#include "repository/copy.h"

bool cli_web(const struct cli_args *a, struct client_web *out, struct err *e)
{
	const char *timeout = a->value[CLI_NET_TIMEOUT];
	char *end = NULL;
	*out = (struct client_web){ .ca_file = a->value[CLI_CA],
		.plain_http = a->value[CLI_PLAIN_HTTP] };
	if (!timeout)
		return true;
	errno = 0;
	unsigned long n = strtoul(timeout, &end, 10);
	if (*timeout < '0' || *timeout > '9' || *end || errno || !n ||
		n > 86400)
		return err_fail(e, ERR_INPUT,
			"--net-timeout %s: want seconds, 1 to 86400", timeout);
	out->timeout_s = (unsigned)n;
	return true;
}

bool cli_repository_open(const struct cli_args *a, struct cli_repository *c,
	struct err *e)
{
	struct client_web web;
	*c = (struct cli_repository){ .progress.quiet = a->value[CLI_QUIET],
		.signal_fd = cli_signals() };
	if (!cli_web(a, &web, e) ||
		!client_package_trust(a->value[CLI_POLICY], NULL, NULL,
			&c->trust, e))
		return false;
	const struct repository_config cfg = { .ca_file = web.ca_file,
		.plain_http = web.plain_http,
		.timeout_s = web.timeout_s,
		.cancel_fd = c->signal_fd,
		.progress = cli_progress,
		.ctx = &c->progress };
	return repository_open(&cfg, &c->r, e);
}

static int status_of(int signal_fd, const struct err *e)
{
	struct signalfd_siginfo info;
	struct pollfd p = { .fd = signal_fd, .events = POLLIN };
	if (signal_fd >= 0 && poll(&p, 1, 0) == 1 &&
		read(signal_fd, &info, sizeof info) == sizeof info) {
		fprintf(stderr, "donjon: interrupted\n");
		return 128 + (int)info.ssi_signo;
	}
	return cli_fail(e);
}

int cli_repository_close(struct cli_repository *c, bool ok, const struct err *e)
{
	int status = ok ? 0 : status_of(c->signal_fd, e);
	repository_close(c->r);
	repository_trust_fini(&c->trust);
	if (c->signal_fd >= 0)
		close(c->signal_fd);
	return status;
}

/* The key of --key is one that must have signed. */
static bool insist(struct cli_repository *c, const struct cli_args *a,
	struct err *e)
{
	return !a->value[CLI_KEY] ||
		repository_trust_key(&c->trust, a->value[CLI_KEY],
			a->value[CLI_IDENTITY], e);
}

static void say_digest(const uint8_t digest[32])
{
	char text[REPOSITORY_DIGEST_TEXT];
	repository_digest_show(digest, text);
	printf("%s\n", text);
}

static struct repository_options options(const struct cli_args *a)
{
	return (struct repository_options){ .config = a->value[CLI_CONFIG],
		.annotations = a->annotations,
		.annotation_count = a->annotation_count,
		.sboms = a->sboms,
		.sbom_count = a->sbom_count,
		.everything = true };
}

/* --- build, push, pull, copy ---------------------------------------------- */

int cli_package_build(const struct cli_args *a)
{
	struct cli_repository c;
	struct err e = { 0 };
	struct repository_package p;
	auto_buf text = { 0 };
	const struct repository_options o = options(a);
	bool got = cli_repository_open(a, &c, &e) &&
		repository_get(c.r, a->operands[0], &o, &p, &e);
	bool ok = got;
	if (ok && a->value[CLI_OUTPUT])
		ok = repository_export(c.r, &p, a->value[CLI_OUTPUT], &e);
	if (ok && a->value[CLI_JSON])
		ok = repository_describe(&p, &text, &e);
	if (ok && text.len)
		printf("%s\n", buf_cstr(&text));
	else if (ok)
		say_digest(p.digest);
	if (got)
		repository_package_fini(&p);
	return cli_repository_close(&c, ok, &e);
}

int cli_package_push(const struct cli_args *a)
{
	struct cli_repository c;
	struct err e = { 0 };
	struct repository_package p;
	const struct repository_options o = options(a);
	bool got = cli_repository_open(a, &c, &e) &&
		repository_get(c.r, a->operands[0], &o, &p, &e);
	bool ok = got && repository_push(c.r, &p, a->operands[1], &e);
	if (ok)
		say_digest(p.digest);
	if (got)
		repository_package_fini(&p);
	return cli_repository_close(&c, ok, &e);
}

int cli_package_pull(const struct cli_args *a)
{
	struct cli_repository c;
	struct err e = { 0 };
	struct repository_package p;
	const char *path = a->value[CLI_OUTPUT];
	struct repository_options o = { .everything = true };
	bool got = cli_repository_open(a, &c, &e) && insist(&c, a, &e);
	o.trust = &c.trust;
	got = got && repository_get(c.r, a->operands[0], &o, &p, &e);
	bool ok = got && (!path || repository_export(c.r, &p, path, &e));
	if (ok)
		say_digest(p.digest);
	if (got)
		repository_package_fini(&p);
	return cli_repository_close(&c, ok, &e);
}

int cli_package_copy(const struct cli_args *a)
{
	struct cli_repository c;
	struct err e = { 0 };
	uint8_t digest[32];
	bool ok = cli_repository_open(a, &c, &e) && insist(&c, a, &e) &&
		repository_copy(c.r, a->operands[0], a->operands[1], &c.trust,
			digest, &e);
	if (ok)
		say_digest(digest);
	return cli_repository_close(&c, ok, &e);
}

/* --- looking ----------------------------------------------------------------
 */

static void show(const struct repository_package *p)
{
	char digest[REPOSITORY_DIGEST_TEXT];
	repository_digest_show(p->digest, digest);
	printf("reference  %s\ndigest     %s\n", p->name, digest);
	if (p->yanked)
		printf("yanked     %s\n", p->yank_reason);
	for (size_t i = 1; i < p->blob_count; i++) {
		const struct repository_blob *b = &p->blobs[i];
		int at = (int)i;
		repository_digest_show(b->digest, digest);
		printf("%-10s %s  %llu bytes  %s%s%s\n",
			at == p->module	      ? "module" :
				at == p->toml ? "config" :
				at == p->data ? "data" :
						"other",
			digest, (unsigned long long)b->size, b->media_type,
			b->title[0] ? "  " : "", b->title);
	}
	for (size_t i = 0; i < p->file_count; i++)
		printf("  %s%s\n", p->files[i].path,
			p->files[i].directory ? "/" : "");
}

int cli_package_inspect(const struct cli_args *a)
{
	struct cli_repository c;
	struct err e = { 0 };
	struct repository_package p;
	auto_buf text = { 0 };
	const struct repository_options o = { .shallow = true };
	bool got = cli_repository_open(a, &c, &e) &&
		repository_get(c.r, a->operands[0], &o, &p, &e);
	bool ok = got;
	if (ok && a->value[CLI_JSON]) {
		ok = repository_describe(&p, &text, &e);
		if (ok)
			printf("%s\n", buf_cstr(&text));
	} else if (ok) {
		show(&p);
	}
	if (got)
		repository_package_fini(&p);
	return cli_repository_close(&c, ok, &e);
}

int cli_package_list(const struct cli_args *a)
{
	struct cli_repository c;
	struct err e = { 0 };
	auto_buf text = { 0 };
	bool ok = cli_repository_open(a, &c, &e) &&
		repository_list(c.r, a->operands[0], a->value[CLI_JSON], &text,
			&e);
	int status = cli_repository_close(&c, ok, &e);
	return status ? status : cli_print(buf_bytes(&text));
}
