/* SPDX-License-Identifier: Apache-2.0 */
#include "client/measure.h"
#include "cli/say.h"
#include "client/verify.h"

struct printing {
	struct buf out;
	const char *tee;
	bool json, verbose;
};

static void print_one(void *ctx, const char *variant, const char *hex)
{
	struct printing *p = ctx;
	const char *space = *variant ? " " : "";
	if (p->json)
		buf_fmt(&p->out, "%s\"%s%s%s\":\"%s\"",
			p->out.len > 1 ? "," : "", p->tee, space, variant, hex);
	else
		buf_fmt(&p->out, "%s%s%s %s\n", p->tee, space, variant, hex);
}

static bool measure(struct printing *p, const char *tee, const char *images,
	struct err *e)
{
	p->tee = tee;
	return client_measure(tee, images,
		p->verbose && !p->json ? &p->out : NULL, print_one, p, e);
}

static bool measure_images(struct printing *p, const struct cli_args *a,
	struct err *e)
{
	const char *tee = a->value[CLI_TEE], *images = a->value[CLI_IMAGES];
	if (tee && strcmp(tee, "auto") != 0)
		return measure(p, tee, images, e);
	for (size_t i = 0; i < CLIENT_TEES; i++)
		if ((i == 0 || client_measure_has(client_tees[i], images)) &&
			!measure(p, client_tees[i], images, e))
			return false;
	return true;
}

static bool measure_keep(struct printing *p, const struct cli_args *a,
	struct err *e)
{
	if (p->json)
		buf_str(&p->out, "{");
	if (!measure_images(p, a, e))
		return false;
	if (p->json)
		buf_str(&p->out, "}\n");
	return true;
}

int cli_measure(const struct cli_args *a)
{
	const char *launch = a->value[CLI_LAUNCH];
	struct printing p = { .json = a->value[CLI_JSON],
		.verbose = a->value[CLI_VERBOSE] };
	struct err e = { 0 };
	bool ok = launch ? client_measure_launch(launch, a->value[CLI_VERBOSE],
				   a->value[CLI_JSON], &p.out, &e) :
			   measure_keep(&p, a, &e);
	int status = ok ? cli_print(buf_bytes(&p.out)) : cli_fail(&e);
	buf_fini(&p.out);
	return status;
}
