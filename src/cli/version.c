/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/say.h"

int cli_version(const struct cli_args *a)
{
	if (a->value[CLI_JSON])
		printf("{\"version\":\"%s\"}\n", DONJON_VERSION);
	else
		printf("donjon %s\n", DONJON_VERSION);
	return cli_print(BYTES_NONE);
}
