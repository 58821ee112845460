/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/visit.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/say.h"

int cli_visit(const struct cli_args *a, enum client_visit_kind kind,
	struct client_visit_end *end)
{
	struct err e = { 0 };
	const struct client_visit v = { .kind = kind,
		.id = a->operands[0],
		.url = a->value[CLI_HOST],
		.ca_file = a->value[CLI_HOST_CA],
		.token_file = a->value[CLI_TOKEN_FILE],
		.follow = !a->value[CLI_NO_FOLLOW],
		.receipt = a->value[CLI_RECEIPT],
		.signal_fd = cli_signals() };
	bool ok = a->value[CLI_FORCE] ? client_visit_force(&v, end, &e) :
					client_visit(&v, end, &e);
	close(v.signal_fd);
	if (!ok)
		return cli_fail(&e);
	if (end->reason[0])
		fprintf(stderr, "donjon: %s\n", end->reason);
	if (end->receipt[0] && !a->value[CLI_QUIET])
		fprintf(stderr, "donjon: receipt written to %s\n",
			end->receipt);
	if (end->receipt_lost)
		fprintf(stderr, "donjon: its receipt is lost\n");
	return end->status;
}
