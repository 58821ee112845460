/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/say.h"
#include "client/verify.h"

/* The technologies whose Keep this release has. */
static const char *const tees[] = { "process", "kvm", "snp" };

struct printing {
	struct buf out;
	const char *tee;
	bool json;
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
	return client_measure(tee, images, print_one, p, e);
}

static bool measure_all(struct printing *p, const char *images, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(tees); i++)
		if (!measure(p, tees[i], images, e))
			return false;
	return true;
}

int cli_measure(const struct cli_args *a)
{
	const char *tee = a->value[CLI_TEE], *images = a->value[CLI_IMAGES];
	struct printing p = { .json = a->value[CLI_JSON] };
	struct err e = { 0 };
	if (p.json)
		buf_str(&p.out, "{");
	bool ok = !tee || !strcmp(tee, "auto") ? measure_all(&p, images, &e) :
						 measure(&p, tee, images, &e);
	if (ok && p.json)
		buf_str(&p.out, "}\n");
	int status = ok ? cli_print(buf_bytes(&p.out)) : cli_fail(&e);
	buf_fini(&p.out);
	return status;
}
