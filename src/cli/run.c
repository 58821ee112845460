/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/program.h"

int cli_run(const struct cli_args *a)
{
	return cli_program(a, NULL);
}
