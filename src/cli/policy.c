/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/say.h"
#include "client/verify.h"

int cli_policy_check(const struct cli_args *a)
{
	struct err e = { 0 };
	if (!client_policy_check(a->operands[0], a->value[CLI_IMAGES], &e))
		return cli_fail(&e);
	if (!a->value[CLI_QUIET])
		fprintf(stderr, "%s: a good policy\n", a->operands[0]);
	return 0;
}

int cli_policy_explain(const struct cli_args *a)
{
	struct err e = { 0 };
	auto_buf out = { 0 };
	if (!client_policy_explain(a->operand_count ? a->operands[0] : NULL,
		    a->value[CLI_IMAGES], &out, &e))
		return cli_fail(&e);
	return cli_print(buf_bytes(&out));
}

int cli_policy_init(const struct cli_args *a)
{
	const char *path = a->operand_count ? a->operands[0] : "policy.toml";
	struct err e = { 0 };
	auto_buf text = { 0 };
	if (!client_policy_template(a->value[CLI_EVIDENCE], &text, &e))
		return cli_fail(&e);
	return cli_write_new(a, path, buf_bytes(&text));
}
