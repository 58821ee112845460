/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cli/visit.h"

int cli_stop(const struct cli_args *a)
{
	struct client_visit_end end;
	int status = cli_visit(a, CLIENT_VISIT_STOP, &end);
	if (!status && !a->value[CLI_QUIET])
		fprintf(stderr, "donjon: Keep %.8s... %s\n", end.id,
			end.gone ? "had ended already" : "has ended");
	return status;
}
