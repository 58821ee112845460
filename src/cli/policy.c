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
