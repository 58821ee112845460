/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/visit.h"

int cli_logs(const struct cli_args *a)
{
	struct client_visit_end end;
	return cli_visit(a, CLIENT_VISIT_LOGS, &end);
}
