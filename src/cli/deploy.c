/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/program.h"
#include "cli/say.h"

int cli_deploy(const struct cli_args *a)
{
	const char *url = cli_host(a);
	if (!url)
		return cli_misuse("deploy",
			"no host: give --host URL or set DONJON_HOST");
	return cli_program(a, url);
}
