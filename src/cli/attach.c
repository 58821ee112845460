/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/visit.h"

int cli_attach(const struct cli_args *a)
{
	struct client_visit_end end;
	int status = cli_visit(a, CLIENT_VISIT_ATTACH, &end);
	if (!status && end.detached && !a->value[CLI_QUIET])
		fprintf(stderr, "donjon: detached, Keep %.8s... runs on\n",
			end.id);
	return status;
}
