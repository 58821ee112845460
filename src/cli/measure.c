/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/say.h"
#include "client/verify.h"

/* The technologies whose Keep this release has. */
static const char *const tees[] = { "process", "kvm" };

static bool measure(const char *tee, const struct cli_args *a, struct buf *out,
	struct err *e)
{
	char hex[129];
	if (!client_measure(tee, a->value[CLI_IMAGES], hex, e))
		return false;
	if (a->value[CLI_JSON])
		buf_fmt(out, "%s\"%s\":\"%s\"", out->len > 1 ? "," : "", tee,
			hex);
	else
		buf_fmt(out, "%s %s\n", tee, hex);
	return true;
}

int cli_measure(const struct cli_args *a)
{
	const char *tee = a->value[CLI_TEE];
	struct err e = { 0 };
	auto_buf out = { 0 };
	if (a->value[CLI_JSON])
		buf_str(&out, "{");
	for (size_t i = 0; i < ARRAY_LEN(tees); i++)
		if ((!tee || !strcmp(tee, "auto")) &&
			!measure(tees[i], a, &out, &e))
			return cli_fail(&e);
	if (tee && strcmp(tee, "auto") != 0 && !measure(tee, a, &out, &e))
		return cli_fail(&e);
	if (a->value[CLI_JSON])
		buf_str(&out, "}\n");
	return cli_print(buf_bytes(&out));
}
